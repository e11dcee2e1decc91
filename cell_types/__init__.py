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
from cell_types import _library

NAMES = tuple(_library.ACTIVE)


def get(name: str, fidelity: str = "dspike") -> Cell:
    """The cell type called `name`.

    Parameters
    ----------
    name : str
        One of :data:`NAMES`.
    fidelity : str
        ``"dspike"``: integrate-and-fire soma with event-driven dendritic spikes.

    Raises
    ------
    ModelError
        No such cell, or not in that fidelity.
    """
    if name not in NAMES:
        raise unknown_name("cell", name, NAMES)
    if fidelity != "dspike":
        raise ModelError(
            f"cell {name} exists in the fidelity 'dspike' only; {fidelity!r} was given"
        )
    return _library.build(name)


def catalogue() -> dict[str, Entry]:
    """Every cell of this package, for the entry-point group ``biomod.cells``."""
    return {
        name: Entry(
            name=name,
            build=partial(get, name),
            fidelities=("dspike",),
            species="mouse V1",
            summary=_library.SUMMARY[name],
            reference="Gouwens et al. 2019, 10.1038/s41593-019-0417-0",
        )
        for name in NAMES
    }
