"""Whether the cells of a population fire together: chi and pairwise count correlation."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Unpack

import numpy as np
import pandas as pd

from analysis._frames import population_frame
from analysis._table import Selection, Trains, read

__all__ = ["synchrony"]


@dataclass(frozen=True)
class Synchrony:
    """What is told of the joint firing of one population; see `synchrony`."""

    cells_used: int
    synchrony: float
    correlation: float


def synchrony(
    spikes: pd.DataFrame, *, bin_ms: float = 5.0, **selection: Unpack[Selection]
) -> pd.DataFrame:
    """Synchrony index chi and mean pairwise correlation of spike counts, per population.

    With n_i(t) the count of cell i in bin t, N cells, and <.> the average over cells::

        chi**2 = var_t(<n_i(t)>) / <var_t(n_i(t))>
        correlation = mean over pairs i < j of the Pearson correlation of n_i(t) and n_j(t)

    chi is 1 if all cells fire in the same bins and 1/sqrt(N) if they are independent: compare it
    between populations of one size only. The correlation is 1 and 0, whatever N. Both are over
    the N cells whose count varies; silent cells have no share in them. Both grow with `bin_ms`
    up to the time scale of the correlations.

    Parameters
    ----------
    spikes : pandas.DataFrame
        Spike table.
    bin_ms : float
        Width of the bins, in ms.
    **selection
        See `Selection`.

    Returns
    -------
    pandas.DataFrame
        Indexed by population: `cells`, `cells_used` (N), `synchrony` (chi), `correlation`. NaN
        where fewer than two cells have a varying count.

    References
    ----------
    Golomb & Rinzel 1994, Physica D 72:259, 10.1016/0167-2789(94)90214-3 (chi**2); as chi in
    Golomb 2007, Scholarpedia 2(1):1347, 10.4249/scholarpedia.1347.
    """
    recording = read(spikes, **selection)
    return population_frame(
        {t.population: {"cells": t.cells, **vars(joint_firing(t, bin_ms))} for t in recording},
        columns=("cells", "cells_used", "synchrony", "correlation"),
    )


def joint_firing(trains: Trains, bin_ms: float = 5.0) -> Synchrony:
    """`synchrony` of one population."""
    counts = trains.binned(bin_ms)
    variance = counts.variance()
    used = variance > 0
    cells = int(used.sum())
    if cells < 2:
        return Synchrony(cells, math.nan, math.nan)
    chi_squared = np.var(counts.per_bin(used) / cells) / variance[used].mean()

    # The sum of N standardised counts has variance N + N (N - 1) * mean correlation, so the
    # matrix of pairs is not needed. var() takes off the mean, so counts need not be centred.
    standardise = np.zeros(trains.cells)
    standardise[used] = 1.0 / np.sqrt(variance[used])
    pooled = np.var(counts.per_bin(standardise))
    correlation = (pooled - cells) / (cells * (cells - 1))
    return Synchrony(cells, float(np.sqrt(chi_squared)), float(correlation))
