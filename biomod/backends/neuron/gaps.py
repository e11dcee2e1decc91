"""Gap junctions: voltages that processes exchange, and the currents that they drive."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from biomod.backends.neuron.nmodl import gap_mechanism
from biomod.errors import ModelError
from biomod.model import Circuit

if TYPE_CHECKING:
    from biomod.backends.neuron.network import Network


def connect(network: Network) -> None:
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
        population = next(m.name for m in plan.members if m.start <= gid < m.stop)
        number = _number(circuit, population, compartment)
        pc.source_var(section(0.5)._ref_v, gid * most + number, sec=section)
    _check_step(network, totals)
    pc.setup_transfer()


def _number(circuit: Circuit, population: str, compartment: str) -> int:
    names = [c.name for c in circuit.population(population).cell.compartments]
    return names.index(compartment)


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
