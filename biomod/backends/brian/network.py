"""A circuit as Brian2 objects whose every value is data.

Populations with equal cell structure share one neuron group, and projections between two groups
that write to the same receptors share one synapses object: the number of generated programs grows
with the number of structures, not with the size of the circuit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from biomod.backends.brian.equations import (
    CONDUCTANCE,
    MAGNESIUM_BLOCK,
    CellEquations,
    cell_equations,
    dendrify_kind,
    structure,
)
from biomod.backends.job import Job
from biomod.backends.parameters import NANOSIEMENS
from biomod.backends.population import PopulationValues
from biomod.backends.targets import Current, stimulated
from biomod.errors import unknown_name
from biomod.mechanisms import connectivity
from biomod.mechanisms.randomness import integer_seed
from biomod.model import (
    Background,
    Cell,
    Circuit,
    CurrentClamp,
    CurrentWaveform,
    Population,
    Recording,
    Stimulus,
    SynapticEvents,
)

Values = dict[tuple[str, str], np.ndarray]  # by object and variable


@dataclass(frozen=True)
class Member:
    """A population and its place in the neuron group it shares."""

    population: Population
    start: int

    @property
    def stop(self) -> int:
        """Index after its last cell."""
        return self.start + self.population.size

    @property
    def name(self) -> str:
        """Name of the population."""
        return self.population.name


@dataclass(frozen=True)
class GroupPlan:
    """Populations of one cell structure, laid out one after another."""

    name: str
    equations: CellEquations
    members: tuple[Member, ...]

    @property
    def size(self) -> int:
        """Number of cells."""
        return self.members[-1].stop

    def member(self, population: str) -> Member | None:
        """The member of that population, if it is in this group."""
        return next((m for m in self.members if m.name == population), None)


@dataclass(frozen=True)
class SynapsesPlan:
    """All synapses from one group to the same receptors of one compartment of another."""

    name: str
    pre: GroupPlan
    post: GroupPlan
    compartment: str
    receptors: tuple[tuple[str, float], ...]
    plastic: bool
    i: np.ndarray
    j: np.ndarray
    projection: np.ndarray
    keys: tuple[str, ...]
    weight: np.ndarray
    delay: np.ndarray


@dataclass(frozen=True)
class CircuitPlan:
    """What needs no Brian2 of every job: connections and nominal values."""

    job: Job
    synapses: tuple[SynapsesPlan, ...]
    values: Mapping[str, PopulationValues]
    shared: Mapping[str, set[str]]

    @property
    def synapse_count(self) -> int:
        """Number of synapses."""
        return sum(len(s.i) for s in self.synapses)

    @property
    def seed(self) -> int:
        """Seed of the simulator's own random numbers."""
        return integer_seed(self.job.circuit.seed, "background")


@dataclass
class BrianNetwork:
    """Brian2 objects of one circuit, and which of them to read afterwards."""

    objects: list[Any]
    spike_monitors: dict[str, Any]
    state_monitors: list[tuple[Recording, str, Any, np.ndarray]]


def plan_groups(circuit: Circuit) -> tuple[GroupPlan, ...]:
    """Group the populations of a circuit by the structure of their cells."""
    by_structure: dict[object, list[Population]] = {}
    for population in circuit.populations:
        by_structure.setdefault(structure(population.cell), []).append(population)
    plans: list[GroupPlan] = []
    for populations in by_structure.values():
        members, start = [], 0
        for population in populations:
            members.append(Member(population, start))
            start += population.size
        name = f"cells{len(plans)}"
        plans.append(GroupPlan(name, cell_equations(populations[0].cell), tuple(members)))
    return tuple(plans)


def plan_synapses(circuit: Circuit, plans: Sequence[GroupPlan]) -> tuple[SynapsesPlan, ...]:
    """Draw all connections and sort them into as few synapses objects as possible."""
    home = {m.name: (plan, m) for plan in plans for m in plan.members}
    pieces: dict[tuple[Any, ...], list[tuple[np.ndarray, ...]]] = {}
    keys: dict[tuple[Any, ...], list[str]] = {}
    for projection in circuit.projections:
        drawn = connectivity.connect(circuit, projection)
        (pre_plan, pre), (post_plan, post) = home[projection.pre], home[projection.post]
        for index, (compartment, _) in enumerate(projection.compartments):
            chosen = np.flatnonzero(drawn.compartment == index)
            if not len(chosen):
                continue
            plastic = projection.stp is not None
            key = (pre_plan.name, post_plan.name, compartment, projection.receptors, plastic)
            labels = keys.setdefault(key, [])
            labels.append(projection.key)
            number = np.full(len(chosen), len(labels) - 1, dtype=np.int32)
            piece = (drawn.pre[chosen] + pre.start, drawn.post[chosen] + post.start, number)
            pieces.setdefault(key, []).append((*piece, drawn.weight[chosen], drawn.delay[chosen]))
    by_name = {plan.name: plan for plan in plans}
    result = []
    for number_, (key, parts) in enumerate(pieces.items()):
        i, j, projection_, weight, delay = (np.concatenate(c) for c in zip(*parts, strict=True))
        pre_name, post_name, compartment, receptors, plastic = key
        result.append(
            SynapsesPlan(
                f"synapses{number_}", by_name[pre_name], by_name[post_name], compartment, receptors,
                plastic, i, j, projection_, tuple(keys[key]), weight, delay,
            )
        )  # fmt: skip
    return tuple(result)


def same_wiring(a: SynapsesPlan, b: SynapsesPlan) -> bool:
    """Whether two plans join the same cells with the same delays."""
    same = np.array_equal(a.i, b.i) and np.array_equal(a.j, b.j)
    return same and np.array_equal(a.delay, b.delay) and a.receptors == b.receptors


