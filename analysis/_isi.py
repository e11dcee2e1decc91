"""How irregular spike trains are, from the intervals between spikes; CV and LV by Elephant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Unpack

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis._checks import check_count
from analysis._frames import mean_or_nan, population_frame
from analysis._table import Selection, Trains, read

__all__ = ["isi_statistics"]


@dataclass(frozen=True)
class IsiStatistics:
    """What is told of the intervals of one population; see `isi_statistics`."""

    cells_used: int
    mean_isi_ms: float
    cv_isi: float
    lv: float


def isi_statistics(
    spikes: pd.DataFrame, *, min_spikes: int = 3, **selection: Unpack[Selection]
) -> pd.DataFrame:
    """Mean interval between spikes and its irregularity, CV and LV, per population.

    For a cell with intervals I_1 ... I_n, n >= 2::

        CV = sd(I) / mean(I)                                              (divisor n in sd)
        LV = 3 / (n - 1) * sum_i ((I_i - I_{i+1}) / (I_i + I_{i+1}))**2

    Both are 0 for a regular train and 1 for a Poisson process. Each is computed per cell and
    then averaged over the cells with at least `min_spikes` spikes in the window. LV is unbiased
    for a Poisson process however few the spikes; CV is biased towards 0 in trains of few spikes
    (order 1/n), so compare CVs only between similar rates and durations, or raise `min_spikes`.

    Parameters
    ----------
    spikes : pandas.DataFrame
        Spike table.
    min_spikes : int
        Spikes a cell needs to be used; at least 3, since LV compares neighbouring intervals.
    **selection
        See `Selection`.

    Returns
    -------
    pandas.DataFrame
        Indexed by population: `cells`, `cells_used`, `mean_isi_ms`, `cv_isi`, `lv`. NaN where no
        cell could be used.

    References
    ----------
    Shinomoto, Shima & Tanji 2003, Neural Comput 15:2823, 10.1162/089976603322518759 (LV).
    """
    recording = read(spikes, **selection)
    return population_frame(
        {t.population: {"cells": t.cells, **vars(irregularity(t, min_spikes))} for t in recording},
        columns=("cells", "cells_used", "mean_isi_ms", "cv_isi", "lv"),
    )


def irregularity(trains: Trains, min_spikes: int = 3) -> IsiStatistics:
    """`isi_statistics` of one population."""
    check_count("min_spikes", min_spikes, least=3)
    used = np.flatnonzero(trains.spikes_per_cell >= min_spikes)
    if not len(used):
        return IsiStatistics(0, float("nan"), float("nan"), float("nan"))
    from elephant.statistics import cv, lv

    cell, interval = intervals(trains)
    per_cell = np.split(interval, np.searchsorted(cell, np.arange(1, trains.cells)))
    chosen = [per_cell[k] for k in used]
    return IsiStatistics(
        cells_used=len(used),
        mean_isi_ms=mean_or_nan(np.array([i.mean() for i in chosen])),
        cv_isi=mean_or_nan(np.array([cv(i) for i in chosen])),
        lv=mean_or_nan(np.array([lv(i) for i in chosen])),
    )


def intervals(trains: Trains) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """The cell and the length in ms of every interval between spikes, by cell, then by time."""
    within = np.diff(trains.cell) == 0
    return trains.cell[1:][within], np.diff(trains.times_ms)[within]
