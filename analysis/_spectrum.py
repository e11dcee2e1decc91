"""Rhythms: the power spectrum of a population's rate, and where it peaks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Unpack

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis._checks import InputError, check_nonnegative, check_positive
from analysis._table import Selection, Trains, read

__all__ = ["peak_frequency", "power_spectrum"]

LONGEST_SEGMENT_MS = 1000.0


@dataclass(frozen=True, eq=False)
class Spectrum:
    """A Welch spectrum, and what it takes to judge it.

    Attributes
    ----------
    frequency_hz, power : array of float, shape (frequencies,)
        Frequencies in Hz from 0 on, and one-sided power density of the rate per cell, Hz**2/Hz.
    poisson_power : float
        Expected power, at every frequency, of independent Poisson trains of the same mean rate.
    segments : int
        Number of (half overlapping) segments averaged.
    """

    frequency_hz: npt.NDArray[np.float64]
    power: npt.NDArray[np.float64]
    poisson_power: float
    segments: int


def power_spectrum(
    spikes: pd.DataFrame,
    population: str,
    *,
    bin_ms: float = 1.0,
    segment_ms: float | None = None,
    **selection: Unpack[Selection],
) -> pd.DataFrame:
    """Welch power spectrum of the rate of one population.

    The rate per cell, in bins of `bin_ms`, is cut into half overlapping segments; each is freed
    of its mean, tapered (Hann), and their periodograms are averaged. Frequencies are 1 /
    `segment_ms` apart and reach to 1 / (2 `bin_ms`). N independent Poisson trains of rate r have
    the same power 2 r / N at every frequency.

    Parameters
    ----------
    spikes : pandas.DataFrame
        Spike table.
    population : str
        Which population.
    bin_ms : float
        Width of the bins, in ms.
    segment_ms : float, optional
        Length of the segments, in ms. Default: half the window, at most 1 s.
    **selection
        See `Selection`.

    Returns
    -------
    pandas.DataFrame
        `frequency_hz` and `power`, one-sided, in Hz**2/Hz; ``attrs["poisson_power"]`` holds
        2 r / N and ``attrs["segments"]`` the number of segments. Empty if the window is shorter
        than two bins.

    References
    ----------
    Welch 1967, IEEE Trans Audio Electroacoust 15:70, 10.1109/TAU.1967.1161901.
    """
    trains = read(spikes, **selection)[population]
    spectrum = welch(trains, bin_ms, segment_ms)
    frame = pd.DataFrame({"frequency_hz": spectrum.frequency_hz, "power": spectrum.power})
    frame.attrs.update(poisson_power=spectrum.poisson_power, segments=spectrum.segments)
    return frame


def peak_frequency(
    spikes: pd.DataFrame,
    population: str,
    *,
    min_hz: float | None = None,
    max_hz: float = 250.0,
    alpha: float | None = 0.01,
    bin_ms: float = 1.0,
    segment_ms: float | None = None,
    **selection: Unpack[Selection],
) -> float:
    """Frequency of the highest peak of `power_spectrum`, in Hz, or NaN if none stands out.

    A peak is a frequency with more power than both neighbours. Every spectrum has one somewhere,
    also that of noise; so it must exceed what the highest of all frequencies in the band reaches
    by chance, with probability `alpha`, in independent Poisson trains of the same rate.

    Parameters
    ----------
    spikes : pandas.DataFrame
        Spike table.
    population : str
        Which population.
    min_hz, max_hz : float
        The band to search, in Hz. Default from twice the resolution (below, a trend over the
        segment passes for a rhythm) to 250 Hz.
    alpha : float or None
        Chance that a peak is found where there is none; None takes the highest peak in any case.
    bin_ms, segment_ms
        As in `power_spectrum`.
    **selection
        See `Selection`.
    """
    trains = read(spikes, **selection)[population]
    return highest_peak(welch(trains, bin_ms, segment_ms), min_hz, max_hz, alpha)


def welch(trains: Trains, bin_ms: float = 1.0, segment_ms: float | None = None) -> Spectrum:
    """`power_spectrum` of one population."""
    counts = trains.binned(bin_ms)
    width_ms = trains.stop_ms - trains.start_ms
    if segment_ms is None:
        segment_ms = min(width_ms / 2.0, LONGEST_SEGMENT_MS)
    elif check_positive("segment_ms", segment_ms) > width_ms:
        raise InputError(
            f"segment_ms = {segment_ms:g} is longer than the window of {width_ms:g} ms"
        )
    if counts.bins < 2 or not trains.cells:
        return Spectrum(np.empty(0), np.empty(0), math.nan, 0)

    from scipy.signal import welch as scipy_welch

    bin_s = bin_ms / 1000.0
    length = min(max(round(segment_ms / bin_ms), 2), counts.bins)
    overlap = length // 2
    rate = counts.per_bin() / (trains.cells * bin_s)
    frequency, power = scipy_welch(rate, fs=1.0 / bin_s, nperseg=length, noverlap=overlap)
    poisson_power = 2.0 * float(rate.mean()) / trains.cells
    segments = 1 + (counts.bins - length) // (length - overlap)
    return Spectrum(frequency, power, poisson_power, segments)


def highest_peak(
    spectrum: Spectrum,
    min_hz: float | None = None,
    max_hz: float = 250.0,
    alpha: float | None = 0.01,
) -> float:
    """`peak_frequency` of a spectrum."""
    frequency, power = spectrum.frequency_hz, spectrum.power
    max_hz = check_positive("max_hz", max_hz)
    if min_hz is not None and check_nonnegative("min_hz", min_hz) >= max_hz:
        raise InputError(f"min_hz = {min_hz:g} must lie below max_hz = {max_hz:g}")
    if alpha is not None and not 0.0 < alpha < 1.0:
        raise InputError(f"alpha must lie between 0 and 1, or be None, not {alpha!r}")
    if frequency.size < 3:
        return math.nan

    lowest = 2.0 * frequency[1] if min_hz is None else min_hz
    band = (frequency[1:-1] >= lowest) & (frequency[1:-1] <= max_hz)
    peak = band & (power[1:-1] > power[:-2]) & (power[1:-1] >= power[2:])
    if alpha is not None and band.any():
        peak &= power[1:-1] > _highest_by_chance(spectrum, int(band.sum()), alpha)
    if not peak.any():
        return math.nan
    return float(frequency[1:-1][peak][np.argmax(power[1:-1][peak])])


def _highest_by_chance(spectrum: Spectrum, frequencies: int, alpha: float) -> float:
    """Power that independent Poisson trains exceed anywhere in the band with chance `alpha`.

    An average of K periodograms of white noise is chi-squared with 2K degrees of freedom, scaled;
    half overlapping Hann segments are correlated, with 1/36 in power, which costs a few of them
    (Welch 1967).
    """
    from scipy.special import chdtri

    k = spectrum.segments
    degrees = 2.0 * k / (1.0 + (k - 1) / (18.0 * k))
    return float(spectrum.poisson_power * chdtri(degrees, alpha / frequencies) / degrees)
