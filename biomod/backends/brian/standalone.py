"""C++ standalone: generate once, compile once per structure, run as often as wanted.

Everything that a user may change between runs (parameters, weights, concentrations, duration,
seed) reaches the program as data when it starts. A compiled program is kept in the cache under the
hash of its generated source, so the same structure is never compiled twice.
"""

from __future__ import annotations

import gc
import logging
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
import weakref
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from biomod.backends.brian import layout
from biomod.backends.checkpoints import Checkpoints
from biomod.backends.job import Job, modulation_of
from biomod.backends.results import Raw
from biomod.errors import BackendError
from biomod.model import Circuit
from biomod.programs import CompileError, compile_program
from biomod.progress import NoProgress, Progress

_log = logging.getLogger("biomod")
_RESUMED = re.compile(r"^resumed at t = (\S+) s from ")
# Of what Brian2's programs go on after.
_FAILED = re.compile("Error reading|Could not read|Error opening|Error writing|ERROR while")
_REPORT = """
std::cerr << "@progress " << completed << std::endl;
"""


@dataclass(frozen=True)
class _Array:
    """Where the program writes an array, and its type."""

    file: str
    dtype: np.dtype[Any]


class StandaloneProgram:
    """A compiled circuit. Each run is a process of its own in a directory of its own.

    Attributes
    ----------
    build_seconds : float
        Time spent generating and compiling.
    compiled : bool
        Whether a compiler ran; False if the cache had the program.
    """

    def __init__(self, job: Job) -> None:
        started = time.perf_counter()
        self.plan: layout.Plan = layout.make_plan(job)
        self._directory = Path(tempfile.mkdtemp(prefix="biomod-"))
        self._cleanup = weakref.finalize(self, shutil.rmtree, self._directory, True)
        self._generate()
        self.binary, self.compiled = self._compile()
        self.build_seconds = time.perf_counter() - started

    device = "biomod_cpp"

    def _compile(self) -> tuple[Path, bool]:
        try:
            return compile_program(self._directory)
        except CompileError as error:
            raise BackendError(str(error)) from error

    def _seed(self) -> None:
        """Let the program read its seed when it starts."""
        from brian2.devices.device import get_device

        get_device().insert_code(
            "main",
            'const unsigned long _seed = std::stoul(std::getenv("BIOMOD_SEED")); '
            "for (auto& _g : brian::_random_generators) _g.seed(_seed); _engine_seed(_seed);",
        )

    def _generate(self) -> None:
        import brian2 as b2
        from brian2.devices.device import get_device

        import biomod.engine  # noqa: F401 - registers the device

        modulation = modulation_of(self.plan.job)
        tables = layout.timed_tables(self.plan, modulation)
        with standalone_device(self._directory, self.device):
            device = get_device()
            b2.defaultclock.dt = self.plan.job.dt * b2.second
            network = layout.build_objects(self.plan, tables)
            for monitor in network.spike_monitors.values():
                # In a set, whose order is another one in each process, and so was the source.
                variables = monitor.template_kwds["record_variables"]
                monitor.template_kwds["record_variables"] = dict(sorted(variables.items()))
            self._seed()
            device.apply_run_args()
            net = b2.Network(network.objects)
            net.run(
                self.plan.job.duration * b2.second, report=_REPORT, report_period=0.2 * b2.second
            )
            device.build(
                directory=str(self._directory), compile=False, run=False, debug=False, clean=False
            )
            self._spikes = {
                name: (_array(device, m.variables["i"]), _array(device, m.variables["t"]))
                for name, m in network.spike_monitors.items()
            }
            self._traces = [
                (
                    recording,
                    _array(device, m.variables[variable]),
                    _array(device, m.variables["t"]),
                    cells,
                )
                for recording, variable, m, cells in network.state_monitors
            ]
            self._tables = {
                name: _static_file(device, name) for name in tables if _static_file(device, name)
            }
        self._finish_source()

    def _finish_source(self) -> None:
        read_duration_at_start(self._directory / "main.cpp")

    def run(
        self, circuit: Circuit, duration: float, threads: int = 1, progress: Progress | None = None,
        checkpoints: Checkpoints | None = None,
    ) -> Raw:  # fmt: skip
        """Simulate `duration` seconds of `circuit`, which has the structure compiled for.

        The folder of `checkpoints` stays as it is at the end, for whoever asked for them to delete
        when the result is safe.
        """
        progress = progress or NoProgress()
        plan = layout.with_circuit(self.plan, circuit)
        run_dir = Path(tempfile.mkdtemp(prefix="run-", dir=self._directory))
        results = run_dir / "results" if checkpoints is None else checkpoints.folder
        try:
            arguments = ["--results_dir", f"{results}/", *self._write_inputs(run_dir, plan)]
            results.mkdir(parents=True, exist_ok=True)
            environment = _environment(plan.seed, duration, threads, checkpoints)
            started = time.perf_counter()
            messages = self._execute(run_dir, arguments, environment, duration, progress)
            seconds = time.perf_counter() - started
            return self._read(results, seconds, _resumed_at(messages) if checkpoints else None)
        finally:
            shutil.rmtree(run_dir, ignore_errors=True)

    def _write_inputs(self, run_dir: Path, plan: layout.Plan) -> list[str]:
        modulation = modulation_of(plan.job)
        shutil.copytree(
            self._directory / "static_arrays", run_dir / "static_arrays", copy_function=os.link
        )
        for name, table in layout.timed_tables(plan, modulation).items():
            if name in self._tables:
                target = run_dir / "static_arrays" / self._tables[name]
                target.unlink()
                np.ascontiguousarray(table, dtype=float).tofile(target)
        (run_dir / "in").mkdir()
        arguments = []
        values = layout.all_values(plan, modulation)
        for number, ((owner, variable), array) in enumerate(values.items()):
            file = f"in/{number}"
            np.ascontiguousarray(array).tofile(run_dir / file)
            arguments.append(f"{owner}.{variable}={file}")
        return arguments

    def _execute(
        self, run_dir: Path, arguments: list[str], environment: dict[str, str], duration: float,
        progress: Progress,
    ) -> list[str]:  # fmt: skip
        """Run the program; returns its messages."""
        command = [str(self.binary), *arguments]
        progress.start(duration)
        messages: list[str] = []
        output = run_dir / "output"
        # A session of its own, so that Ctrl-C reaches this process only, which then ends the run.
        with output.open("w") as stdout:
            process = subprocess.Popen(
                command, cwd=run_dir, env=environment, stdout=stdout,
                stderr=subprocess.PIPE, text=True, start_new_session=True,
            )  # fmt: skip
        try:
            assert process.stderr is not None
            for line in process.stderr:
                if line.startswith("@progress "):
                    progress.update(float(line.split()[1]) * duration)
                else:
                    messages.append(line)
            status = process.wait()
        except BaseException:
            process.kill()
            process.wait()
            raise
        finally:
            progress.close()
        problems = "".join([*messages, *_errors(output)]).strip()
        if status != 0 or _FAILED.search(problems):
            reason = signal.Signals(-status).name if status < 0 else f"exit status {status}"
            raise BackendError(
                f"the simulation failed ({reason}): {problems[-2000:] or 'no message'}"
            )
        return messages

    def _read(self, results: Path, seconds: float, resumed_at: float | None) -> Raw:
        def read(array: _Array) -> np.ndarray:
            return np.fromfile(results / array.file, dtype=array.dtype)

        spikes = {name: (read(i), read(t)) for name, (i, t) in self._spikes.items()}
        traces = []
        for recording, values, times, cells in self._traces:
            t = read(times)
            traces.append((recording, t, read(values).reshape(len(t), len(cells)), cells))
        return Raw(spikes=spikes, traces=traces, run_seconds=seconds, resumed_at=resumed_at)


