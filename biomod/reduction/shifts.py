"""The search for what full activation of a receptor does to the parameters of a surrogate.

Parameters without modulators and shifts are one search over all conditions. A fit without
modulators alone chooses among many sets that do as well there, by the chance of its noise; here all
conditions choose.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from biomod.reduction.fit import (
    AGAIN,
    CONTAINS,
    NEAR,
    SHARE,
    THRESHOLD_SHIFTS,
    Fit,
    enough,
    extended,
)
from biomod.reduction.forced import STEP, Training, least_squares
from biomod.reduction.models import Parameter, glif
from biomod.reduction.point import level_5
from biomod.reduction.recordings import Behaviour
from biomod.reduction.search import Best, advance, natural
from biomod.reduction.space import Space

Array = npt.NDArray[np.float64]
# A receptor, and whether by its high-dose arm, which has an activation of its own.
Arm = tuple[str, bool]
By = Mapping[Arm, Mapping[str, float]]
CURRENT = "I"  # into the soma, from channels that receptors open or close
# How far full activation may move a parameter (estimates): conductances, after-spike currents and
# times by a share of themselves, voltages by mV at the strongest activation that is fitted, and the
# current by what moves the rest as far.
SHARES: Mapping[str, float] = {"g": 0.8, "t_ref": 0.8, "dI_1": 1.0, "dI_2": 0.8, "a_v": 0.9}
VOLTAGES: Mapping[str, float] = {"I": 15.0, "theta": 10.0, "dv": 10.0, "dtheta": 5.0}
# Two concentrations do not tell three receptors of one modulator apart, and 0.05 mV between them
# cost 0.05 of explained variance (VIP, ACh). What the conditions leave open is as the change of the
# holding current says: a shift that is as far from it as it may be adds EXPECTED to the forced
# error (in quadrature), and COST to the loss, which is what that costs in the training loss where
# the error is 4 % of the current. By hand, on validation concentrations of VIP.
EXPECTED, COST = 0.06, 0.2
FIRST = 0.6  # of the generations, around what least squares led to


def composed(
    base: Mapping[str, float], changes: Sequence[tuple[Mapping[str, Any], float]]
) -> dict[str, Any]:
    """Parameters under several receptors, each with its shifts at full activation and activation.

    ``p = p0 prod(1 + s a / p0)`` for those of :data:`SHARES`, ``p = p0 + sum(s a)`` for voltages
    and the current, as the effects of receptors do. Of conductances, those that open (s > 0) add,
    and those that close multiply. A constant current I is the same as a rest that is higher by
    I / g, with a reset and a threshold that stay where they are.
    """
    values: dict[str, Any] = {**base, CURRENT: 0.0}
    opened: Any = 0.0
    for shifts, activation in changes:
        for name, shift in shifts.items():
            if name == "g":
                opened = opened + np.maximum(shift, 0.0) * activation
                shift = np.minimum(shift, 0.0)
            if name in SHARES:
                values[name] = values[name] * (1 + shift * activation / base[name])
            else:
                values[name] = values[name] + shift * activation
    values["g"] = values["g"] + opened
    rise = values.pop(CURRENT) / values["g"]
    values["E_L"] = values["E_L"] + rise
    values["dv"] = values["dv"] + (1 - values["f_v"]) * rise
    values["theta"] = values["theta"] + values["a_v"] / values["b_v"] * rise
    return values


def unit(name: str) -> str:
    """Of a shift."""
    return "pA" if name == CURRENT else glif(5).parameter(name).unit


def _scale(name: str, whole: Mapping[str, float]) -> float:
    """What 1 of a shift as it is searched is in the unit of the shift."""
    if name == CURRENT:
        return whole["g"]
    return whole[name] if name in SHARES else 1.0


class _Model:
    """The parameters of the search, in the words of the search."""

    def __init__(self, parameters: tuple[Parameter, ...]) -> None:
        self.parameters = parameters
        self.names = tuple(p.name for p in parameters)


class Shifts:
    """A surrogate and what full activation does to its parameters, for several conditions.

    The shift of a parameter ``p`` by the arm k is searched as ``k.p``: as a share of ``p``, in mV,
    or for the current as the mV by which it moves the rest.

    Parameters
    ----------
    base : Fit
        The surrogate without modulators.
    below : mapping
        Those of the models that it contains.
    control : Behaviour
        The cell without modulators.
    free : sequence of str
        Parameters of ``glif5`` that receptors shift.
    guess : mapping
        By arm, what shifts are expected to be; those that are missing are 0.
    activation : array
        Of every arm (column) in every condition with modulators (row).
    seen : sequence of Behaviour
        The cell in these conditions.
    ties : sequence of (int, float)
        For every arm, which one's shifts are its own, and by what share: receptors that open the
        same channels do the same, each as far as it opens them. Of itself 1.
    """

    def __init__(
        self, base: Fit, below: Mapping[str, Fit], control: Behaviour, free: Sequence[str],
        guess: By, activation: Array, seen: Sequence[Behaviour], ties: Sequence[tuple[int, float]],
    ) -> None:  # fmt: skip
        self.base, self.activation, self.arms = base, activation, tuple(guess)
        self.ties = ties
        self.leaders = [k for k, (leader, _) in enumerate(ties) if leader == k]
        whole = level_5(base)
        self.free = [n for n in free if n in VOLTAGES or whole[n]]
        shifts = [self._parameter(k, name) for k in self.leaders for name in self.free]
        self.model = _Model((*base.model.parameters, *shifts))
        self.expected = {
            p.name: min(max(value, p.lower), p.upper)
            for p, value in zip(shifts, self._expected(guess, whole), strict=True)
        }
        # Of all receptors alike: those with little activation are not to make up for the others.
        self._usual = np.array([
            SHARES[n] if n in SHARES else VOLTAGES[n] / max(activation.max(), 0.05)
            for n in self.free
        ] * len(self.leaders))  # fmt: skip
        # Without modulators in the model's own words: a glif5 does not do the same as one with the
        # resets of another program. Were it not to get worse than the first fit there, the mean of
        # the conditions would (L5_IT: 0.91 for 0.84).
        inner = [extended(below[n], base.model) for n in CONTAINS.get(base.model.name, ())
                 if n in below]  # fmt: skip
        control_loss = Training(base.model, enough(control.train)).above(inner)
        self.losses = [control_loss, *(Training(glif(5), enough(b.train)) for b in seen)]

    def _parameter(self, arm: int, name: str) -> Parameter:
        shares = np.array([share if leader == arm else 0.0 for leader, share in self.ties])
        strongest = max((self.activation @ shares).max(), 0.05)
        reach = SHARES[name] if name in SHARES else VOLTAGES[name] / strongest
        return Parameter(f"{arm}.{name}", "", "", -reach, reach, 0.0, 0.2 * reach)

    def _expected(self, guess: By, whole: Mapping[str, float]) -> list[float]:
        return [
            guess[self.arms[k]].get(name, 0.0) / _scale(name, whole)
            for k in self.leaders for name in self.free
        ]  # fmt: skip

    def parameters(self, sets: Mapping[str, npt.ArrayLike], condition: int) -> dict[str, Array]:
        """Parameter sets without modulators (0) or in a condition (from 1)."""
        own = {name: np.atleast_1d(sets[name]) for name in self.base.model.names}
        if condition == 0:
            return own
        size = len(next(iter(own.values())))
        values = level_5(self._with(own))
        changes = [
            (self._by(sets, k, values), self.activation[condition - 1, k])
            for k in range(len(self.arms))
        ]
        found = composed(values, changes)
        return {name: np.array(np.broadcast_to(value, size)) for name, value in found.items()}

    def _with(self, own: Mapping[str, Any]) -> Fit:
        # What is done with them is arithmetic, so that arrays will do.
        return replace(self.base, parameters=cast(Mapping[str, float], own))

    def _by(
        self, sets: Mapping[str, npt.ArrayLike], arm: int, whole: Mapping[str, float]
    ) -> dict[str, Array]:
        """Shifts by one arm, in the units of the parameters."""
        leader, share = self.ties[arm]
        found = {name: np.asarray(sets[f"{leader}.{name}"]) for name in self.free}
        return {n: share * x * _scale(n, whole) for n, x in found.items()}

    def _unexpected(self, sets: Mapping[str, npt.ArrayLike]) -> Array:
        """How far every shift is from what is expected, as a share of how far it may be.

        That of the receptor with the strongest activation.
        """
        off = [np.atleast_1d(sets[name]) - x for name, x in self.expected.items()]
        return np.asarray(off).T.reshape(-1, len(self._usual)) / self._usual

    def __call__(self, sets: Mapping[str, npt.ArrayLike], /) -> Array:
        """Loss of every set, the mean over the conditions."""
        found = [loss(self.parameters(sets, k)) for k, loss in enumerate(self.losses)]
        mean = np.mean(np.nan_to_num(found, nan=1e3), axis=0)
        return np.asarray(mean + COST * np.sum(self._unexpected(sets) ** 2, axis=1))

    def residuals(self, sets: Mapping[str, npt.ArrayLike], /) -> Array:
        """What every set leaves while the neurons are made to fire when the cell does."""
        found = []
        for k, loss in enumerate(self.losses):
            assert loss.forced is not None
            found.append(
                loss.forced.residuals(self.parameters(sets, k)) / np.sqrt(len(self.losses))
            )
        return np.asarray(np.concatenate([*found, EXPECTED * self._unexpected(sets)], axis=1))

    def steps(self, space: Space, place: Array, /) -> Array:
        """How far every parameter is moved for its derivative.

        Refractory times count in whole steps: that without modulators is moved by one at least, and
        with them by two.
        """
        steps = np.full(len(place), STEP)
        values = {name: float(x[0]) for name, x in space.from_cube(place).items()}
        dt = self.losses[0].dt
        least = {"t_ref": dt}
        for k in self.leaders:
            a = self.activation[:, k]
            weakest = max(a[a > 0].min(initial=1.0), 0.05)
            least[f"{k}.t_ref"] = 2 * dt / weakest / values["t_ref"]
        for k, name in enumerate(self.model.names):
            if name in least:
                moved = space.to_cube(values | {name: values[name] + least[name]})[k] - place[k]
                steps[k] = max(moved + (STEP if name == "t_ref" else 0.0), STEP)
        return np.asarray(np.where(place + steps < 1, steps, -steps))

    def found(
        self, seed: int, generations: int, tell: Callable[[float], None]
    ) -> tuple[Fit, dict[Arm, dict[str, float]]]:
        """The surrogate without modulators and the shifts.

        By least squares while the neuron fires with the cell, then by itself. A set that without
        modulators explains less of the training data than the models it contains pays for it.

        Parameters
        ----------
        generations : int
            Length of the search for one receptor. Each further one adds half as much.
        """
        length = max(1, round(generations * (1 + len(self.leaders)) / 2))
        starts = self._starts(length)
        best = Best(self)
        for number, start in enumerate(starts):

            def share(x: float, number: int = number) -> None:
                tell((number + x) / len(starts))

            own = Best(self)
            self._search(own, start, seed * 1000 + 500 + 50 * number, length, share)
            if own.loss < best.loss:
                best = own
        return self._as_fit(best.values)

    def _starts(self, iterations: int) -> list[dict[str, float]]:
        """What least squares lead to: with the parameters without modulators kept, and with all.

        The former were found by a long search, the latter suit all conditions: which of the two a
        search comes furthest from is not known before.
        """
        own = dict(self.base.parameters)
        kept = least_squares(_Held(self, own), self.expected, iterations)[0]
        return [own | kept, least_squares(self, own | self.expected, iterations)[0]]

    def _search(
        self, best: Best, around: Mapping[str, float], seed: int, length: int,
        tell: Callable[[float], None],
    ) -> None:  # fmt: skip
        """CMA-ES from a start, with the threshold that suits it, and again around what is best."""
        moved = [{**around, "theta": around["theta"] + x} for x in THRESHOLD_SHIFTS]
        around = moved[int(np.argmin(best.try_all(moved)))]
        reach, most = NEAR, max(1, round(FIRST * length))
        done = number = 0
        while done < length:
            axes = natural(self, around, reach)
            most = min(most, length - done)
            for _ in advance(best, around, axes, seed + number, most):
                done += 1
                tell(done / length)
            around, reach = best.values, AGAIN[number % len(AGAIN)]
            most = max(1, round(SHARE * length))
            number += 1

    def _as_fit(self, values: Mapping[str, float]) -> tuple[Fit, dict[Arm, dict[str, float]]]:
        own = {name: values[name] for name in self.base.model.names}
        fitted = replace(self.base, parameters=own, loss=float(self.losses[0](own)[0]))
        whole = level_5(fitted)
        return fitted, {
            arm: {name: float(x) for name, x in self._by(values, k, whole).items()}
            for k, arm in enumerate(self.arms)
        }


class _Held:
    """The forced error of shifts alone, with the parameters without modulators as they are."""

    def __init__(self, shifts: Shifts, own: Mapping[str, float]) -> None:
        self.shifts, self.own = shifts, own
        self.model = _Model(shifts.model.parameters[len(own) :])

    def residuals(self, sets: Mapping[str, npt.ArrayLike], /) -> Array:
        """As of all parameters."""
        size = len(np.atleast_1d(next(iter(sets.values()))))
        own = {name: np.full(size, x) for name, x in self.own.items()}
        return self.shifts.residuals({**own, **sets})

    def steps(self, space: Space, place: Array, /) -> Array:
        """As of all parameters."""
        whole = Space(self.shifts.model)
        values = {name: float(x[0]) for name, x in space.from_cube(place).items()}
        return self.shifts.steps(whole, whole.to_cube({**self.own, **values}))[len(self.own) :]
