"""CUDA standalone, through brian2cuda with its known faults worked around.

Limits: the duration and the seed are part of the program (another one is another build), the
structure is compiled anew each time (minutes), and spikes are not bit-identical between runs
because brian2cuda adds floating-point numbers atomically.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
from pathlib import Path

from biomod.backends.brian.standalone import StandaloneProgram
from biomod.backends.brian.trees.plan import MOST_NAMED, TreePlan
from biomod.backends.checkpoints import Checkpoints
from biomod.backends.results import Raw
from biomod.errors import BackendError, ModelError
from biomod.model import Circuit
from biomod.progress import Progress

# Architecture to compile for where there is no GPU to ask (9.0: H100, H200).
FALLBACK_CAPABILITY = 9.0


class CudaProgram(StandaloneProgram):
    """A circuit compiled for NVIDIA GPUs; needs brian2cuda (Python 3.12 or later) and nvcc."""

    device = "cuda_standalone"

    def _generate(self) -> None:
        import brian2cuda  # noqa: F401 - registers the device
        from brian2 import prefs

        nvcc = shutil.which("nvcc")
        if nvcc is None:
            raise BackendError("the cuda backend needs NVIDIA's compiler nvcc on the PATH")
        if isinstance(self.plan, TreePlan):
            raise ModelError(
                f"the cuda backend has hh cells of at most {MOST_NAMED} compartments; use cpp"
            )
        backend = prefs.devices.cuda_standalone.cuda_backend
        before = (
            backend.detect_gpus, backend.gpu_id, backend.compute_capability, backend.cuda_path,
            backend.extra_compile_args_nvcc, prefs.codegen.cpp.extra_compile_args_gcc,
        )  # fmt: skip
        try:
            if not _gpu_present():
                backend.detect_gpus, backend.gpu_id = False, 0
                backend.compute_capability = FALLBACK_CAPABILITY
            backend.cuda_path = str(_toolkit(nvcc))
            # brian2cuda's makefile says c++11, which CUDA 13's headers refuse; fast math off for
            # the same results as the other backends.
            backend.extra_compile_args_nvcc = ["-w", "-std=c++17"]
            prefs.codegen.cpp.extra_compile_args_gcc = ["-w", "-O3", "-std=c++17"]
            super()._generate()
        finally:
            (
                backend.detect_gpus, backend.gpu_id, backend.compute_capability, backend.cuda_path,
                backend.extra_compile_args_nvcc, prefs.codegen.cpp.extra_compile_args_gcc,
            ) = before  # fmt: skip

    def _seed(self) -> None:
        import brian2 as b2

        b2.seed(self.plan.seed)

    def _finish_source(self) -> None:
        return

    def _compile(self) -> tuple[Path, bool]:
        environment = _with_curand(dict(os.environ), self._directory)
        jobs = f"-j{os.cpu_count() or 1}"
        done = subprocess.run(
            ["make", jobs], cwd=self._directory, env=environment, capture_output=True, text=True
        )
        if done.returncode:
            raise BackendError(f"nvcc failed: {done.stderr.strip()[-2000:]}")
        return self._directory / "main", True

    def run(
        self, circuit: Circuit, duration: float, threads: int = 1, progress: Progress | None = None,
        checkpoints: Checkpoints | None = None,
    ) -> Raw:  # fmt: skip
        """Simulate on the GPU; the duration must be the one that was compiled."""
        if checkpoints is not None:
            raise ModelError("the cuda backend writes no checkpoints; use cpp")
        if not _gpu_present():
            raise BackendError("the program is compiled, but there is no NVIDIA GPU to run it on")
        if duration != self.plan.job.duration or circuit.seed != self.plan.job.circuit.seed:
            raise ModelError(
                "the cuda backend has duration and seed in its program; compile it for these"
            )
        return super().run(circuit, duration, threads, progress)


def _toolkit(nvcc: str) -> Path:
    """Folder of the CUDA toolkit; nvcc on the PATH may be a script that calls the true one."""
    for folder in (os.environ.get("CUDA_PATH"), os.environ.get("CUDA_HOME"), "/usr/local/cuda"):
        if folder and (Path(folder) / "bin" / "nvcc").exists():
            return Path(folder)
    return Path(nvcc).resolve().parent.parent


def _gpu_present() -> bool:
    smi = shutil.which("nvidia-smi")
    return smi is not None and subprocess.run([smi, "-L"], capture_output=True).returncode == 0


def _with_curand(environment: dict[str, str], directory: Path) -> dict[str, str]:
    """Point the compiler to curand from the PyPI package where the toolkit comes without it."""
    spec = importlib.util.find_spec("nvidia")
    for root in (spec.submodule_search_locations or []) if spec else []:
        for include in sorted(Path(root).glob("*/include/curand.h")):
            folder = include.parent.parent
            libraries = sorted((folder / "lib").glob("libcurand.so*"))
            if libraries and not (directory / "libcurand.so").exists():
                (directory / "libcurand.so").symlink_to(libraries[0])
            for name, path in (("CPATH", include.parent), ("LIBRARY_PATH", directory)):
                environment[name] = os.pathsep.join(
                    filter(None, [str(path), environment.get(name)])
                )
            environment["LD_LIBRARY_PATH"] = os.pathsep.join(
                filter(None, [str(folder / "lib"), environment.get("LD_LIBRARY_PATH")])
            )
            return environment
    return environment
