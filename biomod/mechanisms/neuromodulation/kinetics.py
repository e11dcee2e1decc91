"""Concentration of a modulator, and activation of a receptor, over time."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from biomod.errors import ModelError, unknown_name
from biomod.mechanisms.neuromodulation.library import receptors as table
from biomod.model.neuromodulation import Effect, Modulator, Receptor

Array = npt.NDArray[np.float64]

# High-dose arm of the D1 inverted U: a second Hill curve (table README).
HIGH_DOSE_EC50 = 10.0
HIGH_DOSE_HILL = 2.0
# Largest change of occupancy in one step of the integration, which takes it as linear.
LARGEST_CHANGE = 0.01


def concentration(modulator: Modulator, times: npt.ArrayLike) -> Array:
    """Bulk concentration of a modulator.

    ``C(t) = tonic + course(t) + sum of pulses``; a pulse is `amplitude` from its start for its
    duration and ``amplitude * exp(-(t - end) / tau_clearance)`` afterwards. At the instant at
    which a pulse starts, it counts.

    Parameters
    ----------
    modulator : Modulator
        Tonic level, pulses and course.
    times : array_like
        Times in s.

    Returns
    -------
    ndarray
        Concentration in mol/m3 (SI; 1 nM = 1e-6 mol/m3).
    """
    return _concentration(modulator, np.asarray(times, dtype=float), before=False)


def _concentration(modulator: Modulator, t: Array, before: bool) -> Array:
    """The same; with `before`, the limit from the left where a pulse starts."""
    c = np.full(t.shape, modulator.tonic.si)
    if modulator.values:
        course = [v.si for v in modulator.values]
        c += np.interp(t, [x.si for x in modulator.times], course)
    for pulse in modulator.pulses:
        start, end = pulse.start.si, pulse.start.si + pulse.duration.si
        on = t > start if before else t >= start
        decay = np.exp(-np.maximum(t - end, 0.0) / pulse.tau_clearance.si)
        c += np.where(on, pulse.amplitude.si * decay, 0.0)
    return c


def check_modulators(modulators: Iterable[Modulator], known: Iterable[Receptor] = ()) -> None:
    """Raise :class:`ModelError` if a modulator names a receptor that it does not bind.

    Parameters
    ----------
    modulators : iterable of Modulator
        Those to check.
    known : iterable of Receptor, optional
        Receptors that exist besides those of the tables.
    """
    binds = {r.name: r.modulator for r in (*table().values(), *known)}
    for modulator in modulators:
        for name in modulator.receptors:
            if name not in binds:
                own = [n for n, m in binds.items() if m == modulator.name]
                raise unknown_name(f"receptor of {modulator.name}", name, own)
            if binds[name] != modulator.name:
                own = [n for n, m in binds.items() if m == modulator.name]
                raise ModelError(
                    f"modulator {modulator.name} does not act on {name}, a receptor of "
                    f"{binds[name]}; receptors of {modulator.name} are {', '.join(own)}"
                )


def acting_on(receptor: Receptor, modulators: Iterable[Modulator]) -> tuple[Modulator, ...]:
    """The modulators that bind to a receptor and are not restricted to others."""
    return tuple(
        m
        for m in modulators
        if m.name == receptor.modulator and (not m.receptors or receptor.name in m.receptors)
    )


def occupancy(receptor: Receptor, c: Array, high_dose: bool = False) -> Array:
    """Steady-state activation at concentrations in mol/m3, before expression.

    ``a = k + (1 - k) H(local_gain * C)`` with the constitutive activation k and the Hill curve
    ``H(C) = C**n / (EC50**n + C**n)``; with `high_dose` the Hill curve has ten times the EC50
    and n = 2.
    """
    ec50, n = receptor.ec50.si, receptor.hill
    if high_dose:
        ec50, n = HIGH_DOSE_EC50 * ec50, HIGH_DOSE_HILL
    with np.errstate(divide="ignore", over="ignore"):
        h = 1.0 / (1.0 + np.exp(n * (math.log(ec50) - np.log(receptor.local_gain * c))))
    k = receptor.constitutive
    return np.asarray(k + (1.0 - k) * np.where(c > 0, h, 0.0))


def activation(
    receptor: Receptor,
    modulators: Modulator | Iterable[Modulator],
    times: npt.ArrayLike,
    effect: Effect | None = None,
) -> Array:
    """Activation of a receptor over time, before expression.

    The occupancy H is followed with ``da/dt = (H - a) / tau``, `tau_onset` where a rises and
    `tau_decay` where it falls. A receptor that desensitises responds with ``a * d``, where
    ``dd/dt = (1 - (1 - f) H - d) / tau_desensitisation``: after a saturating step the response
    decays to the fraction f = `desensitised_fraction` of its peak.

    An effect with `high_dose` has its own Hill curve (:func:`occupancy`). One with
    `transient_onset` T1 and `transient_decay` T2 follows ``(a1 - a2) / p`` where positive,
    occupancy filtered with T1 less occupancy filtered with T2; p makes the peak after a
    saturating step 1. It is 0 at any constant concentration.

    At t = 0 all variables are in equilibrium with the concentration just before (the tonic
    level). The concentrations of several modulators of the receptor add. The solution is exact
    for an occupancy that changes linearly, however short the time constants; between samples
    there are as many steps as that needs, at every jump and bend of the concentration too.

    Parameters
    ----------
    receptor : Receptor
        Concentration-response curve and kinetics.
    modulators : Modulator or iterable of Modulator
        Those that do not bind to the receptor are ignored.
    times : array_like
        Increasing times in s, none negative.
    effect : Effect, optional
        For effects with a curve or kinetics of their own.

    Returns
    -------
    ndarray
        Activation between 0 and 1 at `times`; exactly 0 without ligand.

    Raises
    ------
    ModelError
        The times are not increasing or negative.
    """
    t = np.atleast_1d(np.asarray(times, dtype=float))
    if t.ndim != 1 or not np.all(np.isfinite(t)) or np.any(t < 0) or np.any(np.diff(t) <= 0):
        raise ModelError("times must be finite, increasing and not negative")
    modulators = (modulators,) if isinstance(modulators, Modulator) else tuple(modulators)
    acting = acting_on(receptor, modulators)
    high = effect is not None and effect.high_dose
    if effect is not None and effect.transient_onset and effect.transient_decay:
        fast, slow = effect.transient_onset.si, effect.transient_decay.si
        steps = _steps(receptor, acting, t, high)
        difference = steps.follow(fast, fast) - steps.follow(slow, slow)
        return np.maximum(difference, 0.0) / _transient_peak(fast, slow)
    steps = _steps(receptor, acting, t, high)
    a = steps.follow(receptor.tau_onset.si, receptor.tau_decay.si)
    desensitisation = receptor.tau_desensitisation
    if desensitisation is None:
        return a
    available = steps.desensitised(receptor.desensitised_fraction)
    return a * available.follow(desensitisation.si, desensitisation.si)


def _transient_peak(fast: float, slow: float) -> float:
    """Peak of ``exp(-t/slow) - exp(-t/fast)``."""
    at = fast * slow / (slow - fast) * math.log(slow / fast)
    return math.exp(-at / slow) - math.exp(-at / fast)


@dataclass(frozen=True)
class _Steps:
    """A signal that changes linearly within each step, and where the samples are.

    `start` and `end` are its values just after the beginning and just before the end of each
    step of length `dt`; `before` is its value in the past; sample k lies after `samples[k]` steps.
    """

    before: float
    start: Array
    end: Array
    dt: Array
    samples: npt.NDArray[np.intp]

    def desensitised(self, left: float) -> _Steps:
        """The steady state of the responsive fraction, ``1 - (1 - left) H``."""
        lost = 1.0 - left
        return _Steps(
            1.0 - lost * self.before,
            1.0 - lost * self.start,
            1.0 - lost * self.end,
            self.dt,
            self.samples,
        )

    def follow(self, tau_up: float, tau_down: float) -> Array:
        """Solution of ``dx/dt = (signal - x) / tau`` at the samples, from equilibrium."""
        x = self.before
        course = [x]
        for h0, h1, dt in zip(
            self.start.tolist(), self.end.tolist(), self.dt.tolist(), strict=True
        ):
            tau = tau_up if h0 + h1 > 2.0 * x else tau_down
            lag = (h1 - h0) / dt * tau
            x = h1 - lag + (x - h0 + lag) * math.exp(-dt / tau)
            course.append(x)
        return np.array(course)[self.samples]


def _steps(
    receptor: Receptor,
    acting: tuple[Modulator, ...],
    t: Array,
    high_dose: bool,
) -> _Steps:
    def occupied(at: Array, before: bool) -> Array:
        c = np.zeros(at.shape)
        for modulator in acting:
            c = c + _concentration(modulator, at, before)
        return occupancy(receptor, c, high_dose)

    edges = _edges(receptor, acting, t)
    h0, h1 = occupied(edges[:-1], before=False), occupied(edges[1:], before=True)
    count = np.maximum(np.ceil(np.abs(h1 - h0) / LARGEST_CHANGE), 1).astype(np.int64)
    first = np.concatenate(([0], np.cumsum(count)))
    within = np.arange(first[-1]) - np.repeat(first[:-1], count)
    length = np.repeat(np.diff(edges) / count, count)
    begin = np.repeat(edges[:-1], count) + within * length
    finish = np.concatenate((begin[1:], edges[1:][-1:]))
    return _Steps(
        before=float(occupied(np.zeros(1), before=True)[0]),
        start=occupied(begin, before=False),
        end=occupied(finish, before=True),
        dt=length,
        samples=first[np.searchsorted(edges, t)],
    )


def _edges(receptor: Receptor, acting: tuple[Modulator, ...], t: Array) -> Array:
    """Samples, 0, and the times at which a concentration jumps, bends or decays."""
    bends = [np.zeros(1)]
    for modulator in acting:
        bends.append(np.array([x.si for x in modulator.times]))
        for pulse in modulator.pulses:
            start, end = pulse.start.si, pulse.start.si + pulse.duration.si
            # Ten per time constant, until what is left cannot be felt.
            felt = pulse.amplitude.si * receptor.local_gain / (1e-9 * receptor.ec50.si)
            knots = np.arange(math.ceil(10 * math.log(max(felt, 1.0))) + 1) / 10
            bends += [np.array([start]), end + knots * pulse.tau_clearance.si]
    every = np.concatenate(bends)
    return np.union1d(every[every <= t[-1]], t)
