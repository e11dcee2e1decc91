"""The electrotonic theory against solutions by hand and against direct integration."""

import math

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.optimize import brentq, curve_fit

from biomod.errors import ModelError, UnitError
from biomod.mechanisms import passive
from biomod.model import (
    Cell,
    Channel,
    Constant,
    Coupling,
    Dendrite,
    Gate,
    Soma,
    SynapticReceptor,
)
from biomod.units import Quantity, mV, nS, pA

AMPA = SynapticReceptor("AMPA", "AMPA", "0 mV", "2 ms", "0.2 ms")
FAST = SynapticReceptor("FAST", "AMPA", "0 mV", "2 ms")
NMDA = SynapticReceptor("NMDA", "NMDA", "0 mV", "80 ms", "3 ms", mg="1 mM", gain=1.5)
GABA = SynapticReceptor("GABA", "GABA", "-80 mV", "8 ms", "0.5 ms")
GABAB = SynapticReceptor("GABAB", "GABA", "-95 mV", "200 ms", "30 ms")
RECEPTORS = (AMPA, FAST, NMDA, GABA, GABAB)
IH = Channel(
    "Ih",
    "40 uS/cm2",
    "-40 mV",
    (Gate("m", "20", "1 / (1 + exp((v - half) / k))"),),
    (Constant("half", "-85 mV"), Constant("k", "8 mV")),
)


def soma(*channels, g="50 uS/cm2", E="-70 mV", name="soma"):
    return Soma(name, "20 um", "20 um", g, E, channels=channels, receptors=RECEPTORS)


def dendrite(name, length, diameter, *channels, g="50 uS/cm2", E="-70 mV"):
    return Dendrite(name, length, diameter, g, E, channels=channels, receptors=RECEPTORS)


def cell(*compartments, couplings=()):
    return Cell("X", compartments, couplings, fidelity="hh")


AREA = math.pi * 400e-12  # of the soma, m²
SINGLE = cell(soma())
TWO = cell(
    soma(),
    dendrite("dend", "100 um", "2 um", g="30 uS/cm2", E="-60 mV"),
    couplings=(Coupling("soma", "dend", "5 nS"),),
)
TREE = cell(
    soma(IH),
    dendrite("basal", "200 um", "3 um", IH, g="40 uS/cm2", E="-72 mV"),
    dendrite("trunk", "300 um", "3 um", IH, g="40 uS/cm2", E="-75 mV"),
    dendrite("tuft", "300 um", "1.5 um", IH),
    couplings=(Coupling("soma", "basal"), Coupling("soma", "trunk"), Coupling("trunk", "tuft")),
)


# expressions ----------------------------------------------------------------------------------
def test_expressions_are_numpy():
    v = np.linspace(-90, 30, 7)
    text = "exp(v / k) + log(abs(v) + 1) - sqrt(2) * tanh(-v) ** 2 / 3 + exprel(v / 10)"
    x = v / 10
    by_hand = np.exp(v / 7) + np.log(np.abs(v) + 1) - math.sqrt(2) * np.tanh(-v) ** 2 / 3
    by_hand += np.where(x == 0, 1, np.expm1(x) / np.where(x == 0, 1, x))
    assert np.allclose(passive.evaluate(text, v, {"k": 7.0}), by_hand, rtol=1e-14)
    assert passive.evaluate("0.5", v).shape == v.shape
    assert passive.evaluate("v", -3.0) == -3


def test_removable_singularities_have_their_limit():
    text = "0.1 * (v + 40) / (1 - exp(-(v + 40) / 10))"
    assert passive.evaluate(text, [-40.0, 0.0])[0] == pytest.approx(1, rel=1e-9)
    assert passive.evaluate("exprel(v)", 0.0) == 1


@pytest.mark.parametrize(
    "text",
    ["v.real", "__import__('os')", "(lambda: v)()", "[v]", "v if v else v", "'a'", "exp", "v(1)",
     "unknown + v", "True", "1j"],
)  # fmt: skip
def test_what_is_not_arithmetic_is_refused(text):
    with pytest.raises(ModelError):
        passive.evaluate(text, 1.0)


@pytest.mark.parametrize("text", ["1 / 0", "log(v - 100)", "10 ** 10 ** 10 ** 10", "(-8) ** 0.5"])
def test_what_has_no_finite_value_is_refused(text):
    with pytest.raises(ModelError):
        passive.evaluate(text, 1.0)


