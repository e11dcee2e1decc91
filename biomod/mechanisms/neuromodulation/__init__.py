"""Neuromodulation: receptors, their effects on cells and circuits, and concentrations.

The tables of the package data become descriptions (:func:`receptors`, :func:`effects`,
:func:`expressed_by`); :func:`express` gives a cell the receptors of its type, :func:`resolve`
says which parameters of the cell they change (and lists what the cell cannot express), and
:func:`modulation` computes how these parameters change over time in a circuit.

>>> from biomod.mechanisms.neuromodulation import receptors
>>> round(receptors()["M1"].occupancy("3 uM"), 12)
0.5
"""

from biomod.mechanisms.neuromodulation.course import Course, Modulation, modulation
from biomod.mechanisms.neuromodulation.expressing import express
from biomod.mechanisms.neuromodulation.kinetics import activation, concentration, occupancy
from biomod.mechanisms.neuromodulation.library import (
    CELL_TYPES,
    EXCITATORY,
    H3_CONSTITUTIVE,
    INHIBITORY,
    effects,
    effects_on,
    expressed_by,
    expression_level,
    neuron_class,
    outside_cells,
    receptors,
)
from biomod.mechanisms.neuromodulation.projections import (
    AppliedToProjection,
    ProjectionResolution,
    applied_to_projections,
)
from biomod.mechanisms.neuromodulation.resolution import (
    AppliedEffect,
    Change,
    Resolution,
    modulatable,
    resolve,
    switch,
)
from biomod.mechanisms.neuromodulation.transmission import (
    Release,
    TableValue,
    phasic,
    quantities,
    release,
    tonic_default,
)

__all__ = [
    "CELL_TYPES",
    "EXCITATORY",
    "H3_CONSTITUTIVE",
    "INHIBITORY",
    "AppliedEffect",
    "AppliedToProjection",
    "Change",
    "Course",
    "Modulation",
    "ProjectionResolution",
    "Release",
    "Resolution",
    "TableValue",
    "activation",
    "applied_to_projections",
    "concentration",
    "effects",
    "effects_on",
    "express",
    "expressed_by",
    "expression_level",
    "modulatable",
    "modulation",
    "neuron_class",
    "occupancy",
    "outside_cells",
    "phasic",
    "quantities",
    "receptors",
    "release",
    "resolve",
    "switch",
    "tonic_default",
]
