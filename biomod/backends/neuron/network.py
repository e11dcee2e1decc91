"""The cells of a circuit on this process, what connects them, drives them and is recorded."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from biomod.backends.brian import network as net
from biomod.backends.brian.parameters import NANOSIEMENS
from biomod.backends.neuron.cells import BuiltCell, CellBuilder, course_of
from biomod.backends.neuron.nmodl import gap_mechanism
from biomod.backends.neuron.plan import Member, Plan, recorded_part, stimulated
from biomod.errors import BackendError, ModelError
from biomod.mechanisms import neuromodulation as nm
from biomod.mechanisms.randomness import integer_seed
from biomod.model import Cell, Circuit, CurrentClamp, CurrentWaveform, Recording, SynapticEvents

# Length of the weight vector of a connection, see nmodl.receptor_mechanism.
WEIGHTS = ("w", "U", "U_rest", "tau_rec", "tau_facil")


@dataclass
class Network:
    """NEURON objects of one simulation; they end with :meth:`clear`."""

    h: Any
    pc: Any
    plan: Plan
    cells: dict[int, BuiltCell] = field(default_factory=dict)
    kept: list[Any] = field(default_factory=list)
    # Pointer and course of everything that changes during the run.
    courses: list[tuple[Any, np.ndarray]] = field(default_factory=list)
    traces: list[Trace] = field(default_factory=list)
    # Connection and time in ms of what is delivered once.
    events: list[tuple[Any, float]] = field(default_factory=list)
    spikes: tuple[Any, Any] | None = None

    @property
    def variable_step(self) -> bool:
        """Whether NEURON chooses the time steps."""
        return self.plan.job.method == "cvode"

    def clear(self) -> None:
        """Drop every object, also where an exception still holds this one."""
        for store in (self.kept, self.courses, self.traces, self.events, self.cells):
            store.clear()
        self.spikes = None


@dataclass
class Trace:
    """A recorded variable of one cell: vectors that NEURON fills, and how to combine them."""

    recording: int
    column: int
    vectors: list[Any]
    synapse: Any = None
    # Time steps per sample, and the fraction that one leaves, where every step is recorded because
    # what arrives at its end counts already, see _at_once.
    stride: int = 0
    decay: float = 1.0

    def values(self) -> np.ndarray:
        """In mV, mM or nS; a conductance is the difference of two exponentials."""
        arrays = [array(v) for v in self.vectors]
        if self.stride:
            return np.asarray(arrays[0][1 :: self.stride] / self.decay)
        difference = arrays[0] - arrays[1] if len(arrays) == 2 else arrays[0]
        return np.asarray(difference * (1.0 if self.synapse is None else self.synapse.factor))


def array(vector: Any) -> np.ndarray:
    """A copy of a vector of NEURON."""
    return np.array(vector.as_numpy()) if len(vector) else np.zeros(0)


def build(h: Any, pc: Any, plan: Plan, modulation: nm.Modulation) -> Network:
    """Everything of a plan that belongs to this process."""
    network = Network(h, pc, plan)
    try:
        for member in plan.members:
            _cells(network, member, modulation)
        _projections(network, modulation)
        _gap_junctions(network)
        _backgrounds(network)
        _stimuli(network)
        _record(network)
    except BaseException:
        network.clear()
        raise
    return network


def _mine(network: Network, gid: int) -> bool:
    return gid % int(network.pc.nhost()) == int(network.pc.id())


def _cells(network: Network, member: Member, modulation: nm.Modulation) -> None:
    h, pc, plan = network.h, network.pc, network.plan
    values = plan.values[member.name]
    courses = {
        path: course for (name, path), course in modulation.cells.items() if name == member.name
    }
    builder = CellBuilder(h, values, member.size, courses, network.variable_step)
    moving = {
        path: course
        for path, course in courses.items()
        if len(modulation.times) > 1 and (np.ptp(course.scale) > 0 or np.ptp(course.offset) > 0)
    }
    for path in moving:
        if path not in builder.targets:
            raise ModelError(f"{path} of {values.cell.name} cannot change while NEURON runs")
    soma, threshold = values.cell.soma.name, values.at("spike_detection")
    for index in range(member.size):
        gid = member.start + index
        if not _mine(network, gid):
            continue
        built = builder.build(index, f"{member.name}_{index}")
        network.cells[gid] = built
        section = built.sections[soma]
        pc.set_gid2node(gid, pc.id())
        detector = h.NetCon(section(0.5)._ref_v, None, sec=section)
        detector.threshold = float(np.broadcast_to(threshold, member.size)[index]) * 1e3
        pc.cell(gid, detector)
        network.kept.append(detector)
        for path, course in moving.items():
            target = builder.targets[path]
            series = course_of(values, path, target, course, index)
            network.courses.append((built.reference(target), series))


def _projections(network: Network, modulation: nm.Modulation) -> None:
    plan, dt = network.plan, network.plan.job.dt
    for projection in plan.job.circuit.projections:
        drawn = plan.connections[projection.key]
        pre, post = plan.member(projection.pre), plan.member(projection.post)
        gain = modulation.projections.get(projection.key, np.ones(1)) * projection.release_gain
        stp = projection.stp
        if stp is not None and (stp.U * gain > 1).any():
            raise ModelError(
                f"projection {projection.key}: modulation raises the release probability above 1 "
                f"({(stp.U * gain).max():.3g})"
            )
        moving = len(gain) > 1 and np.ptp(gain) > 0
        for k in range(len(drawn)):
            target = post.start + int(drawn.post[k])
            if target not in network.cells:
                continue
            compartment = projection.compartments[int(drawn.compartment[k])][0]
            delay = float(drawn.delay[k])
            if not network.variable_step:
                delay = round(delay / dt) * dt
            source = pre.start + int(drawn.pre[k])
            if delay <= 0 and not _mine(network, source):
                raise BackendError(
                    f"projection {projection.key}: with several processes every delay must be at "
                    f"least one time step ({dt * 1e3:g} ms); run it on one process"
                )
            for receptor, share in projection.receptors:
                process = network.cells[target].parts[compartment, receptor]
                connection = network.pc.gid_connect(source, process)
                connection.delay = delay * 1e3
                weight = share * float(drawn.weight[k]) / NANOSIEMENS
                if stp is None:
                    index, series = 0, weight * gain
                    numbers = [weight * gain[0], 0.0, 0.0, 0.0, 0.0]
                else:
                    index, series = 1, stp.U * gain
                    numbers = [
                        weight, stp.U * gain[0], stp.U, stp.tau_rec.to("ms"), stp.tau_facil.to("ms")
                    ]  # fmt: skip
                for i, number in enumerate(numbers):
                    connection.weight[i] = number
                if moving:
                    network.courses.append((connection._ref_weight[index], series))
                network.kept.append(connection)


def _gap_junctions(network: Network) -> None:
    """Electrical synapses; the voltage of the other cell is that at the beginning of a step."""
    plan, pc = network.plan, network.pc
    circuit = plan.job.circuit
    if not circuit.gap_junctions:
        return
    most = max(len(p.cell.compartments) for p in circuit.populations)
    totals: dict[tuple[int, str], float] = {}
    for rule in circuit.gap_junctions:
        pairs = plan.gaps[rule.key]
        ends = [
            (plan.member(name).start, _number(circuit, name, rule.compartment))
            for name in (rule.a, rule.b)
        ]
        for k in range(len(pairs)):
            a, b = ends[0][0] + int(pairs.a[k]), ends[1][0] + int(pairs.b[k])
            sources = a * most + ends[0][1], b * most + ends[1][1]
            for gid, other in ((a, sources[1]), (b, sources[0])):
                if gid in network.cells:
                    section = network.cells[gid].sections[rule.compartment]
                    _half_gap(network, section, other, float(pairs.g[k]))
                    key = gid, rule.compartment
                    totals[key] = totals.get(key, 0.0) + float(pairs.g[k])
    for gid, compartment in totals:
        section = network.cells[gid].sections[compartment]
        _, number = _where(plan, gid, compartment)
        pc.source_var(section(0.5)._ref_v, gid * most + number, sec=section)
    _check_step(network, totals)
    pc.setup_transfer()


def _number(circuit: Circuit, population: str, compartment: str) -> int:
    names = [c.name for c in circuit.population(population).cell.compartments]
    return names.index(compartment)


def _where(plan: Plan, gid: int, compartment: str) -> tuple[str, int]:
    member = next(m for m in plan.members if m.start <= gid < m.stop)
    return member.name, _number(plan.job.circuit, member.name, compartment)


def _half_gap(network: Network, section: Any, other: int, g: float) -> None:
    process = getattr(network.h, gap_mechanism().name)(section(0.5))
    process.g = g * 1e6  # S to uS
    network.pc.target_var(process, process._ref_v_other, other)
    network.kept.append(process)


def _check_step(network: Network, totals: Mapping[tuple[int, str], float]) -> None:
    """Refuse a time step in which junctions would equalise the cells, where the scheme swings."""
    if network.variable_step:
        return
    dt = network.plan.job.dt
    for (gid, compartment), g in totals.items():
        section = network.cells[gid].sections[compartment]
        capacitance = section.cm * 1e-2 * section(0.5).area() * 1e-12
        ratio = g * dt / capacitance
        if ratio > 1:
            raise ModelError(
                f"gap junctions: those of one cell at {compartment} add up to {ratio:.3g} times "
                f"C / dt; use a dt below {dt / ratio * 1e3:.3g} ms"
            )


def _backgrounds(network: Network) -> None:
    """Poisson input: a source per cell and background, each with a stream of its own."""
    plan = network.plan
    circuit = plan.job.circuit
    for population in circuit.populations:
        member = plan.member(population.name)
        for background in population.backgrounds:
            if background.rate.si == 0:
                continue
            # Random123 is counted by three integers: cell, kind of background, and seed.
            name = f"background/{population.name}/{background.name}"
            kind = integer_seed(circuit.seed, name)
            for gid in range(member.start, member.stop):
                if gid in network.cells:
                    _background(network, gid, background, kind)


def _background(network: Network, gid: int, background: Any, kind: int) -> None:
    h = network.h
    source = h.NetStim()
    source.start, source.number = 0, 1e12
    source.noise, source.interval = 1, 1e3 / background.rate.si
    source.noiseFromRandom123(gid, kind % 2**31, 1)
    network.kept.append(source)
    for receptor, share in background.receptors:
        process = network.cells[gid].parts[background.compartment, receptor]
        connection = h.NetCon(source, process)
        connection.delay = 0
        connection.weight[0] = share * background.weight.si / NANOSIEMENS
        network.kept.append(connection)


def _stimuli(network: Network) -> None:
    plan = network.plan
    for stimulus in plan.job.stimuli:
        for population, cells in stimulated(plan.job.circuit, stimulus):
            start = plan.member(population).start
            mine = [start + c for c in cells if start + c in network.cells]
            if isinstance(stimulus, SynapticEvents):
                _events(network, stimulus, mine)
            elif isinstance(stimulus, CurrentClamp | CurrentWaveform):
                for gid in mine:
                    _current(network, stimulus, network.cells[gid].sections[stimulus.compartment])
            else:
                raise ModelError(f"the neuron backend has no {type(stimulus).__name__}")


def _events(network: Network, stimulus: SynapticEvents, gids: list[int]) -> None:
    """Spikes at given times; with a fixed step they count from the end of the step they are in."""
    h, dt = network.h, network.plan.job.dt
    times = np.sort([t.si for t in stimulus.times])
    if not network.variable_step:
        times = (np.floor(times / dt + 1e-3) + 1) * dt
    for gid in gids:
        process = network.cells[gid].parts[stimulus.compartment, stimulus.receptor]
        connection = h.NetCon(None, process)
        connection.delay = 0
        network.events += [(connection, float(t) * 1e3) for t in times]
        connection.weight[0] = stimulus.weight.si / NANOSIEMENS * stimulus.number
        network.kept.append(connection)


def _current(network: Network, stimulus: net.Current, section: Any) -> None:
    """An injected current, as a course of its amplitude."""
    h, job = network.h, network.plan.job
    clamp = h.IClamp(section(0.5))
    clamp.delay, clamp.dur = 0, 1e12
    network.kept.append(clamp)
    if network.variable_step:
        times, current, continuous = _knots(stimulus, job.duration)
    else:
        times, current, continuous = *_steps(stimulus, job.duration, job.dt), False
    if len(times) == 1:
        clamp.amp = current[0] * 1e9
        return
    values, at = h.Vector(current * 1e9), h.Vector(times * 1e3)
    values.play(clamp._ref_amp, at, continuous)
    network.kept += [values, at]


def _steps(stimulus: net.Current, duration: float, dt: float) -> tuple[np.ndarray, np.ndarray]:
    """Times at which an injected current changes from one time step to the next, and its values."""
    times = np.arange(round(duration / dt) + 1) * dt
    current = stimulus.current(times)
    changed = np.append(True, np.diff(current) != 0)
    return times[changed], current[changed]


def _knots(stimulus: net.Current, duration: float) -> tuple[np.ndarray, np.ndarray, bool]:
    """Times and values between which an injected current is held, or is linear."""
    if isinstance(stimulus, CurrentWaveform):
        number = min(len(stimulus.samples), int(np.ceil(duration / stimulus.interval.si)))
        times = np.arange(number + 1) * stimulus.interval.si
        return times, stimulus.current(times), False
    first, last = stimulus.start.si, min(stimulus.stop.si, duration + 1.0)
    begin = stimulus.amplitude.si
    end = begin + stimulus.slope.si * (last - first)
    if stimulus.slope.si == 0:
        knots = {0.0: 0.0, first: begin, last: 0.0}  # a start at 0 replaces the first
        return np.array(list(knots)), np.array(list(knots.values())), False
    times = np.array([0.0, first, first, last, last, last + 1.0])
    return times, np.array([0.0, 0.0, begin, end, 0.0, 0.0]), True


def _record(network: Network) -> None:
    h, plan = network.h, network.plan
    spikes = h.Vector(), h.Vector()
    network.pc.spike_record(-1, *spikes)
    network.spikes = spikes
    for number, recording in enumerate(plan.job.recordings):
        population, cells = net.recorded_cells(plan.job.circuit, recording)
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
    return Trace(0, 0, [vector], synapse, max(1, round(interval / dt)), decay)


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
