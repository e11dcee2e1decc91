"""What a simulation returns: spikes, traces and how they came about."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

import h5py
import numpy as np
import pandas as pd

from biomod.errors import ModelError, unknown_name
from biomod.results._atomic import replacing
from biomod.results._hdf5 import reading, text_attribute, write_array
from biomod.results._json import dumps
from biomod.results._table import check_table
from biomod.results.sonata import read_group, write_group

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Result"]


@dataclass(frozen=True, eq=False, repr=False)
class Result:
    """Spikes, traces and provenance of one run.

    Parameters
    ----------
    spikes : DataFrame
        One row per spike: ``time_ms``, ``cell`` (index within the population), ``population``;
        see :func:`biomod.results.spike_table`.
    traces : dict of str to DataFrame
        By label (``"L23_PC.soma.v"``): one column per recorded cell, index ``time_ms``, values in
        the customary unit, which ``attrs["unit"]`` names.
    provenance : dict
        Seed, backend, versions, model, parameters, timings: all that it takes to do it again.
    """

    spikes: pd.DataFrame
    traces: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_table(self.spikes)

    @property
    def cells(self) -> dict[str, int]:
        """Number of cells per population, in the order of the circuit."""
        return dict(self.spikes.attrs["cells"])

    @property
    def populations(self) -> list[str]:
        """Names of the populations, in the order of the circuit."""
        return list(self.cells)

    @property
    def duration_ms(self) -> float:
        """Simulated time in ms."""
        return float(self.spikes.attrs["duration_ms"])

    def trace(self, label: str) -> pd.DataFrame:
        """The trace of that label; a :class:`ModelError` names the nearest."""
        if label not in self.traces:
            raise unknown_name("trace", label, self.traces)
        return self.traces[label]

    def summary(self) -> pd.DataFrame:
        """Rate, irregularity, synchrony and more of every population (:func:`analysis.summary`)."""
        import analysis

        return analysis.summary(self.spikes)

    def plot(self, kind: Literal["raster", "traces"] | None = None) -> Figure:
        """A raster of the spikes, or the traces.

        Parameters
        ----------
        kind : {"raster", "traces"}, optional
            By default the traces of a single cell, and the raster of a circuit.
        """
        if kind is None:
            alone = sum(self.cells.values()) == 1
            kind = "traces" if self.traces and alone else "raster"
        if kind == "raster":
            import analysis

            # A new figure, where a SubFigure is possible only if one is passed in.
            return cast("Figure", analysis.raster(self.spikes))
        if kind != "traces":
            raise unknown_name("kind of plot", kind, ("raster", "traces"))
        from biomod.results._plot import plot_traces

        return plot_traces(self.traces)

    def save(self, path: str | Path) -> Path:
        """Write everything to one HDF5 file, with SONATA spikes inside (atomically).

        Parameters
        ----------
        path : str or Path
            Ends in ``.h5``. :func:`biomod.results.load` reads it back.
        """
        path = Path(path)
        if path.suffix not in (".h5", ".hdf5"):
            raise ModelError(f"a result is written as .h5, not {path.suffix or 'no suffix'!r}")
        with replacing(path) as partial, h5py.File(partial, "w") as file:
            write_group(file, self.spikes)
            write_traces(file, self.traces)
            file.attrs["provenance"] = dumps(self.provenance, indent=None)
        return path

    def __repr__(self) -> str:
        spikes = f"{len(self.spikes)} spikes of {sum(self.cells.values())} cells"
        populations = ", ".join(f"{name} {size}" for name, size in self.cells.items())
        lines = [f"Result: {spikes} ({populations}) in {self.duration_ms:g} ms"]
        known = [f"{k} {self.provenance[k]}" for k in ("backend", "seed") if k in self.provenance]
        lines += [f"  {', '.join(known)}"] if known else []
        lines += [f"  traces: {', '.join(self.traces)}"] if self.traces else []
        return "\n".join(lines)


def write_traces(file: h5py.File, traces: Mapping[str, pd.DataFrame]) -> None:
    """Write ``/traces/<label>`` with ``values`` (time, cell), ``time_ms`` and ``cells``."""
    root = file.create_group("traces", track_order=True)
    for label, frame in traces.items():
        group = root.create_group(label)
        group.attrs["unit"] = str(frame.attrs.get("unit", ""))
        write_array(group, "time_ms", frame.index.to_numpy(np.float64))
        write_array(group, "cells", frame.columns.to_numpy(np.int64))
        write_array(group, "values", frame.to_numpy(np.float64))


def read_result(path: Path) -> Result:
    """A saved result; of a file with nothing but SONATA spikes, these."""
    with reading(path) as file:
        spikes = read_group(file, path)
        traces = {} if "traces" not in file else _read_traces(file["traces"])
        provenance = json.loads(text_attribute(file, "provenance", "{}"))
    return Result(spikes, traces, provenance)


def read_traces(path: Path) -> dict[str, pd.DataFrame]:
    """The traces of a file that :func:`write_traces` wrote."""
    with reading(path) as file:
        return _read_traces(file["traces"])


def _read_traces(root: h5py.Group) -> dict[str, pd.DataFrame]:
    traces = {}
    for label, group in root.items():
        index = pd.Index(group["time_ms"][()], name="time_ms")
        columns = pd.Index(group["cells"][()], name="cell")
        frame = pd.DataFrame(group["values"][()], index=index, columns=columns)
        frame.attrs["unit"] = text_attribute(group, "unit")
        traces[str(label)] = frame
    return traces
