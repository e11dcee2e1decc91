"""How well a surrogate does on sweeps that its fit has not seen."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from biomod.reduction import distances
from biomod.reduction.fit import Fit
from biomod.reduction.kernel import prepare
from biomod.reduction.objective import AFTER, BEFORE
from biomod.reduction.recordings import Sweep

Array = npt.NDArray[np.float64]
# Name, unit and meaning of every score, in the order of reports.
SCORES: dict[str, tuple[str, str]] = {
    "explained_variance": ("1", "of spike trains filtered with 10 ms (Teeter et al. 2018)"),
    "explained_variance_ratio": ("1", "the same over what repeats explain of each other"),
    "coincidence_2ms": ("1", "coincidence factor within 2 ms"),
    "coincidence_4ms": ("1", "coincidence factor within 4 ms"),
    "van_rossum": ("1", "distance with 10 ms, over the square root of the spikes"),
    "victor_purpura": ("1", "distance at a cost of 0.1 per ms, per spike"),
    "rate_error": ("Hz", "root mean square over noise sweeps"),
    "fi_error": ("Hz", "root mean square over long steps"),
    "isi_mean": ("ms", "mean interspike interval of the surrogate in noise"),
    "isi_mean_cell": ("ms", "the same of the cell"),
    "isi_cv": ("1", "coefficient of variation of the surrogate's intervals in noise"),
    "isi_cv_cell": ("1", "the same of the cell"),
    "subthreshold_r2": ("1", "explained variance of the voltage between spikes"),
}


def responses(fitted: Fit, sweeps: Sequence[Sweep]) -> list[tuple[Array, Array]]:
    """Spike times (ms) and voltage (mV, at the end of every step) of a surrogate."""
    neurons = prepare(fitted.model, fitted.parameters, fitted.dt)
    found = []
    for s in sweeps:
        response = neurons.run(s.current, voltage=True)
        assert response.voltage is not None
        found.append((response.spikes[0], response.voltage[0]))
    return found


def scores(fitted: Fit, sweeps: Sequence[Sweep]) -> dict[str, float]:
    """All scores (:data:`SCORES`) of a surrogate on some sweeps; NaN where there is nothing."""
    found = responses(fitted, sweeps)
    pairs = [(s, spikes) for s, (spikes, _) in zip(sweeps, found, strict=True)]
    noise = [(s, spikes) for s, spikes in pairs if s.kind == "noise"]
    steps = [(s, spikes) for s, spikes in pairs if s.kind == "step"]
    return {
        **_spike_by_spike(noise),
        "rate_error": _rms([_rate_error(s, spikes) for s, spikes in noise]),
        "fi_error": _rms([_rate_error(s, spikes) for s, spikes in steps]),
        **_intervals("", [spikes for _, spikes in noise]),
        **_intervals("_cell", [s.spikes for s, _ in noise]),
        "subthreshold_r2": _subthreshold(sweeps, found),
    }


def _spike_by_spike(noise: Sequence[tuple[Sweep, Array]]) -> dict[str, float]:
    model = [spikes for _, spikes in noise]
    cell = [s.spikes for s, _ in noise]
    durations = [s.duration for s, _ in noise]
    repeats = [[s.spikes, *s.repeats] for s, _ in noise]
    spikes = max(1, sum(len(t) for t in cell))
    rossum = np.sqrt(sum(distances.van_rossum(a, b) ** 2 for a, b in zip(model, cell, strict=True)))
    purpura = sum(distances.victor_purpura(a, b) for a, b in zip(model, cell, strict=True))
    return {
        "explained_variance": distances.explained_variance(model, cell, durations),
        "explained_variance_ratio": distances.explained_variance_ratio(model, repeats, durations),
        "coincidence_2ms": distances.coincidence_factor(model, cell, durations, 2.0),
        "coincidence_4ms": distances.coincidence_factor(model, cell, durations, 4.0),
        "van_rossum": float(rossum / np.sqrt(spikes)),
        "victor_purpura": purpura / spikes,
    }


def _rate_error(s: Sweep, spikes: Array) -> float:
    """Difference of the rates in Hz, over the time that the sweep's own rate refers to."""
    if not len(s.spikes):
        return len(spikes) / s.duration * 1e3
    return (len(spikes) - len(s.spikes)) * s.rate / len(s.spikes)


def _rms(errors: Sequence[float]) -> float:
    return float(np.sqrt(np.mean(np.square(errors)))) if errors else float("nan")


def _intervals(whose: str, trains: Sequence[Array]) -> dict[str, float]:
    intervals = np.concatenate([np.diff(t) for t in trains]) if trains else np.empty(0)
    mean = float(np.mean(intervals)) if len(intervals) else float("nan")
    cv = float(np.std(intervals) / mean) if len(intervals) > 1 else float("nan")
    return {f"isi_mean{whose}": mean, f"isi_cv{whose}": cv}


def _subthreshold(sweeps: Sequence[Sweep], found: Sequence[tuple[Array, Array]]) -> float:
    """1 - residual / total variance where neither the cell nor the surrogate is near a spike."""
    cell, model = [], []
    for s, (spikes, voltage) in zip(sweeps, found, strict=True):
        use = np.ones(len(s.voltage) - 1, bool)
        for t in (*s.spikes, *spikes):
            use[max(0, round((t - BEFORE) / s.dt)) : round((t + AFTER) / s.dt)] = False
        cell.append(s.voltage[1:][use])
        model.append(voltage[:-1][use])
    v, w = np.concatenate(cell), np.concatenate(model)
    total = np.sum((v - v.mean()) ** 2) if len(v) else 0.0
    return float(1 - np.sum((v - w) ** 2) / total) if total > 0 else float("nan")
