"""What the C++ compiler of this machine is and knows, asked once and kept in the cache.

To ask it takes several processes, longer than all else that is needed to find a program in the
cache. What it answered holds as long as its files, the processor and the path of programs are the
same.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from biomod.entries import cache_directory, key_of, read_entry, write_entry

# The joined files leave the folders from which they included their neighbours by name.
INCLUDE = ("-I.", "-Ibrianlib")
# Without -fassociative-math: the engine's exp and expm1 rely on the order of operations.
FLAGS = (
    "-std=c++17", "-march=native", "-fno-math-errno", "-fno-trapping-math", "-fno-signed-zeros",
    "-freciprocal-math", "-ffp-contract=fast", "-w", *INCLUDE,
)  # fmt: skip
# Where the compiler knows them: threads, and the widest vectors of AVX-512 processors.
OPTIONAL_FLAGS = ("-fopenmp", "-mprefer-vector-width=512")
PROCESSOR = Path("/proc/cpuinfo")
# Lines of it that say something else from one moment or core to the next.
UNSTEADY = ("cpu MHz", "bogomips", "BogoMIPS", "processor", "core id", "apicid", "initial apicid")


class CompileError(RuntimeError):
    """There is no compiler, or it refused the source."""


@dataclass(frozen=True)
class Compiler:
    """A compiler: flags of every translation unit, as far as it knows them, and what it is."""

    flags: tuple[str, ...]
    version: str
    target: str

    @property
    def identity(self) -> str:
        """What besides the source decides the machine code: compiler, flags and processor."""
        return "\n".join([self.version, self.target, *self.flags])


def find_compiler() -> str | None:
    """Path of the C++ compiler: ``$CXX``, g++ or clang++."""
    for candidate in (os.environ.get("CXX", ""), "g++", "clang++", "c++"):
        if candidate and (path := shutil.which(candidate)):
            return path
    return None


@cache
def examine(path: str) -> Compiler:
    """What the compiler at a path is and knows; from the cache if it was asked before."""
    processor = _processor()
    if processor is None:
        return _ask(path)
    where = [os.environ.get(name, "") for name in ("PATH", "GCC_EXEC_PREFIX", "COMPILER_PATH")]
    key = key_of([path, processor, platform.platform(), *where, *FLAGS, *OPTIONAL_FLAGS])
    kept = cache_directory() / "compilers" / f"{key}.json"
    content = read_entry(kept)
    if content is not None:
        found = json.loads(content)
        if all(_state(file) == state for file, state in found["files"]):
            return Compiler(tuple(found["flags"]), found["version"], found["target"])
    # Looked at before it is asked: one that is replaced meanwhile is asked again the next time.
    files = [[file, _state(file)] for file in _files(path)]
    compiler = _ask(path)
    try:
        write_entry(kept, json.dumps(asdict(compiler) | {"files": files}).encode())
    except OSError:  # it is asked again the next time
        return compiler
    return compiler


def _ask(path: str) -> Compiler:
    flags = [flag for flag in OPTIONAL_FLAGS if _knows(path, flag)]
    version = _output(path, "--version")
    target = _output(path, "-march=native", "-Q", "--help=target")
    return Compiler((*FLAGS, *flags), version, target or platform.processor())


def _knows(path: str, flag: str) -> bool:
    command = [path, flag, "-x", "c++", "-fsyntax-only", os.devnull]
    return subprocess.run(command, capture_output=True).returncode == 0


def _output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True).stdout


def _files(path: str) -> list[str]:
    """The files that a compiler is: the driver, which may be a wrapper, and what compiles."""
    return [path, _output(path, "-print-prog-name=cc1plus").strip()]


def _state(file: str) -> list[Any] | None:
    """What tells a file from another one in its place; None if there is none."""
    try:
        path = os.path.realpath(file)
        stat = os.stat(path)
    except OSError:
        return None
    return [path, stat.st_size, stat.st_mtime_ns, stat.st_ino]


def _processor() -> str | None:
    """The kind of processor; None if this system does not tell in a file."""
    try:
        with PROCESSOR.open() as file:
            first = file.read(1 << 14).split("\n\n")[0]
    except OSError:
        return None
    lines = first.splitlines()
    return "\n".join(line for line in lines if not line.startswith(UNSTEADY))
