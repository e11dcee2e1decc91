"""What of a program is streamed to disk and what a checkpoint holds, as C++ for the engine."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from brian2.core.functions import DEFAULT_FUNCTIONS, Function
from brian2.core.variables import DynamicArrayVariable

MONITORS = ("spikemonitor", "statemonitor", "ratemonitor")
# A variable that C++ keeps between two calls; neither a function nor a constant.
STATIC_VARIABLE = re.compile(r"\bstatic\s+(?!inline\b|const)[\w:<>,\s*&]+?[=;\[{]")

_SOURCE = """\
// What a checkpoint holds, and which arrays are streamed to disk.
#include <type_traits>

#include "brianlib/engine_checkpoint.h"
#include "brianlib/engine_random.h"
#include "objects.h"

static_assert(std::is_trivially_copyable<brian::RandomGenerator>::value, "it is saved as bytes");

void _engine_list_objects()
{{
    using namespace brian;
{lines}
}}
"""


class CheckpointError(RuntimeError):
    """A checkpoint cannot be written, or not be resumed from."""


def checkpoint_environment(
    every: float, resume: bool, keep: bool = False, identity: str = ""
) -> dict[str, str]:
    """Variables of the environment that tell a program about checkpoints.

    Parameters
    ----------
    every : float
        Simulated time between two checkpoints in s; 0 for none.
    resume : bool
        Whether to take up the newest one there is.
    keep : bool
        Whether the last ones stay when the program has ended.
    identity : str
        What besides program, data and arguments decides the result: other checkpoints are refused.
    """
    return {
        "BIOMOD_CHECKPOINT_EVERY": repr(every),
        "BIOMOD_RESUME": str(int(resume)),
        "BIOMOD_KEEP_CHECKPOINTS": str(int(keep)),
        "BIOMOD_IDENTITY": identity,
    }


@contextmanager
def restored(names: Iterable[str]) -> Iterator[None]:
    """Give variables of this process's environment back the values that they have now."""
    before = {name: os.environ.get(name) for name in names}
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


def objects_source(device: Any, others: Iterable[str]) -> str:
    """C++ that lists everything that can change in the program of a device, behind other lines."""
    streamed = streamed_arrays(device)
    lines = ['keep_one("random key", engine::random_key);']
    lines.append('keep("random numbers", _random_generators);')
    for network in sorted(n.name for n in device.networks):
        lines.append(f'keep_one("time of {network}", {network}.t);')
    for var, name in sorted(device.arrays.items(), key=lambda item: item[1]):
        if not isinstance(var, DynamicArrayVariable):
            lines.append(f'keep("{name}", {name}, _num_{name});')
    dynamic = device.dynamic_arrays | device.dynamic_arrays_2d
    for var, name in sorted(dynamic.items(), key=lambda item: item[1]):
        lines.append(f'keep("{name}", {name});')
        if var in streamed:
            lines.append(f'record("{device.get_array_filename(var)}", {name});')
    lines = [*others, *(f"engine::{line}" for line in lines)]
    return _SOURCE.format(lines="\n".join(f"    {line}" for line in lines))


def streamed_arrays(device: Any) -> set[Any]:
    """Arrays that monitors append to and that nothing else in the program reads."""
    recorded: set[Any] = set()
    read: set[Any] = set()
    for codeobj in device.code_objects.values():
        used = {v for v in codeobj.variables.values() if isinstance(v, DynamicArrayVariable)}
        if codeobj.template_name in MONITORS:
            own = {v for v in used if v.owner.name == codeobj.owner.name}
            recorded |= own
            used -= own
        read |= used
    return recorded - read


def prepared(entry: tuple[str, Any]) -> tuple[str, Any]:
    """An entry of the main queue, with what is run before and after a run called by the engine."""
    kind, arguments = entry
    if kind == "before_run_code_object":
        (codeobj,) = arguments
        part = f"{codeobj.owner.name} {codeobj.template_name}"
        return "insert_code", f'engine::before_run("{part}", _before_run_{codeobj.name});'
    if kind == "after_run_code_object":
        (codeobj,) = arguments
        return "insert_code", f"engine::after_run(_after_run_{codeobj.name});"
    return entry


def check_functions(device: Any) -> None:
    """Refuse functions with a memory of their own, which no checkpoint would hold.

    Raises
    ------
    NotImplementedError
        The C++ of a user's function has a static variable.
    """
    own = set(DEFAULT_FUNCTIONS.values())
    for codeobj in device.code_objects.values():
        for name, function in codeobj.variables.items():
            if not isinstance(function, Function) or function in own:
                continue
            found = STATIC_VARIABLE.search(_code(function, codeobj))
            if found:
                raise NotImplementedError(
                    f"biomod_cpp: the function {name} has a static variable ({found[0]!r}), which "
                    "a checkpoint does not hold; make it a variable of the group"
                )


def _code(function: Any, codeobj: Any) -> str:
    implementation = function.implementations[type(codeobj)]
    code = implementation.get_code(codeobj.owner) or ""
    return code if isinstance(code, str) else str(code.get("support_code") or "")
