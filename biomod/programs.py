"""Compile a generated C++ program as a few translation units, once per source text.

Brian2's makefile compiles about a hundred small files one by one; most of that time goes into
reading the same headers again. Here they are joined into three (:mod:`biomod.joining`). What is the
same in all programs is compiled once, and the headers of all are read once.
"""

from __future__ import annotations

import contextlib
import logging
import os
import platform
import subprocess
import tempfile
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from biomod.compilers import CompileError, examine, find_compiler
from biomod.entries import cache_directory, key_of, read_entry, write_entry
from biomod.joining import UNITS, headers, join, library

# After whatever a user adds.
SAFE = ("-fno-associative-math",)
HOT, COLD, FIXED = "-O3", "-O1", "-O2"
CACHE_LIMIT = 2 * 1024**3
# Programs, simulators of point neurons, and responses of cells that surrogates are fitted to.
KEPT = ("programs/*.bin", "kernels/*.so", "responses/*.npz")
# What programs have in common: a compiled unit, headers as the compiler has read them, what the
# compiler has told of itself, templates as Jinja has read them, and what was made of equations and
# statements.
SHARED = (
    *("programs/*.o", "headers/*.gch", "compilers/*.json", "templates/*.jinja"),
    "descriptions/*.json",
)
MOST_DESCRIPTIONS = 20_000  # 1 to 20 kB each
PRELUDE = "brianlib/engine_prelude.h"
# What processes that were killed while they wrote leave behind, once it is this old (s).
PARTIAL, ABANDONED = "*/*.partial", 3600

_log = logging.getLogger("biomod")
__all__ = [
    "CompileError", "build_once", "cache_clear", "cache_directory", "cache_info",
    "compile_program", "find_compiler", "read_entry", "write_entry",
]  # fmt: skip


def _identity(compiler: str) -> str:
    """What besides the source decides the machine code."""
    return "\n".join([examine(compiler).identity, HOT, COLD, FIXED])


