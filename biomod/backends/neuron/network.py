"""The cells of a circuit that belong to this process, and all that is attached to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from biomod.backends.neuron import gaps, stimuli, synapses, traces
from biomod.backends.neuron.cells import BuiltCell, CellBuilder
from biomod.backends.neuron.plan import Member, Plan, one
from biomod.errors import ModelError
from biomod.mechanisms import neuromodulation as nm


@dataclass
class MovingParameters:
    """Parameters that follow one course: ``base * scale(t) + offset(t)`` at each pointer."""

    scale: np.ndarray
    offset: np.ndarray
    pointers: list[Any] = field(default_factory=list)
    base: list[float] = field(default_factory=list)

    def values(self, k: int) -> np.ndarray:
        """Of interval k; the last one holds on."""
        k = min(k, len(self.scale) - 1)
        return np.asarray(np.array(self.base) * self.scale[k] + self.offset[k])


@dataclass
class Network:
    """NEURON objects of one simulation; they end with :meth:`clear`."""

    h: Any
    pc: Any
    plan: Plan
    cells: dict[int, BuiltCell] = field(default_factory=dict)  # by gid
    kept: list[Any] = field(default_factory=list)
    moving: list[MovingParameters] = field(default_factory=list)
    traces: list[traces.Trace] = field(default_factory=list)
    # Connection and time in ms of what is delivered once.
    events: list[tuple[Any, float]] = field(default_factory=list)
    spikes: list[Any] = field(default_factory=list)  # vectors of times in ms and gids

    @property
    def variable_step(self) -> bool:
        """Whether NEURON chooses the time steps."""
        return self.plan.job.method == "cvode"

    def is_mine(self, gid: int) -> bool:
        """Whether a cell belongs to this process."""
        return gid % int(self.pc.nhost()) == int(self.pc.id())

    def clear(self) -> None:
        """Drop every object, also where an exception still holds this one."""
        for store in (self.kept, self.moving, self.traces, self.events, self.spikes):
            store.clear()
        self.cells.clear()


def build(h: Any, pc: Any, plan: Plan, modulation: nm.Modulation) -> Network:
    """Everything of a plan that belongs to this process."""
    network = Network(h, pc, plan)
    try:
        for member in plan.members:
            _cells(network, member, modulation)
        synapses.connect(network, modulation)
        gaps.connect(network)
        synapses.add_backgrounds(network)
        stimuli.add(network)
        traces.record(network)
    except BaseException:
        network.clear()
        raise
    return network


def _cells(network: Network, member: Member, modulation: nm.Modulation) -> None:
    values = network.plan.values[member.name]
    courses = {
        path: course for (name, path), course in modulation.cells.items() if name == member.name
    }
    builder = CellBuilder(network.h, values, member.size, courses, network.variable_step)
    moving = _moving(builder, courses)
    for index in range(member.size):
        gid = member.start + index
        if not network.is_mine(gid):
            continue
        built = builder.build(index, f"{member.name}_{index}")
        network.cells[gid] = built
        _detect_spikes(network, gid, built.sections[values.cell.soma.name],
                       one(values.at("spike_detection"), index))  # fmt: skip
        for path, parameters in moving.items():
            target = builder.targets[path]
            parameters.pointers.append(built.reference(target))
            parameters.base.append(one(values.at(path), index) * target.factor)
    network.moving += [parameters for parameters in moving.values() if parameters.pointers]


def _moving(builder: CellBuilder, courses: Mapping[str, nm.Course]) -> dict[str, MovingParameters]:
    """The parameters that change during the run, by path."""
    found = {}
    for path, course in courses.items():
        if len(course.scale) == 1 or not (np.ptp(course.scale) or np.ptp(course.offset)):
            continue
        if path not in builder.targets:
            raise ModelError(f"{path} of {builder.cell.name} cannot change while NEURON runs")
        factor = builder.targets[path].factor
        found[path] = MovingParameters(course.scale, course.offset * factor)
    return found


def _detect_spikes(network: Network, gid: int, soma: Any, threshold: float) -> None:
    network.pc.set_gid2node(gid, network.pc.id())
    detector = network.h.NetCon(soma(0.5)._ref_v, None, sec=soma)
    detector.threshold = threshold * 1e3
    network.pc.cell(gid, detector)
    network.kept.append(detector)
