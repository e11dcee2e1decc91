"""Run a cell or a circuit: :func:`simulate`, or :func:`compile` once and run often."""

from __future__ import annotations

import logging
import platform
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from biomod import backends
from biomod.backends.checkpoints import Checkpoints, checkpoints, discard
from biomod.errors import ModelError, unknown_name
from biomod.model import Cell, Circuit, Modulator, Recording, Stimulus, record, to_dict
from biomod.units import Quantity, as_quantity

if TYPE_CHECKING:
    from biomod.progress import Progress
    from biomod.results import Result

_log = logging.getLogger("biomod")
# Exponential Euler is exact for a membrane whose conductances stand still during a step, and stable
# however large they are. Forward Euler is what Dendrify uses. Crank-Nicolson with gates half a step
# ahead (Hines 1984) is of second order where there are no discontinuities, so in hh cells. cvode is
# NEURON's variable time step (Cohen & Hindmarsh 1996, 10.1063/1.4822377).
METHODS = tuple(dict.fromkeys(m for methods in backends.METHODS.values() for m in methods))
# Methods that no time step makes blow up.
UNCONDITIONALLY_STABLE = ("crank_nicolson", "cvode")
# Method and time step that are used if none is given, by the fidelity of the cells.
DEFAULTS = {"dspike": ("exponential_euler", "0.1 ms"), "hh": ("crank_nicolson", "0.025 ms")}