def _environment(
    seed: int, duration: float, threads: int, checkpoints: Checkpoints | None
) -> dict[str, str]:
    """What a program is told through its environment."""
    from biomod.engine import checkpoint_environment, run_environment

    own = {"BIOMOD_SEED": str(seed), "BIOMOD_DURATION": repr(duration)}
    own |= run_environment(threads)
    # The program ends when this process does, however that ends: it must not go on writing.
    own["BIOMOD_PARENT"] = str(os.getpid())
    if checkpoints is None:
        own |= checkpoint_environment(0.0, resume=False)
    else:
        own |= checkpoint_environment(
            checkpoints.every, checkpoints.resume, keep=True, identity=f"{seed} {duration!r}"
        )
    return {**os.environ, **own}


def _errors(output: Path) -> list[str]:
    """What a program says of errors on standard output, as CUDA's device code must."""
    with output.open(errors="replace") as lines:
        return [line for line in lines if "error" in line.lower()]


def _resumed_at(messages: list[str]) -> float | None:
    """The time at which a run was resumed; what else it says is passed on."""
    time = None
    for message in messages:
        found = _RESUMED.match(message)
        if found:
            time = float(found[1])
        else:
            _log.warning(message.strip())
    return time


def _array(device: Any, variable: Any) -> _Array:
    return _Array(os.path.basename(device.get_array_filename(variable)), variable.dtype)


def _static_file(device: Any, timed_array: str) -> str:
    """File of the values of a timed array among the static arrays of the program."""
    return next((n for n in device.static_arrays if n.endswith(f"{timed_array}_values")), "")


def read_duration_at_start(main: Path) -> None:
    """Let the program read its duration when it starts instead of having it in its source."""
    text, count = re.subn(
        r"(\w+\.run\()(?:[0-9.eE+-]+|_engine_real\(\d+\))(, report_progress)",
        r'\1std::stod(std::getenv("BIOMOD_DURATION"))\2',
        main.read_text(),
    )
    if count != 1:
        raise BackendError("Brian2 generated a main program that is not understood")
    main.write_text(text)


class standalone_device:
    """Context in which a standalone device of Brian2 is active, and nothing leaks out of it."""

    def __init__(self, directory: Path, device: str = "cpp_standalone") -> None:
        self.directory, self.device = directory, device

    def __enter__(self) -> None:
        import brian2 as b2
        from brian2.devices.device import get_device, set_device

        self.dt = float(b2.defaultclock.dt)
        # Objects of an earlier model that are still alive would make Brian2 number the names of
        # the new ones, and the same model would be other source text.
        gc.collect()
        b2.prefs.logging.delete_log_on_exit = True
        set_device(self.device, build_on_run=False, directory=str(self.directory))
        get_device().reinit()
        get_device().activate(build_on_run=False, directory=str(self.directory))

    def __exit__(self, *exc: object) -> None:
        import brian2 as b2
        from brian2.devices.device import get_device, reset_device

        get_device().reinit()
        reset_device()
        b2.defaultclock.dt = self.dt * b2.second
