"""The 20 firing patterns of Izhikevich 2004 (10.1109/TNN.2004.832719) with their parameters.

What is asserted is what figure 1 of the paper shows.
"""

import numpy as np
import pytest

from biomod.errors import ModelError
from biomod.reduction.patterns import PATTERNS, pattern


def bursts(spikes, gap):
    """Number of spikes of each group of spikes no more than `gap` ms apart."""
    return [len(g) for g in np.split(spikes, np.flatnonzero(np.diff(spikes) > gap) + 1)]


def test_tonic_spiking():
    spikes, _ = PATTERNS["tonic spiking"].respond()
    assert len(spikes) >= 4
    assert spikes[-1] > 75
    assert np.ptp(np.diff(spikes)[2:]) < 1


def test_phasic_spiking():
    spikes, _ = PATTERNS["phasic spiking"].respond()
    assert len(spikes) == 1


def test_tonic_bursting():
    spikes, _ = PATTERNS["tonic bursting"].respond()
    groups = bursts(spikes, 15)
    assert len(groups) >= 3
    assert min(groups[:-1]) >= 2


def test_phasic_bursting():
    spikes, _ = PATTERNS["phasic bursting"].respond()
    assert len(bursts(spikes, 30)) == 1
    assert len(spikes) >= 3
    assert spikes[-1] < 120


def test_mixed_mode():
    spikes, _ = PATTERNS["mixed mode"].respond()
    groups = bursts(spikes, 12)
    assert groups[0] >= 2
    assert len(groups) >= 3
    assert set(groups[1:]) == {1}


def test_spike_frequency_adaptation():
    spikes, _ = PATTERNS["spike frequency adaptation"].respond()
    intervals = np.diff(spikes)
    assert len(spikes) >= 6
    assert np.all(np.diff(intervals) >= 0)
    assert intervals[-1] > 2 * intervals[0]


def test_class_1_excitability():
    spikes, _ = PATTERNS["class 1 excitability"].respond()
    intervals = np.diff(spikes)
    assert len(spikes) >= 8
    assert intervals[0] > 2.5 * intervals[-1]


def test_class_2_excitability():
    spikes, _ = PATTERNS["class 2 excitability"].respond()
    intervals = np.diff(spikes)
    assert len(spikes) >= 10
    assert intervals[0] < 2 * intervals[-1]


def test_spike_latency():
    spikes, _ = PATTERNS["spike latency"].respond()
    assert len(spikes) == 1
    assert spikes[0] > 13 + 10


def test_subthreshold_oscillations():
    spikes, v = PATTERNS["subthreshold oscillations"].respond()
    assert len(spikes) == 1
    after = v[round((spikes[0] + 20) / 0.25) :]
    peaks = np.flatnonzero((after[1:-1] > after[:-2]) & (after[1:-1] >= after[2:]))
    assert len(peaks) >= 2


def test_resonator():
    spikes, _ = PATTERNS["resonator"].respond()
    assert len(spikes) == 1
    assert spikes[0] > 320


def test_integrator():
    spikes, _ = PATTERNS["integrator"].respond()
    assert len(spikes) == 1
    assert spikes[0] < 70


def test_rebound_spike():
    spikes, _ = PATTERNS["rebound spike"].respond()
    assert len(spikes) == 1
    assert spikes[0] > 25


def test_rebound_burst():
    spikes, _ = PATTERNS["rebound burst"].respond()
    assert len(spikes) >= 3
    assert spikes[0] > 25


def test_threshold_variability():
    spikes, _ = PATTERNS["threshold variability"].respond()
    assert len(spikes) == 1
    assert spikes[0] > 80


def test_bistability():
    spikes, _ = PATTERNS["bistability"].respond()
    assert len(spikes) >= 5
    assert 37.5 < spikes[0] < 46
    assert 200 < spikes[-1] < 221


def test_depolarising_after_potential():
    spikes, v = PATTERNS["depolarising after-potential"].respond()
    assert len(spikes) == 1
    after = v[round(spikes[0] / 0.1) :]
    assert after.max() > -55
    assert after[-1] < -65


def test_accommodation():
    spikes, _ = PATTERNS["accommodation"].respond()
    assert len(spikes) == 1
    assert 300 < spikes[0] < 315


@pytest.mark.parametrize(("kind", "least"), [("spiking", 1), ("bursting", 3)])
def test_inhibition_induced_firing(kind, least):
    spikes, _ = PATTERNS[f"inhibition-induced {kind}"].respond()
    assert len(spikes) >= 3
    assert spikes[0] > 50
    assert spikes[-1] < 260
    assert max(bursts(spikes, 12)) >= least


def test_there_are_20_and_unknown_ones_name_the_nearest():
    assert len(PATTERNS) == 20
    with pytest.raises(ModelError, match="did you mean tonic spiking"):
        pattern("tonic spikng")
