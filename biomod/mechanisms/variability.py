"""Cell-to-cell variability: the value of every varied parameter in every cell."""

from __future__ import annotations

import math

import numpy as np

from biomod.errors import ModelError, UnitError
from biomod.mechanisms.randomness import stream
from biomod.model import Population, Variation
from biomod.units import DIMENSIONLESS, Quantity

__all__ = ["draw"]

LIMIT = 3.0  # standard deviations beyond which a value is drawn again


def draw(population: Population, seed: int) -> dict[str, np.ndarray]:
    """Draw the varied parameters of the cells of a population.

    With a standard normal deviate z that is drawn again while ``|z| > 3``,

    - ``"lognormal"``: ``x = x0 * exp(s z - s**2 / 2)`` with ``s = sqrt(log(1 + cv**2))``, a factor
      of mean 1 and coefficient of variation `cv` (up to the cut-off: at cv 0.3 the mean is 0.1 %
      and the CV 3 % lower);
    - ``"normal"``: ``x = x0 + sd * z``.

    Variations of one factor have correlated deviates, see :class:`~biomod.model.Variation`.

    Parameters
    ----------
    population : Population
        Its cell says which parameters vary and how.
    seed : int
        Seed of the circuit; each parameter has the stream ``heterogeneity/<population>/<path>``,
        each factor ``heterogeneity/<population>/factor <name>``.

    Returns
    -------
    dict of str to array of shape (size,)
        Values in SI units by path in the cell. Empty if the population is not heterogeneous.
        The first n values do not depend on how many cells follow.

    Raises
    ------
    ModelError
        A path is varied twice, has no numeric value, or takes a value that the cell does not
        allow (a spread that makes a conductance negative, say).
    UnitError
        The standard deviation of a normal variation has another unit than the parameter.
    """
    if not population.heterogeneous:
        return {}
    values: dict[str, np.ndarray] = {}
    for variation in population.cell.variations:
        deviates = _deviates(population, variation, seed)
        for path in population.cell.paths(variation.path):
            if path in values:
                raise ModelError(
                    f"population {population.name}: {path} is varied twice; one Variation "
                    "per parameter is allowed"
                )
            one = variation.with_(path=path)
            nominal = _nominal(population, one)
            values[path] = _spread(one, nominal.si, deviates)
            _check_allowed(population, one, nominal, values[path])
    return values


def _deviates(population: Population, variation: Variation, seed: int) -> np.ndarray:
    """Standard normal deviates within the limit, correlated through the factor.

    The inverse of the distribution function gives the distribution of redrawing, and unlike
    redrawing it lets cell i have the same value in populations of any size.
    """
    from scipy.special import ndtr, ndtri

    if variation.follows:
        total = sum(
            weight * _deviates(population, variation.with_(path=path, follows=()), seed)
            for path, weight in variation.follows
        )
        return np.asarray(total / math.hypot(*(w for _, w in variation.follows)))
    quantile = _uniform(population, variation.path, seed)
    if variation.factor:
        common = ndtri(_uniform(population, f"factor {variation.factor}", seed))
        own = math.sqrt(1 - variation.loading**2) * ndtri(quantile)
        quantile = ndtr(variation.loading * common + own)
    outside = ndtr(-LIMIT)
    deviates: np.ndarray = ndtri(outside + (1 - 2 * outside) * quantile)
    return deviates


def _uniform(population: Population, name: str, seed: int) -> np.ndarray:
    return stream(seed, f"heterogeneity/{population.name}/{name}").random(population.size)


def _spread(variation: Variation, nominal: float, z: np.ndarray) -> np.ndarray:
    if variation.cv is not None:
        s = math.sqrt(math.log1p(variation.cv**2))
        return np.asarray(nominal * np.exp(s * z - s**2 / 2))
    return np.asarray(nominal + variation.sd.si * z)


def _nominal(population: Population, variation: Variation) -> Quantity:
    value = population.cell.get(variation.path)
    if isinstance(value, bool) or not isinstance(value, Quantity | float | int):
        raise ModelError(
            f"population {population.name}: {variation.path} cannot vary, it has no numeric value "
            f"({value if value is None else type(value).__name__} was found)"
        )
    nominal = value if isinstance(value, Quantity) else Quantity(value, DIMENSIONLESS)
    if variation.sd is not None and variation.sd.dim != nominal.dim:
        raise UnitError(
            f"population {population.name}: sd of {variation.path} is {variation.sd!r}, but the "
            f"parameter is {nominal!r}; the units must agree"
        )
    return nominal


def _check_allowed(
    population: Population, variation: Variation, nominal: Quantity, values: np.ndarray
) -> None:
    """Let the cell itself judge the extremes: it knows the bounds of its parameters."""
    for extreme in (values.min(), values.max()):
        try:
            population.cell.with_({variation.path: Quantity(float(extreme), nominal.dim)})
        except ModelError as error:
            raise ModelError(
                f"population {population.name}: the variation of {variation.path} is too wide: "
                f"{error}"
            ) from None
