"""The 20 firing patterns of Izhikevich 2004 (10.1109/TNN.2004.832719) with their parameters.

Parameters, currents, initial states and steps are those of the program published with the paper;
what is asserted is what its figure 1 shows.
"""

from dataclasses import replace

import numpy as np
import pytest

from biomod.reduction.kernel import prepare
from biomod.reduction.models import MODELS

STANDARD = MODELS["izhikevich2003"]
# Three patterns use another parabola or another recovery.
CLASS_1 = replace(
    STANDARD, equations={**STANDARD.equations, "v": "0.04 * v**2 + 4.1 * v + 108 - u + scale * I"}
)
ACCOMMODATING = replace(STANDARD, equations={**STANDARD.equations, "u": "a * b * (v + 65)"})


def respond(abcd, current, duration, dt, v, u=None, model=STANDARD):
    """Spike times and voltage for a current given as a function of time in ms."""
    t = np.arange(round(duration / dt)) * dt
    values = dict(zip("abcd", abcd, strict=True), scale=1.0)
    start = {"v": v, "u": abcd[1] * v if u is None else u}
    drive = np.broadcast_to(np.asarray(current(t), dtype=float), t.shape)
    found = prepare(model, values, dt, start).run(drive, voltage=True)
    return found.spikes[0], found.voltage[0]


def on(*windows):
    """A current that is given by (from, to, amplitude)."""
    return lambda t: sum(np.where((t > a) & (t < b), x, 0.0) for a, b, x in windows)


def bursts(spikes, gap):
    """Number of spikes of each group of spikes no more than `gap` ms apart."""
    return [len(g) for g in np.split(spikes, np.flatnonzero(np.diff(spikes) > gap) + 1)]


def test_tonic_spiking():
    spikes, _ = respond((0.02, 0.2, -65, 6), on((10, 1e9, 14)), 100, 0.25, -70)
    assert len(spikes) >= 4
    assert spikes[-1] > 75
    assert np.ptp(np.diff(spikes)[2:]) < 1


def test_phasic_spiking():
    spikes, _ = respond((0.02, 0.25, -65, 6), on((20, 1e9, 0.5)), 200, 0.25, -64)
    assert len(spikes) == 1


def test_tonic_bursting():
    spikes, _ = respond((0.02, 0.2, -50, 2), on((22, 1e9, 15)), 220, 0.25, -70)
    groups = bursts(spikes, 15)
    assert len(groups) >= 3
    assert min(groups[:-1]) >= 2


def test_phasic_bursting():
    spikes, _ = respond((0.02, 0.25, -55, 0.05), on((20, 1e9, 0.6)), 200, 0.2, -64)
    assert len(bursts(spikes, 30)) == 1
    assert len(spikes) >= 3
    assert spikes[-1] < 120


def test_mixed_mode():
    spikes, _ = respond((0.02, 0.2, -55, 4), on((16, 1e9, 10)), 160, 0.25, -70)
    groups = bursts(spikes, 12)
    assert groups[0] >= 2
    assert len(groups) >= 3
    assert set(groups[1:]) == {1}


def test_spike_frequency_adaptation():
    spikes, _ = respond((0.01, 0.2, -65, 8), on((8.5, 1e9, 30)), 85, 0.25, -70)
    intervals = np.diff(spikes)
    assert len(spikes) >= 6
    assert np.all(np.diff(intervals) >= 0)
    assert intervals[-1] > 2 * intervals[0]


def test_class_1_excitability():
    ramp = lambda t: np.where(t > 30, 0.075 * (t - 30), 0.0)  # noqa: E731
    spikes, _ = respond((0.02, -0.1, -55, 6), ramp, 300, 0.25, -60, model=CLASS_1)
    intervals = np.diff(spikes)
    assert len(spikes) >= 8
    assert intervals[0] > 2.5 * intervals[-1]


