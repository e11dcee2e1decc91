"""Protocols of dendritic integration, the same for every simulator.

A protocol is a list of trials, each a cell with its stimuli; all trials of a protocol run as one
circuit of unconnected cells. Numbers that say what counts as a calcium spike stand here once, for
calibration, tests and examples.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from biomod.errors import ModelError
from biomod.mechanisms.neuromodulation.expressing import needs_channel
from biomod.model import (
    Cell,
    Circuit,
    CurrentWaveform,
    Modulator,
    Population,
    Recording,
    Stimulus,
    SynapticEvents,
    step,
)
from biomod.simulation import compile
from biomod.units import Quantity, ms, nS
from cell_types._l5_et import distances as distances

INTERVAL = 0.1  # ms between samples of a trace
# The somatic pulse that evokes one action potential, and the shape of a synaptic current: Hay et
# al. 2011, 10.1371/journal.pcbi.1002107.
PULSE_NA, PULSE_MS = 1.9, 5.0
RISE_MS, DECAY_MS = 0.5, 5.0
# A calcium spike: the voltage of the Ca zone stays above PLATEAU_MV for longer than PLATEAU_MS.
# A back-propagating action potential is shorter (threshold and duration: Larkum & Zhu 2002,
# 10.1523/JNEUROSCI.22-16-06991.2002).
PLATEAU_MV, PLATEAU_MS = -35.0, 10.0
SPIKE_MV = -20.0


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
        """Time in ms above `level`."""
        return float((self.v[compartment] > level).sum() * INTERVAL)

    def integral(self, compartment: str) -> float:
        """Depolarisation above the beginning, summed over time, in mV ms."""
        v = self.v[compartment]
        return float(np.maximum(v - v[0], 0.0).sum() * INTERVAL)


def crossings(time: np.ndarray, v: np.ndarray, level: float = SPIKE_MV) -> np.ndarray:
    """Times of upward crossings of `level`, interpolated."""
    i = np.flatnonzero((v[1:] > level) & (v[:-1] <= level))
    found: np.ndarray = time[i] + (level - v[i]) / (v[i + 1] - v[i]) * (time[i + 1] - time[i])
    return found


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
    backend, dt, modulators
        As in :func:`biomod.compile`.
    """
    if not trials:
        raise ModelError("a protocol needs at least one trial")
    trials = _lean(trials, events, modulators)
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
    recordings = [
        Recording(c, "v", f"c{k}", tuple(range(len(members[k]))), INTERVAL * ms)
        for k in range(len(distinct))
        for c in record
    ]
    stimuli += [replace(e, population="*", cells=()) for e in events]
    program = compile(
        Circuit("protocol", populations), f"{duration} ms", stimulus=stimuli, record=recordings,
        modulators=modulators, dt=dt, backend=backend,
    )  # fmt: skip
    result = program.run()
    responses: dict[int, Response] = {}
    for k, numbers in enumerate(members):
        frames = {c: result.trace(f"c{k}.{c}.v") for c in record}
        time = frames[record[0]].index.to_numpy()
        for i, number in enumerate(numbers):
            responses[number] = Response(time, {c: frames[c][i].to_numpy() for c in record})
    return [responses[n] for n in range(len(trials))]


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


def pulse(onset: float, amplitude: float = PULSE_NA, length: float = PULSE_MS) -> Stimulus:
    """A brief somatic current (nA) at `onset` (ms) that evokes one action potential."""
    return step(f"{amplitude!r} nA", f"{onset!r} ms", f"{onset + length!r} ms")


def epsc(
    amplitude: float,
    onset: float,
    compartment: str = "nexus",
    rise: float = RISE_MS,
    decay: float = DECAY_MS,
) -> Stimulus:
    """A synaptic current of two exponentials with a peak of `amplitude` nA."""  # fmt: skip
    t = np.arange(0.0, 12 * decay, INTERVAL)
    shape = np.exp(-t / decay) - np.exp(-t / rise)
    samples = np.concatenate([np.zeros(round(onset / INTERVAL)), shape / shape.max()])
    return CurrentWaveform(
        compartment=compartment, samples=tuple(1e3 * amplitude * samples),
        interval=INTERVAL * ms,
    )  # fmt: skip


def first_above(responses: Sequence[Response], compartment: str = "nexus") -> int | None:
    """Index of the first response with a calcium spike, None if there is none."""
    for i, response in enumerate(responses):
        if response.plateau(compartment) > PLATEAU_MS:
            return i
    return None


