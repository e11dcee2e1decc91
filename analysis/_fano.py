"""How variable spike counts are from window to window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Unpack

import pandas as pd

from analysis._checks import check_positive
from analysis._frames import mean_or_nan, population_frame
from analysis._table import Selection, Trains, read

__all__ = ["fano_factor"]


@dataclass(frozen=True)
class Fano:
    """What is told of the counts of one population; see `fano_factor`."""

    cells_used: int
    fano: float


def fano_factor(
    spikes: pd.DataFrame, *, window_ms: float = 100.0, **selection: Unpack[Selection]
) -> pd.DataFrame:
    """Fano factor of the spike count per population, over time.

    The recording is cut into W consecutive windows of `window_ms`. For a cell with counts
    n_1 ... n_W::

        F = var(n) / mean(n),   var(n) = sum (n_w - mean(n))**2 / (W - 1)

    averaged over the cells that spike at least once. The divisor W - 1 makes F exactly 1 on
    average for a Poisson process of constant rate, however short the recording; Elephant's
    `fanofactor` of the same counts has the divisor W and is smaller by (W - 1)/W. A drift of the
    rate raises F; regular firing and refractoriness lower it.

    Parameters
    ----------
    spikes : pandas.DataFrame
        Spike table.
    window_ms : float
        Length of the counting windows, in ms. The rest after the last whole one is not used.
    **selection
        See `Selection`.

    Returns
    -------
    pandas.DataFrame
        Indexed by population: `cells`, `cells_used`, `fano`. NaN where no cell spikes or fewer
        than two windows fit.
    """
    recording = read(spikes, **selection)
    return population_frame(
        {t.population: {"cells": t.cells, **vars(fano(t, window_ms))} for t in recording},
        columns=("cells", "cells_used", "fano"),
    )


def fano(trains: Trains, window_ms: float = 100.0) -> Fano:
    """`fano_factor` of one population."""
    counts = trains.binned(check_positive("window_ms", window_ms))
    if counts.bins < 2:
        return Fano(0, float("nan"))
    mean = counts.mean()
    used = mean > 0
    unbiased = counts.variance()[used] * counts.bins / (counts.bins - 1)
    return Fano(int(used.sum()), mean_or_nan(unbiased / mean[used]))
