"""Surrogates for other simulators, each with what is lost on the way."""

from __future__ import annotations

from biomod.reduction.export._common import Exported
from biomod.reduction.export.allensdk import from_allensdk, to_allensdk
from biomod.reduction.export.brian2 import brian2_arguments
from biomod.reduction.export.nest import from_nest, to_nest

__all__ = [
    "Exported",
    "brian2_arguments",
    "from_allensdk",
    "from_nest",
    "to_allensdk",
    "to_nest",
]
