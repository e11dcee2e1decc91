"""The search for what full activation of a receptor does to the parameters of a surrogate."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from biomod.reduction.fit import AGAIN, SHARE, enough
from biomod.reduction.forced import STEP, Training, least_squares
from biomod.reduction.models import Parameter, glif
from biomod.reduction.point import CURRENT, risen
from biomod.reduction.recordings import Behaviour
from biomod.reduction.search import Best, refined
from biomod.reduction.space import Space

Array = npt.NDArray[np.float64]
# A receptor, and whether by its high-dose arm, which has an activation of its own.
Arm = tuple[str, bool]
# How far full activation may move a parameter (estimates): conductances, after-spike currents and
# their rates, and times by a share of themselves, voltages by mV at the strongest activation that
# is fitted, and the current of channels that open or close by what moves the rest as far.
SHARES: Mapping[str, float] = {
    "g": 0.8, "t_ref": 0.8, "dI_1": 1.0, "dI_2": 0.8, "a_v": 0.9, "k_1": 0.8, "k_2": 0.8,
}  # fmt: skip
ADDED: Mapping[str, float] = {CURRENT: 15.0, "theta": 10.0, "dv": 10.0, "dtheta": 5.0}
# What channels without gates change. They carry a current and load soma and dendrites (the
# threshold that follows the voltage stands for the latter), and leave what a spike opens as it is.
PASSIVE = ("g", "a_v", CURRENT, "theta", "dv")


def composed(
    base: Mapping[str, float], changes: Sequence[tuple[Mapping[str, Any], float]]
) -> dict[str, Any]:
    """Parameters under several receptors, each with its shifts at full activation and activation.

    ``p = p0 prod(1 + s a / p0)`` for those of :data:`SHARES`, ``p = p0 + sum(s a)`` for voltages
    and the current, as the effects of receptors do. Of conductances, those that open (s > 0) add,
    and those that close multiply. A constant current I becomes a rest that is higher by ``I / g``
    (:func:`~biomod.reduction.point.risen`).
    """
    values: dict[str, Any] = {**base, CURRENT: 0.0}
    opened: Any = 0.0
    for shifts, activation in changes:
        for name, given in shifts.items():
            shift = given
            if name == "g":
                opened = opened + np.maximum(given, 0.0) * activation
                shift = np.minimum(given, 0.0)
            if name in SHARES:
                values[name] = values[name] * (1 + shift * activation / base[name])
            else:
                values[name] = values[name] + shift * activation
    values["g"] = values["g"] + opened
    rise = values.pop(CURRENT) / values["g"]
    return values | {name: values[name] + moved for name, moved in risen(values, rise).items()}


def unit(name: str) -> str:
    """Of a shift."""
    return "pA" if name == CURRENT else glif(5).parameter(name).unit


class _Model:
    """The parameters of a search for shifts, in the words of the search."""

    def __init__(self, parameters: tuple[Parameter, ...]) -> None:
        self.parameters = parameters
        self.names = tuple(p.name for p in parameters)


class _Conditions:
    """A loss of shifts, the mean over all conditions, and the forced error of all of them."""

    def __init__(self, shifts: Shifts) -> None:
        self.shifts, self.model = shifts, shifts.model
        self.losses = [Training(glif(5), enough(b.train)) for b in shifts.seen]

    def __call__(self, sets: Mapping[str, npt.ArrayLike], /) -> Array:
        """Loss of every set."""
        found = [loss(self.shifts.parameters(sets, k)) for k, loss in enumerate(self.losses)]
        return np.asarray(np.mean(np.nan_to_num(found, nan=1e3), axis=0))

    def residuals(self, sets: Mapping[str, npt.ArrayLike], /) -> Array:
        """What every set leaves while the neurons are made to fire when the cell does."""
        found = []
        for k, loss in enumerate(self.losses):
            assert loss.forced is not None
            found.append(loss.forced.residuals(self.shifts.parameters(sets, k)))
        return np.asarray(np.concatenate(found, axis=1) / np.sqrt(len(found)))

    def steps(self, space: Space, place: Array, /) -> Array:
        """How far every shift is moved for its derivative.

        Refractory times count in whole steps: each is moved by two at least.
        """
        steps = np.full(len(place), STEP)
        values = {name: float(x[0]) for name, x in space.from_cube(place).items()}
        for j in range(len(self.shifts.arms)):
            name = f"{j}.t_ref"
            if name in self.model.names:
                k = self.model.names.index(name)
                a = self.shifts.activation[:, j]
                least = 2 * self.losses[0].dt / max(a[a > 0].min(initial=1.0), 0.05)
                steps[k] = space.to_cube(values | {name: values[name] + least})[k] - place[k]
                steps[k] = max(steps[k], STEP)
        return np.asarray(np.where(place + steps < 1, steps, -steps))


class Shifts:
    """Shifts of the parameters at full activation, fitted to several conditions at once.

    Parameters
    ----------
    base : mapping
        The parameters without modulators.
    free : mapping
        By arm, which of them it shifts.
    activation : array
        Of every arm (column) in every condition (row).
    seen : sequence of Behaviour
        The cell in these conditions.
    """

    def __init__(
        self, base: Mapping[str, float], free: Mapping[Arm, Sequence[str]], activation: Array,
        seen: Sequence[Behaviour],
    ) -> None:  # fmt: skip
        self.base, self.activation, self.seen = base, activation, seen
        self.free = {arm: [n for n in own if n in ADDED or base[n]] for arm, own in free.items()}
        self.arms = tuple(self.free)
        self.model = _Model(tuple(
            self._parameter(k, name) for k, arm in enumerate(self.arms) for name in self.free[arm]
        ))  # fmt: skip

    def _parameter(self, arm: int, name: str) -> Parameter:
        if name in SHARES:
            reach = SHARES[name] * abs(self.base[name])
        else:
            reach = ADDED[name] / max(self.activation[:, arm].max(), 0.05)
            reach *= self.base["g"] if name == CURRENT else 1.0
        return Parameter(f"{arm}.{name}", "", "", -reach, reach, 0.0, 0.2 * reach)

    def _within(self, guess: Mapping[Arm, Mapping[str, float]]) -> dict[str, float]:
        named = {
            f"{k}.{name}": guess.get(arm, {}).get(name, 0.0)
            for k, arm in enumerate(self.arms) for name in self.free[arm]
        }  # fmt: skip
        return {p.name: min(max(named[p.name], p.lower), p.upper) for p in self.model.parameters}

    def parameters(self, sets: Mapping[str, npt.ArrayLike], k: int) -> dict[str, Array]:
        """Parameter sets in condition k."""
        size = len(np.atleast_1d(next(iter(sets.values()))))
        changes = [
            ({n: np.asarray(sets[f"{j}.{n}"]) for n in self.free[arm]}, self.activation[k, j])
            for j, arm in enumerate(self.arms)
        ]
        values = composed(self.base, changes)
        return {name: np.array(np.broadcast_to(value, size)) for name, value in values.items()}

    def found(
        self, guess: Mapping[Arm, Mapping[str, float]], seed: int, generations: int,
        tell: Callable[[float], None],
    ) -> dict[Arm, dict[str, float]]:  # fmt: skip
        """The best shifts: by least squares while the neuron fires with the cell, then by itself.

        Parameters
        ----------
        guess : mapping
            Shifts to begin with besides none; those that are missing are 0.
        generations : int
            Length of the search for each receptor: with more of them there is more to find.
        """
        conditions = _Conditions(self)
        guesses = [dict.fromkeys(self.model.names, 0.0), self._within(guess)]
        length = generations * len(self.arms)
        guesses += [least_squares(conditions, g, length)[0] for g in guesses]
        best = Best(conditions)
        best.try_all(guesses)
        most = max(1, round(SHARE * length))
        search = refined(best, conditions, AGAIN, seed * 1000 + 500, length, most)
        for done, _ in enumerate(search, start=1):
            tell(done / length)
        return {
            arm: {name: best.values[f"{j}.{name}"] for name in self.free[arm]}
            for j, arm in enumerate(self.arms)
        }
