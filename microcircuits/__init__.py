"""Named cortical microcircuits, built from published counts and connectivity at any size.

>>> import microcircuits
>>> circuit = microcircuits.get("l23", cells=400, seed=1)
>>> sorted(circuit.cells)
['PC', 'PV', 'SST', 'VIP']
"""

from __future__ import annotations

from functools import partial

from biomod.errors import unknown_name
from biomod.model import Circuit
from biomod.registry import Entry
from microcircuits._column import cortical_column
from microcircuits._l23 import l23

_BUILDERS = {"l23": l23, "cortical_column": cortical_column}
_SUMMARY = {
    "l23": "mouse V1 layer 2/3: pyramidal, PV, SST and VIP cells",
    "cortical_column": "mouse V1 layers 2/3 to 6: L2/3, L4, L5 IT and ET, L6 CT pyramidal cells, "
    "PV, SST and VIP cells of every layer",
}


def get(name: str, cells: int | None = None, seed: int = 1) -> Circuit:
    """The circuit called `name`.

    Parameters
    ----------
    name : str
        ``"l23"`` or ``"cortical_column"``.
    cells : int, optional
        Total number of cells; 1000 by default.
    seed : int
        Seed of positions, connections, heterogeneity and background.
    """
    if name not in _BUILDERS:
        raise unknown_name("circuit", name, _BUILDERS)
    return _BUILDERS[name](1000 if cells is None else cells, seed)


def catalogue() -> dict[str, Entry]:
    """Every circuit of this package, for the entry-point group ``biomod.circuits``."""
    return {
        name: Entry(
            name=name,
            build=partial(get, name),
            species="mouse V1",
            summary=_SUMMARY[name],
            reference="Campagnola, Seeman et al. 2022, 10.1126/science.abj5861",
        )
        for name in _BUILDERS
    }
