"""Least squares on neurons that are made to fire when the cell does.

What a spike leaves behind then follows from the times of the cell, so that errors do not add up:
where the neuron stands relative to its threshold at each spike of the cell is a smooth function of
the parameters, with as many residuals as spikes. That is what a search by second derivatives needs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from typing import Protocol

import numpy as np
import numpy.typing as npt

from biomod.reduction.kernel import prepare
from biomod.reduction.models import PointModel
from biomod.reduction.objective import WORST, Goal, Objective
from biomod.reduction.recordings import Sweep
from biomod.reduction.space import Parametrised, Space

Array = npt.NDArray[np.float64]
KINDS = ("noise", "step", "ramp")  # a short square says little of when the next spike comes
RISE = 8.0  # ms in which a current turns into voltage: between fast membranes and long intervals
MOST = 0.15  # larger errors count hardly more: one absurd spike is as bad as another
# Of the voltage between spikes, in standard deviations, beside shares of the current: enough to
# keep the neuron on the cell's scale of voltage, which spike times leave open. By hand, on the
# validation sweeps of L23_PC and VIP.
VOLTAGE = 0.0075
# Of the forced error F in the training loss: WEIGHT * log(1 + F / USUAL). At 2 to 4 % of current
# its slope is 5 to 8: so much explained variance do these errors cost a free neuron (0.1 for 2 %,
# docs/reduction.md). Where a model cannot do better than 10 %, errors are those of the model, and
# in proportion they would outweigh what is wanted.
WEIGHT, USUAL = 0.3, 0.02
# Loss of a set that explains less than it must, and of each unit that it lacks. Small, so that a
# search may come through such sets.
BELOW, LACK = 0.05, 5.0
ROUNDING = 1e-9  # of an explained variance
STEP = 1e-4  # of the derivatives, as a share of the bounds
DAMPING = tuple(10.0**k for k in range(-3, 5))  # tried at once, relative to the last
STALLED, PATIENCE = 1e-4, 3  # a search ends that gains a smaller share in so many steps


class Smooth(Protocol):
    """An error that is a smooth function of parameters."""

    @property
    def model(self) -> Parametrised:
        """Whose parameters they are."""

    def residuals(self, parameters: Mapping[str, npt.ArrayLike], /) -> Array:
        """One row for each parameter set; their sum of squares is the error."""

    def steps(self, space: Space, place: Array, /) -> Array:
        """How far every parameter is moved for its derivative."""


class Forced:
    """How wrong the threshold is at the spikes of the cell, in shares of the injected current.

    A neuron that is below its threshold when the cell fires would fire late, one that was above it
    before would have fired early. Both distances (mV) are divided by what the whole current, its
    root mean square, does to the distance in 8 ms: so they tell which share of the current would
    set the spike right, on whatever scale of voltage the neuron lives.

    Parameters
    ----------
    model : PointModel
        One with a membrane of known conductance (:meth:`suits`).
    sweeps : sequence of Sweep
        Training data.
    threads : int
        Sweeps that are simulated side by side.
    """

    def __init__(self, model: PointModel, sweeps: Sequence[Sweep], threads: int = 2) -> None:
        self.model, self.dt, self.threads = model, sweeps[0].dt, threads
        used = [s for s in sweeps if s.kind in KINDS] or list(sweeps)
        self.goals = [Goal.of(s) for s in used]
        self.spikes = max(1, sum(len(g.steps) for g in self.goals))
        self.current = float(np.sqrt(np.mean(np.concatenate([s.current for s in used]) ** 2)))

    @staticmethod
    def suits(model: PointModel) -> bool:
        """Whether spikes can be forced upon a model.

        Not upon an exponential neuron: its spike begins long before its cut.
        """
        return model.linear or {"k", "v_t", "v_r"} <= set(model.names)

    def residuals(self, parameters: Mapping[str, npt.ArrayLike]) -> Array:
        """One row for each parameter set; the mean square over spikes is the sum of squares."""
        neurons = prepare(self.model, parameters, self.dt)
        named = dict(zip(self.model.names, neurons.parameters[:, : neurons.neurons], strict=True))
        scale = np.maximum(self.current * step_response(named, RISE), 1e-3)[:, None]

        def one(goal: Goal) -> Array:
            found = neurons.forced(goal.current, goal.steps, goal.target)
            assert found.margins is not None
            at, highest = np.fmin(np.fmax(found.margins.T, -1e6), 1e6)  # NaN: far below
            early, late = np.maximum(highest.T, 0.0), np.minimum(at.T[:, :-1], 0.0)
            error = np.concatenate([early, late], axis=1) / scale
            squared = np.fmin(found.squared / max(goal.variation, 1e-12), WORST**2)
            weight = VOLTAGE * np.sqrt(max(1, len(goal.steps)))
            voltage = weight * np.sqrt(squared)[:, None]
            return np.concatenate([MOST * np.tanh(error / MOST), voltage], axis=1)

        with ThreadPoolExecutor(self.threads) as pool:
            parts = list(pool.map(one, self.goals))
        return np.asarray(np.concatenate(parts, axis=1) / np.sqrt(self.spikes))

    def steps(self, space: Space, place: Array) -> Array:
        """How far every parameter is moved for its derivative, inwards at the upper bound.

        The refractory time counts in whole steps, so that its difference is that of one step.
        """
        steps = np.full(len(place), STEP)
        name = self.model.refractory
        if name:
            k = self.model.names.index(name)
            values = {n: float(x[0]) for n, x in space.from_cube(place).items()}
            steps[k] = space.to_cube(values | {name: values[name] + self.dt})[k] - place[k] + STEP
        return np.asarray(np.where(place + steps < 1, steps, -steps))

    def __call__(self, parameters: Mapping[str, npt.ArrayLike]) -> Array:
        """Root mean square of the residuals of every set."""
        return np.asarray(np.sqrt(np.sum(self.residuals(parameters) ** 2, axis=1)))


class Training:
    """What a fit minimises: the loss of a neuron that fires by itself, and what it is when forced.

    Whether a train that has gone astray meets that of the cell again is luck, of which a search
    finds a lot that does not hold for other currents. The forced error has no luck in it.

    Parameters
    ----------
    model : PointModel
        What is fitted.
    sweeps : sequence of Sweep
        Training data.
    floor : float
        Explained variance (10 ms) below which a set pays for what it lacks.
    """

    def __init__(self, model: PointModel, sweeps: Sequence[Sweep], floor: float = -np.inf) -> None:
        self.model, self.dt, self.floor = model, sweeps[0].dt, floor
        self.free = Objective(model, sweeps)
        # A quadratic neuron with an upstroke of its own cannot be forced, one without can.
        self.forced = Forced(model, sweeps) if model.linear else None

    def above(self, sets: Sequence[Mapping[str, float]]) -> Training:
        """The same, where what explains less than the best of these sets pays for it."""
        if not sets:
            return self
        _, explained = self.free.scored(together(self.model, sets))
        raised = copy(self)
        raised.floor = max(self.floor, float(explained.max()))
        return raised

    def allows(self, values: Mapping[str, float]) -> bool:
        """Whether a set explains as much as it must."""
        return bool(self.free.scored(values)[1][0] >= self.floor - ROUNDING)

    def __call__(self, parameters: Mapping[str, npt.ArrayLike]) -> Array:
        """Loss of every set."""
        loss, explained = self.free.scored(parameters)
        if self.forced is not None:
            loss = loss + WEIGHT * np.log1p(self.forced(parameters) / USUAL)
        lack = self.floor - explained
        return np.where(lack > ROUNDING, loss + BELOW + LACK * np.maximum(lack, 0.0), loss)


def together(model: Parametrised, sets: Sequence[Mapping[str, float]]) -> dict[str, Array]:
    """Parameter sets as one array for each parameter."""
    return {name: np.array([s[name] for s in sets]) for name in model.names}


def step_response(parameters: Mapping[str, Array], after: float) -> Array:
    """What 1 pA does in `after` ms to the distance from the threshold (mV), at rest."""
    p = parameters
    leak = p["g"] if "g" in p else p["k"] * np.maximum(p["v_t"] - p["v_r"], 1.0)
    rate = leak / p["C"]
    rise = -np.expm1(-rate * after) / leak
    if "a_v" in p:  # the threshold follows
        b = np.where(np.abs(p["b_v"] - rate) < 1e-6, rate + 1e-6, p["b_v"])
        decayed = (np.exp(-rate * after) - np.exp(-b * after)) / (b - rate)
        rise = rise - p["a_v"] / leak * (-np.expm1(-b * after) / b - decayed)
    return np.asarray(rise)


def least_squares(
    forced: Smooth, start: Mapping[str, float], iterations: int
) -> tuple[dict[str, float], int]:
    """The parameters with the least residuals near a start, and how many sets were tried.

    Levenberg-Marquardt (Marquardt 1963, 10.1137/0111030) within the bounds. Derivatives are
    differences; all of them take one pass of the simulator, and so do all dampings.
    """
    space, tried = Space(forced.model), 1
    place = space.to_cube(start)
    damping, stalled = 1e-2, 0
    for _ in range(iterations):
        residuals, steep = slopes(forced, space, place)
        dampings = np.clip(damping * np.array(DAMPING), 1e-9, 1e9)
        places = _candidates(place, steep, residuals, dampings)
        found = forced.residuals(space.from_cube(places))
        tried += 1 + len(steep) + len(places)
        losses, loss = np.sum(found**2, axis=1), float(residuals @ residuals)
        best = int(np.argmin(losses))
        stalled = 0 if losses[best] < loss * (1 - STALLED) else stalled + 1
        if losses[best] < loss:
            place, damping = places[best], float(dampings[best])
        else:
            damping = min(damping * 100, 1e6)
        if stalled >= PATIENCE:
            break
    return {name: float(x[0]) for name, x in space.from_cube(place).items()}, tried


def slopes(smooth: Smooth, space: Space, place: Array) -> tuple[Array, Array]:
    """Residuals at a place of the cube, and their derivatives, a row for each parameter."""
    steps = smooth.steps(space, place)
    found = smooth.residuals(space.from_cube(np.vstack([place, place + np.diag(steps)])))
    return found[0], (found[1:] - found[0]) / steps[:, None]


def _candidates(place: Array, slopes: Array, residuals: Array, dampings: Array) -> Array:
    """Where steps of each damping lead."""
    curvature, downhill = slopes @ slopes.T, slopes @ residuals
    scale = np.diag(np.diag(curvature) + 1e-9)
    moves = [np.linalg.solve(curvature + x * scale, downhill) for x in dampings]
    return np.clip(place - np.array(moves), 1e-6, 1 - 1e-6)
