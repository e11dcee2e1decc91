"""Layout of circuits of cells with many compartments."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from biomod.backends.brian import network as net
from biomod.backends.brian.equations import CellEquations, cell_equations, kinetics
from biomod.backends.brian.network import GroupPlan, Member, SynapsesPlan
from biomod.backends.job import Job
from biomod.backends.parameters import from_soma, jumping_gate
from biomod.backends.population import PopulationValues
from biomod.errors import ModelError
from biomod.model import Cell, Circuit, Population
from biomod.model.cell import CalciumPool, Compartment
from biomod.model.circuit import check_receptor

# Name of the one compartment that all compartments have the equations of.
HERE = "here"
# Above, the compartments of an hh cell are indices. Named ones cost about a second each to build,
# and are a little faster to simulate where they are few.
MOST_NAMED = 24


@dataclass(frozen=True, eq=False)
class Tree:
    """The cells of one population, and the group of all their compartments.

    Attributes
    ----------
    cells, compartments : GroupPlan
        The group of cells, which has the spikes, and that of their compartments. Compartment k of
        cell c has the index ``c * len(order) + k``.
    order : tuple of str
        The compartments of a cell, the soma first and parents before their children.
    parent : int array
        Place in `order` of the next one towards the soma; -1 of the soma.
    links : tuple of str
        Coupling of each compartment to its parent, as it is called in the equations.
    """

    population: Population
    cells: GroupPlan
    compartments: GroupPlan
    order: tuple[str, ...]
    parent: np.ndarray
    links: tuple[str, ...]

    @property
    def cell(self) -> Cell:
        """The cell type."""
        return self.population.cell

    @property
    def union(self) -> Compartment:
        """The compartment whose equations all have."""
        return self.compartments.members[0].population.cell.soma

    def index(self, cells: Any, compartment: str) -> np.ndarray:
        """Indices of a compartment of these cells in the group of compartments."""
        return np.asarray(cells) * len(self.order) + self.order.index(compartment)


@dataclass(frozen=True)
class TreePlan(net.CircuitPlan):
    """Everything about a job that needs no Brian2: layout, connections, nominal values."""

    trees: tuple[Tree, ...]
    # Distinct injected currents, and which of them each compartment has; by group.
    stimulus: Mapping[str, tuple[np.ndarray, np.ndarray]]

    @property
    def groups(self) -> tuple[GroupPlan, ...]:
        """Groups whose spikes are read."""
        return tuple(tree.cells for tree in self.trees)


def has_trees(circuit: Circuit) -> bool:
    """Whether a circuit has cells of so many compartments that these are to be indices."""
    return any(
        p.cell.fidelity == "hh" and len(p.cell.compartments) > MOST_NAMED
        for p in circuit.populations
    )


def make_plan(job: Job) -> TreePlan:
    """Lay a job out; see :func:`check` for what is refused."""
    check(job)
    circuit = job.circuit
    trees = tuple(_tree(f"cells{k}", p) for k, p in enumerate(circuit.populations))
    values = {p.name: PopulationValues(circuit, p, job.dt) for p in circuit.populations}
    at = {tree.cells.name: tree for tree in trees}
    synapses = tuple(
        _onto_compartments(s, at[s.post.name])
        for s in net.plan_synapses(circuit, [tree.cells for tree in trees])
    )
    return TreePlan(
        job=job,
        synapses=synapses,
        values=values,
        shared={t.compartments.name: _shared(t, values[t.population.name]) for t in trees},
        trees=trees,
        stimulus={t.compartments.name: s for t in trees if (s := _currents(job, t)) is not None},
    )


def check(job: Job) -> None:
    """Raise :class:`ModelError` for what compartments that are indices cannot do."""
    largest = max(job.circuit.populations, key=lambda p: len(p.cell.compartments))
    what = f"cell {largest.cell.name} of {len(largest.cell.compartments)} compartments"
    if job.method != "crank_nicolson":
        raise ModelError(
            f"{what}: above {MOST_NAMED} the method is crank_nicolson, not {job.method}"
        )
    if job.timed:
        raise ModelError(
            f"{what}: modulators whose concentration changes during a run are for cells of at most "
            f"{MOST_NAMED} compartments on the Brian2 backends; use backend='neuron'"
        )
    if job.circuit.gap_junctions:
        raise ModelError(
            f"{what}: gap junctions are for circuits of cells of at most {MOST_NAMED} "
            "compartments on the Brian2 backends; use backend='neuron'"
        )
    for population in job.circuit.populations:
        cell = population.cell
        if cell.fidelity != "hh":
            raise ModelError(f"{what} cannot be in one circuit with dspike cells ({cell.name})")
        jumping = jumping_gate(cell)
        if jumping:
            raise ModelError(
                f"{what}: gates with a spike_jump ({jumping}) are for cells of named compartments"
            )


def same_program(a: TreePlan, b: TreePlan) -> bool:
    """Whether the program of plan `a` can run plan `b`."""
    same = len(a.trees) == len(b.trees) and len(a.synapses) == len(b.synapses)
    for s, t in zip(a.trees, b.trees, strict=False):
        same &= s.population.name == t.population.name and s.population.size == t.population.size
        same &= s.order == t.order and np.array_equal(s.parent, t.parent)
        same &= s.compartments.equations == t.compartments.equations
        name = s.compartments.name
        same &= a.shared[name] <= b.shared.get(name, set())
    for c, d in zip(a.synapses, b.synapses, strict=False):
        same &= net.same_wiring(c, d)
    return same


def _tree(name: str, population: Population) -> Tree:
    cell = population.cell
    towards = from_soma(cell)
    order = (cell.soma.name, *(child for child, _, _ in towards))
    place = {n: k for k, n in enumerate(order)}
    one = Cell(cell.name, (_union(cell),), fidelity="hh")
    equations = cell_equations(one)
    within = {n: u for n, u in equations.parameters.items() if n != "spike_detection"}
    everywhere = replace(equations, parameters=within, threshold="", refractory="")
    above = "V_soma >= spike_detection"
    spiking = CellEquations("V_soma : volt", {"spike_detection": "volt"}, {}, above, "", above, {})
    flat = replace(
        population, cell=one, size=population.size * len(order),
        backgrounds=tuple(b.with_(compartment=HERE) for b in population.backgrounds),
    )  # fmt: skip
    return Tree(
        population,
        GroupPlan(name, spiking, (Member(population, 0),)),
        GroupPlan(f"{name}_compartments", everywhere, (Member(flat, 0),)),
        order,
        np.array([-1, *(place[parent] for _, parent, _ in towards)], dtype=np.int32),
        tuple(g for _, _, g in towards),
    )


def _union(cell: Cell) -> Compartment:
    """A compartment with every channel, receptor and calcium pool that a cell has somewhere."""
    channels = _distinct(cell, "channels", kinetics)
    receptors = _distinct(cell, "receptors", lambda r: (r.kind, r.tau_rise is not None))
    pools = [c.calcium for c in cell.compartments if isinstance(c.calcium, CalciumPool)]
    return replace(
        cell.soma, name=HERE, channels=channels, receptors=receptors,
        calcium=pools[0] if pools else None,
    )  # fmt: skip


def _distinct(cell: Cell, what: str, form: Callable[[Any], object]) -> tuple[Any, ...]:
    found: dict[str, Any] = {}
    for c in cell.compartments:
        for part in getattr(c, what):
            known = found.setdefault(part.name, part)
            if form(known) != form(part):
                raise ModelError(
                    f"cell {cell.name}: the {what} of its compartments have two that are called "
                    f"{part.name} and differ in their equations; give one another name"
                )
    return tuple(found.values())


def _onto_compartments(synapses: SynapsesPlan, tree: Tree) -> SynapsesPlan:
    where = tree.index(synapses.j, synapses.compartment)
    for receptor, _ in synapses.receptors:
        target = tree.cell.compartment(synapses.compartment)
        check_receptor(target, receptor, f"projection {synapses.keys[0]}")
    return replace(synapses, post=tree.compartments, compartment=HERE, j=where)


def _shared(tree: Tree, values: PopulationValues) -> set[str]:
    """Parameters that are one number for all compartments of all cells."""
    from biomod.backends.brian.trees.values import spread

    found, varying = values.brian(), values.varying()
    equal = set()
    for name in tree.compartments.equations.parameters:
        stem = name.removesuffix(HERE)
        numbers = spread(tree, name, found)
        if not varying & {f"{stem}{c}" for c in tree.order} and np.ptp(numbers) == 0:
            equal.add(name)
    return equal


def _currents(job: Job, tree: Tree) -> tuple[np.ndarray, np.ndarray] | None:
    received: list[list[int]] = [[] for _ in range(tree.compartments.size)]
    currents = net.stimulus_currents(job.stimuli)
    for number, stimulus in enumerate(currents):
        cells = net.target_cells(job.circuit, tree.cells, stimulus)
        for k in tree.index(cells, stimulus.compartment) if cells else ():
            received[k].append(number)
    times = np.arange(round(job.duration / job.dt) + 1) * job.dt
    return net.current_courses(received, currents, times) if any(received) else None
