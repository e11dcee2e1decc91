"""NEURON in this process: its import, the mechanisms it has, and one simulation at a time."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import threading
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from biomod.backends.neuron import library
from biomod.backends.neuron.nmodl import Mechanism
from biomod.errors import BackendError

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
    return h


def load(mechanisms: Iterable[Mechanism]) -> bool:
    """Make mechanisms available in this process; whether a compiler ran.

    NEURON cannot unload a library, and refuses a second mechanism of a name that it has.
    """
    mechanisms = tuple(mechanisms)
    with _simulator:
        wanted = [m for m in mechanisms if not hasattr(hoc(), m.name)]
        found, compiled = library.libraries(wanted)
        for name, path in found.items():
            _load_one(name, path)
    return compiled


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
