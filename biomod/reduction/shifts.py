"""The search for what full activation of a receptor does to the parameters of a surrogate."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from biomod.reduction.fit import COLD, WARM, Best, advance
from biomod.reduction.models import Parameter, glif
from biomod.reduction.objective import SOFTNESS, Likelihood, Objective
from biomod.reduction.recordings import Behaviour

Array = npt.NDArray[np.float64]
# A receptor, and whether by its high-dose arm, which has an activation of its own.
Arm = tuple[str, bool]
# How far full activation may move a parameter (estimates): conductances, currents and times by a
# share of themselves, voltages by mV at the strongest activation that is fitted. Of several
# receptors the former multiply and the latter add, as the effects of receptors do.
SHARES: Mapping[str, float] = {"g": 0.8, "t_ref": 0.8, "dI_1": 1.0, "dI_2": 0.8, "a_v": 0.9}
VOLTAGES: Mapping[str, float] = {"E_L": 15.0, "theta": 10.0, "dv": 10.0, "dtheta": 5.0}


def composed(
    base: Mapping[str, float], changes: Sequence[tuple[Mapping[str, Any], float]]
) -> dict[str, Any]:
    """Parameters under several receptors, each with its shifts at full activation and activation.

    ``p = p0 prod(1 + s a / p0)`` for those of :data:`SHARES`, ``p = p0 + sum(s a)`` for voltages.
    """
    values: dict[str, Any] = dict(base)
    for shifts, activation in changes:
        for name, shift in shifts.items():
            if name in SHARES:
                values[name] = values[name] * (1 + shift * activation / base[name])
            else:
                values[name] = values[name] + shift * activation
    return values


class _Model:
    """The parameters of a search for shifts, in the words of the search."""

    def __init__(self, parameters: tuple[Parameter, ...]) -> None:
        self.parameters = parameters
        self.names = tuple(p.name for p in parameters)


class _Conditions:
    """A loss of shifts: the mean over all conditions."""

    def __init__(self, shifts: Shifts, losses: Sequence[Likelihood | Objective]) -> None:
        self.shifts, self.losses, self.model = shifts, losses, shifts.model

    def __call__(self, sets: Mapping[str, npt.ArrayLike], /) -> Array:
        total = np.zeros(len(np.atleast_1d(next(iter(sets.values())))))
        for k, loss in enumerate(self.losses):
            total += np.nan_to_num(loss(self.shifts.parameters(sets, k)), nan=1e3)
        return np.asarray(total / len(self.losses))


class Shifts:
    """Shifts of the parameters at full activation, fitted to several conditions at once."""

    def __init__(
        self, base: Mapping[str, float], free: Sequence[str], arms: Sequence[Arm],
        activation: Array, seen: Sequence[Behaviour],
    ) -> None:  # fmt: skip
        self.base, self.arms, self.activation, self.seen = base, arms, activation, seen
        self.free = [n for n in free if n in VOLTAGES or base[n]]
        self.model = _Model(tuple(
            self._parameter(k, name) for k in range(len(arms)) for name in self.free
        ))  # fmt: skip

    def _parameter(self, arm: int, name: str) -> Parameter:
        if name in SHARES:
            reach = SHARES[name] * abs(self.base[name])
        else:
            reach = VOLTAGES[name] / max(self.activation[:, arm].max(), 0.05)
        return Parameter(f"{arm}.{name}", "", "", -reach, reach, 0.0, 0.2 * reach)

    def _within(self, guess: Mapping[Arm, Mapping[str, float]]) -> dict[str, float]:
        named = {
            f"{k}.{name}": guess.get(arm, {}).get(name, 0.0)
            for k, arm in enumerate(self.arms) for name in self.free
        }  # fmt: skip
        return {p.name: min(max(named[p.name], p.lower), p.upper) for p in self.model.parameters}

    def parameters(self, sets: Mapping[str, npt.ArrayLike], k: int) -> dict[str, Array]:
        """Parameter sets in condition k."""
        size = len(np.atleast_1d(next(iter(sets.values()))))
        changes = [
            ({name: np.asarray(sets[f"{j}.{name}"]) for name in self.free}, self.activation[k, j])
            for j in range(len(self.arms))
        ]
        values = composed(self.base, changes)
        return {name: np.array(np.broadcast_to(value, size)) for name, value in values.items()}

    def found(
        self, guess: Mapping[Arm, Mapping[str, float]], seed: int, generations: int,
        tell: Callable[[float], None],
    ) -> dict[Arm, dict[str, float]]:  # fmt: skip
        """The likeliest shifts while the neuron fires with the cell, then the best.

        Parameters
        ----------
        guess : mapping
            Shifts to begin with besides none; those that are missing are 0.
        generations : int
            Length of the search for each receptor: with more of them there is more to find.
        """
        model = glif(5)
        guesses = [dict.fromkeys(self.model.names, 0.0), self._within(guess)]
        # Not from the largest noise: the fit without modulators is a good guess.
        losses: list[list[Likelihood | Objective]] = [
            [Likelihood(model, b.train, softness) for b in self.seen] for softness in SOFTNESS[1:]
        ]
        losses.append([Objective(model, b.train) for b in self.seen])
        part = round(generations * len(self.arms) / len(losses))
        for number, loss in enumerate(losses):
            best = Best(_Conditions(self, loss))
            best.try_all(guesses)
            width = WARM if number else COLD
            for done, _ in enumerate(advance(best, width, seed * 1000 + 500 + number, part)):
                tell((number + done / part) / len(losses))
            guesses.append(best.values)
        return {
            arm: {name: guesses[-1][f"{j}.{name}"] for name in self.free}
            for j, arm in enumerate(self.arms)
        }
