"""Surrogates in whole numbers, against Python's integers, Loihi's rule and floating point."""

import functools
from dataclasses import replace

import numpy as np
import pytest

from biomod.errors import ModelError
from biomod.reduction import MODELS
from biomod.reduction.distances import coincidence_factor, explained_variance
from biomod.reduction.export import Q8, S16_15, fixed_point, to_chip, to_fixed, to_nest
from biomod.reduction.export.chips import LOIHI, loihi_neuron
from biomod.reduction.export.fixed import ROUNDINGS
from biomod.reduction.export.probe import probe
from biomod.reduction.fit import Fit
from biomod.reduction.patterns import PATTERNS
from tests.reduction.glif_clients import CELL

DT = 0.1
GLIFS = [f"glif{level}" for level in range(1, 6)]
SLOW = [pytest.param(n, marks=pytest.mark.validate) for n in GLIFS[1:4]]
NOISE = np.random.default_rng(3).normal(250.0, 400.0, 4000)


def cell(name, **changes):
    usual = {p.name: p.start for p in MODELS[name].parameters}
    known = CELL if name.startswith("glif") else {}
    return Fit(MODELS[name], usual | {n: x for n, x in known.items() if n in usual} | changes,
               0.0, DT)  # fmt: skip


class Rounder:
    """Products brought back to the fraction bits of a state; draws by xorshift."""

    def __init__(self, rounding):
        self.rounding, self.noise = rounding, 2463534242

    def __call__(self, product, by):
        if self.rounding == "stochastic":
            for move in (13, -17, 5):
                x = self.noise
                self.noise = (x ^ (x << move if move > 0 else x >> -move)) & (2**32 - 1)
            return (product + self.noise % 2**by) >> by
        if self.rounding == "nearest":
            return (product + (1 << (by - 1))) >> by
        if self.rounding == "down":
            return product >> by
        return abs(product) >> by if product > 0 else -(abs(product) >> by)


def plainly(neuron, current):
    """The steps of the spikes and the states, by Python's integers, which have no width."""
    f, shifted = neuron.format, Rounder(neuron.format.rounding)

    def total(row, by, factors):
        products = [m * x for m, x in zip(row, factors, strict=True) if m]
        if neuron.format.wide_sum:
            return shifted(sum(products), by)
        return sum(shifted(product, by) for product in products)

    def sums(table, by, constant, factors):
        return [
            c + total(row, by, factors)
            for row, c in zip(table.tolist(), constant.tolist(), strict=True)
        ]

    state, left, spikes, first = neuron.start.tolist(), 0, [], []
    for k, pA in enumerate(current.tolist()):
        if left:
            left -= 1
        else:
            square = shifted(state[0] ** 2, f.fraction)
            given = round(pA / neuron.input_scale * 2**f.fraction)
            state = sums(neuron.step, neuron.shift, neuron.constant, [*state, given, square])
            above = sum(a * x for a, x in zip(neuron.above.tolist(), state, strict=True))
            if above >= neuron.threshold:
                spikes.append(k + 1)
                left = neuron.wait
                state = sums(neuron.reset, neuron.reset_shift, neuron.reset_constant, state)
        first.append(state[0])
    return spikes, np.array(first)


@pytest.mark.parametrize("wide_sum", [False, True])
@pytest.mark.parametrize("rounding", ROUNDINGS)
@pytest.mark.parametrize("name", ["glif5", "izhikevich"])
def test_whole_numbers_are_those_of_python(name, rounding, wide_sum):
    neuron = fixed_point(cell(name), replace(S16_15, rounding=rounding, wide_sum=wide_sum))
    found = neuron.run(NOISE)
    spikes, first = plainly(neuron, NOISE)
    assert len(spikes) > 3
    np.testing.assert_array_equal(found.steps, spikes)
    v = neuron.offset["v"] + first / 2**15
    np.testing.assert_array_equal(found.voltage, v)


@pytest.mark.parametrize("name", ["glif1", *SLOW, "glif5"])
def test_32_bits_lose_nothing_that_matters(name):
    """Required: coincidence factor within 2 ms of 0.98, explained variance of 0.99."""
    measured = to_fixed(cell(name), S16_15).agreement
    assert measured["coincidence_2ms"] >= 0.98
    assert measured["explained_variance"] >= 0.99
    assert measured["saturated"] == 0


@pytest.mark.parametrize("name", ["glif1", *SLOW, "glif5"])
def test_8_fraction_bits_at_1_ms(name):
    """Required: coincidence factor within 2 ms of 0.95, against floating point at 1 ms."""
    assert to_fixed(cell(name), Q8, 1.0).agreement["coincidence_2ms"] >= 0.95


