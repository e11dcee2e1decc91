"""Raster plots: every dot a spike, every row a cell, and the rates of the populations below."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Unpack

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis import style
from analysis._checks import InputError, check_count, check_positive
from analysis._rates import rate_over_time
from analysis._table import Recording, Selection, Trains, read

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

__all__ = ["compare_rasters", "raster"]

RASTERIZE_ABOVE = 20_000  # marks; more than that make a vector file slow to open

# Sizes in inches.
COLUMN_WIDTH = 5.2
COLUMN_WIDTH_OF_SEVERAL = 3.4
RASTER_HEIGHT = 2.4
BAND_HEIGHT = 0.3  # of each population at least, if the raster must grow for it
STRIP_HEIGHT = 0.42
LEAST_STRIP_HEIGHT = 0.22
ALL_STRIPS_HEIGHT = 3.2  # beyond it strips get lower, not more in height


def raster(
    spikes: pd.DataFrame,
    *,
    max_cells: int = 400,
    bin_ms: float | None = None,
    title: str | None = None,
    fig: Figure | SubFigure | None = None,
    **selection: Unpack[Selection],
) -> Figure | SubFigure:
    """Raster of a recording, with the rate of each population under it.

    Rows are grouped and coloured by population, the first population on top, cell 0 the topmost
    row of its group. If there are more than `max_cells` cells, each population shows its share of
    rows (small ones at least ``max_cells / (2 * populations)``), evenly spaced over its cells;
    how many of how many is written at the right. The rates are always those of all cells.

    Parameters
    ----------
    spikes : pandas.DataFrame
        Spike table.
    max_cells : int
        Most rows to draw.
    bin_ms : float, optional
        Bins of the rates, in ms. Default: about 1/200 of the window, as 1, 2 or 5 times a power
        of ten, at least 1 ms; it is written above the rates.
    title : str, optional
        Title of the figure.
    fig : matplotlib Figure or SubFigure, optional
        Where to draw. Default: a new figure.
    **selection
        See `Selection`.

    Returns
    -------
    matplotlib.figure.Figure
        `fig`, or the new one. Axes: the raster, then one per population.
    """
    return _draw({title or "": read(spikes, **selection)}, max_cells, bin_ms, fig)


def compare_rasters(
    runs: Mapping[str, pd.DataFrame],
    *,
    max_cells: int = 400,
    bin_ms: float | None = None,
    fig: Figure | SubFigure | None = None,
    **selection: Unpack[Selection],
) -> Figure | SubFigure:
    """Rasters of several runs side by side, on common axes, with the rates under each.

    Parameters
    ----------
    runs : mapping of str to pandas.DataFrame
        Label -> spike table, from left to right. All must have the same populations.
    max_cells, bin_ms, fig
        As in `raster`.
    **selection
        See `Selection`; holds for every run.

    Returns
    -------
    matplotlib.figure.Figure
        `fig`, or the new one. Axes: for each run the raster, then one per population.

    Raises
    ------
    InputError
        Also where there is no run, or the runs differ in their populations.
    """
    if not isinstance(runs, Mapping):
        raise TypeError(f"runs must map label to spike table, not {type(runs).__name__}")
    if not runs:
        raise InputError("no run given: runs maps label to spike table")
    recordings = {str(label): read(spikes, **selection) for label, spikes in runs.items()}
    (first_label, first), *others = recordings.items()
    for label, recording in others:
        if recording.populations != first.populations:
            raise InputError(
                f"run {first_label!r} has the populations {', '.join(first.populations)} and run "
                f"{label!r} has {', '.join(recording.populations)}; choose common ones with "
                "populations=[...]"
            )
    return _draw(recordings, max_cells, bin_ms, fig)


@dataclass(frozen=True)
class _Band:
    """The rows of one population: `top` to `top` + `height` on an axis that grows downwards."""

    population: str
    rows: int
    top: float
    height: float

    @property
    def middle(self) -> float:
        return self.top + self.height / 2.0

    def shown(self, cells: int) -> npt.NDArray[np.int64]:
        """The cells that the rows show, evenly spaced over `cells`."""
        rows = min(self.rows, cells)
        return (np.arange(rows) * cells) // max(rows, 1)


def _bands(sizes: Mapping[str, int], max_cells: int) -> list[_Band]:
    """Rows for each population, in bands high enough for a name beside them."""
    rows = dict(sizes)
    total = sum(sizes.values())
    if total > max_cells:
        least = {name: min(n, max_cells // (2 * len(sizes))) for name, n in sizes.items()}
        share = (max_cells - sum(least.values())) / (total - sum(least.values()))
        rows = {name: least[name] + int(share * (n - least[name])) for name, n in sizes.items()}

    floor = 0.5 * sum(rows.values()) / max(len(rows), 1)
    bands, top = [], 0.0
    for name, number in rows.items():
        height = max(float(number), floor, 1.0)
        bands.append(_Band(name, number, top, height))
        top += height
    return bands


def _draw(
    recordings: Mapping[str, Recording],
    max_cells: int,
    bin_ms: float | None,
    fig: Figure | SubFigure | None,
) -> Figure | SubFigure:
    check_count("max_cells", max_cells, least=1)
    names = next(iter(recordings.values())).populations
    if not names:
        raise InputError("there is no population to draw")
    sizes = {name: max(r[name].cells for r in recordings.values()) for name in names}
    bands = _bands(sizes, max_cells)
    span_ms = max(r.stop_ms - r.start_ms for r in recordings.values())
    bin_ms = _nice_bin(span_ms) if bin_ms is None else check_positive("bin_ms", bin_ms)

    raster_height = max(RASTER_HEIGHT, BAND_HEIGHT * len(names))
    strip_height = np.clip(ALL_STRIPS_HEIGHT / len(names), LEAST_STRIP_HEIGHT, STRIP_HEIGHT)
    heights = [raster_height, *[float(strip_height)] * len(names)]
    with style.context():
        if fig is None:
            fig = _new_figure(len(recordings), sum(heights))
        grid = fig.add_gridspec(len(heights), len(recordings), height_ratios=heights)
        columns = [list(axes) for axes in grid.subplots(sharex=True, squeeze=False).T]
        scale, unit = _time_unit(recordings.values())
        for axes, (label, recording) in zip(columns, recordings.items(), strict=True):
            _draw_raster(axes[0], recording, bands, raster_height, scale)
            _draw_rates(axes[1:], recording, bin_ms, scale)
            axes[0].set_title(label)
            axes[-1].set_xlabel(f"Time ({unit})")
        _share_axes(columns, recordings.values(), scale)
        _label(fig, columns, list(recordings.values()), bands, bin_ms)
    return fig


def _new_figure(columns: int, height: float) -> Figure:
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    width = COLUMN_WIDTH if columns == 1 else 0.6 + COLUMN_WIDTH_OF_SEVERAL * columns
    layout = ConstrainedLayoutEngine(h_pad=0.02, w_pad=0.04, hspace=0.0, wspace=0.02)
    return Figure(figsize=(width, height + 0.7), layout=layout)


def _draw_raster(
    ax: Axes, recording: Recording, bands: Sequence[_Band], height_inches: float, scale: float
) -> None:
    bottom = bands[-1].top + bands[-1].height
    for band in bands:
        time, row = _marks(recording[band.population], band)
        pitch = 72.0 * height_inches * band.height / bottom / max(band.rows, 1)  # in points
        ax.plot(
            time * scale,
            row,
            linestyle="none",
            marker="|",
            markersize=min(max(0.85 * pitch, 1.5), 7.0),
            markeredgewidth=0.7,
            color=style.colour(band.population),
            rasterized=time.size > RASTERIZE_ABOVE,
            gid=f"spikes of {band.population}",
        )
        if band is not bands[0]:
            ax.axhline(band.top, color="0.85", linewidth=0.5, zorder=0)
    ax.set_ylim(bottom, 0.0)


def _marks(trains: Trains, band: _Band) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Times in ms and heights on the axis of the spikes of the cells that are shown."""
    shown = band.shown(trains.cells)
    drawn = np.isin(trains.cell, shown)
    row = np.searchsorted(shown, trains.cell[drawn])
    return trains.times_ms[drawn], band.top + (row + 0.5) * band.height / max(band.rows, 1)


