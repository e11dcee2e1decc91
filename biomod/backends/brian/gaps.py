"""Gap junctions: currents between cells of the same or of two neuron groups.

The current into a compartment is ``sum_j g_j (v_j - v)``. Its own voltage is advanced with it, as
with any conductance; those of the other cells are the ones at the beginning of the step, as in
NEURON, which makes an error of first order in dt.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from biomod.errors import ModelError
from biomod.mechanisms.gap_junctions import gap_pairs
from biomod.model import Circuit

if TYPE_CHECKING:
    from biomod.backends.brian.network import GroupPlan, Values


@dataclass(frozen=True, eq=False)
class GapPlan:
    """Junctions from cells i of one group to cells j of another; each pair is in two plans.

    Where both cells are in one group, both directions are in one plan.
    """

    name: str
    pre: GroupPlan
    post: GroupPlan
    compartment: str
    i: np.ndarray
    j: np.ndarray
    g: np.ndarray

    @property
    def variable(self) -> str:
        """Variable of the post group that sums ``g_j v_j``."""
        return f"J_{self.name}_{self.compartment}"


def total(compartment: str) -> str:
    """Variable that holds the sum of a compartment's junctional conductances."""
    return f"G_gap_{compartment}"


def plan_gaps(circuit: Circuit, plans: Sequence[GroupPlan]) -> tuple[GapPlan, ...]:
    """Draw all gap junctions and sort them into as few objects as possible."""
    home = {m.name: (plan, m) for plan in plans for m in plan.members}
    pieces: dict[tuple[str, str, str], list[tuple[np.ndarray, ...]]] = {}
    for rule in circuit.gap_junctions:
        pairs = gap_pairs(circuit, rule)
        (plan_a, a), (plan_b, b) = home[rule.a], home[rule.b]
        if not len(pairs):
            continue
        at_a, at_b = pairs.a + a.start, pairs.b + b.start
        for pre, post, i, j in ((plan_b, plan_a, at_b, at_a), (plan_a, plan_b, at_a, at_b)):
            key = pre.name, post.name, rule.compartment
            pieces.setdefault(key, []).append((i, j, pairs.g))
    by_name = {plan.name: plan for plan in plans}
    result = []
    for number, ((pre_name, post_name, compartment), parts) in enumerate(pieces.items()):
        i, j, g = (np.concatenate(c) for c in zip(*parts, strict=True))
        order = np.lexsort((i, j))
        pre, post = by_name[pre_name], by_name[post_name]
        name = f"gaps{number}"
        result.append(GapPlan(name, pre, post, compartment, i[order], j[order], g[order]))
    return tuple(result)


def incoming(gaps: Sequence[GapPlan], group: GroupPlan) -> dict[str, list[str]]:
    """Variables that sum what flows into a group, by compartment."""
    found: dict[str, list[str]] = {}
    for plan in gaps:
        if plan.post.name == group.name:
            found.setdefault(plan.compartment, []).append(plan.variable)
    return found


def with_gaps(model: str, gaps: Mapping[str, Sequence[str]]) -> str:
    """Equations of a group to which the currents through its gap junctions are added."""
    lines = []
    for compartment, sums in gaps.items():
        current = f"I_gap_{compartment}"
        model = re.sub(rf"= I_ext_{compartment}\b", rf"\g<0> + {current}", model, count=1)
        inward = " + ".join(sums)
        lines.append(f"{current} = {inward} - {total(compartment)} * V_{compartment} :amp")
        lines.append(f"{total(compartment)} : siemens (constant)")
        lines += [f"{name} : amp" for name in sums]
    return "\n".join([model, *lines])


def gap_objects(gaps: Sequence[GapPlan], groups: Mapping[str, Any]) -> list[Any]:
    """Brian2 objects that bring the voltages of the coupled cells to each other."""
    import brian2 as b2

    objects = []
    for plan in gaps:
        v = f"V_{plan.compartment}_pre"
        made = b2.Synapses(
            groups[plan.pre.name],
            groups[plan.post.name],
            f"g_gap : siemens (constant)\n{plan.variable}_post = g_gap * {v} : amp (summed)",
            name=plan.name,
        )
        made.connect(i=plan.i, j=plan.j)
        for updater in made.summed_updaters.values():
            # Before any group moves: both cells of a pair see the voltages of one moment.
            updater.when = "start"
        objects.append(made)
    return objects


def gap_values(gaps: Sequence[GapPlan]) -> Values:
    """Conductance of every junction, and the sum of those of every compartment."""
    values: Values = {}
    for plan in gaps:
        values[plan.name, "g_gap"] = plan.g
        key = plan.post.name, total(plan.compartment)
        values.setdefault(key, np.zeros(plan.post.size))
        values[key] = values[key] + np.bincount(plan.j, plan.g, plan.post.size)
    return values


def check_step(gaps: Sequence[GapPlan], capacitance: Values, dt: float) -> None:
    """Refuse a time step in which junctions would equalise the cells, where the scheme swings.

    Raises
    ------
    ModelError
        The junctions of a cell add up to more than ``C / dt``.
    """
    totals = {k: g for k, g in gap_values(gaps).items() if k[1].startswith("G_gap_")}
    for (group, variable), g in totals.items():
        compartment = variable.removeprefix("G_gap_")
        ratio = float(np.max(g * dt / capacitance[group, f"C_{compartment}"]))
        if ratio > 1:
            raise ModelError(
                f"gap junctions: those of one cell at {compartment} add up to "
                f"{ratio:.3g} times C / dt; use a dt below {dt / ratio * 1e3:.3g} ms"
            )