def test_the_20_firing_patterns_have_as_many_spikes_in_whole_numbers():
    for name, p in PATTERNS.items():
        neuron = fixed_point(Fit(p.model, p.parameters, 0.0, p.dt), start=p.start)
        assert len(neuron.run(p.drive()).steps) == len(p.respond()[0]), name


def test_after_spike_currents_are_kept_in_mv():
    neuron = fixed_point(cell("glif3"))
    jump = neuron.reset_constant[neuron.model.states.index("I_2")] / 2**15
    assert jump == pytest.approx(CELL["dI_2"] / CELL["g"], abs=2**-15)


def test_values_that_leave_the_range_are_set_to_its_edge_and_counted():
    narrow = replace(S16_15, name="narrow", bits=22)  # +-64 mV
    fit = cell("glif1", theta=-20.0)
    found = fixed_point(fit, narrow).run(np.full(2000, -2000.0))
    assert found.saturated > 100
    assert found.voltage.min() == pytest.approx(CELL["E_L"] - 64, abs=0.01)
    assert fixed_point(fit, narrow).run(np.full(2000, 100.0)).saturated == 0


@pytest.mark.parametrize(
    ("name", "format_", "changes", "message"),
    [
        ("glif1", replace(Q8, bits=12, name="tiny"), {}, "threshold, 22 mV, is outside"),
        ("glif3", Q8, {"k_1": 1e-4}, r"in a step I_1 changes by -1e-05 .* larger dt helps"),
        ("adex", S16_15, {}, "needs an exponential"),
        ("glif3", Q8, {"dI_2": -2e6}, "reset of I_2"),
    ],
)
def test_what_does_not_fit_is_refused(name, format_, changes, message):
    with pytest.raises(ModelError, match=message):
        fixed_point(cell(name, **changes), format_)


def test_couplings_that_are_too_weak_are_said():
    exported = to_fixed(cell("glif5", a_v=1e-5), Q8, 1.0)
    assert any("too weak for the coefficients: theta_v on v" in x for x in exported.losses)


def test_loihi_does_what_its_rule_says():
    """Lava's bit-accurate rule: decay cut towards zero, input added, spike above 64 vth, then 0."""
    fit = cell("glif1", v_reset=CELL["E_L"], t_ref=2.0)
    exported, current = to_chip(fit, "loihi", 1.0), NOISE[:3000]
    content, v, left, spikes = exported.content, 0, 0, []
    for k, pA in enumerate(current):
        if left:
            left -= 1
            continue
        kept = abs(v) * (4096 - content["dv"]) >> 12
        v = (kept if v > 0 else -kept) + round(pA * content["bias_per_pA"])
        v = max(min(v, 2**23 - 1), 1 - 2**23)
        if v > content["vth"] << 6:
            spikes.append(k + 1)
            v, left = 0, content["refractory_steps"]
    assert len(spikes) > 50
    np.testing.assert_array_equal(loihi_neuron(fit, 1.0).run(current).steps, spikes)
    assert exported.agreement["coincidence_2ms"] > 0.95


def test_chips_refuse_what_they_cannot_hold():
    with pytest.raises(ModelError, match="loihi resets to rest"):
        to_chip(cell("glif1"), "loihi")
    with pytest.raises(ModelError, match="loihi does not run the model glif3, only glif1, lif"):
        to_chip(cell("glif3"), "loihi")
    slow = cell("glif1", v_reset=CELL["E_L"], C=5e5, g=1.0)
    with pytest.raises(ModelError, match=r"decays by 0 / 4096"):
        to_chip(slow, "loihi")
    with pytest.raises(ModelError, match=r"membrane time constant C / g is 100 ms; 0.5 to 60 ms"):
        to_chip(cell("adex", C=500.0, g=5.0), "brainscales2")
    with pytest.raises(ModelError, match="did you mean loihi"):
        to_chip(cell("glif1"), "loihy")


def test_spinnaker_rounds_down():
    exported = to_chip(cell("glif5"), "spinnaker")
    assert exported.content["format"]["rounding"] == "down"
    assert exported.agreement["coincidence_2ms"] >= 0.98


def test_codes_of_brainscales_give_the_rounded_parameters():
    exported = to_chip(cell("adex"), "brainscales2")
    low, high = exported.content["voltage_window_mV"]
    codes, rounded = exported.content["codes"], exported.content["rounded_parameters"]
    assert all(0 <= code <= 1022 for code in codes.values())
    assert low + (high - low) * codes["v_T"] / 1022 == pytest.approx(rounded["v_T"])
    assert rounded["v_T"] == pytest.approx(cell("adex").parameters["v_T"], abs=(high - low) / 2044)
    assert rounded["g"] != cell("adex").parameters["g"]
    assert 0.3 < exported.agreement["coincidence_2ms"] < 1


