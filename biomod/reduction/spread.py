"""How changes of a detailed cell appear in its surrogate.

A parameter that the point neuron does not have still changes the current that holds the soma at a
potential. A point neuron of conductance g and rest E_L needs ``g (v - E_L)``, so that the change of
the current at rest and at the threshold is a change of g and of E_L: :func:`variations` gives the
surrogate variations of these that follow the deviates of the detailed cell. Cell i of a surrogate
population then differs from its mean as cell i of the detailed one does, in current: the
parameters of a fit are not those of the membrane, the current that makes it fire is right.
:func:`shifted` does the same for the changes that a receptor makes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from biomod.mechanisms import passive
from biomod.mechanisms.neuromodulation import Change
from biomod.model import Cell, SomaticSpike, Variation
from biomod.units import Quantity, parse_unit

CAPACITANCE, THRESHOLD = "*.cm", "soma.spike.threshold"
LITTLE = 0.1  # of a change, for its linear effect
SOURCE = "change of the holding current of the detailed cell"


def variations(
    cell: Cell, parameters: Mapping[str, float]
) -> tuple[tuple[Variation, ...], tuple[str, ...]]:
    """Variations of the surrogate of a cell, and the paths of those that leave no trace in it.

    Parameters
    ----------
    cell : Cell
        The detailed one, with its variations.
    parameters : mapping
        Of the surrogate as a ``glif5``: g (nS), E_L, theta (mV) and f_v.
    """
    kept: list[Variation] = []
    lost: list[str] = []
    conductance: list[tuple[str, float]] = []
    rest: list[tuple[str, float]] = []
    for variation in cell.variations:
        if variation.path == CAPACITANCE:
            kept.append(variation)
            continue
        if variation.path == THRESHOLD:
            kept.append(variation.with_(sd=variation.sd * _steepness(cell) / parameters["g"]))
            continue
        dg, de = _changes(cell, variation, parameters)
        if abs(dg) < 1e-4 * parameters["g"] and abs(de) < 1e-3:
            lost.append(variation.path)
            continue
        for found, change in ((conductance, dg / parameters["g"]), (rest, de)):
            found.append((variation.path, change))
    if conductance:
        cv, sd = (math.hypot(*(w for _, w in found)) for found in (conductance, rest))
        # A surrogate is reset from its rest, a detailed cell to a potential of its own.
        kept += [
            Variation("soma.g_leak", "lognormal", cv=cv, follows=tuple(conductance), source=SOURCE),
            Variation("soma.E_leak", "normal", sd=_mV(sd), follows=tuple(rest), source=SOURCE),
            Variation("soma.spike.dv", "normal", sd=_mV(sd * (1 - parameters["f_v"])),
                      follows=tuple(rest), source=SOURCE),
        ]  # fmt: skip
    return tuple(kept), tuple(lost)


def _mV(value: float) -> Quantity:
    return Quantity(value * 1e-3, parse_unit("V")[1])


def _ends(cell: Cell) -> tuple[float, float]:
    """Rest and threshold in mV; rest and 20 mV above where channels make the spike."""
    rest = passive.rest(cell)[cell.soma.name] * 1e3
    if isinstance(cell.soma.spike, SomaticSpike):
        return rest, cell.soma.spike.threshold.si * 1e3
    return rest, rest + 20.0


def _steepness(cell: Cell) -> float:
    """Change of the holding current with the potential at the threshold, in nS."""
    _, threshold = _ends(cell)
    return _held(cell, threshold + 0.5) - _held(cell, threshold - 0.5)


def _changes(
    cell: Cell, variation: Variation, parameters: Mapping[str, float]
) -> tuple[float, float]:
    """Change of g (nS) and E_L (mV) for one standard deviation, from half of one up and down."""
    down, up = (_moved(cell, variation, z) for z in (-0.5, 0.5))
    return _between(down, up, _ends(cell), parameters)


def _between(
    a: Cell, b: Cell, ends: tuple[float, float], parameters: Mapping[str, float]
) -> tuple[float, float]:
    """Change of g (nS) and E_L (mV) from one cell to another."""
    reach = parameters["theta"] - parameters["E_L"]
    at_rest, at_threshold = (_held(b, v) - _held(a, v) for v in ends)
    return (at_threshold - at_rest) / reach, -at_rest / parameters["g"]


def shifted(
    cell: Cell, changes: Iterable[Change], parameters: Mapping[str, float]
) -> dict[str, float]:
    """Shifts of g, E_L, dv and theta for changes of the detailed cell, spikes not considered.

    From a tenth of the changes, since all of them may leave no stable rest.
    """
    part = {c.path: _changed(cell, c, LITTLE) for c in changes}
    ends = _ends(cell)
    conductance, rest = _between(cell, cell.with_(part), ends, parameters)
    found = {"g": conductance / LITTLE, "E_L": rest / LITTLE}
    found["dv"] = found["E_L"] * (1 - parameters["f_v"])
    if THRESHOLD in part:
        moved = (part[THRESHOLD] - cell.get(THRESHOLD)).to("mV") / LITTLE
        found["theta"] = moved * _steepness(cell) / parameters["g"]
    return found


def _changed(cell: Cell, change: Change, share: float) -> Any:
    value = cell.get(change.path)
    if change.operation == "scale":
        return value * (1 + (change.value - 1) * share)
    if isinstance(value, Quantity):
        return value + Quantity(change.value * share, value.dim)
    return value + change.value * share


def _held(cell: Cell, mV: float) -> float:
    """Current in pA that holds the soma at a potential."""
    _, current = passive.hold(cell, _mV(mV))
    return current.to("pA")


def _moved(cell: Cell, variation: Variation, z: float) -> Cell:
    """The cell with its varied parameter z standard deviations from the mean."""
    changed = {}
    for path in cell.paths(variation.path):
        value = cell.get(path)
        if variation.cv is not None:
            changed[path] = value * math.exp(z * math.sqrt(math.log1p(variation.cv**2)))
        else:
            changed[path] = value + z * variation.sd
    moved: Cell = cell.with_(changed)
    return moved
