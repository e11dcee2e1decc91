"""Which effects change which parameters of a cell, and which cannot be expressed in it."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass, replace
from typing import Literal

from biomod.errors import ModelError, UnitError, unknown_name
from biomod.mechanisms.neuromodulation._rest import leak_scale
from biomod.mechanisms.neuromodulation._targets import (
    LIGAND_GATED,
    NO_TARGET,
    ROUTES,
    SODIUM_SLOPE_MV,
    Route,
    matches,
    meant,
    mechanism,
)
from biomod.mechanisms.neuromodulation.library import DISABLED, NO_PLASTICITY, is_plasticity
from biomod.mechanisms.passive import input_resistance, rest
from biomod.model.cell import Cell, Compartment
from biomod.model.channel import Channel
from biomod.model.neuromodulation import Effect, Expression
from biomod.units import Quantity, as_quantity, parse_unit


@dataclass(frozen=True)
class Change:
    """A change of one parameter at full activation.

    Attributes
    ----------
    path : str
        Path of the parameter in the cell, e.g. ``"soma.M.g_max"``.
    operation : str
        ``"scale"``: ``X = X0 (1 + (value - 1) a)``; ``"shift"``: ``X = X0 + value a``.
    value : float
        Factor, or size of the shift in SI units.
    unit : str
        Customary unit of the parameter, for display.
    """

    path: str
    operation: Literal["scale", "shift"]
    value: float
    unit: str = ""

    def __str__(self) -> str:
        if self.operation == "scale":
            return f"{self.path} x {self.value:.4g}"
        size = self.value / parse_unit(self.unit)[0]
        return f"{self.path} {size:+.4g} {self.unit}".rstrip()


@dataclass(frozen=True)
class AppliedEffect:
    """An effect and what it does to the parameters of one cell.

    Attributes
    ----------
    effect : Effect
        The row of the table.
    receptor : str
        Receptor that causes it.
    level : float
        Expression of the receptor in this cell; the activation is multiplied by it.
    changes : tuple of Change
        One per parameter.
    note : str
        How a value was calibrated, and what stands in for a mechanism that the cell lacks (then
        with the word "stand-in").
    """

    effect: Effect
    receptor: str
    level: float
    changes: tuple[Change, ...]
    note: str = ""

    def __str__(self) -> str:
        e = self.effect
        what = ", ".join(str(c) for c in self.changes)
        text = f"{e.name} {self.receptor} (level {self.level:g}), {e.target}: {what}"
        return text + (f" [{self.note}]" if self.note else "")

    @property
    def paths(self) -> tuple[str, ...]:
        """Paths of the parameters that it changes."""
        return tuple(c.path for c in self.changes)

    @property
    def is_stand_in(self) -> bool:
        """Whether another mechanism stands in for the one of the table."""
        return "stand-in" in self.note


@dataclass(frozen=True)
class Resolution:
    """Every effect of a cell's receptors, in exactly one of three lists.

    Attributes
    ----------
    applied : tuple of AppliedEffect
        Effects on parameters of the cell.
    on_projections : tuple of Effect
        Presynaptic effects, and those on the input from one class of cells: they change
        projections (:func:`~biomod.mechanisms.neuromodulation.applied_to_projections`).
    not_expressed : tuple of (Effect, str)
        The rest, each with the reason.
    """

    applied: tuple[AppliedEffect, ...]
    on_projections: tuple[Effect, ...]
    not_expressed: tuple[tuple[Effect, str], ...]


class _CannotExpress(Exception):
    """The reason why an effect has no place in a cell."""


def resolve(cell: Cell) -> Resolution:
    """Find the parameters of a cell that its receptors' effects change.

    An effect whose mechanism the cell lacks is given to a stand-in of the route table (stated in
    `AppliedEffect.note` with its calibration) or listed in `not_expressed`; none is dropped.

    Conversions of the tables' values: a conductance in nS for several compartments is a total,
    spread in proportion to area; "x resting conductance" is a fraction of the input conductance
    of the soma at rest, ``1 / R_in``; "x g_CAN_max" refers to the constant ``g_full`` of the
    channel. A shift of the resting potential scales leak_K in all compartments by the factor that
    moves the soma by the given voltage at full activation; so do rows ``g_leak_K``, though
    without calibration. Values are those at activation 1, before expression.

    A target of a user's own effect may also be a path (``"soma.M.g_max"``).

    Raises
    ------
    ModelError
        A value cannot be applied to the parameter (wrong unit, negative conductance).
    """
    return _resolved(cell)


@functools.lru_cache(maxsize=128)
def _resolved(cell: Cell) -> Resolution:
    # Cells are immutable and calibrations take a fraction of a second.
    return _Resolver(cell).resolution()


def modulatable(cell: Cell) -> frozenset[str]:
    """Paths of all parameters that some enabled effect of the cell could change.

    They depend on the receptors that the cell expresses, not on any concentration, so that a
    backend can compile them before concentrations are known.
    """
    return frozenset(p for applied in resolve(cell).applied for p in applied.paths)


def switch(cell: Cell, **enabled: bool) -> Cell:
    """The same cell with rows of the effects table switched on or off, e.g. ``E015=True``.

    Raises
    ------
    ModelError
        A name is not an effect of this cell; the nearest are given.
    """
    known = {e.name for x in cell.expression for e in x.effects}
    for name in enabled:
        if name not in known:
            raise unknown_name(f"effect on Cell {cell.name}", name, sorted(known))
    expression = tuple(
        replace(
            x,
            effects=tuple(replace(e, enabled=enabled.get(e.name, e.enabled)) for e in x.effects),
        )
        for x in cell.expression
    )
    return replace(cell, expression=expression)


def on_projection(effect: Effect) -> bool:
    """Whether an effect changes projections instead of the cell that expresses the receptor."""
    return effect.compartment.startswith(("axon_terminal", "dendritic input synapse"))


class _Resolver:
    """Resolves the effects of one cell."""

    def __init__(self, cell: Cell) -> None:
        self.cell = cell
        self.parameters = cell.parameters()

    @functools.cached_property
    def input_conductance(self) -> float:
        """Of the soma at rest, gates held, in S."""
        return 1.0 / input_resistance(self.cell, self.cell.soma.name).si

    def resolution(self) -> Resolution:
        applied: list[AppliedEffect] = []
        on_projections: list[Effect] = []
        not_expressed: list[tuple[Effect, str]] = []
        for expression in self.cell.expression:
            for effect in expression.effects:
                reason = _why_not(effect, expression)
                if reason:
                    not_expressed.append((effect, reason))
                elif on_projection(effect):
                    on_projections.append(effect)
                else:
                    try:
                        applied.append(self.applied(effect, expression))
                    except _CannotExpress as why:
                        not_expressed.append((effect, str(why)))
        return Resolution(tuple(applied), tuple(on_projections), tuple(not_expressed))

    def applied(self, effect: Effect, expression: Expression) -> AppliedEffect:
        """The effect on this cell, or _CannotExpress."""
        level, only = expression.level, expression.compartments
        if effect.target in self.parameters:
            direct = (self.as_given(effect, effect.target),)
            return self.checked(AppliedEffect(effect, effect.receptor, level, direct))
        target = mechanism(effect.target)
        for route in ROUTES[self.cell.fidelity].get(target, ()):
            text = "soma+dendrite" if route.everywhere else effect.compartment
            found = [
                (c, key)
                for c in meant(self.cell, text, only)
                for key in matches(c, route, target, effect.receptor)
            ]
            if found:
                changes, note = self.changes(effect, route, found)
                note = "; ".join(filter(None, (route.stand_in, note)))
                return self.checked(AppliedEffect(effect, effect.receptor, level, changes, note))
        raise _CannotExpress(self.reason(effect, target, only))

    def reason(self, effect: Effect, target: str, only: tuple[str, ...] | None) -> str:
        """Why no route of the table leads anywhere."""
        if target in NO_TARGET:
            return NO_TARGET[target]
        kind = f"{self.cell.fidelity} cell"
        if not meant(self.cell, effect.compartment, only):
            return f"no compartment of this cell is meant by {effect.compartment!r}"
        known = any(target in routes for routes in ROUTES.values())
        routes = ROUTES[self.cell.fidelity].get(target)
        if not routes:
            return f"no such channel in a {kind}" if known else f"unknown target {effect.target!r}"
        if target in LIGAND_GATED:
            return f"no {LIGAND_GATED[target][0]} channel in this cell; express() adds it"
        wanted = " or ".join(dict.fromkeys("/".join((*r.names, r.parameter)) for r in routes))
        return f"no such mechanism in this {kind}: {wanted} in {effect.compartment}"

    def changes(
        self, effect: Effect, route: Route, found: list[tuple[Compartment, str]]
    ) -> tuple[tuple[Change, ...], str]:
        """Changes of the parameters found, and how they were calibrated."""
        paths = [f"{c.name}.{key}.{route.parameter}" for c, key in found]
        if route.conversion == "rest shift":
            return self.rest_shift(effect, route, found)
        if effect.operation == "add":
            return self.added(effect, found, paths)
        if route.conversion == "inverse":
            return tuple(Change(p, "scale", 1.0 / effect.value) for p in paths), ""
        if route.conversion == "sodium threshold":
            shift = -SODIUM_SLOPE_MV * 1e-3 * math.log(effect.value)
            return tuple(Change(p, "shift", shift) for p in paths), f"{shift * 1e3:+.2f} mV"
        factor = {"half": 0.5, "negative": -1.0}.get(route.conversion)
        if factor is not None:
            shift = factor * effect.value * 1e-3
            return tuple(Change(p, "shift", shift) for p in paths), f"{shift * 1e3:+.2f} mV"
        return tuple(self.as_given(effect, p) for p in paths), ""

    def as_given(self, effect: Effect, path: str) -> Change:
        """The value of the table applied directly."""
        if effect.operation == "scale":
            return Change(path, "scale", effect.value)
        return Change(path, "shift", self.in_unit_of(path, effect))

    def in_unit_of(self, path: str, effect: Effect) -> float:
        """SI value of a shift; its unit must fit the parameter."""
        parameter = self.parameters[path]
        unit = parameter.unit if isinstance(parameter, Quantity) else ""
        # "mV depolarisation equivalent" and the like: the unit is the first word.
        given = (effect.unit.split() or [""])[0]
        try:
            value = as_quantity(f"{effect.value} {'' if given == 'x' else given}", unit, path)
        except UnitError as error:
            raise UnitError(f"effect {effect.name} on {self.cell.name}: {error}") from None
        return value.si

    def rest_shift(
        self, effect: Effect, route: Route, found: list[tuple[Compartment, str]]
    ) -> tuple[tuple[Change, ...], str]:
        """Scale of leak_K that moves the resting potential of the soma."""
        paths = [f"{c.name}.{key}.{route.parameter}" for c, key in found]
        scale = leak_scale(self.cell, paths, effect.value * 1e-3)
        if scale is None:
            raise _CannotExpress(f"leak_K of this cell cannot move the rest by {effect.value:g} mV")
        note = (
            f"leak_K x {scale:.4g} at full activation, calibrated so that the soma rests "
            f"{effect.value:+g} mV from {rest(self.cell)[self.cell.soma.name] * 1e3:.1f} mV"
        )
        return tuple(Change(p, "scale", scale) for p in paths), note

    def added(
        self, effect: Effect, found: list[tuple[Compartment, str]], paths: list[str]
    ) -> tuple[tuple[Change, ...], str]:
        """Additional conductance as a density."""
        area = sum(c.area.si for c, _ in found)
        if effect.unit.startswith("x g_"):
            return tuple(self.of_full(effect, c, key) for c, key in found), ""
        if effect.unit.startswith("x resting"):
            g = effect.value * self.input_conductance
            note = f"{g * 1e9:.3g} nS = {effect.value:g} of the input conductance of the soma"
        elif effect.unit == "nS":
            g = effect.value * 1e-9
            note = f"{effect.value:g} nS in all, spread over the compartments by area"
        else:
            return tuple(Change(p, "shift", self.in_unit_of(p, effect)) for p in paths), ""
        return tuple(Change(p, "shift", g / area) for p in paths), note

    def of_full(self, effect: Effect, compartment: Compartment, key: str) -> Change:
        """Fraction of the constant ``g_full`` of a channel."""
        channel = compartment.get(key)
        assert isinstance(channel, Channel)
        full = {c.name: c.value for c in channel.constants}.get("g_full")
        path = f"{compartment.name}.{key}.g_max"
        if full is None:
            raise _CannotExpress(f"channel {compartment.name}.{key} has no constant g_full")
        full = as_quantity(full, "uS/cm2", f"{compartment.name}.{key}.g_full")
        return Change(path, "shift", effect.value * full.si)

    def checked(self, applied: AppliedEffect) -> AppliedEffect:
        """`applied` with units, or ModelError where a parameter of fixed sign became negative."""
        for change in applied.changes:
            parameter = self.parameters[change.path]
            si = parameter.si if isinstance(parameter, Quantity) else float(parameter)
            if change.operation == "scale":
                bad = change.value < 0
            else:
                bad = not may_be_negative(parameter) and si + change.value * applied.level < 0
            if bad:
                raise ModelError(
                    f"effect {applied.effect.name} of {applied.receptor} would make "
                    f"{self.cell.name}.{change.path} negative"
                )
        units = (getattr(self.parameters[c.path], "unit", "") for c in applied.changes)
        pairs = zip(applied.changes, units, strict=True)
        return replace(applied, changes=tuple(replace(c, unit=unit) for c, unit in pairs))


def may_be_negative(parameter: Quantity | float) -> bool:
    """Whether a parameter is a voltage or a current, which may have either sign."""
    return isinstance(parameter, Quantity) and parameter.unit in ("mV", "pA")


def _why_not(effect: Effect, expression: Expression) -> str:
    """Reason that does not depend on the cell's mechanisms, or an empty text."""
    if is_plasticity(effect.compartment) or effect.operation == "set":
        return NO_PLASTICITY
    if not effect.enabled:
        return f"disabled by default: {DISABLED[effect.name]}" if effect.name in DISABLED else "off"
    if expression.level == 0:
        return f"{effect.receptor} is not expressed (level 0)"
    if effect.value == (1.0 if effect.operation == "scale" else 0.0):
        return "the value is no change: the table records that the effect is absent"
    return ""
