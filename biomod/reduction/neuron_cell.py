"""Any NEURON cell as the function that :func:`~biomod.reduction.reduce` drives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from biomod.errors import ModelError
from biomod.reduction.recordings import crossings
from biomod.reduction.reference import Respond
from biomod.units import as_quantity

Array = npt.NDArray[np.float64]


def neuron_cell(
    build: Callable[[], Any],
    *,
    soma: str = "soma",
    celsius: float = 34.0,
    v_init: Any = "-70 mV",
    settle: Any = "300 ms",
    dt: Any = "0.025 ms",
    detection: Any = "-20 mV",
) -> Respond:
    """A NEURON cell, given by the function that builds it, to be reduced.

    Parameters
    ----------
    build : callable
        Makes the cell, without arguments, and returns a section, or an object (or template) whose
        attribute `soma` is one, or a list of which the first is it. Current and voltage are those
        of its middle. Mechanisms must have been loaded.
    soma : str
        Name of that attribute.
    celsius : float
        Temperature of the simulation.
    v_init, settle : quantity
        Voltage from which all begins, and how long before a current.
    dt : quantity
        Time step of NEURON.
    detection : quantity
        Voltage whose upward crossing is a spike.

    Returns
    -------
    callable
        ``respond(currents, dt)``, for :func:`~biomod.reduction.reduce`.

    Raises
    ------
    ModelError
        What is built has no such section (when the cell is driven).
    BackendError
        NEURON is not installed (when the cell is driven).

    Examples
    --------
    >>> def build():
    ...     section = h.Section(name="soma")
    ...     section.L = section.diam = 20
    ...     section.insert("hh")
    ...     return section
    >>> found = bm.reduce(neuron_cell(build, celsius=6.3, v_init="-65 mV"), "glif3")
    """
    if not callable(build):
        raise ModelError(f"neuron_cell takes a function that builds the cell, not {build!r}")
    start, before = as_quantity(v_init, "mV", "v_init").to("mV"), as_quantity(settle, "ms").to("ms")
    step, level = as_quantity(dt, "ms", "dt").to("ms"), as_quantity(detection, "mV").to("mV")

    def respond(currents: list[Array], interval: float) -> list[tuple[Array, Array]]:
        from biomod.backends.neuron.session import simulator

        if step > interval:
            raise ModelError(f"dt is {step:g} ms, longer than the {interval:g} ms of the currents")
        with simulator() as h:
            h.load_file("stdrun.hoc")
            built = build()  # alive until the end: NEURON forgets what nobody holds
            middle = _section(built, soma)(0.5)
            earlier = h.celsius
            h.celsius, h.steps_per_ms, h.dt = celsius, 1 / step, step
            try:
                return [_one(h, middle, c, interval, start, before, level) for c in currents]
            finally:
                h.celsius = earlier

    respond.__name__ = getattr(build, "__name__", "cell")
    return respond


def _section(built: Any, name: str) -> Any:
    found = getattr(built, name, built)
    if not hasattr(found, "psection"):
        try:
            found = found[0]
        except (TypeError, IndexError, KeyError):
            found = None
    if not hasattr(found, "psection"):
        raise ModelError(
            f"the function must return a NEURON section, or an object whose {name} is one; it "
            f"returned {built!r}"
        )
    return found


def _one(
    h: Any, middle: Any, current: Array, interval: float, start: float, before: float, level: float
) -> tuple[Array, Array]:
    """Voltage at the beginning of every sample and spike times, after the cell has settled."""
    clamp = h.IClamp(middle)
    clamp.delay, clamp.dur = 0.0, 1e9
    # The first entry holds until the cell has settled; each value until the next.
    amplitude = h.Vector(np.concatenate([[0.0], current * 1e-3, [0.0]]))
    at = h.Vector(np.concatenate([[0.0], before + interval * np.arange(len(current) + 1)]))
    amplitude.play(clamp._ref_amp, at, 0)
    voltage = h.Vector().record(middle._ref_v, interval)
    h.finitialize(start)
    h.continuerun(before + interval * len(current))
    first = round(before / interval)
    v = np.array(voltage)[first : first + len(current)]
    if not np.isfinite(v).all():
        raise ModelError("the NEURON cell has no finite voltage; use a shorter dt")
    return v, crossings(v, interval, level)
