"""The spike table: one row per spike, and how many cells could have spiked for how long."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from biomod.errors import ModelError, unknown_name

COLUMNS = ("time_ms", "cell", "population")

# Multiples of a time step differ in the last bits between simulators; a picosecond does not
# matter to anyone, and 0.3 reads better than 0.30000000000000004.
DECIMALS_MS = 9

Train = tuple[npt.ArrayLike, npt.ArrayLike]


def spike_table(
    trains: Mapping[str, Train], cells: Mapping[str, int], duration_s: float
) -> pd.DataFrame:
    """The spike table of a run.

    Parameters
    ----------
    trains : mapping of population to (times, cells)
        Spike times in s, and for each the index of its cell within the population; in any
        order. Populations without an entry were silent.
    cells : mapping of population to int
        Number of cells of every population, in the order of the circuit.
    duration_s : float
        Simulated time in s.

    Returns
    -------
    pandas.DataFrame
        Columns ``time_ms`` (float64, to the picosecond), ``cell`` (int64) and ``population``
        (categorical, in the order of the circuit), sorted by time, then population, then cell;
        ``attrs`` holds ``cells`` and ``duration_ms``.

    Raises
    ------
    ModelError
        A population is not in `cells`, a cell's index is out of range, or a time is not finite.

    Examples
    --------
    >>> spike_table({"PC": ([0.002, 0.001], [0, 4])}, {"PC": 5, "PV": 2}, duration_s=1.0)
       time_ms  cell population
    0      1.0     4         PC
    1      2.0     0         PC
    """
    in_ms = {
        name: (np.round(np.asarray(times, float).ravel() * 1e3, DECIMALS_MS), ids)
        for name, (times, ids) in trains.items()
    }
    return assemble(in_ms, cells, round(float(duration_s) * 1e3, DECIMALS_MS))


def assemble(
    trains_ms: Mapping[str, Train], cells: Mapping[str, int], duration_ms: float
) -> pd.DataFrame:
    """The same from times in ms, which are kept to the last bit."""
    cells = {str(name): int(n) for name, n in cells.items()}
    for name in trains_ms:
        if name not in cells:
            raise unknown_name("population of the spike table", name, cells)
    if not (math.isfinite(duration_ms) and duration_ms >= 0):
        raise ModelError(f"the duration of a spike table must be finite, not {duration_ms!r} ms")
    pairs = [_checked(name, n, *trains_ms.get(name, ((), ()))) for name, n in cells.items()]
    # With an empty array first, so that it also works without any population.
    time = np.concatenate([np.empty(0), *(times for times, _ in pairs)])
    cell = np.concatenate([np.empty(0, np.int64), *(ids for _, ids in pairs)])
    code = np.repeat(np.arange(len(pairs)), [times.size for times, _ in pairs])
    order = np.lexsort((cell, code, time))
    population = pd.Categorical.from_codes(code[order], categories=list(cells))
    columns = {"time_ms": time[order], "cell": cell[order], "population": population}
    table = pd.DataFrame(columns)
    table.attrs.update(cells=cells, duration_ms=float(duration_ms))
    return table


def _checked(
    name: str, size: int, times: npt.ArrayLike, ids: npt.ArrayLike
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    time, cell = np.asarray(times, np.float64).ravel(), np.asarray(ids).ravel().astype(np.int64)
    if time.size != cell.size:
        raise ModelError(f"population {name}: {time.size} spike times but {cell.size} cell indices")
    if not np.all(np.isfinite(time)) or np.any(time < 0):
        raise ModelError(f"population {name}: spike times must be finite and not negative")
    if cell.size and not (cell.min() >= 0 and cell.max() < size):
        wrong = cell[(cell < 0) | (cell >= size)][0]
        raise ModelError(f"population {name}: a spike of cell {wrong}, but it has {size} cells")
    return time, cell


def check_table(spikes: Any) -> pd.DataFrame:
    """`spikes` if it is a spike table with its attributes; else a :class:`ModelError`."""
    if not isinstance(spikes, pd.DataFrame) or any(c not in spikes.columns for c in COLUMNS):
        raise ModelError(f"spikes must be a table with the columns {', '.join(COLUMNS)}")
    for name in ("cells", "duration_ms"):
        if name not in spikes.attrs:
            raise ModelError(f"the spike table lacks attrs[{name!r}]; spike_table(…) sets it")
    return spikes
