"""Trials: cells with what is done to them, all run at once as one circuit of unconnected cells.

A :class:`Bench` keeps the programs that it has compiled, so the same trials of other cells only
run. That is what a calibration needs: it does the same to hundreds of cells of other values.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from biomod.errors import ModelError
from biomod.mechanisms.neuromodulation.expressing import needs_channel
from biomod.model import (
    Cell,
    Circuit,
    Modulator,
    Population,
    Recording,
    Stimulus,
    SynapticEvents,
)
from biomod.simulation import Program, compile
from biomod.units import ms

INTERVAL = 0.1  # ms between samples of a trace
SPIKE_MV = -20.0
PLATEAU_MV = -35.0  # where the depolarisation of a calcium spike is timed

Floats = Sequence[float] | np.ndarray


@dataclass(frozen=True)
class Trial:
    """One cell with what is done to it."""

    cell: Cell
    stimuli: tuple[Stimulus, ...] = ()


@dataclass(frozen=True, eq=False)
class Response:
    """What one trial gave: times in ms, voltages in mV by compartment."""

    time: np.ndarray
    v: Mapping[str, np.ndarray]

    @property
    def spikes(self) -> np.ndarray:
        """Times at which the soma rises above -20 mV."""
        return crossings(self.time, self.v["soma"])

    def height(self, compartment: str) -> float:
        """Peak above the voltage at the beginning."""
        v = self.v[compartment]
        return float(v.max() - v[0])

    def plateau(self, compartment: str, level: float = PLATEAU_MV) -> float:
        """Longest time in ms without a break above `level`."""
        above = np.concatenate([[False], self.v[compartment] > level, [False]])
        starts, ends = np.flatnonzero(np.diff(above.astype(int))).reshape(-1, 2).T
        return float((ends - starts).max(initial=0) * INTERVAL)

    def integral(self, compartment: str) -> float:
        """Depolarisation above the beginning, summed over time, in mV ms."""
        v = self.v[compartment]
        return float(np.maximum(v - v[0], 0.0).sum() * INTERVAL)


def crossings(time: np.ndarray, v: np.ndarray, level: float = SPIKE_MV) -> np.ndarray:
    """Times of upward crossings of `level`, interpolated."""
    i = np.flatnonzero((v[1:] > level) & (v[:-1] <= level))
    found: np.ndarray = time[i] + (level - v[i]) / (v[i + 1] - v[i]) * (time[i + 1] - time[i])
    return found


@dataclass(frozen=True)
class Bench:
    """A simulator, and the programs that it has compiled for trials.

    Attributes
    ----------
    backend, dt : str, optional
        As in :func:`biomod.compile`.
    """

    backend: str | None = None
    dt: str | None = None
    _programs: dict[object, Program] = field(default_factory=dict, repr=False, compare=False)

    def respond(
        self,
        trials: Sequence[Trial],
        duration: float,
        record: Sequence[str] = ("soma", "nexus"),
        *,
        events: Sequence[SynapticEvents] = (),
        modulators: Sequence[Modulator] = (),
    ) -> list[Response]:
        """Run all trials at once, each cell from its resting potential.

        Parameters
        ----------
        trials : sequence of Trial
            Their cells must be of one structure for the run to be one compiled program.
        duration : float
            In ms.
        record : sequence of str
            Compartments whose voltage is kept.
        events : sequence of SynapticEvents
            Reach every cell. (One for each trial would make the program grow with their number;
            let trials differ in the gain of the receptor.)
        modulators : sequence of Modulator
            Of constant concentration, for a program to be kept.
        """
        if not trials:
            raise ModelError("a protocol needs at least one trial")
        rack = _Rack.of(_lean(trials, events, modulators))
        return self._run(rack, duration, record, events, modulators)

    def each(
        self,
        cells: Sequence[Cell],
        experiments: Sequence[Sequence[Stimulus]],
        duration: float,
        record: Sequence[str] = ("soma", "nexus"),
        *,
        modulators: Sequence[Modulator] = (),
    ) -> list[list[Response]]:
        """What every cell answers to every experiment, by cell.

        As :meth:`respond`, but the program has one stimulus for all cells.
        """
        lean = _lean([Trial(cell) for cell in cells], (), modulators)
        rack = _Rack.same([t.cell for t in lean], experiments)
        found = self._run(rack, duration, record, (), modulators)
        n = len(experiments)
        return [found[k * n : (k + 1) * n] for k in range(len(cells))]

    def _run(
        self,
        rack: _Rack,
        duration: float,
        record: Sequence[str],
        events: Sequence[SynapticEvents],
        modulators: Sequence[Modulator],
    ) -> list[Response]:
        stimuli = (*rack.stimuli, *(replace(e, population="*", cells=()) for e in events))
        constant = all(m.is_constant for m in modulators)
        key = (rack.structure, stimuli, duration, tuple(record), () if constant else (*modulators,))
        circuit = rack.circuit.modulated(*modulators)
        if key not in self._programs:
            self._programs[key] = compile(
                circuit, f"{duration} ms", stimulus=stimuli, record=rack.recordings(record),
                dt=self.dt, backend=self.backend,
            )  # fmt: skip
        result = self._programs[key].run(circuit=circuit)
        found: dict[int, Response] = {}
        for k, numbers in enumerate(rack.members):
            frames = {c: result.trace(f"c{k}.{c}.v") for c in record}
            time = frames[record[0]].index.to_numpy()
            values = {c: frame.to_numpy() for c, frame in frames.items()}
            for i, number in enumerate(numbers):
                found[number] = Response(time, {c: v[:, i] for c, v in values.items()})
        return [found[n] for n in range(len(found))]


def respond(
    trials: Sequence[Trial],
    duration: float,
    record: Sequence[str] = ("soma", "nexus"),
    *,
    backend: str | None = None,
    dt: str | None = None,
    events: Sequence[SynapticEvents] = (),
    modulators: Sequence[Modulator] = (),
) -> list[Response]:
    """Run trials once; see :meth:`Bench.respond`."""
    bench = Bench(backend, dt)
    return bench.respond(trials, duration, record, events=events, modulators=modulators)


@dataclass(frozen=True)
class _Rack:
    """Trials laid out as a circuit: a population for each cell, a member for each trial."""

    circuit: Circuit
    members: list[list[int]]
    stimuli: tuple[Stimulus, ...]

    @classmethod
    def of(cls, trials: Sequence[Trial]) -> _Rack:
        # By identity: comparing hundreds of cells by value takes longer than to run them.
        distinct = list({id(t.cell): t.cell for t in trials}.values())
        position = {id(cell): k for k, cell in enumerate(distinct)}
        members: list[list[int]] = [[] for _ in distinct]
        stimuli: list[Stimulus] = []
        for number, trial in enumerate(trials):
            which = position[id(trial.cell)]
            place = (len(members[which]),)
            members[which].append(number)
            stimuli += [replace(s, population=f"c{which}", cells=place) for s in trial.stimuli]
        populations = tuple(
            Population(f"c{k}", cell, len(members[k]), heterogeneous=False)
            for k, cell in enumerate(distinct)
        )
        return cls(Circuit("protocol", populations), members, tuple(stimuli))

    @classmethod
    def same(cls, cells: Sequence[Cell], experiments: Sequence[Sequence[Stimulus]]) -> _Rack:
        n = len(experiments)
        populations = tuple(
            Population(f"c{k}", cell, n, heterogeneous=False) for k, cell in enumerate(cells)
        )
        members = [list(range(k * n, (k + 1) * n)) for k in range(len(cells))]
        stimuli = (
            replace(s, population="*", cells=(i,))
            for i, experiment in enumerate(experiments)
            for s in experiment
        )
        return cls(Circuit("protocol", populations), members, tuple(stimuli))

    @property
    def structure(self) -> object:
        """What decides the program, beside stimuli and recordings.

        The program itself refuses a circuit that it was not compiled for.
        """
        return tuple((x.size, _structure(x.cell)) for x in self.circuit.populations)

    def recordings(self, compartments: Sequence[str]) -> list[Recording]:
        return [
            Recording(c, "v", f"c{k}", tuple(range(len(numbers))), INTERVAL * ms)
            for k, numbers in enumerate(self.members)
            for c in compartments
        ]


def _structure(cell: Cell) -> tuple[object, ...]:
    """Names of the parts of a lean cell."""
    return tuple(
        (c.name, tuple(x.name for x in c.channels), tuple(x.name for x in c.receptors))
        for c in cell.compartments
    )


def _lean(
    trials: Sequence[Trial], events: Sequence[SynapticEvents], modulators: Sequence[Modulator]
) -> list[Trial]:
    """The same trials without the parts of their cells that stay closed in all of them.

    Receptors that no event opens, neuromodulatory receptors without their modulator, and channels
    of zero density: programs compile and run several times as fast, with the same result.
    """
    named = {r for m in modulators for r in m.receptors}
    everything = any(not m.receptors for m in modulators)
    cells = list({id(t.cell): t.cell for t in trials}.values())
    kept = [e for e in cells[0].expression if everything or e.receptor.name in named]
    opening = any(needs_channel(effect) for e in kept for effect in e.effects)
    targets = {(e.compartment, e.receptor) for e in events}
    open_channels = {
        (c.name, ch.name)
        for cell in cells
        for c in cell.compartments
        for ch in c.channels
        if opening or ch.g_max.si > 0
    }

    def lean(cell: Cell) -> Cell:
        compartments = tuple(
            replace(
                c,
                channels=tuple(ch for ch in c.channels if (c.name, ch.name) in open_channels),
                receptors=tuple(r for r in c.receptors if (c.name, r.name) in targets),
            )
            for c in cell.compartments
        )
        expression = tuple(e for e in cell.expression if everything or e.receptor.name in named)
        return replace(cell, compartments=compartments, expression=expression, variations=())

    made = {id(cell): lean(cell) for cell in cells}
    return [replace(t, cell=made[id(t.cell)]) for t in trials]