def test_gate_steady_state_takes_volts():
    got = passive.gate_steady_state(IH, IH.gates[0], np.array([-0.085, -0.077]))
    assert np.allclose(got, [0.5, 1 / (1 + math.e)], rtol=1e-13)


# rest -----------------------------------------------------------------------------------------
def test_rest_of_one_compartment_is_the_reversal_potential():
    assert passive.rest(SINGLE) == {"soma": pytest.approx(-0.07, rel=1e-14)}


def test_rest_with_a_channel_without_gates():
    girk = Channel("GIRK", "25 uS/cm2", "-100 mV")
    assert passive.rest(cell(soma(girk)))["soma"] == pytest.approx(-0.08, rel=1e-13)


def test_rest_of_two_compartments_by_hand():
    g1, g2, gc = 0.5 * AREA, 0.3 * math.pi * 200e-12, 5e-9
    det = (g1 + gc) * (g2 + gc) - gc**2
    b1, b2 = -0.07 * g1, -0.06 * g2
    rest = passive.rest(TWO)
    assert rest["soma"] == pytest.approx(((g2 + gc) * b1 + gc * b2) / det, rel=1e-12)
    assert rest["dend"] == pytest.approx((gc * b1 + (g1 + gc) * b2) / det, rel=1e-12)


def test_rest_with_a_gate_solves_the_nonlinear_equation():
    def current(v):
        m = 1 / (1 + math.exp((v * 1e3 + 85) / 8))
        return 0.5 * (-0.07 - v) + 0.4 * m * (-0.04 - v)

    expected = brentq(current, -0.1, -0.03, xtol=1e-16, rtol=1e-15)
    assert passive.rest(cell(soma(IH)))["soma"] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("g", ["0.01 nS", "1 mS"])
def test_rest_converges_with_weak_and_strong_couplings(g):
    x = cell(
        soma(IH),
        dendrite("d", "10 um", "0.5 um", E="-90 mV"),
        couplings=(Coupling("soma", "d", g),),
    )
    rest = passive.rest(x)
    total = 0.0
    for c in x.compartments:
        v = rest[c.name]
        inward = 0.5 * (c.E_leak.si - v)
        if c.channels:
            inward += 0.4 * passive.gate_steady_state(IH, IH.gates[0], v) * (-0.04 - v)
        total += inward * c.area.si
    assert abs(float(total)) < 1e-13 * AREA


def test_rest_is_stable_where_there_are_several():
    # Persistent sodium makes the steady current-voltage relation N-shaped: rest near the leak.
    nap = Channel("NaP", "200 uS/cm2", "50 mV", (Gate("m", "1", "1 / (1 + exp(-(v + 45) / 4))"),))
    x = cell(soma(nap))
    v = passive.rest(x)["soma"]
    assert -0.07 < v < -0.06
    assert passive.input_resistance(x, frozen_gates=False).si > 1 / (0.5 * AREA)


def test_rest_far_from_the_leak_is_found():
    kv = Channel("Na", "20 mS/cm2", "50 mV", (Gate("m", "1", "1 / (1 + exp(-(v + 75) / 3))", 3),))
    v = passive.rest(cell(soma(kv)))["soma"]
    m = 1 / (1 + math.exp(-(v * 1e3 + 75) / 3))
    assert 0.5 * (-0.07 - v) + 200 * m**3 * (0.05 - v) == pytest.approx(0, abs=1e-10)


def test_a_cell_without_conductance_has_no_rest():
    with pytest.raises(ModelError, match="no stable resting potential"):
        passive.rest(cell(soma(g="0 uS/cm2")))


def test_hold_brings_the_soma_to_the_potential():
    v, current = passive.hold(TWO, -55 * mV)
    g1, g2, gc = 0.5 * AREA, 0.3 * math.pi * 200e-12, 5e-9
    dend = (g2 * -0.06 + gc * -0.055) / (g2 + gc)
    assert v == {"soma": -0.055, "dend": pytest.approx(dend, rel=1e-12)}
    expected = -(g1 * (-0.07 + 0.055) + gc * (dend + 0.055))
    assert current.si == pytest.approx(expected, rel=1e-10)
    steady = passive.steady_state(TWO, {"soma": current})
    assert steady["soma"].si == pytest.approx(-0.055, rel=1e-12)
    with pytest.raises(UnitError):
        passive.hold(TWO, 3 * nS)


# resistances ----------------------------------------------------------------------------------
def test_input_resistance_of_one_compartment():
    assert passive.input_resistance(SINGLE).si == pytest.approx(1 / (0.5 * AREA), rel=1e-12)
    assert repr(passive.input_resistance(SINGLE)).endswith("Mohm")


