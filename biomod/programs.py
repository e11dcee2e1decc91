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
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

# The joined files leave the folders from which they included their neighbours by name.
INCLUDE = ("-I.", "-Ibrianlib")
# Without -fassociative-math: the engine's exp and expm1 rely on the order of operations.
FLAGS = (
    "-std=c++17", "-march=native", "-fno-math-errno", "-fno-trapping-math", "-fno-signed-zeros",
    "-freciprocal-math", "-ffp-contract=fast", "-w", *INCLUDE,
)  # fmt: skip
# Where the compiler knows them: threads, and the widest vectors of AVX-512 processors.
OPTIONAL_FLAGS = ("-fopenmp", "-mprefer-vector-width=512")
# After whatever a user adds.
SAFE = ("-fno-associative-math",)
HOT, COLD = "-O3", "-O1"
CACHE_LIMIT = 2 * 1024**3
# Programs, simulators of point neurons, and responses of cells that surrogates are fitted to.
KEPT = ("programs/*.bin", "kernels/*.so", "responses/*.npz")
# What processes that were killed while they wrote leave behind, once it is this old (s).
PARTIAL, ABANDONED = "*/*.partial", 3600
CHECKSUM = hashlib.sha256().digest_size  # bytes at the end of every program in the cache

_log = logging.getLogger("biomod")


class CompileError(RuntimeError):
    """There is no compiler, or it refused the source."""


def find_compiler() -> str | None:
    """Path of the C++ compiler: ``$CXX``, g++ or clang++."""
    for candidate in (os.environ.get("CXX", ""), "g++", "clang++", "c++"):
        if candidate and (path := shutil.which(candidate)):
            return path
    return None


@cache
def _flags(compiler: str) -> tuple[str, ...]:
    """The flags of every translation unit, as far as this compiler knows them."""
    known = []
    for flag in OPTIONAL_FLAGS:
        command = [compiler, flag, "-x", "c++", "-fsyntax-only", os.devnull]
        if subprocess.run(command, capture_output=True).returncode == 0:
            known.append(flag)
    return (*FLAGS, *known)


@cache
def _identity(compiler: str) -> str:
    """What besides the source decides the machine code: compiler, flags and processor."""
    version = subprocess.run([compiler, "--version"], capture_output=True, text=True).stdout
    target = subprocess.run(
        [compiler, "-march=native", "-Q", "--help=target"], capture_output=True, text=True
    ).stdout
    return "\n".join([version, target or platform.processor(), *_flags(compiler), HOT, COLD])


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
    _remove_partial(time.time() - ABANDONED)
    return sum(stat.st_size for stat in entries.values())


def _remove_partial(before: float) -> None:
    for file in cache_directory().glob(PARTIAL):
        with contextlib.suppress(OSError):
            if file.stat().st_mtime < before:
                file.unlink()


def _sizes() -> dict[Path, os.stat_result]:
    """All that is in the cache; other processes may be deleting some at the same time."""
    found = {}
    for pattern in KEPT:
        for file in sorted(cache_directory().glob(pattern)):
            with contextlib.suppress(OSError):
                found[file] = file.stat()
    return found


def compile_program(
    directory: Path,
    files: Sequence[str] | None = None,
    flags: Sequence[str] = (),
    link_flags: Sequence[str] = (),
) -> tuple[Path, bool]:
    """Compile the program generated in `directory`, or take it from the cache.

    Parameters
    ----------
    directory : Path
        Where the sources are, and where the executable will be.
    files : sequence of str, optional
        Its source files; all there are if left out. What is not C++ is compiled separately.
    flags, link_flags : sequence of str
        Further arguments of the compiler and of the linker.

    Returns
    -------
    binary : Path
        The executable, in `directory`.
    compiled : bool
        Whether the compiler ran.

    Raises
    ------
    CompileError
        No compiler is installed, or it refused the source.
    """
    compiler = find_compiler()
    if compiler is None:
        raise CompileError("no C++ compiler found; install g++ (Debian: apt-get install g++)")
    if files is None:
        files = [str(f.relative_to(directory)) for f in sorted(directory.rglob("*.cpp"))]
    joined = [f for f in files if f.endswith(".cpp") and f not in ("hot.cpp", "cold.cpp")]
    others = [f for f in files if not f.endswith(".cpp")]
    hot, cold = _units(directory, joined)
    text = [_identity(compiler), hot, cold, headers(directory), *flags, *link_flags]
    text += [(directory / f).read_text() for f in others]
    binary = directory / "main"

    def build() -> None:
        (directory / "hot.cpp").write_text(hot)
        (directory / "cold.cpp").write_text(cold)
        units = (("hot.cpp", HOT), ("cold.cpp", COLD), *((f, HOT) for f in others))
        with ThreadPoolExecutor(2) as pool:
            jobs = [
                pool.submit(_compile, compiler, directory, name, [level, *flags, *SAFE])
                for name, level in units
            ]
            objects = [job.result() for job in jobs]
        link = [compiler, *objects, "-o", "main", *_flags(compiler), HOT, *link_flags]
        _call(link, directory)

    return binary, build_once(text, binary, build)


