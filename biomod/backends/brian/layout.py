"""From a job to Brian2 objects and their values, for both ways to lay compartments out.

The compartments of most cells are named variables of one neuron group
(:mod:`~biomod.backends.brian.assemble`); those of cells with many are its indices
(:mod:`~biomod.backends.brian.trees`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from biomod.backends.brian import assemble
from biomod.backends.brian.network import BrianNetwork, Values
from biomod.backends.brian.trees import objects as tree_objects
from biomod.backends.brian.trees import plan as tree_plan
from biomod.backends.brian.trees import values as tree_values
from biomod.backends.job import Job
from biomod.errors import ModelError
from biomod.mechanisms import neuromodulation as nm
from biomod.model import Circuit

Plan = assemble.Plan | tree_plan.TreePlan


def make_plan(job: Job) -> Plan:
    """Lay a job out: draw connections and heterogeneity, decide what is shared."""
    return tree_plan.make_plan(job) if tree_plan.has_trees(job.circuit) else assemble.make_plan(job)


def with_circuit(plan: Plan, circuit: Circuit) -> Plan:
    """The plan of the same program for other parameter values.

    Raises
    ------
    ModelError
        The circuit differs in structure, size or connections, and needs a program of its own.
    """
    job = replace(plan.job, circuit=circuit)
    if replace(plan.job.circuit, modulators=()) == replace(circuit, modulators=()):
        return replace(plan, job=job)
    new = make_plan(job)
    if isinstance(plan, assemble.Plan):
        same = isinstance(new, assemble.Plan) and assemble.same_program(plan, new)
    else:
        same = isinstance(new, tree_plan.TreePlan) and tree_plan.same_program(plan, new)
    if not same:
        raise ModelError(
            "this program was compiled for a circuit of another structure, size or wiring; "
            "compile the new circuit"
        )
    return replace(new, shared=plan.shared)


def all_values(plan: Plan, modulation: nm.Modulation) -> Values:
    """Every array of every object for one run, keyed by (object, variable)."""
    if isinstance(plan, assemble.Plan):
        return assemble.all_values(plan, modulation)
    return tree_values.all_values(plan, modulation)


def timed_tables(plan: Plan, modulation: nm.Modulation) -> dict[str, np.ndarray]:
    """Tables of scale and offset over time, one column per population, by timed array name."""
    return assemble.timed_tables(plan, modulation) if isinstance(plan, assemble.Plan) else {}


def build_objects(plan: Plan, tables: Mapping[str, np.ndarray]) -> BrianNetwork:
    """Brian2 objects of a plan; all values are still to be set."""
    if isinstance(plan, assemble.Plan):
        return assemble.build_objects(plan, tables)
    return tree_objects.build_objects(plan)