def stimulus_table(
    circuit: Circuit, plan: GroupPlan, stimuli: Sequence[Current], duration: float, dt: float
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Injected currents of a group: per compartment the distinct courses and each cell's course."""
    times = np.arange(round(duration / dt) + 1) * dt
    result: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    for comp in sorted({s.compartment for s in stimuli}):
        received: list[list[int]] = [[] for _ in range(plan.size)]
        currents = [s for s in stimuli if s.compartment == comp]
        for index, stimulus in enumerate(currents):
            for cell in target_cells(circuit, plan, stimulus):
                received[cell].append(index)
        if any(received):
            result[comp] = current_courses(received, currents, times)
    return result


def current_courses(
    received: Sequence[Sequence[int]], currents: Sequence[Current], times: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Distinct sums of currents (times x courses, the first is zero), and which each target has.

    `received` are the indices of the currents of each target.
    """
    columns: list[np.ndarray] = [np.zeros(len(times))]
    combination: dict[tuple[int, ...], int] = {(): 0}
    which = np.zeros(len(received), dtype=int)
    for target, indices in enumerate(received):
        key = tuple(indices)
        if key not in combination:
            combination[key] = len(columns)
            columns.append(np.sum([currents[k].current(times) for k in key], axis=0))
        which[target] = combination[key]
    return np.stack(columns, axis=1), which


def target_cells(circuit: Circuit, plan: GroupPlan, stimulus: Stimulus) -> list[int]:
    """Indices in the group of the cells that a stimulus reaches."""
    found = []
    for name, cells in stimulated(circuit, stimulus):
        member = plan.member(name)
        if member is not None:
            found += [member.start + c for c in cells]
    return found


def backgrounds_of(plan: GroupPlan) -> dict[tuple[str, str, Any], list[tuple[Member, Background]]]:
    """Background inputs of a group by what they open."""
    found: dict[tuple[str, str, Any], list[tuple[Member, Background]]] = {}
    for m in plan.members:
        for b in m.population.backgrounds:
            found.setdefault((b.name, b.compartment, b.receptors), []).append((m, b))
    return found


def background_code(plan: GroupPlan, dt: float) -> tuple[list[str], str, Values]:
    """Declarations, per-step code and values of the Poisson background of a group."""
    declarations, lines, values = [], [], {}
    for (name, comp, receptors), users in backgrounds_of(plan).items():
        lam, weight, count = f"lam_{name}_{comp}", f"weight_{name}_{comp}", f"events_{name}_{comp}"
        declarations += [f"{lam} : 1 (constant)", f"{weight} : 1 (constant)"]
        lines.append(f"{count} = poisson({lam})")
        cell = users[0][0].population.cell
        for receptor, share in receptors:
            state = synaptic_state(cell, comp, receptor)
            lines.append(f"{state} += {share!r} * {weight} * {count}")
        rates, weights = np.zeros(plan.size), np.zeros(plan.size)
        for m, b in users:
            rates[m.start : m.stop] = b.rate.si * dt
            weights[m.start : m.stop] = b.weight.si / NANOSIEMENS
        values[plan.name, lam], values[plan.name, weight] = rates, weights
    return declarations, "\n".join(lines), values


def synaptic_state(cell: Cell, comp: str, receptor: str) -> str:
    """Variable that a presynaptic spike increments."""
    kind = next(r.kind for r in cell.compartment(comp).receptors if r.name == receptor)
    return f"s_{dendrify_kind(kind)}_{receptor}_{comp}"


SYNAPSE_MODEL = "weight : 1 (constant)"
PLASTIC_MODEL = """weight : 1 (constant)
U : 1 (constant{shared})
U_rest : 1 (constant{shared})
tau_rec : second (constant{shared})
tau_facil : second (constant{shared})
u : 1
x : 1
last_spike : second"""
PLASTIC_CODE = """u = u * exp(-(t - last_spike) / tau_facil)
x = 1 + (x - 1) * exp(-(t - last_spike) / tau_rec)
u = u + U * (1 - u)
released = u * x
x = x - released
last_spike = t
{opening}"""


def synapse_equations(plan: SynapsesPlan, shared: bool) -> tuple[str, str]:
    """Model and on_pre code of a synapses object."""
    cell = plan.post.members[0].population.cell
    states = [(synaptic_state(cell, plan.compartment, r), share) for r, share in plan.receptors]
    size = "weight * released / U_rest" if plan.plastic else "weight"
    opening = "\n".join(f"{state}_post += {share!r} * {size}" for state, share in states)
    if not plan.plastic:
        return SYNAPSE_MODEL, opening
    flag = ", shared" if shared else ""
    return PLASTIC_MODEL.format(shared=flag), PLASTIC_CODE.format(opening=opening)


def stimulus_currents(stimuli: Sequence[Stimulus]) -> list[Current]:
    """The stimuli that are injected currents."""
    return [s for s in stimuli if isinstance(s, CurrentClamp | CurrentWaveform)]


def stimulus_events(stimuli: Sequence[Stimulus]) -> list[SynapticEvents]:
    """The stimuli that are spikes at synapses."""
    return [s for s in stimuli if isinstance(s, SynapticEvents)]


def recorded_variable(plan: GroupPlan, recording: Recording) -> str:
    """Brian2 name of a recorded variable; an error names the nearest."""
    wanted = f"{recording.compartment}.{recording.variable}"
    states = {what: name for name, what in plan.equations.states.items() if not what.endswith(".s")}
    if wanted not in states:
        raise unknown_name("recorded variable", wanted, sorted(states))
    name = states[wanted]
    return f"{CONDUCTANCE}{name}" if wanted.endswith(".g") and name[:2] in ("x_", "s_") else name


NAMESPACE = dict(MAGNESIUM_BLOCK)
