"""Surrogates for other simulators and chips, each with what is lost on the way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from biomod.errors import ModelError, unknown_name
from biomod.reduction.export._common import Exported
from biomod.reduction.export.allensdk import from_allensdk, to_allensdk
from biomod.reduction.export.brian2 import brian2_arguments
from biomod.reduction.export.chips import CHIPS, to_chip
from biomod.reduction.export.fixed import Q8, S16_15, FixedNeuron, Format, fixed_point, to_fixed
from biomod.reduction.export.nest import from_nest, to_nest
from biomod.reduction.export.nir import read_graph, to_nir
from biomod.reduction.export.pynn import pynn_cell, to_pynn
from biomod.reduction.export.resets import with_reset
from biomod.reduction.export.sonata import to_sonata
from biomod.reduction.fit import Fit
from biomod.reduction.models import RESETS, glif

__all__ = [
    "CHIPS",
    "Q8",
    "S16_15",
    "TARGETS",
    "Exported",
    "FixedNeuron",
    "Format",
    "Target",
    "brian2_arguments",
    "fixed_point",
    "from_allensdk",
    "from_nest",
    "pynn_cell",
    "read_graph",
    "target",
    "to_allensdk",
    "to_chip",
    "to_fixed",
    "to_nest",
    "to_nir",
    "to_pynn",
    "to_sonata",
    "with_reset",
]


@dataclass(frozen=True)
class Target:
    """A format that a surrogate can be written in.

    Attributes
    ----------
    models : tuple of str
        Models that it has.
    file : str
        Name of the file (for SONATA of the folder) that the command line writes.
    write : callable
        From a fit to what is written.
    """

    name: str
    models: tuple[str, ...]
    file: str
    write: Callable[[Fit], Exported]


def target(format: str, model: str) -> Target:
    """The format of that name, for a model.

    Raises
    ------
    ModelError
        The format is unknown or does not have the model.
    """
    if format not in TARGETS:
        raise unknown_name("format", format, TARGETS)
    found = TARGETS[format]
    if model not in found.models:
        raise ModelError(f"{format} does not have the model {model}, only {_listed(found.models)}")
    return found


def _listed(models: tuple[str, ...]) -> str:
    """Names without those of the resets, which follow from the level."""
    return ", ".join(m for m in models if "_" not in m)


def _levels(*levels: int) -> tuple[str, ...]:
    return tuple(glif(level, reset).name for reset in RESETS for level in levels)


_GLIF = _levels(1, 2, 3, 4, 5)
_INTEGER = (*_GLIF, "lif", "alif", "izhikevich", "izhikevich2003", "qif")
_PYNN = (*_levels(1), "lif", "eif", "adex", "izhikevich2003")
_GRAPH = (*_levels(1, 3), "lif")
TARGETS: Mapping[str, Target] = {
    t.name: t
    for t in (
        Target("nest", _GLIF, "nest.json", to_nest),
        Target("allensdk", _GLIF, "allensdk.json", to_allensdk),
        Target("nir", _GRAPH, "surrogate.nir", to_nir),
        Target("pynn", _PYNN, "pynn.json", to_pynn),
        Target("sonata", (*_GLIF, "lif"), "sonata", to_sonata),
        Target("fixed", _INTEGER, "fixed.json", to_fixed),
        Target("fixed8", _INTEGER, "fixed8.json", partial(to_fixed, format=Q8, dt=1.0)),
        *(
            Target(name, chip.models, f"{name}.json", partial(to_chip, chip=name))
            for name, chip in CHIPS.items()
        ),
    )
}
