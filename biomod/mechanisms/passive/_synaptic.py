"""Potentials that synaptic events evoke."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from biomod.errors import ModelError
from biomod.mechanisms.passive._impedance import modes
from biomod.mechanisms.passive._membrane import Membrane
from biomod.mechanisms.passive._resting import settle_at
from biomod.model import Cell, Compartment, SynapticReceptor
from biomod.model.circuit import Shares, check_receptor
from biomod.units import Quantity, as_quantity, parse_unit

# Time steps of a synaptic potential begin at 1/50 of the fastest synaptic time constant and
# then grow with the time that has passed.
FIRST_STEP = 0.02
GROWTH = 0.04


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
    m: Membrane, v: np.ndarray, at: int, targets: list[int], receptors: list[_Opened]
) -> _Event:
    """Prepare the event on `targets` in the state v, read in compartment `at`."""
    rates, shapes = modes(m, v)
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
    m = Membrane.of(cell)
    target = m.index(compartment)
    kind = _receptor(cell.compartments[target], receptor)
    event = _event(m, settle_at(m, holding), m.index(at), [target], [[(kind, 1.0)]])
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
    m = Membrane.of(cell)
    index = [m.index(name) for name, _ in chosen]
    opened = [[(_receptor(cell.compartments[i], r), s) for r, s in receptors] for i in index]
    event = _event(m, settle_at(m, holding), m.index(cell.soma.name), index, opened)
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
