"""The spike table: checked once, then handed out as the spike trains of each population.

Every public function of the package reads its `spikes` through `read`, so there is one place
that knows what a spike table is, how many cells there are, and which window is analysed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypedDict, Unpack

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis._checks import (
    InputError,
    check_count,
    check_nonnegative,
    check_positive,
    unknown_name,
)
from analysis._counts import Counts, count_in_bins

__all__ = ["Recording", "Selection", "Trains", "read"]

COLUMNS = ("time_ms", "cell", "population")

# Simulators record times as step number times step length; what lies beyond the end of the
# recording by less than this is rounding.
TIME_TOLERANCE_MS = 1e-6


class Selection(TypedDict, total=False):
    """Which part of which recording to analyse: keyword arguments of every public function.

    Each is optional. `cells` and `duration_ms` are needed only where ``spikes.attrs`` lacks them,
    and take precedence over it.

    Attributes
    ----------
    cells : mapping of str to int
        Population -> number of cells, silent ones included, in plotting order.
        Default ``spikes.attrs["cells"]``.
    duration_ms : float
        Length of the recording, in ms. Default ``spikes.attrs["duration_ms"]``.
    start_ms, stop_ms : float
        Window to analyse, in ms: spikes with ``start_ms <= time < stop_ms`` (a spike exactly at
        the end of the recording counts). Default: the whole recording.
    populations : sequence of str
        Populations to analyse, in this order. Default: all.
    """

    cells: Mapping[str, int] | None
    duration_ms: float | None
    start_ms: float
    stop_ms: float | None
    populations: Sequence[str] | None


@dataclass(frozen=True, eq=False)
class Trains:
    """The spike trains of one population within one window.

    Attributes
    ----------
    population : str
        Its name.
    cells : int
        Number of cells, silent ones included.
    times_ms : array of float, shape (spikes,)
        Spike times in ms, ordered by cell, then by time.
    cell : array of int, shape (spikes,)
        The cell of each spike, ``0 <= cell < cells``.
    start_ms, stop_ms : float
        The window, in ms.
    """

    population: str
    cells: int
    times_ms: npt.NDArray[np.float64]
    cell: npt.NDArray[np.int64]
    start_ms: float
    stop_ms: float

    @property
    def duration_s(self) -> float:
        """Length of the window, in s."""
        return (self.stop_ms - self.start_ms) / 1000.0

    @cached_property
    def spikes_per_cell(self) -> npt.NDArray[np.int64]:
        """Number of spikes of each cell, shape (cells,)."""
        return np.bincount(self.cell, minlength=self.cells)

    @property
    def rates_hz(self) -> npt.NDArray[np.float64]:
        """Firing rate of each cell in Hz, shape (cells,)."""
        return self.spikes_per_cell / self.duration_s

    def binned(self, bin_ms: float) -> Counts:
        """Spike counts per cell in consecutive bins of `bin_ms` from the start of the window."""
        width_ms = self.stop_ms - self.start_ms
        return count_in_bins(self.times_ms - self.start_ms, self.cell, self.cells, width_ms, bin_ms)


@dataclass(frozen=True, eq=False)
class Recording:
    """The selected populations of one recording; iterate for the `Trains` of each."""

    trains: Mapping[str, Trains]
    start_ms: float
    stop_ms: float

    @property
    def populations(self) -> list[str]:
        """Names of the populations, in plotting order."""
        return list(self.trains)

    @property
    def duration_s(self) -> float:
        """Length of the window, in s."""
        return (self.stop_ms - self.start_ms) / 1000.0

    def __iter__(self) -> Iterator[Trains]:
        return iter(self.trains.values())

    def __getitem__(self, population: str) -> Trains:
        try:
            return self.trains[population]
        except KeyError:
            raise unknown_name("population", population, self.trains) from None


def read(spikes: pd.DataFrame, **selection: Unpack[Selection]) -> Recording:
    """Check a spike table and return its spike trains.

    Parameters
    ----------
    spikes : pandas.DataFrame
        One row per spike, with columns `time_ms` (float), `cell` (int, index within its
        population) and `population` (str or categorical), in any order of rows.
    **selection
        See `Selection`.

    Raises
    ------
    TypeError
        `spikes` is not a DataFrame, a column has the wrong type, or a keyword is unknown.
    InputError
        A column is missing, a time is NaN or outside the recording, a cell's index is not below
        its population's size, a population is unknown, a cell spikes twice at one instant, the
        window is empty, or the sizes or the duration are not known.
    """
    _check_keywords(selection)
    _check_columns(spikes)
    sizes = _sizes(spikes, selection.get("cells"))
    duration_ms = _duration(spikes, selection.get("duration_ms"))
    start_ms, stop_ms = _window(
        selection.get("start_ms", 0.0), selection.get("stop_ms"), duration_ms
    )
    selected = _selected(selection.get("populations"), sizes)

    time, cell, code = _columns(spikes, sizes)
    _check_spikes(time, cell, code, sizes, duration_ms)
    order = np.lexsort((time, cell, code))
    time, cell, code = time[order], cell[order], code[order]
    _check_duplicates(time, cell, code, list(sizes))

    before_stop = time < stop_ms if stop_ms < duration_ms else np.ones(time.shape, dtype=bool)
    inside = (time >= start_ms) & before_stop
    time, cell, code = time[inside], cell[inside], code[inside]
    first = np.searchsorted(code, np.arange(len(sizes) + 1))
    slices = {name: slice(first[k], first[k + 1]) for k, name in enumerate(sizes)}
    trains = {
        name: Trains(name, sizes[name], time[slices[name]], cell[slices[name]], start_ms, stop_ms)
        for name in selected
    }
    return Recording(trains, start_ms, stop_ms)


def _check_keywords(selection: Selection) -> None:
    for name in selection:
        if name not in Selection.__annotations__:
            raise TypeError(str(unknown_name("keyword argument", name, Selection.__annotations__)))


def _check_columns(spikes: pd.DataFrame) -> None:
    if not isinstance(spikes, pd.DataFrame):
        raise TypeError(
            f"spikes must be a pandas DataFrame with columns {', '.join(COLUMNS)}, not "
            f"{type(spikes).__name__}; analysis.from_neo makes one from Neo SpikeTrains"
        )
    missing = [name for name in COLUMNS if name not in spikes.columns]
    if missing:
        raise InputError(
            f"spikes lacks the column {', '.join(missing)}; it has "
            f"{', '.join(map(str, spikes.columns)) or 'none'} and needs {', '.join(COLUMNS)}"
        )


def _sizes(spikes: pd.DataFrame, cells: Mapping[str, int] | None) -> dict[str, int]:
    given = spikes.attrs.get("cells") if cells is None else cells
    if given is None:
        raise InputError(
            "the sizes of the populations are not known, and silent cells count: pass "
            "cells={population: number of cells, ...} or set spikes.attrs['cells']"
        )
    if not isinstance(given, Mapping):
        raise TypeError(f"cells must map population to number of cells, not {given!r}")
    return {str(name): check_count(f"cells[{name!r}]", size) for name, size in given.items()}


def _duration(spikes: pd.DataFrame, duration_ms: float | None) -> float:
    given = spikes.attrs.get("duration_ms") if duration_ms is None else duration_ms
    if given is None:
        raise InputError(
            "the duration of the recording is not known: pass duration_ms=... or set "
            "spikes.attrs['duration_ms']"
        )
    return check_positive("duration_ms", given)


def _window(start_ms: float, stop_ms: float | None, duration_ms: float) -> tuple[float, float]:
    start = check_nonnegative("start_ms", start_ms)
    stop = duration_ms if stop_ms is None else check_positive("stop_ms", stop_ms)
    if not start < stop <= duration_ms:
        raise InputError(
            f"the window from start_ms={start:g} to stop_ms={stop:g} must not be empty and must "
            f"lie within the recording, 0 to {duration_ms:g} ms"
        )
    return start, stop


def _selected(populations: Sequence[str] | None, sizes: Mapping[str, int]) -> list[str]:
    if populations is None:
        return list(sizes)
    names = [populations] if isinstance(populations, str) else list(populations)
    for name in names:
        if name not in sizes:
            raise unknown_name("population", name, sizes)
    return names


_Columns = tuple[npt.NDArray[np.float64], npt.NDArray[np.int64], npt.NDArray[np.int64]]


def _columns(spikes: pd.DataFrame, sizes: Mapping[str, int]) -> _Columns:
    """Time, cell and population (as a position in `sizes`) of each spike."""
    if spikes.empty:  # the columns of an empty table have no type worth checking
        none = np.empty(0, dtype=np.int64)
        return np.empty(0), none, none
    time_kind, cell_kind = spikes["time_ms"].dtype.kind, spikes["cell"].dtype.kind
    if time_kind not in "fiu":
        raise TypeError(f"column time_ms must be numeric, not {spikes['time_ms'].dtype}")
    if cell_kind not in "iu":
        raise TypeError(f"column cell must hold integers, not {spikes['cell'].dtype}")

    codes, names = pd.factorize(spikes["population"])
    if (codes < 0).any():
        raise InputError(f"row {int(np.argmax(codes < 0))} of spikes has no population")
    positions = {name: k for k, name in enumerate(sizes)}
    for name in names:
        if name not in positions:
            raise unknown_name("population", name, sizes)
    position = np.array([positions[name] for name in names], dtype=np.int64)
    return (
        spikes["time_ms"].to_numpy(dtype=np.float64),
        spikes["cell"].to_numpy(dtype=np.int64),
        position[codes],
    )


def _check_spikes(
    time: npt.NDArray[np.float64],
    cell: npt.NDArray[np.int64],
    code: npt.NDArray[np.int64],
    sizes: Mapping[str, int],
    duration_ms: float,
) -> None:
    outside = ~((time >= 0) & (time <= duration_ms + TIME_TOLERANCE_MS))  # true for NaN as well
    if outside.any():
        row = int(np.argmax(outside))
        raise InputError(
            f"row {row} of spikes has time_ms = {time[row]:g}; times must lie within the "
            f"recording, 0 to {duration_ms:g} ms ({int(outside.sum())} do not)"
        )
    size = np.array(list(sizes.values()), dtype=np.int64)[code]
    stranger = (cell < 0) | (cell >= size)
    if stranger.any():
        row = int(np.argmax(stranger))
        name = list(sizes)[code[row]]
        raise InputError(
            f"row {row} of spikes names cell {cell[row]} of {name!r}, which has {size[row]} cells "
            f"(0 to {size[row] - 1})"
        )


def _check_duplicates(
    time: npt.NDArray[np.float64],
    cell: npt.NDArray[np.int64],
    code: npt.NDArray[np.int64],
    names: Sequence[str],
) -> None:
    """No neuron spikes twice at once, but the concatenated tables of two runs look as if."""
    same = (np.diff(time) == 0) & (np.diff(cell) == 0) & (np.diff(code) == 0)
    if same.any():
        k = int(np.argmax(same))
        raise InputError(
            f"cell {cell[k]} of {names[code[k]]!r} spikes twice at {time[k]:g} ms; are these "
            "several runs in one table? Analyse each run apart"
        )