def threshold(
    amplitudes: Floats, responses: Sequence[Response], compartment: str = "nexus"
) -> float:
    """Between the last amplitude without and the first with a calcium spike; NaN without one."""
    first = first_above(responses, compartment)
    if first is None:
        return float("nan")
    return float(amplitudes[first] + amplitudes[max(first - 1, 0)]) / 2


def without(cell: Cell, channels: Sequence[str], compartments: Sequence[str]) -> Cell:
    """`cell` with these channels blocked in those of the compartments that have them."""
    known = cell.parameters()
    paths = [f"{c}.{ch}.g_max" for c in compartments for ch in channels]
    return cell.with_({p: "0 uS/cm2" for p in paths if p in known})


# --------------------------------------------------------------------------------------------
# BAC firing (P06) and the coincidence window (P07)
# --------------------------------------------------------------------------------------------
ONSET = 80.0  # ms; long enough before for an EPSC that leads by 60 ms
VETO_LEAD = 5.0  # ms by which distal inhibition precedes


def bac_trials(cell: Cell, amplitude: float, site: str = "nexus") -> dict[str, Trial]:
    """Larkum, Zhu & Sakmann 1999, 10.1038/18686: somatic pulse, distal EPSC 5 ms later, both.

    The trial ``"inhibited"`` is that of both with distal inhibition 5 ms before (:func:`veto`),
    which the others' cells do not receive (gain 0).
    """
    path = "tuft.GABA.gain"
    quiet = cell.with_({path: 0.0})
    current = epsc(amplitude, ONSET + PULSE_MS, site)
    return {
        "soma": Trial(quiet, (pulse(ONSET),)),
        "dendrite": Trial(quiet, (current,)),
        "both": Trial(quiet, (pulse(ONSET), current)),
        "3 x dendrite": Trial(quiet, (epsc(3 * amplitude, ONSET + PULSE_MS, site),)),
        "inhibited": Trial(cell.with_({path: 1.0}), (pulse(ONSET), current)),
    }


def veto(weight: Quantity = 60 * nS) -> SynapticEvents:
    """GABA on the tuft, 5 ms before the dendritic current of :func:`bac_trials`."""
    when = f"{ONSET + PULSE_MS - VETO_LEAD} ms"
    return SynapticEvents("*", "tuft", receptor="GABA", times=(when,), weight=weight)


def coincidence_trials(
    cell: Cell, delays: Floats, amplitudes: Floats, site: str = "nexus"
) -> list[Trial]:
    """EPSCs of all amplitudes alone, then for each delay (ms) after the start of a pulse."""
    alone = [Trial(cell, (epsc(float(a), ONSET, site),)) for a in amplitudes]
    return alone + [
        Trial(cell, (pulse(ONSET), epsc(float(a), ONSET + d, site)))
        for d in delays
        for a in amplitudes
    ]


@dataclass(frozen=True, eq=False)
class Coincidence:
    """Threshold of the dendritic calcium spike around a back-propagating action potential.

    Attributes
    ----------
    alone : float
        Threshold in nA without action potential.
    interval : array
        Onset of the EPSC after the somatic action potential, in ms; negative: before it.
    relative : array
        Threshold as a fraction of that without action potential.
    """

    alone: float
    interval: np.ndarray
    relative: np.ndarray

    @property
    def lowest(self) -> float:
        """The smallest relative threshold."""
        return float(self.relative.min())

    @property
    def best(self) -> np.ndarray:
        """All intervals at which the threshold is lowest."""
        return self.interval[self.relative <= self.lowest + 1e-9]

    @property
    def width(self) -> float:
        """Time in ms during which the reduction is more than half of the largest."""
        fine = np.linspace(self.interval[0], self.interval[-1], 4001)
        level = np.interp(fine, self.interval, self.relative)
        return float((level < (1 + self.lowest) / 2).mean() * (fine[-1] - fine[0]))


def coincidence(delays: Floats, amplitudes: Floats, responses: Sequence[Response]) -> Coincidence:
    """Thresholds from the responses to :func:`coincidence_trials`."""
    n = len(amplitudes)
    groups = [responses[k : k + n] for k in range(0, len(responses), n)]
    alone = threshold(amplitudes, groups[0])
    # The latency of the action potential, from the weakest current at the longest delay.
    last = groups[1 + int(np.argmax(delays))][0]
    latency = float(last.spikes[0]) - ONSET
    found = np.array([threshold(amplitudes, g) for g in groups[1:]])
    order = np.argsort(delays)
    return Coincidence(alone, np.asarray(delays)[order] - latency, found[order] / alone)


