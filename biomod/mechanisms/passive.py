"""Linear electrotonic theory of a cell: rest, resistances, time constants, synaptic potentials.

A cell of n compartments obeys ``C_i dv_i/dt = sum_k g_ik(v_i) (E_k - v_i) + sum_j G_ij (v_j -
v_i) + I_i``, with the leak and the channels as k and the couplings as G. Here gates are either
frozen at a voltage, which makes the system linear, or follow their steady state at once. Spikes,
somatic or dendritic, are not part of it.

Everything is deterministic and needs no simulator, so that calibrations are fast and tests of
the simulators have something exact to be held against.

Source: Rall 1977, Handbook of Physiology, The Nervous System 1:39; Koch 1999, Biophysics of
Computation, chapter 3.
"""

from __future__ import annotations

import ast
import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import CodeType
from typing import Any

import numpy as np

from biomod.errors import ModelError
from biomod.model import Cell, Channel, Compartment, Gate, SynapticReceptor
from biomod.model.channel import check_expression
from biomod.model.circuit import Shares, check_receptor
from biomod.units import Quantity, as_quantity, parse_unit

__all__ = [
    "apparent_time_constant",
    "conductance_matrix",
    "evaluate",
    "fastest_time_constant",
    "gate_steady_state",
    "hold",
    "input_resistance",
    "psp",
    "rest",
    "steady_calcium",
    "steady_state",
    "time_constant",
    "transfer_resistance",
    "weight_for_psp",
]

# Relative precision of potentials, and the largest change of one in a step towards rest (V).
TOLERANCE = 1e-12
LARGEST_STEP = 5e-3
# Five-point stencil for slopes (mV): truncation and rounding are both near 1e-12 for kinetics
# that change over a few mV.
STENCIL = np.array([0.0, -0.02, -0.01, 0.01, 0.02])
SLOPE = np.array([0.0, 1.0, -8.0, 8.0, -1.0]) / 0.12
# Time steps of a synaptic potential begin at 1/50 of the fastest synaptic time constant and
# then grow with the time that has passed.
FIRST_STEP = 0.02
FARADAY = 96485.33212  # C/mol
GROWTH = 0.04


# --------------------------------------------------------------------------------------------
# Expressions of gates
# --------------------------------------------------------------------------------------------
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


# --------------------------------------------------------------------------------------------
# The membrane as arrays
# --------------------------------------------------------------------------------------------
@dataclass(frozen=True, eq=False)
class _Kinetics:
    """Channels with the same gates, in several compartments: evaluated together."""

    channel: Channel
    where: np.ndarray
    g: np.ndarray
    E: np.ndarray

    def opening(self, v: np.ndarray, cai: np.ndarray | None = None) -> np.ndarray:
        """Steady-state fraction of g that is open, at voltages in V (last axis: `where`)."""
        return _opening(self.channel, v, cai)


def _opening(channel: Channel, v: np.ndarray, cai: np.ndarray | None = None) -> np.ndarray:
    fraction = np.ones(v.shape)
    for gate in channel.gates:
        fraction *= gate_steady_state(channel, gate, v, cai) ** gate.power
    return fraction


def steady_calcium(compartment: Compartment, v: Any) -> np.ndarray:
    """Free calcium (mM) that the calcium currents of a compartment sustain at `v` (V)."""
    pool = compartment.calcium
    v = np.asarray(v, dtype=float)
    if pool is None:
        raise ModelError(f"compartment {compartment.name} has no calcium pool")
    inward = np.zeros(v.shape)  # A/m2
    for channel in compartment.channels:
        if channel.ion == "ca":
            inward += channel.g_max.si * _opening(channel, v) * (channel.E_rev.si - v)
    gain = pool.gamma * pool.tau_decay.si / (2 * FARADAY * pool.depth.si)
    return np.asarray(pool.cai_rest.si + gain * inward)  # mol/m3 is mM


def _lowest_reversal(cell: Cell) -> float:
    """The most negative reversal potential of a current of the cell, in V."""
    found = [c.E_leak.si for c in cell.compartments if c.g_leak.si > 0]
    found += [k.E_rev.si for c in cell.compartments for k in c.channels if k.g_max.si > 0]
    return min(found, default=cell.soma.E_leak.si)


