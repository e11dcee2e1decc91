"""Expressions of gates, evaluated."""

from __future__ import annotations

import ast
import functools
from collections.abc import Mapping
from types import CodeType
from typing import Any

import numpy as np

from biomod.errors import ModelError
from biomod.model import Channel, Gate
from biomod.model.channel import check_expression
from biomod.units import parse_unit


def evaluate(expression: str, v: Any, constants: Mapping[str, float] | None = None) -> np.ndarray:
    """Evaluate the expression of a gate.

    Parameters
    ----------
    expression : str
        Arithmetic over ``v``, the constants and the functions exp, log, sqrt, tanh, exprel
        (``(exp(x) - 1) / x``) and abs; nothing else is allowed, see
        :func:`biomod.model.channel.check_expression`.
    v : array_like
        Voltage in mV.
    constants : mapping, optional
        Value of every constant, as a number in the constant's own unit or an array like `v`.

    Returns
    -------
    array of the shape of `v`
        Where a formula is 0/0 at a single voltage, such as ``x / (1 - exp(-x))``, its limit.

    Raises
    ------
    ModelError
        The expression is not allowed, or has no finite value at a voltage.
    """
    constants = constants or {}
    code = _compiled(expression, frozenset(constants))
    v = np.asarray(v, dtype=float)
    value = _run(code, expression, v, constants)
    if not np.all(np.isfinite(value)):
        # A removable singularity: the mean of both sides is its limit up to second order.
        sides = [_run(code, expression, v + h, constants) for h in (-1e-4, 1e-4)]
        value = np.where(np.isfinite(value), value, (sides[0] + sides[1]) / 2)
    if not np.all(np.isfinite(value)):
        bad = v[~np.isfinite(value)].flat[0]
        raise ModelError(f"the expression {expression!r} has no finite value at v = {bad:g} mV")
    return value


def gate_steady_state(channel: Channel, gate: Gate, v: Any, cai: Any = None) -> np.ndarray:
    """Steady state of a gate of `channel` at voltages `v` in V; an array of the shape of `v`.

    `cai` is the free calcium in mM, for gates that depend on it.
    """
    names = _constants(channel)
    if cai is not None:
        names["cai"] = cai
    return evaluate(gate.steady_state, np.asarray(v, dtype=float) * 1e3, names)


def gate_time_constant(channel: Channel, gate: Gate, v: Any, temperature: float) -> Any:
    """Time constant in s of a gate of `channel` at voltages `v` in V and a temperature in Celsius.

    Of one that calcium does not change.
    """
    tau = evaluate(gate.tau, np.asarray(v, dtype=float) * 1e3, _constants(channel))
    return tau * 1e-3 / channel.speed(gate, temperature)


def _constants(channel: Channel) -> dict[str, float]:
    return {c.name: c.value.si / parse_unit(c.unit)[0] for c in channel.constants}


def _exprel(x: Any) -> np.ndarray:
    x = np.asarray(x, dtype=float)
    safe = np.where(x == 0, 1.0, x)
    return np.where(x == 0, 1.0, np.expm1(safe) / safe)


_FUNCTIONS: dict[str, Any] = {
    "exp": np.exp,
    "log": np.log,
    "sqrt": np.sqrt,
    "tanh": np.tanh,
    "exprel": _exprel,
    "abs": np.abs,
}


class _Floats(ast.NodeTransformer):
    """Make every number a float: a power of large integers could take for ever."""

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if isinstance(node.value, bool) or not isinstance(node.value, int | float):
            raise ModelError(f"{node.value!r} is not a number")
        return ast.copy_location(ast.Constant(float(node.value)), node)


@functools.lru_cache(maxsize=1024)
def _compiled(expression: str, constants: frozenset[str]) -> CodeType:
    check_expression(expression, {"v", *constants}, "gate")
    tree = ast.parse(expression, mode="eval")
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and not (
            isinstance(node.func, ast.Name) and node.func.id in _FUNCTIONS
        ):
            raise ModelError(f"gate: only functions can be called in the expression {expression!r}")
    return compile(ast.fix_missing_locations(_Floats().visit(tree)), "<gate>", "eval")


def _run(
    code: CodeType, expression: str, v: np.ndarray, constants: Mapping[str, Any]
) -> np.ndarray:
    names = {"__builtins__": {}, **_FUNCTIONS, **constants, "v": v}
    try:
        with np.errstate(all="ignore"):
            # Only arithmetic on these names can be in it: `_compiled` has checked every node.
            value = eval(code, names)
            return np.array(np.broadcast_to(np.asarray(value, dtype=float), v.shape))
    except (TypeError, ArithmeticError) as error:
        raise ModelError(f"cannot evaluate the expression {expression!r}: {error}") from None
