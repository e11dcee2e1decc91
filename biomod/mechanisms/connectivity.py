"""Who is connected to whom: positions on the sheet, and the synapses of a projection.

The rule is that of :class:`biomod.model.Projection`: a connection exists with probability
``p = min(1, f p_max exp(-d**2 / (2 sigma**2)))``, independently for every pair of cells.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from biomod.errors import ModelError, unknown_name
from biomod.mechanisms._sheet import Sheet, draw_pairs, log_probability, place
from biomod.mechanisms.randomness import stream
from biomod.model import Circuit, Projection
from biomod.units import Quantity, as_quantity

__all__ = ["Connections", "connect", "positions", "reference_in_degree"]

# Resolution of the histogram from which the factor on the probabilities is found.
BINS = 2**16


@dataclass(frozen=True, eq=False)
class Connections:
    """The synapses of one projection, ordered by postsynaptic and then by presynaptic cell.

    Parameters
    ----------
    pre, post : int32 arrays of shape (n,)
        Index of the cell within its population.
    compartment : int8 array of shape (n,)
        Index into ``projection.compartments``.
    weight : float64 array of shape (n,)
        Peak conductance in S, `weight_factor` included.
    delay : float64 array of shape (n,)
        In s.
    weight_factor : float
        What weights were multiplied by because all-to-all was too few connections; usually 1.
    p_factor : float
        What ``p_max`` was multiplied by to reach the in-degree; infinite for all-to-all.
    """

    pre: np.ndarray
    post: np.ndarray
    compartment: np.ndarray
    weight: np.ndarray
    delay: np.ndarray
    weight_factor: float = 1.0
    p_factor: float = 1.0

    def __post_init__(self) -> None:
        kinds = {"pre": "i4", "post": "i4", "compartment": "i1", "weight": "f8", "delay": "f8"}
        for name, kind in kinds.items():
            array = np.asarray(getattr(self, name), dtype=kind)
            if array.ndim != 1 or len(array) != len(self.pre):
                raise ModelError(f"connections: {name} must be one number per synapse")
            object.__setattr__(self, name, array)
        for name in ("pre", "post", "compartment"):
            if len(self) and getattr(self, name).min() < 0:
                raise ModelError(f"connections: {name} holds a negative index")

    def __len__(self) -> int:
        return len(self.pre)

    def in_degree(self, size: int) -> np.ndarray:
        """Number of synapses onto each of the `size` postsynaptic cells."""
        return _count(self.post, size, "post")

    def out_degree(self, size: int) -> np.ndarray:
        """Number of synapses from each of the `size` presynaptic cells."""
        return _count(self.pre, size, "pre")


def _count(index: np.ndarray, size: int, what: str) -> np.ndarray:
    if len(index) and index.max() >= size:
        raise ModelError(
            f"connections: {what} cell {index.max()} does not exist in a population of {size}"
        )
    return np.bincount(index, minlength=size)


def reference_in_degree(p_max: float, sigma: Quantity, density: Quantity) -> float:
    """Mean number of connections per cell on an infinite sheet.

    The integral of ``density * p_max * exp(-d**2 / (2 sigma**2))`` over the plane:
    ``2 pi sigma**2 density p_max``.

    Parameters
    ----------
    p_max : float
        Probability at distance 0, in 0…1.
    sigma : quantity
        Spatial spread (length).
    density : quantity
        Presynaptic cells per area of the sheet, e.g. ``"8e4 1/mm2"``.
    """
    width = as_quantity(sigma, "um", "sigma").si
    return 2 * math.pi * width**2 * as_quantity(density, "1/mm2", "density").si * float(p_max)


def positions(circuit: Circuit) -> dict[str, np.ndarray]:
    """Place the cells at uniformly random points of the square sheet.

    Returns
    -------
    dict of str to array of shape (size, 2)
        x and y in m, in ``[0, side)``, by population; zeros if the circuit has no side. They
        come from the stream ``positions/<population>``, so the first n cells stay where they
        are when there are more.
    """
    return {p.name: place(circuit, p) for p in circuit.populations}


def connect(circuit: Circuit, projection: Projection | str) -> Connections:
    """Draw the synapses of a projection.

    Each pair of cells is connected at most once, with probability
    ``p = min(1, f p_max exp(-d**2 / (2 sigma**2)))`` where d is the lateral distance with
    periodic borders (``exp(…) = 1`` without `sigma`); no cell is connected to itself. With
    `in_degree` K the factor f is the one for which the sum of p over all pairs is K per
    postsynaptic cell; where even p = 1 everywhere is too few, all pairs are connected and the
    weights multiplied by K / (connections per cell). Without `in_degree`, f = 1.

    Weights are ``weight * exp(weight_shape * z)`` with standard normal z; the target compartment
    is drawn with the shares as probabilities; delays are ``delay + d / velocity``.

    Parameters
    ----------
    circuit : Circuit
        Gives populations, side and seed.
    projection : Projection or str
        Between two populations of the circuit; or the key of one of its own, e.g. ``"PC->PV"``.

    Returns
    -------
    Connections
        Ordered by `post`, then `pre`. It depends on the seed, the key and the parameters of
        this projection and on the positions of the two populations, and on nothing else. The
        streams are ``connectivity/<key>``, ``compartments/<key>`` and ``weights/<key>``: which
        pairs are connected does not depend on how strongly.

    Raises
    ------
    ModelError
        The circuit has no such projection or population; an in-degree is asked for with
        ``p_max = 0``, or a distance rule without a side.
    """
    projection = _find(circuit, projection)
    sheet = Sheet.of(circuit, projection.pre, projection.post, projection.sigma)
    log_scale, weight_factor = _scales(sheet, projection)
    rng = stream(circuit.seed, f"connectivity/{projection.key}")
    pre, post, distance = draw_pairs(sheet, log_scale, rng)
    delay = np.full(len(pre), projection.delay.si)
    if projection.velocity is not None:
        delay += distance / projection.velocity.si
    return Connections(
        pre=pre,
        post=post,
        compartment=_targets(circuit, projection, len(pre)),
        weight=_weights(circuit, projection, len(pre)) * weight_factor,
        delay=delay,
        weight_factor=weight_factor,
        p_factor=_ratio(log_scale, projection.p_max),
    )


def _find(circuit: Circuit, projection: Projection | str) -> Projection:
    if isinstance(projection, str):
        by_key = {p.key: p for p in circuit.projections}
        if projection not in by_key:
            raise unknown_name(f"projection of circuit {circuit.name}", projection, by_key)
        return by_key[projection]
    if projection.sigma is not None and circuit.side is None:
        raise ModelError(f"projection {projection.key}: a distance rule needs Circuit(side=...)")
    return projection


def _targets(circuit: Circuit, projection: Projection, n: int) -> np.ndarray:
    if len(projection.compartments) == 1:
        return np.zeros(n, np.int8)
    shares = np.cumsum([share for _, share in projection.compartments])
    rng = stream(circuit.seed, f"compartments/{projection.key}")
    # The last share is exactly 1 and the numbers are below 1, so every index is valid.
    return np.searchsorted(shares / shares[-1], rng.random(n), side="right").astype(np.int8)


def _weights(circuit: Circuit, projection: Projection, n: int) -> np.ndarray:
    weights = np.full(n, projection.weight.si)
    if projection.weight_shape > 0:
        rng = stream(circuit.seed, f"weights/{projection.key}")
        weights *= np.exp(projection.weight_shape * rng.standard_normal(n))
    return weights


def _scales(sheet: Sheet, projection: Projection) -> tuple[float, float]:
    """``log(f p_max)``, which may exceed the logarithm of any float, and the factor on weights."""
    wanted, nominal = projection.in_degree, log_probability(projection.p_max)
    if wanted is None or sheet.available == 0:
        return nominal, 1.0
    if wanted == 0:
        return -math.inf, 1.0
    if projection.p_max == 0:
        raise ModelError(
            f"projection {projection.key}: in_degree {wanted:g} cannot be reached with p_max = 0"
        )
    if wanted >= sheet.available:
        return math.inf, wanted / sheet.available
    if projection.sigma is None:
        return math.log(wanted / sheet.available), 1.0
    return _log_scale(sheet, wanted), 1.0


def _log_scale(sheet: Sheet, in_degree: float) -> float:
    """``log(f p_max)`` for which the mean expected in-degree is the one wanted."""
    total = in_degree * len(sheet.post)
    mass = sum(float(np.exp(-sheet.exponents(*rows)).sum()) for rows in sheet.rows())
    # A cell and itself, at distance 0, are not a pair.
    mass -= len(sheet.post) * sheet.same
    # Every p is at most 1 if the one at distance 0 is, and then they are all proportional to f.
    if total <= mass:
        return math.log(total / mass)
    expected = _expected_connections(sheet)
    low, high = 0.0, sheet.largest_exponent
    while high - low > 1e-13 * max(1.0, high):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if expected(middle) < total else (low, middle)
    return 0.5 * (low + high)


def _expected_connections(sheet: Sheet) -> Callable[[float], float]:
    """``log(f p_max) -> sum of p over all pairs``, from one pass over the pairs.

    The exponents are sorted into bins; of each bin its count and ``sum(exp(-(e - e_low)))`` are
    kept. Bins in which all p are below 1, or all are 1, are then exact, and so is a bin with one
    pair; in the one bin between, the error is at most its pairs times its width: in all far
    below the sampling error of the connections.
    """
    width = max(sheet.largest_exponent, 1e-12) * (1 + 1e-9) / BINS
    count, mass = np.zeros(BINS), np.zeros(BINS)
    for start, stop in sheet.rows():
        exponent = sheet.exponents(start, stop)
        exponent /= width
        bins = exponent.astype(np.int32)
        count += np.bincount(bins, minlength=BINS)
        mass += np.bincount(bins, np.exp((bins - exponent) * width), minlength=BINS)
    if sheet.same:  # a cell and itself fell into the first bin
        count[0] -= len(sheet.post)
        mass[0] -= len(sheet.post)
    edges = np.arange(BINS) * width

    def expected(log_scale: float) -> float:
        # Beyond exp(700) a bin is full whatever its mass.
        scale = np.exp(np.minimum(log_scale - edges, 700.0))
        return float(np.minimum(count, scale * mass).sum())

    return expected


def _ratio(log_scale: float, p_max: float) -> float:
    """``exp(log_scale) / p_max``, infinite where that exceeds the largest float."""
    if p_max == 0:
        return 1.0 if log_scale == -math.inf else math.inf
    logarithm = log_scale - math.log(p_max)
    return math.exp(logarithm) if logarithm < 709 else math.inf
