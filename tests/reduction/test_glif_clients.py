"""GLIF neurons of ours against NEST's ``glif_psc`` and AllenSDK's ``GlifNeuron``."""

import json

import numpy as np
import pytest

from biomod.errors import ModelError
from biomod.reduction import MODELS, simulate
from biomod.reduction.export import from_allensdk, from_nest, to_allensdk, to_nest
from biomod.reduction.export.resets import with_reset
from biomod.reduction.fit import Fit
from biomod.reduction.models import glif
from tests.reduction.glif_clients import CELL, DATA, DT, allensdk_steps, current, nest_steps

CLIENTS = {"nest": (to_nest, from_nest), "allensdk": (to_allensdk, from_allensdk)}
NAMES = [f"glif{level}_{client}" for level in range(1, 6) for client in CLIENTS]
QUICK = ("glif3_nest", "glif5_nest", "glif5_allensdk")  # each model is one more compilation
MARKED = [
    name if name in QUICK else pytest.param(name, marks=pytest.mark.validate) for name in NAMES
]


def cell(name, **changes):
    model = MODELS[name]
    return Fit(model, {n: CELL[n] for n in model.names} | changes, 0.0, DT)


def steps(fit):
    found = simulate(fit.model, fit.parameters, current(), DT)
    return found.steps[0][: found.counts[0]]


@pytest.mark.parametrize("name", MARKED)
def test_spikes_are_those_of_the_client(name):
    """Spikes of NEST 3.10.0 and AllenSDK 2.16.2, kept in a file by glif_clients.py."""
    theirs = np.array(json.loads(DATA.read_text())["cells"][name]["steps"])
    ours = steps(cell(name))
    assert len(ours) == len(theirs) > 100
    assert np.abs(ours - theirs).max() <= 1


@pytest.mark.parametrize("name", NAMES)
def test_the_client_had_what_is_exported(name):
    kept = json.loads(DATA.read_text())["cells"][name]["content"]
    write = CLIENTS[name.partition("_")[2]][0]
    content = write(cell(name)).content
    assert json.loads(json.dumps(content.get("params", content))) == kept


@pytest.mark.validate
@pytest.mark.parametrize("name", [n for n in NAMES if n.endswith("nest")])
def test_nest_itself(name):
    pytest.importorskip("nest")
    theirs = nest_steps(to_nest(cell(name)).content["params"], current(), DT)
    assert np.abs(steps(cell(name)) - theirs).max() <= 1


@pytest.mark.validate
@pytest.mark.parametrize("name", [n for n in NAMES if n.endswith("allensdk")])
def test_allensdk_itself(name):
    pytest.importorskip("allensdk")
    theirs = allensdk_steps(dict(to_allensdk(cell(name)).content), current())
    assert np.abs(steps(cell(name)) - theirs).max() <= 1


@pytest.mark.parametrize("name", NAMES)
def test_there_and_back(name):
    write, read = CLIENTS[name.partition("_")[2]]
    exported = write(cell(name))
    content = json.loads(json.dumps(exported.content))
    back = read(content.get("params", content))
    assert exported.status == "exact"
    assert back.model.name == name
    expected = cell(name).parameters
    if name.endswith("allensdk"):  # counts the refractory time in steps
        expected = expected | {"t_ref": 2.3}
    assert dict(back.parameters) == pytest.approx(dict(expected), rel=1e-12)


def test_a_neuron_without_currents_and_rules_is_exact_in_nest():
    assert to_nest(cell("glif1")).status == "exact"


def test_what_nest_does_otherwise_is_said_and_measured():
    exported = to_nest(cell("glif4", f_v=-0.2, f_1=1.0))
    assert exported.status == "approximate"
    said = "; ".join(exported.losses)
    for what in ("raised threshold decays", "one step before", "mean over a step", "f_1 becomes 1",
                 "f_v becomes 0 instead of -0.2"):  # fmt: skip
        assert what in said
    assert 0 < exported.agreement["coincidence_2ms"] < 0.99
    assert "coincidence within 2 ms 0." in str(exported)


