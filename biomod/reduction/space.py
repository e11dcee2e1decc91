"""Parameters as points of the unit cube, where the searches take place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np
import numpy.typing as npt

from biomod.reduction.models import Parameter

Array = npt.NDArray[np.float64]


class Parametrised(Protocol):
    """What has named parameters with bounds: a model, or shifts of the parameters of one."""

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """With their bounds."""

    @property
    def names(self) -> tuple[str, ...]:
        """Of the parameters."""


class Space:
    """Parameters as points of the unit cube, each on the scale of its search."""

    def __init__(self, model: Parametrised) -> None:
        self.model = model

    def to_cube(self, values: Mapping[str, float]) -> Array:
        """Place of a parameter set; values outside of the bounds count as the bound."""
        return np.array([
            p.place(np.clip(values[p.name], p.lower, p.upper)) for p in self.model.parameters
        ])  # fmt: skip

    def from_cube(self, points: Array) -> dict[str, Array]:
        """Parameter sets at some points, one a row."""
        columns = np.atleast_2d(points).T
        return {p.name: p.value(x) for p, x in zip(self.model.parameters, columns, strict=True)}