def build_once(text: Sequence[str], binary: Path, build: Callable[[], None]) -> bool:
    """Get an executable from the cache, or make it and keep it there.

    Parameters
    ----------
    text : sequence of str
        All that decides what the executable is: sources, compiler, its flags, the machine.
    binary : Path
        Where the executable will be.
    build : callable
        Makes it.

    Returns
    -------
    bool
        Whether it had to be made.
    """
    key = hashlib.sha256("\0".join(text).encode())
    kept = cache_directory() / "programs" / f"{key.hexdigest()[:32]}.bin"
    if _take(kept, binary):
        return False
    build()
    _keep(binary, kept)
    return True


def _compile(compiler: str, directory: Path, name: str, flags: Sequence[str]) -> str:
    target = f"{Path(name).stem}.o"
    _call([compiler, "-c", name, "-o", target, *_flags(compiler), *flags], directory)
    return target


def _call(command: list[str], directory: Path) -> None:
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True)
    if done.returncode:
        raise CompileError(f"the C++ compiler failed: {done.stderr.strip()[:2000]}")


def _take(kept: Path, binary: Path) -> bool:
    """Get a program from the cache; False if it is not there or damaged."""
    program = read_entry(kept)
    if program is None:
        return False
    binary.write_bytes(program)
    binary.chmod(0o755)
    return True


def read_entry(path: Path) -> bytes | None:
    """Content of an entry of the cache; None if it is not there or damaged."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    entry, checksum = content[:-CHECKSUM], content[-CHECKSUM:]
    if hashlib.sha256(entry).digest() != checksum:
        path.unlink(missing_ok=True)
        return None
    with contextlib.suppress(OSError):
        os.utime(path)
    return entry


def write_entry(path: Path, content: bytes) -> None:
    """Put an entry into the cache in one step, its checksum behind it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, partial = tempfile.mkstemp(suffix=".partial", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content + hashlib.sha256(content).digest())
        os.replace(partial, path)
    except OSError:
        os.unlink(partial)
        raise


def _keep(binary: Path, kept: Path) -> None:
    """Put a program into the cache, then delete the oldest beyond the size limit.

    A program that cannot be kept (full disk, folder of somebody else) is used all the same.
    """
    try:
        write_entry(kept, binary.read_bytes())
    except OSError as error:
        _log.warning(f"the compiled program is not kept for the next time: {error}")
        return
    _remove_partial(time.time() - ABANDONED)
    entries = sorted(_sizes().items(), key=lambda entry: entry[1].st_mtime)
    excess = sum(stat.st_size for _, stat in entries) - CACHE_LIMIT
    for file, stat in entries:
        if excess <= 0:
            break
        excess -= stat.st_size
        file.unlink(missing_ok=True)


def _units(directory: Path, files: Sequence[str]) -> tuple[str, str]:
    """The sources as two texts: what runs at every step, and what runs once."""
    hot: list[str] = []
    cold: list[str] = []
    for number, file in enumerate(directory / f for f in files):
        text = file.read_text()
        name = f"unit{number}"
        text = re.sub(r"\bnamespace \{", f"namespace {name} {{", text, count=1)
        if f"namespace {name} " in text:
            using = "using namespace brian;"
            text = text.replace(using, f"{using} using namespace {name};")
        defined = re.findall(r"^#define\s+(\w+)", text, flags=re.M)
        text += "\n" + "\n".join(f"#undef {d}" for d in defined if not d.startswith("_INCLUDED"))
        once = file.parent == directory or "synapses_create" in file.name
        (cold if once else hot).append(f"// {file.name}\n{text}")
    return "\n".join(hot), "\n".join(cold)


def headers(directory: Path) -> str:
    """The headers of a generated program as one text."""
    return "\0".join(f.read_text() for f in sorted(directory.rglob("*.h")))
