"""Random searches among parameter sets (CMA-ES), and along which axes they begin."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from biomod.errors import BackendError
from biomod.reduction.forced import Smooth, slopes, together
from biomod.reduction.space import Parametrised, Space

Array = npt.NDArray[np.float64]
POPULATION = 16  # parameter sets of a generation: as many as the kernel takes at once
PROGRESS, PATIENCE = 1e-3, 25  # a search ends that gains less in so many generations
FARTHEST = 0.1  # standard deviation where nothing is felt, as a share of the bounds


class Loss(Protocol):
    """How bad parameter sets are, as an array."""

    @property
    def model(self) -> Parametrised:
        """Whose parameters they are."""

    def __call__(self, parameters: Mapping[str, npt.ArrayLike], /) -> Array:
        """Loss of every set."""


class Best:
    """The best set of a loss so far, and how many were tried."""

    def __init__(self, objective: Loss) -> None:
        self.objective, self.space = objective, Space(objective.model)
        self.values: dict[str, float] = {}
        self.loss, self.evaluations = np.inf, 0

    def try_all(self, guesses: Sequence[Mapping[str, float]]) -> Array:
        """Losses of some sets."""
        return self.try_(together(self.objective.model, guesses))

    def try_(self, sets: Mapping[str, Array]) -> Array:
        """Losses of sets that are given by arrays."""
        losses = np.nan_to_num(self.objective(sets), nan=1e3)
        self.evaluations += len(losses)
        k = int(np.argmin(losses))
        if losses[k] < self.loss:
            self.loss = float(losses[k])
            self.values = {name: float(v[k]) for name, v in sets.items()}
        return losses


def even(model: Parametrised, width: float) -> Array:
    """Axes along the parameters, of equal lengths (shares of the bounds)."""
    return width * np.eye(len(model.parameters))


def natural(smooth: Smooth, values: Mapping[str, float], reach: float) -> Array:
    """Axes that change a smooth error equally, by `reach` each.

    Parameters make up for each other: some combinations may change much before a spike moves,
    others hardly at all, by a factor of a thousand in length. A search with equal steps finds only
    the latter, and takes more generations than it has to learn the former. Here they are what
    Gauss and Newton would take for the second derivatives.
    """
    space = Space(smooth.model)
    _, steep = slopes(smooth, space, space.to_cube(values))
    curvature, axes = np.linalg.eigh(steep @ steep.T)
    lengths = reach / np.sqrt(np.maximum(curvature, 0.0) + (reach / FARTHEST) ** 2)
    return np.asarray((axes * lengths) @ axes.T)


def advance(
    best: Best, around: Mapping[str, float], axes: Array, seed: int, most: int
) -> Iterator[float]:
    """Advance one CMA-ES (Hansen & Ostermeier 2001, 10.1162/106365601750190398) until it stalls.

    Gives the lowest loss after each generation. Beyond a bound the cube goes on as its mirror
    image.
    """
    try:
        import cma
    except ImportError:
        raise BackendError("fitting needs pycma: pip install 'biomod[reduction]'") from None
    centre = best.space.to_cube(around)
    options = {"seed": seed, "popsize": POPULATION, "verbose": -9}
    search = cma.CMAEvolutionStrategy(np.zeros(len(centre)), 1.0, options)
    lowest, since = np.inf, 0
    for _ in range(most):
        points = np.asarray(search.ask())
        folded = np.abs((centre + points @ axes + 1.0) % 2.0 - 1.0)
        losses = best.try_(best.space.from_cube(folded))
        search.tell(list(points), list(losses))
        since = 0 if losses.min() < lowest - PROGRESS else since + 1
        lowest = min(lowest, float(losses.min()))
        yield lowest
        if since >= PATIENCE or search.stop():
            return


def refined(
    best: Best, smooth: Smooth, reaches: Sequence[float], seed: int, generations: int, most: int
) -> Iterator[None]:
    """Advance one search after the other around the best so far, each along its natural axes.

    Gives nothing, once for every generation; `most` is how many one search has, and `reaches` of
    its axes follow each other.
    """
    done = number = 0
    while done < generations:
        axes = natural(smooth, best.values, reaches[number % len(reaches)])
        left = min(most, generations - done)
        for _ in advance(best, best.values, axes, seed + number, left):
            done += 1
            yield
        number += 1
