"""The search for what full activation of a receptor does to the parameters of a surrogate."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from biomod.reduction.fit import COLD, SOFTNESS, WARM, Best, advance
from biomod.reduction.models import Parameter, glif
from biomod.reduction.objective import Likelihood, Objective
from biomod.reduction.recordings import Behaviour

Array = npt.NDArray[np.float64]
# A receptor, and whether by its high-dose arm, which has an activation of its own.
Arm = tuple[str, bool]
# How far full activation may move a parameter, as a share of its size and besides (estimates).
REACH: Mapping[str, tuple[float, float]] = {
    "g": (0.8, 0.0), "E_L": (0.0, 15.0), "theta": (0.0, 10.0), "t_ref": (0.8, 0.0),
    "dv": (0.0, 10.0), "dtheta": (0.5, 2.0), "dI_1": (1.0, 20.0), "dI_2": (0.5, 50.0),
    "a_v": (0.9, 0.0),
}  # fmt: skip


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
            values, outside = self.shifts.parameters(sets, k)
            total += np.where(outside, 1e3, np.nan_to_num(loss(values), nan=1e3))
        return np.asarray(total / len(self.losses))


class Shifts:
    """Shifts of the parameters at full activation, fitted to several conditions at once."""

    def __init__(
        self, base: Mapping[str, float], free: Sequence[str], arms: Sequence[Arm],
        activation: Array, seen: Sequence[Behaviour],
    ) -> None:  # fmt: skip
        self.base, self.arms, self.activation, self.seen = base, arms, activation, seen
        self.free = [n for n in free if REACH[n][0] * abs(base[n]) + REACH[n][1] > 0]
        self.model = _Model(tuple(
            self._parameter(k, name) for k in range(len(arms)) for name in self.free
        ))  # fmt: skip

    def _parameter(self, arm: int, name: str) -> Parameter:
        share, more = REACH[name]
        # As seen at the strongest activation, which may be far from full.
        reach = (share * abs(self.base[name]) + more) / max(self.activation[:, arm].max(), 0.05)
        return Parameter(f"{arm}.{name}", "", "", -reach, reach, 0.0, 0.2 * reach)

    def parameters(
        self, sets: Mapping[str, npt.ArrayLike], k: int
    ) -> tuple[dict[str, Array], Array]:
        """Parameter sets in condition k, and which of them are not a neuron's."""
        size = len(np.atleast_1d(next(iter(sets.values()))))
        values = {name: np.full(size, value) for name, value in self.base.items()}
        for j in range(len(self.arms)):
            for name in self.free:
                shift = np.asarray(sets[f"{j}.{name}"])
                values[name] = values[name] + self.activation[k, j] * shift
        outside = np.zeros(size, bool)
        for name in ("g", "t_ref", "a_v"):
            outside |= values[name] < (0.0 if name == "a_v" else 0.1)
            values[name] = np.maximum(values[name], 0.0 if name == "a_v" else 0.1)
        return values, outside

    def found(
        self, seed: int, generations: int, tell: Callable[[float], None]
    ) -> dict[Arm, dict[str, float]]:
        """The likeliest shifts while the neuron fires with the cell, then the best."""
        model = glif(5)
        guesses = [dict.fromkeys(self.model.names, 0.0)]
        # Not from the largest noise: the fit without modulators is a good guess.
        losses: list[list[Likelihood | Objective]] = [
            [Likelihood(model, b.train, softness) for b in self.seen] for softness in SOFTNESS[1:]
        ]
        losses.append([Objective(model, b.train) for b in self.seen])
        part = round(generations / len(losses))
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
