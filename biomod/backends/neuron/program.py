"""A circuit on NEURON: compiled mechanisms, built anew and simulated in this process."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from typing import Any

import numpy as np

from biomod.backends import mpi
from biomod.backends.job import MODULATION_INTERVAL, Job, modulation_of
from biomod.backends.neuron import network, session
from biomod.backends.neuron.plan import Plan, make_plan, mechanisms
from biomod.backends.neuron.traces import array
from biomod.backends.results import Raw
from biomod.backends.targets import recorded_cells
from biomod.errors import ModelError
from biomod.model import Circuit, Recording
from biomod.progress import NoProgress, Progress

# What NEURON is asked to simulate at once, between two looks at the clock (s).
PIECE = 5e-3
LONGEST_DELAY = 10.0  # ms between exchanges of spikes, at most


class NeuronProgram:
    """A circuit whose mechanisms are compiled.

    Attributes
    ----------
    build_seconds : float
        Time spent drawing connections and compiling mechanisms.
    compiled : bool
        Whether a compiler ran; False if the cache had every mechanism.
    """

    def __init__(self, job: Job) -> None:
        started = time.perf_counter()
        if job.method == "cvode" and mpi.world().size > 1:
            raise ModelError(
                "cvode chooses time steps for the cells of each process, so results would depend "
                "on the number of processes; use crank_nicolson under mpiexec"
            )
        self.plan: Plan = make_plan(job)
        self.compiled = session.load(mechanisms(job.circuit))
        self.build_seconds = time.perf_counter() - started

    def run(
        self, circuit: Circuit, duration: float, threads: int = 1, progress: Progress | None = None
    ) -> Raw:
        """Simulate `duration` seconds of `circuit`."""
        progress = progress or NoProgress()
        plan = self.plan
        if circuit != plan.job.circuit:
            plan = make_plan(replace(plan.job, circuit=circuit))
            session.load(mechanisms(circuit))
        return simulate(plan, duration, progress)


def simulate(plan: Plan, duration: float, progress: Progress) -> Raw:
    """Build a plan in this process, which has its mechanisms, and simulate `duration` seconds."""
    modulation = modulation_of(plan.job)
    with session.simulator() as h:
        pc = h.ParallelContext()
        built = session.together(lambda: network.build(h, pc, plan, modulation))
        try:
            progress.start(duration)
            started = time.perf_counter()
            _run(built, duration, progress)
            seconds = time.perf_counter() - started
            return _collect(built, duration, seconds)
        finally:
            progress.close()
            built.clear()


def _run(built: network.Network, duration: float, progress: Progress) -> None:
    h, pc, job = built.h, built.pc, built.plan.job
    cvode = h.CVode()
    h.dt = job.dt * 1e3
    h.secondorder = 2
    cvode.active(built.variable_step)
    if built.variable_step:
        cvode.atol(job.tolerance)
        cvode.rtol(0)
        cvode.condition_order(2)
    pc.set_maxstep(LONGEST_DELAY)
    h.finitialize()
    for connection, at in built.events:
        connection.event(at)
    if built.plan.core:
        _run_core(built, duration)
        progress.update(duration)
        return
    pointers = [_pointers(h, moving) for moving in built.moving]
    # In every process pieces of the same length.
    interval = MODULATION_INTERVAL if job.timed else PIECE
    for k in range(max(1, int(np.ceil(duration / interval - 1e-9)))):
        for moving, pointer in zip(built.moving, pointers, strict=True):
            pointer.scatter(h.Vector(moving.values(k)))
        if job.timed and built.variable_step:
            cvode.re_init()
        end = min((k + 1) * interval, duration)
        if not built.variable_step:
            end = np.ceil(end / job.dt - 1e-6) * job.dt
        pc.psolve(end * 1e3)
        progress.update(end)


def _run_core(built: network.Network, duration: float) -> None:
    """All at once: CoreNEURON takes the whole model over and gives it back.

    It is told the end in six digits only, so it goes on to the next number that has no more.
    """
    from neuron import coreneuron

    unit = 10.0 ** max(0, math.floor(math.log10(duration * 1e3)) - 5)  # ms
    with coreneuron(enable=True, verbose=0):
        built.pc.psolve(math.ceil(duration * 1e3 / unit + 1e-6) * unit)


def _pointers(h: Any, moving: network.MovingParameters) -> Any:
    found = h.PtrVector(len(moving.pointers))
    for i, pointer in enumerate(moving.pointers):
        found.pset(i, pointer)
    return found


def _collect(built: network.Network, duration: float, seconds: float) -> Raw:
    plan, job = built.plan, built.plan.job
    times, gids = (array(v) for v in built.spikes)
    if not built.variable_step:
        # A spike is counted at the start of the step in which the voltage crosses.
        times = (np.round(times / (job.dt * 1e3)) - 1) * job.dt * 1e3
    mine = {(t.recording, t.column): t.values() for t in built.traces}
    parts = built.pc.py_allgather((times, gids, mine))
    times = np.concatenate([p[0] for p in parts]) * 1e-3
    gids = np.concatenate([p[1] for p in parts]).astype(int)
    columns: dict[tuple[int, int], np.ndarray] = {}
    for part in parts:
        columns |= part[2]
    inside = times < duration
    spikes = {plan.groups[0].name: (gids[inside], times[inside])}
    return Raw(spikes=spikes, traces=_traces(plan, columns, duration), run_seconds=seconds)


def _traces(
    plan: Plan, columns: dict[tuple[int, int], np.ndarray], duration: float
) -> list[tuple[Recording, np.ndarray, np.ndarray, np.ndarray]]:
    """Recordings in SI units, at the times at which the Brian2 backends record."""
    traces = []
    for number, recording in enumerate(plan.job.recordings):
        _, cells = recorded_cells(plan.job.circuit, recording)
        step = plan.job.dt if recording.interval is None else recording.interval.si
        length = int(np.ceil(duration / step - 1e-6))
        values = [columns[number, column][:length] for column in range(len(cells))]
        found = np.stack(values, axis=1) * _to_si(recording)
        traces.append((recording, np.arange(length) * step, found, cells))
    return traces


def _to_si(recording: Recording) -> float:
    if recording.variable == "v":
        return 1e-3
    return 1e-9 if recording.variable.endswith(".g") else 1.0
