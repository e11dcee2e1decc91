"""P10: clustered synapses on a basal branch evoke NMDA spikes.

Schiller et al. 2000, 10.1038/35005094; Major et al. 2008, 10.1152/jn.00011.2008. Acceptance
numbers: reference table of phenomena.
"""

from __future__ import annotations

import numpy as np
import pytest

from cell_types import protocols as p

pytestmark = pytest.mark.validate

NUMBERS = np.arange(1, 31)
LOCAL_SPIKE = -40.0  # mV; Major et al. 2013, 10.1146/annurev-neuro-062111-150343 (from memory)


@pytest.fixture(scope="module")
def clusters(l5_et, simulator) -> tuple[list[p.Response], list[p.Response]]:
    """With NMDA receptors and without."""
    trials = [t for nmda in (True, False) for t in p.cluster_trials(l5_et, NUMBERS, nmda=nmda)]
    parts = ("soma", "basal2")
    found = p.respond(trials, 250.0, parts, events=p.cluster_events(), backend=simulator)
    return found[: len(NUMBERS)], found[len(NUMBERS) :]


def heights(responses: list[p.Response]) -> np.ndarray:
    return np.array([r.height("soma") for r in responses])


def threshold(responses: list[p.Response]) -> int:
    """Index of the first response with a spike of the branch."""
    return next(i for i, r in enumerate(responses) if r.v["basal2"].max() > LOCAL_SPIKE)


def test_response_grows_as_a_sigmoid(clusters):
    """Steepest in the middle, flatter before and after."""
    steps = np.diff(heights(clusters[0]))
    steepest = int(np.argmax(steps))
    assert 2 < steepest < len(steps) - 5
    assert steps[steepest] > 2 * steps[0]
    assert steps[-1] < steps[steepest] / 2


def test_response_at_threshold_is_twice_the_linear_one(clusters):
    found = heights(clusters[0])
    # Threshold: the branch spikes; its spike is full some two synapses later.
    at = threshold(clusters[0]) + 2
    assert found[at] >= 2 * found[0] * NUMBERS[at]


def test_somatic_size_and_duration_are_the_published_ones(clusters):
    spikes = clusters[0][threshold(clusters[0]) :]
    assert all(3 <= r.height("soma") <= 23 for r in spikes)
    assert all(40 <= p.half_width(r) <= 90 for r in spikes)


def test_summation_is_linear_at_most_without_nmda_receptors(clusters):
    found = heights(clusters[1])
    assert np.all(found <= 1.2 * found[0] * NUMBERS)