def _draw_rates(axes: Sequence[Axes], recording: Recording, bin_ms: float, scale: float) -> None:
    rate = rate_over_time(recording, bin_ms)
    edges = recording.start_ms + bin_ms * np.arange(len(rate) + 1)
    for ax, name in zip(axes, rate.columns, strict=True):
        ax.stairs(rate[name], edges * scale, fill=True, color=style.colour(name), linewidth=0)


def _share_axes(
    columns: Sequence[Sequence[Axes]], recordings: Collection[Recording], scale: float
) -> None:
    """One range of time for all, and one range of rates for each population."""
    columns[0][0].set_xlim(
        min(r.start_ms for r in recordings) * scale, max(r.stop_ms for r in recordings) * scale
    )
    for strip in zip(*(axes[1:] for axes in columns), strict=True):
        highest = max(ax.dataLim.y1 for ax in strip)
        top = _round_up(highest) if np.isfinite(highest) and highest > 0 else 1.0
        for ax in strip:
            ax.set_ylim(0.0, top)
            ax.set_yticks([0.0, top], labels=["0", f"{top:g}"])


def _label(
    fig: Figure | SubFigure,
    columns: Sequence[Sequence[Axes]],
    recordings: Sequence[Recording],
    bands: Sequence[_Band],
    bin_ms: float,
) -> None:
    """Names and units at the left, numbers of cells at the right: once, not in every column."""
    same_sizes = all(
        r[band.population].cells == recordings[0][band.population].cells
        for r in recordings
        for band in bands
    )
    for k, (axes, recording) in enumerate(zip(columns, recordings, strict=True)):
        first, last = k == 0, k == len(columns) - 1
        top, *strips = axes
        for ax in axes:
            style.tidy(ax)
            ax.tick_params(axis="x", bottom=ax is axes[-1])
            ax.tick_params(axis="y", labelleft=first)
        top.set_yticks([band.middle for band in bands], labels=[band.population for band in bands])
        top.tick_params(axis="y", length=0)
        for name in top.get_yticklabels() if first else ():
            name.set_color(style.colour(name.get_text()))
        for band, ax in zip(bands, strips, strict=True):
            if first:
                ax.set_ylabel("Hz", fontsize=7.0)
            if last or not same_sizes:
                _beside(top, band.middle, _shown(band, recording[band.population]), "0.4")
            if last:
                colour = style.colour(band.population)
                _beside(ax, sum(ax.get_ylim()) / 2.0, band.population, colour)
    fig.align_ylabels(columns[0][1:])
    columns[0][1].set_title(
        f"rate per cell, bins of {bin_ms:g} ms", loc="left", fontsize=6.0, color="0.4", pad=2.0
    )


