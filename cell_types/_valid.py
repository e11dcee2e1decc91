"""Valid models: cells of one type whose conductances differ and whose features agree."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from importlib import resources

from biomod.errors import unknown_name
from biomod.model import Cell
from biomod.units import Quantity
from cell_types import _hh_library


@cache
def _factors() -> dict[str, list[dict[str, float]]]:
    """By cell type and model: factor on the parameter of every path."""
    path = resources.files("cell_types").joinpath("data/valid_hh.csv")
    if not path.is_file():
        return {}
    models: dict[str, dict[int, dict[str, float]]] = {}
    for row in csv.DictReader(path.read_text().splitlines()):
        of_type = models.setdefault(row["cell_type"], {})
        of_type.setdefault(int(row["model"]), {})[row["path"]] = float(row["factor"])
    return {name: [found[k] for k in sorted(found)] for name, found in models.items()}


def with_factors(cell: Cell, factors: Mapping[str, float]) -> Cell:
    """`cell` with parameters multiplied; a path ``"*.parameter"`` means every compartment."""
    return _multiplied(cell, nominal(cell, factors), factors)


def nominal(cell: Cell, patterns: Iterable[str]) -> dict[str, dict[str, Quantity]]:
    """By pattern: the paths that it stands for, with the values of `cell`."""
    found: dict[str, dict[str, Quantity]] = {}
    for pattern in patterns:
        values = {path: cell.get(path) for path in cell.paths(pattern)}
        found[pattern] = {p: v for p, v in values.items() if isinstance(v, Quantity)}
    return found


def _multiplied(
    cell: Cell, values: Mapping[str, Mapping[str, Quantity]], factors: Mapping[str, float]
) -> Cell:
    changed = {p: f * v for pattern, f in factors.items() for p, v in values[pattern].items()}
    # One individual: it does not vary.
    return replace(cell, variations=()).with_(changed)


@cache
def valid_models(name: str) -> tuple[Cell, ...]:
    """Cells of one type that differ in their conductances and all have its published features.

    Each is an individual, without variations of its own.

    Densities were drawn from the variations of the cell, models kept if every feature that has a
    target lies within 2 s.d. of it and the signature of the type holds (script:
    ``python -m cell_types.calibration.valid_hh``; the data file says how many were drawn).

    Parameters
    ----------
    name : str
        A cell type that exists in the fidelity ``hh``.

    Raises
    ------
    ModelError
        No such models; the nearest name is given.
    """
    if name not in _factors():
        raise unknown_name("cell with valid models", name, _factors())
    cell = _hh_library.build(name)
    models = _factors()[name]
    values = nominal(cell, dict.fromkeys(path for factors in models for path in factors))
    return tuple(_multiplied(cell, values, factors) for factors in models)
