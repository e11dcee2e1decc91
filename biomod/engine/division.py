"""What decides whether the cells of a code object can be divided among threads."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from brian2.core.functions import DEFAULT_FUNCTIONS, Function
from brian2.core.preferences import prefs
from brian2.core.variables import ArrayVariable
from brian2.devices.device import get_device
from brian2.input.timedarray import TimedArray
from brian2.utils.stringtools import get_identifiers

from biomod.engine.constants import integer
from biomod.engine.fusion import Divisible

if TYPE_CHECKING:
    from biomod.engine.generator import EngineGenerator


def stateless(statements: Mapping[Any, Any], variables: Mapping[str, Any]) -> bool:
    """Whether the statements before a loop may be evaluated by each thread."""
    for statement in (s for some in statements.values() for s in some):
        if statement.op != ":=":
            return False
        for name in get_identifiers(statement.expr):
            function = variables.get(name)
            if not isinstance(function, Function) or isinstance(function, TimedArray):
                continue
            if name not in DEFAULT_FUNCTIONS or not function.stateless:
                return False
    return True


def divisible(generator: EngineGenerator, statements: list[Any], checked: bool) -> Divisible:
    """What decides with which others a code object can be in one phase."""
    _, write, _, _ = generator.arrays_helper(statements)
    variables = generator.variables
    events = None
    if generator.template_name == "threshold":
        spaces = [n for n in variables if n.startswith("_") and n.endswith("space")]
        (events,) = (global_name(variables[name]) for name in spaces)
        write = write | {"not_refractory", "lastspike"} & set(variables)
    arrays = {n: v for n, v in variables.items() if isinstance(v, ArrayVariable)}
    size = variables["N"]
    calls = sum(len(re.findall(r"\w\(", s.expr)) for s in statements)
    return Divisible(
        owner=generator.owner.name,
        cells=f"{global_name(size)}[0]" if "N" in arrays else integer(size.get_value()),
        cost=len(statements) + 2.0 * calls,
        writes=sorted({global_name(arrays[n]) for n in write}.union([events] if events else [])),
        shared=sorted(
            global_name(v) for n, v in arrays.items() if generator.variable_indices[n] != "_idx"
        ),
        events=events,
        checked=checked and prefs.devices.biomod_cpp.check_interval > 0,
    )


def global_name(variable: ArrayVariable) -> str:
    """The name of a variable's array in the program."""
    return str(get_device().get_array_name(variable, access_data=False))
