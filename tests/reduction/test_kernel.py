"""The compiled simulator against solutions by hand, a plain loop, scipy and Brian2."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from biomod.errors import BackendError, ModelError
from biomod.reduction import _library
from biomod.reduction._source import source
from biomod.reduction.kernel import prepare, simulate
from biomod.reduction.models import MODELS, evaluate, point_model

NOISE = np.random.default_rng(5).normal(180.0, 250.0, 8000)
USUAL = {name: {p.name: p.start for p in model.parameters} for name, model in MODELS.items()}
USUAL["izhikevich2003"]["scale"] = 0.06


def plainly(model, parameters, current, dt, parts):
    """The same neuron, one step after the other in Python; each step in `parts` Euler steps."""
    rates = {s: compile(e, s, "eval") for s, e in model.equations.items()}
    state = {s: float(evaluate(model.rest[s], parameters)) for s in model.states}
    spikes, voltage, left = [], [], 0
    for k, drive in enumerate(current):
        names = {**parameters, **state, "I": drive}
        held = {s: state[s] for s in model.held} if left > 0 else {}
        for _ in range(parts):
            change = {s: dt / parts * eval(code, {"exp": np.exp}, names)
                      for s, code in rates.items()}  # fmt: skip
            names |= {s: names[s] + x for s, x in change.items()} | held
        state, left = {s: names[s] for s in model.states}, left - 1
        if left < 0 and evaluate(model.above, {**parameters, **state}) >= 0:
            spikes.append((k + 1) * dt)
            state |= {s: evaluate(e, {**parameters, **state}) for s, e in model.reset.items()}
            left = round(parameters[model.refractory] / dt) if model.refractory else 0
        voltage.append(state["v"])
    return np.array(spikes), np.array(voltage)


@pytest.mark.parametrize("name", ["glif5", "alif", "izhikevich", "adex"])
def test_a_plain_loop_gives_the_same(name):
    exact = MODELS[name].scheme == "exact"
    current = NOISE[:800] if exact else NOISE[:3000]
    spikes, voltage = plainly(MODELS[name], USUAL[name], current, 0.1, parts=50 if exact else 1)
    found = simulate(MODELS[name], USUAL[name], current, 0.1, voltage=True)
    assert len(spikes) >= 2
    np.testing.assert_allclose(found.spikes[0], spikes)
    np.testing.assert_allclose(found.voltage[0], voltage, atol=0.05 if exact else 1e-9)


def test_a_membrane_charges_as_an_exponential():
    p = USUAL["lif"] | {"theta": 1e3}
    v = simulate(MODELS["lif"], p, np.full(1000, 80.0), 0.1, voltage=True).voltage[0]
    t = np.arange(1, 1001) * 0.1
    expected = p["E_L"] + 80 / p["g"] * (1 - np.exp(-t * p["g"] / p["C"]))
    np.testing.assert_allclose(v, expected, rtol=1e-12)


def test_interval_of_a_leaky_neuron():
    """T = t_ref + tau ln((RI - (v_reset - E_L)) / (RI - (theta - E_L))), within a step."""
    p, current = USUAL["lif"], 200.0
    spikes = simulate(MODELS["lif"], p, np.full(10000, current), 0.01).spikes[0]
    drive = current / p["g"]
    ratio = (drive - p["v_reset"] + p["E_L"]) / (drive - p["theta"] + p["E_L"])
    expected = p["t_ref"] + p["C"] / p["g"] * np.log(ratio)
    np.testing.assert_allclose(np.diff(spikes), expected, atol=0.011)


def test_glif5_between_spikes_against_scipy():
    p = USUAL["glif5"] | {"theta": 1e3, "a_v": 0.02, "b_v": 0.07}
    model = MODELS["glif5"]
    start = {"v": -62.0, "theta_s": 7.0, "I_1": -30.0, "I_2": 80.0, "theta_v": 2.0}
    order = model.states

    def rates(_, y):
        names = {**p, **dict(zip(order, y, strict=True)), "I": 40.0}
        return [evaluate(model.equations[s], names) for s in order]

    times = np.arange(1, 501) * 0.1
    truth = solve_ivp(rates, (0, 50), [start[s] for s in order], t_eval=times, rtol=1e-11,
                      atol=1e-11)  # fmt: skip
    found = prepare(model, p, 0.1, start).run(np.full(500, 40.0), voltage=True)
    np.testing.assert_allclose(found.voltage[0], truth.y[0], atol=1e-8)


def test_the_step_does_not_matter_to_an_exact_solution():
    """A current that is constant over 1 ms gives the same voltage with 1 ms and with 0.1 ms."""
    p = USUAL["glif5"] | {"theta": 1e3}
    coarse = NOISE[:200]
    a = simulate(MODELS["glif5"], p, coarse, 1.0, voltage=True).voltage[0]
    b = simulate(MODELS["glif5"], p, np.repeat(coarse, 10), 0.1, voltage=True).voltage[0]
    np.testing.assert_allclose(a, b[9::10], atol=1e-9)


def test_error_of_the_voltage_is_that_outside_of_spikes():
    p = USUAL["lif"]
    found = simulate(MODELS["lif"], p, NOISE, 0.1, voltage=True, target=np.full(8000, -65.0))
    free = np.ones(8000, bool)
    for t in found.spikes[0]:
        k = round(t / 0.1) - 1
        free[k + 1 : k + 1 + round(p["t_ref"] / 0.1)] = False
        free[k] = False
    inside = simulate(MODELS["lif"], p, NOISE, 0.1, target=np.where(free, -65.0, np.nan))
    expected = np.sum((found.voltage[0][free] + 65) ** 2)
    np.testing.assert_allclose(inside.squared[0], expected, rtol=1e-9)


def test_neurons_do_not_know_of_each_other():
    """37 neurons, which is no multiple of the block, each as if it were alone."""
    thetas = np.linspace(-60, -40, 37)
    many = simulate(MODELS["glif4"], USUAL["glif4"] | {"theta": thetas}, NOISE, 0.1)
    assert len(set(many.counts)) > 5
    for k in (0, 20, 36):
        p = USUAL["glif4"] | {"theta": thetas[k]}
        np.testing.assert_array_equal(simulate(MODELS["glif4"], p, NOISE, 0.1).spikes[0],
                                      many.spikes[k])  # fmt: skip


def test_equal_models_share_one_program():
    again = replace(MODELS["glif5"])
    assert again == MODELS["glif5"]
    assert again is not MODELS["glif5"]
    assert source(again) is source(MODELS["glif5"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"thetta": 1.0}, "did you mean theta"),
        ({"g": np.nan}, "finite"),
        ({"g": [1.0, 2.0], "C": [1.0, 2.0, 3.0]}, "different lengths"),
    ],
)
def test_wrong_parameters_are_named(change, message):
    with pytest.raises(ModelError, match=message):
        simulate(MODELS["lif"], USUAL["lif"] | change, NOISE, 0.1)


def test_missing_parameters_are_named():
    with pytest.raises(ModelError, match="no value for g, E_L"):
        simulate(MODELS["lif"], {"C": 1, "t_ref": 1, "theta": 1, "v_reset": 0}, NOISE, 0.1)


def test_a_current_that_is_not_finite_is_refused():
    with pytest.raises(ModelError, match="finite"):
        simulate(MODELS["lif"], USUAL["lif"], [1.0, np.nan], 0.1)


def test_unknown_model_names_the_nearest():
    with pytest.raises(ModelError, match="did you mean glif"):
        point_model("glif6")


def test_without_a_compiler_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setattr(_library, "find_compiler", lambda: None)
    with pytest.raises(BackendError, match="install g\\+\\+"):
        _library.library("// a source that nobody has compiled\n")