def test_resistances_of_two_compartments_by_hand():
    g1, g2, gc = 0.5 * AREA, 0.3 * math.pi * 200e-12, 5e-9
    det = (g1 + gc) * (g2 + gc) - gc**2
    assert passive.input_resistance(TWO).si == pytest.approx((g2 + gc) / det, rel=1e-12)
    assert passive.input_resistance(TWO, "dend").si == pytest.approx((g1 + gc) / det, rel=1e-12)
    for a, b in (("soma", "dend"), ("dend", "soma")):
        assert passive.transfer_resistance(TWO, a, b).si == pytest.approx(gc / det, rel=1e-12)


def written_out_matrix(v):
    """The conductance matrix of TREE, entry by entry."""
    area = [c.area.si for c in TREE.compartments]
    axial = [4 / math.pi * 1.5 * c.length.si / c.diameter.si**2 for c in TREE.compartments]
    leak = [0.5, 0.4, 0.4, 0.5]
    m = [1 / (1 + math.exp((x * 1e3 + 85) / 8)) for x in v]
    g = [a * (leak[i] + 0.4 * m[i]) for i, a in enumerate(area)]
    sb, st, tt = (2 / (axial[i] + axial[j]) for i, j in ((0, 1), (0, 2), (2, 3)))
    return np.array(
        [
            [g[0] + sb + st, -sb, -st, 0],
            [-sb, g[1] + sb, 0, 0],
            [-st, 0, g[2] + st + tt, -tt],
            [0, 0, -tt, g[3] + tt],
        ]
    )


def test_conductance_matrix_of_a_tree_written_out():
    rest = list(passive.rest(TREE).values())
    assert np.allclose(passive.conductance_matrix(TREE), written_out_matrix(rest), rtol=1e-12)
    at = passive.conductance_matrix(TREE, "-90 mV")
    assert np.allclose(at, written_out_matrix([-0.09] * 4), rtol=1e-12)
    named = passive.conductance_matrix(TREE, {"tuft": -90 * mV})
    assert np.allclose(named, written_out_matrix([*rest[:3], -0.09]), rtol=1e-12)


def test_steady_state_with_several_currents():
    v = passive.steady_state(TREE, {"soma": 50 * pA, "tuft": -20 * pA})
    rest = passive.rest(TREE)
    g = written_out_matrix(list(rest.values()))
    expected = np.linalg.solve(g, [50e-12, 0, 0, -20e-12]) + list(rest.values())
    assert np.allclose([x.si for x in v.values()], expected, rtol=1e-12)
    assert list(v) == ["soma", "basal", "trunk", "tuft"]
    assert passive.steady_state(TREE, {})["soma"].si == pytest.approx(rest["soma"])


def test_slope_resistance_is_the_derivative_of_the_holding_current():
    r = passive.input_resistance(TREE, frozen_gates=False).si
    v0, h = passive.rest(TREE)["soma"], 1e-4
    up, down = (passive.hold(TREE, (v0 + s) * 1e3 * mV)[1].si for s in (h, -h))
    assert r == pytest.approx(2 * h / (up - down), rel=1e-5)
    assert r < passive.input_resistance(TREE).si  # Ih opposes


def test_soma_is_found_under_any_name():
    x = cell(soma(name="body"))
    assert passive.input_resistance(x) == passive.input_resistance(SINGLE)
    with pytest.raises(ModelError, match="basal"):
        passive.input_resistance(TREE, "basel")
    with pytest.raises(ModelError, match="tuft"):
        passive.steady_state(TREE, {"tuff": 1 * pA})


# time constants -------------------------------------------------------------------------------
def test_time_constants_of_one_compartment():
    # C / g = 1 uF/cm2 / 50 uS/cm2 = 20 ms
    assert passive.time_constant(SINGLE).si == pytest.approx(20e-3, rel=1e-12)
    assert passive.fastest_time_constant(SINGLE) == pytest.approx(20e-3, rel=1e-12)
    assert passive.apparent_time_constant(SINGLE).si == pytest.approx(20e-3, rel=1e-6)


def test_time_constants_of_two_compartments_by_hand():
    g1, g2, gc = 0.5 * AREA, 0.3 * math.pi * 200e-12, 5e-9
    c1, c2 = 0.01 * AREA, 0.01 * math.pi * 200e-12
    a, d = (g1 + gc) / c1, (g2 + gc) / c2
    root = math.sqrt((a - d) ** 2 + 4 * gc**2 / (c1 * c2))
    assert passive.time_constant(TWO).si == pytest.approx(2 / (a + d - root), rel=1e-11)
    assert passive.fastest_time_constant(TWO) == pytest.approx(2 / (a + d + root), rel=1e-11)


