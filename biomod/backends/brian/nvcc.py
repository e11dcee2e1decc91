"""Compile a program that brian2cuda generated as one translation unit, once per source text.

brian2cuda's makefile compiles every object of the network by itself, a hundred files or more, and
links their device code. Most of that time goes into reading the headers of thrust again. Here the
files are joined into one; the cache is that of :mod:`biomod.programs`.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from biomod.errors import BackendError
from biomod.joining import headers
from biomod.programs import build_once

# Architecture to compile for where there is no GPU to ask and the variable says nothing (9.0: H100
# and H200). The program holds PTX too, so later architectures run it.
FALLBACK_CAPABILITY = 9.0
CAPABILITY_VARIABLE = "BIOMOD_CUDA_CAPABILITY"
UNIT = "unit.cu"
# Host code of a step only starts kernels; -O1 is enough for it and for setting up. No fast math on
# the device, for the same results as the other backends. CUDA 13's headers need C++17.
FLAGS = ("-std=c++17", "-w", "-I.", "-Ibrianlib", "-Xcompiler", "-w,-O1")
# Long texts, a few lines for each array, that run once: optimising them is most of the host's part.
SETTING_UP = ("objects.cu", "main.cu")


@dataclass(frozen=True)
class Toolkit:
    """NVIDIA's compiler, and where the random numbers come from.

    Attributes
    ----------
    nvcc : str
        Path of the compiler.
    folder : Path
        The CUDA toolkit.
    curand : Path or None
        Folder with ``include`` and ``lib`` of curand, if the toolkit comes without it.
    """

    nvcc: str
    folder: Path
    curand: Path | None

    @property
    def arguments(self) -> list[str]:
        """Flags by which the compiler finds curand."""
        return [f"-I{self.curand / 'include'}"] if self.curand else []

    @property
    def libraries(self) -> list[str]:
        """Flags by which the linker finds curand."""
        if self.curand is None:
            return ["-lcurand"]
        # The wheel has no libcurand.so for -lcurand to find.
        return ["-Xlinker", str(_curand_library(self.curand))]

    def environment(self, base: dict[str, str]) -> dict[str, str]:
        """The environment in which a program finds curand when it starts."""
        if self.curand is None:
            return base
        path = os.pathsep.join(
            filter(None, [str(self.curand / "lib"), base.get("LD_LIBRARY_PATH")])
        )
        return base | {"LD_LIBRARY_PATH": path}


def find_toolkit() -> Toolkit:
    """The compiler on the PATH and what belongs to it.

    Raises
    ------
    BackendError
        There is no nvcc, or no curand: what to install.
    """
    nvcc = shutil.which("nvcc")
    if nvcc is None:
        raise BackendError("the cuda backend needs NVIDIA's compiler nvcc on the PATH")
    folder = _toolkit_folder(nvcc)
    if any(folder.glob("include/curand.h")) or any(folder.glob("targets/*/include/curand.h")):
        return Toolkit(nvcc, folder, None)
    curand = _curand_wheel()
    if curand is None:
        raise BackendError(
            f"the CUDA toolkit in {folder} has no curand.h, which the cuda backend needs; install "
            "it: pip install nvidia-curand (CUDA 13) or nvidia-curand-cu12 (CUDA 12)"
        )
    return Toolkit(nvcc, folder, curand)


def _toolkit_folder(nvcc: str) -> Path:
    """The toolkit; nvcc on the PATH may be a script that calls the true one."""
    for folder in (os.environ.get("CUDA_PATH"), os.environ.get("CUDA_HOME"), "/usr/local/cuda"):
        if folder and (Path(folder) / "bin" / "nvcc").exists():
            return Path(folder)
    return Path(nvcc).resolve().parent.parent


def _curand_wheel() -> Path | None:
    spec = importlib.util.find_spec("nvidia")
    for root in (spec.submodule_search_locations or []) if spec else []:
        for include in sorted(Path(root).glob("*/include/curand.h")):
            if _curand_library(include.parent.parent) is not None:
                return include.parent.parent
    return None


def _curand_library(folder: Path) -> Path | None:
    return next(iter(sorted((folder / "lib").glob("libcurand.so*"))), None)


@cache
def gpu_capability() -> float | None:
    """Compute capability of the GPU that programs will run on; None if there is none."""
    smi = shutil.which("nvidia-smi")
    if smi is None:
        return None
    first = os.environ.get("CUDA_VISIBLE_DEVICES", "0").split(",")[0] or "0"
    command = [smi, "--query-gpu=compute_cap", "--format=csv,noheader", "-i", first]
    done = subprocess.run(command, capture_output=True, text=True)
    found = re.match(r"\d+\.\d+", done.stdout.strip())
    return float(found[0]) if done.returncode == 0 and found else None


def capability() -> float:
    """Compute capability to compile for: the variable's, the GPU's, else that of an H100."""
    told = os.environ.get(CAPABILITY_VARIABLE)
    if not told:
        return gpu_capability() or FALLBACK_CAPABILITY
    if not re.fullmatch(r"\d+\.\d", told):
        raise BackendError(f"{CAPABILITY_VARIABLE} must be a number such as 9.0; it is {told!r}")
    return float(told)


@cache
def _identity(nvcc: str) -> str:
    """Versions of both compilers: nvcc, and the one that it calls for the host."""
    calls = [nvcc, "--version"], [os.environ.get("NVCC_CCBIN") or "g++", "--version"]
    return "\n".join(
        subprocess.run(call, capture_output=True, text=True).stdout for call in calls
    )  # fmt: skip


def compile_unit(directory: Path, toolkit: Toolkit) -> tuple[Path, bool]:
    """Compile what brian2cuda generated in `directory`, or take it from the cache.

    Returns
    -------
    binary : Path
        The executable, in `directory`.
    compiled : bool
        Whether the compiler ran.

    Raises
    ------
    BackendError
        The compiler refused the source.
    """
    define_where_declared(directory)
    unit = join(directory)
    architecture = f"-arch=sm_{capability():.1f}".replace(".", "")
    flags = [architecture, *FLAGS, *toolkit.arguments]
    binary = directory / "main"

    def build() -> None:
        (directory / UNIT).write_text(unit)
        call = [toolkit.nvcc, *flags, UNIT, "-o", "main", *toolkit.libraries]
        # Its temporary files go where they are removed even if it is killed.
        environment = os.environ | {"TMPDIR": str(directory)}
        done = subprocess.run(
            call, cwd=directory, env=environment, capture_output=True, text=True
        )  # fmt: skip
        if done.returncode:
            message = (done.stderr or done.stdout).strip()
            raise BackendError(f"nvcc failed: {message[:2000]}")

    text = [_identity(toolkit.nvcc), *flags, *toolkit.libraries, unit, headers(directory)]
    return binary, build_once(text, binary, build)


def define_where_declared(directory: Path) -> None:
    """Turn declarations of device variables into their definitions.

    Without a linker for device code, nvcc takes a declaration for a definition and the definition
    for a second one.
    """
    declared = directory / "objects.h"
    text = re.sub(r"^(\s*)extern __device__ ", r"\1__device__ ", declared.read_text(), flags=re.M)
    declared.write_text(text)
    defined = directory / "objects.cu"
    text = re.sub(r"^__device__ [^\n;(]*\bbrian::\w+;\n", "", defined.read_text(), flags=re.M)
    defined.write_text(text)


def join(directory: Path) -> str:
    """All sources as one text, each file's own functions in a namespace of its own."""
    files = sorted(directory.rglob("*.cu"))
    return "\n".join(
        _with_own_names(file, f"unit{number}")
        for number, file in enumerate(f for f in files if f.name != UNIT)
    )


def _with_own_names(file: Path, name: str) -> str:
    text = file.read_text()
    # The one kind of file with its support code outside the anonymous namespace.
    text = re.sub(
        r"^(///// Support code /////\n)(.*?)(?=^void _before_run_)", r"\1namespace {\n\2}\n",
        text, flags=re.M | re.S,
    )  # fmt: skip
    text, count = re.subn(r"^namespace \{", f"namespace {name} {{", text, flags=re.M)
    if count:
        using = "using namespace brian;"
        text = text.replace(using, f"{using} using namespace {name};")
        text = f"namespace {name} {{}}\n{text}"
    if file.name in SETTING_UP:
        text = (
            '#pragma GCC push_options\n#pragma GCC optimize ("O0")\n'
            f"{text}\n#pragma GCC pop_options\n"
        )
    defined = dict.fromkeys(re.findall(r"^\s*#define\s+(\w+)", text, flags=re.M))
    undefined = "\n".join(f"#undef {d}" for d in defined if not d.startswith("_INCLUDED"))
    return f"// {file.name}\n{text}\n{undefined}"
