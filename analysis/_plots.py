"""Figures of one measure: spectra, and the distributions of rates and of intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

import numpy as np
import pandas as pd

from analysis import style
from analysis._checks import InputError, check_count, check_positive
from analysis._isi import intervals, irregularity
from analysis._spectrum import highest_peak, welch
from analysis._table import Recording, Selection, read

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot_isi", "plot_rates", "plot_spectrum"]


def plot_spectrum(
    spikes: pd.DataFrame,
    *,
    max_hz: float = 150.0,
    bin_ms: float = 1.0,
    segment_ms: float | None = None,
    ax: Axes | None = None,
    **selection: Unpack[Selection],
) -> Axes:
    """Power spectra of the rates of the populations.

    The dotted line of a population is the power of independent Poisson trains of its rate; a dot
    marks its `peak_frequency`, where it has one.

    Parameters
    ----------
    spikes : pandas.DataFrame
        Spike table.
    max_hz : float
        Highest frequency shown, and searched for a peak, in Hz.
    bin_ms, segment_ms
        As in `power_spectrum`.
    ax : matplotlib Axes, optional
        Where to draw. Default: the only axes of a new figure (``ax.figure``).
    **selection
        See `Selection`.

    Returns
    -------
    matplotlib.axes.Axes
    """
    recording = _read(spikes, selection)
    check_positive("max_hz", max_hz)
    with style.context():
        ax = _axes(ax)
        for trains in recording:
            spectrum = welch(trains, bin_ms, segment_ms)
            shown = (spectrum.frequency_hz > 0) & (spectrum.frequency_hz <= max_hz)
            frequency, power = spectrum.frequency_hz[shown], spectrum.power[shown]
            if not (power > 0).any():
                _name_silent(ax, trains.population)
                continue
            colour, label = style.colour(trains.population), trains.population
            peak = highest_peak(spectrum, max_hz=max_hz)
            if np.isfinite(peak):
                label += f" ({peak:.3g} Hz)"
                ax.plot(peak, power[frequency == peak], "o", markersize=3.5, color=colour)
            ax.plot(frequency, power, color=colour, label=label)
            ax.axhline(spectrum.poisson_power, color=colour, linestyle=":", linewidth=0.8)
        ax.plot([], [], color="0.4", linestyle=":", linewidth=0.8, label="Poisson trains")
        ax.set_xlim(0.0, max_hz)
        if np.isfinite(ax.dataLim.minposy):  # a logarithmic axis cannot do without any value
            ax.set_yscale("log")
        ax.set_xlabel("Frequency (Hz)")
        ax.set_ylabel("Power of the rate (Hz$^2$/Hz)")
        _finish(ax)
    return ax


def plot_rates(
    spikes: pd.DataFrame, *, ax: Axes | None = None, **selection: Unpack[Selection]
) -> Axes:
    """Distribution of firing rates over the cells of each population.

    Cumulative, so that no bins are chosen, on a logarithmic axis, since rates are spread over
    orders of magnitude. Silent cells lie left of it: a curve starts at their fraction. The dot is
    the mean rate.

    Parameters
    ----------
    spikes : pandas.DataFrame
        Spike table.
    ax : matplotlib Axes, optional
        Where to draw. Default: the only axes of a new figure (``ax.figure``).
    **selection
        See `Selection`.

    Returns
    -------
    matplotlib.axes.Axes
    """
    recording = _read(spikes, selection)
    highest = max((t.rates_hz.max(initial=0.0) for t in recording), default=0.0)
    lowest = 1.0 / recording.duration_s  # one spike: the lowest rate that this window can show
    with style.context():
        ax = _axes(ax)
        for trains in recording:
            rate = np.sort(trains.rates_hz)
            active = rate[rate > 0]
            if not active.size:
                _name_silent(ax, trains.population)
                continue
            silent = 1.0 - active.size / rate.size
            colour = style.colour(trains.population)
            cumulative = np.linspace(silent, 1.0, active.size + 1)
            x = np.concatenate([[lowest / 2.0], active, [2.0 * highest]])
            y = np.append(cumulative, 1.0)
            label = f"{trains.population} (mean {rate.mean():.2g} Hz, {silent:.0%} silent)"
            ax.step(x, y, where="post", color=colour, label=label)
            mean = rate.mean()
            ax.plot(mean, np.searchsorted(rate, mean, "right") / rate.size, "o", color=colour, ms=3)
        ax.set_xscale("log")
        ax.set_xlim(lowest / 2.0, max(2.0 * highest, lowest * 2.0))
        ax.set_ylim(0.0, 1.02)
        ax.xaxis.set_major_formatter("{x:g}")
        ax.set_xlabel("Firing rate (Hz)")
        ax.set_ylabel("Cumulative fraction of cells")
        _finish(ax)
    return ax


def plot_isi(
    spikes: pd.DataFrame,
    *,
    bins_per_decade: int = 12,
    ax: Axes | None = None,
    **selection: Unpack[Selection],
) -> Axes:
    """Distribution of the intervals between spikes of each population.

    All intervals of a population's cells are pooled, on a logarithmic axis with equal bins per
    decade. The mean CV of its cells (see `isi_statistics`) stands beside its name.

    Parameters
    ----------
    spikes : pandas.DataFrame
        Spike table.
    bins_per_decade : int
        Bins per factor of ten.
    ax : matplotlib Axes, optional
        Where to draw. Default: the only axes of a new figure (``ax.figure``).
    **selection
        See `Selection`.

    Returns
    -------
    matplotlib.axes.Axes
    """
    recording = _read(spikes, selection)
    per_decade = check_count("bins_per_decade", bins_per_decade, least=1)
    with style.context():
        ax = _axes(ax)
        for trains in recording:
            _, interval = intervals(trains)
            if not interval.size:
                _name_silent(ax, trains.population, "no intervals")
                continue
            low, high = np.floor(np.log10(interval.min())), np.ceil(np.log10(interval.max()))
            edges = np.logspace(low, high + 1, round((high + 1 - low) * per_decade) + 1)
            fraction = np.histogram(interval, edges)[0] / interval.size
            occupied = np.flatnonzero(fraction)
            kept = slice(occupied[0], occupied[-1] + 1)
            cv = irregularity(trains).cv_isi
            label = f"{trains.population} (CV {cv:.2f})" if np.isfinite(cv) else trains.population
            ax.stairs(
                fraction[kept],
                edges[kept.start : kept.stop + 1],
                color=style.colour(trains.population),
                label=label,
                linewidth=1.2,
            )
        if np.isfinite(ax.dataLim.minposx):  # a logarithmic axis cannot do without any value
            ax.set_xscale("log")
        ax.set_ylim(bottom=0.0)
        ax.xaxis.set_major_formatter("{x:g}")
        ax.set_xlabel("Interval between spikes (ms)")
        ax.set_ylabel("Fraction of intervals per bin")
        _finish(ax)
    return ax


def _read(spikes: pd.DataFrame, selection: Selection) -> Recording:
    recording = read(spikes, **selection)
    if not recording.populations:
        raise InputError("there is no population to draw")
    return recording


def _axes(ax: Axes | None) -> Axes:
    """`ax`, or the only axes of a new figure."""
    from matplotlib.figure import Figure

    if ax is None:
        ax = Figure(figsize=(3.6, 2.6), layout="constrained").add_subplot()
    style.tidy(ax)
    return ax


def _name_silent(ax: Axes, population: str, why: str = "silent") -> None:
    """Name in the legend a population that has nothing to draw, so that it is not missed."""
    ax.plot([], [], color=style.colour(population), label=f"{population} ({why})")


def _finish(ax: Axes) -> None:
    style.tidy(ax)
    ax.legend(handlelength=1.2, borderaxespad=0.2)
