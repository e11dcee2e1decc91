"""How a parameter differs between cells of one type."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from biomod.errors import ModelError
from biomod.model._base import Description, number, text
from biomod.units import read_quantity


@dataclass(frozen=True)
class Variation(Description):
    """A distribution of one parameter over the cells of a population.

    ``"lognormal"`` multiplies the parameter by a log-normal factor of mean 1 and coefficient of
    variation `cv` (for conductances, sizes and time constants, which cannot change sign);
    ``"normal"`` adds a normal deviate of standard deviation `sd` (for voltages). Draws beyond
    three standard deviations are drawn again. A path that begins with ``*`` varies the parameter
    of every compartment that has it, together: ``"*.g_leak"`` is one factor per cell.
    """

    path: str = text("path of the parameter in the cell")
    distribution: str = text("shape", choices=("lognormal", "normal"))
    cv: float | None = number(
        "coefficient of variation (lognormal)", default=None, nonnegative=True, maximum=2.0
    )
    sd: Any = None
    source: str = text("where the spread comes from", default="")

    def _check(self) -> None:
        if (self.distribution == "lognormal") != (self.cv is not None) or (
            self.distribution == "normal"
        ) != (self.sd is not None):
            raise ModelError(
                f"variation of {self.path}: a lognormal one needs cv and no sd, a normal one "
                "needs sd and no cv"
            )
        if self.sd is not None:
            sd = read_quantity(self.sd, f"sd of {self.path}")
            if not 0 <= sd.si < math.inf:
                raise ModelError(f"sd of {self.path} must be finite and not negative; not {sd!r}")
            object.__setattr__(self, "sd", sd)

    @property
    def key(self) -> str:
        """Name in a path."""
        return self.path
