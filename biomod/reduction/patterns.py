"""The 20 firing patterns of the Izhikevich neuron, with their published parameters.

Parameters, currents, initial states and steps are those of the program published with Izhikevich
2004, IEEE Trans Neural Netw 15:1063, 10.1109/TNN.2004.832719 (figure 1).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from biomod.errors import unknown_name
from biomod.reduction.kernel import prepare
from biomod.reduction.models import IZHIKEVICH_2003, PointModel

Array = npt.NDArray[np.float64]
_V = "0.04 * v**2 + 4.1 * v + 108 - u + scale * I"
# Three patterns use another parabola or another recovery.
_CLASS_1 = replace(IZHIKEVICH_2003, equations={**IZHIKEVICH_2003.equations, "v": _V})
_ACCOMMODATING = replace(
    IZHIKEVICH_2003, equations={**IZHIKEVICH_2003.equations, "u": "a * b * (v + 65)"}
)


@dataclass(frozen=True)
class Pattern:
    """A neuron and its current.

    Attributes
    ----------
    a, b, c, d : float
        Parameters, dimensionless and mV.
    current : tuple of (float, float, float)
        Rectangles: from and to (exclusive, ms), and what is added there.
    ramps : tuple of (float, float, float)
        From and to (ms), and the slope per ms.
    duration, dt, v : float
        In ms and mV; `v` is the initial voltage.
    u : float, optional
        Initial recovery, ``b v`` if none is given.
    """

    a: float
    b: float
    c: float
    d: float
    current: tuple[tuple[float, float, float], ...]
    duration: float
    dt: float
    v: float
    u: float | None = None
    ramps: tuple[tuple[float, float, float], ...] = ()
    baseline: float = 0.0
    model: PointModel = IZHIKEVICH_2003

    @property
    def parameters(self) -> dict[str, float]:
        """Parameters of the model; the input is as it is published."""
        return {"a": self.a, "b": self.b, "c": self.c, "d": self.d, "scale": 1.0}

    @property
    def start(self) -> dict[str, float]:
        """Initial state."""
        return {"v": self.v, "u": self.b * self.v if self.u is None else self.u}

    def drive(self) -> Array:
        """The input of every step."""
        t = np.arange(round(self.duration / self.dt)) * self.dt
        found = np.full(len(t), float(self.baseline))
        for first, last, size in self.current:
            found += np.where((t > first) & (t < last), size, 0.0)
        for first, last, slope in self.ramps:
            found += np.where((t >= first) & (t < last), slope * (t - first), 0.0)
        return found

    def respond(self) -> tuple[Array, Array]:
        """Spike times (ms) and voltage (mV, at the end of every step)."""
        neuron = prepare(self.model, self.parameters, self.dt, self.start)
        found = neuron.run(self.drive(), voltage=True)
        assert found.voltage is not None
        return found.spikes[0], found.voltage[0]


_END = 1e9
_EDGE = 100 / 11  # first pulse of the integrator
PATTERNS: Mapping[str, Pattern] = {
    "tonic spiking": Pattern(0.02, 0.2, -65, 6, ((10, _END, 14),), 100, 0.25, -70),
    "phasic spiking": Pattern(0.02, 0.25, -65, 6, ((20, _END, 0.5),), 200, 0.25, -64),
    "tonic bursting": Pattern(0.02, 0.2, -50, 2, ((22, _END, 15),), 220, 0.25, -70),
    "phasic bursting": Pattern(0.02, 0.25, -55, 0.05, ((20, _END, 0.6),), 200, 0.2, -64),
    "mixed mode": Pattern(0.02, 0.2, -55, 4, ((16, _END, 10),), 160, 0.25, -70),
    "spike frequency adaptation": Pattern(0.01, 0.2, -65, 8, ((8.5, _END, 30),), 85, 0.25, -70),
    "class 1 excitability": Pattern(
        0.02, -0.1, -55, 6, (), 300, 0.25, -60, ramps=((30, _END, 0.075),), model=_CLASS_1
    ),
    "class 2 excitability": Pattern(
        0.2, 0.26, -65, 0, (), 300, 0.25, -64, ramps=((30, _END, 0.015),), baseline=-0.5
    ),
    "spike latency": Pattern(0.02, 0.2, -65, 6, ((10, 13, 7.04),), 100, 0.2, -70),
    "subthreshold oscillations": Pattern(0.05, 0.26, -60, 0, ((20, 25, 2),), 200, 0.25, -62),
    "resonator": Pattern(
        0.1, 0.26, -60, -1, tuple((t, t + 4, 0.65) for t in (40, 60, 280, 320)), 400, 0.25, -62
    ),
    "integrator": Pattern(
        0.02, -0.1, -55, 6, tuple((t, t + 2, 9) for t in (_EDGE, _EDGE + 5, 70, 80)), 100, 0.25,
        -60, model=_CLASS_1,
    ),
    "rebound spike": Pattern(0.03, 0.25, -60, 4, ((20, 25, -15),), 200, 0.2, -64),
    "rebound burst": Pattern(0.03, 0.25, -52, 0, ((20, 25, -15),), 200, 0.2, -64),
    "threshold variability": Pattern(
        0.03, 0.25, -60, 4, ((10, 15, 1), (70, 75, -6), (80, 85, 1)), 100, 0.25, -64
    ),
    "bistability": Pattern(
        0.1, 0.26, -60, 0, ((37.5, 42.5, 1), (216, 221, 1)), 300, 0.25, -61, baseline=0.24
    ),
    "depolarising after-potential": Pattern(1, 0.2, -60, -21, ((9, 11, 20),), 50, 0.1, -70),
    "accommodation": Pattern(
        0.02, 1, -55, 4, (), 400, 0.5, -65, u=-16, ramps=((0, 200, 1 / 25), (300, 312.5, 4 / 12.5)),
        model=_ACCOMMODATING,
    ),
    "inhibition-induced spiking": Pattern(
        -0.02, -1, -60, 8, ((49.9, 250.1, -5),), 350, 0.5, -63.8, baseline=80
    ),
    "inhibition-induced bursting": Pattern(
        -0.026, -1, -45, -2, ((49.9, 250.1, -5),), 350, 0.5, -63.8, baseline=80
    ),
}  # fmt: skip


def pattern(name: str) -> Pattern:
    """The pattern of that name; an error names the nearest."""
    if name not in PATTERNS:
        raise unknown_name("firing pattern", name, PATTERNS)
    return PATTERNS[name]
