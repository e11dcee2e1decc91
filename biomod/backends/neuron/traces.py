"""What is recorded."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from biomod.backends.brian.network import recorded_cells
from biomod.backends.neuron.cells import BuiltCell
from biomod.backends.targets import recorded_part
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
    # Time steps per sample, and the fraction that one leaves, where every step is recorded because
    # what arrives at its end counts already, see _at_once.
    stride: float = 0.0
    decay: float = 1.0

    def values(self) -> np.ndarray:
        """In mV, mM or nS; a conductance is the difference of two exponentials."""
        arrays = [array(v) for v in self.vectors]
        if self.stride:
            after = arrays[0][1:] / self.decay
            steps = np.round(np.arange(len(after) / self.stride) * self.stride).astype(int)
            return np.asarray(after[steps[steps < len(after)]])
        difference = arrays[0] - arrays[1] if len(arrays) == 2 else arrays[0]
        return np.asarray(difference * (1.0 if self.synapse is None else self.synapse.factor))


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
                else:
                    vectors = [_vector(network, recording, r) for r in references]
                    trace = Trace(0, 0, vectors, synapse)
                network.traces.append(replace(trace, recording=number, column=column))


def _at_once(network: Network, recording: Recording, reference: Any, synapse: Any) -> Trace:
    """A conductance that jumps with a spike, jump included.

    NEURON records before it delivers what arrives at the same time, which the Brian2 backends
    record. It is in the next sample, one step of decay later.
    """
    dt = network.plan.job.dt
    interval = dt if recording.interval is None else recording.interval.si
    vector = network.h.Vector()
    vector.record(reference)
    decay = math.exp(-dt * 1e3 / synapse.tau_decay)
    return Trace(0, 0, [vector], synapse, interval / dt, decay)


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
    vector = network.h.Vector()
    if interval is not None or network.variable_step:
        step = network.plan.job.dt if interval is None else interval.si
        vector.record(reference, step * 1e3)
    else:
        vector.record(reference)
    return vector