def cache_info() -> dict[str, Any]:
    """Path, number of programs and total size of the cache."""
    entries = _sizes()
    return {
        "path": str(cache_directory()),
        "entries": sum(not any(map(file.match, SHARED)) for file in entries),
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
    for pattern in KEPT + SHARED:
        for file in sorted(cache_directory().glob(pattern)):
            with contextlib.suppress(OSError):
                found[file] = file.stat()
    return found


def compile_program(
    directory: Path,
    files: Sequence[str] | None = None,
    flags: Sequence[str] = (),
    link_flags: Sequence[str] = (),
    texts: Mapping[str, str] | None = None,
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
    texts : mapping of str to str, optional
        What is in files whose contents are known.

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
    joined = [f for f in files if f.endswith(".cpp") and Path(f).stem not in UNITS]
    others = [f for f in files if not f.endswith(".cpp")]
    units = join(directory, joined, texts)
    text = [_identity(compiler), *units.values(), headers(directory, texts), *flags, *link_flags]
    text += [(directory / f).read_text() for f in others]
    binary = directory / "main"

    def build() -> None:
        _build(compiler, directory, units, others, list(flags), list(link_flags))

    return binary, build_once(text, binary, build)


def _build(
    compiler: str, directory: Path, units: dict[str, str], others: list[str], flags: list[str],
    link_flags: list[str],
) -> None:  # fmt: skip
    jobs = [("hot.cpp", HOT), ("cold.cpp", COLD), *((f, HOT) for f in others)]
    unit: str | None = units["fixed"]
    fixed = _kept_unit(compiler, directory, unit, flags) if unit else None
    with ThreadPoolExecutor(2) as pool, ExitStack() as used:
        # Headers come before all others, which wait for them. They hold for the usual flags only.
        # The first program on a machine, where what is the same in all has to be compiled too, is
        # there sooner without.
        usual = all(flag.startswith("-I") for flag in flags) and (not fixed or fixed.exists())
        read = pool.submit(_precompile, compiler, directory, used) if usual else None
        objects = []
        if unit and fixed:
            objects.append(pool.submit(_compile_once, compiler, directory, unit, fixed, flags))
        for name, level in jobs:
            unit = units.get(Path(name).stem)
            given = [level, *flags, *SAFE]
            job = pool.submit(_compile_unit, compiler, directory, name, unit, given, read)
            objects.append(job)
        names = [each.result() for each in objects]
    _call([compiler, *names, "-o", "main", *examine(compiler).flags, HOT, *link_flags], directory)


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
    kept = cache_directory() / "programs" / f"{key_of(text)}.bin"
    if _take(kept, binary):
        return False
    build()
    _keep(binary, kept)
    return True


def _precompile(compiler: str, directory: Path, used: ExitStack) -> Path | None:
    """Have the compiler find the headers of the prelude as it keeps them, made once for all.

    Returns where they are kept; None if they are to be read as text.
    """
    prelude = directory / PRELUDE
    if not prelude.exists() or "Free Software Foundation" not in _identity(compiler):
        return None
    key = key_of([_identity(compiler), platform.libc_ver()[1], library(directory)])
    folder = cache_directory() / "headers"
    try:
        kept = _whole(folder, key) or _precompiled(compiler, directory, folder, key)
        beside = prelude.with_suffix(".h.gch")
        beside.unlink(missing_ok=True)
        beside.symlink_to(kept.resolve())
    except (OSError, CompileError) as error:
        _log.warning(f"headers are not kept for the next time: {error}")
        return None
    used.callback(beside.unlink, missing_ok=True)
    return kept


def _whole(folder: Path, key: str) -> Path | None:
    """Headers in the cache; their name ends in their checksum, quicker than that of programs."""
    for kept in folder.glob(f"{key}-*.gch"):
        if kept.stem == f"{key}-{_checksum(kept)}":
            os.utime(kept)
            return kept
        kept.unlink()
    return None


def _checksum(file: Path) -> str:
    checksum = 0
    with file.open("rb") as stream:
        while piece := stream.read(1 << 20):
            checksum = zlib.crc32(piece, checksum)
    return f"{checksum:08x}"


def _precompiled(compiler: str, directory: Path, folder: Path, key: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    handle, partial = tempfile.mkstemp(suffix=".partial", dir=folder)
    try:
        flags = [*examine(compiler).flags, HOT, *SAFE]
        _call([compiler, "-x", "c++-header", PRELUDE, "-o", partial, *flags], directory)
        os.fsync(handle)
        kept = folder / f"{key}-{_checksum(Path(partial))}.gch"
        os.replace(partial, kept)
    finally:
        os.close(handle)
        Path(partial).unlink(missing_ok=True)
    return kept


def _compile_unit(
    compiler: str, directory: Path, name: str, text: str | None, flags: Sequence[str],
    read: Future[Path | None] | None,
) -> str:  # fmt: skip
    """Compile a joined unit, or a file that is there already if there is no text."""
    precompiled = read.result() if read and text else None
    if text is not None:
        include = f'#include "{PRELUDE}"\n' if precompiled else ""
        (directory / name).write_text(include + text)
    try:
        return _compile(compiler, directory, name, flags)
    except CompileError:
        if precompiled is None:
            raise
        # Whatever is wrong with the headers that were kept, the source alone decides.
        (directory / name).write_text(text or "")
        target = _compile(compiler, directory, name, flags)
        precompiled.unlink(missing_ok=True)
        return target


def _kept_unit(compiler: str, directory: Path, unit: str, flags: Sequence[str]) -> Path:
    """Where the cache has, or will have, what is the same in other programs."""
    key = key_of([_identity(compiler), unit, library(directory), *flags])
    return cache_directory() / "programs" / f"{key}.o"


def _compile_once(
    compiler: str, directory: Path, unit: str, kept: Path, flags: Sequence[str]
) -> str:
    """Compile what is the same in other programs, or take it from the cache."""
    target = directory / "fixed.o"
    if not _take(kept, target):
        (directory / "fixed.cpp").write_text(unit)
        _compile(compiler, directory, "fixed.cpp", [FIXED, *flags, *SAFE])
        _keep(target, kept)
    return target.name


def _compile(compiler: str, directory: Path, name: str, flags: Sequence[str]) -> str:
    target = f"{Path(name).stem}.o"
    _call([compiler, "-c", name, "-o", target, *examine(compiler).flags, *flags], directory)
    return target


def _call(command: list[str], directory: Path) -> None:
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True)
    if done.returncode:
        raise CompileError(f"the C++ compiler failed: {done.stderr.strip()[:2000]}")


def _take(kept: Path, target: Path) -> bool:
    """Get a program or unit from the cache; False if it is not there or damaged."""
    content = read_entry(kept)
    if content is None:
        return False
    target.write_bytes(content)
    target.chmod(0o755)
    return True


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
    descriptions = [file for file, _ in entries if file.parent.name == "descriptions"]
    for file in descriptions[:-MOST_DESCRIPTIONS]:
        file.unlink(missing_ok=True)
    excess = sum(stat.st_size for _, stat in entries) - CACHE_LIMIT
    for file, stat in entries:
        if excess <= 0:
            break
        excess -= stat.st_size
        file.unlink(missing_ok=True)
