"""Brian2 objects of circuits of cells with many compartments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from biomod.backends.brian import network as net
from biomod.backends.brian.assemble import event_objects, synapses_object
from biomod.backends.brian.equations import STIMULUS
from biomod.backends.brian.integration import balance, completion
from biomod.backends.brian.trees.plan import HERE, Tree, TreePlan
from biomod.backends.brian.trees.solver import solver
from biomod.backends.targets import recorded_cells, recorded_part
from biomod.model.circuit import check_receptor

# What the compartments hold for the solver besides the variables of their membrane.
TREE_VARIABLES = """
total_here : siemens
drive_here : amp
middle_here : volt
link_here : siemens (constant)
axial_here : siemens (constant)
parent_here : integer (constant)
"""


def build_objects(plan: TreePlan) -> net.BrianNetwork:
    """Brian2 objects of a plan; all values are still to be set."""
    import brian2 as b2

    groups: dict[str, Any] = {}
    for tree in plan.trees:
        groups[tree.compartments.name] = compartments = _compartments(plan, tree)
        groups[tree.cells.name] = _cells(tree, compartments)
    objects = list(groups.values())
    objects += [synapses_object(plan.job, s, groups, {}) for s in plan.synapses]
    objects += _events(plan, groups)
    spikes = {
        name: b2.SpikeMonitor(groups[name], name=f"{name}_spikes")
        for name in (tree.cells.name for tree in plan.trees)
    }
    states = [_monitor(plan, groups, k, r) for k, r in enumerate(plan.job.recordings)]
    objects += [*spikes.values(), *(m for _, _, m, _ in states)]
    return net.BrianNetwork(objects, spikes, states)


def _compartments(plan: TreePlan, tree: Tree) -> Any:
    """The group of all compartments; its state updater completes what the solver begins."""
    import brian2 as b2

    group, union = tree.compartments, tree.union
    namespace: dict[str, Any] = dict(net.NAMESPACE)
    lines = [group.equations.model, TREE_VARIABLES]
    for name, unit in group.equations.parameters.items():
        flags = "shared, constant" if name in plan.shared[group.name] else "constant"
        lines.append(f"{name} : {unit} ({flags})")
    if group.name in plan.stimulus:
        table = plan.stimulus[group.name][0] * b2.amp
        name = f"{group.name}_stim"
        namespace[name] = b2.TimedArray(table, plan.job.dt * b2.second, name=name)
        lines.append(f"{STIMULUS}_{HERE} = {name}(t, which_here) : amp")
        lines.append("which_here : integer (constant)")
    else:
        lines.append(f"{STIMULUS}_{HERE} = 0*amp : amp")
    declarations, background, _ = net.background_code(group, plan.job.dt)
    last = "\n".join([f"_U_{HERE} = middle_here", *completion(union)])
    made = b2.NeuronGroup(
        group.size,
        "\n".join(lines + declarations),
        method=lambda equations, variables=None, method_options=None: last,
        namespace=namespace,
        name=group.name,
    )
    if background:
        made.run_regularly(background, when="start", name=f"{group.name}_background")
    first = [*balance(union, " + axial_here"), f"total_here = _G_{HERE}", f"drive_here = _J_{HERE}"]
    made.run_regularly("\n".join(first), when="groups", order=-2, name=f"{group.name}_balance")
    return made


def _cells(tree: Tree, compartments: Any) -> Any:
    """The group of cells, which solve their trees and have their spikes."""
    import brian2 as b2

    equations, function = tree.cells.equations, f"{tree.cells.name}_solve"
    lines = [equations.model]
    lines += [f"{name} : {unit} (constant)" for name, unit in equations.parameters.items()]
    made = b2.NeuronGroup(
        tree.cells.size,
        "\n".join(lines),
        threshold=equations.threshold,
        refractory=equations.refractory,
        namespace={function: solver(function, compartments, len(tree.order))},
        name=tree.cells.name,
    )
    made.run_regularly(
        f"V_soma = {function}(i)*volt", when="groups", order=-1, name=f"{tree.cells.name}_step"
    )
    return made


def _events(plan: TreePlan, groups: Mapping[str, Any]) -> list[Any]:
    objects: list[Any] = []
    for number, stimulus in enumerate(net.stimulus_events(plan.job.stimuli)):
        for tree in plan.trees:
            cells = net.target_cells(plan.job.circuit, tree.cells, stimulus)
            if not cells:
                continue
            compartment = tree.cell.compartment(stimulus.compartment)
            check_receptor(compartment, stimulus.receptor, f"stimulus of {tree.cell.name}")
            state = net.synaptic_state(
                tree.compartments.members[0].population.cell, HERE, stimulus.receptor
            )
            where = tree.index(cells, stimulus.compartment).tolist()
            name = f"events{number}_{tree.cells.name}"
            target = groups[tree.compartments.name]
            objects += event_objects(name, stimulus, state, target, where, plan.job.dt)
    return objects


def _monitor(plan: TreePlan, groups: Mapping[str, Any], number: int, recording: Any) -> Any:
    import brian2 as b2

    population, cells = recorded_cells(plan.job.circuit, recording)
    tree = next(t for t in plan.trees if t.population.name == population.name)
    recorded_part(tree.cell, recording)
    variable = net.recorded_variable(tree.compartments, replace(recording, compartment=HERE))
    # A clock of its own costs time at every step; without one the monitor has the network's.
    clock = {} if recording.interval is None else {"dt": recording.interval.si * b2.second}
    monitor = b2.StateMonitor(
        groups[tree.compartments.name], variable,
        record=tree.index(cells, recording.compartment), name=f"state{number}", **clock,
    )  # fmt: skip
    return recording, variable, monitor, cells
