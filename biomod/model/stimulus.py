"""What an experimenter does to the cells: injected currents and timed synaptic events."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from biomod.errors import ModelError
from biomod.model._base import Description, number, parts, quantity, text
from biomod.units import Quantity, as_quantity


@dataclass(frozen=True)
class Stimulus(Description):
    """Base of all stimuli; says which cells and which compartment they reach.

    Parameters
    ----------
    population : str, optional
        Population of the circuit; empty for the only one, ``"*"`` for all.
    compartment : str
        Where it is applied.
    cells : tuple of int, optional
        Indices within the population; all cells if empty.
    """

    population: str = text("population; empty for the only one", default="")
    compartment: str = text("compartment", default="soma")
    cells: tuple[int, ...] = parts("cells; all if empty", default=())

    def _check(self) -> None:
        object.__setattr__(self, "cells", tuple(int(c) for c in self.cells))


@dataclass(frozen=True)
class CurrentClamp(Stimulus):
    """An injected current: ``I(t) = amplitude + slope * (t - start)`` from `start` to `stop`.

    See :func:`step` and :func:`ramp` for the usual ways to write it.
    """

    amplitude: Quantity = quantity("pA", "current at the start", default="0 pA")
    slope: Quantity = quantity("pA/ms", "rate of change", default="0 pA/ms")
    start: Quantity = quantity("ms", "onset", default="0 ms", nonnegative=True)
    stop: Quantity = quantity("ms", "end", default="1e9 ms", nonnegative=True)

    def _check(self) -> None:
        super()._check()
        if not self.start < self.stop:
            raise ModelError(
                f"current clamp: stop ({self.stop!r}) must be after start ({self.start!r})"
            )

    def current(self, times: np.ndarray) -> np.ndarray:
        """Current in A at `times` in s."""
        on = (times >= self.start.si - 1e-12) & (times < self.stop.si - 1e-12)
        return np.where(on, self.amplitude.si + self.slope.si * (times - self.start.si), 0.0)


@dataclass(frozen=True)
class CurrentWaveform(Stimulus):
    """An arbitrary injected current, sampled every `interval` from time 0.

    `samples` are in pA (plain numbers); the current is held between samples and 0 afterwards.
    """

    samples: tuple[float, ...] = parts("current in pA", default=())
    interval: Quantity = quantity("ms", "sampling interval", default="0.1 ms", positive=True)

    def _check(self) -> None:
        super()._check()
        samples = tuple(float(x) for x in self.samples)
        if not samples or not all(math.isfinite(x) for x in samples):
            raise ModelError("current waveform: samples must be finite numbers in pA, at least one")
        object.__setattr__(self, "samples", samples)

    def current(self, times: np.ndarray) -> np.ndarray:
        """Current in A at `times` in s."""
        index = np.floor(times / self.interval.si + 1e-9).astype(int)
        padded = np.append(np.asarray(self.samples) * 1e-12, 0.0)
        result: np.ndarray = padded[np.minimum(index, len(padded) - 1)]
        return result


@dataclass(frozen=True)
class SynapticEvents(Stimulus):
    """Spikes that arrive at one receptor of a compartment at given times.

    `number` synapses of peak conductance `weight` each are activated together at every time.
    """

    receptor: str = text("receptor of the compartment", default="AMPA")
    times: tuple[Any, ...] = parts("arrival times", default=())
    weight: Quantity = quantity(
        "nS", "peak conductance of one synapse", default="1 nS", nonnegative=True
    )
    number: float = number("how many synapses at once", default=1.0, nonnegative=True)

    def _check(self) -> None:
        super()._check()
        times = tuple(as_quantity(t, "ms", "time of a synaptic event") for t in self.times)
        if any(t.si < 0 or not math.isfinite(t.si) for t in times):
            raise ModelError("synaptic events: times must be finite and not negative")
        object.__setattr__(self, "times", times)


def step(
    amplitude: Any, start: Any, stop: Any, compartment: str = "soma", **where: Any
) -> CurrentClamp:
    """A current step of `amplitude` from `start` to `stop`."""
    return CurrentClamp(
        amplitude=amplitude, start=start, stop=stop, compartment=compartment, **where
    )


def ramp(
    slope: Any, start: Any, stop: Any, compartment: str = "soma", **where: Any
) -> CurrentClamp:
    """A current that grows with `slope` from 0 at `start` until `stop`."""
    return CurrentClamp(slope=slope, start=start, stop=stop, compartment=compartment, **where)