def test_uniform_membrane_has_the_time_constant_of_the_membrane():
    x = cell(soma(), dendrite("d", "400 um", "1 um"), couplings=(Coupling("soma", "d"),))
    assert passive.time_constant(x).si == pytest.approx(20e-3, rel=1e-12)
    # Charge that flows into the dendrite makes the somatic response faster.
    assert passive.apparent_time_constant(x).si < 20e-3


@pytest.mark.parametrize("window", [(0.1, 0.9), (0.1, 1.0)])
def test_apparent_time_constant_is_that_of_a_fitted_simulation(window):
    v0 = np.array(list(passive.rest(TREE).values()))
    g, c = written_out_matrix(v0), np.array([x.capacitance.si for x in TREE.compartments])
    t = np.linspace(0, 1, 40_001)
    step = np.array([-10e-12, 0, 0, 0])
    v = solve_ivp(lambda _, x: (step - g @ x) / c, (0, 1), 0 * c, "LSODA", t, rtol=1e-9, atol=1e-12)
    y = v.y[0] / v.y[0][-1]
    keep = (y >= window[0]) & (y <= window[1])
    (_, _, tau), _ = curve_fit(
        lambda s, y0, a, tau: y0 + a * np.exp(-s / tau), t[keep], y[keep], (1, -1, 0.02)
    )
    got = passive.apparent_time_constant(TREE, window).si
    assert got == pytest.approx(tau, rel=5e-3)
    assert passive.fastest_time_constant(TREE) < got < passive.time_constant(TREE).si


def test_a_wrong_window_is_refused():
    with pytest.raises(ModelError, match="window"):
        passive.apparent_time_constant(SINGLE, (0.9, 0.1))


# synaptic potentials --------------------------------------------------------------------------
def integrated(x, where, opened, w, holding, at):
    """The same by integrating the membrane equation, with the state before as the start."""
    names = [c.name for c in x.compartments]
    before = passive.rest(x) if holding is None else passive.hold(x, holding)[0]
    v0 = np.array([before[n] for n in names])
    g = passive.conductance_matrix(x, {n: before[n] * 1e3 * mV for n in names})
    c, s = np.array([p.capacitance.si for p in x.compartments]), names.index(where)

    def rhs(t, dv):
        v, current = v0[s] + dv[s], -g @ dv
        for r, share in opened:
            open_ = math.exp(-t / r.tau_decay.si)
            open_ -= math.exp(-t / r.tau_rise.si) if r.tau_rise else 0
            block = 1 / (1 + r.mg.si / 3.57 * math.exp(-62 * v)) if r.mg else 1
            drive = r.E_rev.si - v
            current[s] += share * r.gain * w * open_ / r.peak_factor * block * drive
        return current / c

    end = 3 * max(r.tau_decay.si for r, _ in opened) + 0.1
    y = solve_ivp(rhs, (0, end), 0 * c, "LSODA", rtol=1e-8, atol=1e-12, max_step=end / 1000).y[
        names.index(at)
    ]
    return y[np.abs(y).argmax()]


@pytest.mark.parametrize("receptor", RECEPTORS, ids=lambda r: r.name)
@pytest.mark.parametrize("w", [0.1, 30.0])
@pytest.mark.parametrize(
    ("where", "holding", "at"),
    [("soma", None, "soma"), ("tuft", "-60 mV", "soma"), ("tuft", None, "tuft")],
)
def test_psp_is_that_of_the_integrated_equation(receptor, w, where, holding, at):
    got = passive.psp(TREE, where, receptor.name, w * nS, holding, at)
    expected = integrated(TREE, where, [(receptor, 1.0)], w * 1e-9, holding, at)
    assert got == pytest.approx(expected, rel=2e-3)


def test_small_psp_of_one_compartment_by_hand():
    # C x' = -G x + w exp(-t/d) (E - v0): difference of exponentials.
    w, d, tau = 1e-15, 2e-3, 20e-3
    t = d * tau / (tau - d) * math.log(tau / d)
    height = w * 0.07 / (0.01 * AREA) * d * tau / (tau - d)
    expected = height * (math.exp(-t / tau) - math.exp(-t / d))
    assert passive.psp(SINGLE, "soma", "FAST", w * 1e9 * nS) == pytest.approx(expected, rel=1e-3)