# --------------------------------------------------------------------------------------------
# Critical frequency (P08)
# --------------------------------------------------------------------------------------------
PULSES = 5


def train_trials(cell: Cell, frequencies: Floats) -> list[Trial]:
    """Five somatic pulses at each frequency (Hz); Larkum, Kaiser & Sakmann 1999.

    Source: PNAS 96:14600, 10.1073/pnas.96.25.14600; pulses of 5 ms as in Hay et al. 2011.
    """
    start = 20.0
    return [
        Trial(cell, tuple(pulse(round(float(start + k * 1e3 / f), 3)) for k in range(PULSES)))
        for f in frequencies
    ]


@dataclass(frozen=True)
class CriticalFrequency:
    """Where the dendritic integral jumps: its middle and 10-90 % width in Hz; NaN without a jump.

    Attributes
    ----------
    jump : float
        Integral above the critical frequency over the one below.
    """

    middle: float
    width: float
    jump: float


def critical_frequency(
    frequencies: Floats, integrals: Floats, smallest_jump: float = 1.5
) -> CriticalFrequency:
    """The jump of the dendritic integral with frequency, between its two plateaus.

    Below it the integral falls as the action potentials move together, so only what lies beyond its
    minimum counts. There the step between two medians that fits best is the jump.
    """
    f, y = np.asarray(frequencies, float), np.asarray(integrals, float)
    # Without a jump the minimum lies at the end; two values are needed on either side.
    from_low = min(int(np.argmin(y[: len(y) - 2])), len(y) - 3)
    tail = y[from_low:]

    def misfit(k: int) -> float:
        return float(sum(np.abs(part - np.median(part)).sum() for part in (tail[:k], tail[k:])))

    split = min(range(1, len(tail)), key=misfit)
    low, high = float(tail[0]), float(np.median(tail[split:]))
    if high < smallest_jump * low:
        return CriticalFrequency(float("nan"), float("nan"), high / low)
    share = np.maximum.accumulate((y[from_low:] - low) / (high - low))
    at = [_first(f[from_low:], share, level) for level in (0.1, 0.5, 0.9)]
    return CriticalFrequency(at[1], at[2] - at[0], high / low)


def _first(x: np.ndarray, y: np.ndarray, level: float) -> float:
    """Where y, which never falls, first reaches `level`."""
    i = int(np.argmax(y >= level))
    if i == 0:
        return float(x[0])
    return float(x[i - 1] + (level - y[i - 1]) / (y[i] - y[i - 1]) * (x[i] - x[i - 1]))


# --------------------------------------------------------------------------------------------
# NMDA spikes (P10)
# --------------------------------------------------------------------------------------------
# Peak conductances of one synapse (nS). Larkum et al. 2009, 10.1126/science.1171958, and Major et
# al. 2008, 10.1152/jn.00011.2008, use NMDA conductances of two to three times AMPA (estimate).
CLUSTER = {"AMPA": 0.4 * nS, "NMDA": 1.2 * nS}
CLUSTER_ONSET = 20.0


def cluster_trials(
    cell: Cell, numbers: Floats, branch: str = "basal2", nmda: bool = True
) -> list[Trial]:
    """Numbers of synapses of a branch that are active together, with :func:`cluster_events`."""
    gains = ({f"{branch}.AMPA.gain": n, f"{branch}.NMDA.gain": n * nmda} for n in numbers)
    return [Trial(cell.with_(g)) for g in gains]


def cluster_events(branch: str = "basal2") -> list[SynapticEvents]:
    """One volley of AMPA and NMDA synapses."""
    when = (f"{CLUSTER_ONSET} ms",)
    return [
        SynapticEvents("*", branch, receptor=kind, times=when, weight=weight)
        for kind, weight in CLUSTER.items()
    ]


def half_width(response: Response, compartment: str = "soma") -> float:
    """Time in ms that a compartment spends above half the height of its response."""
    v = response.v[compartment]
    return float((v - v[0] > response.height(compartment) / 2).sum() * INTERVAL)
