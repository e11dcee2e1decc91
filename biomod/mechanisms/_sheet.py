"""Cells on the square sheet, and pairs of them with a probability that falls with distance."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from biomod.mechanisms.randomness import stream
from biomod.model import Circuit, Population
from biomod.units import Quantity

# Pairs of cells handled together: small enough for the processor's cache. It decides the order
# in which random numbers are used, so another value would mean other connections.
BLOCK = 2**16
# Above this probability one random number per pair is cheaper than one per connection.
DENSE = 0.2


def place(circuit: Circuit, population: Population) -> np.ndarray:
    """Places x and y (m) of the cells of one population, shape (size, 2)."""
    if circuit.side is None:
        return np.zeros((population.size, 2))
    rng = stream(circuit.seed, f"positions/{population.name}")
    return rng.random((population.size, 2)) * circuit.side.si


@dataclass(frozen=True, eq=False)
class Sheet:
    """The geometry of two populations: who lies where, and how probability falls with distance."""

    pre: np.ndarray
    post: np.ndarray
    same: bool
    side: float
    sigma: float

    @classmethod
    def of(cls, circuit: Circuit, pre_name: str, post_name: str, sigma: Quantity | None) -> Sheet:
        """The sheet of two populations, by name; no `sigma`: distance does not matter."""
        pre, post = circuit.population(pre_name), circuit.population(post_name)
        return cls(
            pre=place(circuit, pre),
            post=place(circuit, post),
            same=pre.name == post.name,
            side=circuit.side.si if circuit.side is not None else 1.0,
            sigma=sigma.si if sigma is not None else math.inf,
        )

    @property
    def available(self) -> int:
        """Presynaptic cells that one postsynaptic cell can be connected to."""
        return len(self.pre) - self.same

    @property
    def largest_exponent(self) -> float:
        """``d**2 / (2 sigma**2)`` in the farthest place, half a side away in x and y."""
        return 0.25 * (self.side / self.sigma) ** 2

    def squared(self, pre: np.ndarray, post: np.ndarray) -> np.ndarray:
        """Squared distance of points (broadcast) to the nearest periodic image, in m²."""
        total: np.ndarray | float = 0.0
        for axis in (0, 1):
            d = np.abs(post[..., axis] - pre[..., axis])
            # The shorter way round: side - d once d exceeds half the side.
            np.minimum(d, self.side - d, out=d)
            d *= d
            total = total + d
        return np.asarray(total)

    def rows(self) -> Iterator[tuple[int, int]]:
        """Ranges of postsynaptic cells, of at most BLOCK pairs where possible."""
        step = max(1, BLOCK // max(1, len(self.pre)))
        for start in range(0, len(self.post), step):
            yield start, min(start + step, len(self.post))

    def exponents(self, start: int, stop: int) -> np.ndarray:
        """``d**2 / (2 sigma**2)`` of every pair of a range, cells to themselves included."""
        exponent = self.squared(self.pre[None], self.post[start:stop, None])
        exponent *= 0.5 / self.sigma**2
        return exponent.ravel()


def log_probability(p: float) -> float:
    """Logarithm of a probability, minus infinity for 0."""
    return math.log(p) if p > 0 else -math.inf


def draw_pairs(
    sheet: Sheet, log_scale: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The connected pairs (pre, post) and their distances, ordered by post, then pre.

    Thinning: candidates are drawn with the largest probability P of any pair, and each is kept
    with probability p / P. That is exact, and costs little for pairs that are not candidates.
    """
    ceiling = math.exp(min(0.0, log_scale))
    found: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    for start, stop in sheet.rows():
        index = _bernoulli(rng, (stop - start) * len(sheet.pre), ceiling)
        post, pre = np.divmod(index, len(sheet.pre))
        post += start
        squared = sheet.squared(sheet.pre[pre], sheet.post[post])
        keep = np.ones(len(index), dtype=bool)
        if math.isfinite(sheet.sigma) and log_scale < sheet.largest_exponent:
            # log(p / P) = log_scale - exponent, less log(P) = min(0, log_scale), at most 0.
            excess = max(0.0, log_scale) - squared * (0.5 / sheet.sigma**2)
            keep = rng.random(len(index)) < np.exp(np.minimum(excess, 0.0))
        if sheet.same:
            keep &= pre != post
        found.append((pre[keep].astype(np.int32), post[keep].astype(np.int32), squared[keep]))
    pre, post, squared = (np.concatenate(part) for part in zip(*found, strict=True))
    return pre, post, np.sqrt(squared)


def _bernoulli(rng: np.random.Generator, n: int, p: float) -> np.ndarray:
    """Sorted indices below n, each present with probability p independently of the others."""
    if p <= 0 or n == 0:
        return np.zeros(0, dtype=np.int64)
    if p >= 1:
        return np.arange(n)
    if p > DENSE:
        return np.flatnonzero(rng.random(n) < p)
    # The gaps between successes are geometric: one random number per success.
    pieces, last = [], -1
    while last < n:
        expected = (n - last) * p
        gaps = rng.geometric(p, int(expected + 5 * math.sqrt(expected) + 16))
        # A gap for very small p may be the largest integer; no need to go beyond n.
        pieces.append(last + np.cumsum(np.minimum(gaps, n + 1)))
        last = int(pieces[-1][-1])
    index = np.concatenate(pieces)
    return np.asarray(index[: np.searchsorted(index, n)])