@dataclass(frozen=True, eq=False)
class _Membrane:
    """A cell as arrays over its compartments, in SI."""

    cell: Cell
    capacitance: np.ndarray
    g: np.ndarray  # leak and channels without gates
    gE: np.ndarray
    start: np.ndarray
    kinetics: tuple[_Kinetics, ...]
    pairs: np.ndarray  # (couplings, 2)
    coupling: np.ndarray  # (couplings,)

    @classmethod
    def of(cls, cell: Cell) -> _Membrane:
        parts = cell.compartments
        index = {c.name: i for i, c in enumerate(parts)}
        area = np.array([c.area.si for c in parts])
        leak = np.array([c.g_leak.si for c in parts]) * area
        reversal = np.array([c.E_leak.si for c in parts])
        start = reversal
        if cell.fidelity == "hh":
            start = np.full(len(parts), _lowest_reversal(cell))
        g, gE = leak.copy(), leak * reversal
        for i, part in enumerate(parts):
            for channel in part.channels:
                if not channel.gates:
                    g[i] += channel.g_max.si * area[i]
                    gE[i] += channel.g_max.si * area[i] * channel.E_rev.si
        pairs = np.array([(index[c.a], index[c.b]) for c in cell.couplings], dtype=int)
        return cls(
            cell=cell,
            capacitance=np.array([c.capacitance.si for c in parts]),
            g=g,
            gE=gE,
            start=start,
            kinetics=_group(parts, area),
            pairs=pairs.reshape(-1, 2),
            coupling=np.array([cell.coupling_conductance(c).si for c in cell.couplings]),
        )

    def index(self, name: str) -> int:
        """Index of a compartment; ``"soma"`` always finds the soma."""
        names = [c.name for c in self.cell.compartments]
        if name == "soma" and name not in names:
            name = self.cell.soma.name
        return names.index(self.cell.compartment(name).name)

    def laplacian(self) -> np.ndarray:
        """Couplings as a matrix: ``(L v)_i`` is the current that leaves i to its neighbours."""
        matrix = np.zeros((len(self.g), len(self.g)))
        for (i, j), g in zip(self.pairs, self.coupling, strict=True):
            matrix[[i, j], [i, j]] += g
            matrix[[i, j], [j, i]] -= g
        return matrix

    def opening(self, k: _Kinetics, v: np.ndarray) -> np.ndarray:
        """Open fraction of a group of channels, calcium where the voltage sustains it."""
        if not k.channel.reads_calcium:
            return k.opening(v)
        parts = [self.cell.compartments[i] for i in k.where]
        cai = [steady_calcium(part, v[..., i]) for i, part in enumerate(parts)]
        return k.opening(v, np.stack(cai, axis=-1))

    def conductances(self, v: np.ndarray) -> np.ndarray:
        """Membrane conductance of each compartment with all gates at their steady state at v."""
        total = self.g.copy()
        for k in self.kinetics:
            np.add.at(total, k.where, k.g * self.opening(k, v[k.where]))
        return total

    def current_and_slope(self, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Inward current of each compartment at v, and minus its derivative by its own v.

        Gates follow. Currents between compartments are in the current, not in the slope.
        """
        current, slope = self.gE - self.g * v, self.g.copy()
        for k in self.kinetics:
            local = v[k.where]
            fraction = self.opening(k, local + STENCIL[:, None] * 1e-3)
            change = SLOPE @ fraction * 1e3
            np.add.at(current, k.where, k.g * fraction[0] * (k.E - local))
            np.add.at(slope, k.where, k.g * (fraction[0] - change * (k.E - local)))
        # As differences, which are exact: with strong couplings L @ v would drown the rest.
        flow = self.coupling * (v[self.pairs[:, 1]] - v[self.pairs[:, 0]])
        np.add.at(current, self.pairs[:, 0], flow)
        np.add.at(current, self.pairs[:, 1], -flow)
        return current, slope


def _group(parts: tuple[Compartment, ...], area: np.ndarray) -> tuple[_Kinetics, ...]:
    found: dict[Any, list[tuple[int, Channel]]] = {}
    for i, part in enumerate(parts):
        for channel in part.channels:
            if channel.gates:
                found.setdefault((channel.gates, channel.constants), []).append((i, channel))
    return tuple(
        _Kinetics(
            channel=members[0][1],
            where=np.array([i for i, _ in members]),
            g=np.array([c.g_max.si * area[i] for i, c in members]),
            E=np.array([c.E_rev.si for _, c in members]),
        )
        for members in found.values()
    )


def _settle(m: _Membrane, held: int | None = None, at: float = 0.0) -> np.ndarray:
    """Potentials at which no current flows, compartment `held` being clamped to `at`.

    Pseudo-transient continuation: implicit Euler steps that grow until they are Newton steps.
    Unlike plain Newton it ends in a state that is stable. (Kelley & Keyes 1998, SIAM J Numer
    Anal 35:508.)
    """
    v, dt = m.start.copy(), 1e-2
    free = np.arange(len(v)) != (-1 if held is None else held)
    if held is not None:
        v[held] = at
    if not free.any():
        return v
    coupling = m.laplacian()
    for _ in range(400):
        current, slope = m.current_and_slope(v)
        matrix = (coupling + np.diag(slope + m.capacitance / dt))[np.ix_(free, free)]
        try:
            # The system is the gradient flow of an energy; where that is not convex, an implicit
            # step would go uphill, and a shorter one is needed.
            np.linalg.cholesky(matrix)
        except np.linalg.LinAlgError:
            dt /= 10
            continue
        change = np.linalg.solve(matrix, current[free])
        size = float(np.abs(change).max())
        if size > LARGEST_STEP:
            # Still far, and the slope here tells little about there.
            v[free] += change * (LARGEST_STEP / size)
            dt /= 4
            continue
        v[free] += change
        if size <= TOLERANCE * max(float(np.abs(v).max()), 1e-3) and dt > 1e6:
            if np.linalg.eigvalsh((coupling + np.diag(slope))[np.ix_(free, free)])[0] > 0:
                return v
            break
        dt *= 10
    raise ModelError(
        f"cell {m.cell.name}: no stable resting potential was found; check that it has a leak and "
        "that inward conductances do not exceed it"
    )


# --------------------------------------------------------------------------------------------
# Rest and resistances
# --------------------------------------------------------------------------------------------
def rest(cell: Cell) -> dict[str, float]:
    """Resting potential of every compartment, in V.

    Where all currents of a compartment, gates at their steady state, and the currents from its
    neighbours add up to zero; solved to a relative precision of 1e-12. Of several stable states
    the one that is reached from the reversal potentials of the leak; in a cell of fidelity hh,
    whose channels may hold it at a plateau besides, the most negative one.

    Raises
    ------
    ModelError
        There is no stable one, e.g. because the cell has no leak, or persistent inward current
        exceeds it everywhere.
    """
    return _named(cell, _settle(_Membrane.of(cell)))


def hold(cell: Cell, potential: Quantity | str) -> tuple[dict[str, float], Quantity]:
    """Potentials in V while the soma is held, and the constant somatic current that does it.

    Gates are at their steady state everywhere and the dendrites follow passively.

    Parameters
    ----------
    potential : quantity
        Somatic potential.

    Raises
    ------
    ModelError
        The dendrites have no stable potential.
    """
    m = _Membrane.of(cell)
    v = _held(m, potential)
    current, _ = m.current_and_slope(v)
    injected = -float(current[m.index(cell.soma.name)])
    return _named(cell, v), Quantity(injected, parse_unit("A")[1])


def _held(m: _Membrane, potential: Quantity | str | None) -> np.ndarray:
    if potential is None:
        return _settle(m)
    at = as_quantity(potential, "mV", "holding potential").si
    return _settle(m, m.index(m.cell.soma.name), at)


def _named(cell: Cell, v: np.ndarray) -> dict[str, float]:
    return {c.name: float(x) for c, x in zip(cell.compartments, v, strict=True)}


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
    m = _Membrane.of(cell)
    if voltage is None:
        v = _settle(m)
    elif isinstance(voltage, Mapping):
        v = _settle(m) if len(voltage) < len(cell.compartments) else m.start.copy()
        for name, value in voltage.items():
            v[m.index(name)] = as_quantity(value, "mV", f"voltage of {name}").si
    else:
        v = np.full(len(m.g), as_quantity(voltage, "mV", "voltage").si)
    return _frozen(m, v)


def _frozen(m: _Membrane, v: np.ndarray) -> np.ndarray:
    return m.laplacian() + np.diag(m.conductances(v))


def _inverse_at_rest(m: _Membrane, frozen_gates: bool) -> np.ndarray:
    v = _settle(m)
    if frozen_gates:
        return np.linalg.inv(_frozen(m, v))
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
    m = _Membrane.of(cell)
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
    m = _Membrane.of(cell)
    injected = np.zeros(len(m.g))
    for name, current in currents.items():
        injected[m.index(name)] += as_quantity(current, "pA", f"current into {name}").si
    v = _settle(m)
    v = v + np.linalg.solve(_frozen(m, v), injected)
    return {name: Quantity(x, parse_unit("V")[1]) for name, x in _named(cell, v).items()}


# --------------------------------------------------------------------------------------------
# Time constants
# --------------------------------------------------------------------------------------------
def _modes(m: _Membrane, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rates (1/s) and shapes of the modes of the linear system with gates frozen at v.

    A deviation is ``x_i = sum_k shapes[i, k] y_k`` with ``dy_k/dt = -rate_k y_k + sum_j
    shapes[j, k] I_j``. (The matrix is symmetric after scaling by the roots of C.)
    """
    root = np.sqrt(m.capacitance)
    rates, vectors = np.linalg.eigh(_frozen(m, v) / np.outer(root, root))
    return rates, vectors / root[:, None]


def time_constant(cell: Cell) -> Quantity:
    """The slowest time constant of the voltages, gates frozen at rest.

    The largest eigenvalue of ``inverse(G) C``. In a cell with uniform membrane it is the
    membrane's ``C / g``; see :func:`apparent_time_constant` for what is measured at the soma.
    """
    m = _Membrane.of(cell)
    rates, _ = _modes(m, _settle(m))
    return Quantity(float(1 / rates[0]), parse_unit("s")[1])


def fastest_time_constant(cell: Cell) -> float:
    """The fastest time constant of the voltages, gates frozen at rest, in s.

    The smallest eigenvalue of ``inverse(G) C``; forward Euler is stable up to twice this step.
    """
    m = _Membrane.of(cell)
    rates, _ = _modes(m, _settle(m))
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
    m = _Membrane.of(cell)
    rates, shapes = _modes(m, _settle(m))
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


# --------------------------------------------------------------------------------------------
# Synaptic potentials
# --------------------------------------------------------------------------------------------
@dataclass(frozen=True, eq=False)
class _Event:
    """One synaptic event on each of several compartments, each in a cell of its own.

    First axes: `steps` of time, m targets, r receptors, n modes.
    """

    v0: np.ndarray  # (m,) potential of the targets before the event
    shape: np.ndarray  # (m, n) modes at the targets
    seen: np.ndarray  # (n,) modes where the response is read
    decay: np.ndarray  # (steps, n) of the modes within a step
    first: np.ndarray  # (steps, n) weight of the current at the begin of a step
    last: np.ndarray  # (steps, n) weight of the current at its end
    open: np.ndarray  # (steps + 1, m, r) conductance per unit of weight
    E: np.ndarray  # (m, r)
    block: np.ndarray  # (m, r) mg / 3.57 mM, 0 where there is no block

    def peaks(self, weight: float) -> np.ndarray:
        """Extreme of the response of each target (signed, V) to a peak conductance in S."""
        y = np.zeros(self.shape.shape)
        v = self.v0
        current, _ = self._current(v, weight * self.open[0])
        first, last = self._damped(weight)
        feedback = (last * self.shape).sum(2)
        states = np.empty((len(self.decay), *y.shape))
        lowest, highest = self.E.min(1), self.E.max(1)
        for i, decay in enumerate(self.decay):
            y = decay * y + first[i] * current[:, None]
            before = self.v0 + (y * self.shape).sum(1)
            # The current at the end depends on v there. One Newton step from the last v is exact
            # without NMDA and keeps the order with it; v = before + feedback * current.
            at_v, slope = self._current(v, weight * self.open[i + 1])
            slope = np.minimum(slope, 0.5 / feedback[i])
            current = (at_v + slope * (before - v)) / (1 - feedback[i] * slope)
            # No current drives v beyond the reversal potentials. (Newton could, with NMDA.)
            current = np.minimum(current, np.maximum(highest - before, 0) / feedback[i])
            current = np.maximum(current, np.minimum(lowest - before, 0) / feedback[i])
            v = before + feedback[i] * current
            y = y + last[i] * current[:, None]
            states[i] = y
        response = states @ self.seen
        return np.asarray(response[np.abs(response).argmax(0), np.arange(len(y))])

    def _damped(self, weight: float) -> tuple[np.ndarray, np.ndarray]:
        """Effect on the modes, (steps, m, n), of the current at the begin and end of each step.

        A conductance that would change v by more than the driving force within a step makes
        second-order schemes overshoot; the begin of the step then counts less.
        """
        direct = np.einsum("sn,mn->sm", self.last, self.shape**2)
        total = weight * self.open.sum(2)
        strength = direct * np.maximum(total[1:], total[:-1])
        share = (1 / np.maximum(strength, 1))[:, :, None]
        first, last = self.first[:, None], self.last[:, None]
        return share * first * self.shape, (last + (1 - share) * first) * self.shape

    def _current(self, v: np.ndarray, g: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Synaptic current into each target at v, and its derivative by v."""
        drive = self.E - v[:, None]
        u = self.block * np.exp(-62.0 * v[:, None])
        free = 1 / (1 + u)
        g = g * free
        return (g * drive).sum(1), (g * (62.0 * u * free * drive - 1)).sum(1)


# What one event opens at one target: receptors and their shares of the weight.
_Opened = list[tuple[SynapticReceptor, float]]


def _event(
    m: _Membrane, v: np.ndarray, at: int, targets: list[int], receptors: list[_Opened]
) -> _Event:
    """Prepare the event on `targets` in the state v, read in compartment `at`."""
    rates, shapes = _modes(m, v)
    decay = np.array([[r.tau_decay.si for r, _ in row] for row in receptors])
    rise = np.array([[r.tau_rise.si if r.tau_rise else 0.0 for r, _ in row] for row in receptors])
    scale = np.array([[share * r.gain / r.peak_factor for r, share in row] for row in receptors])
    block = [[r.mg.si / 3.57 if r.mg is not None else 0.0 for r, _ in row] for row in receptors]
    fastest = float(np.where(rise > 0, rise, decay).min())
    # No potential peaks later than the sum of the time constants that act one after the other.
    last = 3 * (float((rise + decay).max()) + 1 / float(rates[0]))
    t = _times(FIRST_STEP * fastest, last)
    e, a, b = _exponential_weights(rates, np.diff(t))
    age = t[:, None, None]
    rising = np.where(rise > 0, np.exp(-age / np.where(rise > 0, rise, 1.0)), 0.0)
    return _Event(
        v0=v[targets],
        shape=shapes[targets],
        seen=shapes[at],
        decay=e,
        first=a,
        last=b,
        open=scale * (np.exp(-age / decay) - rising),
        E=np.array([[r.E_rev.si for r, _ in row] for row in receptors]),
        block=np.array(block),
    )


def _times(first: float, last: float) -> np.ndarray:
    """Times from 0 to `last` whose steps begin with `first` and grow with the time passed."""
    n = math.ceil(math.log1p(GROWTH * last / first) / GROWTH)
    return first / GROWTH * np.expm1(GROWTH * np.arange(n + 1))


def _exponential_weights(
    rates: np.ndarray, h: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of ``dy/dt = -rate y + I`` with I linear in time over h: y1 = e y0 + a I0 + b I1."""
    x = np.outer(h, rates)
    fraction = -np.expm1(-x) / x
    return np.exp(-x), (fraction - np.exp(-x)) / rates, (1 - fraction) / rates


def psp(
    cell: Cell,
    compartment: str,
    receptor: str | SynapticReceptor,
    weight: Quantity | str,
    holding: Quantity | str | None = None,
    at: str = "soma",
) -> float:
    """Peak of the synaptic potential that one event evokes, in V.

    Solves ``C dx/dt = -G x + gain w s(t) B(v) (E_rev - v)``, x being the deviation from the state
    before the event, gates frozen there, and the right-hand term in `compartment` only: a
    conductance, which shunts. s(t) has a peak of 1 and B is the magnesium block of NMDA
    receptors, as in :class:`biomod.model.SynapticReceptor`. Accurate to about 0.1 %
    (1 % at 1 uS, where a compartment is all but clamped).

    Parameters
    ----------
    compartment : str
        Where the synapse is.
    receptor : str or SynapticReceptor
        One of the compartment's by name, or any.
    weight : quantity
        Peak conductance.
    holding : quantity, optional
        Somatic potential to which a constant somatic current has brought the cell before
        (:func:`hold`); at rest if not given.
    at : str
        Where the response is read: the soma, or `compartment` for the local one.

    Returns
    -------
    float
        Deflection in V with the largest absolute value; negative if hyperpolarising.

    Raises
    ------
    ModelError
        No such compartment or receptor; a negative weight; no stable potential.
    """
    w = as_quantity(weight, "nS", "weight").si
    if not (w >= 0 and math.isfinite(w)):
        raise ModelError(f"weight must be finite and not negative; {weight!r} was given")
    m = _Membrane.of(cell)
    target = m.index(compartment)
    kind = _receptor(cell.compartments[target], receptor)
    event = _event(m, _held(m, holding), m.index(at), [target], [[(kind, 1.0)]])
    return float(event.peaks(w)[0])


def _receptor(compartment: Compartment, receptor: str | SynapticReceptor) -> SynapticReceptor:
    if isinstance(receptor, SynapticReceptor):
        return receptor
    check_receptor(compartment, receptor, "synaptic potential")
    return next(r for r in compartment.receptors if r.name == receptor)


def weight_for_psp(
    cell: Cell,
    targets: Shares,
    receptors: Shares,
    amplitude: Quantity | str,
    holding: Quantity | str | None = None,
) -> Quantity:
    """The peak conductance at which a projection evokes somatic potentials of a given size.

    Finds w such that the mean over the target compartments, weighted by their shares, of the
    absolute somatic :func:`psp` is `amplitude`, where one event opens every listed receptor with
    a peak conductance of w times its share.

    Parameters
    ----------
    targets : tuple of (compartment, share)
        As ``Projection.compartments``.
    receptors : tuple of (receptor, share)
        As ``Projection.receptors``; every target must have them.
    amplitude : quantity
        Absolute size of the potential, not negative.
    holding : quantity, optional
        Somatic potential at which it was measured; at rest if not given.

    Returns
    -------
    Quantity
        A conductance.

    Raises
    ------
    ModelError
        The amplitude cannot be reached by any conductance, e.g. because the cell is held at the
        reversal potential.
    """
    wanted = as_quantity(amplitude, "mV", "amplitude").si
    if not (wanted >= 0 and math.isfinite(wanted)):
        raise ModelError(f"amplitude must be finite and not negative; {amplitude!r} was given")
    chosen = [(name, share) for name, share in targets if share > 0]
    if not chosen or not any(share > 0 for _, share in receptors):
        raise ModelError("weight_for_psp needs a target and a receptor with a share above 0")
    m = _Membrane.of(cell)
    index = [m.index(name) for name, _ in chosen]
    opened = [[(_receptor(cell.compartments[i], r), s) for r, s in receptors] for i in index]
    event = _event(m, _held(m, holding), m.index(cell.soma.name), index, opened)
    shares = np.array([share for _, share in chosen])
    shares /= shares.sum()

    def mean(w: float) -> float:
        return float(shares @ np.abs(event.peaks(w)))

    return Quantity(_solve_weight(mean, wanted, f"cell {cell.name}"), parse_unit("S")[1])


def _solve_weight(mean: Any, wanted: float, label: str) -> float:
    """The w for which ``mean(w)``, which grows from 0 and saturates, is `wanted`."""
    from scipy.optimize import brentq

    if wanted == 0:
        return 0.0
    w, low, reached = 1e-12, 0.0, 0.0
    # Beyond 1 mS every compartment is clamped to the reversal potential.
    while w < 1e-3:
        reached = mean(w)
        if reached >= wanted:
            return float(brentq(lambda x: mean(x) - wanted, low, w, rtol=1e-6, xtol=1e-18))
        low, guess = w, w * wanted / reached * 1.1 if reached > 0 else math.inf
        # The response is concave but for NMDA: the linear guess is a little short.
        w = min(max(guess, 2 * w), 1e3 * w)
    raise ModelError(
        f"{label}: a synaptic potential of {wanted * 1e3:g} mV cannot be reached; it saturates at "
        f"{reached * 1e3:.4g} mV. Is the holding potential near the reversal potential?"
    )