@dataclass(frozen=True)
class Program:
    """A model compiled for one backend; :meth:`run` can be called any number of times."""

    circuit: Circuit
    duration: Quantity
    dt: Quantity
    method: str
    backend: str
    compiled: backends.Program

    def run(
        self,
        modulators: Iterable[Modulator] | None = None,
        *,
        circuit: Circuit | None = None,
        duration: Any = None,
        threads: int = 1,
        progress: Progress | None = None,
        checkpoints: Checkpoints | None = None,
    ) -> Result:
        """Simulate under these neuromodulators (default: those of the circuit).

        Parameters
        ----------
        modulators : iterable of Modulator, optional
            Replace all modulators of the circuit; an empty one removes them.
        circuit : Circuit, optional
            The same circuit with other parameter values (``circuit.with_(...)``); its structure,
            sizes and wiring must be those that the program was compiled for.
        duration : quantity, optional
            At most the duration that the program was compiled for.
        threads : int
            Number of threads, for backends that use more than one.
        progress : Progress, optional
            Is told how far the simulation is.
        checkpoints : Checkpoints, optional
            Where to keep the state of the run, so that it can be resumed (backend cpp); the folder
            stays until :func:`biomod.backends.checkpoints.discard` removes it.

        Returns
        -------
        Result
        """
        from biomod.backends.results import spikes_by_population, traces_by_label
        from biomod.results import Result

        circuit = self.circuit if circuit is None else circuit
        if modulators is not None:
            circuit = replace(circuit, modulators=tuple(modulators))
        length = self._duration(duration)
        if checkpoints is None:
            raw = self.compiled.run(circuit, length.si, threads, progress)
        else:
            program = backends.resumable(self.compiled, self.backend)
            raw = program.run(circuit, length.si, threads, progress, checkpoints)
        plan = self.compiled.plan
        provenance = self._provenance(circuit, length, raw.run_seconds)
        if raw.resumed_at is not None:
            provenance["resumed_at_ms"] = raw.resumed_at * 1e3
        return Result(
            spikes=spikes_by_population(plan, raw, length.si),
            traces=traces_by_label(raw),
            provenance=provenance,
        )

    def _duration(self, duration: Any) -> Quantity:
        if duration is None:
            return self.duration
        length = as_quantity(duration, "ms", "duration")
        if not 0 < length.si <= self.duration.si:
            raise ModelError(
                f"duration must be positive and at most {self.duration!r}, for which the program "
                f"was compiled; {length!r} was given"
            )
        return length

    def _provenance(
        self, circuit: Circuit, duration: Quantity, run_seconds: float
    ) -> dict[str, Any]:
        from biomod.mechanisms.neuromodulation import resolve

        missing = {}
        for population in circuit.populations:
            unexpressed = resolve(population.cell).not_expressed
            missing[population.name] = [f"{e.name} {e.target}: {why}" for e, why in unexpressed]
        return {
            "model": circuit.name,
            "model_hash": circuit.content_hash(),
            "seed": circuit.seed,
            "backend": self.backend,
            "duration_ms": duration.to("ms"),
            "dt_ms": self.dt.to("ms"),
            "method": self.method,
            "tolerance": self.compiled.plan.job.tolerance,
            "cells": circuit.cells,
            "synapses": self.compiled.plan.synapse_count,
            "modulators": [to_dict(m) for m in circuit.modulators],
            "effects_not_expressed": missing,
            "timings": {"build_s": self.compiled.build_seconds, "run_s": run_seconds},
            "compiler_ran": self.compiled.compiled,
            "versions": _versions(),
            "parameters": {k: str(v) for k, v in circuit.parameters().items()},
        }


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in ("biomod", "brian2", "dendrify", "numpy", "brian2cuda", "neuron"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def compile(
    model: Circuit | Cell,
    duration: Any,
    *,
    stimulus: Stimulus | Sequence[Stimulus] = (),
    record: Sequence[str | Recording] = (),
    modulators: Iterable[Modulator] = (),
    dt: Any = None,
    method: str | None = None,
    tolerance: float | None = None,
    backend: str | None = None,
    seed: int | None = None,
    timed: bool | None = None,
) -> Program:
    """Compile a cell or circuit for a backend.

    Parameters
    ----------
    model : Circuit or Cell
        A cell is simulated alone.
    duration : quantity
        Longest time that one run will simulate.
    stimulus : Stimulus or sequence of Stimulus
        Injected currents and synaptic events.
    record : sequence of str or Recording
        Variables to keep, e.g. ``"L23_PC[0:5].tuft.v"``.
    modulators : iterable of Modulator
        Added to those of the circuit.
    dt : quantity, optional
        Time step; 0.1 ms by default, 0.025 ms if a cell has the fidelity hh.
    method : str, optional
        ``"exponential_euler"`` (default), ``"euler"`` (forward Euler, as in Dendrify),
        ``"crank_nicolson"`` (staggered, of second order; default if a cell is hh) or ``"cvode"``
        (variable time step; NEURON only, which has no other than the last two).
    tolerance : float, optional
        For cvode, the largest error of a step: of voltages in mV, of gates, of synaptic
        conductances in nS, and of calcium in 0.1 uM; 1e-5 by default.
    backend : str, optional
        numpy, cython, cpp, cuda, or for hh cells neuron or coreneuron; the best one found here if
        not given.
    seed : int, optional
        Replaces the seed of the circuit.
    timed : bool, optional
        Whether concentrations may change during a run; by default only if one does.

    Raises
    ------
    ModelError, UnitError
        Bad input: what was given and what is allowed.
    BackendError
        The backend is missing or failed.
    """
    circuit = Circuit.of(model) if isinstance(model, Cell) else model
    if not isinstance(circuit, Circuit):
        raise ModelError(f"model must be a Circuit or a Cell, not {model!r}")
    if seed is not None:
        circuit = circuit.with_(seed=seed)
    circuit = circuit.modulated(*modulators)
    usual_method, usual_dt = defaults(circuit)
    length, step = _times(duration, usual_dt if dt is None else dt)
    name, note = backends.choose(backend, only_compile=True)
    if note:
        _log.warning(note)
    if method is not None:
        _check_method(method, name)
    method = usual_method if method is None else method
    if method not in UNCONDITIONALLY_STABLE:
        _check_step(circuit, step)
    from biomod.backends.job import Job

    stimuli = (stimulus,) if isinstance(stimulus, Stimulus) else tuple(stimulus)
    job = Job(
        circuit=circuit,
        duration=length.si,
        dt=step.si,
        stimuli=stimuli,
        recordings=tuple(_recording(r, circuit) for r in record),
        timed=any(not m.is_constant for m in circuit.modulators) if timed is None else timed,
        method=method,
        tolerance=_tolerance(tolerance, method),
    )
    return Program(circuit, length, step, method, name, backends.compile_job(job, name))


_record = record


def _recording(specification: str | Recording, circuit: Circuit) -> Recording:
    """Read a recording; ``"soma.M.p"`` has no population although it has three parts."""
    found = _record(specification)
    if found.population and found.cells is None and found.population not in circuit.cells:
        shifted = f"{found.compartment}.{found.variable}"
        only = circuit.populations[0].cell
        parts = [c.name for c in only.compartments]
        if len(circuit.populations) == 1 and found.population in parts:
            return replace(found, population="", compartment=found.population, variable=shifted)
    return found


def simulate(
    model: Circuit | Cell,
    duration: Any,
    *,
    stimulus: Stimulus | Sequence[Stimulus] = (),
    record: Sequence[str | Recording] = (),
    modulators: Iterable[Modulator] = (),
    dt: Any = None,
    method: str | None = None,
    tolerance: float | None = None,
    backend: str | None = None,
    seed: int | None = None,
    threads: int = 1,
    progress: Progress | None = None,
    checkpoint_every: Any = None,
    checkpoint_dir: str | Path | None = None,
    resume: bool = False,
    keep_checkpoints: bool = False,
) -> Result:
    """Compile and run in one call; see :func:`compile` for the parameters that are not here.

    Parameters
    ----------
    threads : int
        Number of threads, for backends that use more than one.
    progress : Progress, optional
        Is told how far the simulation is.
    checkpoint_every : quantity, optional
        Simulated time between two checkpoints (backend cpp).
    checkpoint_dir : str or Path, optional
        Folder for the checkpoints and for what has been recorded, of this run alone. It is removed
        when the run has ended.
    resume : bool
        Take up the run from the newest whole checkpoint in `checkpoint_dir`, as if it had never
        been interrupted; from the beginning if there is none.
    keep_checkpoints : bool
        Leave `checkpoint_dir` at the end as it is.

    Raises
    ------
    ModelError, UnitError
        Bad input: what was given and what is allowed.
    BackendError
        The backend is missing or failed, or the checkpoint is of another run.

    Examples
    --------
    >>> import biomod as bm, cell_types
    >>> from biomod.units import ms, pA
    >>> cell = cell_types.get("L23_PC")
    >>> pulse = bm.step(200 * pA, start=50 * ms, stop=250 * ms)
    >>> result = bm.simulate(cell, 300 * ms, stimulus=pulse, record=["soma.v"])
    """
    kept = checkpoints(checkpoint_every, checkpoint_dir, resume)
    chosen = backends.choose(backend)[0]
    if kept is not None:
        backends.check_checkpoints(chosen)
    program = compile(
        model, duration, stimulus=stimulus, record=record, modulators=modulators, dt=dt,
        method=method, tolerance=tolerance, backend=backend, seed=seed,
    )  # fmt: skip
    result = program.run(threads=threads, progress=progress, checkpoints=kept)
    if kept is not None and not keep_checkpoints:
        discard(kept.folder)
    return result


def _times(duration: Any, dt: Any) -> tuple[Quantity, Quantity]:
    length = as_quantity(duration, "ms", "duration")
    step = as_quantity(dt, "ms", "dt")
    for what, q in (("duration", length), ("dt", step)):
        if not 0 < q.si < float("inf"):
            raise ModelError(f"{what} must be positive and finite; {q!r} was given")
    if step.si > length.si:
        raise ModelError(f"dt ({step!r}) must not be longer than the duration ({length!r})")
    return length, step


def _check_method(method: str, backend: str) -> None:
    if method not in METHODS:
        raise unknown_name("method", method, METHODS)
    if method not in backends.METHODS[backend]:
        others = ", ".join(backends.METHODS[backend])
        raise ModelError(f"the {backend} backend has no method {method}; it has {others}")


def _tolerance(tolerance: float | None, method: str) -> float | None:
    if tolerance is None:
        return backends.CVODE_TOLERANCE if method == "cvode" else None
    if method != "cvode":
        raise ModelError(f"a tolerance is for the method cvode; {method} has a time step")
    if not 0 < float(tolerance) < 1:
        raise ModelError(f"tolerance must be above 0 and below 1; {tolerance!r} was given")
    return float(tolerance)


def defaults(circuit: Circuit) -> tuple[str, str]:
    """Method and time step that a circuit is simulated with if none is given."""
    fidelity = "hh" if any(p.cell.fidelity == "hh" for p in circuit.populations) else "dspike"
    return DEFAULTS[fidelity]


def fastest_population(circuit: Circuit) -> tuple[str, float]:
    """Name and passive time constant (s) of the population that needs the shortest time step."""
    from biomod.mechanisms.passive import fastest_time_constant

    constants = {p.name: fastest_time_constant(p.cell) for p in circuit.populations}
    name = min(constants, key=lambda n: constants[n])
    return name, constants[name]


def _check_step(circuit: Circuit, dt: Quantity) -> None:
    """Refuse a time step that does not resolve the fastest membrane at rest."""
    name, fastest = fastest_population(circuit)
    if dt.si > fastest:
        raise ModelError(
            f"dt ({dt!r}) is longer than the fastest passive time constant of "
            f"{name} ({fastest * 1e3:.3g} ms); use a shorter dt"
        )