def test_psp_is_linear_in_small_weights_and_saturates_below_the_driving_force():
    small = [passive.psp(TREE, "basal", AMPA, w * nS) for w in (1e-4, 1e-3)]
    assert small[1] / small[0] == pytest.approx(10, rel=1e-4)
    large = passive.psp(TREE, "basal", AMPA, "1000 nS", at="basal")
    assert 0.9 * 0.07 < large < -passive.rest(TREE)["basal"]
    assert passive.psp(TREE, "basal", AMPA, 0 * nS) == 0


@pytest.mark.parametrize("receptor", RECEPTORS, ids=lambda r: r.name)
@pytest.mark.parametrize("w", [1e3, 1e6])
def test_psp_never_exceeds_the_driving_force(receptor, w):
    for where in ("soma", "tuft"):
        drive = receptor.E_rev.si - passive.rest(TREE)[where]
        got = passive.psp(TREE, where, receptor, w * nS, at=where)
        assert 0.8 < got / drive < 1 + 1e-9
        if w < 1e6:
            expected = integrated(TREE, where, [(receptor, 1.0)], w * 1e-9, None, where)
            assert got == pytest.approx(expected, rel=1e-2)


def test_psp_of_inhibition_reverses_at_the_reversal_potential():
    assert passive.psp(TREE, "soma", "GABA", 1 * nS, "-60 mV") < 0
    assert passive.psp(TREE, "soma", "GABA", 1 * nS, "-90 mV") > 0
    assert passive.psp(TREE, "soma", "GABA", 1 * nS, "-80 mV") == 0


def test_the_nmda_block_is_relieved_by_depolarisation():
    # 60 mV instead of 20 mV from reversal, yet smaller.
    low, high = (passive.psp(SINGLE, "soma", "NMDA", 0.1 * nS, v) for v in ("-90 mV", "-30 mV"))
    assert 0 < low < high


def test_psp_errors():
    with pytest.raises(ModelError, match="NMDA"):
        passive.psp(TREE, "soma", "NMDX", 1 * nS)
    with pytest.raises(ModelError, match="negative"):
        passive.psp(TREE, "soma", "AMPA", -1 * nS)
    with pytest.raises(UnitError):
        passive.psp(TREE, "soma", "AMPA", 1 * mV)


# weights --------------------------------------------------------------------------------------
TARGETS = (("basal", 0.5), ("trunk", 0.3), ("tuft", 0.2))


@pytest.mark.parametrize("holding", [None, "-55 mV"])
@pytest.mark.parametrize("amplitude", [0.1, 3.0])
def test_weight_for_psp_evokes_the_amplitude(holding, amplitude):
    shares = (("AMPA", 1.0), ("NMDA", 0.4))
    w = passive.weight_for_psp(TREE, TARGETS, shares, amplitude * mV, holding)
    opened = [(AMPA, 1.0), (NMDA, 0.4)]
    mean = sum(s * abs(integrated(TREE, n, opened, w.si, holding, "soma")) for n, s in TARGETS)
    assert mean == pytest.approx(amplitude * 1e-3, rel=3e-3)


def test_weight_for_psp_inverts_psp():
    w = passive.weight_for_psp(TREE, (("tuft", 1.0),), (("GABA", 1.0),), "0.4 mV", "-60 mV")
    back = passive.psp(TREE, "tuft", "GABA", w, "-60 mV")
    assert back == pytest.approx(-0.4e-3, rel=1e-3)
    assert w.dim == nS.dim


def test_weight_for_no_psp_is_zero():
    assert passive.weight_for_psp(TREE, TARGETS, (("AMPA", 1.0),), 0 * mV) == Quantity(0, nS.dim)


def test_unreachable_amplitudes_are_refused():
    gaba = (("GABA", 1.0),)
    with pytest.raises(ModelError, match="cannot be reached"):
        passive.weight_for_psp(TREE, (("soma", 1.0),), gaba, 1 * mV, "-80 mV")
    with pytest.raises(ModelError, match=r"saturates at (4\.9|5 mV)"):
        passive.weight_for_psp(TREE, (("soma", 1.0),), gaba, 6 * mV, "-75 mV")
    with pytest.raises(ModelError, match="negative"):
        passive.weight_for_psp(TREE, TARGETS, gaba, -1 * mV)
    with pytest.raises(ModelError, match="share"):
        passive.weight_for_psp(TREE, (("soma", 0.0),), gaba, 1 * mV)
