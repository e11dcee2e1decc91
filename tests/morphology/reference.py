"""An independent solver of Rallpack 3: the squid axon on a fine grid, in numpy."""

from __future__ import annotations

import numpy as np
from scipy.linalg.lapack import dptsv
from scipy.optimize import brentq

# Bhalla, Bilitch & Bower 1992, Trends Neurosci 15:453; SI units.
DIAMETER, LENGTH = 1e-6, 1e-3
CAPACITANCE, RESISTIVITY, LEAK, E_LEAK = 0.01, 1.0, 0.25, -65e-3
G_NA, E_NA, G_K, E_K = 1200.0, 50e-3, 360.0, -77e-3
CURRENT = 0.1e-9


def rates(v: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Rates (1/ms) of m, h and n at v in V, of Hodgkin & Huxley 1952 with rest at -65 mV."""
    u = v * 1e3 + 65 + 1e-9
    return [
        (0.1 * (25 - u) / np.expm1((25 - u) / 10), 4 * np.exp(-u / 18)),
        (0.07 * np.exp(-u / 20), 1 / (np.exp((30 - u) / 10) + 1)),
        (0.01 * (10 - u) / np.expm1((10 - u) / 10), 0.125 * np.exp(-u / 80)),
    ]


def steady(v: np.ndarray) -> list[np.ndarray]:
    """Gates in equilibrium."""
    return [a / (a + b) for a, b in rates(v)]


def resting_potential() -> float:
    """Where leak, sodium and potassium current add up to zero, in V."""

    def current(v: float) -> float:
        m, h, n = (float(x) for x in steady(np.array(v)))
        return LEAK * (E_LEAK - v) + G_NA * m**3 * h * (E_NA - v) + G_K * n**4 * (E_K - v)

    return float(brentq(current, -90e-3, -60e-3))


def rallpack3(
    v_start: float, duration: float, n: int = 1000, dt: float = 2e-6, interval: float = 5e-5
) -> np.ndarray:
    """Voltages (V) at both ends every `interval` (s), from equilibrium gates at `v_start` (V).

    Cells of length/n, their centres half a cell from the ends, as in the published reference;
    gates exponentially, half a step from the voltages, which advance with Crank and Nicolson.
    """
    h = LENGTH / n
    c = CAPACITANCE * np.pi * DIAMETER * h
    area = np.pi * DIAMETER * h
    axial = np.pi * DIAMETER**2 / (4 * RESISTIVITY * h)
    inner = np.full(n, 2 * axial)
    inner[[0, -1]] = axial
    v = np.full(n, v_start)
    gates = [np.full(n, float(x)) for x in steady(np.array(v_start))]
    every, steps = round(interval / dt), round(duration / dt)
    out = [(v[0], v[-1])]
    off = np.full(n - 1, -axial)
    for step in range(1, steps + 1):
        m, gh, gn = gates
        na, k = G_NA * area * m**3 * gh, G_K * area * gn**4
        diagonal = 2 * c / dt + LEAK * area + na + k + inner
        right = 2 * c / dt * v + LEAK * area * E_LEAK + na * E_NA + k * E_K
        right[0] += CURRENT
        *_, middle, info = dptsv(diagonal, off.copy(), right)
        assert info == 0
        v = 2 * middle - v
        for i, (a, b) in enumerate(rates(v)):
            gates[i] = gates[i] + (a / (a + b) - gates[i]) * -np.expm1(-dt * 1e3 * (a + b))
        if step % every == 0:
            out.append((v[0], v[-1]))
    return np.array(out)
