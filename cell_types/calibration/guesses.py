"""Candidates that a linear model of the features expects to be good.

Each feature is regressed on the knobs over what a search has measured so far, and the loss of the
features so predicted is minimised within some distance of the best candidate. A few such guesses in
each generation of CMA-ES save it most of its generations where knobs are many and candidates dear:
it ranks losses, whereas features say which way to go.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np

Features = Mapping[str, float]
NEAREST = 150  # measurements that count, those nearest to the best one
FEWEST = 20  # measurements that show a feature for it to be regressed
RIDGE = 0.2  # share of the mean squared distance
ROUNDS, CROWD = 30, 40  # of the minimisation of the predicted loss
Floats = np.ndarray


def guesses(
    points: Sequence[Floats],
    features: Sequence[Features],
    losses: Sequence[float],
    loss: Callable[[Features], float],
    radii: Sequence[float],
    seed: int,
) -> list[Floats]:
    """One point for each of the radii within which the model is trusted.

    Parameters
    ----------
    points : sequence of array
        Candidates measured, their coordinates between 0 and 1.
    features, losses
        What was found there.
    loss : callable
        Of features.
    radii : sequence of float
        Largest change of a coordinate from those of the best point.
    seed : int
        Of the minimisation.
    """
    x, y = np.array(points), np.array(losses)
    best = int(np.argmin(y))
    order = np.argsort(((x - x[best]) ** 2).sum(axis=1))
    near = [int(i) for i in order[:NEAREST] if math.isfinite(y[i])]
    slopes = _slopes(x[near] - x[best], [features[i] for i in near], features[best])

    def predicted(change: Floats) -> float:
        return loss({k: v + float(slopes[k] @ change) for k, v in features[best].items()})

    low, high = -x[best], 1 - x[best]
    return [
        x[best] + _smallest(predicted, np.maximum(low, -r), np.minimum(high, r), seed + k)
        for k, r in enumerate(radii)
    ]


def _slopes(changes: Floats, features: Sequence[Features], best: Features) -> dict[str, Floats]:
    """Ridge regression of each feature on the changes of the knobs; zero if few show it."""
    found = {}
    for name, value in best.items():
        seen = np.array([f.get(name, math.nan) for f in features])
        shown = np.isfinite(seen)
        found[name] = np.zeros(changes.shape[1])
        if shown.sum() < FEWEST or not math.isfinite(value):
            continue
        x, y = changes[shown], seen[shown] - value
        # What failed in part is far off; its size shall not rule the fit.
        spread = 1.4826 * float(np.median(np.abs(y))) or 1.0
        y = np.clip(y, -4 * spread, 4 * spread)
        gram = x @ x.T
        ridge = RIDGE * float(np.trace(gram)) / len(gram)
        found[name] = x.T @ np.linalg.solve(gram + ridge * np.eye(len(gram)), y)
    return found


def _smallest(f: Callable[[Floats], float], low: Floats, high: Floats, seed: int) -> Floats:
    """Where in a box a function is small: the cross-entropy method from its middle, 0."""
    random = np.random.default_rng(seed)
    mean, sd = np.zeros(len(low)), (high - low) / 4
    best, least = mean, f(mean)
    for _ in range(ROUNDS):
        crowd = np.clip(mean + sd * random.standard_normal((CROWD, len(low))), low, high)
        values = np.array([f(x) for x in crowd])
        order = np.argsort(values)[: CROWD // 4]
        mean = 0.3 * mean + 0.7 * crowd[order].mean(axis=0)
        sd = 0.3 * sd + 0.7 * crowd[order].std(axis=0)
        if values[order[0]] < least:
            best, least = crowd[order[0]], float(values[order[0]])
    return best
