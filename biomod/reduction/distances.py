"""How alike two spike trains are.

Filtered trains are compared in closed form: the inner product of two trains filtered with a
Gaussian of standard deviation sigma is
``sum_ij exp(-(t_i - s_j)**2 / (4 sigma**2)) / (2 sigma sqrt(pi))``, so that no bin width enters.

Several sweeps count as one measurement: the sums that a measure is made of are added over the
sweeps, each with its own mean. A sweep with few spikes then weighs as little as it says, and that
two sweeps differ in their rate earns nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from biomod.errors import ModelError
from biomod.reduction._library import address, library, real, whole

Array = npt.NDArray[np.float64]
Trains = Sequence[npt.ArrayLike]

_SOURCE = """
#include <cmath>
// Sum over pairs of spikes of a Gaussian of their distance, trains sorted.
extern "C" void overlap(const double* a, long n, const double* b, long m, double sigma,
                        double* found) {
    const double reach = 12.0 * sigma, scale = 1.0 / (4.0 * sigma * sigma);
    double sum = 0.0;
    long first = 0;
    for (long i = 0; i < n; i++) {
        while (first < m && b[first] < a[i] - reach) first++;
        for (long j = first; j < m && b[j] <= a[i] + reach; j++) {
            const double d = a[i] - b[j];
            sum += std::exp(-d * d * scale);
        }
    }
    *found = sum / (2.0 * sigma * std::sqrt(M_PI));
}
// Largest number of pairs no farther apart than the window, every spike in at most one.
extern "C" void coincidences(const double* a, long n, const double* b, long m, double window,
                             double* found) {
    long i = 0, pairs = 0;
    for (long j = 0; j < m; j++) {
        while (i < n && a[i] < b[j] - window) i++;
        if (i < n && a[i] <= b[j] + window) { pairs++; i++; }
    }
    *found = (double)pairs;
}
"""


def _checked(train: npt.ArrayLike) -> Array:
    found = np.ascontiguousarray(train, dtype=float)
    if found.ndim != 1 or np.any(np.diff(found) < 0) or not np.isfinite(found).all():
        raise ModelError("a spike train must be a list of finite times in ascending order")
    return found


def _pairs(
    model: Trains, cell: Trains, durations: Sequence[float]
) -> list[tuple[Array, Array, float]]:
    if not len(model) == len(cell) == len(durations):
        raise ModelError(
            f"{len(model)} trains of the model, {len(cell)} of the cell and {len(durations)} "
            "durations were given; there must be as many of each"
        )
    return [(_checked(a), _checked(b), d) for a, b, d in zip(model, cell, durations, strict=True)]


def _measure(name: str, a: Array, b: Array, width: float) -> float:
    found = np.zeros(1)
    function = getattr(library(_SOURCE), name)
    function(address(a), whole(len(a)), address(b), whole(len(b)), real(width), address(found))
    return float(found[0])


def overlap(a: npt.ArrayLike, b: npt.ArrayLike, sigma: float) -> float:
    """Integral of the product of two trains (ms) that are filtered with a Gaussian, in 1/ms."""
    return _measure("overlap", _checked(a), _checked(b), sigma)


def explained_variance(
    model: Trains, cell: Trains, durations: Sequence[float], sigma: float = 10.0
) -> float:
    """Share of the variance of filtered spike trains that they have in common.

    ``EV = (var D + var M - var(D - M)) / (var D + var M)`` with D and M the trains filtered with
    a Gaussian; 1 for equal trains, 0 for independent ones.

    Parameters
    ----------
    model, cell : sequence of arrays
        Spike times in ms, a train for each sweep.
    durations : sequence of float
        Length of each sweep in ms.
    sigma : float
        Standard deviation of the filter in ms.

    Returns
    -------
    float
        NaN where neither has a spike.

    Source: Teeter et al. 2018, 10.1038/s41467-017-02717-4 (sigma 10 ms).
    """
    shared = total = 0.0
    for a, b, duration in _pairs(model, cell, durations):
        n, m = len(a), len(b)
        shared += 2 * (overlap(a, b, sigma) - n * m / duration)
        total += overlap(a, a, sigma) + overlap(b, b, sigma) - (n**2 + m**2) / duration
    return shared / total if total > 0 else math.nan


def explained_variance_ratio(
    model: Trains,
    repeats: Sequence[Trains],
    durations: Sequence[float],
    sigma: float = 10.0,
) -> float:
    """Explained variance as a share of what the repeats explain of each other.

    Parameters
    ----------
    repeats : sequence of (sequence of arrays)
        For every sweep the trains of its trials; sweeps with one trial do not enter the ceiling.

    Returns
    -------
    float
        The mean over trials of the explained variance of the model, divided by the mean over pairs
        of trials of that of one by the other; without repeats the explained variance itself.

    Source: Teeter et al. 2018, 10.1038/s41467-017-02717-4.
    """
    trials = max(len(r) for r in repeats)
    own = [explained_variance(model, [r[min(k, len(r) - 1)] for r in repeats], durations, sigma)
           for k in range(trials)]  # fmt: skip
    several = [(r, d) for r, d in zip(repeats, durations, strict=True) if len(r) > 1]
    if not several:
        return float(np.mean(own))
    pairs = [
        explained_variance(
            [r[i % len(r)] for r, _ in several], [r[j % len(r)] for r, _ in several],
            [d for _, d in several], sigma,
        )
        for i in range(trials) for j in range(i)
    ]  # fmt: skip
    ceiling = float(np.mean(pairs))
    return float(np.mean(own)) / ceiling if ceiling > 0 else math.nan


def coincidence_factor(
    model: Trains, cell: Trains, durations: Sequence[float], window: float = 4.0
) -> float:
    """Coincidences beyond chance: 1 for equal trains, 0 for a Poisson train of the same rate.

    ``Gamma = (N_coinc - 2 f_M window N_D) / ((N_D + N_M) / 2) / (1 - 2 f_M window)`` with the
    rate f_M of the model; each spike counts in one coincidence. Over several sweeps, numerator and
    denominator are added.

    Parameters
    ----------
    window : float
        Largest distance of a coincidence in ms.

    Returns
    -------
    float
        NaN where there are no spikes, or only at rates at which as many coincidences as spikes
        are due to chance (``2 f_M window >= 1``): Gamma means nothing there.

    Source: Kistler, Gerstner & van Hemmen 1997, 10.1162/neco.1997.9.5.1015; Jolivet et al. 2008,
    10.1016/j.jneumeth.2007.11.006.
    """
    above = possible = 0.0
    for a, b, duration in _pairs(model, cell, durations):
        chance = 2 * window * len(a) / duration
        if chance < 1:
            above += _measure("coincidences", a, b, window) - chance * len(b)
            possible += (len(a) + len(b)) / 2 * (1 - chance)
    return above / possible if possible > 0 else math.nan


def van_rossum(a: npt.ArrayLike, b: npt.ArrayLike, tau: float = 10.0) -> float:
    """Distance of van Rossum 2001 with the time constant `tau` in ms, by Elephant.

    1 for one spike that only one of the trains has, and the square root of 2 for two far apart.
    Source: 10.1162/089976601300014321.
    """
    from elephant.spike_train_dissimilarity import van_rossum_distance
    from quantities import ms

    return float(van_rossum_distance(_neo(a, b), tau * ms)[0, 1])


def victor_purpura(a: npt.ArrayLike, b: npt.ArrayLike, cost: float = 0.1) -> float:
    """Distance of Victor & Purpura 1996 at a cost of shifting a spike in 1/ms, by Elephant.

    The least sum of costs that makes one train of the other: 1 for a spike added or removed.
    Source: 10.1152/jn.1996.76.2.1310.
    """
    from elephant.spike_train_dissimilarity import victor_purpura_distance
    from quantities import ms

    return float(victor_purpura_distance(_neo(a, b), cost / ms)[0, 1])


def _neo(*trains: npt.ArrayLike) -> list[object]:
    from neo import SpikeTrain

    arrays = [_checked(t) for t in trains]
    stop = max((float(a[-1]) for a in arrays if len(a)), default=0.0) + 1.0
    return [SpikeTrain(a, units="ms", t_stop=stop) for a in arrays]
