"""Resistances and time constants of a cell, gates frozen or following."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from biomod.errors import ModelError
from biomod.mechanisms.passive._membrane import Membrane
from biomod.mechanisms.passive._resting import by_name, settle
from biomod.model import Cell
from biomod.units import Quantity, as_quantity, parse_unit


def conductance_matrix(
    cell: Cell, voltage: Quantity | str | Mapping[str, Quantity] | None = None
) -> np.ndarray:
    """The matrix G of ``C dv/dt = b - G v + I`` with gates frozen, in S.

    ``G_ii`` is the membrane conductance of compartment i plus its couplings, ``G_ij`` minus the
    coupling of i and j.

    Parameters
    ----------
    voltage : quantity or mapping of compartment to quantity, optional
        Where gates are at their steady state; at the resting potential if not given.

    Returns
    -------
    array of shape (n, n)
        In the order of ``cell.compartments``; symmetric.
    """
    m = Membrane.of(cell)
    if voltage is None:
        v = settle(m)
    elif isinstance(voltage, Mapping):
        v = settle(m) if len(voltage) < len(cell.compartments) else m.start.copy()
        for name, value in voltage.items():
            v[m.index(name)] = as_quantity(value, "mV", f"voltage of {name}").si
    else:
        v = np.full(len(m.g), as_quantity(voltage, "mV", "voltage").si)
    return frozen(m, v)


def frozen(m: Membrane, v: np.ndarray) -> np.ndarray:
    return m.laplacian() + np.diag(m.conductances(v))


def _inverse_at_rest(m: Membrane, frozen_gates: bool) -> np.ndarray:
    v = settle(m)
    if frozen_gates:
        return np.linalg.inv(frozen(m, v))
    return np.linalg.inv(m.laplacian() + np.diag(m.current_and_slope(v)[1]))


def input_resistance(cell: Cell, compartment: str = "soma", frozen_gates: bool = True) -> Quantity:
    """Steady change of voltage per injected current, both in one compartment.

    The diagonal of the inverse of the conductance matrix at rest.

    Parameters
    ----------
    compartment : str
        Where current is injected and voltage is read; ``"soma"`` always finds the soma.
    frozen_gates : bool
        True: gates stay as they are at rest (the initial response, before sag). False: the slope
        of the steady-state voltage-current relation, gates following (after the sag).

    Returns
    -------
    Quantity
        A resistance.
    """
    return transfer_resistance(cell, compartment, compartment, frozen_gates)


def transfer_resistance(cell: Cell, a: str, b: str, frozen_gates: bool = True) -> Quantity:
    """Steady change of voltage in `b` per current injected in `a`; symmetric in a and b.

    See :func:`input_resistance` for `frozen_gates`.
    """
    m = Membrane.of(cell)
    resistance = _inverse_at_rest(m, frozen_gates)[m.index(b), m.index(a)]
    return Quantity(float(resistance), parse_unit("ohm")[1])


def steady_state(cell: Cell, currents: Mapping[str, Quantity]) -> dict[str, Quantity]:
    """Steady potentials with constant injected currents, gates frozen at rest.

    ``v = v_rest + inverse(G) I``, exact for a passive cell.

    Parameters
    ----------
    currents : mapping of compartment to quantity
        Injected current, positive inward; 0 where not given.

    Returns
    -------
    dict of str to Quantity
        Potential of every compartment.
    """
    m = Membrane.of(cell)
    injected = np.zeros(len(m.g))
    for name, current in currents.items():
        injected[m.index(name)] += as_quantity(current, "pA", f"current into {name}").si
    v = settle(m)
    v = v + np.linalg.solve(frozen(m, v), injected)
    return {name: Quantity(x, parse_unit("V")[1]) for name, x in by_name(cell, v).items()}


def modes(m: Membrane, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rates (1/s) and shapes of the modes of the linear system with gates frozen at v.

    A deviation is ``x_i = sum_k shapes[i, k] y_k`` with ``dy_k/dt = -rate_k y_k + sum_j
    shapes[j, k] I_j``. (The matrix is symmetric after scaling by the roots of C.)
    """
    root = np.sqrt(m.capacitance)
    rates, vectors = np.linalg.eigh(frozen(m, v) / np.outer(root, root))
    return rates, vectors / root[:, None]


