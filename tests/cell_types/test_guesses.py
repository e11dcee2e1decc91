"""Candidates from a linear model of the features."""

from __future__ import annotations

import math

import numpy as np
import pytest

from cell_types.calibration.guesses import guesses

KNOBS = 12


def loss(features) -> float:
    return sum(x**2 for x in features.values())


def measured(points, sought, seed=0):
    """Features that grow in proportion to the distance from the sought point along 8 directions."""
    directions = np.random.default_rng(seed).standard_normal((8, KNOBS))
    return [{f"f{i}": float(x) for i, x in enumerate(directions @ (p - sought))} for p in points]


@pytest.fixture
def search():
    random = np.random.default_rng(1)
    sought = random.uniform(0.45, 0.55, KNOBS)
    points = list(0.5 + 0.02 * random.standard_normal((60, KNOBS)))
    return points, measured(points, sought), sought


def test_a_guess_is_better_than_all_that_was_measured(search):
    points, features, sought = search
    losses = [loss(f) for f in features]
    (found,) = guesses(points, features, losses, loss, [0.1], 3)
    assert loss(measured([found], sought)[0]) < 0.2 * min(losses)


def test_guesses_stay_within_their_radius_and_between_0_and_1(search):
    points, features, _ = search
    losses = [loss(f) for f in features]
    best = points[int(np.argmin(losses))]
    for radius in (0.01, 0.2, 0.9):
        (found,) = guesses(points, features, losses, loss, [radius], 3)
        assert np.abs(found - best).max() <= radius * (1 + 1e-9)
        assert np.all((found >= 0) & (found <= 1))


def test_the_same_seed_gives_the_same_guesses(search):
    points, features, _ = search
    losses = [loss(f) for f in features]
    first, second = (guesses(points, features, losses, loss, [0.05, 0.1], 3) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_candidates_that_failed_do_not_mislead(search):
    """A cell that does not rest has no features, one that never spikes lacks some."""
    points, features, sought = search
    features = [
        *features[:50],
        *({} for _ in range(5)),
        *({**f, "f0": math.nan} for f in features[55:]),
    ]
    losses = [loss(f) if len(f) and not math.isnan(f["f0"]) else math.inf for f in features]
    (found,) = guesses(points, features, losses, loss, [0.1], 3)
    assert loss(measured([found], sought)[0]) < 0.3 * min(losses)
