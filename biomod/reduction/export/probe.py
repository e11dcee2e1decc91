"""How well another simulator reproduces a surrogate, measured on a noise current."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from biomod.errors import ModelError
from biomod.reduction import distances
from biomod.reduction.fit import Fit
from biomod.reduction.kernel import prepare
from biomod.reduction.protocol import ornstein_uhlenbeck

Array = npt.NDArray[np.float64]
STRONGEST = 20000.0  # pA
MEAN, DEVIATION, TAU = 0.9, 0.5, 3.0  # of the noise, in rheobases and ms (estimate)
SPONTANEOUS = 20.0  # standard deviation in pA for a neuron that needs no current (estimate)


def rheobase(fitted: Fit, duration: float = 500.0) -> float:
    """Smallest constant current in pA at which the surrogate fires within `duration` ms.

    Zero for one that fires without a current.

    Raises
    ------
    ModelError
        It never fires.
    """
    neurons, steps = (
        prepare(fitted.model, fitted.parameters, fitted.dt),
        round(duration / fitted.dt),
    )

    def fires(current: float) -> bool:
        return bool(neurons.run(np.full(steps, current), most_spikes=1).counts[0])

    low, high = 0.0, 1.0
    if fires(low):
        return 0.0
    while not fires(high):
        low, high = high, 2 * high
        if high > STRONGEST:
            raise ModelError(
                f"this {fitted.model.name} does not fire up to {STRONGEST:g} pA, so that nothing "
                "can be measured"
            )
    while high - low > 0.005 * high:
        middle = (low + high) / 2
        low, high = (low, middle) if fires(middle) else (middle, high)
    return high


def probe(fitted: Fit, seconds: float = 20.0, seed: int = 1) -> Array:
    """Ornstein-Uhlenbeck noise around the rheobase, at which a neuron fires irregularly (pA)."""
    unit = rheobase(fitted)
    rng = np.random.default_rng(seed)
    deviation = DEVIATION * unit if unit else SPONTANEOUS
    return ornstein_uhlenbeck(MEAN * unit, deviation, TAU, seconds * 1e3, fitted.dt, rng)


def agreement(fitted: Fit, other: npt.ArrayLike, current: npt.ArrayLike) -> dict[str, float]:
    """Coincidence factor within 2 ms and explained variance (10 ms) of other spikes (ms)."""
    duration = len(np.asarray(current)) * fitted.dt
    spikes = prepare(fitted.model, fitted.parameters, fitted.dt).run(current).spikes[0]
    theirs = np.asarray(other, dtype=float)
    return {
        "coincidence_2ms": distances.coincidence_factor([theirs], [spikes], [duration], 2.0),
        "explained_variance": distances.explained_variance([theirs], [spikes], [duration]),
    }


def agreement_of(fitted: Fit, other: Fit) -> dict[str, float]:
    """The same for another point neuron of ours, on the noise of :func:`probe`."""
    current = probe(fitted)
    neurons = prepare(other.model, other.parameters, other.dt)
    return agreement(fitted, neurons.run(current).spikes[0], current)
