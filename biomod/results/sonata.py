"""Spikes in the SONATA format, as libsonata, bmtk and others read and write it.

``/spikes/<population>`` holds ``timestamps`` (ms) and ``node_ids`` (the index of the cell within
its population). We add what the format has no place for, and what a rate cannot do without:
how many cells each population has, silent ones included, the order of the populations, and how
long was recorded. Readers that do not know these attributes ignore them.
"""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import numpy.typing as npt
import pandas as pd

from biomod.errors import ModelError
from biomod.results._atomic import replacing
from biomod.results._hdf5 import reading, text_attribute, write_array
from biomod.results._table import Train, assemble, check_table

__all__ = ["read_spikes", "write_spikes"]

MAGIC, VERSION = 0x0A7A, (0, 1)
SORTING = {"none": 0, "by_id": 1, "by_time": 2}
MS_PER_UNIT = {"": 1.0, "ms": 1.0, "millisecond": 1.0, "milliseconds": 1.0} | {
    "s": 1e3,
    "sec": 1e3,
    "second": 1e3,
    "seconds": 1e3,
}


def write_spikes(path: str | Path, spikes: pd.DataFrame) -> Path:
    """Write a spike table as a SONATA file (atomically).

    Parameters
    ----------
    path : str or Path
        Usually called ``spikes.h5``.
    spikes : DataFrame
        As :func:`biomod.results.spike_table` makes it. The same spikes give the same bytes.

    Returns
    -------
    Path
        `path`.
    """
    check_table(spikes)
    with replacing(path) as partial, h5py.File(partial, "w") as file:
        write_group(file, spikes)
    return Path(path)


def read_spikes(path: str | Path) -> pd.DataFrame:
    """Read the spikes of a SONATA file, of ours or of another program.

    Parameters
    ----------
    path : str or Path
        A ``spikes.h5``, or a saved :class:`~biomod.results.Result`, which has one inside.

    Returns
    -------
    DataFrame
        A spike table. Where the file does not say how many cells there are and how long was
        recorded, the largest index and the last spike have to do: ``attrs["assumed"]`` names
        what was assumed, and rates are too high if cells were silent.

    Raises
    ------
    ModelError
        The file is missing, damaged, or holds no SONATA spikes.
    """
    with reading(path) as file:
        return read_group(file, Path(path))


def write_group(file: h5py.File, spikes: pd.DataFrame) -> None:
    """Write ``/spikes`` into an open file."""
    file.attrs["magic"] = np.uint32(MAGIC)
    file.attrs["version"] = np.array(VERSION, np.uint32)
    root = file.create_group("spikes")
    root.attrs["duration_ms"] = float(spikes.attrs["duration_ms"])
    root.attrs["populations"] = np.uint64(len(spikes.attrs["cells"]))
    order = h5py.enum_dtype(SORTING, basetype="u1")
    for index, (name, size) in enumerate(spikes.attrs["cells"].items()):
        rows = spikes[(spikes["population"] == name).to_numpy()]
        group = root.create_group(name)
        group.attrs.create("sorting", SORTING["by_time"], dtype=order)
        group.attrs["cells"] = np.uint64(size)
        group.attrs["order"] = np.uint64(index)
        write_array(group, "timestamps", rows["time_ms"].to_numpy(np.float64), "ms")
        write_array(group, "node_ids", rows["cell"].to_numpy(np.uint64))


def read_group(file: h5py.File, path: Path) -> pd.DataFrame:
    """Read ``/spikes`` of an open file."""
    root = file.get("spikes")
    groups = {}
    if isinstance(root, h5py.Group):
        groups = {n: g for n, g in root.items() if isinstance(g, h5py.Group)}
    if root is None or (not groups and len(root)):
        raise ModelError(
            f"{path} holds no SONATA spikes (groups /spikes/<population> with timestamps and "
            "node_ids)"
        )
    # A damaged byte in the list of groups makes one vanish without an error.
    if len(groups) != root.attrs.get("populations", len(groups)):
        raise ModelError(f"cannot read {path}: it is damaged (a population is missing)")
    order = {name: int(g.attrs.get("order", len(groups))) for name, g in groups.items()}
    trains: dict[str, Train] = {}
    cells, last = {}, 0.0
    assumed = {"duration_ms"} - set(root.attrs)
    for name in sorted(groups, key=lambda n: order[n]):
        group, where = groups[name], f"{path}: population {name}"
        times, ids = trains[name] = _read_train(group, where)
        largest, last = int(np.max(ids, initial=-1)), float(np.max(times, initial=last))
        assumed |= {"cells"} - set(group.attrs)
        cells[name] = int(group.attrs.get("cells", largest + 1))
    try:
        table = assemble(trains, cells, float(root.attrs.get("duration_ms", last)))
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from None
    if assumed:
        table.attrs["assumed"] = sorted(assumed)
    return table


def _read_train(
    group: h5py.Group, where: str
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    for name in ("timestamps", "node_ids"):
        if not isinstance(group.get(name), h5py.Dataset):
            raise ModelError(f"{where} has no data set {name!r}")
        dataset = group[name]
        if dataset.ndim != 1 or dataset.dtype.kind not in ("fiu" if name == "timestamps" else "iu"):
            raise ModelError(f"{where}: {name} is not a list of numbers")
    unit = text_attribute(group["timestamps"], "units").strip().lower()
    if unit not in MS_PER_UNIT:
        raise ModelError(f"{where}: timestamps are in {unit!r}; ms and s are understood")
    times = group["timestamps"][()].astype(np.float64)
    return times * MS_PER_UNIT[unit], group["node_ids"][()].astype(np.int64)
