"""Fit point neurons to the behaviour of a cell."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from biomod.errors import BackendError, ModelError
from biomod.reduction.initial import Estimate, estimate, start
from biomod.reduction.kernel import Prepared, Simulated, prepare
from biomod.reduction.models import PointModel, glif, point_model
from biomod.reduction.recordings import Behaviour, Sweep
from biomod.reduction.scores import Trains, coincidence_factor, explained_variance

Array = npt.NDArray[np.float64]
WIDTHS = (5.0, 10.0, 20.0, 40.0)  # ms, of the filters of the explained variance
# Weight of each part of the loss; every part is 0 for a perfect surrogate and about 1 for one that
# knows nothing.
WEIGHTS: Mapping[str, float] = {
    "explained_variance": 1.0, "coincidence": 0.5, "rate": 0.3, "steps": 0.4, "voltage": 0.15,
}  # fmt: skip
NEVER_COMPARED = 2.0  # ms before a spike
POPULATION = 48


@dataclass(frozen=True)
class Fit:
    """A point neuron with fitted parameters.

    Attributes
    ----------
    model : PointModel
        Its equations.
    parameters : mapping
        Fitted values in the units of the model.
    loss : float
        On the training data.
    seconds : float
        How long the fit took.
    seed : int
        Of the search.
    evaluations : int
        Number of parameter sets that were tried.
    """

    model: PointModel
    parameters: Mapping[str, float]
    loss: float
    seconds: float
    seed: int
    evaluations: int
    dt: float = field(default=0.1)

    def respond(self, current: npt.ArrayLike) -> Simulated:
        """Spikes and voltage for a current in pA with the time step of the fit."""
        return prepare(self.model, self.parameters, self.dt).run(current, voltage=True)


class Objective:
    """Loss of many parameter sets on the training data."""

    def __init__(self, model: PointModel, sweeps: Sequence[Sweep]) -> None:
        self.model, self.sweeps = model, sweeps
        self.dt = sweeps[0].dt
        if any(s.dt != self.dt for s in sweeps):
            raise ModelError("all sweeps of a fit must have the same sampling interval")
        self.targets = [_comparable(s) for s in sweeps]
        spread = [np.nanvar(t) * np.isfinite(t).sum() for t in self.targets]
        self.spread = [max(float(v), 1e-9) for v in spread]

    def parts(self, parameters: Mapping[str, npt.ArrayLike]) -> dict[str, Array]:
        """The parts of the loss by name, each of the shape (sets,)."""
        neurons = prepare(self.model, parameters, self.dt)
        n = neurons.neurons
        sums = {name: np.zeros(n) for name in WEIGHTS}
        noise = [s for s in self.sweeps if s.kind != "step"]
        steps = len(self.sweeps) - len(noise)
        highest = max((s.rate for s in self.sweeps if s.kind == "step"), default=1.0)
        for s, target, spread in zip(self.sweeps, self.targets, self.spread, strict=True):
            found = neurons.run(s.current, target=target)
            sums["voltage"] += np.sqrt(found.squared / spread) / len(self.sweeps)
            if s.kind == "step":
                rates = found.counts - np.asarray(len(s.spikes))
                scale = 1e3 / s.duration / (5.0 + 0.1 * highest)
                sums["steps"] += np.abs(rates) * scale / steps
                continue
            self._compare(sums, found, s, len(noise))
        # An absurd voltage is as bad as any other.
        sums["voltage"] = np.minimum(sums["voltage"], 3.0)
        return sums

    def _compare(self, sums: dict[str, Array], found: Simulated, s: Sweep, of: int) -> None:
        most = 4 * len(s.spikes) + 50
        # Trains with far too many spikes are cut: they are hopeless, and slow to compare.
        trains = Trains([t[:most] for t in found.spikes])
        for width in WIDTHS:
            score = explained_variance(trains, s.spikes, s.duration, width)
            sums["explained_variance"] += (1 - score) / len(WIDTHS) / of
        gamma = coincidence_factor(trains, s.spikes, s.duration, 4.0)
        sums["coincidence"] += (1 - np.nan_to_num(gamma, nan=-1.0)) / of
        scale = len(s.spikes) + 2
        sums["rate"] += np.minimum(np.abs(found.counts - len(s.spikes)) / scale, 3.0) / of

    def __call__(self, parameters: Mapping[str, npt.ArrayLike]) -> Array:
        return np.asarray(sum(WEIGHTS[k] * v for k, v in self.parts(parameters).items()))


def _comparable(s: Sweep) -> Array:
    """The voltage between spikes, NaN around them."""
    target = s.voltage.copy()
    for t in s.spikes:
        i, j = round((t - NEVER_COMPARED) / s.dt), round((t + 4.0) / s.dt)
        target[max(0, i) : j] = np.nan
    # Voltages are those at the beginning of a sample, the simulator's at its end.
    return np.append(target[1:], np.nan)


class _Space:
    """Parameters as points of the unit cube, logarithmic where bounds are far apart."""

    def __init__(self, model: PointModel) -> None:
        self.model = model

    def to_cube(self, values: Mapping[str, float]) -> Array:
        found = []
        for p in self.model.parameters:
            low, high, x = p.lower, p.upper, float(np.clip(values[p.name], p.lower, p.upper))
            if p.logarithmic:
                low, high, x = np.log(low), np.log(high), np.log(x)
            found.append((x - low) / (high - low))
        return np.array(found)

    def from_cube(self, points: Array) -> dict[str, Array]:
        values = {}
        for p, x in zip(self.model.parameters, np.atleast_2d(points).T, strict=True):
            if p.logarithmic:
                values[p.name] = np.exp(np.log(p.lower) + x * np.log(p.upper / p.lower))
            else:
                values[p.name] = p.lower + x * (p.upper - p.lower)
        return values


def fit(
    behaviour: Behaviour,
    model: str | PointModel = "glif5",
    *,
    seed: int = 1,
    seconds: float = 12.0,
    found: Estimate | None = None,
    warm: Sequence[Mapping[str, float]] = (),
) -> Fit:
    """Fit one model.

    Parameters
    ----------
    behaviour : Behaviour
        Its training sweeps are used, nothing else.
    model : str or PointModel
        What is fitted.
    seed : int
        Of the search: equal seeds and generations give equal results.
    seconds : float
        Length of the search, turned into a number of generations by timing the first ones... 
    found : Estimate, optional
        First guess; by regression if not given.
    warm : sequence of mapping
        Parameter sets to begin with besides; the result is at least as good as each.
    """
    chosen = point_model(model)
    found = estimate(behaviour.train) if found is None else found
    objective = Objective(chosen, behaviour.train)
    guesses = [*warm, start(chosen, found)]
    began = time.perf_counter()
    best, loss, evaluations = _search(objective, guesses, seed, generations=220)
    return Fit(
        chosen, best, loss, time.perf_counter() - began, seed, evaluations, objective.dt
    )


def _search(
    objective: Objective, guesses: Sequence[Mapping[str, float]], seed: int, generations: int
) -> tuple[dict[str, float], float, int]:
    """CMA-ES from the best guess, then from the others, then from the best with a wider start."""
    try:
        import cma  # type: ignore[import-untyped]
    except ImportError:
        raise BackendError("fitting needs pycma: pip install cma") from None
    space = _Space(objective.model)
    table = {k: np.array([g[k] for g in guesses]) for k in objective.model.names}
    losses = objective(table)
    k = int(np.argmin(losses))
    best, lowest, evaluations = dict(guesses[k]), float(losses[k]), len(guesses)
    starts = [(dict(guesses[i]), 0.08) for i in np.argsort(losses)[:2]]
    for number, (guess, width) in enumerate([*starts, (None, 0.15)]):
        origin = best if guess is None else guess
        options = {"bounds": [0, 1], "seed": seed + number, "popsize": POPULATION, "verbose": -9,
                   "tolfun": 1e-5, "tolx": 1e-5}  # fmt: skip
        search = cma.CMAEvolutionStrategy(space.to_cube(origin), width, options)
        for _ in range(generations // 3):
            if search.stop():
                break
            points = np.asarray(search.ask())
            values = space.from_cube(points)
            scores = np.nan_to_num(objective(values), nan=1e3)
            search.tell(list(points), list(scores))
            evaluations += len(points)
            k = int(np.argmin(scores))
            if scores[k] < lowest:
                lowest = float(scores[k])
                best = {name: float(v[k]) for name, v in values.items()}
    return best, lowest, evaluations


def extended(fitted: Fit, model: PointModel) -> dict[str, float]:
    """Parameters of a richer GLIF with which it does the same as the fitted one."""
    p = dict(fitted.parameters)
    if "v_reset" in p and "dv" in model.names:
        p |= {"f_v": 0.0, "dv": p["E_L"] - p.pop("v_reset"), "b_s": 0.02, "dtheta": 0.0}
    for q in model.parameters:
        if q.name not in p:
            p[q.name] = 0.0 if q.name in ("dI_1", "dI_2", "a_v", "dtheta") else q.start
    missing = set(p) - set(model.names)
    if missing:
        raise ModelError(f"{model.name} does not contain {fitted.model.name}")
    return {name: p[name] for name in model.names}


def glif_ladder(behaviour: Behaviour, *, seed: int = 1) -> dict[str, Fit]:
    """All five levels, each begun from the levels that it contains."""
    found = estimate(behaviour.train)
    fits: dict[str, Fit] = {}
    for level in range(1, 6):
        model = glif(level)
        inner = {2: ("glif1",), 3: ("glif1",), 4: ("glif3", "glif2"), 5: ("glif4",)}.get(level, ())
        warm = [extended(fits[name], model) for name in inner]
        fits[model.name] = fit(behaviour, model, seed=seed, found=found, warm=warm)
    return fits


def scores(fitted: Fit, sweeps: Sequence[Sweep]) -> dict[str, float]:
    """Scores on sweeps that the fit has not seen, means over the noise sweeps."""
    from biomod.reduction.scores import explained_variance_ratio

    neurons: Prepared = prepare(fitted.model, fitted.parameters, fitted.dt)
    noise = [s for s in sweeps if s.kind != "step"]
    rows: list[dict[str, Any]] = []
    for s in noise:
        train = neurons.run(s.current).spikes[0]
        one = Trains([train])
        rows.append({
            "explained_variance": explained_variance(one, s.spikes, s.duration)[0],
            "explained_variance_ratio": explained_variance_ratio(
                train, [s.spikes, *s.repeats], s.duration
            ),
            "coincidence_2ms": coincidence_factor(one, s.spikes, s.duration, 2.0)[0],
            "coincidence_4ms": coincidence_factor(one, s.spikes, s.duration, 4.0)[0],
            "rate_error_hz": abs(len(train) - len(s.spikes)) / s.duration * 1e3,
        })  # fmt: skip
    return {k: float(np.nanmean([r[k] for r in rows])) for k in rows[0]}
