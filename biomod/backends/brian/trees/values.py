"""Values of everything that the Brian2 objects of a :class:`TreePlan` hold, as arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from biomod.backends.brian import network as net
from biomod.backends.brian import values as val
from biomod.backends.brian.network import Values
from biomod.backends.brian.trees.plan import HERE, Tree, TreePlan
from biomod.backends.resting import resting_states
from biomod.mechanisms import neuromodulation as nm

# Where a compartment lacks a mechanism, these are zero and the others of no consequence.
ABSENT = ("gmax_", "g_", "gain_calcium_")


def all_values(plan: TreePlan, modulation: nm.Modulation) -> Values:
    """Every array of every object for one run, keyed by (object, variable)."""
    result: Values = {}
    for tree in plan.trees:
        name = tree.population.name
        courses = {path: c for (p, path), c in modulation.cells.items() if p == name}
        result |= _tree_values(plan, tree, plan.values[name].brian(courses))
        result |= _backgrounds(plan, tree)
        if tree.compartments.name in plan.stimulus:
            which = plan.stimulus[tree.compartments.name][1]
            result[tree.compartments.name, "which_here"] = which.astype(np.int32)
    for s in plan.synapses:
        one = len(s.keys) == 1
        result |= val.synapse_values(s, plan.job.circuit, modulation.projections, one)
    return result


def _tree_values(plan: TreePlan, tree: Tree, own: Mapping[str, Any]) -> Values:
    size, group = tree.population.size, tree.compartments.name
    result: Values = {}
    for name in tree.compartments.equations.parameters:
        numbers = spread(tree, name, own)
        shared = name in plan.shared[group]
        result[group, name] = np.array(numbers.flat[0]) if shared else numbers.ravel()
    result |= {(group, k): v.ravel() for k, v in _couplings(tree, own).items()}
    offset = np.arange(size)[:, None] * len(tree.order)
    parent = np.where(tree.parent < 0, -1, tree.parent + offset)
    result[group, "parent_here"] = parent.astype(np.int32).ravel()
    voltages, states = resting_states(tree.cell, own, size)
    for variable, what in tree.compartments.equations.states.items():
        _, _, rest_of = what.partition(".")
        blank = np.zeros(size)
        columns = [
            voltages[c] if rest_of == "v" else states.get(f"{c}.{rest_of}", blank)
            for c in tree.order
        ]
        result[group, variable] = np.stack(columns, axis=1).ravel()
    soma = np.array(voltages[tree.order[0]], dtype=float)
    result[tree.cells.name, "V_soma"] = soma
    detection = np.broadcast_to(own["spike_detection"], size)
    result[tree.cells.name, "spike_detection"] = np.array(detection, dtype=float)
    return result


def spread(tree: Tree, name: str, own: Mapping[str, Any]) -> np.ndarray:
    """Values of a parameter of the group of compartments, cells x compartments."""
    stem = name.removesuffix(HERE)
    found = [own.get(f"{stem}{c}") for c in tree.order]
    known = next(np.ravel(x)[0] for x in found if x is not None)
    absent = 0.0 if name.startswith(ABSENT) else float(known)
    size = tree.population.size
    columns = [np.broadcast_to(absent if x is None else x, size) for x in found]
    return np.stack(columns, axis=1).astype(float)


def _couplings(tree: Tree, own: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Conductance of each compartment to its parent, and to all neighbours together."""
    size = tree.population.size
    link = np.zeros((size, len(tree.order)))
    for k, name in enumerate(tree.links, 1):
        link[:, k] = own[name]
    axial = link.copy()
    for k in range(1, len(tree.order)):
        axial[:, tree.parent[k]] += link[:, k]
    return {"link_here": link, "axial_here": axial}


def _backgrounds(plan: TreePlan, tree: Tree) -> Values:
    """Rates and weights of the background: zero but at the compartments where it arrives."""
    values = net.background_code(tree.compartments, plan.job.dt)[2]
    for b in tree.population.backgrounds:
        here = np.zeros(tree.compartments.size, dtype=bool)
        here[tree.index(np.arange(tree.population.size), b.compartment)] = True
        key = tree.compartments.name, f"lam_{b.name}_{HERE}"
        values[key] = np.where(here, values[key], 0.0)
    return values