def test_class_2_excitability():
    ramp = lambda t: np.where(t > 30, 0.015 * (t - 30), 0.0) - 0.5  # noqa: E731
    spikes, _ = respond((0.2, 0.26, -65, 0), ramp, 300, 0.25, -64)
    intervals = np.diff(spikes)
    assert len(spikes) >= 10
    assert intervals[0] < 2 * intervals[-1]


def test_spike_latency():
    spikes, _ = respond((0.02, 0.2, -65, 6), on((10, 13, 7.04)), 100, 0.2, -70)
    assert len(spikes) == 1
    assert spikes[0] > 13 + 10


def test_subthreshold_oscillations():
    spikes, v = respond((0.05, 0.26, -60, 0), on((20, 25, 2)), 200, 0.25, -62)
    assert len(spikes) == 1
    after = v[round((spikes[0] + 20) / 0.25) :]
    peaks = np.flatnonzero((after[1:-1] > after[:-2]) & (after[1:-1] >= after[2:]))
    assert len(peaks) >= 2


def test_resonator():
    pulses = on((40, 44, 0.65), (60, 64, 0.65), (280, 284, 0.65), (320, 324, 0.65))
    spikes, _ = respond((0.1, 0.26, -60, -1), pulses, 400, 0.25, -62)
    assert len(spikes) == 1
    assert spikes[0] > 320


def test_integrator():
    first, second = 100 / 11, 70
    pulses = on(*((t, t + 2, 9) for t in (first, first + 5, second, second + 10)))
    spikes, _ = respond((0.02, -0.1, -55, 6), pulses, 100, 0.25, -60, model=CLASS_1)
    assert len(spikes) == 1
    assert spikes[0] < second


def test_rebound_spike():
    spikes, _ = respond((0.03, 0.25, -60, 4), on((20, 25, -15)), 200, 0.2, -64)
    assert len(spikes) == 1
    assert spikes[0] > 25


def test_rebound_burst():
    spikes, _ = respond((0.03, 0.25, -52, 0), on((20, 25, -15)), 200, 0.2, -64)
    assert len(spikes) >= 3
    assert spikes[0] > 25


def test_threshold_variability():
    pulses = on((10, 15, 1), (70, 75, -6), (80, 85, 1))
    spikes, _ = respond((0.03, 0.25, -60, 4), pulses, 100, 0.25, -64)
    assert len(spikes) == 1
    assert spikes[0] > 80


def test_bistability():
    pulses = lambda t: 0.24 + on((37.5, 42.5, 1), (216, 221, 1))(t)  # noqa: E731
    spikes, _ = respond((0.1, 0.26, -60, 0), pulses, 300, 0.25, -61)
    assert len(spikes) >= 5
    assert 37.5 < spikes[0] < 46
    assert 200 < spikes[-1] < 221


def test_depolarising_after_potential():
    spikes, v = respond((1, 0.2, -60, -21), on((9, 11, 20)), 50, 0.1, -70)
    assert len(spikes) == 1
    after = v[round(spikes[0] / 0.1) :]
    assert after.max() > -55
    assert after[-1] < -65


def test_accommodation():
    ramps = lambda t: np.where(  # noqa: E731
        t < 200, t / 25, np.where((t >= 300) & (t < 312.5), (t - 300) / 12.5 * 4, 0.0)
    )
    spikes, _ = respond((0.02, 1, -55, 4), ramps, 400, 0.5, -65, u=-16, model=ACCOMMODATING)
    assert len(spikes) == 1
    assert 300 < spikes[0] < 315


@pytest.mark.parametrize(
    ("abcd", "least"),
    [((-0.02, -1, -60, 8), 1), ((-0.026, -1, -45, -2), 3)],
    ids=["spike", "burst"],
)
def test_inhibition_induced_firing(abcd, least):
    spikes, _ = respond(abcd, lambda t: np.where((t < 50) | (t > 250), 80, 75), 350, 0.5, -63.8)
    assert len(spikes) >= 3
    assert spikes[0] > 50
    assert spikes[-1] < 260
    assert max(bursts(spikes, 12)) >= least
