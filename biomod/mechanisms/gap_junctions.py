"""Which cells are joined by gap junctions, and how strongly; for every simulator the same pairs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from biomod.errors import ModelError, unknown_name
from biomod.mechanisms._sheet import Sheet, draw_pairs, log_probability
from biomod.mechanisms.randomness import stream
from biomod.model import Circuit, GapJunctions

__all__ = ["GapPairs", "gap_pairs"]


@dataclass(frozen=True, eq=False)
class GapPairs:
    """The electrical synapses of one :class:`~biomod.model.GapJunctions`; each pair once.

    Parameters
    ----------
    a, b : int32 arrays of shape (n,)
        Index of the two cells within their populations; ``a < b`` if these are the same.
    g : float64 array of shape (n,)
        Conductance in S. The current into a is ``g (v_b - v_a)``, that into b its opposite.
    """

    a: np.ndarray
    b: np.ndarray
    g: np.ndarray

    def __post_init__(self) -> None:
        for name, kind in {"a": "i4", "b": "i4", "g": "f8"}.items():
            array = np.asarray(getattr(self, name), dtype=kind)
            if array.ndim != 1 or len(array) != len(self.a):
                raise ModelError(f"gap junctions: {name} must be one number per pair")
            object.__setattr__(self, name, array)

    def __len__(self) -> int:
        return len(self.a)


def gap_pairs(circuit: Circuit, junctions: GapJunctions | str) -> GapPairs:
    """Draw the pairs of cells that gap junctions join, and their conductances.

    Each pair of cells is joined at most once, independently of the others, with probability
    ``p_max * exp(-d**2 / (2 sigma**2))`` at lateral distance d with periodic borders (``p_max``
    without `sigma`); no cell is joined to itself. Conductances are ``g * exp(g_shape * z)`` with
    standard normal z.

    Parameters
    ----------
    circuit : Circuit
        Gives populations, side and seed.
    junctions : GapJunctions or str
        Between populations of the circuit; or the key of one of its own, e.g. ``"PV--PV"``.

    Returns
    -------
    GapPairs
        Ordered by `b`, then `a`. The streams are ``gap_junctions/<key>`` and
        ``gap_conductances/<key>``: who is joined does not depend on how strongly.

    Raises
    ------
    ModelError
        The circuit has no such gap junctions or population; a distance rule without a side.
    """
    rule = _find(circuit, junctions)
    sheet = Sheet.of(circuit, rule.a, rule.b, rule.sigma)
    rng = stream(circuit.seed, f"gap_junctions/{rule.key}")
    a, b, _ = draw_pairs(sheet, log_probability(rule.p_max), rng)
    if rule.a == rule.b:  # (i, j) and (j, i) were drawn; the pair is the first of them
        once = a < b
        a, b = a[once], b[once]
    g = np.full(len(a), rule.g.si)
    if rule.g_shape > 0:
        z = stream(circuit.seed, f"gap_conductances/{rule.key}").standard_normal(len(a))
        g *= np.exp(rule.g_shape * z)
    return GapPairs(a, b, g)


def _find(circuit: Circuit, junctions: GapJunctions | str) -> GapJunctions:
    if isinstance(junctions, str):
        by_key = {j.key: j for j in circuit.gap_junctions}
        if junctions not in by_key:
            raise unknown_name(f"gap junctions of circuit {circuit.name}", junctions, by_key)
        return by_key[junctions]
    if junctions.sigma is not None and circuit.side is None:
        raise ModelError(f"gap junctions {junctions.key}: a distance rule needs Circuit(side=...)")
    return junctions
