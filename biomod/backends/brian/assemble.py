"""Construct the Brian2 objects of a circuit and the tables of values that go into them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from biomod.backends.brian import gaps as gj
from biomod.backends.brian import network as net
from biomod.backends.brian import values as val
from biomod.backends.brian.equations import STIMULUS
from biomod.backends.brian.integration import method_for
from biomod.backends.brian.network import GroupPlan, SynapsesPlan, Values
from biomod.backends.job import MODULATION_INTERVAL, Job
from biomod.backends.parameters import NANOSIEMENS
from biomod.backends.population import PopulationValues
from biomod.backends.targets import recorded_cells
from biomod.errors import ModelError
from biomod.mechanisms import neuromodulation as nm
from biomod.model import SynapticEvents
from biomod.model.circuit import check_receptor


@dataclass(frozen=True)
class Plan(net.CircuitPlan):
    """Everything about a job that needs no Brian2: layout, connections, nominal values."""

    groups: tuple[GroupPlan, ...]
    gaps: tuple[gj.GapPlan, ...]
    stimulus: Mapping[str, Mapping[str, tuple[np.ndarray, np.ndarray]]]


def make_plan(job: Job) -> Plan:
    """Lay a job out: draw connections and heterogeneity, decide what is shared."""
    circuit = job.circuit
    groups = net.plan_groups(circuit)
    values = {p.name: PopulationValues(circuit, p, job.dt) for p in circuit.populations}
    currents = net.stimulus_currents(job.stimuli)
    stimulus = {
        g.name: net.stimulus_table(circuit, g, currents, job.duration, job.dt) for g in groups
    }
    return Plan(
        job=job,
        groups=groups,
        synapses=net.plan_synapses(circuit, groups),
        gaps=gj.plan_gaps(circuit, groups),
        values=values,
        shared={g.name: val.shared_variables(g, values) for g in groups},
        stimulus=stimulus,
    )


def same_program(plan: Plan, new: Plan) -> bool:
    """Whether the program of `plan` can run `new`."""
    same = len(new.groups) == len(plan.groups) and len(new.synapses) == len(plan.synapses)
    for a, b in zip(plan.groups, new.groups, strict=False):
        names = [m.name for m in a.members] == [m.name for m in b.members]
        same &= names and a.size == b.size and a.equations == b.equations
        same &= plan.shared[a.name] <= new.shared.get(b.name, set())
    for c, d in zip(plan.synapses, new.synapses, strict=False):
        same &= net.same_wiring(c, d)
    same &= len(new.gaps) == len(plan.gaps)
    for e, f in zip(plan.gaps, new.gaps, strict=False):
        same &= e.variable == f.variable and e.pre.name == f.pre.name
        same &= np.array_equal(e.i, f.i) and np.array_equal(e.j, f.j)
    return bool(same)


def all_values(plan: Plan, modulation: nm.Modulation) -> Values:
    """Every array of every object for one run, keyed by (object, variable)."""
    circuit = plan.job.circuit
    courses: dict[str, dict[str, nm.Course]] = {}
    for (population, path), course in modulation.cells.items():
        courses.setdefault(population, {})[path] = course
    result: Values = {}
    for group in plan.groups:
        result |= val.group_values(group, plan.values, plan.shared[group.name], courses)
        result |= val.initial_values(group, plan.values, courses)
        result |= net.background_code(group, plan.job.dt)[2]
        for comp, (_, which) in plan.stimulus[group.name].items():
            result[group.name, f"which_{comp}"] = which.astype(np.int32)
        if plan.job.timed:
            result |= _timed_bases(plan, group)
    for synapses in plan.synapses:
        one = _one(plan.job, synapses)
        result |= val.synapse_values(synapses, circuit, modulation.projections, one)
        if plan.job.timed:
            result[synapses.name, "projection"] = synapses.projection.astype(np.int32)
            if not synapses.plastic:
                result[synapses.name, "base_weight"] = synapses.weight / NANOSIEMENS
    gj.check_step(plan.gaps, result, plan.job.dt)
    return result | gj.gap_values(plan.gaps)


def _one(job: Job, synapses: SynapsesPlan) -> bool:
    """Whether a synapses object needs its plasticity parameters only once."""
    return len(synapses.keys) == 1 and not job.timed


def _timed_bases(plan: Plan, group: GroupPlan) -> Values:
    """Unmodulated value and factor of every variable that follows a time course."""
    result: Values = {}
    unmodulated = val.group_values(group, plan.values, plan.shared[group.name], {})
    for member, _, variable, compartment in val.timed_variables(group):
        key = (group.name, f"base_{variable}")
        result.setdefault(key, np.array(unmodulated[group.name, variable], dtype=float))
        shared = variable in plan.shared[group.name]
        blank = np.ones(()) if shared else np.ones(group.size)
        factor = result.setdefault((group.name, f"unit_{variable}"), blank)
        if compartment is not None:
            # Offsets are densities where the parameter is one; the variable is absolute.
            surface = val.compartment_area(plan.values[member.name], compartment)
            factor[... if shared else slice(member.start, member.stop)] = surface
    result[group.name, "member"] = np.concatenate(
        [np.full(m.population.size, k, dtype=np.int32) for k, m in enumerate(group.members)]
    )
    return result


def timed_tables(plan: Plan, modulation: nm.Modulation) -> dict[str, np.ndarray]:
    """Tables of scale and offset over time, one column per population, by timed array name."""
    tables: dict[str, np.ndarray] = {}
    if not plan.job.timed:
        return tables
    length = int(np.ceil(plan.job.duration / MODULATION_INTERVAL)) + 1
    for group in plan.groups:
        for member, path, variable, _ in val.timed_variables(group):
            column = group.members.index(member)
            shape = (length, len(group.members))
            scale = tables.setdefault(f"{group.name}_scale_{variable}", np.ones(shape))
            offset = tables.setdefault(f"{group.name}_offset_{variable}", np.zeros(shape))
            course = modulation.cells.get((member.name, path))
            if course is not None:
                scale[:, column] = _stretched(course.scale, length)
                offset[:, column] = _stretched(course.offset, length)
    for synapses in plan.synapses:
        gains = np.ones((length, len(synapses.keys)))
        for column, key in enumerate(synapses.keys):
            if key in modulation.projections:
                gains[:, column] = _stretched(modulation.projections[key], length)
        tables[f"{synapses.name}_gain"] = gains
    return tables


def _stretched(course: np.ndarray, length: int) -> np.ndarray:
    if len(course) >= length:
        return course[:length]
    return np.concatenate([course, np.full(length - len(course), course[-1])])


def build_objects(plan: Plan, tables: Mapping[str, np.ndarray]) -> net.BrianNetwork:
    """Brian2 objects of a plan; all values are still to be set."""
    groups = {g.name: _neuron_group(plan, g, tables) for g in plan.groups}
    objects: list[Any] = list(groups.values())
    for synapses in plan.synapses:
        objects.append(synapses_object(plan.job, synapses, groups, tables))
    objects += gj.gap_objects(plan.gaps, groups)
    objects += _event_sources(plan, groups)
    spike_monitors, state_monitors = _monitors(plan, groups)
    objects += [*spike_monitors.values(), *(m for _, _, m, _ in state_monitors)]
    return net.BrianNetwork(objects, spike_monitors, state_monitors)


def _neuron_group(plan: Plan, group: GroupPlan, tables: Mapping[str, np.ndarray]) -> Any:
    import brian2 as b2

    equations = group.equations
    namespace: dict[str, Any] = dict(net.NAMESPACE)
    gaps = gj.incoming(plan.gaps, group)
    lines = [gj.with_gaps(equations.model, gaps)]
    for name, unit in equations.parameters.items():
        flags = "shared, constant" if name in plan.shared[group.name] else "constant"
        lines.append(f"{name} : {unit} ({flags})")
    for comp in (c.name for c in group.members[0].population.cell.compartments):
        stimulus = plan.stimulus[group.name].get(comp)
        if stimulus is None:
            lines.append(f"{STIMULUS}_{comp} = 0*amp : amp")
            continue
        name = f"{group.name}_stim_{comp}"
        table = b2.TimedArray(stimulus[0] * b2.amp, plan.job.dt * b2.second, name=name)
        namespace[table.name] = table
        lines.append(f"{STIMULUS}_{comp} = {table.name}(t, which_{comp}) : amp")
        lines.append(f"which_{comp} : integer (constant)")
    declarations, background, _ = net.background_code(group, plan.job.dt)
    lines += declarations
    if "repolarise" in equations.events:
        lines.append("spiketime : 1")
    timed = _timed_code(plan, group, tables, namespace, lines)
    made = b2.NeuronGroup(
        group.size,
        "\n".join(lines),
        threshold=equations.threshold or None,
        reset=equations.reset or None,
        refractory=equations.refractory or False,
        events={name: condition for name, (condition, _) in equations.events.items()},
        namespace=namespace,
        method=method_for(plan.job.method, group.members[0].population.cell, gaps),
        name=group.name,
    )
    for name, (_, action) in equations.events.items():
        made.run_on_event(name, action)
    if background:
        made.run_regularly(background, when="start", name=f"{group.name}_background")
    if timed:
        made.run_regularly(
            timed, dt=MODULATION_INTERVAL * b2.second, when="start", name=f"{group.name}_modulation"
        )
    return made


def _timed_code(
    plan: Plan, group: GroupPlan, tables: Mapping[str, np.ndarray],
    namespace: dict[str, Any], lines: list[str],
) -> str:  # fmt: skip
    """Statements that make modulated parameters follow their course, and their declarations."""
    import brian2 as b2

    if not plan.job.timed:
        return ""
    lines.append("member : integer (constant)")
    statements: dict[bool, list[str]] = {True: [], False: []}
    done = set()
    interval = MODULATION_INTERVAL * b2.second
    for _, _, variable, _ in val.timed_variables(group):
        if variable in done:
            continue
        done.add(variable)
        unit = group.equations.parameters[variable]
        shared = variable in plan.shared[group.name]
        flags = "shared, constant" if shared else "constant"
        lines.append(f"base_{variable} : {unit} ({flags})")
        lines.append(f"unit_{variable} : 1 ({flags})")
        column = "0" if shared else "member"
        factor = f"unit_{variable}"
        for what in ("scale", "offset"):
            name = f"{group.name}_{what}_{variable}"
            namespace[name] = b2.TimedArray(tables[name], interval, name=name)
        si = "" if unit == "1" else f"*{unit}"
        # Brian2 wants what is written once for the group before what is written for each cell.
        statements[shared].append(
            f"{variable} = base_{variable} * {group.name}_scale_{variable}(t, {column}) + "
            f"{group.name}_offset_{variable}(t, {column}) * {factor}{si}"
        )
    return "\n".join(statements[True] + statements[False])


def synapses_object(
    job: Job, synapses: SynapsesPlan, groups: Mapping[str, Any],
    tables: Mapping[str, np.ndarray],
) -> Any:  # fmt: skip
    """The Brian2 object of one group of synapses."""
    import brian2 as b2

    if not synapses.pre.equations.threshold:
        raise ModelError(
            f"projection {synapses.keys[0]}: its presynaptic cells never spike; give them "
            "Soma(spike=SomaticSpike(...))"
        )
    model, code = net.synapse_equations(synapses, shared=_one(job, synapses))
    namespace: dict[str, Any] = {}
    if job.timed:
        model += "\nprojection : integer (constant)"
        if not synapses.plastic:
            model += "\nbase_weight : 1 (constant)"
        name = f"{synapses.name}_gain"
        namespace[name] = b2.TimedArray(tables[name], MODULATION_INTERVAL * b2.second, name=name)
    made = b2.Synapses(
        groups[synapses.pre.name],
        groups[synapses.post.name],
        model,
        on_pre=code,
        name=synapses.name,
        namespace=namespace,
    )
    made.connect(i=synapses.i, j=synapses.j)
    made.delay = np.round(synapses.delay / job.dt) * job.dt * b2.second
    if job.timed:
        target = "U = U_rest * " if synapses.plastic else "weight = base_weight * "
        made.run_regularly(
            f"{target}{synapses.name}_gain(t, projection)",
            dt=MODULATION_INTERVAL * b2.second,
            when="start",
            name=f"{synapses.name}_modulation",
        )
    return made


def _event_sources(plan: Plan, groups: Mapping[str, Any]) -> list[Any]:
    objects: list[Any] = []
    for number, stimulus in enumerate(net.stimulus_events(plan.job.stimuli)):
        for group in plan.groups:
            cells = net.target_cells(plan.job.circuit, group, stimulus)
            if not cells:
                continue
            cell = group.members[0].population.cell
            compartment = cell.compartment(stimulus.compartment)
            check_receptor(compartment, stimulus.receptor, f"stimulus of {cell.name}")
            state = net.synaptic_state(cell, stimulus.compartment, stimulus.receptor)
            name = f"events{number}_{group.name}"
            objects += event_objects(name, stimulus, state, groups[group.name], cells, plan.job.dt)
    return objects


def event_objects(
    name: str, stimulus: SynapticEvents, state: str, target: Any, where: list[int], dt: float
) -> list[Any]:
    """A source of spikes, and its synapses onto these indices of a group."""
    import brian2 as b2

    times = np.array([t.si for t in stimulus.times])
    # A generator's cell spikes at most once in a step: what else falls into it is the next.
    which = _rank_within_step(times, dt)
    sources = int(which.max(initial=0)) + 1
    source = b2.SpikeGeneratorGroup(sources, which, times * b2.second, name=name)
    size = stimulus.weight.si / NANOSIEMENS * stimulus.number
    opening = f"{state}_post += {size!r}"
    synapses = b2.Synapses(source, target, on_pre=opening, name=f"{name}_synapses")
    pairs = np.repeat(np.arange(sources), len(where)), np.tile(where, sources)
    synapses.connect(i=pairs[0], j=pairs[1])
    return [source, synapses]


def _rank_within_step(times: np.ndarray, dt: float) -> np.ndarray:
    """How many earlier entries of `times` fall into the same time step, for each."""
    from brian2.core.functions import timestep

    steps = np.asarray(timestep(times, dt))
    order = np.argsort(steps, kind="stable")
    ordered = steps[order]
    rank = np.empty(len(steps), dtype=int)
    rank[order] = np.arange(len(steps)) - np.searchsorted(ordered, ordered)
    return rank


def _monitors(plan: Plan, groups: Mapping[str, Any]) -> tuple[dict[str, Any], list[Any]]:
    import brian2 as b2

    spikes = {
        g.name: b2.SpikeMonitor(groups[g.name], name=f"{g.name}_spikes")
        for g in plan.groups
        if g.equations.threshold
    }
    states = []
    for number, recording in enumerate(plan.job.recordings):
        population, cells = recorded_cells(plan.job.circuit, recording)
        group = next(g for g in plan.groups if g.member(population.name))
        member = group.member(population.name)
        assert member is not None
        population.cell.compartment(recording.compartment)
        variable = net.recorded_variable(group, recording)
        # A clock of its own costs time at every step; without one the monitor has the network's.
        clock = {} if recording.interval is None else {"dt": recording.interval.si * b2.second}
        monitor = b2.StateMonitor(
            groups[group.name],
            variable,
            record=cells + member.start,
            name=f"state{number}",
            **clock,
        )
        states.append((recording, variable, monitor, cells))
    return spikes, states
