"""How a parameter differs between cells of one type."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from biomod.errors import ModelError
from biomod.model._base import Description, number, parts, text
from biomod.units import read_quantity


@dataclass(frozen=True)
class Variation(Description):
    """A distribution of one parameter over the cells of a population.

    ``"lognormal"`` multiplies the parameter by a log-normal factor of mean 1 and coefficient of
    variation `cv` (for conductances, sizes and time constants, which cannot change sign);
    ``"normal"`` adds a normal deviate of standard deviation `sd` (for voltages). Draws beyond
    three standard deviations are drawn again. A path that begins with ``*`` varies the parameter
    of every compartment that has it, together: ``"*.g_leak"`` is one factor per cell.

    Variations that name the same `factor` are correlated: behind each stands the deviate
    ``loading * z_factor + sqrt(1 - loading**2) * z_own``, so that two of them have the correlation
    of the product of their loadings. Conductances that compensate each other vary together, as
    expressed together (Schulz, Goaillard & Marder 2007, 10.1073/pnas.0705827104).

    With `follows`, pairs of a path and a weight w, the deviate is no new one but ``sum(w z) /
    sqrt(sum(w**2))`` of the deviates z that uncorrelated variations of these paths would have. The
    paths need not exist in this cell: so a simpler cell differs from its like as the richer one
    does.
    """

    path: str = text("path of the parameter in the cell")
    distribution: str = text("shape", choices=("lognormal", "normal"))
    cv: float | None = number(
        "coefficient of variation (lognormal)", default=None, nonnegative=True, maximum=2.0
    )
    sd: Any = None
    source: str = text("where the spread comes from", default="")
    factor: str = text("name of what this parameter varies with", default="")
    loading: float = number("correlation with the factor, above -1 and below 1", default=0.0)
    follows: tuple[tuple[str, float], ...] = parts(
        "paths whose deviates make up this one, and their weights", default=()
    )

    def _check(self) -> None:
        if not -1 < self.loading < 1 or bool(self.factor) != bool(self.loading):
            raise ModelError(
                f"variation of {self.path}: a factor has a loading between -1 and 1 that is not 0; "
                f"factor {self.factor!r} and loading {self.loading:g} were given"
            )
        self._check_follows()
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

    def _check_follows(self) -> None:
        pairs = all(isinstance(f, tuple | list) and len(f) == 2 for f in self.follows)
        weights = tuple((str(p), float(w)) for p, w in self.follows) if pairs else ()
        size = math.hypot(*(w for _, w in weights))
        if not pairs or (weights and not 0 < size < math.inf) or (weights and self.factor):
            raise ModelError(
                f"variation of {self.path}: follows must be (path, weight) pairs with a weight "
                f"that is not 0, and without a factor; {self.follows!r} was given"
            )
        object.__setattr__(self, "follows", weights)

    @property
    def key(self) -> str:
        """Name in a path."""
        return self.path
