"""How often cells fire, and how the rate of a population goes over time."""

from __future__ import annotations

from typing import Unpack

import numpy as np
import pandas as pd

from analysis._checks import InputError, check_positive
from analysis._table import Recording, Selection, read

__all__ = ["population_rate", "rates"]


def rates(spikes: pd.DataFrame, **selection: Unpack[Selection]) -> pd.DataFrame:
    """Mean firing rate of every cell: its spikes in the window over the window's length.

    Parameters
    ----------
    spikes : pandas.DataFrame
        Spike table.
    **selection
        See `Selection`.

    Returns
    -------
    pandas.DataFrame
        One row per cell, silent ones included: `population` (categorical, in plotting order),
        `cell`, `rate_hz`.
    """
    recording = read(spikes, **selection)
    sizes = [trains.cells for trains in recording]
    population = pd.Categorical.from_codes(
        np.repeat(np.arange(len(sizes)), sizes), categories=recording.populations
    )
    return pd.DataFrame(
        {
            "population": population,
            "cell": np.concatenate([np.arange(size) for size in sizes] or [np.empty(0, int)]),
            "rate_hz": np.concatenate([t.rates_hz for t in recording] or [np.empty(0)]),
        }
    )


def population_rate(
    spikes: pd.DataFrame,
    *,
    bin_ms: float = 5.0,
    smooth_ms: float | None = None,
    **selection: Unpack[Selection],
) -> pd.DataFrame:
    """Rate of each population over time, in Hz per cell.

    In each bin: spikes of the population / (number of cells * bin width). Only whole bins are
    counted; what is left at the end of the window is dropped.

    Parameters
    ----------
    spikes : pandas.DataFrame
        Spike table.
    bin_ms : float
        Width of the bins, in ms.
    smooth_ms : float, optional
        Standard deviation of a Gaussian with which the binned rate is smoothed, in ms. The rate
        is mirrored at the ends of the window, so smoothing keeps its mean. Default: none.
    **selection
        See `Selection`.

    Returns
    -------
    pandas.DataFrame
        Indexed by `time_ms`, the middle of each bin; one column per population, in Hz per cell
        (NaN for a population without cells).

    Raises
    ------
    InputError
        Also where the window is shorter than one bin.
    """
    recording = read(spikes, **selection)
    return rate_over_time(recording, bin_ms, smooth_ms)


def rate_over_time(
    recording: Recording, bin_ms: float, smooth_ms: float | None = None
) -> pd.DataFrame:
    """`population_rate` of a recording that has been read."""
    bin_ms = check_positive("bin_ms", bin_ms)
    bins = 0
    columns = {}
    for trains in recording:
        counts = trains.binned(bin_ms)
        bins = counts.bins
        rate = counts.per_bin() / ((trains.cells or np.nan) * bin_ms / 1000.0)
        columns[trains.population] = rate
    if columns and not bins:
        raise InputError(
            f"bin_ms = {bin_ms:g} is longer than the window of {recording.duration_s * 1000:g} ms"
        )
    if smooth_ms is not None:
        from scipy.ndimage import gaussian_filter1d

        sigma = check_positive("smooth_ms", smooth_ms) / bin_ms
        columns = {
            name: gaussian_filter1d(rate, sigma, mode="reflect") for name, rate in columns.items()
        }
    time = recording.start_ms + bin_ms * (np.arange(bins) + 0.5)
    return pd.DataFrame(columns, index=pd.Index(time, name="time_ms"))
