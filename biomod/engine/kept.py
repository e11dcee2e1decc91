"""Functions of Brian2 whose results are kept on disk (`biomod.engine.codecache`).

They take the places of Brian2's own in this process, as soon as the engine is imported.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from brian2.codegen import translation
from brian2.equations import equations as equations_module
from brian2.equations.codestrings import Expression
from brian2.equations.equations import Equations, SingleEquation
from brian2.input.timedarray import TimedArray
from brian2.stateupdaters import euler, exact, exponential_euler, heun, milstein, rk2, rk4

from biomod.engine import codekeys
from biomod.engine.codecache import CodeCache
from biomod.engine.shortcuts import replace_everywhere

cache = CodeCache()

# Integration methods whose code depends on equations, kinds of variables and options alone.
METHODS = {
    "euler": euler, "rk2": rk2, "rk4": rk4, "heun": heun, "milstein": milstein,
    "exponential_euler": exponential_euler, "exact": exact,
}  # fmt: skip


def _same(value: Any) -> Any:
    return value


# ---------------------------------------------------------------------- statements

brian2_statements = translation.make_statements


def make_statements(
    code: str, variables: Any, dtype: Any, optimise: bool = True, blockname: str = ""
) -> Any:
    """Statements before the loop and in it; arguments and results are those of Brian2."""

    def depends_on() -> Any:
        uses = codekeys.all_of(variables) if optimise else codekeys.used_by(code, variables)
        return code, optimise, blockname, codekeys.dtype_name(dtype), uses

    return cache.result(
        "statements", depends_on, brian2_statements, (code, variables, dtype, optimise, blockname),
        codekeys.write_statements, codekeys.read_statements,
    )  # fmt: skip


# Who frees the memory of Brian2's caches frees that of this one.
make_statements._cache = cache.made  # type: ignore[attr-defined]

# ---------------------------------------------------------------------- equations

brian2_parsed = equations_module.parse_string_equations


def parse_string_equations(eqns: str) -> dict[str, SingleEquation]:
    """Equations by the names that they define, as Brian2 reads them."""
    return cache.result(
        "equations", lambda: eqns, brian2_parsed, (eqns,),
        codekeys.write_equations, codekeys.read_equations,
    )  # fmt: skip


brian2_substituted = Equations.get_substituted_expressions


@functools.wraps(brian2_substituted)
def get_substituted_expressions(
    self: Equations, variables: Any = None, include_subexpressions: bool = False
) -> Any:
    """Differential equations with subexpressions substituted, as Brian2 writes them."""
    if self._substituted_expressions is None:
        self._substituted_expressions = _substituted(self, variables)
    return brian2_substituted(self, variables, include_subexpressions)


def _substituted(equations: Equations, variables: Any) -> list[tuple[str, Expression]]:
    def depends_on() -> Any:
        names = {name for equation in equations.values() for name in equation.identifiers}
        return codekeys.by_name(equations), codekeys.stateful(names, variables)

    made = cache.result(
        "substituted", depends_on, lambda: dict(brian2_substituted(equations, variables, True)), (),
        lambda made: {name: expression.code for name, expression in made.items()},
        lambda data: {name: codekeys.expression(code) for name, code in data.items()},
    )  # fmt: skip
    # The order of subexpressions depends, in Brian2, on the order of a set.
    return [(e.varname, made[e.varname]) for e in equations.ordered if e.expr is not None]


# ---------------------------------------------------------------------- integration methods


def _kept_steps(brian2_call: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(brian2_call)
    def step(self: Any, equations: Any, variables: Any = None, method_options: Any = None) -> Any:
        def depends_on() -> Any:
            name = next((name for name, method in METHODS.items() if method is self), None)
            if name is None or method_options or not isinstance(equations, Equations):
                raise codekeys.Unknown("method")
            given = dict(sorted((variables or {}).items()))
            if name == "exact" and any(isinstance(f, TimedArray) for f in given.values()):
                raise codekeys.Unknown("a table may be constant over a time step, or not")
            return name, codekeys.by_name(equations), codekeys.all_of(given)

        return cache.result(
            "step", depends_on, brian2_call, (self, equations, variables, method_options),
            _same, _same,
        )  # fmt: skip

    return step


def install() -> None:
    """Have Brian2 use these functions, in this process."""
    replace_everywhere("make_statements", brian2_statements, make_statements)
    replace_everywhere("parse_string_equations", brian2_parsed, parse_string_equations)
    Equations.get_substituted_expressions = get_substituted_expressions
    for method in {type(method) for method in METHODS.values()}:
        method.__call__ = _kept_steps(method.__call__)
