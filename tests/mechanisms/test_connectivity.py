"""Connections against the probabilities, distributions and in-degrees that were asked for."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from biomod.errors import ModelError
from biomod.mechanisms.connectivity import (
    Connections,
    connect,
    positions,
    reference_in_degree,
)
from biomod.model import (
    Cell,
    Circuit,
    Coupling,
    Dendrite,
    Population,
    Projection,
    Soma,
    SynapticReceptor,
)

AMPA = SynapticReceptor("AMPA", "AMPA", "0 mV", "2 ms")
SOMA = Soma("soma", "20 um", "20 um", "50 uS/cm2", "-70 mV", receptors=(AMPA,))
TUFT = Dendrite("tuft", "200 um", "2 um", "50 uS/cm2", "-70 mV", receptors=(AMPA,))
CELL = Cell("PC", (SOMA, TUFT), (Coupling("soma", "tuft"),), fidelity="hh")
SIDE = 500e-6


def projection(pre="PC", post="PC", **changes):
    values = {
        "p_max": 0.2, "weight": "1 nS", "compartments": (("soma", 0.25), ("tuft", 0.75)),
        "receptors": (("AMPA", 1.0),), "delay": "1 ms",
    }  # fmt: skip
    return Projection(pre, post, **{**values, **changes})


def circuit(*projections, sizes=None, side="500 um", seed=1):
    sizes = sizes or {"PC": 1500, "PV": 300}
    populations = tuple(Population(name, CELL, n) for name, n in sizes.items())
    return Circuit("c", populations, projections, side=side, seed=seed)


def one(sizes=None, side="500 um", seed=1, **changes):
    p = projection(**changes)
    return connect(circuit(p, sizes=sizes, side=side, seed=seed), p)


def pair_distances(c, pre, post):
    """All distances, written as the definition: over the nine images of the square."""
    at = positions(c)
    shifts = [(i * SIDE, j * SIDE) for i in (-1, 0, 1) for j in (-1, 0, 1)]
    delta = at[post][:, None] - at[pre][None]
    return np.min([np.hypot(*np.moveaxis(delta + s, -1, 0)) for s in shifts], axis=0)


# positions ------------------------------------------------------------------------------------
def test_positions_are_uniform_on_the_square():
    xy = positions(circuit(sizes={"PC": 20_000}))["PC"]
    assert xy.shape == (20_000, 2)
    for axis in (0, 1):
        assert stats.kstest(xy[:, axis] / SIDE, "uniform").pvalue > 1e-3
    assert abs(np.corrcoef(xy.T)[0, 1]) < 5 / math.sqrt(20_000)


def test_positions_without_a_side_are_zero():
    assert not positions(circuit(side=None))["PC"].any()


def test_positions_of_one_population_do_not_depend_on_others_or_on_size():
    base = positions(circuit())["PC"]
    assert np.array_equal(base, positions(circuit(sizes={"X": 5, "PC": 1500}))["PC"])
    assert np.array_equal(base[:50], positions(circuit(sizes={"PC": 50}))["PC"])
    assert not np.array_equal(base, positions(circuit(seed=2))["PC"])


# who is connected -----------------------------------------------------------------------------
def test_shapes_types_order_and_uniqueness():
    s = one(sigma="100 um", velocity="300 um/ms", weight_shape=0.5)
    assert [a.dtype.str[1:] for a in (s.pre, s.post, s.compartment, s.weight, s.delay)] == [
        "i4", "i4", "i1", "f8", "f8",
    ]  # fmt: skip
    pair = s.post.astype(np.int64) * 1500 + s.pre
    assert np.all(np.diff(pair) > 0)  # ordered by post, then pre, and no pair twice
    assert not np.any(s.pre == s.post)
    assert s.pre.max() < 1500
    assert s.post.max() < 1500
    assert s.weight_factor == 1
    assert s.p_factor == 1


@pytest.mark.parametrize("p", [0.003, 0.19, 0.21, 0.7])
def test_uniform_probability_gives_binomial_in_degrees(p):
    s = one(p_max=p, post="PV")
    degree = s.in_degree(300)
    assert len(s) == pytest.approx(300 * 1500 * p, abs=5 * math.sqrt(300 * 1500 * p * (1 - p)))
    variance = 1500 * p * (1 - p)
    assert degree.var() == pytest.approx(variance, rel=5 * math.sqrt(2 / 300))


def test_every_pair_is_equally_likely_and_independent():
    # 40 pairs in 4000 circuits: counts are binomial, and pairs uncorrelated.
    present = np.zeros((4000, 40))
    for seed in range(4000):
        s = one(sizes={"PC": 8, "PV": 5}, post="PV", p_max=0.15, side=None, seed=seed)
        present[seed, s.post * 8 + s.pre] = 1
    z = (present.mean(0) - 0.15) / math.sqrt(0.15 * 0.85 / 4000)
    assert np.abs(z).max() < 5
    assert stats.kstest(z, "norm").pvalue > 1e-3
    correlation = np.corrcoef(present.T) - np.eye(40)
    assert np.abs(correlation).max() < 5.5 / math.sqrt(4000)


def test_probability_falls_with_distance_as_a_gaussian():
    p = projection(post="PV", p_max=0.4, sigma="80 um")
    c = circuit(p, sizes={"PC": 3000, "PV": 1000})
    s = connect(c, p)
    distance = pair_distances(c, "PC", "PV")
    connected = np.zeros(distance.shape, bool)
    connected[s.post, s.pre] = True
    for low in range(0, 320, 20):
        here = (distance >= low * 1e-6) & (distance < (low + 20) * 1e-6)
        expected = (0.4 * np.exp(-(distance[here] ** 2) / 2 / 80e-6**2)).mean()
        error = math.sqrt(expected * (1 - expected) / here.sum())
        assert connected[here].mean() == pytest.approx(expected, abs=4.5 * error)


def test_sigma_is_recovered_from_the_distances_of_connections():
    # In the plane d² of the connections is exponential with mean 2 sigma².
    p = projection(p_max=0.3, sigma="40 um", velocity="300 um/ms", delay="0 ms")
    s = connect(circuit(p, sizes={"PC": 3000}), p)
    distance = s.delay * 0.3
    assert math.sqrt((distance**2).mean() / 2) == pytest.approx(40e-6, rel=5 / math.sqrt(len(s)))


def test_infinite_sheet_in_degree():
    # 500 um across is 12 sigma: the square is as good as infinite.
    n, sigma = 4000, 40e-6
    s = one(sizes={"PC": n, "PV": 1000}, post="PV", p_max=0.3, sigma="40 um")
    expected = reference_in_degree(0.3, "40 um", f"{n / 0.25} 1/mm2")
    assert expected == pytest.approx(2 * math.pi * sigma**2 * n / SIDE**2 * 0.3)
    # Presynaptic cells are at random places: the count of them near a cell is shared by its
    # neighbours, so the error is that of about (side / sigma)² / 4 pi places.
    assert s.in_degree(1000).mean() == pytest.approx(expected, rel=0.02)


# in-degree ------------------------------------------------------------------------------------
@pytest.mark.parametrize("sigma", [None, "60 um"])
@pytest.mark.parametrize("wanted", [5.0, 60.0, 900.0])
def test_in_degree_is_met(sigma, wanted):
    p = projection(sigma=sigma, in_degree=wanted, p_max=0.1)
    c = circuit(p)
    s = connect(c, p)
    # The sum of binomials has at most the variance of a Poisson variable of the same mean.
    assert len(s) / 1500 == pytest.approx(wanted, abs=5 * math.sqrt(wanted / 1500))
    assert s.weight_factor == 1
    probability = np.full((1500, 1500), 0.1)
    if sigma:
        probability *= np.exp(-(pair_distances(c, "PC", "PC") ** 2) / 2 / 60e-6**2)
    probability = np.minimum(1, s.p_factor * probability)
    np.fill_diagonal(probability, 0)
    assert probability.sum() / 1500 == pytest.approx(wanted, rel=1e-6)


def test_all_to_all_where_in_degree_is_too_high():
    s = one(sizes={"PC": 40}, in_degree=100.0, sigma="50 um")
    assert len(s) == 40 * 39
    assert s.weight_factor == pytest.approx(100 / 39)
    assert s.p_factor == math.inf
    assert np.allclose(s.weight, 1e-9 * 100 / 39)


@pytest.mark.parametrize("sigma", ["2 um", "50 um"])
def test_almost_all_to_all_does_not_overflow(sigma):
    s = one(sizes={"PC": 40}, in_degree=38.0, sigma=sigma)
    assert len(s) / 40 == pytest.approx(38, abs=0.7)
    assert s.weight_factor == 1


def test_small_and_empty_cases():
    assert len(one(sizes={"PC": 1}, in_degree=10.0)) == 0
    assert len(one(p_max=0.0)) == 0
    assert len(one(in_degree=0.0)) == 0
    assert len(one(sizes={"PC": 30}, p_max=1.0)) == 30 * 29
    assert len(one(p_max=1e-12)) == 0
    with pytest.raises(ModelError, match="p_max = 0"):
        one(p_max=0.0, in_degree=3.0)


# weights, compartments, delays ----------------------------------------------------------------
def test_weights_are_lognormal_with_the_median_and_shape():
    s = one(weight="0.7 nS", weight_shape=0.6)
    logs = np.log(s.weight)
    n = len(s)
    assert np.median(s.weight) == pytest.approx(0.7e-9, rel=5 * 0.6 * 1.2533 / math.sqrt(n))
    assert logs.std() == pytest.approx(0.6, rel=5 / math.sqrt(2 * n))
    assert stats.kstest((logs - math.log(0.7e-9)) / 0.6, "norm").pvalue > 1e-3


def test_weights_without_shape_are_equal():
    assert np.all(one(weight="0.7 nS").weight == 0.7e-9)


def test_compartments_are_drawn_by_share():
    s = one(compartments=(("tuft", 0.0), ("soma", 0.25), ("tuft", 0.75)))
    share = np.bincount(s.compartment, minlength=3) / len(s)
    assert share[0] == 0
    assert share[1] == pytest.approx(0.25, abs=5 * math.sqrt(0.25 * 0.75 / len(s)))


def test_delays_grow_with_the_periodic_distance():
    p = projection(post="PV", velocity="250 um/ms", delay="0.8 ms")
    c = circuit(p)
    s = connect(c, p)
    expected = 0.8e-3 + pair_distances(c, "PC", "PV")[s.post, s.pre] / 0.25
    assert np.allclose(s.delay, expected, rtol=1e-9)
    assert s.delay.max() <= 0.8e-3 + SIDE / math.sqrt(2) / 0.25 + 1e-12
    assert np.all(one().delay == 1e-3)
    assert np.all(one(side=None, velocity="250 um/ms").delay == 1e-3)


# independence ---------------------------------------------------------------------------------
def equal(a, b):
    names = ("pre", "post", "compartment", "weight", "delay")
    return all(np.array_equal(getattr(a, n), getattr(b, n)) for n in names)


def test_reproducible_and_independent_of_everything_else():
    p = projection(sigma="80 um", in_degree=30.0, weight_shape=0.5)
    other = projection(post="PV", sigma="80 um")
    base = connect(circuit(p), p)
    assert equal(base, connect(circuit(p), "PC->PC"))
    assert equal(base, connect(circuit(other, p, sizes={"PV": 7, "PC": 1500}), p))
    changed = replace(other, p_max=0.9)
    assert equal(base, connect(circuit(changed, p), p))
    assert not equal(base, connect(circuit(p, seed=2), p))


def test_projections_of_the_same_pair_differ_and_are_uncorrelated():
    a, b = projection(), projection(label="b")
    c = circuit(a, b)
    sa, sb = connect(c, a), connect(c, b)
    pairs = [set(zip(s.pre.tolist(), s.post.tolist(), strict=True)) for s in (sa, sb)]
    common, n = len(pairs[0] & pairs[1]), 1500 * 1499
    assert common == pytest.approx(n * 0.04, abs=5 * math.sqrt(n * 0.04))


def test_who_is_connected_does_not_depend_on_weights():
    a = one(weight="1 nS")
    b = one(weight="3 nS", weight_shape=0.8, compartments=(("tuft", 1.0),), delay="4 ms")
    assert np.array_equal(a.pre, b.pre)
    assert np.array_equal(a.post, b.post)


# errors ---------------------------------------------------------------------------------------
def test_unknown_projections_and_populations_are_refused():
    c = circuit(projection())
    with pytest.raises(ModelError, match="PC->PC"):
        connect(c, "PC->PX")
    with pytest.raises(ModelError, match="population"):
        connect(c, projection(post="XX"))
    with pytest.raises(ModelError, match="side"):
        connect(circuit(side=None), projection(sigma="50 um"))


def test_cells_out_of_range_are_refused():
    s = Connections(*np.array([[0, 5], [1, 2], [0, 0], [1, 1], [0, 0]]))
    assert s.out_degree(6).tolist() == [1, 0, 0, 0, 0, 1]
    assert s.in_degree(3).tolist() == [0, 1, 1]
    with pytest.raises(ModelError, match="cell 5 does not exist in a population of 5"):
        s.out_degree(5)
    with pytest.raises(ModelError, match="negative"):
        Connections([0, -1], [0, 0], [0, 0], [0, 0], [0, 0])
    with pytest.raises(ModelError, match="one number per synapse"):
        Connections([0, 1], [0], [0, 0], [0, 0], [0, 0])