@pytest.mark.parametrize("v_reset", [-80.0, -70.0, -52.0])
def test_what_calix_is_asked_for_is_within_its_ranges_and_a_read_from_the_surrogate(v_reset):
    """Ranges of check_target in calix/spiking/neuron.py (commit e5730819)."""
    p = cell("adex", v_reset=v_reset).parameters
    asked = to_chip(cell("adex", v_reset=v_reset), "brainscales2").content["calix"]
    for name, parameter, low, high in (
        ("leak", "E_L", 50, 160), ("reset", "v_reset", 50, 160), ("threshold", "v_peak", 50, 220),
    ):  # fmt: skip
        assert isinstance(asked[name], int)
        assert low <= asked[name] <= high
        meant = asked["mV_at_0"] + asked["mV_per_read"] * asked[name]
        assert meant == pytest.approx(p[parameter], abs=0.5 * asked["mV_per_read"] + 1e-9)
    # As fine as the ranges let: one of them is used to its end.
    assert asked["threshold"] == 220 or max(asked["leak"], asked["reset"]) == 160
    assert asked["tau_mem_us"] == pytest.approx(p["C"] / p["g"])


def test_widths_of_loihi_are_those_of_lava():
    assert (LOIHI.bits, LOIHI.edge, LOIHI.rounding) == (24, 2**23 - 1, "zero")


def test_rounded_to_the_nearest_a_slow_state_stands_still():
    """Where half a unit is more than it loses in a step; stochastic rounding has no such end."""
    k, dt = 0.005, DT
    fit = cell("glif3", k_1=k, dI_1=-200.0)
    pulse = np.concatenate([np.full(300, 600.0), np.zeros(40_000)])
    standing = 2**-16 / (k * dt)
    rest = {}
    for rounding in ("nearest", "stochastic"):
        found = fixed_point(fit, replace(S16_15, rounding=rounding)).run(pulse)
        assert 0 < len(found.steps) < 20  # none after the pulse
        rest[rounding] = found.voltage[-5000:].mean() - CELL["E_L"]
    assert rest["nearest"] < -0.9 * standing
    assert abs(rest["stochastic"]) < 0.1 * standing


FRESH = range(21, 27)  # seeds of noise that nothing was decided with


def agreed(fit, format_, dt):
    """Coincidence factor within 2 ms and explained variance over six times 20 s of noise."""
    neuron, own = fixed_point(fit, format_, dt), replace(fit, dt=dt)
    currents = [probe(own, seed=seed) for seed in FRESH]
    whole = [neuron.run(current).spikes for current in currents]
    float_ = [own.respond(current).spikes[0] for current in currents]
    durations = [20e3] * len(currents)
    return (coincidence_factor(whole, float_, durations, 2.0),
            explained_variance(whole, float_, durations))  # fmt: skip


@functools.cache
def fits_of(name):
    import cell_types
    from biomod.reduction import Protocol, reduce

    protocol = Protocol(noise_s=2.0)
    found = reduce(cell_types.get(name), "glif5", protocol=protocol, generations=40)
    quadratic = reduce(found.behaviour, "izhikevich", generations=40)
    return {**found.fits, **quadratic.fits}


FITTED = [(c, m) for c in ("L23_PC", "PV_basket") for m in (*GLIFS, "izhikevich")]


@pytest.mark.validate
@pytest.mark.parametrize(("name", "model"), FITTED)
def test_surrogates_of_cells_lose_nothing_that_matters_in_32_bits(name, model):
    """Required: coincidence within 2 ms of 0.98 and explained variance of 0.99."""
    fit = fits_of(name)[model]
    coincidence, explained = agreed(fit, S16_15, fit.dt)
    assert coincidence >= 0.98
    assert explained >= 0.99


@pytest.mark.validate
@pytest.mark.parametrize(("name", "model"), FITTED)
def test_surrogates_of_cells_with_8_fraction_bits(name, model):
    """Required: coincidence within 2 ms of 0.95 at 1 ms."""
    assert agreed(fits_of(name)[model], Q8, 1.0)[0] >= 0.95


@pytest.mark.validate
def test_the_reset_of_nest_is_exact_for_a_fitted_cell():
    import cell_types
    from biomod.reduction import Protocol, reduce

    found = reduce(
        cell_types.get("PV_basket"), "glif5_nest", protocol=Protocol(noise_s=2.0), generations=40
    )
    assert found.explained_variance > 0.9
    for fit in found.fits.values():
        assert to_nest(fit).status == "exact"
        coincidence, explained = agreed(fit, S16_15, fit.dt)
        assert coincidence >= 0.98
        assert explained >= 0.99
