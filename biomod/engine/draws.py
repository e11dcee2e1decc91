"""Values that are set by an expression with random numbers, drawn ahead for blocks of cells.

Brian2's template evaluates ``S.w = "exp(0.3*randn())"`` synapse by synapse. Where random numbers
are the engine's own, each a function of seed, number of the assignment since the seed was set, and
index, they are drawn for a block of 256 cells or synapses before a loop that has no call left which
keeps it from being vectorised; and blocks can be shared out among threads.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from brian2.core.functions import DEFAULT_FUNCTIONS, Function

from biomod.engine.calls import Calls, Loop

if TYPE_CHECKING:
    from biomod.engine.generator import EngineGenerator

# With an index for each cell, and with a list of them, in which one may stand twice.
ONE_BY_ONE = "group_variable_set"
INITIAL = {ONE_BY_ONE, "group_variable_set_conditional"}
# All have one stream: after the same seed two assignments draw the same numbers, as in Brian2.
INITIAL_STREAM = "initial values"
# Assignments with random numbers since the seed was set, in place of the time step.
TIMES = "_times"
_RANDOM = {DEFAULT_FUNCTIONS[name] for name in ("rand", "randn", "poisson")}
_OWN_INDEX = {"_idx", "_sub_idx"}  # no two cells have the same


@dataclass
class Drawn:
    """What comes before the loop over a block, as in `Passes`, and the values that the loop reads.

    If it is `independent`, cells may be computed in any order.
    """

    loops: list[Loop]
    statics: list[str]
    values: list[str]
    independent: bool
    buffers: list[tuple[str, str]] = field(default_factory=list)


def draw_ahead(
    generator: EngineGenerator, blocks: dict[str, list[Any]]
) -> tuple[dict[str, list[Any]], Drawn | None]:
    """Take random numbers out of the statements on one cell.

    Parameters
    ----------
    generator : EngineGenerator
        That of the assignment.
    blocks : dict
        Its statements, in the order of their evaluation: the condition if there is one, the rest.

    Returns
    -------
    blocks : dict
        Statements that read what was drawn.
    drawn : Drawn or None
        None if the assignment has no random numbers, or has something that keeps them from being
        drawn ahead: a function of the user's own, or a mean that earlier statements compute.
    """
    functions = [f for f in generator.variables.values() if isinstance(f, Function)]
    if not any(f in _RANDOM or _binomial(f) for f in functions):
        return blocks, None
    calls = Calls(generator)
    rewritten: dict[str, list[Any]] = {}
    for name, statements in blocks.items():
        rewritten[name] = []
        for statement in statements:
            other = copy.copy(statement)
            other.expr = calls.replace(statement)
            rewritten[name].append(other)
    independent = generator.template_name != ONE_BY_ONE and _independent(generator, blocks)
    # What is evaluated before the loop must not depend on what the loop writes.
    evaluated = any(not loop.once for loop in calls.loops)
    if calls.refused or not calls.parallel or (evaluated and not independent):
        return blocks, None
    values = [f"const double {call} = _buffer{call}[_k];" for call in calls.calls]
    buffers = [("double", name) for name in calls.buffers]
    return rewritten, Drawn(calls.loops, calls.statics, values, independent, buffers)


def _binomial(function: Function) -> bool:
    return type(function).__name__ == "BinomialFunction"


def _independent(generator: EngineGenerator, blocks: dict[str, list[Any]]) -> bool:
    """Whether each cell reads and writes what is its own of the arrays that are written."""
    statements = [statement for block in blocks.values() for statement in block]
    read, write, _, _ = generator.arrays_helper(statements)
    indices = generator.variable_indices
    arrays = {name: generator.get_array_name(generator.variables[name]) for name in read | write}
    written = {arrays[name]: indices[name] for name in write}
    return set(written.values()) <= _OWN_INDEX and all(
        written.get(array, indices[name]) == indices[name] for name, array in arrays.items()
    )
