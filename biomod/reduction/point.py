"""A fitted GLIF as a cell that a circuit can be made of."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

from biomod.errors import ModelError
from biomod.model import Cell, Expression, PointSpike, Soma, SynapticReceptor
from biomod.reduction.fit import Fit, extended
from biomod.reduction.models import glif, point_model
from biomod.units import Quantity, parse_unit

# Only ratios to the area matter: it makes densities of the conductances of the fit.
AREA_UM2 = 1000.0
LENGTH_UM = 10.0
CURRENT = "I"  # a constant current into the soma, which a cell may have beside its parameters
_UNITS = {f.name: f.metadata["unit"] for f in fields(PointSpike)}
_SPIKE = {"theta": "threshold", "t_ref": "refractory"} | {
    name: name for name in _UNITS if name not in ("threshold", "refractory", "current")
}


def level_5(fitted: Fit) -> dict[str, float]:
    """The parameters of level 5 with which it does what a GLIF of any level, or a LIF, does.

    Raises
    ------
    ModelError
        The model is not one of these.
    """
    name = fitted.model.name
    if name != "lif" and not name.startswith("glif"):
        raise ModelError(
            f"a cell of a circuit can be a GLIF or a LIF, not {name}; "
            "biomod.reduction.export.brian2_arguments makes a Brian2 group of it"
        )
    model = glif(5)
    if name == model.name:
        return dict(fitted.parameters)
    return extended(Fit(point_model(name), fitted.parameters, fitted.loss, fitted.dt), model)


def firing_potential(parameters: Mapping[str, float]) -> float:
    """The potential (mV) at which a ``glif5`` fires when it comes there slowly.

    Above theta where the threshold follows the voltage; theta, if it never fires so.
    """
    p = parameters
    follows = p["a_v"] / p["b_v"]
    return p["E_L"] + (p["theta"] - p["E_L"]) / (1 - follows if follows < 1 else 1.0)


def risen(parameters: Mapping[str, Any], rise: Any) -> dict[str, Any]:
    """What changes (mV) if the rest of a ``glif5`` rises, as by a constant current ``g rise``.

    The potential of the reset stays where it is, and the threshold moves by ``a_v / b_v`` of the
    rise: with the current, all potentials relative to rest are higher by the rise.
    """
    p = parameters
    return {"E_L": rise, "dv": (1 - p["f_v"]) * rise, "theta": p["a_v"] / p["b_v"] * rise}


def path_and_unit(parameter: str) -> tuple[str, str, float]:
    """Path of a GLIF parameter in its cell, its unit there, and how many such units are one.

    Of :data:`CURRENT` too.
    """
    if parameter == "g":
        return "soma.g_leak", "uS/cm2", 1e5 / AREA_UM2
    if parameter == "E_L":
        return "soma.E_leak", "mV", 1.0
    field = "current" if parameter == CURRENT else _SPIKE[parameter]
    return f"soma.spike.{field}", _UNITS[field], 1.0


def point_cell(
    name: str,
    parameters: Mapping[str, float],
    *,
    receptors: Sequence[SynapticReceptor] = (),
    expression: Sequence[Expression] = (),
    like: Cell | None = None,
    summary: str = "",
) -> Cell:
    """A cell of the fidelity ``"point"``.

    Parameters
    ----------
    name : str
        Of the cell; modulators know it by this name.
    parameters : mapping
        Those of ``glif5`` in its units (:func:`level_5`).
    receptors, expression : sequences
        Synaptic receptors, and those of neuromodulators.
    like : Cell, optional
        Whose species and temperature it bears.

    Examples
    --------
    >>> cell = point_cell("L23_PC", level_5(found.fit))
    >>> bm.simulate(cell, "1 s", stimulus=bm.step("150 pA", "0 ms", "1 s"))
    """
    spike: dict[str, Any] = {
        field: quantity(parameters[own], _UNITS[field]) if _UNITS[field] else parameters[own]
        for own, field in _SPIKE.items()
    }
    soma = Soma(
        "soma",
        length=quantity(LENGTH_UM, "um"),
        diameter=quantity(AREA_UM2 / (math.pi * LENGTH_UM), "um"),
        cm=quantity(parameters["C"] * 100 / AREA_UM2, "uF/cm2"),
        g_leak=quantity(parameters["g"] * 1e5 / AREA_UM2, "uS/cm2"),
        E_leak=quantity(parameters["E_L"], "mV"),
        receptors=tuple(receptors),
        spike=PointSpike(**spike),
    )
    made = Cell(name, (soma,), expression=tuple(expression), fidelity="point", summary=summary,
                sources=(("", "fitted by biomod.reduce"),))  # fmt: skip
    if like is None:
        return made
    return replace(made, species=like.species, temperature=like.temperature)


def quantity(value: float, unit: str) -> Quantity:
    """So many of a unit."""
    factor, dim = parse_unit(unit)
    return Quantity(value * factor, dim)
