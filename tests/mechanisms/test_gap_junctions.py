"""Pairs of electrically coupled cells against the probabilities and distributions asked for."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from biomod.errors import ModelError
from biomod.mechanisms.connectivity import positions
from biomod.mechanisms.gap_junctions import GapPairs, gap_pairs
from biomod.model import Cell, Circuit, GapJunctions, Population, Soma

SIDE = 500e-6
CELL = Cell("PV", (Soma("soma", "20 um", "20 um", "50 uS/cm2", "-70 mV"),), fidelity="hh")


def circuit(*rules: GapJunctions, sizes: dict[str, int] | None = None, seed: int = 1) -> Circuit:
    populations = tuple(Population(n, CELL, k) for n, k in (sizes or {"PV": 400}).items())
    return Circuit("c", populations, gap_junctions=rules, side="500 um", seed=seed)


def rule(a: str = "PV", b: str = "PV", g: str = "1 nS", p: float = 0.1, **m: Any) -> GapJunctions:
    return GapJunctions(a, b, "soma", g, p, **m)


def draw(r: GapJunctions, sizes: dict[str, int] | None = None, seed: int = 1) -> GapPairs:
    return gap_pairs(circuit(r, sizes=sizes, seed=seed), r)


@pytest.mark.parametrize("p", [0.05, 0.6])
def test_each_pair_of_a_population_is_joined_with_the_probability_asked_for(p: float) -> None:
    found = draw(rule(p=p))
    possible = 400 * 399 / 2
    assert abs(len(found) - p * possible) < 4 * math.sqrt(possible * p * (1 - p))


def test_no_cell_is_joined_to_itself_and_no_pair_twice() -> None:
    found = draw(rule(p=1.0), {"PV": 30})
    assert (found.a < found.b).all()
    assert len(set(zip(found.a.tolist(), found.b.tolist(), strict=True))) == 30 * 29 / 2


def test_probability_falls_with_distance_as_a_gaussian() -> None:
    sigma = 60e-6
    r = rule(p=0.8, sigma="60 um")
    c = circuit(r)
    found, at = gap_pairs(c, r), positions(c)["PV"]
    delta = np.abs(at[:, None] - at[None])
    distance = np.hypot(*np.moveaxis(np.minimum(delta, SIDE - delta), -1, 0))
    joined = np.zeros(distance.shape, bool)
    joined[found.a, found.b] = True
    upper = np.triu(np.ones_like(joined), 1)
    for low, high in ((0, 40e-6), (40e-6, 80e-6), (80e-6, 140e-6)):
        these = upper & (distance >= low) & (distance < high)
        p = 0.8 * np.exp(-(distance[these] ** 2) / (2 * sigma**2))
        assert abs(joined[these].sum() - p.sum()) < 4 * math.sqrt((p * (1 - p)).sum())


def test_conductances_are_log_normal_around_the_median() -> None:
    found = draw(rule(g="2 nS", p=0.3, g_shape=0.5))
    z = np.log(found.g / 2e-9) / 0.5
    assert abs(z.mean()) < 4 / math.sqrt(len(z))
    assert abs(z.std() - 1) < 4 / math.sqrt(2 * len(z))


def test_two_populations_have_all_their_pairs() -> None:
    found = draw(rule("PV", "SST", p=1.0), {"PV": 5, "SST": 7})
    assert sorted(zip(found.a, found.b, strict=True)) == [
        (i, j) for i in range(5) for j in range(7)
    ]


def test_pairs_depend_on_the_seed_but_not_on_conductances_or_other_populations() -> None:
    base = draw(rule())
    for other in (draw(rule(g="3 nS", g_shape=1.0)), draw(rule(), {"X": 3, "PV": 400})):
        np.testing.assert_array_equal(base.a, other.a)
        np.testing.assert_array_equal(base.b, other.b)
    assert not np.array_equal(base.a, draw(rule(), seed=2).a)


def test_an_unknown_key_is_refused_with_the_nearest() -> None:
    with pytest.raises(ModelError, match="PV--PV"):
        gap_pairs(circuit(rule()), "PV-PV")


def test_a_pair_of_populations_in_both_orders_is_refused() -> None:
    with pytest.raises(ModelError, match="both orders"):
        circuit(rule("PV", "SST"), rule("SST", "PV"), sizes={"PV": 2, "SST": 2})
