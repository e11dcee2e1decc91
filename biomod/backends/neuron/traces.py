"""What is recorded."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from biomod.backends.neuron.cells import BuiltCell
from biomod.backends.targets import recorded_cells, recorded_part
from biomod.model import Cell, Recording

if TYPE_CHECKING:
    from biomod.backends.neuron.network import Network


@dataclass
class Trace:
    """A recorded variable of one cell: vectors that NEURON fills, and how to combine them."""

    recording: int
    column: int
    vectors: list[Any]
    synapse: Any = None
    # Time steps per sample, where every step is recorded.
    stride: float = 1.0
    # Fraction that one step leaves, where what arrives at its end counts already, see _at_once.
    decay: float | None = None

    def values(self) -> np.ndarray:
        """In mV, mM or nS; a conductance is the difference of two exponentials."""
        arrays = [array(v) for v in self.vectors]
        found = arrays[0] - arrays[1] if len(arrays) == 2 else arrays[0]
        if self.decay is not None:
            found = found[1:] / self.decay
        elif self.synapse is not None:
            found = found * self.synapse.factor
        steps = np.round(np.arange(len(found) / self.stride) * self.stride).astype(int)
        return np.asarray(found[steps[steps < len(found)]])


def array(vector: Any) -> np.ndarray:
    """A copy of a vector of NEURON."""
    return np.array(vector.as_numpy()) if len(vector) else np.zeros(0)


def record(network: Network) -> None:
    """Let NEURON keep the spikes, and what is to be recorded."""
    h, plan = network.h, network.plan
    network.spikes += [h.Vector(), h.Vector()]
    network.pc.spike_record(-1, *network.spikes)
    for number, recording in enumerate(plan.job.recordings):
        population, cells = recorded_cells(plan.job.circuit, recording)
        start = plan.member(population.name).start
        for column, cell in enumerate(cells):
            built = network.cells.get(start + int(cell))
            if built is not None:
                references, synapse = _references(population.cell, built, recording)
                if synapse is not None and len(references) == 1 and not network.variable_step:
                    trace = _at_once(network, recording, references[0], synapse)
                elif plan.core:  # which knows no interval of recordings
                    vectors = [_every_step(network, r) for r in references]
                    trace = Trace(0, 0, vectors, synapse, _stride(network, recording))
                else:
                    vectors = [_vector(network, recording, r) for r in references]
                    trace = Trace(0, 0, vectors, synapse)
                network.traces.append(replace(trace, recording=number, column=column))


def _at_once(network: Network, recording: Recording, reference: Any, synapse: Any) -> Trace:
    """A conductance that jumps with a spike, jump included.

    NEURON records before it delivers what arrives at the same time, which the Brian2 backends
    record. It is in the next sample, one step of decay later.
    """
    decay = math.exp(-network.plan.job.dt * 1e3 / synapse.tau_decay)
    vectors = [_every_step(network, reference)]
    return Trace(0, 0, vectors, synapse, _stride(network, recording), decay)


def _stride(network: Network, recording: Recording) -> float:
    dt = network.plan.job.dt
    return 1.0 if recording.interval is None else recording.interval.si / dt


def _every_step(network: Network, reference: Any) -> Any:
    vector = network.h.Vector()
    vector.record(reference)
    return vector


def _references(cell: Cell, built: BuiltCell, recording: Recording) -> tuple[list[Any], Any]:
    """What NEURON records, and the point process if it is a synaptic conductance."""
    where = recording.compartment
    part, variable = recorded_part(cell, recording)
    if part == "v":
        return [built.sections[where](0.5)._ref_v], None
    if part == "calcium":
        return [built.sections[where](0.5)._ref_cai], None
    process = built.parts[where, part]
    if variable == "g":
        states = [s for s in ("B", "A") if hasattr(process, s)]
        return [getattr(process, f"_ref_{s}") for s in states], process
    return [getattr(process, f"_ref_x_{variable}")], None


def _vector(network: Network, recording: Recording, reference: Any) -> Any:
    interval = recording.interval
    if interval is None and not network.variable_step:
        return _every_step(network, reference)
    step = network.plan.job.dt if interval is None else interval.si
    vector = network.h.Vector()
    vector.record(reference, step * 1e3)
    return vector
