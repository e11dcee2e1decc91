"""NEURON in this process: its import, the mechanisms it has, and one simulation at a time."""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import importlib.util
import os
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

from biomod.backends import mpi
from biomod.backends.neuron import library
from biomod.backends.neuron.nmodl import Mechanism
from biomod.errors import BackendError, BiomodError

Result = TypeVar("Result")

INSTALL = "pip install 'biomod[neuron]'"
# NEURON is one global simulator: a second thread waits.
_simulator = threading.RLock()
# Settings of NEURON that a simulation changes and that its user may have set.
SETTINGS = ("dt", "secondorder")


@cache
def hoc() -> Any:
    """NEURON's interpreter ``h``; its import says nothing about a missing display."""
    if importlib.util.find_spec("neuron") is None:
        raise BackendError(f"the neuron backend needs NEURON; install it with {INSTALL}")
    name = "NEURON_MODULE_OPTIONS"
    before = os.environ.get(name)
    os.environ[name] = " ".join(dict.fromkeys([*(before or "").split(), "-nogui"]))
    try:
        from neuron import h
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before
    _join(h)
    return h


def _join(h: Any) -> None:
    """Let the processes that mpiexec started find each other.

    Where NEURON finds no MPI library, each process silently believes that it is alone.
    """
    size = mpi.world().size
    pc = h.ParallelContext()
    if size == 1 or int(pc.nhost()) == size:
        return
    mpi.name_library()
    with contextlib.suppress(RuntimeError), _silent():
        h.nrnmpi_init()
    if int(pc.nhost()) != size:
        raise BackendError(
            f"mpiexec started {size} processes, but NEURON finds no MPI library to join them; "
            "install one (Debian: apt-get install openmpi-bin) or name it in MPI_LIB_NRN_PATH"
        )
    atexit.register(_leave)


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """Without what C code prints on standard output."""
    sys.stdout.flush()
    kept, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)


def _leave() -> None:
    """Finalise MPI, or mpiexec takes the end of this process for a crash.

    After an exception it shall: the other processes may be waiting for this one.
    """
    if hasattr(sys, "last_type"):
        return
    library, finalised = ctypes.CDLL(None), ctypes.c_int()
    library.MPI_Finalized(ctypes.byref(finalised))
    if not finalised.value:
        library.MPI_Finalize()


def together(function: Callable[[], Result]) -> Result:
    """What a function returns, or in every process the error that it raised in one."""
    pc = hoc().ParallelContext()
    result, error = None, None
    try:
        result = function()
    except (BiomodError, BackendError) as raised:
        error = raised
    if int(pc.nhost()) > 1:
        told = [e for e in pc.py_allgather(error) if e is not None]
        error = error or (told[0] if told else None)
    if error is not None:
        raise error
    return cast("Result", result)


def load(mechanisms: Iterable[Mechanism]) -> bool:
    """Make mechanisms available in this process; whether a compiler ran.

    NEURON cannot unload a library, and refuses a second mechanism of a name that it has.
    """
    mechanisms = tuple(mechanisms)
    with _simulator:
        h = hoc()
        wanted = [m for m in mechanisms if not hasattr(h, m.name)]
        # One process compiles, the others find what it has put into the cache.
        first = int(h.ParallelContext().id()) == 0
        _, compiled = together(lambda: library.libraries(wanted if first else []))
        found, also = together(lambda: library.libraries(wanted))
        for name, path in found.items():
            _load_one(name, path)
    return compiled or also


def _load_one(name: str, path: Path) -> None:
    h = hoc()
    if not h.nrn_load_dll(str(path)) or not hasattr(h, name):
        raise BackendError(f"NEURON cannot load the mechanism {name} from {path}")


@contextlib.contextmanager
def simulator() -> Iterator[Any]:
    """``h`` for one simulation: nothing else is in it, and its settings are put back.

    Raises
    ------
    BackendError
        NEURON holds sections of somebody else, which it would simulate too.
    """
    h = hoc()
    with _simulator:
        foreign = [s.name() for s in h.allsec()]
        if foreign:
            raise BackendError(
                f"NEURON already holds {len(foreign)} sections ({foreign[0]} …) that are not "
                "biomod's, and would simulate them too; delete them, or use a process of its own"
            )
        cvode, pc = h.CVode(), h.ParallelContext()
        before = {name: getattr(h, name) for name in SETTINGS}
        variable = (cvode.active(), cvode.atol(), cvode.rtol(), cvode.condition_order())
        try:
            yield h
        finally:
            pc.gid_clear()
            for section in list(h.allsec()):
                h.delete_section(sec=section)
            cvode.active(variable[0])
            cvode.atol(variable[1])
            cvode.rtol(variable[2])
            cvode.condition_order(variable[3])
            for name, value in before.items():
                setattr(h, name, value)
