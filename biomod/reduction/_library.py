"""Shared libraries from C++ text, compiled once for this compiler and processor."""

from __future__ import annotations

import ctypes
import hashlib
import os
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from biomod.errors import BackendError
from biomod.programs import cache_directory, find_compiler

FLAGS = ("-std=c++17", "-O3", "-march=native", "-fno-math-errno", "-fno-trapping-math",
         "-ffp-contract=fast", "-shared", "-fPIC", "-w")  # fmt: skip


@cache
def library(text: str) -> Any:
    """The library of a C++ source; its functions return nothing.

    Raises
    ------
    BackendError
        There is no C++ compiler, or it refused the source.
    """
    return ctypes.CDLL(str(_compiled(text)))


def address(array: npt.NDArray[Any] | None) -> ctypes.c_void_p:
    """Pointer to the first element, or NULL."""
    return ctypes.c_void_p(None if array is None else array.ctypes.data)


def whole(number: int) -> ctypes.c_long:
    """A C long; without this, ctypes would pass an int."""
    return ctypes.c_long(int(number))


def real(number: float) -> ctypes.c_double:
    """A C double."""
    return ctypes.c_double(float(number))


def integers(values: npt.ArrayLike) -> npt.NDArray[np.int32]:
    """Contiguous 32-bit integers."""
    return np.ascontiguousarray(values, dtype=np.int32)


@cache
def _machine(compiler: str) -> str:
    """What besides source and flags decides the machine code: compiler and processor."""
    version = subprocess.run([compiler, "--version"], capture_output=True, text=True).stdout
    cpu = Path("/proc/cpuinfo")
    features = cpu.read_text().partition("flags")[2].partition("\n")[0] if cpu.exists() else ""
    return version + features


def _compiled(text: str) -> Path:
    compiler = find_compiler()
    if compiler is None:
        raise BackendError(
            "fitting needs a C++ compiler, and none was found; install g++ "
            "(Debian: apt-get install g++)"
        )
    content = "\0".join([text, _machine(compiler), *FLAGS])
    kept = cache_directory() / "kernels" / f"{hashlib.sha256(content.encode()).hexdigest()[:32]}.so"
    if kept.exists():
        return kept
    kept.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=kept.parent) as folder:
        file, built = Path(folder) / "kernel.cpp", Path(folder) / "kernel.so"
        file.write_text(text)
        command = [compiler, *FLAGS, str(file), "-o", str(built)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise BackendError(f"the C++ compiler failed: {done.stderr.strip()[:2000]}")
        os.replace(built, kept)  # in one step: another process may want it at the same time
    return kept
