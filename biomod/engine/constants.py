"""Numbers of a program as data that it reads at its start, not as text in its source.

Whoever writes source text writes a number as a mark, `real(0.01)` or `integer(100)`. When all files
are written, `collect` replaces the marks by look-ups in a table, in the order in which they stand,
and puts the table where the program finds it. So programs that differ in such numbers only have the
same source, and are compiled once. No number is looked at on the way: 0 is treated like any other.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import Any

import numpy as np
from brian2.codegen.generators.cpp_generator import c_data_type
from brian2.core.functions import DEFAULT_CONSTANTS
from brian2.core.namespace import DEFAULT_UNITS
from brian2.core.variables import ArrayVariable, Constant, DynamicArrayVariable, Variable

TABLE = "static_arrays/_engine_values"
HEADER = '#include "brianlib/engine_values.h"'
_MARK = re.compile(r"%(real|integer):([^%]+)%")


def real(value: Any) -> str:
    """Mark of a floating-point number."""
    return f"%real:{float(value)!r}%"


def integer(value: Any) -> str:
    """Mark of a whole number or a truth value."""
    return f"%integer:{int(value)}%"


def collect(directory: Path, texts: dict[str, str]) -> None:
    """Replace the marks in the source files, by their names, by look-ups, and write the table."""
    table = bytearray()

    def look_up(mark: re.Match[str]) -> str:
        kind, text = mark.groups()
        if kind == "real":
            table.extend(struct.pack("=d", float(text)))
        else:
            table.extend(struct.pack("=Q", int(text) % 2**64))
        return f"_engine_{kind}({len(table) // 8 - 1})"

    for file, before in sorted(texts.items()):
        after = _MARK.sub(look_up, before)
        if after != before:
            texts[file] = f"{HEADER}\n{after}"
    (directory / TABLE).write_bytes(bytes(table))


# ---------------------------------------------------------------------- code objects


def definitions(
    variables: dict[str, Any], arrays: dict[Variable, str], dynamic: dict[Variable, str]
) -> list[str]:
    """Constants and sizes at the beginning of a code object, in place of Brian2's."""
    lines: list[str] = []
    for name, variable in variables.items():
        if isinstance(variable, DynamicArrayVariable):
            if variable.ndim == 1:
                array, vector = arrays[variable], dynamic[variable]
                kind = c_data_type(variable.dtype)
                lines.append(f"{kind}* const {array} = {vector}.empty() ? 0 : &{vector}[0];")
                lines.append(f"const size_t _num{name} = {vector}.size();")
        elif isinstance(variable, ArrayVariable):
            lines.append(f"const size_t _num{name} = {integer(variable.size)};")
        elif isinstance(variable, Constant):
            lines.append(f"const {c_data_type(variable.dtype)} {name} = {_value(name, variable)};")
    return list(dict.fromkeys(lines))  # an array may be there under two names


def _value(name: str, variable: Constant) -> str:
    """A constant: text if it is a unit or a number like pi, else data."""
    if not np.issubdtype(variable.dtype, np.floating):
        return integer(variable.value)
    known = DEFAULT_UNITS.get(name, getattr(DEFAULT_CONSTANTS.get(name), "value", None))
    if known is not None and float(known) == variable.value and np.isfinite(variable.value):
        return repr(float(variable.value))
    return real(variable.value)


# ---------------------------------------------------------------------- main.cpp

Entry = tuple[str, Any]


def main_queue(
    entries: Iterable[Entry], dtypes: dict[str, Any], clocks: Collection[str]
) -> list[Entry]:
    """What the program does, in the form of Brian2's queue, with its numbers as marks.

    Parameters
    ----------
    entries : iterable of tuple
        Kind and arguments, see `CPPStandaloneDevice.generate_main_source`.
    dtypes : dict
        Types of arrays by their names in the program.
    clocks : collection of str
        Names of the clocks. Brian2 keeps them in a set, so that what it does to all of them at
        once stands in another order in each process; here they are sorted.
    """
    translate: dict[str, Callable[[Any], str]] = {
        "set_by_constant": lambda given: _fill(given, dtypes),
        "set_by_single_value": lambda given: _assign(given, dtypes),
        "resize_array": lambda given: f"{given[0]}.resize({integer(given[1])});",
        "seed": _seed,
    }
    result: list[Entry] = []
    for kind, given in _sorted(list(entries), clocks):
        if kind == "run_network":
            network, lines = given
            result.append((kind, (network, _run(network.name, lines))))
        elif kind in translate:
            result.append(("insert_code", translate[kind](given)))
        else:
            result.append((kind, given))
    return result


def _sorted(entries: list[Entry], clocks: Collection[str]) -> list[Entry]:
    """What is done to clocks, one entry behind the other, by names; only the last value counts."""
    arrays = {f"_array_{clock}_{name}" for clock in clocks for name in ("timestep", "t", "dt")}
    result: list[Entry] = []
    block: dict[str, Entry] = {}
    for entry in [*entries, ("end", ())]:
        if entry[0] == "set_by_single_value" and entry[1][0] in arrays:
            block[entry[1][0]] = entry
        else:
            result += [*(block[array] for array in sorted(block)), entry]
            block = {}
    return result[:-1]


def _number(value: Any, dtype: Any) -> str:
    return real(value) if np.issubdtype(dtype, np.floating) else integer(value)


def _fill(given: tuple[str, Any, bool], dtypes: dict[str, Any]) -> str:
    array, value, dynamic = given
    size = f"(int){array}.size()" if dynamic else f"_num_{array}"
    number = _number(value, dtypes[array])
    return f"for (int i = 0; i < {size}; i++) {array}[i] = {number};"


def _assign(given: tuple[str, Any, str], dtypes: dict[str, Any]) -> str:
    array, item, value = given
    text = value.replace(" ", "").replace("INFINITY", "inf").strip("()")
    text = {"true": "1", "false": "0"}.get(text, text)
    whole = text.lstrip("-").isdigit()
    number = _number(int(text) if whole else float(text), dtypes[array])
    return f"{array}[{integer(item)}] = {number};"


def _seed(seed: int | None) -> str:
    number = "" if seed is None else f"(unsigned long){integer(seed)}"
    return f"brian::_random_generators[0].seed({number});"


def _run(network: str, lines: list[str]) -> list[str]:
    """Duration and period of reports as marks; clocks that drive nothing in the order of names."""
    idle = sorted(line for line in lines if line.endswith(", NULL);") and ".add(" in line)
    rest = iter(idle)
    call = re.compile(rf"^({network}\.run\()([^,]+)(, \w+, )([^,)]+)(\);)$")
    return [
        next(rest) if line in idle
        else call.sub(lambda m: m[1] + real(m[2]) + m[3] + real(m[4]) + m[5], line)
        for line in lines
    ]  # fmt: skip
