"""Currents that show what a cell does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt

from biomod.errors import ModelError

Array = npt.NDArray[np.float64]
BEFORE, STEP = 200.0, 1000.0  # ms before a step or ramp, and how long it takes
PULSE, BETWEEN = 3.0, 200.0  # ms; short squares and their distance


@dataclass(frozen=True)
class Planned:
    """A current (pA), what kind of sweep it makes, and whether it is kept for the test."""

    current: Array
    kind: str
    test: bool


@dataclass(frozen=True)
class Protocol:
    """Noise, long steps, ramps and short squares, in multiples of the cell's rheobase.

    Noise is an Ornstein-Uhlenbeck current of correlation time `tau`, `sweeps` of them for every
    pair of mean and standard deviation, with other seeds for training and for the test. Means are
    higher than those of the noise of Teeter et al. 2018 (0.75, 1 and 1.25 rheobase in the program
    that made it): cells that adapt fire so few spikes there that a fit would learn single ones by
    heart.

    Attributes
    ----------
    means, deviations : tuple of float
        Of the noise.
    tau : float
        In ms; between the correlation times of fast and slow synapses (estimate).
    noise_s : float
        Length of one noise sweep in s.
    sweeps : int
        Noise sweeps of each kind. Five give a pyramidal cell 1000 spikes to train and to test on;
        with three a long search learns single ones by heart.
    steps, test_steps : tuple of float
        Amplitudes of 1-s steps to train on and to test on.
    ramps, test_ramps : tuple of float
        Final value of ramps that take 1 s.
    pulses, test_pulses : tuple of float
        Amplitudes of 3-ms squares, 200 ms apart.
    dt : float
        In ms, of the currents and of the surrogate.
    seed : int
        Of the noise.
    """

    means: tuple[float, ...] = (0.8, 1.2, 1.8)
    deviations: tuple[float, ...] = (0.3, 0.7)
    tau: float = 5.0
    noise_s: float = 4.0
    sweeps: int = 5
    steps: tuple[float, ...] = (-0.5, 0.5, 0.9, 1.1, 1.25, 1.5, 2.0, 3.0)
    test_steps: tuple[float, ...] = (-0.25, 0.75, 1.15, 1.35, 1.75, 2.5)
    ramps: tuple[float, ...] = (1.5, 3.0)
    test_ramps: tuple[float, ...] = (2.0,)
    pulses: tuple[float, ...] = (2.0, 4.0, 6.0, 9.0, 12.0, 16.0)
    test_pulses: tuple[float, ...] = (3.0, 5.0, 7.5, 10.5, 14.0)
    dt: float = 0.1
    seed: int = 1

    def __post_init__(self) -> None:
        noise = self.noise_s * self.sweeps * len(self.means) * len(self.deviations)
        if noise < 2 or not 0 < self.dt <= 1 or self.tau <= 0:
            raise ModelError(
                f"protocol: {noise:g} s of noise, dt {self.dt:g} ms and tau {self.tau:g} ms were "
                "given; at least 2 s, dt of at most 1 ms and a positive tau are needed"
            )

    def currents(self, rheobase: float) -> list[Planned]:
        """All currents in pA."""
        found = []
        for test in (False, True):
            rng = np.random.default_rng([self.seed, int(test)])
            for mean, deviation, _ in product(self.means, self.deviations, range(self.sweeps)):
                noise = ornstein_uhlenbeck(
                    mean, deviation, self.tau, self.noise_s * 1e3, self.dt, rng
                )
                found.append(Planned(rheobase * noise, "noise", test))
        for test, steps, ramps, pulses in (
            (False, self.steps, self.ramps, self.pulses),
            (True, self.test_steps, self.test_ramps, self.test_pulses),
        ):
            found += [Planned(rheobase * x * self._box(), "step", test) for x in steps]
            found += [Planned(rheobase * x * self._slope(), "ramp", test) for x in ramps]
            if pulses:
                found.append(Planned(rheobase * self._squares(pulses), "pulse", test))
        return found

    def _times(self, duration: float) -> Array:
        return np.asarray(np.arange(round(duration / self.dt)) * self.dt, dtype=float)

    def _box(self) -> Array:
        """1 for a second after 200 ms, with 200 ms behind."""
        t = self._times(2 * BEFORE + STEP)
        return np.where((t >= BEFORE) & (t < BEFORE + STEP), 1.0, 0.0)

    def _slope(self) -> Array:
        """From 0 to 1 in a second after 200 ms, and 0 for 200 ms behind."""
        t = self._times(2 * BEFORE + STEP)
        return np.where(t < BEFORE + STEP, np.maximum((t - BEFORE) / STEP, 0.0), 0.0)

    def _squares(self, amplitudes: Sequence[float]) -> Array:
        t = self._times(BETWEEN * (len(amplitudes) + 1))
        which = np.floor(t / BETWEEN).astype(int)
        on = (t - which * BETWEEN < PULSE) & (which > 0)
        return np.where(on, np.array([0.0, *amplitudes])[which], 0.0)


def ornstein_uhlenbeck(
    mean: float, deviation: float, tau: float, duration: float, dt: float,
    rng: np.random.Generator,
) -> Array:  # fmt: skip
    """Gaussian noise with the autocorrelation ``deviation**2 exp(-|lag| / tau)``; times in ms.

    The exact recurrence, stationary from the first sample (Uhlenbeck & Ornstein 1930,
    10.1103/PhysRev.36.823).
    """
    from scipy.signal import lfilter

    decay = np.exp(-dt / tau)
    white = rng.standard_normal(round(duration / dt))
    white[1:] *= np.sqrt(1 - decay**2)
    noise: Array = lfilter([1.0], [1.0, -decay], white)
    return mean + deviation * noise
