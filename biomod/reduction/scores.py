"""How alike two spike trains are, for many trains at once.

Trains are compared in closed form: the inner product of two trains filtered with a Gaussian of
standard deviation sigma is ``sum_ij exp(-(t_i - s_j)**2 / (4 sigma**2)) / (2 sigma sqrt(pi))``, so
that no bin width enters.
"""

from __future__ import annotations

import ctypes
import math
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from biomod.errors import ModelError
from biomod.reduction.kernel import compiled_library

Array = npt.NDArray[np.float64]

_SOURCE = """
#include <cmath>
// Sum over pairs of spikes of a Gaussian of their distance, trains sorted.
static double overlap(const double* a, long n, const double* b, long m, double sigma) {
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
    return sum / (2.0 * sigma * std::sqrt(M_PI));
}
extern "C" void overlaps(long trains, const double* spikes, const long* from, const double* other,
                         long m, double sigma, double* cross, double* own) {
    for (long k = 0; k < trains; k++) {
        const double* a = spikes + from[k];
        const long n = from[k + 1] - from[k];
        cross[k] = overlap(a, n, other, m, sigma);
        own[k] = overlap(a, n, a, n, sigma);
    }
}
extern "C" void coincidences(long trains, const double* spikes, const long* from,
                             const double* other, long m, double window, long* found) {
    for (long k = 0; k < trains; k++) {
        long i = from[k], end = from[k + 1];
        found[k] = 0;
        // Every spike is used once, so that a burst cannot account for several.
        for (long j = 0; j < m; j++) {
            while (i < end && spikes[i] < other[j] - window) i++;
            if (i < end && spikes[i] <= other[j] + window) { found[k]++; i++; }
        }
    }
}
"""


class Trains:
    """Spike trains (ms), laid out one after another for the compiled loops."""

    def __init__(self, trains: Sequence[npt.ArrayLike]) -> None:
        arrays = [np.asarray(t, dtype=float) for t in trains]
        self.counts = np.array([len(a) for a in arrays])
        self.start = np.concatenate([[0], np.cumsum(self.counts)]).astype(np.int64)
        self.spikes = np.concatenate(arrays) if arrays else np.empty(0)
        if any(np.any(np.diff(a) < 0) for a in arrays):
            raise ModelError("spike times must be in ascending order")

    def __len__(self) -> int:
        return len(self.counts)


@cache
def _library() -> Any:
    return compiled_library(_SOURCE)


def _pointer(array: npt.NDArray[Any]) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)


def _overlaps(trains: Trains, other: Array, sigma: float) -> tuple[Array, Array]:
    cross, own = np.empty(len(trains)), np.empty(len(trains))
    _library().overlaps(
        ctypes.c_long(len(trains)), _pointer(trains.spikes), _pointer(trains.start),
        _pointer(other), ctypes.c_long(len(other)), ctypes.c_double(sigma), _pointer(cross),
        _pointer(own),
    )  # fmt: skip
    return cross, own


def explained_variance(
    trains: Trains, reference: npt.ArrayLike, duration: float, sigma: float = 10.0
) -> Array:
    """Share of the variance of filtered spike trains that they have in common.

    ``EV = (var D + var M - var(D - M)) / (var D + var M)`` with D and M the trains filtered with
    a Gaussian; 1 for equal trains, 0 for independent ones.

    Parameters
    ----------
    trains : Trains
        Spike times of the models in ms.
    reference : array
        Spike times that they are compared with.
    duration : float
        Length of the recording in ms.
    sigma : float
        Standard deviation of the filter in ms.

    Returns
    -------
    array of shape (trains,)
        0 where neither train has a spike.

    Source: Teeter et al. 2018, 10.1038/s41467-017-02717-4 (sigma 10 ms).
    """
    other = np.ascontiguousarray(reference, dtype=float)
    cross, own = _overlaps(trains, other, sigma)
    _, itself = _overlaps(Trains([other]), other, sigma)
    n, m = trains.counts, len(other)
    covariance = cross / duration - n * m / duration**2
    variance = own / duration - n**2 / duration**2 + itself / duration - m**2 / duration**2
    safe = np.where(variance > 0, variance, 1.0)
    return np.where(variance > 0, 2 * covariance / safe, 0.0)


def coincidence_factor(
    trains: Trains, reference: npt.ArrayLike, duration: float, window: float = 4.0
) -> Array:
    """Coincidences beyond chance: 1 for equal trains, 0 for a Poisson train of the same rate.

    ``Gamma = (N_coinc - 2 f_M window N_D) / ((N_D + N_M) / 2) / (1 - 2 f_M window)`` with the
    model's rate f_M; each spike counts in one coincidence. Not meaningful (NaN) at rates so high
    that ``2 f_M window`` reaches 1.

    Source: Kistler, Gerstner & van Hemmen 1997, Neural Comput 9:1015,
    10.1162/neco.1997.9.5.1015; Jolivet et al. 2008, 10.1016/j.jneumeth.2007.11.006.
    """
    other = np.ascontiguousarray(reference, dtype=float)
    found = np.empty(len(trains), np.int64)
    _library().coincidences(
        ctypes.c_long(len(trains)), _pointer(trains.spikes), _pointer(trains.start),
        _pointer(other), ctypes.c_long(len(other)), ctypes.c_double(window), _pointer(found),
    )  # fmt: skip
    chance = 2 * window * trains.counts / duration
    both = (trains.counts + len(other)) / 2
    result = np.full(len(trains), np.nan)
    use = (chance < 1) & (both > 0)
    excess = found[use] - chance[use] * len(other)
    result[use] = excess / both[use] / (1 - chance[use])
    return result


def explained_variance_ratio(
    model: npt.ArrayLike, repeats: Sequence[npt.ArrayLike], duration: float, sigma: float = 10.0
) -> float:
    """Explained variance as a share of what the repeats explain of each other.

    The mean over repeats of the explained variance of the model, divided by the mean over pairs of
    repeats. With one repeat the explained variance itself.

    Source: Teeter et al. 2018, 10.1038/s41467-017-02717-4.
    """
    one = Trains([model])
    own = np.mean([explained_variance(one, r, duration, sigma)[0] for r in repeats])
    pairs = [
        float(explained_variance(Trains([a]), b, duration, sigma)[0])
        for i, a in enumerate(repeats)
        for b in repeats[:i]
    ]
    ceiling = float(np.mean(pairs)) if pairs else 1.0
    return float(own) / ceiling if ceiling > 0 else math.nan
