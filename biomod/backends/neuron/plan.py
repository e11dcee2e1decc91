"""What a job asks of NEURON: checks, connections, parameter values; needs no simulator."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from biomod.backends.job import Job
from biomod.backends.neuron.nmodl import (
    Mechanism,
    channel_mechanism,
    gap_mechanism,
    pool_mechanism,
    receptor_mechanism,
)
from biomod.backends.parameters import jumping_gate
from biomod.backends.population import PopulationValues
from biomod.backends.targets import recorded_cells, recorded_part, stimulated
from biomod.errors import ModelError
from biomod.mechanisms import connectivity
from biomod.mechanisms.gap_junctions import GapPairs, gap_pairs
from biomod.model import Cell, Circuit, SynapticEvents
from biomod.model.circuit import check_receptor
from biomod.units import parse_unit

METHODS = ("crank_nicolson", "cvode")


@dataclass(frozen=True)
class Member:
    """A population and the gid of its first cell."""

    name: str
    start: int
    size: int

    @property
    def stop(self) -> int:
        """Gid after that of its last cell."""
        return self.start + self.size


@dataclass(frozen=True)
class Group:
    """All cells, as one group: their indices are their gids."""

    members: tuple[Member, ...]
    name: str = "cells"


@dataclass(frozen=True)
class Target:
    """Where NEURON keeps a parameter, and the factor from SI to its unit there."""

    compartment: str
    part: str  # "pas", "calcium", or the name of a channel or receptor
    attribute: str
    factor: float


@dataclass(frozen=True)
class Plan:
    """Everything about a job that needs no NEURON."""

    job: Job
    members: tuple[Member, ...]
    values: Mapping[str, PopulationValues]
    connections: Mapping[str, connectivity.Connections]
    gaps: Mapping[str, GapPairs]
    core: bool = False  # whether CoreNEURON advances the cells

    @property
    def synapse_count(self) -> int:
        """Number of synapses."""
        return sum(len(c) for c in self.connections.values())

    @property
    def groups(self) -> tuple[Group, ...]:
        """What spikes are counted by."""
        return (Group(self.members),)

    def member(self, population: str) -> Member:
        """The member of that population."""
        return next(m for m in self.members if m.name == population)


def make_plan(job: Job, core: bool = False) -> Plan:
    """Check a job, and draw its connections and heterogeneity.

    Raises
    ------
    ModelError
        The job has what NEURON does not simulate here, or a wrong stimulus or recording.
    """
    circuit = job.circuit
    for population in circuit.populations:
        check_cell(population.cell)
    if job.method not in METHODS:
        raise ModelError(
            f"the neuron backend has the methods {' and '.join(METHODS)}, not {job.method}"
        )
    members, start = [], 0
    for population in circuit.populations:
        members.append(Member(population.name, start, population.size))
        start += population.size
    for stimulus in job.stimuli:
        for target, _ in stimulated(circuit, stimulus):
            if isinstance(stimulus, SynapticEvents):
                where = circuit.population(target).cell.compartment(stimulus.compartment)
                check_receptor(where, stimulus.receptor, f"stimulus of {target}")
    for recording in job.recordings:
        recorded_part(recorded_cells(circuit, recording)[0].cell, recording)
    return Plan(
        job=job,
        members=tuple(members),
        values={p.name: PopulationValues(circuit, p, job.dt) for p in circuit.populations},
        connections={p.key: connectivity.connect(circuit, p) for p in circuit.projections},
        gaps={j.key: gap_pairs(circuit, j) for j in circuit.gap_junctions},
        core=core,
    )


def check_cell(cell: Cell) -> None:
    """Raise :class:`ModelError` for what the neuron backend cannot simulate."""
    if cell.fidelity != "hh":
        raise ModelError(
            f"the neuron backend simulates cells of fidelity hh only; {cell.name} is "
            f"{cell.fidelity} (use numpy, cython, cpp or cuda)"
        )
    jumping = jumping_gate(cell)
    if jumping:
        raise ModelError(f"the neuron backend has no spike_jump; gate {jumping} has one")


def mechanisms(circuit: Circuit) -> Iterator[Mechanism]:
    """Every mechanism that a circuit needs; one may come several times."""
    for population in circuit.populations:
        for c in population.cell.compartments:
            yield from (channel_mechanism(channel) for channel in c.channels)
            yield from (receptor_mechanism(receptor) for receptor in c.receptors)
            if c.calcium is not None:
                yield pool_mechanism()
    if circuit.gap_junctions:
        yield gap_mechanism()


def parameter_targets(cell: Cell) -> dict[str, Target]:
    """Where every parameter that is a number in NEURON too is kept, by path.

    Sizes, capacitance and temperature are not here: NEURON knows areas and speeds.
    """
    found: dict[str, Target] = {}
    for c in cell.compartments:
        n = c.name
        found[f"{n}.g_leak"] = Target(n, "pas", "g", 1e-4)
        found[f"{n}.E_leak"] = Target(n, "pas", "e", 1e3)
        for channel in c.channels:
            path = f"{n}.{channel.name}"
            found[f"{path}.g_max"] = Target(n, channel.name, "gbar", 1e-4)
            found[f"{path}.E_rev"] = Target(n, channel.name, "e", 1e3)
            for k in channel.constants:
                factor = 1 / parse_unit(k.unit)[0]
                found[f"{path}.{k.name}"] = Target(n, channel.name, f"k_{k.name}", factor)
        for receptor in c.receptors:
            path = f"{n}.{receptor.name}"
            fields = {"E_rev": ("e", 1e3), "tau_decay": ("tau_decay", 1e3), "gain": ("gain", 1.0)}
            if receptor.tau_rise is not None:
                fields["tau_rise"] = ("tau_rise", 1e3)
            if receptor.mg is not None:
                fields["mg"] = ("mg", 1.0)  # mol/m3 is mM
            for field, (attribute, factor) in fields.items():
                found[f"{path}.{field}"] = Target(n, receptor.name, attribute, factor)
        if c.calcium is not None:
            path = f"{n}.calcium"
            found[f"{path}.tau_decay"] = Target(n, "calcium", "tau", 1e3)
            found[f"{path}.gamma"] = Target(n, "calcium", "gamma", 1.0)
            found[f"{path}.depth"] = Target(n, "calcium", "depth", 1e6)
            found[f"{path}.cai_rest"] = Target(n, "calcium", "rest", 1.0)
    return found


def one(value: Any, cell: int) -> float:
    """Value of one cell of a parameter that may vary."""
    return float(value) if np.ndim(value) == 0 else float(value[cell])
