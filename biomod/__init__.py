"""biomod: biophysical models of neuromodulated cortical microcircuits.

Describe cells and circuits (:mod:`biomod.model`), simulate them (:func:`simulate`), keep and
compare results (:class:`Result`). Cells and circuits to start from live in the packages
``cell_types`` and ``microcircuits``; tools for spike trains in ``analysis``.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from biomod.errors import BackendError, BiomodError, ModelError, UnitError
from biomod.model import *  # noqa: F403
from biomod.model import __all__ as _model_names

if TYPE_CHECKING:
    from biomod.results import Result as Result
    from biomod.results import load_result as load_result
    from biomod.simulate import Program as Program
    from biomod.simulate import compile as compile
    from biomod.simulate import simulate as simulate

_LAZY = {
    "Program": "biomod.simulate",
    "compile": "biomod.simulate",
    "simulate": "biomod.simulate",
    "Result": "biomod.results",
    "load_result": "biomod.results",
}

__all__ = [
    *_model_names,
    *_LAZY,
    "BackendError",
    "BiomodError",
    "ModelError",
    "UnitError",
]


def __getattr__(name: str) -> Any:
    # Simulators and pandas take seconds to import; descriptions must not wait for them.
    if name in _LAZY:
        value = getattr(importlib.import_module(_LAZY[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'biomod' has no attribute {name!r}")
