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

CORE_INSTALL = "pip install 'biomod[neuron]' on Linux or macOS brings it"


def find_nrnivmodl(tool: str = "nrnivmodl") -> str | None:
    """Path of NEURON's compiler of mechanisms: beside this Python, or on the PATH."""
    beside = Path(sys.executable).with_name(tool)
    return str(beside) if beside.exists() else shutil.which(tool)


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


def core_library(mechanisms: Iterable[Mechanism]) -> tuple[Path, bool]:
    """The library of all these mechanisms for CoreNEURON, and whether a compiler ran.

    CoreNEURON takes its mechanisms from one library, so each set of them has its own.

    Raises
    ------
    BackendError
        nrnivmodl-core or the C++ compiler is missing, or refused a text.
    """
    wanted = sorted({m.name: m for m in mechanisms}.values(), key=lambda m: m.name)
    kept = cache_directory() / "mechanisms" / f"core-{_digest(*(m.text for m in wanted))}.so"
    if read_entry(kept) is not None:
        return kept, False
    _check_tools()
    tool = find_nrnivmodl("nrnivmodl-core")
    if tool is None:
        raise BackendError(f"CoreNEURON's mechanisms need nrnivmodl-core; {CORE_INSTALL}")
    with tempfile.TemporaryDirectory(prefix="biomod-core-") as folder:
        source = Path(folder) / "mechanisms"
        source.mkdir()
        for m in wanted:
            (source / f"{m.name}.mod").write_text(m.text)
        done = _execute([*_command(tool), source.name], folder, find_compiler() or "c++")
        # That of NEURON 9.0 from PyPI fails when all is done, in search of a file of nrnivmodl.
        # The last thing that it makes is an executable.
        made = next(iter(sorted(Path(folder).glob("*/libcorenrnmech.*"))), None)
        if made is None or not list(Path(folder).glob("*/special-core")):
            raise BackendError(f"nrnivmodl-core failed on a mechanism: {_said(done)}")
        _keep(made.read_bytes(), kept)
    return kept, True


def _key(mechanism: Mechanism) -> str:
    return f"{mechanism.name}-{_digest(mechanism.text)}"


def _digest(*texts: str) -> str:
    parts = (_identity(find_compiler() or "none"), version("neuron"), *texts)
    return hashlib.sha256(chr(0).join(parts).encode()).hexdigest()[:16]


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
        _call([*_command(nrnivmodl), "."], folder, compiler)
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
    done = _execute(command, folder, compiler)
    if done.returncode:
        raise BackendError(f"{Path(command[-2]).name} failed on a mechanism: {_said(done)}")


def _said(done: subprocess.CompletedProcess[str]) -> str:
    return f"{done.stdout}\n{done.stderr}".strip()[-2000:]


def _execute(
    command: Sequence[str], folder: str, compiler: str
) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"CXX": compiler}
    # An imported NEURON has set it to another folder, which nrnivmodl-core takes over.
    environment.pop("NMODLHOME", None)
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


def _command(tool: str) -> list[str]:
    """Tools that are Python scripts run in this Python."""
    with open(tool, "rb") as file:
        script = b"python" in file.readline(200)
    return [sys.executable, tool] if script else [tool]


def _keep(library: bytes, kept: Path) -> None:
    """Put a library into the cache; the checksum behind its end does not disturb the loader."""
    try:
        write_entry(kept, library)
    except OSError as error:
        raise BackendError(
            f"cannot write the compiled mechanism {kept}: {error}; set BIOMOD_CACHE_DIR to a "
            "folder that can be written"
        ) from None
