"""How a model runs: a small protocol and one folder per simulator.

``compile(job) -> program`` and ``program.run(...) -> raw results`` is all that the rest of biomod
knows of a simulator; a new one is added to :data:`BACKENDS`.
"""

from __future__ import annotations

import importlib.util
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, cast

from biomod.backends import checkpoints as checkpoint_rules
from biomod.errors import BackendError, ModelError, unknown_name

if TYPE_CHECKING:
    from biomod.backends.checkpoints import Checkpoints
    from biomod.backends.job import Job
    from biomod.backends.results import Plan, Raw
    from biomod.model import Circuit
    from biomod.progress import Progress

BACKENDS = ("numpy", "cython", "cpp", "cuda", "neuron", "coreneuron")
_BRIAN_METHODS = ("exponential_euler", "euler", "crank_nicolson")
# How the equations are advanced, by backend; cvode has a variable time step.
METHODS = {name: _BRIAN_METHODS for name in BACKENDS} | {
    "neuron": ("crank_nicolson", "cvode"),
    "coreneuron": ("crank_nicolson",),
}
CVODE_TOLERANCE = 1e-5


@dataclass(frozen=True)
class BackendInfo:
    """A backend, whether it can be used here, and if not, what is missing."""

    name: str
    available: bool
    reason: str
    default: bool = False


class Program(Protocol):
    """A compiled model."""

    build_seconds: float
    compiled: bool

    @property
    def plan(self) -> Plan:
        """What its results are read by."""

    def run(
        self, circuit: Circuit, duration: float, threads: int = 1, progress: Progress | None = None
    ) -> Raw:
        """Simulate `duration` seconds."""


class ResumableProgram(Protocol):
    """A compiled model whose runs write checkpoints."""

    def run(
        self, circuit: Circuit, duration: float, threads: int, progress: Progress | None,
        checkpoints: Checkpoints | None,
    ) -> Raw:  # fmt: skip
        """Simulate `duration` seconds."""


def check_checkpoints(backend: str) -> None:
    """Raise :class:`ModelError` unless the backend writes checkpoints."""
    if backend not in checkpoint_rules.BACKENDS:
        able = ", ".join(checkpoint_rules.BACKENDS)
        raise ModelError(
            f"the {backend} backend writes no checkpoints, so no run of it can be resumed; "
            f"backends that do: {able}"
        )


def resumable(program: Program, backend: str) -> ResumableProgram:
    """The program, if its runs can write checkpoints and be resumed."""
    check_checkpoints(backend)
    return cast("ResumableProgram", program)


def available() -> dict[str, BackendInfo]:
    """All backends with their state on this machine; the best one is marked default."""
    from biomod.programs import find_compiler

    compiler = find_compiler()
    states: dict[str, tuple[bool, str]] = {
        "numpy": (True, "Brian2 on numpy: slow, needs nothing"),
        "cython": (
            compiler is not None,
            "Brian2 on Cython" if compiler else "needs a C++ compiler (apt-get install g++)",
        ),
        "cpp": (
            compiler is not None,
            "Brian2 C++ standalone" if compiler else "needs a C++ compiler (apt-get install g++)",
        ),
        "cuda": _cuda_state(),
        "neuron": _neuron_state(compiler),
        "coreneuron": _coreneuron_state(compiler),
    }
    best = "cpp" if compiler else "numpy"
    return {n: BackendInfo(n, ok, why, n == best) for n, (ok, why) in states.items()}


def _cuda_state() -> tuple[bool, str]:
    from biomod.backends.brian.nvcc import gpu_capability

    missing = _missing_for_cuda()
    if missing:
        return False, missing
    if gpu_capability() is None:
        return False, "nvcc is here but no NVIDIA GPU: programs can be compiled, not run"
    return True, "brian2cuda"


def _missing_for_cuda() -> str:
    """What compiling for a GPU lacks here; empty if nothing."""
    if importlib.util.find_spec("brian2cuda") is None:
        return "needs brian2cuda (pip install 'biomod[cuda]', Python 3.12 or later)"
    if shutil.which("nvcc") is None:
        return "needs NVIDIA's compiler nvcc on the PATH"
    return ""


def _neuron_state(compiler: str | None) -> tuple[bool, str]:
    if importlib.util.find_spec("neuron") is None:
        return False, "needs NEURON (pip install 'biomod[neuron]')"
    from biomod.backends.neuron.library import find_nrnivmodl

    if compiler is None or shutil.which("make") is None:
        return False, "needs a C++ compiler and make (apt-get install g++ make)"
    if find_nrnivmodl() is None:
        return False, "needs nrnivmodl, which comes with NEURON, on the PATH"
    return True, "NEURON, for cells of fidelity hh"


def _coreneuron_state(compiler: str | None) -> tuple[bool, str]:
    there, why = _neuron_state(compiler)
    if not there:
        return there, why
    from biomod.backends.neuron.library import CORE_INSTALL, find_nrnivmodl

    if find_nrnivmodl("nrnivmodl-core") is None:
        return False, f"this NEURON comes without CoreNEURON; {CORE_INSTALL}"
    return True, "NEURON's fast engine for circuits; each run is a process of its own"


def choose(name: str | None, *, only_compile: bool = False) -> tuple[str, str]:
    """The backend to use and, if it is not the one asked for or the best, one line why.

    With `only_compile`, one is good enough that can compile a program here for another machine.
    """
    states = available()
    if name is None:
        best = next(n for n, info in states.items() if info.default)
        if best == "cpp":
            return best, ""
        return best, f"no C++ compiler found: using the {best} backend, which is slow"
    if name not in states:
        raise unknown_name("backend", name, states)
    if not states[name].available:
        if name in ("cpp", "cython"):
            return "numpy", f"the {name} backend {states[name].reason}: falling back to numpy"
        if name == "cuda" and only_compile and not _missing_for_cuda():
            return name, "no NVIDIA GPU here: the program is compiled, but cannot be run"
        raise BackendError(f"the {name} backend is not available: {states[name].reason}")
    return name, ""


def compile_job(job: Job, backend: str) -> Program:
    """Compile a job for one of :data:`BACKENDS`."""
    if backend == "cpp":
        from biomod.backends.brian.standalone import StandaloneProgram

        return StandaloneProgram(job)
    if backend == "cuda":
        from biomod.backends.brian.cuda import CudaProgram

        return CudaProgram(job)
    if backend == "neuron":
        from biomod.backends.neuron.program import NeuronProgram

        return NeuronProgram(job)
    if backend == "coreneuron":
        from biomod.backends.neuron.coreneuron import CoreNeuronProgram

        return CoreNeuronProgram(job)
    from biomod.backends.brian.runtime import RuntimeProgram

    return RuntimeProgram(job, backend)


def cache_info() -> dict[str, Any]:
    """Path, entries and bytes of the cache of compiled programs and NEURON mechanisms."""
    from biomod import programs
    from biomod.backends.neuron import library

    info = programs.cache_info()
    mechanisms = library.files()
    info["entries"] += len(mechanisms)
    info["bytes"] += sum(stat.st_size for stat in mechanisms.values())
    return info


def cache_clear() -> int:
    """Empty the cache of compiled programs and mechanisms; returns the bytes freed."""
    from biomod import programs
    from biomod.backends.neuron import library

    return programs.cache_clear() + library.clear()
