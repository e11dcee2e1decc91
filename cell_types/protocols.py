"""Protocols of dendritic integration, the same for every simulator.

A protocol is a list of trials, each a cell with its stimuli; all trials of a protocol run as one
circuit of unconnected cells. Numbers that say what counts as a calcium spike stand here once, for
calibration, tests and examples.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from biomod.errors import ModelError
from biomod.model import Cell, CurrentWaveform, Stimulus, SynapticEvents, step
from biomod.units import Quantity, ms, nS
from cell_types._l5_et import distances as distances
from cell_types.bench import INTERVAL as INTERVAL
from cell_types.bench import PLATEAU_MV as PLATEAU_MV
from cell_types.bench import SPIKE_MV as SPIKE_MV
from cell_types.bench import Bench as Bench
from cell_types.bench import Floats as Floats
from cell_types.bench import Response as Response
from cell_types.bench import Trial as Trial
from cell_types.bench import respond as respond

# The somatic pulse that evokes one action potential, and the shape of a synaptic current: Hay et
# al. 2011, 10.1371/journal.pcbi.1002107.
PULSE_NA, PULSE_MS = 1.9, 5.0
RISE_MS, DECAY_MS = 0.5, 5.0
# A calcium spike makes the Ca zone rise by this much more than in proportion to the current. Ours
# is 24 to 31 mV at threshold, 4 with Ca channels blocked.
EXCESS_MV = 15.0
# ... or, paired with an action potential, makes the dendrite stay depolarised for so much longer.
# (Duration of calcium spikes 20 to 50 ms: Larkum & Zhu 2002, 10.1523/JNEUROSCI.22-16-06991.2002.)
PLATEAU_MS = 10.0


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


def supralinear(
    amplitudes: Floats, responses: Sequence[Response], compartment: str = "nexus"
) -> np.ndarray:
    """Height (mV) above what the first and smallest amplitude gives, scaled to each of them."""
    size = np.asarray(amplitudes, float)
    heights = np.array([r.height(compartment) for r in responses])
    return np.asarray(heights - heights[0] * size / size[0])


def threshold(amplitudes: Floats, responses: Sequence[Response]) -> float:
    """Smallest current that evokes a calcium spike by itself: :data:`EXCESS_MV` are exceeded.

    Interpolated between amplitudes; NaN if none does. The first amplitude must be a small one, on
    which the others are measured.
    """
    return crossing(amplitudes, supralinear(amplitudes, responses), EXCESS_MV)


def crossing(x: Floats, y: Floats, level: float) -> float:
    """Where y, interpolated, first exceeds `level`; NaN if it never does.

    Raises
    ------
    ModelError
        It does so from the beginning.
    """
    x, y = np.asarray(x, float), np.asarray(y, float)
    if not (y > level).any():
        return float("nan")
    i = int(np.argmax(y > level))
    if i == 0:
        raise ModelError(f"the first current, {x[0]:g} nA, is above threshold; begin with less")
    return float(np.interp(level, y[i - 1 : i + 1], x[i - 1 : i + 1]))


def outlasts(responses: Sequence[Response], compartment: str = "nexus") -> np.ndarray:
    """Whether each response has a calcium spike that the first one, without current, has not.

    That is: the soma fires more often, or the dendrite stays :data:`PLATEAU_MS` longer depolarised.
    Together with a back-propagating action potential the height does not tell them apart.
    """
    alone = responses[0]
    limit = alone.plateau(compartment) + PLATEAU_MS
    return np.array(
        [len(r.spikes) > len(alone.spikes) or r.plateau(compartment) > limit for r in responses[1:]]
    )


def without(cell: Cell, channels: Sequence[str], compartments: Sequence[str]) -> Cell:
    """`cell` with these channels blocked in those of the compartments that have them."""
    known = cell.parameters()
    paths = [f"{c}.{ch}.g_max" for c in compartments for ch in channels]
    return cell.with_({p: "0 uS/cm2" for p in paths if p in known})


# --------------------------------------------------------------------------------------------
# BAC firing (P06) and the coincidence window (P07)
# --------------------------------------------------------------------------------------------
ONSET = 80.0  # ms; long enough before for an EPSC that leads by 60 ms
BAC_NA = 0.9  # peak of the dendritic current, below the threshold of the calcium spike
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


def coincidence_stimuli(
    delays: Floats, amplitudes: Floats, onset: float = ONSET, site: str = "nexus"
) -> list[tuple[Stimulus, ...]]:
    """No stimulus, EPSCs alone; a pulse alone, and with EPSCs for each delay (ms) after its start.

    EPSCs of each of the amplitudes (nA).
    """
    currents = [
        [epsc(float(a), onset + d, site) for a in amplitudes] for d in (0.0, *map(float, delays))
    ]
    ap = pulse(onset)
    found: list[tuple[Stimulus, ...]] = [(), *((c,) for c in currents[0]), (ap,)]
    return found + [(ap, c) for series in currents[1:] for c in series]


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


def coincidence(
    delays: Floats, amplitudes: Floats, responses: Sequence[Response], onset: float = ONSET
) -> Coincidence:
    """Thresholds from the responses to :func:`coincidence_stimuli`."""
    n = len(amplitudes)
    resting, ap = responses[0], responses[n + 1]
    alone = _first_spike(amplitudes, [resting, *responses[1 : n + 1]])
    paired = responses[n + 2 :]
    groups = [[ap, *paired[k * n : (k + 1) * n]] for k in range(len(delays))]
    found = np.array([_first_spike(amplitudes, group) for group in groups])
    # What even the largest current does not evoke has its threshold there or above.
    found[np.isnan(found)] = amplitudes[-1]
    latency = float(ap.spikes[0]) - onset
    order = np.argsort(delays)
    return Coincidence(alone, np.asarray(delays)[order] - latency, found[order] / alone)


def _first_spike(amplitudes: Floats, responses: Sequence[Response]) -> float:
    """Between the last amplitude without and the first with a calcium spike."""
    return crossing(amplitudes, outlasts(responses).astype(float), 0.5)


# --------------------------------------------------------------------------------------------
# Critical frequency (P08)
# --------------------------------------------------------------------------------------------
PULSES = 5


def train_stimuli(frequencies: Floats) -> list[tuple[Stimulus, ...]]:
    """Five somatic pulses at each frequency (Hz); Larkum, Kaiser & Sakmann 1999.

    Source: PNAS 96:14600, 10.1073/pnas.96.25.14600; pulses of 5 ms as in Hay et al. 2011.
    """
    start = 20.0
    return [
        tuple(pulse(round(float(start + k * 1e3 / f), 3)) for k in range(PULSES))
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
