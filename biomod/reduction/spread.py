"""How changes of a detailed cell appear in its surrogate.

A parameter that the point neuron does not have still changes the current that holds the soma at a
potential. So the change of that current at rest and at the threshold is a change of the surrogate's
conductance and of its rest, and a change of the detailed threshold is the current that it takes to
come there. What a spike leaves behind is told by its charge: that of the way from the reset to the
threshold, and that of channels which only spikes open. Nothing is taken over by name: the
parameters of a fit are not those of the membrane. Its reset may lie just below the threshold (or
above it) and leave the repolarisation to a fast current, and its threshold may follow the voltage.

:func:`variations` gives the surrogate variations that follow the deviates of the detailed cell, so
that cell i of a surrogate population differs from its mean as cell i of the detailed one does.
:func:`shifted` is what a search for the changes by a receptor begins with.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from biomod.mechanisms import passive
from biomod.mechanisms.neuromodulation import Change
from biomod.model import Cell, Channel, SomaticSpike, Variation
from biomod.reduction.point import CURRENT, path_and_unit, quantity, risen
from biomod.units import Quantity

CAPACITANCE, THRESHOLD = "*.cm", "soma.spike.threshold"
LITTLE = 0.1  # of a change, for its linear effect
SOURCE = "change of the current that the detailed cell needs, and of what its spikes leave"
# Changes that are none, of one standard deviation: shares of a conductance or current, and mV.
NO_SHARE, NO_MV = 1e-4, 1e-3
FACTORS = ("g", "dI_1")  # what varies by a factor, as the densities of channels do

Shifts = dict[str, float]  # of the parameters of a glif5, in its units


def variations(
    cell: Cell, parameters: Mapping[str, float]
) -> tuple[tuple[Variation, ...], tuple[str, ...]]:
    """Variations of the surrogate of a cell, and the paths of those that leave no trace in it.

    Parameters
    ----------
    cell : Cell
        The detailed one, with its variations.
    parameters : mapping
        Of the surrogate as a ``glif5``.
    """
    kept: list[Variation] = []
    lost: list[str] = []
    follows: dict[str, list[tuple[str, float]]] = {}
    for variation in cell.variations:
        if variation.path == CAPACITANCE:
            kept.append(variation)
            continue
        shifts = _noticed(_shifts(cell, variation, parameters), parameters)
        if not shifts:
            lost.append(variation.path)
        for name, shift in shifts.items():
            follows.setdefault(name, []).append((variation.path, shift))
    kept += [_following(name, pairs, parameters) for name, pairs in follows.items()]
    return tuple(kept), tuple(lost)


def shifted(cell: Cell, changes: Iterable[Change], parameters: Mapping[str, float]) -> Shifts:
    """Shifts of g (nS), I (pA) and theta (mV) that a search begins with, spikes not considered.

    I is what comes in besides at rest; where the membrane is reset to stays as it is. From a tenth
    of the changes, since all of them may leave no stable rest. As if the threshold did not follow
    the voltage: a guess, which the search corrects.
    """
    part = {c.path: _changed(cell, c, LITTLE) for c in changes}
    other = cell.with_(part)
    at_rest, at_threshold = (_held(other, v) - _held(cell, v) for v in _ends(cell))
    p, reach = parameters, parameters["theta"] - parameters["E_L"]
    found = {
        "g": (at_threshold - at_rest) / reach / LITTLE,
        CURRENT: -at_rest / LITTLE,
    }
    if THRESHOLD in part:
        moved = (part[THRESHOLD] - cell.get(THRESHOLD)).to("mV") / LITTLE
        found["theta"] = moved * _steepness(cell) / p["g"]
    return found


def _shifts(cell: Cell, variation: Variation, parameters: Mapping[str, float]) -> Shifts:
    """Shifts for one standard deviation, from half of one up and down."""
    if variation.path == THRESHOLD:
        return _of_threshold(cell, variation.sd.to("mV"), parameters)
    down, up = (_moved(cell, variation, z) for z in (-0.5, 0.5))
    return _between(down, up, _ends(cell), parameters)


def _between(
    a: Cell, b: Cell, ends: tuple[float, float], parameters: Mapping[str, float]
) -> Shifts:
    """Shifts from one cell to another of the same threshold."""
    at_rest, at_threshold = (_held(b, v) - _held(a, v) for v in ends)
    currents = _of_currents(at_rest, at_threshold, parameters)
    return currents | _of_charges(_charges(a), _charges(b), parameters)


def _of_currents(at_rest: float, at_threshold: float, p: Mapping[str, float]) -> Shifts:
    """Shifts that change by so much (pA) what holds the neuron at rest and at its threshold.

    That at rest is another rest; what is left is a conductance.
    """
    # Inverse of the way (mV) from rest to where a constant current makes it fire, if one does.
    near = max(1 - p["a_v"] / p["b_v"], 0.0) / (p["theta"] - p["E_L"])
    return {"g": (at_threshold - at_rest) * near, **risen(p, -at_rest / p["g"])}


def _of_threshold(cell: Cell, mV: float, p: Mapping[str, float]) -> Shifts:
    """Shifts for a higher threshold of the detailed cell, whose reset stays.

    It fires at a larger current, and comes back from its reset by a longer way. The reset of the
    surrogate moves with its threshold, lest it should come to lie above it, and the fast current
    brings it down as far as before. A neuron without such a current comes back from its reset
    alone, which stays.
    """
    way = mV * _steepness(cell) / p["g"]
    threshold = {"theta": (1 - p["a_v"] / p["b_v"]) * way}
    if p["dI_2"] == 0:
        return threshold | {"dv": p["f_v"] * way}
    return threshold | {"dv": -(1 - p["f_v"]) * way, "dI_2": -p["C"] * way * p["k_2"]}


def _of_charges(
    a: Mapping[str, tuple[float, float]], b: Mapping[str, tuple[float, float]],
    p: Mapping[str, float],
) -> Shifts:  # fmt: skip
    """Shifts of the currents that stand for channels which spikes open, a before and b after.

    Each channel counts to the current whose time constant is nearer, which changes by the share
    by which the charge of its channels does.
    """
    found = {}
    for j, other in ((1, 2), (2, 1)):
        own = [
            name for name, (_, tau) in a.items()
            if abs(math.log(tau * p[f"k_{j}"])) < abs(math.log(tau * p[f"k_{other}"]))
        ]  # fmt: skip
        before, after = (sum(of[name][0] for name in own) for of in (a, b))
        if before + after:
            found[f"dI_{j}"] = p[f"dI_{j}"] * 2 * (after - before) / (after + before)
    return found


def _charges(cell: Cell) -> dict[str, tuple[float, float]]:
    """Charge (fC) and time constant (ms) of every somatic channel that spikes open, by its name.

    After one spike, with the soma at its threshold. Only of channels that are shut but for spikes:
    what others do is in the holding currents.
    """
    found: dict[str, tuple[float, float]] = {}
    if not isinstance(cell.soma.spike, SomaticSpike):
        return found
    v = cell.soma.spike.threshold
    for channel in cell.soma.channels:
        if _shut(channel, v):
            gate = channel.gates[0]
            tau = passive.gate_time_constant(channel, gate, v.si, cell.temperature) / gate.power
            opened = channel.g_max.si * cell.soma.area.si * gate.spike_jump**gate.power
            charge = opened * (channel.E_rev - v).si * tau
            found[channel.name] = float(charge) * 1e15, float(tau) * 1e3
    return found


def _shut(channel: Channel, v: Quantity) -> bool:
    if len(channel.gates) != 1 or channel.reads_calcium:
        return False
    gate = channel.gates[0]
    return gate.spike_jump > 0 and not passive.gate_steady_state(channel, gate, v.si)


def _noticed(shifts: Shifts, parameters: Mapping[str, float]) -> Shifts:
    """Without those that are none."""
    least = {"E_L": NO_MV, "dv": NO_MV, "theta": NO_MV}
    return {
        name: shift for name, shift in shifts.items()
        if abs(shift) > least.get(name, NO_SHARE * abs(parameters[name]))
    }  # fmt: skip


def _following(
    name: str, pairs: list[tuple[str, float]], parameters: Mapping[str, float]
) -> Variation:
    """The variation of a parameter that follows others, each with the shift of its deviation."""
    path, unit, factor = path_and_unit(name)
    one = parameters[name] if name in FACTORS else 1.0
    follows = tuple((origin, shift / one) for origin, shift in pairs)
    size = math.hypot(*(weight for _, weight in follows))
    if name in FACTORS:
        return Variation(path, "lognormal", cv=size, follows=follows, source=SOURCE)
    sd = quantity(size * factor, unit)
    return Variation(path, "normal", sd=sd, follows=follows, source=SOURCE)


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


def _changed(cell: Cell, change: Change, share: float) -> Any:
    value = cell.get(change.path)
    if change.operation == "scale":
        return value * (1 + (change.value - 1) * share)
    if isinstance(value, Quantity):
        return value + Quantity(change.value * share, value.dim)
    return value + change.value * share


def _held(cell: Cell, mV: float) -> float:
    """Current in pA that holds the soma at a potential."""
    _, current = passive.hold(cell, quantity(mV, "mV"))
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