def _beside(ax: Axes, y: float, text: str, colour: str) -> None:
    """Write `text` at the right of `ax`, at the height `y` of its axis."""
    ax.annotate(
        text,
        xy=(1.0, y),
        xycoords=("axes fraction", "data"),
        xytext=(3, 0),
        textcoords="offset points",
        va="center",
        fontsize=6.0,
        color=colour,
    )


def _shown(band: _Band, trains: Trains) -> str:
    rows = band.shown(trains.cells).size
    shown = f"{trains.cells}" if rows == trains.cells else f"{rows} of {trains.cells}"
    return f"{shown} cells"


def _time_unit(recordings: Iterable[Recording]) -> tuple[float, str]:
    """Factor from ms and name of the unit in which time is shown."""
    return (1e-3, "s") if max(r.stop_ms for r in recordings) > 5000.0 else (1.0, "ms")


def _nice_bin(span_ms: float) -> float:
    """About 1/200 of `span_ms`: 1, 2 or 5 times a power of ten, at least 1 ms if that fits."""
    return min(max(_round_up(span_ms / 200.0, steps=(1.0, 2.0, 5.0, 10.0)), 1.0), span_ms)


def _round_up(value: float, steps: Sequence[float] = (1, 1.5, 2, 3, 4, 5, 6, 8, 10)) -> float:
    """The least of `steps` times a power of ten that is not below `value`."""
    power = 10.0 ** np.floor(np.log10(value))
    return float(next(s for s in steps if s * power >= value * (1.0 - 1e-9)) * power)
