"""biomod: biophysical models of neuromodulated cortical microcircuits.

Describe cells and circuits (:mod:`biomod.model`), simulate them (:func:`simulate`), keep and
compare results (:class:`Result`), fit point neurons to cells (:func:`reduce`). Cells and circuits
to start from live in the packages ``cell_types`` and ``microcircuits``; tools for spike trains in
``analysis``.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from biomod.errors import BackendError, BiomodError, ModelError, UnitError
from biomod.model import *  # noqa: F403
from biomod.model import __all__ as _model_names
from biomod.model import load as load_description

if TYPE_CHECKING:
    from biomod.reduction import reduce as reduce
    from biomod.results import Result as Result
    from biomod.simulation import Program as Program
    from biomod.simulation import compile as compile
    from biomod.simulation import simulate as simulate

_LAZY = {
    "Program": "biomod.simulation",
    "compile": "biomod.simulation",
    "simulate": "biomod.simulation",
    "Result": "biomod.results",
    "reduce": "biomod.reduction",
}

__all__ = [
    *_model_names,
    *_LAZY,
    "BackendError",
    "BiomodError",
    "ModelError",
    "UnitError",
]


def load(path: str | Path) -> Any:  # type: ignore[no-redef] # takes the place of model.load
    """Read what biomod has written: a result (``.h5`` or a run's folder) or a description.

    Parameters
    ----------
    path : str or Path
        ``run.h5``, a folder that ``biomod run`` made, or a ``.yaml`` or ``.toml`` description.

    Raises
    ------
    ModelError
        The file is missing, damaged, or none of these.
    """
    path = Path(path)
    if path.suffix in (".yaml", ".yml", ".toml"):
        return load_description(path)
    return importlib.import_module("biomod.results").load(path)


def __getattr__(name: str) -> Any:
    # Simulators and pandas take seconds to import; descriptions must not wait for them.
    if name in _LAZY:
        value = getattr(importlib.import_module(_LAZY[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'biomod' has no attribute {name!r}")
