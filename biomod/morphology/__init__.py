"""Cells with a reconstructed or constructed shape, in detail and reduced to a few compartments.

:func:`read_swc` reads a reconstruction; :class:`DetailedCell` puts a membrane on it;
:meth:`DetailedCell.cell` makes a :class:`~biomod.model.Cell` of many small compartments of it,
and :func:`reduce_tree` one of a few that behaves alike at chosen sites.
"""

from biomod.morphology.detailed import DetailedCell, Membrane
from biomod.morphology.grid import Grid
from biomod.morphology.reduction import Reduction, ReductionReport, reduce_tree
from biomod.morphology.swc import read_swc
from biomod.morphology.tree import Location, Morphology, Section

__all__ = [
    "DetailedCell",
    "Grid",
    "Location",
    "Membrane",
    "Morphology",
    "Reduction",
    "ReductionReport",
    "Section",
    "read_swc",
    "reduce_tree",
]
