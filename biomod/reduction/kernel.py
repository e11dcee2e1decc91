"""Simulation of point neurons, many parameter sets at once, by a compiled program.

The program is written from a :class:`~biomod.reduction.models.PointModel`, compiled once and kept
in the cache of compiled programs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from biomod.errors import ModelError, unknown_name
from biomod.reduction._library import address, integers, library, real, whole
from biomod.reduction._source import block, source
from biomod.reduction.models import PointModel, evaluate

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Simulated:
    """Response of point neurons to one current.

    Attributes
    ----------
    counts : array of shape (neurons,)
        Number of spikes.
    steps : array of shape (neurons, room)
        Number of the step at whose end each spike occurs, from 1; valid up to the count.
    dt : float
        Time step in ms.
    squared : array of shape (neurons,)
        Sum of the squared differences from the target in mV2.
    voltage : array of shape (neurons, steps), optional
        In mV, at the end of each step.
    margins : array of shape (neurons, forced + 1, 2), optional
        How far above its threshold the neuron is at each forced spike (mV), and the highest it was
        since the one before; the last row is what follows the last spike, and its first is 0.
    """

    counts: npt.NDArray[np.int32]
    steps: npt.NDArray[np.int32]
    dt: float
    squared: Array
    voltage: Array | None = None
    margins: Array | None = None

    @property
    def spikes(self) -> list[Array]:
        """Spike times of every neuron in ms, at the end of the step."""
        return [
            row[: min(count, len(row))] * self.dt
            for count, row in zip(self.counts, self.steps, strict=True)
        ]


@dataclass(frozen=True, eq=False)
class Prepared:
    """Neurons whose coefficients have been computed: any number of currents can be injected."""

    model: PointModel
    dt: float
    neurons: int
    parameters: Array
    coefficients: Array
    start: Array
    waits: npt.NDArray[np.int32]

    def run(
        self,
        current: npt.ArrayLike,
        *,
        voltage: bool = False,
        target: npt.ArrayLike | None = None,
        most_spikes: int | None = None,
    ) -> Simulated:
        """Response to one current; see :func:`simulate`.

        `most_spikes` is how many spikes of a neuron are kept (by default one per step); all are
        counted.
        """
        return self._run(current, voltage, target, most_spikes, None)

    def forced(
        self,
        current: npt.ArrayLike,
        spikes: npt.NDArray[np.int32],
        target: npt.ArrayLike,
    ) -> Simulated:
        """Response of neurons that fire at given steps, and only then.

        Made to fire with the cell, a neuron keeps its errors apart from one another (Pillow et al.
        2005, 10.1523/JNEUROSCI.3305-05.2005).
        """
        return self._run(current, False, target, 1, spikes)

    def _run(
        self,
        current: npt.ArrayLike,
        voltage: bool,
        target: npt.ArrayLike | None,
        most_spikes: int | None,
        forced: npt.NDArray[np.int32] | None,
    ) -> Simulated:
        drive = np.ascontiguousarray(current, dtype=float)
        if drive.ndim != 1 or not np.isfinite(drive).all():
            raise ModelError("current must be a one-dimensional array of finite numbers (pA)")
        goal = None if target is None else np.ascontiguousarray(target, dtype=float)
        if goal is not None and goal.shape != drive.shape:
            raise ModelError(f"target has {len(goal)} values, current {len(drive)}; give as many")
        size, steps, n = self.parameters.shape[1], len(drive), self.neurons
        room = steps if most_spikes is None else max(1, min(most_spikes, steps))
        counts, squared = np.zeros(size, np.int32), np.zeros(size)
        times = np.empty((size, room), np.int32)
        v = np.empty((size, steps)) if voltage else None
        margins = None if forced is None else np.zeros((size, len(forced) + 1, 2))
        library(source(self.model)).simulate(
            whole(size // block(self.model)), whole(steps), address(drive), real(self.dt),
            address(self.parameters), address(self.coefficients), address(self.start),
            address(self.waits), whole(room), address(counts), address(times), address(v),
            address(goal), address(squared), address(forced),
            whole(0 if forced is None else len(forced)), address(margins),
        )  # fmt: skip
        return Simulated(
            counts[:n], times[:n], self.dt, squared[:n], None if v is None else v[:n],
            None if margins is None else margins[:n],
        )  # fmt: skip


def prepare(
    model: PointModel,
    parameters: Mapping[str, npt.ArrayLike],
    dt: float,
    start: Mapping[str, float] | None = None,
) -> Prepared:
    """Neurons with these parameters, ready to run with a time step of `dt` ms.

    Parameters
    ----------
    start : mapping, optional
        Value of states at the beginning that are not at rest.

    Raises
    ------
    ModelError
        A parameter or state is missing or unknown, or a value is not finite.
    """
    if not 0 < dt < np.inf:
        raise ModelError(f"dt must be positive and finite (ms), not {dt!r}")
    values = _table(model, parameters)
    n = values.shape[1]
    size = -(-n // block(model)) * block(model)
    padded = np.concatenate([values, np.repeat(values[:, -1:], size - n, axis=1)], axis=1)
    named = dict(zip(model.names, padded, strict=True))
    waits = _refractory_steps(model, named, dt)
    given = {} if start is None else start
    for state in given:
        if state not in model.states:
            raise unknown_name(f"state of {model.name}", state, model.states)
    first = [given.get(s, evaluate(model.rest[s], named)) for s in model.states]
    begin = np.stack([_filled(value, size) for value in first])
    coefficients = propagator(model, named, dt) if model.linear else np.zeros((1, 1))
    return Prepared(model, dt, n, padded, coefficients, begin, integers(waits))


def simulate(
    model: PointModel,
    parameters: Mapping[str, npt.ArrayLike],
    current: npt.ArrayLike,
    dt: float,
    *,
    voltage: bool = False,
    target: npt.ArrayLike | None = None,
) -> Simulated:
    """Response of neurons with these parameters to one injected current.

    Parameters
    ----------
    model : PointModel
        The equations.
    parameters : mapping
        Value of every parameter in its unit, one number or one per neuron.
    current : array of shape (steps,)
        Injected current in pA, constant during a step.
    dt : float
        Time step in ms.
    voltage : bool
        Whether to keep the voltages (8 bytes for each neuron and step).
    target : array of shape (steps,), optional
        Voltage to compare with; NaN where nothing is compared.

    Returns
    -------
    Simulated

    Raises
    ------
    ModelError
        A parameter is missing or unknown, or a value is not finite.
    BackendError
        There is no C++ compiler.
    """
    return prepare(model, parameters, dt).run(current, voltage=voltage, target=target)


def _table(model: PointModel, parameters: Mapping[str, npt.ArrayLike]) -> Array:
    for name in parameters:
        model.parameter(name)
    missing = [name for name in model.names if name not in parameters]
    if missing:
        raise ModelError(f"{model.name}: no value for {', '.join(missing)}")
    rows = [np.atleast_1d(np.asarray(parameters[name], dtype=float)) for name in model.names]
    try:
        table: Array = np.stack(np.broadcast_arrays(*rows))
    except ValueError:
        sizes = {name: len(row) for name, row in zip(model.names, rows, strict=True)}
        raise ModelError(f"{model.name}: parameters of different lengths: {sizes}") from None
    if table.ndim != 2 or not np.isfinite(table).all():
        raise ModelError(f"{model.name}: parameters must be finite numbers or lists of them")
    return table


def refractory_steps(model: PointModel, parameters: Mapping[str, float], dt: float) -> int:
    """Number of steps of `dt` ms for which the neuron stands still after a spike."""
    named = {name: np.array([float(value)]) for name, value in parameters.items()}
    return int(_refractory_steps(model, named, dt)[0])


def _refractory_steps(model: PointModel, named: dict[str, Array], dt: float) -> Array:
    """Whole steps of the refractory time, which becomes a multiple of dt in `named`.

    Except for NEST's: it takes the next whole step (times count in µs there), and its decays go
    over the refractory time that was given.
    """
    if not model.refractory:
        return np.zeros(len(next(iter(named.values()))))
    time = named[model.refractory]
    if model.scheme == "nest":
        return np.asarray(np.ceil((time - 5e-4) / dt))
    steps = np.round(time / dt)
    named[model.refractory][:] = steps * dt
    return np.asarray(steps)


def _filled(value: Any, size: int) -> Array:
    return np.array(np.broadcast_to(np.asarray(value, dtype=float), size))


def propagator(model: PointModel, named: Mapping[str, Array], dt: float) -> Array:
    """Coefficients of a step of linear equations, one row for each pair of ``model.pattern``.

    The exact solution; or that of AllenSDK or NEST, where the states without an input of their own
    (after-spike currents) act on the others as constants over a step, with their value at its
    beginning or their mean, and where AllenSDK advances the voltage by Euler's rule.
    """
    system = _system(model, named)
    count = len(model.equations)
    if model.scheme == "exact":
        flow = _exponential(system * dt, count)
    else:
        flow = _frozen(model, system, dt)
    order = (*model.equations, "I", "1")
    rows = [
        np.ones(len(system)) if own in model.remembered
        else flow[:, order.index(own), order.index(other)]
        for own, other in model.pattern
    ]  # fmt: skip
    return np.ascontiguousarray(np.stack(rows))


def _system(model: PointModel, named: Mapping[str, Array]) -> Array:
    """Matrix of the equations.

    They are linear, so that their values at unit vectors give it; the injected current and the
    constant one are added as states that do not change.
    """
    size, states = len(next(iter(named.values()))), tuple(model.equations)
    order = (*states, "I", "1")
    zero = {**named, **dict.fromkeys((*states, "I"), 0.0)}

    def rate(names: Mapping[str, Any]) -> Array:
        return np.stack([_filled(evaluate(model.equations[s], names), size) for s in states])

    constant = rate(zero)
    system = np.zeros((size, len(order), len(order)))
    for k, name in enumerate(order[:-1]):
        system[:, : len(states), k] = (rate(zero | {name: 1.0}) - constant).T
    system[:, : len(states), -1] = constant.T
    return system


def _frozen(model: PointModel, system: Array, dt: float) -> Array:
    """Flow over a step in which currents act as constants (NEST, AllenSDK)."""
    inputs = Counter(own for own, _ in model.pattern)
    alone = [k for k, state in enumerate(model.equations) if inputs[state] == 1]
    still = system.copy()
    still[:, alone, :] = 0.0
    flow = _exponential(still * dt, len(model.equations))
    if model.scheme == "allensdk":
        flow[:, 0, :] = still[:, 0, :] * dt
        flow[:, 0, 0] += 1.0
    for k in alone:
        decay = system[:, k, k] * dt
        if model.scheme == "nest":
            mean = np.divide(np.expm1(decay), decay, out=np.ones_like(decay), where=decay != 0)
            flow[:, :, k] *= mean[:, None]
        flow[:, k, k] = np.exp(decay)
    return flow


def _exponential(matrices: Array, states: int) -> Array:
    """Exp of many small matrices whose last rows are zero: Taylor series, scaled and squared.

    Columns of constant inputs need no scaling, as they have no products with each other. (scipy's
    expm takes the matrices one by one, a hundred times slower.)
    """
    norm = np.abs(matrices[:, :states, :states]).sum(axis=1).max(initial=1e-300)
    halvings = max(0, int(np.ceil(np.log2(norm))) + 3)
    small = matrices / 2.0**halvings
    flow = term = np.broadcast_to(np.eye(matrices.shape[1]), matrices.shape)
    for k in range(1, 13):
        term = np.einsum("nij,njk->nik", term, small) / k
        flow = flow + term
    for _ in range(halvings):
        flow = np.einsum("nij,njk->nik", flow, flow)
    return flow
