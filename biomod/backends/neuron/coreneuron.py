"""The same circuits on CoreNEURON, in a process of their own.

CoreNEURON takes all mechanisms from one library, and a process cannot exchange it. So each run
is a process that reads its job from standard input and writes what it finds to a file.
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from biomod.backends import mpi
from biomod.backends.job import Job
from biomod.backends.neuron import library
from biomod.backends.neuron.plan import Plan, make_plan, mechanisms
from biomod.backends.results import Raw
from biomod.errors import BackendError, BiomodError, ModelError
from biomod.model import Circuit
from biomod.progress import NoProgress, Progress


class CoreNeuronProgram:
    """A circuit whose mechanisms are compiled for CoreNEURON.

    Attributes
    ----------
    build_seconds : float
        Time spent drawing connections and compiling mechanisms.
    compiled : bool
        Whether a compiler ran; False if the cache had every mechanism.
    """

    def __init__(self, job: Job) -> None:
        started = time.perf_counter()
        if mpi.world().size > 1:
            raise ModelError("the coreneuron backend runs in one process; use backend='neuron'")
        if job.timed:
            raise ModelError(
                "the coreneuron backend has no modulators whose concentration changes during a "
                "run; use backend='neuron'"
            )
        self.plan: Plan = make_plan(job, core=True)
        self.compiled = _compile(job.circuit)[1]
        self.build_seconds = time.perf_counter() - started

    def run(
        self, circuit: Circuit, duration: float, threads: int = 1, progress: Progress | None = None
    ) -> Raw:
        """Simulate `duration` seconds of `circuit`."""
        progress = progress or NoProgress()
        job = replace(self.plan.job, circuit=circuit)
        path, _ = _compile(circuit)
        progress.start(duration)
        try:
            with tempfile.TemporaryDirectory(prefix="biomod-core-") as folder:
                result = _in_a_process(pickle.dumps((job, duration)), path, Path(folder))
            progress.update(duration)
        finally:
            progress.close()
        return result


def _compile(circuit: Circuit) -> tuple[Path, bool]:
    needed = tuple(mechanisms(circuit))
    _, first = library.libraries(needed)
    path, second = library.core_library(needed)
    return path, first or second


def _in_a_process(task: bytes, path: Path, folder: Path) -> Raw:
    environment = os.environ | {
        "CORENEURONLIB": str(path),
        "PYTHONPATH": os.pathsep.join(os.path.abspath(p) for p in sys.path),
    }
    out = folder / "result"
    # A session of its own, so that Ctrl-C reaches this process only, which then ends the run.
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", __name__, str(out)], cwd=folder, env=environment,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        start_new_session=True,
    )  # fmt: skip
    try:
        said, _ = process.communicate(task)
    except BaseException:
        process.kill()
        process.wait()
        raise
    if process.returncode or not out.exists():
        status = process.returncode
        reason = signal.Signals(-status).name if status < 0 else f"exit status {status}"
        message = said.decode(errors="replace").strip()[-2000:]
        raise BackendError(f"CoreNEURON failed ({reason}): {message or 'no message'}")
    result = pickle.loads(out.read_bytes())
    if isinstance(result, BaseException):
        raise result
    assert isinstance(result, Raw)
    return result


def _child(out: Path) -> None:
    """Run the job on standard input; what it finds, or the error that it raises, goes to a file."""
    from biomod.backends.neuron import session
    from biomod.backends.neuron.program import simulate

    job, duration = pickle.load(sys.stdin.buffer)
    result: Raw | BiomodError
    try:
        session.load(mechanisms(job.circuit))
        result = simulate(make_plan(job, core=True), duration, NoProgress())
    except BiomodError as error:
        result = error
    out.write_bytes(pickle.dumps(result))


if __name__ == "__main__":
    _child(Path(sys.argv[1]))
