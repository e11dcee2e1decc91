"""The library of named cells, each calibrated to published values.

>>> import cell_types
>>> cell = cell_types.get("L23_PC")
>>> cell.species
'mouse V1'
"""

from __future__ import annotations

from functools import partial

from biomod.errors import ModelError, unknown_name
from biomod.model import Cell
from biomod.registry import Entry
from cell_types import _hh_library, _library
from cell_types._valid import valid_models

__all__ = ["HH_NAMES", "NAMES", "catalogue", "fidelities", "get", "valid_models"]

NAMES = tuple(_library.ACTIVE)
"""Cells of fidelity ``dspike``."""

HH_NAMES = tuple(n for n in _hh_library.BLUEPRINTS if n in _hh_library.fitted_values())
"""Cells of fidelity ``hh``."""

_DATABASE = "Gouwens et al. 2019, 10.1038/s41593-019-0417-0"


def get(name: str, fidelity: str | None = None) -> Cell:
    """The cell type called `name`.

    Parameters
    ----------
    name : str
        One of :data:`NAMES` or :data:`HH_NAMES`.
    fidelity : str, optional
        ``"dspike"``: integrate-and-fire soma with event-driven dendritic spikes. ``"hh"``: spikes
        from ionic channels, on Brian2 and NEURON. By default the first that the cell has.

    Raises
    ------
    ModelError
        No such cell, or not in that fidelity.
    """
    on_offer = fidelities(name)
    chosen = on_offer[0] if fidelity is None else fidelity
    if chosen not in on_offer:
        raise ModelError(
            f"cell {name} exists in the fidelity {' and '.join(map(repr, on_offer))} only; "
            f"{fidelity!r} was given"
        )
    return _hh_library.build(name) if chosen == "hh" else _library.build(name)


def fidelities(name: str) -> tuple[str, ...]:
    """Levels of detail in which a cell type exists, the default first.

    Raises
    ------
    ModelError
        No such cell.
    """
    found = [f for f, names in (("dspike", NAMES), ("hh", HH_NAMES)) if name in names]
    if not found:
        raise unknown_name("cell", name, dict.fromkeys((*NAMES, *HH_NAMES)))
    return tuple(found)


def catalogue() -> dict[str, Entry]:
    """Every cell of this package, for the entry-point group ``biomod.cells``."""
    return {name: _entry(name) for name in dict.fromkeys((*NAMES, *HH_NAMES))}


def _entry(name: str) -> Entry:
    blueprint = _hh_library.BLUEPRINTS.get(name)
    species = blueprint.species if blueprint else "mouse V1"
    if name in NAMES and species != "mouse V1":
        species = f"mouse V1 (dspike), {species} (hh)"
    return Entry(
        name=name,
        build=partial(get, name),
        fidelities=fidelities(name),
        species=species,
        summary=_library.SUMMARY.get(name) or (blueprint.summary if blueprint else ""),
        reference=blueprint.reference if blueprint else _DATABASE,
    )
