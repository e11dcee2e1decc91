"""Leak and capacitance of an ``hh`` cell from its resting potential, resistance and time constant.

All compartments are to rest at one potential, so no current flows between them, and each leak
reversal follows from the other currents of its compartment. What remains is linear: the input
resistance fixes the leak density, the time constant the capacitance.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import brentq

from biomod.errors import ModelError
from biomod.mechanisms.passive import (
    evaluate,
    gate_steady_state,
    steady_calcium,
)
from biomod.model import Cell, Channel, Compartment, Gate
from biomod.units import parse_unit

# Gates faster than this follow the voltage of a long step, slower ones stand still (ms).
FAST = 15.0
E_LEAK_RANGE = (-0.120, 0.0)  # V
_STEP = 1e-4  # V
TEMPERATURE = 34.0


def solve(
    cell: Cell, v_rest: float, r_in: float, tau_m: float, share: float = 0.6
) -> dict[str, str]:
    """Values by path of g_leak, leak_K, E_leak and cm that give the three targets.

    Parameters
    ----------
    v_rest, r_in, tau_m : float
        mV, MOhm and ms.
    share : float
        Share of the leak that is potassium's.

    Raises
    ------
    ModelError
        The channels conduct more at rest than the input resistance allows, or a leak reversal
        would lie outside -120 to 0 mV.
    """
    v = v_rest * 1e-3
    parts = cell.compartments
    area = np.array([c.area.si for c in parts])
    current = np.array(
        [sum(ch.g_max.si * _open(c, ch, v) * (ch.E_rev.si - v) for ch in _gated(c)) for c in parts]
    )
    slope = np.array([sum(_slope(c, ch, v) for ch in _gated(c)) for c in parts])
    coupling = _laplacian(cell)
    soma = parts.index(cell.soma)

    def excess(log_g: float) -> float:
        matrix = coupling + np.diag(area * (np.exp(log_g) + slope))
        if np.linalg.eigvalsh(matrix)[0] <= 0:
            return 1e6
        return float(np.linalg.inv(matrix)[soma, soma] * 1e-6 - r_in)

    low, high = np.log(1e-3), np.log(1e3)  # S/m2
    if excess(low) < 0:
        raise ModelError(f"{cell.name}: channels at rest conduct too much for {r_in:g} MOhm")
    g = float(np.exp(brentq(excess, low, high)))
    matrix = coupling + np.diag(area * (g + slope))
    cm = tau_m * 1e-3 / _apparent_tau(matrix, area, soma)
    values = {
        "*.cm": f"{cm * 100:.6g} uF/cm2",
        "*.g_leak": f"{(1 - share) * g * 100:.6g} uS/cm2",
        "*.leak_K.g_max": f"{share * g * 100:.6g} uS/cm2",
    }
    for c, inward in zip(parts, current, strict=True):
        e_k = next(ch.E_rev.si for ch in c.channels if ch.name == "leak_K")
        e = v - (inward + share * g * (e_k - v)) / ((1 - share) * g)
        if not E_LEAK_RANGE[0] <= e <= E_LEAK_RANGE[1]:
            raise ModelError(
                f"{cell.name}: {c.name} would need a leak reversal of {e * 1e3:.0f} mV"
            )
        values[f"{c.name}.E_leak"] = f"{e * 1e3:.6g} mV"
    return values


def _gated(c: Compartment) -> list[Channel]:
    return [ch for ch in c.channels if ch.gates and ch.g_max.si > 0]


def _gates(c: Compartment, ch: Channel, v: float, rest: float) -> float:
    """Open fraction at v of the gates that are fast, the others as at rest."""
    cai = steady_calcium(c, np.array(rest)) if ch.reads_calcium else None
    found = 1.0
    for gate in ch.gates:
        at = v if ch.reads_calcium or _tau(ch, gate, rest) < FAST else rest
        found *= float(gate_steady_state(ch, gate, np.array(at), cai)) ** gate.power
    return found


def _tau(ch: Channel, gate: Gate, v: float) -> float:
    if not gate.tau:
        return 0.0
    names = {k.name: k.value.si / parse_unit(k.unit)[0] for k in ch.constants}
    return float(evaluate(gate.tau, np.array(v * 1e3), names)) / ch.speed(gate, TEMPERATURE)


def _open(c: Compartment, ch: Channel, v: float) -> float:
    return _gates(c, ch, v, v)


def _slope(c: Compartment, ch: Channel, v: float) -> float:
    """Conductance per area seen by a small step, in S/m2."""

    def inward(x: float) -> float:
        return ch.g_max.si * _gates(c, ch, x, v) * (ch.E_rev.si - x)

    return -(inward(v + _STEP) - inward(v - _STEP)) / (2 * _STEP)


def _laplacian(cell: Cell) -> np.ndarray:
    names = [c.name for c in cell.compartments]
    matrix = np.zeros((len(names), len(names)))
    for k in cell.couplings:
        i, j, g = names.index(k.a), names.index(k.b), cell.coupling_conductance(k).si
        matrix[[i, j], [i, j]] += g
        matrix[[i, j], [j, i]] -= g
    return matrix


def _apparent_tau(matrix: np.ndarray, area: np.ndarray, soma: int) -> float:
    """Time constant (s) of one exponential fitted to the somatic response, at 1 F/m2."""
    root = np.sqrt(area)
    rates, vectors = np.linalg.eigh(matrix / np.outer(root, root))
    size = (vectors[soma] / root[soma]) ** 2 / rates
    t = np.linspace(0, 6 / rates[0], 1500)
    y = size @ -np.expm1(-np.outer(rates, t))
    use = slice(int(np.argmax(y >= 0.1 * y[-1])), None)
    t, y = t[use], y[use] - y[use].mean()
    taus = np.geomspace(0.3, 1.5, 241) / rates[0]
    e = np.exp(-np.outer(1 / taus, t))
    e -= e.mean(axis=1, keepdims=True)
    slope = (e @ y) / (e**2).sum(axis=1)
    error = ((y - slope[:, None] * e) ** 2).sum(axis=1)
    return float(taus[int(np.argmin(error))])
