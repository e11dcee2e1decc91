"""One line per population: how much, how irregularly and how synchronously it fires."""

from __future__ import annotations

import math
from typing import Any, Unpack

import numpy as np
import pandas as pd

from analysis._fano import fano
from analysis._frames import mean_or_nan, population_frame
from analysis._isi import irregularity
from analysis._spectrum import highest_peak, welch
from analysis._sttc import tiling
from analysis._synchrony import joint_firing
from analysis._table import Recording, Selection, Trains, read

__all__ = ["summary", "summary_dict"]

COLUMNS = (
    "cells",
    "spikes",
    "rate_hz",
    "rate_sd_hz",
    "active_fraction",
    "cv_isi",
    "lv",
    "fano",
    "synchrony",
    "correlation",
    "sttc",
    "peak_frequency_hz",
)


def summary(spikes: pd.DataFrame, *, seed: int = 0, **selection: Unpack[Selection]) -> pd.DataFrame:
    """Statistics of the spike trains of each population.

    Every measure is that of the function of its name, with that function's defaults; call the
    function itself for other bins or windows. What is undefined is NaN: the CV of a silent
    population, the synchrony of a single cell, the peak of a spectrum without one.

    Parameters
    ----------
    spikes : pandas.DataFrame
        Spike table.
    seed : int
        Seed of the sample of pairs of `sttc`.
    **selection
        See `Selection`.

    Returns
    -------
    pandas.DataFrame
        Indexed by population, in plotting order:

        ===================  ==================================================================
        `cells`, `spikes`    number of cells, silent ones included, and of spikes in the window
        `rate_hz`            mean over cells of the firing rate
        `rate_sd_hz`         standard deviation of the rate over cells (divisor cells - 1)
        `active_fraction`    fraction of cells that spike at least once
        `cv_isi`, `lv`       irregularity of the intervals, see `isi_statistics`
        `fano`               Fano factor in windows of 100 ms, see `fano_factor`
        `synchrony`          chi, in bins of 5 ms, see `synchrony`
        `correlation`        mean pairwise correlation, in bins of 5 ms, see `synchrony`
        `sttc`               mean spike time tiling coefficient, +-5 ms, see `sttc`
        `peak_frequency_hz`  highest peak of the spectrum, see `peak_frequency`
        ===================  ==================================================================
    """
    return _summary(read(spikes, **selection), seed)


def summary_dict(
    spikes: pd.DataFrame, *, seed: int = 0, **selection: Unpack[Selection]
) -> dict[str, Any]:
    """`summary`, ready for JSON.

    Parameters
    ----------
    spikes, seed, **selection
        As in `summary`.

    Returns
    -------
    dict
        ``{"populations": {NAME: {"cells": n, "rate_hz": r, ...}, ...}, "duration_s": s}`` with
        the columns of `summary` as keys, plain Python numbers, and None for NaN. `duration_s` is
        the length of the analysed window.
    """
    recording = read(spikes, **selection)
    rows = _summary(recording, seed).to_dict(orient="index")
    return {
        "populations": {
            str(name): {str(key): _plain(value) for key, value in row.items()}
            for name, row in rows.items()
        },
        "duration_s": recording.duration_s,
    }


def _summary(recording: Recording, seed: int) -> pd.DataFrame:
    rows = {trains.population: _row(trains, seed) for trains in recording}
    return population_frame(rows, COLUMNS)


def _row(trains: Trains, seed: int) -> dict[str, float]:
    rates_hz = trains.rates_hz
    intervals, joint = irregularity(trains), joint_firing(trains)
    return {
        "cells": trains.cells,
        "spikes": trains.times_ms.size,
        "rate_hz": mean_or_nan(rates_hz),
        "rate_sd_hz": float(np.std(rates_hz, ddof=1)) if trains.cells > 1 else math.nan,
        "active_fraction": mean_or_nan((rates_hz > 0).astype(np.float64)),
        "cv_isi": intervals.cv_isi,
        "lv": intervals.lv,
        "fano": fano(trains).fano,
        "synchrony": joint.synchrony,
        "correlation": joint.correlation,
        "sttc": tiling(trains, seed=seed).sttc,
        "peak_frequency_hz": highest_peak(welch(trains)),
    }


def _plain(value: float) -> float | int | None:
    """The Python number equal to `value`; None for NaN, which JSON does not know."""
    if isinstance(value, (int, np.integer)):
        return int(value)
    return None if math.isnan(value) else float(value)
