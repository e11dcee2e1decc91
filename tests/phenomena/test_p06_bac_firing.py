"""P06: a back-propagating action potential and a distal EPSP make a burst together.

Larkum, Zhu & Sakmann 1999, 10.1038/18686; protocol of Hay et al. 2011,
10.1371/journal.pcbi.1002107, with the dendritic amplitude scaled to the cell. Acceptance numbers:
reference table of phenomena.
"""

from __future__ import annotations

import pytest

from cell_types import protocols as p

pytestmark = pytest.mark.validate


@pytest.fixture(scope="module")
def trials(l5_et, simulator) -> dict[str, p.Response]:
    made = p.bac_trials(l5_et, p.BAC_NA)
    responses = p.respond(list(made.values()), 200.0, events=[p.veto()], backend=simulator)
    return dict(zip(made, responses, strict=True))


@pytest.fixture(scope="module")
def joined(trials) -> dict[str, bool]:
    """Whether there is a calcium spike that the somatic pulse alone does not evoke."""
    names = ("both", "inhibited")
    return dict(zip(names, p.outlasts([trials["soma"], *(trials[n] for n in names)]), strict=True))


def test_pulse_at_the_soma_evokes_one_action_potential(trials):
    assert len(trials["soma"].spikes) == 1
    assert trials["soma"].plateau("nexus") < p.PLATEAU_MS


def test_distal_current_alone_evokes_none(trials):
    assert len(trials["dendrite"].spikes) == 0
    assert trials["dendrite"].plateau("nexus") < p.PLATEAU_MS


def test_both_evoke_a_burst_with_a_dendritic_plateau(trials, joined):
    assert 2 <= len(trials["both"].spikes) <= 4
    assert joined["both"]
    assert trials["both"].plateau("nexus") > trials["soma"].plateau("nexus") + p.PLATEAU_MS


def test_three_times_the_current_evokes_a_calcium_spike_alone(trials):
    assert all(p.outlasts([trials["dendrite"], trials["3 x dendrite"]]))


def test_distal_inhibition_cancels_the_burst(trials, joined):
    assert len(trials["inhibited"].spikes) == 1
    assert not joined["inhibited"]
