"""What the results of Brian2's translation of equations and statements depend on, as data.

Variables are described by their kind, type and flags, never by their values or sizes; equations by
their text. Results are written as data, too, and read back. `Unknown` is raised for everything that
is not known to be told completely; such results are not kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from brian2.codegen.statements import Statement
from brian2.core.functions import Function
from brian2.core.variables import (
    ArrayVariable,
    AuxiliaryVariable,
    Constant,
    DynamicArrayVariable,
    Subexpression,
    Variable,
)
from brian2.equations.codestrings import CodeString, Expression
from brian2.equations.equations import SingleEquation
from brian2.input.binomial import BinomialFunction
from brian2.input.timedarray import TimedArray
from brian2.units.fundamentalunits import get_or_create_dimension
from brian2.utils.stringtools import get_identifiers

VARIABLES = {
    Variable, Constant, AuxiliaryVariable, ArrayVariable, DynamicArrayVariable, Subexpression,
}  # fmt: skip
FUNCTIONS = {Function, TimedArray, BinomialFunction}
_TYPES: dict[str, type] = {
    "bool": bool, "int": int, "float": float,
    **{f"np.{t.__name__}": t for t in (np.bool_, np.int32, np.int64, np.float32, np.float64)},
}  # fmt: skip
_TYPE_NAMES = {kind: name for name, kind in _TYPES.items()}
# Attributes of a statement: given, computed, and added by the optimisation.
_GIVEN = ("var", "op", "expr", "comment", "dtype", "constant", "subexpression", "scalar")
_BOOLEAN = ("used_boolean_variables", "boolean_simplified_expressions")
_OPTIMISED = ("complexity_std", "complexities")


class Unknown(Exception):
    """Something that cannot be described completely."""


# ---------------------------------------------------------------------- variables


def dtype_name(dtype: Any) -> str:
    """A type of numbers as text."""
    if isinstance(dtype, np.dtype):
        if dtype.kind in "biuf" and np.dtype(dtype.str) == dtype:
            return f"dtype {dtype.str}"
    elif isinstance(dtype, type) and dtype in _TYPE_NAMES:
        return _TYPE_NAMES[dtype]
    raise Unknown(f"type of numbers {dtype!r}")


def dtype_named(name: str) -> Any:
    """The type of numbers of that name."""
    kind, _, text = name.partition(" ")
    return np.dtype(text) if kind == "dtype" else _TYPES[name]


def described(name: str, variable: Any) -> tuple[Any, ...]:
    """What of a variable or function decides how code with it is translated."""
    kind = type(variable)
    if kind in VARIABLES:
        expression = variable.expr if kind is Subexpression else ""
        return (
            name, kind.__name__, dtype_name(variable.dtype), expression,
            variable.scalar, variable.constant, variable.array, variable.dynamic,
        )  # fmt: skip
    if kind in FUNCTIONS:
        return (
            name, kind.__name__, variable._return_type, variable.stateless,
            variable.auto_vectorise, *variable._arg_types,
        )  # fmt: skip
    raise Unknown(f"{name} is a {kind}")


def all_of(variables: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """All variables, in their order: the optimisation of statements may look at each."""
    return [described(name, v) for name, v in variables.items()]


def used_by(code: str, variables: Mapping[str, Any]) -> list[Any]:
    """What the names in statements depend on.

    These are the variables that the statements use, also through subexpressions, and scalar
    subexpressions, all of which Brian2 checks. The order in which subexpressions are computed is
    not told; in Brian2 it depends on the order of a set.
    """
    subexpressions = {n: v for n, v in variables.items() if isinstance(v, Subexpression)}
    left = get_identifiers(code) | {name for name, v in subexpressions.items() if v.scalar}
    used: set[str] = set()
    while left:
        name = left.pop()
        used.add(name)
        if name in subexpressions:
            left |= subexpressions[name].identifiers - used
    return [described(name, variables[name]) for name in sorted(used & variables.keys())]


def stateful(names: Iterable[str], variables: Mapping[str, Any] | None) -> list[str]:
    """Functions with a state among these names; equations may not call one of them twice."""
    found = {name: (variables or {}).get(name) for name in names}
    return sorted(n for n, f in found.items() if isinstance(f, Function) and not f.stateless)


# ---------------------------------------------------------------------- statements


def write_statements(blocks: Iterable[list[Statement]]) -> list[Any]:
    """Statements before the loop and in it, as data."""
    return [[_write_statement(statement) for statement in block] for block in blocks]


def read_statements(data: list[Any]) -> tuple[list[Statement], ...]:
    """The statements again."""
    return tuple([_read_statement(*statement) for statement in block] for block in data)


def _write_statement(statement: Statement) -> list[Any]:
    optimised = statement.used_boolean_variables is not None
    computed = {*_BOOLEAN, *_OPTIMISED} if optimised else {*_BOOLEAN}
    if type(statement) is not Statement or vars(statement).keys() != {
        *_GIVEN, "inplace", *computed,
    }:  # fmt: skip
        raise Unknown(f"statement {statement!r}")
    given = [getattr(statement, name) for name in _GIVEN]
    given[_GIVEN.index("dtype")] = dtype_name(statement.dtype)
    if not optimised:
        return [given, None]
    tables = statement.boolean_simplified_expressions, statement.complexities
    return [
        given,
        [statement.used_boolean_variables, statement.complexity_std]
        + [[[list(key), value] for key, value in table.items()] for table in tables],
    ]


def _read_statement(given: list[Any], booleans: list[Any] | None) -> Statement:
    arguments = dict(zip(_GIVEN, given, strict=True))
    statement = Statement(**arguments | {"dtype": dtype_named(arguments["dtype"])})
    if booleans is not None:
        statement.used_boolean_variables, statement.complexity_std, *tables = booleans
        statement.boolean_simplified_expressions, statement.complexities = (
            {tuple(map(tuple, key)): value for key, value in table} for table in tables
        )
    return statement


# ---------------------------------------------------------------------- equations


def write_equations(equations: Mapping[str, SingleEquation]) -> list[Any]:
    """Equations as data, in their order."""
    return [_write_equation(equation) for equation in equations.values()]


def by_name(equations: Mapping[str, SingleEquation]) -> list[Any]:
    """Equations as data, sorted: in which order Brian2 has them depends on the order of a set."""
    return sorted(write_equations(equations), key=lambda equation: equation[0])


def read_equations(data: list[Any]) -> dict[str, SingleEquation]:
    """The equations by name."""
    return {name: _read_equation(name, *rest) for name, *rest in data}


def _write_equation(equation: SingleEquation) -> list[Any]:
    if type(equation) is not SingleEquation:
        raise Unknown(f"equation {equation!r}")
    dimensions = list(equation.dim._dims)
    if not {type(power) for power in dimensions} <= {int, float}:
        raise Unknown(f"dimensions {equation.dim!r}")
    code = None if equation.expr is None else equation.expr.code
    return [
        equation.varname, equation.type, equation.var_type, dimensions, code, list(equation.flags),
    ]  # fmt: skip


def _read_equation(
    name: str, kind: str, var_type: str, dimensions: list[float], code: str | None,
    flags: list[str],
) -> SingleEquation:  # fmt: skip
    return SingleEquation(
        kind, name, get_or_create_dimension(dimensions), var_type=var_type, flags=flags,
        expr=None if code is None else expression(code),
    )  # fmt: skip


def expression(code: str) -> Expression:
    """An expression that Brian2 has parsed before without complaint."""
    made = Expression.__new__(Expression)
    CodeString.__init__(made, code)
    return made
