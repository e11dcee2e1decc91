"""Ionic conductances: ohmic channels with gates, written once for every simulator."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, ClassVar, Self

from biomod.errors import ModelError, unknown_name
from biomod.model._base import (
    Description,
    check_types,
    check_unique,
    name_field,
    number,
    parts,
    quantity,
    text,
)
from biomod.units import Quantity, parse_quantity

FUNCTIONS = ("exp", "log", "sqrt", "tanh", "exprel", "abs")


@dataclass(frozen=True)
class Constant(Description):
    """A named constant of a channel's kinetics, e.g. a half-activation voltage.

    In expressions it stands for its value in `unit`, so with ``unit="mV"`` the text
    ``(v - v_half) / 10`` reads as in a paper.
    """

    name: str = name_field()
    value: Any = None
    unit: str = text("unit in which expressions read the value", default="mV")

    def _check(self) -> None:
        from biomod.units import as_quantity

        q = as_quantity(self.value, self.unit, f"constant {self.name}")
        object.__setattr__(self, "value", q)


@dataclass(frozen=True)
class Gate(Description):
    """One gating variable: ``dx/dt = speed * (x_inf - x) / tau_x``.

    `steady_state` and `tau` are expressions of ``v`` (the local voltage in mV), of ``cai`` (the
    free calcium of the compartment in mM, see :class:`~biomod.model.CalciumPool`) and of the
    channel's constants; `tau` is in ms, and empty for a gate that follows its steady state at
    once. ``speed = q10 ** ((T - celsius) / 10)``, with the temperature T of the cell and that of
    the channel's kinetics.

    In an integrate-and-fire soma, which has no spike waveform, ``spike_jump`` stands for the
    activation that a spike would have caused: ``x <- x + spike_jump * (1 - x)``.
    """

    name: str = name_field()
    tau: str = text("time constant in ms as an expression of v in mV; empty: instantaneous")
    steady_state: str = text("steady state as an expression of v in mV", default="0")
    power: int = number("exponent in the conductance", default=1, positive=True, integer=True)
    q10: float = number("factor on the rates per 10 degrees", default=1.0, positive=True)
    spike_jump: float = number(
        "fraction of closed gates that a somatic spike opens",
        default=0.0,
        nonnegative=True,
        maximum=1.0,
    )

    def _check(self) -> None:
        if not self.tau and (self.spike_jump or self.q10 != 1):
            raise ModelError(f"{self._label()}: an instantaneous gate has no q10 and no spike_jump")

    @property
    def expressions(self) -> tuple[str, ...]:
        """Steady state and, unless the gate is instantaneous, time constant."""
        return (self.steady_state, self.tau) if self.tau else (self.steady_state,)


@dataclass(frozen=True)
class Channel(Description):
    """An ohmic conductance: ``I = g_max * area * prod(gate**power) * (E_rev - v)``.

    Without gates it is a constant conductance (leak, GIRK or a ligand-gated cation channel
    whose opening a neuromodulator sets). A current that `ion` calcium carries feeds the calcium
    pool of its compartment.
    """

    name: str = name_field("field's name of the channel, e.g. M, Ih, sAHP")
    g_max: Quantity = quantity("uS/cm2", "maximal conductance per membrane area", nonnegative=True)
    E_rev: Quantity = quantity("mV", "reversal potential")
    gates: tuple[Gate, ...] = parts("gating variables", default=())
    constants: tuple[Constant, ...] = parts("named constants of the kinetics", default=())
    ion: str = text("what carries the current", default="", choices=("", "na", "k", "ca"))
    celsius: float = number("temperature of the kinetics in degrees Celsius", default=34.0)
    source: str = text("where the kinetics come from", default="")

    _transparent: ClassVar[tuple[str, ...]] = ("gates",)

    def _check(self) -> None:
        check_types(self.gates, Gate, self._label())
        check_types(self.constants, Constant, self._label())
        check_unique(self.gates + self.constants, self._label())
        known = {"v", "cai", *(c.name for c in self.constants)}
        for gate in self.gates:
            for expression in gate.expressions:
                check_expression(expression, known, f"{self._label()}: gate {gate.name}")

    @property
    def reads_calcium(self) -> bool:
        """Whether a gate depends on the free calcium of the compartment."""
        return any(
            "cai" in names_in(expression) for gate in self.gates for expression in gate.expressions
        )

    def speed(self, gate: Gate, temperature: float) -> float:
        """Factor on the rates of a gate at a temperature in degrees Celsius."""
        return float(gate.q10 ** ((temperature - self.celsius) / 10))

    def _extra_parameters(self) -> Mapping[str, Quantity]:
        return {c.name: c.value for c in self.constants}

    def _with_extra(self, name: str, value: Any) -> Self:
        constants = tuple(
            Constant(c.name, parse_quantity(value) if isinstance(value, str) else value, c.unit)
            if c.name == name
            else c
            for c in self.constants
        )
        return replace(self, constants=constants)


_ALLOWED_NODES = (
    ast.Expression, ast.BinOp, ast.UnaryOp, ast.Constant, ast.Name, ast.Call, ast.Load,
    ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Pow, ast.USub, ast.UAdd,
)  # fmt: skip


@cache
def names_in(expression: str) -> frozenset[str]:
    """The names that an expression uses, functions included."""
    tree = ast.parse(expression, mode="eval")
    return frozenset(n.id for n in ast.walk(tree) if isinstance(n, ast.Name))


def check_expression(expression: str, known: set[str], what: str) -> None:
    """Raise :class:`ModelError` unless `expression` is arithmetic over the `known` names."""
    try:
        tree = ast.parse(expression, mode="eval")
    except SyntaxError:
        raise ModelError(f"{what}: cannot read the expression {expression!r}") from None
    for node in ast.walk(tree):
        if not isinstance(node, _ALLOWED_NODES):
            raise ModelError(
                f"{what}: {type(node).__name__} is not allowed in the expression {expression!r}"
            )
        if isinstance(node, ast.Name) and node.id not in known and node.id not in FUNCTIONS:
            raise unknown_name(f"name in {what}", node.id, sorted(known) + list(FUNCTIONS))