def test_a_change_of_the_reset_keeps_the_share_of_the_currents():
    """What is left of a current after spike and refractory time: f, or f exp(-k t_ref)."""
    there, _ = with_reset(cell("glif3"), "nest")
    kept = there.parameters["f_2"] * np.exp(-CELL["k_2"] * there.parameters["t_ref"])
    assert kept == pytest.approx(CELL["f_2"])
    back, _ = with_reset(there, "teeter2018")
    assert back.parameters["f_2"] == pytest.approx(CELL["f_2"])


def test_where_only_the_integration_differs_spikes_agree():
    exported = to_nest(cell("glif3", t_ref=2.3))
    assert exported.agreement["coincidence_2ms"] > 0.95


def test_a_neuron_that_fires_by_itself_can_be_measured():
    exported = to_nest(cell("glif3", theta=-80.0, E_L=-70.0, v_reset=-90.0, t_ref=2.3))
    assert exported.agreement["coincidence_2ms"] > 0.9


def test_a_published_configuration_of_allensdk():
    """GLIF3 of the Allen Cell Types Database as quoted in nest/nest-simulator issue 3009."""
    config = {
        "El_reference": -0.07139990234375, "C": 8.587009771685807e-11,
        "asc_amp_array": [-7.383464366961142e-11, -4.496828542736005e-10],
        "th_inf": 0.023089253057717987, "spike_cut_length": 134, "dt": 5e-05, "El": 0.0,
        "asc_tau_array": [0.03333333333333334, 0.0033333333333333335],
        "R_input": 340045253.17350113,
        "coeffs": {"th_inf": 1, "C": 1, "G": 1, "asc_amp_array": [1.0, 1.0]},
        "voltage_dynamics_method": {"params": {}, "name": "linear_forward_euler"},
        "threshold_dynamics_method": {"params": {}, "name": "inf"},
        "voltage_reset_method": {"params": {}, "name": "zero"},
        "AScurrent_dynamics_method": {"params": {}, "name": "exp"},
        "AScurrent_reset_method": {"params": {"r": [1.0, 1.0]}, "name": "sum"},
    }  # fmt: skip
    fit = from_allensdk(config)
    found = fit.parameters
    assert (fit.model.name, fit.dt) == ("glif3_allensdk", pytest.approx(0.05))
    assert found["C"] == pytest.approx(85.87, rel=1e-3)
    assert found["g"] == pytest.approx(2.941, rel=1e-3)
    assert found["theta"] == pytest.approx(-71.4 + 23.089, abs=1e-3)
    assert found["v_reset"] == pytest.approx(found["E_L"])
    assert found["t_ref"] == pytest.approx(6.7)
    assert (found["k_1"], found["k_2"]) == pytest.approx((0.03, 0.3))
    assert (found["dI_2"], found["f_1"]) == pytest.approx((-449.68, 1.0), rel=1e-4)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"V_th": None}, "V_th must be a finite number"),
        ({"asc_decay": [0.1]}, "list of two numbers"),
        ({"asc_r": [0.5, 1.5]}, "asc_r must lie between 0 and 1"),
        ({"V_reset": -40.0}, "below V_th"),
        ({"th_voltage_decay": 8.0 / 120.0}, "not equal g / C_m"),
        ({"after_spike_currents": False}, "does not combine"),
    ],
)
def test_parameters_that_nest_refuses_are_refused(change, message):
    params = dict(to_nest(cell("glif5_nest")).content["params"])
    with pytest.raises(ModelError, match=message):
        from_nest(params | change)


def test_configurations_that_allensdk_does_not_run_are_refused():
    config = dict(to_allensdk(cell("glif2_allensdk")).content)
    with pytest.raises(ModelError, match="no neuron_config"):
        from_allensdk({"El": 0})
    with pytest.raises(ModelError, match="not 'linear_exact'"):
        from_allensdk(config | {"voltage_dynamics_method": {"name": "linear_exact"}})
    with pytest.raises(ModelError, match="'three_components_exact' without"):
        from_allensdk(config | {"threshold_dynamics_method": {"name": "three_components_exact"}})


def test_unknown_resets_name_the_nearest():
    with pytest.raises(ModelError, match="did you mean nest"):
        glif(3, "nesst")
    with pytest.raises(ModelError, match="GLIF neurons only"):
        to_nest(Fit(MODELS["lif"], {}, 0.0, DT))
