"""A first guess of the parameters, by linear regression on the recordings.

Membrane and after-spike currents follow from one least-squares problem,
``C dv/dt = I - g (v - E_L) + sum_j a_j A_j(t)``, with ``A_j`` the sum of exponentials since all
earlier spikes; threshold and reset from the voltages around the spikes.

Source: the procedure of Teeter et al. 2018, 10.1038/s41467-017-02717-4, in one regression.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt
from scipy.signal import lfilter

from biomod.errors import ModelError
from biomod.reduction.models import PointModel
from biomod.reduction.recordings import Sweep

Array = npt.NDArray[np.float64]
# Rates of after-spike currents that are tried in pairs (1/ms), as in Teeter et al. 2018.
RATES = (1 / 3, 1 / 10, 1 / 30, 1 / 100, 1 / 300)
ONSET_SLOPE = 10.0  # mV/ms; steeper voltages belong to the upstroke of a spike
WINDOW = 0.5  # ms over which currents are averaged in the regression


@dataclass(frozen=True)
class Estimate:
    """What the regressions found; units ms, mV, pA, pF, nS."""

    C: float
    g: float
    E_L: float
    t_ref: float
    theta: float
    v_reset: float
    f_v: float
    dv: float
    b_s: float
    dtheta: float
    k_1: float
    k_2: float
    dI_1: float
    dI_2: float


def estimate(sweeps: Sequence[Sweep]) -> Estimate:
    """Parameters by regression on sweeps with the voltage.

    Raises
    ------
    ModelError
        There are fewer than five spikes, or the voltage does not follow the current.
    """
    total = sum(len(s.spikes) for s in sweeps)
    if total < 5:
        raise ModelError(
            f"the cell fires {total} spikes in {len(sweeps)} sweeps; at least 5 are needed. "
            "Inject more current"
        )
    t_ref = _refractory(sweeps)
    onset, after, since = _around_spikes(sweeps, t_ref)
    C, g, E_L, rates, amplitudes = _membrane(sweeps, t_ref)
    theta, b_s, dtheta = _threshold(onset, since)
    slope, shift = np.polyfit(onset - E_L, after - E_L, 1) if np.ptp(onset) > 0.5 else (0.0, 0.0)
    if not -0.9 < slope < 1.1 or np.ptp(onset) <= 0.5:
        slope, shift = 0.0, float(np.mean(after) - E_L)
    order = np.argsort(rates)
    return Estimate(
        C=C, g=g, E_L=E_L, t_ref=t_ref, theta=theta, v_reset=float(np.median(after)),
        f_v=float(slope), dv=float(-shift), b_s=b_s, dtheta=dtheta,
        k_1=float(rates[order[0]]), k_2=float(rates[order[1]]),
        dI_1=float(amplitudes[order[0]]), dI_2=float(amplitudes[order[1]]),
    )  # fmt: skip


def starts(model: PointModel, found: Estimate) -> list[dict[str, float]]:
    """First guesses for a model, within its bounds."""
    known = dict(vars(found))
    if "v_T" in model.names:  # exponential: the sharp threshold lies where the upstroke begins
        known |= {"v_T": found.theta, "v_peak": found.theta + 15}
    if "tau_w" in model.names:
        known |= {"a": 0.0, "tau_w": 1 / found.k_1, "b": max(-found.dI_1, 1.0)}
    if "scale" in model.names:
        # With b = 0.2 the dimensionless neuron rests at -70 and fires from an input of 4.
        known |= {"scale": 4 / (found.g * max(found.theta - found.E_L, 5.0))}
    if "k" in model.names:
        quadratic = [_quadratic(found, x) for x in (4.0, 1.0)]
        return [_bounded(model, known | q) for q in (*quadratic, _cut_early(found))]
    guesses = [known]
    if "a_v" in model.names:
        # v and a threshold that follows it fast are the slow and the fast mode of a soma with
        # dendrites (its voltage is their difference); the current of one mode decays with it.
        guesses.append(known | {"a_v": 0.4, "b_v": 0.6, "t_ref": 0.5, "f_1": 0.9, "k_2": 0.3})
    return [_bounded(model, g) for g in guesses]


def draws(model: PointModel, found: Estimate, seed: int, number: int) -> list[dict[str, float]]:
    """Random parameter sets of a GLIF around the first guess, wide where regression may mislead.

    Spikes of channels begin gradually, so that the threshold of the surrogate may lie far below the
    onset of the upstroke, and what follows a spike is no current: resets from above the threshold
    (bursts) to half way to rest, depolarising and hyperpolarising currents. The ranges are
    estimates.
    """
    if not {"theta", "g", "C"} <= set(model.names):
        return []
    rng = np.random.default_rng([seed, number])

    def even(low: float, high: float) -> Array:
        return rng.uniform(low, high, number)

    def scaled(low: float, high: float) -> Array:
        return np.exp(even(np.log(low), np.log(high)))

    gap = max(found.theta - found.E_L, 5.0)
    rest, theta = found.E_L + even(-3, 3), found.E_L + gap * even(0.5, 1.0)
    reset, left, moving = theta - gap * even(-0.1, 0.5), even(-0.5, 1.0), scaled(0.001, 0.3)
    current = found.g * gap  # about the rheobase
    tried = {
        "C": found.C * scaled(0.4, 1.3), "g": found.g * scaled(0.5, 1.6), "E_L": rest,
        "t_ref": found.t_ref * scaled(0.6, 1.5), "theta": theta, "v_reset": reset, "f_v": left,
        "dv": rest + left * (theta - rest) - reset, "b_s": scaled(0.005, 0.3),
        "dtheta": gap * even(0.0, 0.3), "k_1": scaled(0.003, 0.05), "k_2": scaled(0.03, 0.5),
        "f_1": even(0.3, 1.0), "f_2": even(0.0, 1.0), "dI_1": -current * scaled(0.02, 1.0),
        "dI_2": current * even(-1.5, 2.5), "a_v": moving * (even(0, 1) < 0.6),
        "b_v": np.maximum(moving * scaled(1.05, 20.0), 0.01),
    }  # fmt: skip
    usual = vars(found)
    return [
        _bounded(model, usual | {name: float(values[k]) for name, values in tried.items()})
        for k in range(number)
    ]


def _bounded(model: PointModel, known: Mapping[str, float]) -> dict[str, float]:
    margin = 1e-6
    guess = {}
    for p in model.parameters:
        edge = margin * (p.upper - p.lower)
        guess[p.name] = float(np.clip(known.get(p.name, p.start), p.lower + edge, p.upper - edge))
    return guess


def _quadratic(found: Estimate, steeper: float) -> dict[str, float]:
    """A parabola with its zeros at rest and threshold.

    With the leak of the cell as its slope at rest, the rheobase is a quarter of the cell's; with
    four times the slope it is the cell's.
    """
    v_t = max(found.theta, found.E_L + 5)
    return {
        "C": found.C * np.sqrt(steeper), "k": steeper * found.g / (v_t - found.E_L),
        "v_r": found.E_L, "v_t": v_t, "c": found.v_reset, "d": max(-found.dI_1, 1.0),
        "a": found.k_1, "b": 0.0,
    }  # fmt: skip


def _cut_early(found: Estimate) -> dict[str, float]:
    """A parabola so wide that it is a leak, cut where the cell begins its spike.

    What a spike has without an upstroke, as in an integrate-and-fire soma.
    """
    v_t = found.theta + 20
    return _quadratic(found, 1.0) | {
        "k": found.g / (v_t - found.E_L), "v_t": v_t, "v_peak": found.theta,
    }  # fmt: skip


def _refractory(sweeps: Sequence[Sweep]) -> float:
    """Time from a spike to the trough behind it, at most 80 % of the shortest interval."""
    shortest = min((np.diff(s.spikes).min() for s in sweeps if len(s.spikes) > 1), default=10.0)
    limit = min(10.0, 0.8 * shortest)
    pieces = []
    for s in sweeps:
        n = round(limit / s.dt)
        for t in s.spikes:
            i = round(t / s.dt)
            if i + n < len(s.voltage):
                pieces.append(s.voltage[i : i + n])
    if not pieces:
        return max(0.5, limit / 2)
    length = min(len(p) for p in pieces)
    mean = np.mean([p[:length] for p in pieces], axis=0)
    return float(max(0.5, np.argmin(mean) * sweeps[0].dt))


def _around_spikes(sweeps: Sequence[Sweep], t_ref: float) -> tuple[Array, Array, Array]:
    """Voltage at the onset of each spike and after t_ref, and the time since the last spike."""
    onset, after, since = [], [], []
    for s in sweeps:
        last = -np.inf
        for t in s.spikes:
            i, j = round(t / s.dt), round((t + t_ref) / s.dt)
            first = max(0, i - round(3 / s.dt))
            if j < len(s.voltage) and i - first > 2:
                slope = np.diff(s.voltage[first : i + 1]) / s.dt
                slow = np.flatnonzero(slope < ONSET_SLOPE)
                onset.append(s.voltage[first + (slow[-1] + 1 if len(slow) else 0)])
                after.append(s.voltage[j])
                since.append(t - last)
            last = t
    if len(onset) < 5:
        raise ModelError("fewer than 5 spikes have a voltage before and after them")
    return np.array(onset), np.array(after), np.array(since)


def _threshold(onset: Array, since: Array) -> tuple[float, float, float]:
    """``theta + dtheta exp(-b_s since)`` by least squares over a grid of b_s."""
    best = (np.inf, float(np.median(onset)), 0.02, 0.0)
    for b in np.geomspace(0.004, 0.3, 12):
        matrix = np.stack([np.ones(len(onset)), np.exp(-b * since)], axis=1)
        (theta, rise), *_ = np.linalg.lstsq(matrix, onset, rcond=None)
        error = float(np.sum((matrix @ [theta, rise] - onset) ** 2))
        if error < best[0] and rise >= 0:
            best = (error, float(theta), float(b), float(rise))
    return best[1], best[2], best[3]


def _membrane(
    sweeps: Sequence[Sweep], t_ref: float
) -> tuple[float, float, float, tuple[float, float], Array]:
    rows, target = [], []
    for s in sweeps:
        left, right = _regressors(s, t_ref)
        rows.append(left)
        target.append(right)
    table, y = np.concatenate(rows), np.concatenate(target)
    best: tuple[float, tuple[float, float], Array] | None = None
    for pair in combinations(range(len(RATES)), 2):
        columns = [0, 1, 2, 3 + pair[0], 3 + pair[1]]
        x = np.asarray(np.linalg.lstsq(table[:, columns], y, rcond=None)[0], dtype=float)
        error = float(np.sum((table[:, columns] @ x - y) ** 2))
        physical = x[0] > 0 and x[1] < 0
        if physical and (best is None or error < best[0]):
            best = (error, (RATES[pair[0]], RATES[pair[1]]), x)
    if best is None:
        raise ModelError(
            "the voltage does not follow the injected current as that of a membrane does; check "
            "that current and voltage belong together and have the right sign and unit"
        )
    x = best[2]
    C = float(1 / x[0])
    g = float(-x[1] * C)
    return C, g, float(x[2] * C / g), best[1], x[3:] * C


def _regressors(s: Sweep, t_ref: float) -> tuple[Array, Array]:
    """Rows of the regression: current, voltage, one, sum of exponentials since each spike."""
    n = max(1, round(WINDOW / s.dt))
    samples = len(s.voltage) // n * n
    hit = np.zeros(len(s.voltage) + 1)
    use = np.ones(len(s.voltage), bool)
    for t in s.spikes:
        i = round((t + t_ref) / s.dt)
        if i < len(s.voltage):
            hit[i] += 1
        use[max(0, round((t - 1.0) / s.dt)) : i + n] = False

    def mean(values: Array) -> Array:
        return np.asarray(values[:samples].reshape(-1, n).mean(axis=1))

    columns = [mean(s.current), mean(s.voltage), np.ones(samples // n)]
    for rate in RATES:
        trace = lfilter([1.0], [1.0, -np.exp(-rate * s.dt)], hit)[:-1]
        columns.append(mean(trace))
    table = np.stack(columns, axis=1)[:-1]
    edges = s.voltage[:samples:n]
    change = np.diff(edges) / (n * s.dt)
    whole = np.asarray(use[:samples].reshape(-1, n).all(axis=1))
    keep = whole[:-1] & use[:samples:n][1:]
    return table[keep], change[keep]