def time_constant(cell: Cell) -> Quantity:
    """The slowest time constant of the voltages, gates frozen at rest.

    The largest eigenvalue of ``inverse(G) C``. In a cell with uniform membrane it is the
    membrane's ``C / g``; see :func:`apparent_time_constant` for what is measured at the soma.
    """
    m = Membrane.of(cell)
    rates, _ = modes(m, settle(m))
    return Quantity(float(1 / rates[0]), parse_unit("s")[1])


def fastest_time_constant(cell: Cell) -> float:
    """The fastest time constant of the voltages, gates frozen at rest, in s.

    The smallest eigenvalue of ``inverse(G) C``; forward Euler is stable up to twice this step.
    """
    m = Membrane.of(cell)
    rates, _ = modes(m, settle(m))
    return float(1 / rates[-1])


def apparent_time_constant(
    cell: Cell,
    window: tuple[float, float] = (0.1, 0.9),
    duration: Quantity | str = "1 s",
) -> Quantity:
    """Time constant that an experimenter reads from the soma's response to a small step.

    Least-squares fit of ``y0 + a exp(-t / tau)``, all three free, to the somatic response to a
    small step of somatic current, between the times when it passes the two fractions in `window`
    of its deflection at the end of the step. Gates are frozen at rest, so the sign and size of
    the step do not matter, and there is no sag.

    Parameters
    ----------
    window : (float, float)
        Fractions of the deflection. The features of the Allen Cell Types database are fitted
        from 0.1 to the peak, i.e. (0.1, 1).
    duration : quantity
        Length of the step (1 s in Allen's protocol).

    Notes
    -----
    Source of the procedure: AllenInstitute/ipfx, ``subthresh_features.time_constant`` and
    ``fit_membrane_time_constant``.
    """
    low, high = (float(x) for x in window)
    if not 0 <= low < high <= 1:
        raise ModelError(f"window must be two rising fractions within 0…1; {window!r} was given")
    end = as_quantity(duration, "ms", "duration").si
    if not end > 0:
        raise ModelError(f"duration must be positive; {duration!r} was given")
    m = Membrane.of(cell)
    rates, shapes = modes(m, settle(m))
    size = shapes[m.index(cell.soma.name)] ** 2 / rates
    return Quantity(_fit_exponential(rates, size, (low, high), end), parse_unit("s")[1])


def _fit_exponential(
    rates: np.ndarray, size: np.ndarray, window: tuple[float, float], end: float
) -> float:
    """Time constant of the best ``y0 + a exp(-t / tau)`` for ``sum(size (1 - exp(-rates t)))``."""
    from scipy.optimize import brentq, minimize_scalar

    def response(t: Any) -> Any:
        return -np.expm1(-np.multiply.outer(t, rates)) @ size

    full = float(response(end))
    edges = [brentq(lambda t, x=x: response(t) - x * full, 0, end, rtol=1e-12) for x in window]
    t = np.linspace(edges[0], edges[1], 2001)
    y = response(t)
    z = y - y.mean()

    def error(log_tau: float) -> float:
        # For a given tau the other two parameters are a straight-line regression.
        e = np.exp(-(t - t[0]) / math.exp(log_tau))
        e = e - e.mean()
        return float(((z - (e @ z) / (e @ e) * e) ** 2).sum() / (z @ z))

    # tau lies between the fastest and the slowest mode. The root makes the minimum sharp where
    # the fit is perfect.
    bounds = (math.log(0.5 / rates[-1]), math.log(2.0 / rates[0]))
    best = minimize_scalar(
        lambda x: math.sqrt(error(x)), bounds=bounds, method="bounded", options={"xatol": 1e-10}
    )
    return math.exp(best.x)
