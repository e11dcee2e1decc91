"""From what a run leaves behind to spikes and traces by population."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
import pandas as pd

from biomod.model import Recording
from biomod.results import spike_table

if TYPE_CHECKING:
    from biomod.backends.job import Job


@dataclass(frozen=True)
class Raw:
    """What a run leaves behind.

    Attributes
    ----------
    spikes : dict
        Indices and times in s, by group.
    traces : list
        Recording, times in s, values in SI units (times x cells), cells.
    run_seconds : float
        How long the run took.
    resumed_at : float or None
        Simulated time in s at which it was taken up from a checkpoint.
    """

    spikes: dict[str, tuple[np.ndarray, np.ndarray]]
    traces: list[tuple[Recording, np.ndarray, np.ndarray, np.ndarray]]
    run_seconds: float
    resumed_at: float | None = None


class Member(Protocol):
    """A population and its place in a group."""

    @property
    def name(self) -> str:
        """Name of the population."""

    @property
    def start(self) -> int:
        """Index of its first cell in the group."""

    @property
    def stop(self) -> int:
        """Index after its last cell."""


class Group(Protocol):
    """Cells whose spikes a program numbers together."""

    @property
    def name(self) -> str:
        """Key of their spikes in :attr:`Raw.spikes`."""

    @property
    def members(self) -> Sequence[Member]:
        """Populations in it."""


class Plan(Protocol):
    """What must be known of a program to read its results, whatever the simulator."""

    @property
    def job(self) -> Job:
        """What was simulated."""

    @property
    def groups(self) -> Sequence[Group]:
        """Groups of cells."""

    @property
    def synapse_count(self) -> int:
        """Number of synapses."""


def spikes_by_population(plan: Plan, raw: Raw, duration: float) -> pd.DataFrame:
    """The table of spikes of all populations, cells numbered within their population."""
    trains: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    for group in plan.groups:
        if group.name not in raw.spikes:  # cells without a somatic spike
            continue
        index, times = raw.spikes[group.name]
        for member in group.members:
            mine = (index >= member.start) & (index < member.stop)
            trains[member.name] = (times[mine], index[mine] - member.start)
    return spike_table(trains, plan.job.circuit.cells, duration)


def traces_by_label(raw: Raw) -> dict[str, pd.DataFrame]:
    """Recorded variables in their customary unit: index time_ms, one column per cell."""
    result: dict[str, pd.DataFrame] = {}
    for recording, times, values, cells in raw.traces:
        scale, unit = _unit(recording)
        index = pd.Index(times * 1e3, name="time_ms")
        frame = pd.DataFrame(values * scale, index=index, columns=cells)
        frame.columns.name = "cell"
        frame.attrs["unit"] = unit
        result[recording.label] = frame
    return result


def _unit(recording: Recording) -> tuple[float, str]:
    """Factor from SI to the customary unit of a recorded variable, and that unit."""
    if recording.variable == "v":
        return 1e3, "mV"
    if recording.variable.endswith(".g"):
        return 1e9, "nS"
    return 1.0, "mM" if recording.variable == "calcium.cai" else "1"
