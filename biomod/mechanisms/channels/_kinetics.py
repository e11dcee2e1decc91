"""What the functions of the library share."""

from __future__ import annotations

import re
from typing import TypedDict

from biomod.model import Channel, Constant, Gate
from biomod.units import Quantity, QuantityLike, as_quantity, mV

# Scale of recordings that are not corrected for the liquid junction potential of about -14 mV:
# potassium of 2.5 mM outside and 135 mM inside is -105 mV at 34 C, sodium of 125 and 10 mM 67 mV
# (uncorrected -90 and 80 mV). Sodium currents of models use 50 to 60 mV throughout.
E_K = -90 * mV
E_NA = 55 * mV
E_CATION = 0 * mV
E_H = -40 * mV
# Ohmic stand-in for the constant-field current; Nernst gives 131 mV at 2 mM and 100 nM.
E_CA = 120 * mV


def density(g_max: QuantityLike, channel: str) -> Quantity:
    """A conductance per area, whatever its unit was."""
    return as_quantity(g_max, "uS/cm2", f"Channel {channel}: g_max")


def shifted(
    name: str,
    g_max: QuantityLike,
    E_rev: QuantityLike,
    gates: tuple[Gate, ...],
    source: str,
    *,
    v_shift: QuantityLike,
    celsius: float = 34.0,
    ion: str = "",
) -> Channel:
    """A channel whose kinetics are evaluated at ``v - v_shift``.

    Cells shift the published kinetics to the scale of their own recordings.
    """
    moved = tuple(
        gate.with_(steady_state=_moved(gate.steady_state), tau=_moved(gate.tau)) for gate in gates
    )
    return Channel(
        name, density(g_max, name), as_quantity(E_rev, "mV", f"Channel {name}: E_rev"),
        gates=moved, constants=(Constant("v_shift", v_shift),), ion=ion, celsius=celsius,
        source=source,
    )  # fmt: skip


def _moved(expression: str) -> str:
    return re.sub(r"\bv\b", "(v - v_shift)", expression)


class Kinetics(TypedDict):
    """Expressions of a gate."""

    tau: str
    steady_state: str


def rates(alpha: str, beta: str) -> Kinetics:
    """Time constant and steady state of a gate from its rates in 1/ms."""
    total = f"({alpha} + {beta})"
    return {"tau": f"1 / {total}", "steady_state": f"{alpha} / {total}"}
