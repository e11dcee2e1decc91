"""To and from Neo, the objects of the field's analysis tools (Elephant, NWB readers, ...)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Unpack

import numpy as np
import pandas as pd

from analysis._checks import InputError
from analysis._table import Selection, read

if TYPE_CHECKING:
    import neo

__all__ = ["from_neo", "to_neo"]


def from_neo(
    trains: Sequence[neo.SpikeTrain], *, populations: Sequence[str] | str | None = None
) -> pd.DataFrame:
    """The spike table of a list of Neo spike trains, one per cell.

    Cells are numbered within their population in the order given. Times are counted from the
    trains' common `t_start`, so that a recording runs from 0 to its duration.

    Parameters
    ----------
    trains : sequence of neo.SpikeTrain
        All with the same `t_start` and `t_stop`; silent ones belong to it.
    populations : sequence of str, or str, optional
        The population of each train, or of all of them. Default: each train's annotation
        ``population``, as `to_neo` sets it.

    Returns
    -------
    pandas.DataFrame
        `time_ms`, `cell`, `population`, ordered by time, with ``attrs["cells"]`` and
        ``attrs["duration_ms"]``.

    Raises
    ------
    TypeError
        An element is not a SpikeTrain.
    InputError
        No train is given, their windows differ, or a train's population is not known.
    """
    import neo

    if isinstance(trains, neo.SpikeTrain):
        raise TypeError("trains must be a list of SpikeTrains, one per cell; this is a single one")
    trains = list(trains)
    for k, train in enumerate(trains):
        if not isinstance(train, neo.SpikeTrain):
            raise TypeError(f"train {k} must be a neo.SpikeTrain, not {type(train).__name__}")
    if not trains:
        raise InputError("no spike train given, so the duration is not known")

    names = _population_of_each(trains, populations)
    windows = [(float(t.t_start.rescale("ms")), float(t.t_stop.rescale("ms"))) for t in trains]
    start_ms, stop_ms = windows[0]
    for k, window in enumerate(windows):
        if not np.allclose(window, windows[0], rtol=0.0, atol=1e-6):
            raise InputError(
                f"train {k} covers {window[0]:g} to {window[1]:g} ms and train 0 covers "
                f"{start_ms:g} to {stop_ms:g} ms; all must cover the same window"
            )

    cells: dict[str, int] = {}
    index = []
    for name in names:
        index.append(cells.get(name, 0))
        cells[name] = index[-1] + 1
    number = [len(train) for train in trains]
    times = [np.asarray(train.rescale("ms").magnitude, dtype=np.float64) for train in trains]
    spikes = pd.DataFrame(
        {
            "time_ms": np.concatenate(times) - start_ms,
            "cell": np.repeat(np.array(index, dtype=np.int64), number),
            "population": np.repeat(np.array(names, dtype=object), number),
        }
    ).sort_values("time_ms", kind="stable", ignore_index=True)
    spikes.attrs.update(cells=cells, duration_ms=stop_ms - start_ms)
    return spikes


def to_neo(spikes: pd.DataFrame, **selection: Unpack[Selection]) -> list[neo.SpikeTrain]:
    """The spike table as Neo spike trains in ms, one per cell, silent ones included.

    Parameters
    ----------
    spikes : pandas.DataFrame
        Spike table.
    **selection
        See `Selection`; `t_start` and `t_stop` of the trains are those of the window.

    Returns
    -------
    list of neo.SpikeTrain
        Population after population, cell after cell, annotated with `population` and `cell`.
    """
    import neo

    return [
        neo.SpikeTrain(
            np.minimum(times, trains.stop_ms),  # a last spike may lie beyond by rounding
            units="ms",
            t_start=trains.start_ms,
            t_stop=trains.stop_ms,
            population=trains.population,
            cell=cell,
        )
        for trains in read(spikes, **selection)
        for cell, times in enumerate(
            np.split(trains.times_ms, np.cumsum(trains.spikes_per_cell)[:-1])
        )
        if trains.cells
    ]


def _population_of_each(
    trains: Sequence[neo.SpikeTrain], populations: Sequence[str] | str | None
) -> list[str]:
    if isinstance(populations, str):
        return [populations] * len(trains)
    if populations is not None:
        if len(populations) != len(trains):
            raise InputError(
                f"{len(populations)} populations given for {len(trains)} trains; give one for each"
            )
        return [str(name) for name in populations]
    for k, train in enumerate(trains):
        if "population" not in train.annotations:
            raise InputError(
                f"train {k} has no annotation 'population': pass populations=... "
                "(one name for all, or one per train)"
            )
    return [str(train.annotations["population"]) for train in trains]
