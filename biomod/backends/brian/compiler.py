"""Compile a generated C++ program as two translation units, once per source text.

Brian2's makefile compiles about a hundred small files one by one; most of that time goes into
reading the same headers again. Here the files are joined, which the anonymous namespaces of the
generated code would forbid, so each file's gets a name of its own.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import platform
import re
import shutil
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

from biomod.errors import BackendError

# The joined files leave the folders from which they included their neighbours by name.
INCLUDE = ("-I.", "-Ibrianlib")
FLAGS = ("-std=c++17", "-march=native", "-ffast-math", "-fno-finite-math-only", "-w", *INCLUDE)
HOT, COLD = "-O3", "-O1"
CACHE_LIMIT = 2 * 1024**3
CHECKSUM = hashlib.sha256().digest_size  # bytes at the end of every program in the cache

_log = logging.getLogger("biomod")


def find_compiler() -> str | None:
    """Path of the C++ compiler: ``$CXX``, g++ or clang++."""
    for candidate in (os.environ.get("CXX", ""), "g++", "clang++", "c++"):
        if candidate and (path := shutil.which(candidate)):
            return path
    return None


@cache
def _identity(compiler: str) -> str:
    """What besides the source decides the machine code: compiler, flags and processor."""
    version = subprocess.run([compiler, "--version"], capture_output=True, text=True).stdout
    target = subprocess.run(
        [compiler, "-march=native", "-Q", "--help=target"], capture_output=True, text=True
    ).stdout
    return "\n".join([version, target or platform.processor(), *FLAGS, HOT, COLD])


def cache_directory() -> Path:
    """Where compiled programs are kept: ``$BIOMOD_CACHE_DIR`` or the user's cache folder."""
    base = os.environ.get("BIOMOD_CACHE_DIR")
    if base:
        return Path(base)
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "biomod"


def cache_info() -> dict[str, Any]:
    """Path, number of programs and total size of the cache."""
    entries = _sizes()
    return {
        "path": str(cache_directory()),
        "entries": len(entries),
        "bytes": sum(stat.st_size for stat in entries.values()),
    }


def cache_clear() -> int:
    """Delete all compiled programs; returns the number of bytes freed."""
    entries = _sizes()
    for file in entries:
        file.unlink(missing_ok=True)
    return sum(stat.st_size for stat in entries.values())


def _sizes() -> dict[Path, os.stat_result]:
    """All programs in the cache; other processes may be deleting some at the same time."""
    found = {}
    for file in sorted((cache_directory() / "programs").glob("*.bin")):
        with contextlib.suppress(OSError):
            found[file] = file.stat()
    return found


def compile_program(directory: Path) -> tuple[Path, bool]:
    """Compile the program generated in `directory`, or take it from the cache.

    Returns
    -------
    binary : Path
        The executable, in `directory`.
    compiled : bool
        Whether the compiler ran.

    Raises
    ------
    BackendError
        No compiler is installed, or it refused the source.
    """
    compiler = find_compiler()
    if compiler is None:
        raise BackendError("no C++ compiler found; install g++ (Debian: apt-get install g++)")
    hot, cold = _units(directory)
    key = hashlib.sha256("\0".join([_identity(compiler), hot, cold, _headers(directory)]).encode())
    kept = cache_directory() / "programs" / f"{key.hexdigest()[:32]}.bin"
    binary = directory / "main"
    if _take(kept, binary):
        return binary, False
    (directory / "hot.cpp").write_text(hot)
    (directory / "cold.cpp").write_text(cold)
    with ThreadPoolExecutor(2) as pool:
        jobs = [
            pool.submit(_compile, compiler, directory, name, level)
            for name, level in (("hot", HOT), ("cold", COLD))
        ]
        for job in jobs:
            job.result()
    _call([compiler, "hot.o", "cold.o", "-o", "main", *FLAGS, HOT], directory)
    _keep(binary, kept)
    return binary, True


def _compile(compiler: str, directory: Path, name: str, level: str) -> None:
    _call([compiler, "-c", f"{name}.cpp", "-o", f"{name}.o", *FLAGS, level], directory)


def _call(command: list[str], directory: Path) -> None:
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True)
    if done.returncode:
        raise BackendError(f"the C++ compiler failed: {done.stderr.strip()[:2000]}")


def _take(kept: Path, binary: Path) -> bool:
    """Get a program from the cache; False if it is not there or damaged."""
    try:
        content = kept.read_bytes()
    except OSError:
        return False
    program, checksum = content[:-CHECKSUM], content[-CHECKSUM:]
    if hashlib.sha256(program).digest() != checksum:
        kept.unlink(missing_ok=True)
        return False
    binary.write_bytes(program)
    binary.chmod(0o755)
    with contextlib.suppress(OSError):
        os.utime(kept)
    return True


def _keep(binary: Path, kept: Path) -> None:
    """Put a program into the cache in one step, then delete the oldest beyond the size limit.

    A program that cannot be kept (full disk, folder of somebody else) is used all the same.
    """
    program = binary.read_bytes()
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        handle, partial = tempfile.mkstemp(suffix=".partial", dir=kept.parent)
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(program + hashlib.sha256(program).digest())
            os.replace(partial, kept)
        except OSError:
            os.unlink(partial)
            raise
    except OSError as error:
        _log.warning(f"the compiled program is not kept for the next time: {error}")
        return
    entries = sorted(_sizes().items(), key=lambda entry: entry[1].st_mtime)
    excess = sum(stat.st_size for _, stat in entries) - CACHE_LIMIT
    for file, stat in entries:
        if excess <= 0:
            break
        excess -= stat.st_size
        file.unlink(missing_ok=True)


def _units(directory: Path) -> tuple[str, str]:
    """The sources as two texts: what runs at every step, and what runs once."""
    hot: list[str] = []
    cold: list[str] = []
    for number, file in enumerate(sorted(directory.rglob("*.cpp"))):
        if file.name in ("hot.cpp", "cold.cpp"):
            continue
        text = file.read_text()
        name = f"unit{number}"
        text = text.replace("namespace {", f"namespace {name} {{", 1)
        if f"namespace {name} " in text:
            using = "using namespace brian;"
            text = text.replace(using, f"{using} using namespace {name};")
        defined = re.findall(r"^#define\s+(\w+)", text, flags=re.M)
        text += "\n" + "\n".join(f"#undef {d}" for d in defined if not d.startswith("_INCLUDED"))
        once = file.parent == directory or "synapses_create" in file.name
        (cold if once else hot).append(f"// {file.name}\n{text}")
    return "\n".join(hot), "\n".join(cold)


def _headers(directory: Path) -> str:
    return "\0".join(f.read_text() for f in sorted(directory.rglob("*.h")))
