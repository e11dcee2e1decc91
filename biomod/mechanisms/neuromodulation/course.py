"""How neuromodulators change a circuit over time: the product that backends run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from biomod.errors import ModelError
from biomod.mechanisms.neuromodulation.kinetics import acting_on, activation, check_modulators
from biomod.mechanisms.neuromodulation.projections import applied_to_projections
from biomod.mechanisms.neuromodulation.resolution import Resolution, may_be_negative, resolve
from biomod.model.cell import Cell, SomaticSpike
from biomod.model.circuit import Circuit
from biomod.model.neuromodulation import Effect, Receptor
from biomod.units import Quantity, as_quantity

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Course:
    """Course of one parameter: ``X(t) = X0 * scale(t) + offset(t)`` in SI units.

    Attributes
    ----------
    scale : ndarray
        Product of the factors of all effects on it.
    offset : ndarray
        Sum of the shifts, in the SI unit of the parameter.
    """

    scale: Array
    offset: Array


@dataclass(frozen=True)
class Modulation:
    """What neuromodulation does to a circuit, independent of any simulator.

    Attributes
    ----------
    times : ndarray
        Times in s, the first 0; a single one where every concentration is constant.
    cells : dict of (population, path) to Course
        Every parameter that some enabled effect touches, whatever the concentrations.
    projections : dict of str to ndarray
        Factor on `release_gain` by the key of the projection.
    activations : dict of (population, receptor) to ndarray
        Activation times expression level, for every receptor that a population expresses.
    not_expressed : tuple of (str, Effect, str)
        Population (empty: none), effect, and why it is not expressed.
    notes : tuple of str
        What the reader should know, e.g. that a modulator acts on nothing here.
    """

    times: Array
    cells: Mapping[tuple[str, str], Course]
    projections: Mapping[str, Array]
    activations: Mapping[tuple[str, str], Array]
    not_expressed: tuple[tuple[str, Effect, str], ...]
    notes: tuple[str, ...] = ()


def modulation(circuit: Circuit, duration: Any, interval: Any = "1 ms") -> Modulation:
    """Compute what the modulators of a circuit do to its parameters.

    Activation ``a = level * activation(receptor)``. Scales of one target multiply, each
    ``1 + (value - 1) a``; shifts add, each ``value a``. With every concentration at zero all
    scales are exactly 1 and all offsets exactly 0.

    Parameters
    ----------
    circuit : Circuit
        Populations whose cells have an `expression`, and the modulators.
    duration : quantity
        Length of the run.
    interval : quantity
        Sampling interval of the courses.

    Raises
    ------
    ModelError
        A modulator names a receptor that is unknown or of another modulator, or effects together
        would make a parameter negative.
    """
    everywhere = [x.receptor for p in circuit.populations for x in p.cell.expression]
    check_modulators(circuit.modulators, everywhere)
    sampler = _Sampler(circuit, _times(circuit, duration, interval))
    by_cell: dict[Cell, Resolution] = {}
    resolutions = {}
    for p in circuit.populations:
        if p.cell not in by_cell:
            by_cell[p.cell] = resolve(p.cell)
        resolutions[p.name] = by_cell[p.cell]
    cells: dict[tuple[str, str], Course] = {}
    activations: dict[tuple[str, str], Array] = {}
    missing: list[tuple[str, Effect, str]] = []
    for p in circuit.populations:
        for path, course in sampler.courses(p.cell, resolutions[p.name]).items():
            cells[p.name, path] = course
        for x in p.cell.expression:
            if x.level > 0:
                activations[p.name, x.receptor.name] = x.level * sampler.activation(x.receptor)
        missing += [(p.name, effect, why) for effect, why in resolutions[p.name].not_expressed]
    presynaptic = applied_to_projections(circuit, resolutions)
    release: dict[str, Array] = {}
    for one in presynaptic.applied:
        a = one.level * sampler.activation(one.receptor, one.effect)
        factor = 1.0 + (one.value - 1.0) * a
        release[one.projection] = release.get(one.projection, 1.0) * factor
    return Modulation(
        times=sampler.times,
        cells=cells,
        projections=release,
        activations=activations,
        not_expressed=(*missing, *presynaptic.not_expressed),
        notes=_notes(circuit, everywhere),
    )


def _times(circuit: Circuit, duration: Any, interval: Any) -> Array:
    length = as_quantity(duration, "s", "duration").si
    step = as_quantity(interval, "ms", "interval").si
    if not (0 <= length < np.inf and 0 < step < np.inf):
        raise ModelError("duration must not be negative, interval must be positive")
    if all(m.is_constant for m in circuit.modulators):
        return np.zeros(1)
    samples = int(np.ceil(length / step - 1e-9)) + 1
    return np.arange(samples, dtype=np.float64) * step


def _notes(circuit: Circuit, receptors: list[Receptor]) -> tuple[str, ...]:
    return tuple(
        f"{m.name} acts on no receptor of this circuit"
        for m in circuit.modulators
        if not any(acting_on(r, (m,)) for r in receptors)
    )


class _Sampler:
    """Activations of the receptors of one circuit, each computed once."""

    def __init__(self, circuit: Circuit, times: Array) -> None:
        self.modulators = circuit.modulators
        self.times = times
        self._known: dict[tuple[Any, ...], Array] = {}

    def activation(self, receptor: Receptor, effect: Effect | None = None) -> Array:
        key: tuple[Any, ...] = (receptor,)
        if effect is not None:
            key += (effect.high_dose, effect.transient_onset, effect.transient_decay)
        else:
            key += (False, None, None)
        if key not in self._known:
            self._known[key] = activation(receptor, self.modulators, self.times, effect)
        return self._known[key]

    def courses(self, cell: Cell, resolution: Resolution) -> dict[str, Course]:
        """Course of every parameter of one cell that an effect touches."""
        receptors = {x.receptor.name: x.receptor for x in cell.expression}
        found: dict[str, Course] = {}
        for applied in resolution.applied:
            a = applied.level * self.activation(receptors[applied.receptor], applied.effect)
            for change in applied.changes:
                if change.path not in found:
                    shape = self.times.shape
                    found[change.path] = Course(np.ones(shape), np.zeros(shape))
                course = found[change.path]
                if change.operation == "scale":
                    course.scale[:] *= 1.0 + (change.value - 1.0) * a
                else:
                    course.offset[:] += change.value * a
        for path, course in found.items():
            _check(cell, path, course)
            course.scale.flags.writeable = course.offset.flags.writeable = False
        return found


def _check(cell: Cell, path: str, course: Course) -> None:
    """Raise ModelError where effects together leave the range of a parameter."""
    parameter = cell.get(path)
    si = parameter.si if isinstance(parameter, Quantity) else float(parameter)
    values = si * course.scale + course.offset
    if not may_be_negative(parameter) and np.any(values < 0):
        raise ModelError(f"the effects on {cell.name}.{path} together would make it negative")
    spike = cell.soma.spike
    is_threshold = path == f"{cell.soma.name}.spike.threshold"
    if is_threshold and isinstance(spike, SomaticSpike) and np.any(values <= spike.reset.si):
        raise ModelError(
            f"the effects on {cell.name}.{path} together would lower it to the reset "
            f"({spike.reset!r})"
        )
