"""Brian2's runtime targets (numpy and Cython): no compiler or a warm one, one process."""

from __future__ import annotations

import time

import numpy as np

from biomod.backends.brian import layout
from biomod.backends.job import Job, modulation_of
from biomod.backends.results import Raw
from biomod.model import Circuit
from biomod.progress import NoProgress, Progress


class RuntimeProgram:
    """A circuit built anew for each run on Brian2's runtime device."""

    compiled = False

    def __init__(self, job: Job, target: str) -> None:
        started = time.perf_counter()
        self.target = target
        self.plan: layout.Plan = layout.make_plan(job)
        self.build_seconds = time.perf_counter() - started

    def run(
        self, circuit: Circuit, duration: float, threads: int = 1, progress: Progress | None = None
    ) -> Raw:
        """Simulate `duration` seconds of `circuit`, which has the structure compiled for."""
        import brian2 as b2

        progress = progress or NoProgress()
        plan = layout.with_circuit(self.plan, circuit)
        modulation = modulation_of(plan.job)
        before = b2.prefs.codegen.target, float(b2.defaultclock.dt)
        b2.prefs.codegen.target = self.target
        b2.defaultclock.dt = self.plan.job.dt * b2.second
        try:
            network = layout.build_objects(plan, layout.timed_tables(plan, modulation))
            named = {o.name: o for o in network.objects}
            for (owner, variable), array in layout.all_values(plan, modulation).items():
                named[owner].variables[variable].set_value(array)
            b2.seed(plan.seed)
            net = b2.Network(network.objects)
            progress.start(duration)
            started = time.perf_counter()

            def report(elapsed: object, completed: float, start: object, total: object) -> None:
                progress.update(completed * duration)

            net.run(duration * b2.second, report=report, report_period=0.2 * b2.second)
            seconds = time.perf_counter() - started
            # Copies: from 2.10 on, Brian2's monitors hand out views of memory that they own, which
            # ends with the network.
            spikes = {
                name: (np.array(m.i[:]), np.array(m.t_[:]))
                for name, m in network.spike_monitors.items()
            }
            traces = [
                (recording, np.array(m.t_[:]), np.array(getattr(m, f"{variable}_")).T, cells)
                for recording, variable, m, cells in network.state_monitors
            ]
        finally:
            progress.close()
            b2.prefs.codegen.target = before[0]
            b2.defaultclock.dt = before[1] * b2.second
        return Raw(spikes=spikes, traces=traces, run_seconds=seconds)
