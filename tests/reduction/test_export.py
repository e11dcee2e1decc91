"""Exports, each read by a client that knows nothing of ours."""

import json

import numpy as np
import pytest

from biomod.errors import ModelError
from biomod.reduction import MODELS, Behaviour, Reduction, simulate
from biomod.reduction.export import brian2_arguments, to_nest
from biomod.reduction.fit import Fit

DT = 0.1
CURRENT = np.random.default_rng(8).normal(260.0, 300.0, 3000)
GLIF3 = {
    "C": 120.0, "g": 8.0, "E_L": -72.0, "t_ref": 2.0, "theta": -50.0, "v_reset": -60.0,
    "k_1": 0.008, "k_2": 0.1, "f_1": 0.9, "f_2": 0.7, "dI_1": -15.0, "dI_2": -60.0,
}  # fmt: skip


def fitted(name, **changes):
    values = {p.name: p.start for p in MODELS[name].parameters}
    values |= {k: v for k, v in GLIF3.items() if k in values}
    return Fit(MODELS[name], values | changes, 0.0, DT)


def ours(fit):
    return simulate(fit.model, fit.parameters, CURRENT, DT).spikes[0]


SLOW = [
    pytest.param(n, marks=pytest.mark.validate)
    for n in ("glif3", "glif5", "glif4_nest", "glif5_nest", "glif5_allensdk", "alif", "adex")
]


@pytest.mark.parametrize("name", ["glif1", "izhikevich", *SLOW])
def test_brian2_fires_at_the_same_steps(name, monkeypatch):
    import brian2

    fit = fitted(name)
    brian2.start_scope()
    monkeypatch.setitem(brian2.prefs, "codegen.target", "numpy")
    arguments, start = brian2_arguments(fit, "I = drive(t) : 1")
    arguments["namespace"]["drive"] = brian2.TimedArray(CURRENT, DT * brian2.ms)
    group = brian2.NeuronGroup(1, dt=DT * brian2.ms, **arguments)
    group.set_states(start)
    monitor = brian2.SpikeMonitor(group)
    brian2.Network(group, monitor).run(len(CURRENT) * DT * brian2.ms)
    theirs = np.asarray(monitor.t / brian2.ms) + DT
    assert len(theirs) >= 5
    np.testing.assert_allclose(theirs, ours(fit), atol=1e-6)


def test_what_a_format_does_not_know_is_refused():
    with pytest.raises(ModelError, match="GLIF neurons only"):
        to_nest(fitted("adex"))
    with pytest.raises(ModelError, match="use the model izhikevich"):
        brian2_arguments(fitted("izhikevich2003"))


def test_a_reduction_writes_files(tmp_path):
    found = Reduction(Behaviour((), ()), {"glif3": fitted("glif3")}, "glif3", {})
    assert found.export(tmp_path / "cell.json", "nest").status == "approximate"
    assert json.loads((tmp_path / "cell.json").read_text())["params"]["C_m"] == 120.0
    with pytest.raises(ModelError, match="did you mean nest"):
        found.export(tmp_path / "cell.json", "nesst")
