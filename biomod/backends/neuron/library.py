"""Compile mechanisms with nrnivmodl, once per text, and load them into NEURON.

Each mechanism is a library of its own in the cache, found by its source, the version of NEURON
and the compiler. A library becomes visible in the cache by a rename when it is complete, so it
does not matter how many processes compile at the same time, or which of them are killed.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path

from biomod.backends.neuron.nmodl import Mechanism
from biomod.errors import BackendError
from biomod.programs import (
    cache_directory,
    find_compiler,
    read_entry,
    write_entry,
)


def find_nrnivmodl() -> str | None:
    """Path of NEURON's compiler of mechanisms: beside this Python, or on the PATH."""
    beside = Path(sys.executable).with_name("nrnivmodl")
    return str(beside) if beside.exists() else shutil.which("nrnivmodl")


def files() -> dict[Path, os.stat_result]:
    """All libraries in the cache; other processes may be deleting some at the same time."""
    found = {}
    for file in sorted((cache_directory() / "mechanisms").glob("*.so")):
        with contextlib.suppress(OSError):
            found[file] = file.stat()
    return found


def clear() -> int:
    """Delete all libraries; returns the number of bytes freed. What is loaded goes on working."""
    found = files()
    for file in found:
        file.unlink(missing_ok=True)
    return sum(stat.st_size for stat in found.values())


def libraries(mechanisms: Iterable[Mechanism]) -> tuple[dict[str, Path], bool]:
    """The compiled library of every mechanism by name, and whether a compiler ran.

    Raises
    ------
    BackendError
        nrnivmodl or the C++ compiler is missing, or refused a text.
    """
    wanted = {m.name: m for m in mechanisms}
    kept = {name: cache_directory() / "mechanisms" / f"{_key(m)}.so" for name, m in wanted.items()}
    missing = [name for name, path in kept.items() if read_entry(path) is None]
    if missing:
        _check_tools()
        _compile([wanted[name] for name in missing], kept)
    return kept, bool(missing)


def _key(mechanism: Mechanism) -> str:
    parts = (_identity(find_compiler() or "none"), version("neuron"), mechanism.text)
    return f"{mechanism.name}-{hashlib.sha256(chr(0).join(parts).encode()).hexdigest()[:16]}"


@cache
def _identity(compiler: str) -> str:
    if compiler == "none":
        return compiler
    done = subprocess.run([compiler, "--version"], capture_output=True, text=True)
    return done.stdout + os.environ.get("CFLAGS", "")


def _check_tools() -> None:
    if find_compiler() is None:
        raise BackendError(
            "NEURON's mechanisms need a C++ compiler; install g++ and make (Debian: apt-get "
            "install g++ make)"
        )
    for tool, path in (("nrnivmodl", find_nrnivmodl()), ("make", shutil.which("make"))):
        if path is None:
            source = "pip install 'biomod[neuron]'" if tool == "nrnivmodl" else "apt-get install "
            raise BackendError(
                f"NEURON's mechanisms need {tool}; install it with {source}"
                f"{'' if tool == 'nrnivmodl' else tool}"
            )


def _compile(mechanisms: Sequence[Mechanism], kept: Mapping[str, Path]) -> None:
    """Compile mechanisms together, which is faster, and make a library of each."""
    nrnivmodl = find_nrnivmodl()
    assert nrnivmodl is not None
    compiler = find_compiler() or "c++"
    with tempfile.TemporaryDirectory(prefix="biomod-nmodl-") as folder:
        for m in mechanisms:
            (Path(folder) / f"{m.name}.mod").write_text(m.text)
        command = [sys.executable, nrnivmodl] if _is_script(nrnivmodl) else [nrnivmodl]
        _call([*command, "."], folder, compiler)
        for m in mechanisms:
            _link(m.name, folder, compiler)
            _keep((Path(folder) / f"{m.name}.so").read_bytes(), kept[m.name])


def _link(name: str, folder: str, compiler: str) -> None:
    """One mechanism's object file and its registration, which NEURON calls, as a library."""
    compiled = next(iter(Path(folder).glob(f"*/{name}.o")), None)
    if compiled is None:
        raise BackendError(f"nrnivmodl made no object file of {name}")
    source = Path(folder) / f"{name}_reg.cpp"
    source.write_text(
        f'extern "C" void _{name}_reg(void);\nextern "C" void modl_reg() {{ _{name}_reg(); }}\n'
    )
    shared = ["-shared"]
    if sys.platform == "darwin":
        shared = ["-dynamiclib", "-undefined", "dynamic_lookup"]
    library = _neuron_folder() / "lib"
    needed = [f"-L{library}", "-lnrniv", f"-Wl,-rpath,{library}"] if library.exists() else []
    arguments = [*shared, "-fPIC", str(source), str(compiled), "-o", f"{name}.so", *needed]
    _call([compiler, *arguments], folder, compiler)


def _neuron_folder() -> Path:
    spec = importlib.util.find_spec("neuron")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / ".data"


def _call(command: Sequence[str], folder: str, compiler: str) -> None:
    environment = os.environ | {"CXX": compiler}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    if done.returncode:
        message = f"{done.stdout}\n{done.stderr}".strip()[-2000:]
        raise BackendError(f"{Path(command[-2]).name} failed on a mechanism: {message}")


def _is_script(path: str) -> bool:
    with open(path, "rb") as file:
        return b"python" in file.readline(200)


def _keep(library: bytes, kept: Path) -> None:
    """Put a library into the cache; the checksum behind its end does not disturb the loader."""
    try:
        write_entry(kept, library)
    except OSError as error:
        raise BackendError(
            f"cannot write the compiled mechanism {kept}: {error}; set BIOMOD_CACHE_DIR to a "
            "folder that can be written"
        ) from None
