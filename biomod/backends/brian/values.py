"""Values of everything that a circuit's Brian2 objects hold, as arrays.

Heterogeneity and modulation go into the parameters of the cells and synapses; the states start
at the rest of each cell.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from biomod.backends.brian.network import GroupPlan, Member, SynapsesPlan, Values
from biomod.backends.parameters import NANOSIEMENS, area, brian_values, linear_variable
from biomod.backends.population import PopulationValues
from biomod.backends.resting import resting_states
from biomod.errors import ModelError
from biomod.mechanisms import neuromodulation as nm
from biomod.model import Circuit


def shared_variables(plan: GroupPlan, values: Mapping[str, PopulationValues]) -> set[str]:
    """Parameters that need one value for the whole group instead of one per cell."""
    members = [values[m.name] for m in plan.members]
    nominal = [brian_values(v.cell, v.nominal.__getitem__, v.dt) for v in members]
    names = set(plan.equations.parameters)
    if len(members) == 1:
        arrays = {k for k, v in members[0].brian().items() if np.ndim(v)}
        return names - arrays
    equal = {k for k in names if len({float(n[k]) for n in nominal}) == 1}
    return equal - set().union(*(v.varying() for v in members))


def group_values(
    plan: GroupPlan,
    values: Mapping[str, PopulationValues],
    shared: set[str],
    courses: Mapping[str, Mapping[str, nm.Course]],
) -> Values:
    """Arrays for all parameters of a group at the first moment of the modulation."""
    per_member = [values[m.name].brian(courses.get(m.name)) for m in plan.members]
    result: Values = {}
    for name in plan.equations.parameters:
        if name in shared:
            result[plan.name, name] = np.array(per_member[0][name], dtype=float)
            continue
        pieces = [
            np.broadcast_to(np.asarray(v[name], dtype=float), m.population.size)
            for m, v in zip(plan.members, per_member, strict=True)
        ]
        result[plan.name, name] = np.concatenate(pieces)
    return result


def initial_values(
    plan: GroupPlan,
    values: Mapping[str, PopulationValues],
    courses: Mapping[str, Mapping[str, nm.Course]],
) -> Values:
    """Resting voltages, gates in equilibrium there, dendritic spikes long past."""
    states: dict[str, list[np.ndarray]] = {}
    for m in plan.members:
        size = m.population.size
        own = values[m.name].brian(courses.get(m.name))
        voltages, gates = resting_states(m.population.cell, own, size)
        for variable, what in plan.equations.states.items():
            comp, _, rest_of = what.partition(".")
            value = voltages[comp] if rest_of == "v" else gates.get(what, np.zeros(size))
            states.setdefault(variable, []).append(value)
    result: Values = {(plan.name, k): np.concatenate(v) for k, v in states.items()}
    for variable, number in plan.equations.initial.items():
        result[plan.name, variable] = np.full(plan.size, number)
    return result


def synapse_values(
    plan: SynapsesPlan, circuit: Circuit, gains: Mapping[str, np.ndarray], one: bool
) -> Values:
    """Arrays of a synapses object at the beginning.

    `one` value each of U and the time constants is enough if all its synapses belong to one
    projection.
    """
    projections = {p.key: p for p in circuit.projections}
    gain = np.array(
        [projections[k].release_gain * float(gains[k][0] if k in gains else 1.0) for k in plan.keys]
    )
    weight = plan.weight / NANOSIEMENS
    if not plan.plastic:
        return {(plan.name, "weight"): weight * gain[plan.projection]}
    stps = [stp for k in plan.keys if (stp := projections[k].stp) is not None]
    U = np.array([s.U for s in stps])
    if (U * gain > 1).any():
        worst = plan.keys[int(np.argmax(U * gain))]
        raise ModelError(
            f"projection {worst}: modulation raises the release probability above 1 "
            f"({(U * gain).max():.3g})"
        )
    per_projection = {
        "U": U * gain,
        "U_rest": U,
        "tau_rec": np.array([s.tau_rec.si for s in stps]),
        "tau_facil": np.array([s.tau_facil.si for s in stps]),
    }
    values: Values = {(plan.name, "weight"): weight}
    for name, numbers in per_projection.items():
        values[plan.name, name] = numbers[0] if one else numbers[plan.projection]
    size = len(plan.weight)
    values[plan.name, "x"] = np.ones(size)
    values[plan.name, "last_spike"] = np.full(size, -1e3)
    return values


def timed_variables(plan: GroupPlan) -> Iterator[tuple[Member, str, str, str | None]]:
    """Member, path, variable and area compartment of everything that can be modulated."""
    for m in plan.members:
        for path in sorted(nm.modulatable(m.population.cell)):
            variable, compartment = linear_variable(m.population.cell, path)
            yield m, path, variable, compartment


def compartment_area(values: PopulationValues, compartment: str) -> Any:
    """Membrane area of a compartment in m2, per cell where it varies."""
    return area(compartment, values.at)
