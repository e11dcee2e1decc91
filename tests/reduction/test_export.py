"""Exports, each read by a client that knows nothing of ours."""

import json
import math

import numpy as np
import pytest

from biomod.errors import ModelError
from biomod.reduction import MODELS, Behaviour, Reduction, simulate
from biomod.reduction.export import (
    brian2_arguments,
    from_allensdk,
    from_nest,
    to_allensdk,
    to_nest,
)
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


SLOW = [pytest.param(n, marks=pytest.mark.validate) for n in ("glif3", "glif5", "alif", "adex")]


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


def nest_spikes(params):
    """What NEST's documentation says that ``glif_psc`` does, for levels 1 and 3, undelayed."""
    tau, h = params["C_m"] / params["g"], DT
    decay = math.exp(-h / tau)
    k = np.array(params.get("asc_decay", [1.0, 1.0]))
    r, amps = np.array(params.get("asc_r", [0, 0])), np.array(params.get("asc_amps", [0, 0]))
    currents, u, wait, spikes = np.zeros(2), 0.0, 0, []
    for step, drive in enumerate(CURRENT):
        if wait:
            wait -= 1
            continue
        mean = float(np.sum(currents * (1 - np.exp(-k * h)) / (k * h)))
        currents = currents * np.exp(-k * h)
        u = u * decay + (drive + mean) / params["g"] * (1 - decay)
        if u > params["V_th"] - params["E_L"]:
            spikes.append((step + 1) * h)
            currents = amps + currents * r * np.exp(-k * params["t_ref"])
            u, wait = params["V_reset"] - params["E_L"], round(params["t_ref"] / h)
    return np.array(spikes)


@pytest.mark.parametrize("name", ["glif1", "glif3"])
def test_nest_fires_within_a_step(name):
    """NEST takes the mean of the after-spike currents over a step, we their course."""
    exported = to_nest(fitted(name))
    assert exported.status == "exact"
    theirs = nest_spikes(exported.content["params"])
    assert len(theirs) >= 5
    np.testing.assert_allclose(theirs, ours(fitted(name)), atol=DT + 1e-9)


def test_what_nest_does_otherwise_is_said():
    exported = to_nest(fitted("glif4", f_1=1.0))
    assert exported.status == "approximate"
    assert any("after-spike current 1" in x for x in exported.losses)
    assert any("raised threshold" in x for x in exported.losses)


@pytest.mark.parametrize("name", ["glif1", "glif3"])
def test_nest_and_allensdk_there_and_back(name):
    fit = fitted(name)
    for back in (
        from_nest(to_nest(fit).content["params"], DT),
        from_allensdk(to_allensdk(fit).content),
    ):
        assert back.model.name == name
        assert dict(back.parameters) == pytest.approx(dict(fit.parameters))


def test_a_published_configuration_of_allensdk():
    """GLIF3 of the Allen Cell Types Database as quoted in nest/nest-simulator issue 3009."""
    config = {
        "El_reference": -0.07139990234375, "C": 8.587009771685807e-11,
        "asc_amp_array": [-7.383464366961142e-11, -4.496828542736005e-10],
        "th_inf": 0.023089253057717987, "spike_cut_length": 134, "dt": 5e-05, "El": 0.0,
        "asc_tau_array": [0.03333333333333334, 0.0033333333333333335],
        "R_input": 340045253.17350113,
        "coeffs": {"th_inf": 1, "C": 1, "G": 1, "asc_amp_array": [1.0, 1.0]},
        "threshold_dynamics_method": {"params": {}, "name": "inf"},
        "voltage_reset_method": {"params": {}, "name": "zero"},
        "AScurrent_dynamics_method": {"params": {}, "name": "exp"},
        "AScurrent_reset_method": {"params": {"r": [1.0, 1.0]}, "name": "sum"},
    }  # fmt: skip
    found = from_allensdk(config).parameters
    assert found["C"] == pytest.approx(85.87, rel=1e-3)
    assert found["g"] == pytest.approx(2.941, rel=1e-3)
    assert found["theta"] == pytest.approx(-71.4 + 23.089, abs=1e-3)
    assert found["v_reset"] == pytest.approx(found["E_L"])
    assert found["t_ref"] == pytest.approx(6.7)
    assert (found["k_1"], found["k_2"]) == pytest.approx((0.03, 0.3))
    assert found["dI_2"] == pytest.approx(-449.7, rel=1e-3)
    assert found["f_1"] == pytest.approx(math.exp(-0.03 * 6.7))


def test_what_a_format_does_not_know_is_refused():
    with pytest.raises(ModelError, match="GLIF neurons only"):
        to_nest(fitted("adex"))
    with pytest.raises(ModelError, match="levels 1 and 3"):
        to_allensdk(fitted("glif5"))
    with pytest.raises(ModelError, match="V_th must be a finite number"):
        from_nest({"C_m": 1.0, "g": 1.0, "E_L": -70.0, "V_th": None})
    with pytest.raises(ModelError, match="no neuron_config"):
        from_allensdk({"El": 0})
    with pytest.raises(ModelError, match="use the model izhikevich"):
        brian2_arguments(fitted("izhikevich2003"))


def test_a_reduction_writes_files(tmp_path):
    found = Reduction(Behaviour((), ()), {"glif3": fitted("glif3")}, "glif3", {})
    assert found.export(tmp_path / "cell.json", "nest").status == "exact"
    assert json.loads((tmp_path / "cell.json").read_text())["params"]["C_m"] == 120.0
    with pytest.raises(ModelError, match="did you mean nest"):
        found.export(tmp_path / "cell.json", "nesst")
