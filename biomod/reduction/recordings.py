"""What a surrogate is fitted to: injected currents and the response of a cell to them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from biomod.errors import ModelError
from biomod.units import as_quantity

Array = npt.NDArray[np.float64]
KINDS = ("noise", "step", "ramp", "pulse")
LEAST_S = 2.0  # of training data


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
        ``"noise"`` is compared spike by spike, ``"step"``, ``"ramp"`` and ``"pulse"`` by their
        number of spikes.
    repeats : tuple of arrays
        Spike times of further trials with the same current.
    """

    current: Array
    dt: float
    voltage: Array
    spikes: Array
    kind: str = "noise"
    repeats: tuple[Array, ...] = ()

    @property
    def duration(self) -> float:
        """In ms."""
        return len(self.current) * self.dt

    @property
    def rate(self) -> float:
        """Spikes per s of the current's presence in Hz; of the whole sweep for noise."""
        on = np.flatnonzero(self.current != self.current[0])
        length = self.duration
        if self.kind != "noise" and len(on):
            length = (on[-1] - on[0] + 1) * self.dt
        return len(self.spikes) / length * 1e3


def sweep(
    current: Any,
    voltage: Any,
    dt: Any = None,
    *,
    spikes: Any = None,
    kind: str = "noise",
    repeats: Sequence[Any] = (),
    detection: Any = "-20 mV",
) -> Sweep:
    """A recording as a :class:`Sweep`, checked.

    Parameters
    ----------
    current, voltage : (array, unit), a quantity array, or a Neo AnalogSignal
        Injected current and membrane potential, equally long, e.g. ``(samples, "pA")``.
    dt : quantity, optional
        Sampling interval; a Neo signal brings its own.
    spikes : like current, or a Neo SpikeTrain, optional
        Spike times; upward crossings of `detection` if not given.
    kind : str
        noise, step, ramp or pulse.
    repeats : sequence of spike times, optional
        Of further trials with the same current.
    detection : quantity
        Voltage whose upward crossing is a spike.

    Raises
    ------
    ModelError
        Lengths differ, a sample is not a finite number, or a spike lies outside of the recording.
    UnitError
        A unit is missing, or not one of current, voltage or time.
    """
    if kind not in KINDS:
        raise ModelError(f"kind must be one of {', '.join(KINDS)}; {kind!r} was given")
    i, v = _samples(current, "pA", "current"), _samples(voltage, "mV", "voltage")
    interval = _interval(current, dt)
    if len(i) != len(v):
        raise ModelError(f"current has {len(i)} samples and voltage {len(v)}; they must agree")
    if not interval > 0 or len(i) * interval < 10:
        raise ModelError(
            f"a recording of {len(i)} samples of {interval:g} ms is too short; 10 ms are needed"
        )
    level = as_quantity(detection, "mV", "detection").to("mV")
    given = [crossings(v, interval, level) if spikes is None else _samples(spikes, "ms", "spikes")]
    given += [_samples(r, "ms", "repeats") for r in repeats]
    length = len(i) * interval
    for train in given:
        outside = train[(train < 0) | (train > length)]
        if len(outside):
            raise ModelError(
                f"a spike at {outside[0]:g} ms lies outside of the recording of {length:g} ms"
            )
    first, *others = (np.sort(t) for t in given)
    return Sweep(i, interval, v, first, kind, tuple(others))


def crossings(voltage: Array, dt: float, level: float) -> Array:
    """Times (ms) of upward crossings of a level (mV)."""
    samples = np.flatnonzero((voltage[1:] >= level) & (voltage[:-1] < level)) + 1
    return np.asarray(samples * dt, dtype=float)


def _interval(current: Any, dt: Any) -> float:
    own = getattr(current, "sampling_period", None)
    if dt is not None:
        return as_quantity(dt, "ms", "dt").to("ms")
    if own is None:
        raise ModelError("dt is missing: the sampling interval, e.g. dt='0.1 ms'")
    return float(own.rescale("ms").magnitude)


def _samples(values: Any, unit: str, what: str) -> Array:
    """Numbers in `unit`, from a pair of array and unit or an array that carries its unit."""
    if isinstance(values, tuple) and len(values) == 2 and isinstance(values[1], str):
        found = np.asarray(values[0], dtype=float)
        found = found * as_quantity(f"1 {values[1]}", unit, what).to(unit)
    elif hasattr(values, "rescale"):  # quantities, Neo; a signal of one channel is a column
        found = np.asarray(_rescaled(values, unit, what), dtype=float)
        found = found[:, 0] if found.ndim == 2 and found.shape[1] == 1 else found
        start = getattr(values, "t_start", None) if unit == "ms" else None
        if start is not None:  # times of a Neo spike train are absolute
            found = found - float(start.rescale(unit).magnitude)
    elif hasattr(values, "dim") and np.ndim(values) == 1 and len(values):  # Brian2: numbers in SI
        as_quantity(values[0], unit, what)  # raises the error on a wrong unit
        found = np.asarray(values, dtype=float) / as_quantity(f"1 {unit}", unit).si
    else:
        as_quantity(1.0, unit, what)  # raises the error on missing units
        raise ModelError(f"{what} needs a unit: give (samples, {unit!r})")
    if found.ndim != 1:
        raise ModelError(f"{what} must be one-dimensional; its shape is {found.shape}")
    bad = np.flatnonzero(~np.isfinite(found))
    if len(bad):
        raise ModelError(f"{what}: sample {bad[0]} is not a finite number ({found[bad[0]]})")
    return found


def _rescaled(values: Any, unit: str, what: str) -> Any:
    try:
        return values.rescale(unit).magnitude
    except ValueError:
        as_quantity(f"1 {values.dimensionality.string}", unit, what)
        raise


@dataclass(frozen=True, eq=False)
class Behaviour:
    """What a fit learns from, and what it is judged by.

    Attributes
    ----------
    train, test : tuple of Sweep
        All scores of a fit are those of `test`.
    name : str
        Of the cell.
    rheobase : float
        In pA; NaN if not known.
    seconds : float
        How long the cell took to simulate; 0 for recordings.
    """

    train: tuple[Sweep, ...]
    test: tuple[Sweep, ...]
    name: str = "cell"
    rheobase: float = float("nan")
    seconds: float = 0.0


def recordings(train: Iterable[Sweep], test: Iterable[Sweep], name: str = "recording") -> Behaviour:
    """Recordings of a cell, some to fit a surrogate to and others to judge it by.

    Raises
    ------
    ModelError
        There is too little: less than 2 s or 5 spikes to train on, or no noise to test on; or the
        sampling intervals differ.
    """
    found = Behaviour(tuple(train), tuple(test), name)
    length = sum(s.duration for s in found.train) * 1e-3
    spikes = sum(len(s.spikes) for s in found.train)
    if length < LEAST_S:
        raise ModelError(
            f"{name}: {length:.3g} s to train on are too little; {LEAST_S:g} s are needed"
        )
    if spikes < 5:
        raise ModelError(
            f"{name} fires {spikes} spikes in {length:.3g} s; at least 5 are needed. Inject more "
            "current"
        )
    if not any(s.kind == "noise" for s in found.test):
        raise ModelError(
            f"{name}: no sweep of the kind noise to test on; scores on the data of the fit would "
            "say nothing"
        )
    intervals = {round(s.dt, 9) for s in (*found.train, *found.test)}
    if len(intervals) > 1:
        raise ModelError(
            f"{name}: sweeps with different sampling intervals: "
            f"{', '.join(f'{d:g} ms' for d in sorted(intervals))}; resample them"
        )
    return found
