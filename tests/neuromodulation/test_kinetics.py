"""Concentrations and activations against closed-form solutions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from biomod.errors import ModelError, UnitError
from biomod.mechanisms.neuromodulation import (
    activation,
    concentration,
    effects,
    occupancy,
    phasic,
    receptors,
    release,
    tonic_default,
)
from biomod.model import DA, MODULATORS, NA, ACh, Modulator, Pulse, serotonin
from biomod.units import nM

METABOTROPIC = [n for n, r in receptors().items() if r.tau_desensitisation is None]


def saturating_step(modulator: str, start: str = "1 s", duration: str = "1000 s") -> Modulator:
    pulse = Pulse(start, duration, "1 M", "1e-3 ms")
    return Modulator(modulator, pulses=(pulse,))


@pytest.mark.parametrize("name", receptors())
def test_half_activation_and_slope_at_the_ec50(name):
    r = receptors()[name]
    ec50 = r.ec50.si / r.local_gain
    assert occupancy(r, np.array([ec50]))[0] == pytest.approx(0.5, rel=1e-12)
    # d H / d ln C = n / 4 at the EC50
    h = occupancy(r, ec50 * np.exp(np.array([-1e-4, 1e-4])))
    assert (h[1] - h[0]) / 2e-4 == pytest.approx(r.hill / 4, rel=1e-6)
    assert r.occupancy(f"{ec50 * 1e6!r} nM") == pytest.approx(0.5, rel=1e-12)


def test_high_dose_curve_has_ten_times_the_ec50_and_slope_two():
    r = receptors()["D1"]
    at = 10 * r.ec50.si
    assert occupancy(r, np.array([at]), high_dose=True)[0] == pytest.approx(0.5)
    low = occupancy(r, np.array([at / 10]), high_dose=True)[0]
    assert low == pytest.approx(1 / 101)


@pytest.mark.parametrize("name", METABOTROPIC)
def test_step_reaches_63_percent_at_tau_onset(name):
    r = receptors()[name]
    tau = r.tau_onset.si
    t = np.array([0.5, 1.0, 1.0 + tau, 1.0 + 3 * tau])
    a = activation(r, saturating_step(r.modulator), t)
    assert a[0] == a[1] == 0.0
    assert a[2:] == pytest.approx([1 - math.exp(-1), 1 - math.exp(-3)], rel=1e-5)


@pytest.mark.parametrize("name", METABOTROPIC)
def test_decays_to_37_percent_in_tau_decay(name):
    r = receptors()[name]
    end, tau = 200.0, r.tau_decay.si
    m = saturating_step(r.modulator, "0 s", f"{end} s")
    a = activation(r, m, np.array([0.0, end, end + tau, end + 2 * tau]))
    # Clearing 1 M below the EC50 with 1 us takes some 15-20 us.
    assert a[1] == pytest.approx(1, abs=1e-4)
    assert a[2:] == pytest.approx([math.exp(-1), math.exp(-2)], rel=2e-4)


def test_agrees_with_an_independent_integrator():
    """A burst with clearance as slow as the receptor, sampled coarsely; desensitisation too."""
    for name in ("5HT3A", "5HT1A"):
        r = receptors()[name]
        pulse = Pulse("137 ms", "61 ms", "400 nM", "90 ms")
        m = serotonin("20 nM", pulses=(pulse,))

        def rhs(t, y, r=r, m=m):
            h = float(occupancy(r, concentration(m, [t]))[0])
            tau = r.tau_onset.si if h > y[0] else r.tau_decay.si
            left = 1 - (1 - r.desensitised_fraction) * h
            desens = r.tau_desensitisation.si if r.tau_desensitisation else 1.0
            return [(h - y[0]) / tau, (left - y[1]) / desens]

        h0 = r.occupancy("20 nM")
        y0 = [h0, 1 - (1 - r.desensitised_fraction) * h0]
        times = np.array([0, 0.05, 0.15, 0.2, 0.25, 0.4, 1.0])
        ode = solve_ivp(rhs, (0, 1), y0, t_eval=times, rtol=1e-9, atol=1e-12, max_step=1e-3)
        expected = ode.y[0] * (ode.y[1] if r.tau_desensitisation else 1)
        assert activation(r, m, times) == pytest.approx(expected, abs=1e-3)


def test_sampling_does_not_matter():
    r = receptors()["nAChR_a4b2"]
    m = phasic("ACh", "100 ms", "200 ms")
    coarse, fine = np.arange(0, 1, 0.05), np.arange(0, 1, 0.0005)
    a, b = activation(r, m, coarse), activation(r, m, fine)
    assert a == pytest.approx(b[::100], abs=2e-4)


def test_desensitisation_leaves_the_stated_fraction():
    for name in ("nAChR_a4b2", "nAChR_a7", "5HT3A"):
        r = receptors()[name]
        t = np.concatenate(([0.0], 1 + np.geomspace(1e-4, 100, 400)))
        a = activation(r, saturating_step(r.modulator, "1 s"), t)
        assert a[0] == 0
        assert a.max() > a[-1]
        assert a[-1] == pytest.approx(r.desensitised_fraction, rel=1e-3)


def test_begins_in_equilibrium_with_the_tonic_level():
    for name, r in receptors().items():
        m = Modulator(r.modulator, 2 * r.ec50 / r.local_gain)
        a = activation(r, m, np.array([0.0, 0.1, 10.0]))
        h = 2**r.hill / (1 + 2**r.hill)
        assert a == pytest.approx(h * (1 - (1 - r.desensitised_fraction) * h), rel=1e-9), name
        assert a[0] == a[1] == a[2]


def test_transient_effect_follows_onsets_only():
    r = receptors()["M1"]
    sk = next(e for e in effects() if e.name == "E016")
    assert np.all(activation(r, ACh("1 uM"), np.arange(5.0), sk) == 0)
    t = np.arange(0, 20, 0.001)
    a = activation(r, saturating_step("ACh"), t, sk)
    assert a.max() == pytest.approx(1, abs=1e-4)
    # Analytic: exp(-t/1 s) - exp(-t/0.2 s) peaks at ln 5 / 4 s after the step.
    assert t[a.argmax()] - 1 == pytest.approx(math.log(5) / 4, abs=2e-3)
    assert a[-1] < 1e-7


def test_nothing_without_ligand():
    for r in receptors().values():
        assert np.all(activation(r, (), np.arange(3.0)) == 0.0)
        assert np.all(activation(r, Modulator(r.modulator), np.arange(3.0)) == 0.0)


def test_constitutive_activity_of_h3_is_an_option():
    assert receptors()["H3"].constitutive == 0
    h3 = receptors(constitutive_h3=0.15)["H3"]
    assert activation(h3, (), [0.0])[0] == pytest.approx(0.15)
    half = activation(h3, Modulator("HA", h3.ec50), [0.0])[0]
    assert half == pytest.approx(0.15 + 0.85 * 0.5)
    assert h3.occupancy(h3.ec50) == pytest.approx(half)


def test_restricted_modulator_acts_on_its_receptors_only():
    m = ACh("10 uM", receptors=("M1",))
    assert activation(receptors()["M1"], m, [0.0])[0] > 0.7
    assert activation(receptors()["M2"], m, [0.0])[0] == 0


def test_concentrations_of_one_modulator_add():
    r = receptors()["M1"]
    both = activation(r, (ACh("1 uM", receptors="M1"), ACh("2 uM", receptors=("M1", "M2"))), [0.0])
    assert both[0] == pytest.approx(0.5)


def test_course_is_linear_between_points_and_constant_outside():
    m = DA("10 nM", times=("100 ms", "200 ms"), values=("0 nM", "50 nM"))
    c = concentration(m, [0.0, 0.1, 0.15, 0.2, 5.0]) * 1e6
    assert c == pytest.approx([10, 10, 35, 60, 60])


def test_pulse_jumps_stays_and_is_cleared():
    m = NA("5 nM", pulses=(Pulse("1 s", "2 s", "20 nM", "500 ms"),))
    c = concentration(m, [0.999, 1.0, 3.0, 3.5]) * 1e6
    assert c == pytest.approx([5, 25, 25, 5 + 20 / math.e])


@pytest.mark.parametrize("name", MODULATORS)
def test_burst_is_the_solution_of_the_release_equation(name):
    r = release(name)
    m = phasic(name, "200 ms")
    begin, end = 0.2, 0.2 + r.burst_duration.si
    tau, peak = r.tau.si, r.burst_peak()
    c, tonic = r.tonic.si, r.tonic_rate.si * r.tonic_active_fraction
    # Solved apart before, in and after the burst: no integrator should step over its edges.
    burst = r.burst_rate.si
    for a, b, rate in ((0, begin, tonic), (begin, end, burst), (end, end + 5 * tau, tonic)):
        t = np.linspace(a, b, 60)

        def rhs(_, y, rate=rate):
            return r.per_spike.si * rate - y / tau

        ode = solve_ivp(rhs, (a, b), [c], t_eval=t, rtol=1e-8, atol=1e-14)
        assert concentration(m, t) == pytest.approx(ode.y[0], abs=1e-3 * peak.si)
        c = ode.y[0][-1]
    assert concentration(m, [end])[0] == pytest.approx(peak.si, rel=1e-9)
    assert concentration(m, [begin + 1e6])[0] == pytest.approx(r.tonic.si)
    assert tonic_default(name).tonic / nM == pytest.approx(r.tonic / nM)


def test_wrong_input_is_explained():
    with pytest.raises(UnitError, match="burst"):
        phasic("DA", 100)
    with pytest.raises(ModelError, match="duration"):
        phasic("DA", "1 s", "0 ms")
    with pytest.raises(ModelError, match="less than the tonic"):
        phasic("DA", "1 s", rate="1 Hz", active_fraction=0.1)
    with pytest.raises(ModelError, match="increasing"):
        activation(receptors()["D1"], DA("1 nM"), [1.0, 0.5])
