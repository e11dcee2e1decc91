"""Surrogates: point neurons fitted to detailed cells or to recordings.

:func:`reduce` drives a cell with a protocol, fits a generalised integrate-and-fire or Izhikevich
neuron, and says how well it does on data that the fit has not seen.
"""

from __future__ import annotations

from biomod.reduction.circuits import CircuitReduction, with_surrogates
from biomod.reduction.conditioned import ConditionedReduction
from biomod.reduction.evaluation import SCORES
from biomod.reduction.fit import GENERATIONS, Fit
from biomod.reduction.kernel import simulate
from biomod.reduction.models import MODELS, Parameter, PointModel, point_model
from biomod.reduction.neuron_cell import neuron_cell
from biomod.reduction.point import level_5, point_cell
from biomod.reduction.protocol import Protocol
from biomod.reduction.recordings import Behaviour, Sweep, recordings, sweep
from biomod.reduction.saved import load_surrogate
from biomod.reduction.surrogate import Reduction, reduce

__all__ = [
    "GENERATIONS",
    "MODELS",
    "SCORES",
    "Behaviour",
    "CircuitReduction",
    "ConditionedReduction",
    "Fit",
    "Parameter",
    "PointModel",
    "Protocol",
    "Reduction",
    "Sweep",
    "level_5",
    "load_surrogate",
    "neuron_cell",
    "point_cell",
    "point_model",
    "recordings",
    "reduce",
    "simulate",
    "sweep",
    "with_surrogates",
]
