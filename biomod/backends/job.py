"""What is to be simulated, as every backend is told."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from biomod.errors import ModelError
from biomod.mechanisms import neuromodulation as nm
from biomod.model import Circuit, Recording, Stimulus
from biomod.units import Quantity

# Interval at which modulated parameters follow a changing concentration. The fastest receptor
# (nAChR_a7) has a time constant of 2 ms.
MODULATION_INTERVAL = 1e-3
_SECOND = (0, 0, 1, 0, 0, 0, 0)


@dataclass(frozen=True)
class Job:
    """A circuit, what is done to it, and how; times in s.

    `tolerance` belongs to methods that choose their time step; `dt` is then the interval of traces.
    """

    circuit: Circuit
    duration: float
    dt: float
    stimuli: tuple[Stimulus, ...]
    recordings: tuple[Recording, ...]
    timed: bool
    method: str
    tolerance: float | None = None


def modulation_of(job: Job) -> nm.Modulation:
    """Courses of all modulated parameters for the modulators of the circuit."""
    if not job.circuit.modulators:
        return nm.Modulation(np.zeros(1), {}, {}, {}, ())
    duration = Quantity(job.duration, _SECOND)
    modulation = nm.modulation(job.circuit, duration, Quantity(MODULATION_INTERVAL, _SECOND))
    if len(modulation.times) > 1 and not job.timed:
        raise ModelError(
            "this program was compiled for constant concentrations; compile it with timed=True "
            "to run a time course"
        )
    return modulation
