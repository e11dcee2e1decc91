"""The spike time tiling coefficient, for many pairs of trains at once.

Elephant's takes one pair at a time, 0.75 ms each and another 0.4 ms to make each train; and it
compares with `numpy.isclose` at its default relative tolerance, so that its window of +-dt has
grown by 1 ms at 100 s (Elephant 1.2.1). Here the window is dt at all times; the tests hold the
two against each other on short recordings.
"""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass
from typing import Unpack

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis._checks import check_count, check_positive
from analysis._frames import mean_or_nan, population_frame
from analysis._table import Selection, Trains, read

__all__ = ["sttc"]

_Floats = npt.NDArray[np.float64]
_Ints = npt.NDArray[np.int64]

# Lags between spikes on the grid of the time step equal dt up to rounding, and then count.
LAG_TOLERANCE_MS = 1e-6


@dataclass(frozen=True)
class Tiling:
    """What is told of the pairs of one population; see `sttc`."""

    pairs: int
    sttc: float


def sttc(
    spikes: pd.DataFrame,
    *,
    dt_ms: float = 5.0,
    max_pairs: int = 1000,
    seed: int = 0,
    **selection: Unpack[Selection],
) -> pd.DataFrame:
    """Mean spike time tiling coefficient within each population.

    For a pair of trains A and B::

        STTC = ((P_A - T_B) / (1 - P_A T_B) + (P_B - T_A) / (1 - P_B T_A)) / 2

    P_A is the fraction of the spikes of A within +-dt of a spike of B, T_A the fraction of the
    window within +-dt of a spike of A; a term 0/0 (P = T = 1) is 1. It is 1 for identical trains,
    0 on average for independent ones, and unlike a correlation of counts it does not depend on
    the rates. Averaged over pairs of cells that both spike: all of them, or a random sample
    without repetition where there are more than `max_pairs`. The sample depends on `seed` and the
    population's name only, not on which other populations there are.

    Parameters
    ----------
    spikes : pandas.DataFrame
        Spike table.
    dt_ms : float
        Half width of the window of coincidence, in ms.
    max_pairs : int
        Most pairs to take per population.
    seed : int
        Seed of the sample of pairs.
    **selection
        See `Selection`.

    Returns
    -------
    pandas.DataFrame
        Indexed by population: `cells`, `pairs` (the number used), `sttc`. NaN without a pair.

    References
    ----------
    Cutts & Eglen 2014, J Neurosci 34:14288, 10.1523/JNEUROSCI.2767-14.2014.
    """
    recording = read(spikes, **selection)
    return population_frame(
        {
            t.population: {"cells": t.cells, **vars(tiling(t, dt_ms, max_pairs, seed))}
            for t in recording
        },
        columns=("cells", "pairs", "sttc"),
    )


def tiling(trains: Trains, dt_ms: float = 5.0, max_pairs: int = 1000, seed: int = 0) -> Tiling:
    """`sttc` of one population."""
    dt_ms = check_positive("dt_ms", dt_ms)
    max_pairs = check_count("max_pairs", max_pairs, least=1)
    seed = check_count("seed", seed)
    active = np.flatnonzero(trains.spikes_per_cell)
    stream = np.random.default_rng([seed, zlib.crc32(trains.population.encode())])
    first, second = _sample_pairs(len(active), max_pairs, stream)
    if not first.size:
        return Tiling(0, math.nan)
    coefficients = tiling_coefficients(trains, active[first], active[second], dt_ms)
    return Tiling(first.size, mean_or_nan(coefficients))


def tiling_coefficients(trains: Trains, a: _Ints, b: _Ints, dt_ms: float) -> _Floats:
    """STTC of each pair of cells ``(a[k], b[k])``, all of which spike; shape of `a`."""
    sampled = np.unique(np.concatenate([a, b]))
    kept = np.isin(trains.cell, sampled)
    time = trains.times_ms[kept] - trains.start_ms
    cell = np.searchsorted(sampled, trains.cell[kept])
    a, b = np.searchsorted(sampled, a), np.searchsorted(sampled, b)

    tiled = _tiled_fraction(time, cell, trains.stop_ms - trains.start_ms, dt_ms)
    near_b = _fraction_near(time, cell, a, b, dt_ms)
    near_a = _fraction_near(time, cell, b, a, dt_ms)
    return (_excess(near_b, tiled[b]) + _excess(near_a, tiled[a])) / 2.0


def _excess(near: _Floats, tiled: _Floats) -> _Floats:
    """(P - T) / (1 - P T), and 1 where that is 0/0."""
    product = near * tiled
    excess = np.ones(near.shape)
    np.divide(near - tiled, 1.0 - product, out=excess, where=product != 1.0)
    return excess


def _tiled_fraction(time: _Floats, cell: _Ints, width_ms: float, dt_ms: float) -> _Floats:
    """Fraction of ``[0, width_ms]`` within +-dt of a spike, per cell; every cell spikes."""
    first = np.searchsorted(cell, np.arange(cell[-1] + 1))
    last = np.append(first[1:], cell.size) - 1
    within = np.diff(cell) == 0
    gap = np.minimum(np.diff(time), 2.0 * dt_ms)[within]
    between = np.bincount(cell[1:][within], weights=gap, minlength=first.size)
    before = np.minimum(time[first], dt_ms)
    after = np.clip(width_ms - time[last], 0.0, dt_ms)
    fraction: _Floats = (before + between + after) / width_ms
    return fraction


def _fraction_near(time: _Floats, cell: _Ints, a: _Ints, b: _Ints, dt_ms: float) -> _Floats:
    """Fraction of the spikes of cell ``a[k]`` within +-dt of a spike of cell ``b[k]``, per k.

    The trains are laid end to end on one axis, with gaps that no window can bridge, so that one
    sorted search finds the neighbours for all pairs.
    """
    stride = time.max() + 4.0 * dt_ms
    axis = time + stride * cell
    reach = dt_ms + LAG_TOLERANCE_MS

    number = np.bincount(cell)
    start = np.cumsum(number) - number
    length = number[a]
    pair = np.repeat(np.arange(a.size), length)
    position = np.arange(pair.size) - np.repeat(np.cumsum(length) - length, length)
    moved = time[start[a][pair] + position] + stride * b[pair]

    candidate = np.searchsorted(axis, moved - reach)
    near = axis[np.minimum(candidate, axis.size - 1)] - moved <= reach
    near &= candidate < axis.size
    return np.bincount(pair, weights=near, minlength=a.size) / length


def _sample_pairs(cells: int, most: int, stream: np.random.Generator) -> tuple[_Ints, _Ints]:
    """Indices i < j of all pairs of `cells` cells, or of `most` of them drawn at random."""
    pairs = cells * (cells - 1) // 2
    if pairs <= most:
        i, j = np.triu_indices(cells, 1)
        return i, j
    # Pair k in the order (0,1), (0,2), ..., (1,2), ...; the root is exact at the start of a row.
    k = np.sort(stream.choice(pairs, size=most, replace=False))
    row_end = 2 * cells - 1
    i = ((row_end - np.sqrt(row_end**2 - 8 * k)) / 2).astype(np.int64)
    j = k - i * (row_end - i) // 2 + i + 1
    return i, j
