"""What a surrogate is fitted to: injected currents and the response of a cell to them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from biomod.errors import ModelError
from biomod.units import as_quantity

Array = npt.NDArray[np.float64]
KINDS = ("noise", "step", "ramp", "pulse", "other")


@dataclass(frozen=True, eq=False)
class Sweep:
    """One injected current and the response of the cell.

    Attributes
    ----------
    current : array of shape (samples,)
        In pA, constant during a sample.
    dt : float
        Sampling interval in ms.
    voltage : array of shape (samples,)
        In mV, at the beginning of each sample.
    spikes : array
        Spike times in ms.
    kind : str
        ``"noise"`` sweeps are compared spike by spike, ``"step"`` sweeps by their rate.
    repeats : tuple of arrays
        Spike times of further trials with the same current.
    """

    current: Array
    dt: float
    voltage: Array
    spikes: Array
    kind: str = "other"
    repeats: tuple[Array, ...] = field(default=())

    @property
    def duration(self) -> float:
        """In ms."""
        return len(self.current) * self.dt

    @property
    def rate(self) -> float:
        """Mean rate in Hz while the current differs from its first value, or of the whole sweep."""
        on = self.current != self.current[0] if self.kind in ("step", "ramp") else None
        if on is None or not on.any():
            return len(self.spikes) / self.duration * 1e3
        begin, end = np.flatnonzero(on)[[0, -1]] * self.dt
        inside = (self.spikes >= begin) & (self.spikes <= end + self.dt)
        return float(inside.sum() / (end - begin + self.dt) * 1e3)


def sweep(
    current: Any,
    voltage: Any,
    dt: Any,
    *,
    spikes: Any = None,
    kind: str = "noise",
    repeats: Sequence[Any] = (),
    detection: Any = "-20 mV",
) -> Sweep:
    """A recording as a :class:`Sweep`, checked.

    Parameters
    ----------
    current, voltage : quantity with an array, or (array, unit)
        Injected current and membrane potential, equally long, e.g. ``(samples, "pA")`` or a
        quantity array of Brian2, Neo or quantities.
    dt : quantity
        Sampling interval.
    spikes : quantity with an array, optional
        Spike times; upward crossings of `detection` if not given.
    kind : str
        noise, step, ramp, pulse or other.
    repeats : sequence of spike times, optional
        Of further trials with the same current.

    Raises
    ------
    ModelError
        Lengths differ, a sample is not a finite number, a unit is missing, or a spike lies outside.
    UnitError
        A unit is not one of current, voltage or time.
    """
    if kind not in KINDS:
        raise ModelError(f"kind must be one of {', '.join(KINDS)}; {kind!r} was given")
    i, v = _samples(current, "pA", "current"), _samples(voltage, "mV", "voltage")
    interval = as_quantity(dt, "ms", "dt").to("ms")
    if len(i) != len(v):
        raise ModelError(f"current has {len(i)} samples and voltage {len(v)}; they must agree")
    if not interval > 0 or len(i) * interval < 10:
        raise ModelError(f"a recording of {len(i)} samples of {interval:g} ms is too short")
    level = as_quantity(detection, "mV", "detection").to("mV")
    trains = [crossings(v, interval, level) if spikes is None else _samples(spikes, "ms", "spikes")]
    trains += [_samples(r, "ms", "repeats") for r in repeats]
    for train in trains:
        outside = train[(train < 0) | (train > len(i) * interval)]
        if len(outside):
            raise ModelError(
                f"a spike at {outside[0]:g} ms lies outside of the recording of "
                f"{len(i) * interval:g} ms"
            )
    first, *others = (np.sort(t) for t in trains)
    return Sweep(i, interval, v, first, kind, tuple(others))


def crossings(voltage: Array, dt: float, level: float) -> Array:
    """Times (ms) of upward crossings of a level (mV)."""
    return (np.flatnonzero((voltage[1:] >= level) & (voltage[:-1] < level)) + 1) * dt


def _samples(values: Any, unit: str, what: str) -> Array:
    """Numbers in `unit`, from a pair of array and unit or an array that carries its unit."""
    if isinstance(values, tuple) and len(values) == 2 and isinstance(values[1], str):
        factor = as_quantity(f"1 {values[1]}", unit, what).to(unit)
        found = np.asarray(values[0], dtype=float) * factor
    elif hasattr(values, "rescale"):  # quantities, Neo
        found = np.asarray(values.rescale(unit).magnitude, dtype=float).reshape(-1)
    elif hasattr(values, "dim") and np.ndim(values) == 1:  # Brian2: SI numbers with a dimension
        found = np.array([as_quantity(q, unit, what).to(unit) for q in values])
    else:
        raise ModelError(f"{what} needs a unit: give (samples, {unit!r})")
    found = np.atleast_1d(found)
    if found.ndim != 1:
        raise ModelError(f"{what} must be one-dimensional; its shape is {found.shape}")
    bad = np.flatnonzero(~np.isfinite(found))
    if len(bad):
        raise ModelError(f"{what}: sample {bad[0]} is not a finite number ({found[bad[0]]})")
    return found


# Currents -----------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Protocol:
    """Currents that show what a cell does.

    Noise is an Ornstein-Uhlenbeck current with `tau`: means and standard deviations in multiples
    of the rheobase, trained on one seed and tested on another. Steps, a ramp and pulses besides.

    Attributes
    ----------
    means, deviations : tuple of float
        Of the noise, in multiples of the rheobase.
    train_s, test_s : float
        Total length of the noise in s.
    steps : tuple of float
        Amplitudes of 1-s steps in multiples of the rheobase.
    dt : float
        In ms.
    """

    means: tuple[float, ...] = (0.6, 0.9, 1.3)
    deviations: tuple[float, ...] = (0.3, 0.7)
    tau: float = 5.0
    train_s: float = 24.0
    test_s: float = 12.0
    steps: tuple[float, ...] = (-0.5, 0.5, 0.9, 1.1, 1.3, 1.6, 2.0, 2.5, 3.0)
    dt: float = 0.1
    seed: int = 1

    def noise(self, rheobase: float, test: bool = False) -> list[Array]:
        """One current in pA for every pair of mean and deviation."""
        pairs = [(m, s) for m in self.means for s in self.deviations]
        each = (self.test_s if test else self.train_s) / len(pairs)
        rng = np.random.default_rng([self.seed, int(test)])
        return [
            ornstein_uhlenbeck(m * rheobase, s * rheobase, self.tau, each * 1e3, self.dt, rng)
            for m, s in pairs
        ]

    def step_currents(self, rheobase: float) -> list[Array]:
        """One-second steps in pA after 200 ms, with 200 ms behind."""
        samples = round(1400 / self.dt)
        on = np.zeros(samples)
        on[round(200 / self.dt) : round(1200 / self.dt)] = 1.0
        return [amplitude * rheobase * on for amplitude in self.steps]


def ornstein_uhlenbeck(
    mean: float, deviation: float, tau: float, duration: float, dt: float,
    rng: np.random.Generator,
) -> Array:  # fmt: skip
    """Noise with an exponential autocorrelation of time constant `tau`; times in ms."""
    from scipy.signal import lfilter

    decay = np.exp(-dt / tau)
    white = rng.standard_normal(round(duration / dt))
    white[1:] *= np.sqrt(1 - decay**2)
    noise: Array = lfilter([1.0], [1.0, -decay], white)
    return mean + deviation * noise


@dataclass(frozen=True, eq=False)
class Behaviour:
    """What the fit learns from and what it is judged by.

    Attributes
    ----------
    train, test : tuple of Sweep
        The scores of a fit are those of `test` only.
    name : str
        Of the cell.
    seconds : float
        How long the cell took to simulate.
    """

    train: tuple[Sweep, ...]
    test: tuple[Sweep, ...]
    name: str = "cell"
    seconds: float = 0.0


def observe(
    respond: Callable[[list[Array], float], list[tuple[Array, Array]]],
    rheobase: float,
    protocol: Protocol | None = None,
    name: str = "cell",
) -> Behaviour:
    """Drive a cell with a protocol.

    Parameters
    ----------
    respond : callable
        ``respond(currents, dt)`` returns the voltage (mV) and the spike times (ms) for every
        current (pA, samples of dt ms).
    rheobase : float
        In pA; the protocol is in multiples of it.
    """
    import time

    protocol = protocol or Protocol()
    started = time.perf_counter()
    parts = {
        ("train", "noise"): protocol.noise(rheobase),
        ("train", "step"): protocol.step_currents(rheobase),
        ("test", "noise"): protocol.noise(rheobase, test=True),
    }
    currents = [c for part in parts.values() for c in part]
    responses = iter(respond(currents, protocol.dt))
    found: dict[str, list[Sweep]] = {"train": [], "test": []}
    for (use, kind), part in parts.items():
        for current in part:
            voltage, spikes = next(responses)
            made = sweep((current, "pA"), (voltage, "mV"), f"{protocol.dt} ms",
                         spikes=(spikes, "ms"), kind=kind)  # fmt: skip
            found[use].append(made)
    # Steps between those of the fit would need more runs; the noise of another seed is the test.
    found["test"] += [s for s in found["train"] if s.kind == "step"][1::2]
    found["train"] = [s for s in found["train"] if s not in found["test"]]
    seconds = time.perf_counter() - started
    return Behaviour(tuple(found["train"]), tuple(found["test"]), name, seconds)


def of_recordings(
    train: Iterable[Sweep], test: Iterable[Sweep], name: str = "recording"
) -> Behaviour:
    """Recordings as they are, some to fit and others to judge by.

    Raises
    ------
    ModelError
        There is too little: less than 2 s to train, no test, or no spike at all.
    """
    behaviour = Behaviour(tuple(train), tuple(test), name)
    length = sum(s.duration for s in behaviour.train) * 1e-3
    if length < 2 or not behaviour.test:
        raise ModelError(
            f"{name}: {length:.3g} s to train on and {len(behaviour.test)} sweeps to test on are "
            "too little; at least 2 s and one sweep are needed"
        )
    return behaviour
