"""Measures of spike trains against cases worked out by hand."""

import math

import numpy as np
import pytest

from biomod.errors import ModelError
from biomod.reduction.distances import (
    coincidence_factor,
    explained_variance,
    explained_variance_ratio,
    overlap,
    van_rossum,
    victor_purpura,
)

RNG = np.random.default_rng(3)


def poisson(rate_hz, duration):
    return np.sort(RNG.uniform(0, duration, RNG.poisson(rate_hz * duration * 1e-3)))


def test_overlap_of_two_spikes_is_a_gaussian_of_their_distance():
    expected = math.exp(-(5.0**2) / (4 * 10.0**2)) / (2 * 10.0 * math.sqrt(math.pi))
    assert overlap([100.0], [105.0], 10.0) == pytest.approx(expected, rel=1e-12)


def test_explained_variance_is_that_of_sampled_traces():
    """EV = (var D + var M - var(D - M)) / (var D + var M) of the filtered trains."""
    cell, length, h = poisson(8, 10_000), 10_000.0, 0.5
    model = np.sort(np.concatenate([cell[::2] + 3, poisson(4, length)]))
    grid = np.arange(-500, length + 500, h)

    def filtered(train):
        return sum(np.exp(-((grid - t) ** 2) / 200) / math.sqrt(200 * math.pi) for t in train)

    def variance(x):  # per ms of the recording
        return (x**2).sum() * h / length - (x.sum() * h / length) ** 2

    d, m = filtered(cell), filtered(model)
    expected = (variance(d) + variance(m) - variance(d - m)) / (variance(d) + variance(m))
    assert explained_variance([model], [cell], [length]) == pytest.approx(expected, abs=1e-6)


def test_equal_trains_are_explained_and_independent_ones_are_not():
    a, b = poisson(20, 200_000), poisson(20, 200_000)
    assert explained_variance([a], [a], [200_000]) == pytest.approx(1)
    assert abs(explained_variance([a], [b], [200_000])) < 0.05
    assert math.isnan(explained_variance([[]], [[]], [1000]))


def test_rates_that_differ_between_sweeps_earn_nothing():
    """Independent trains of equal rates in a slow and a fast sweep."""
    lengths = [100_000.0, 100_000.0]
    a, b = ([poisson(2, lengths[0]), poisson(60, lengths[1])] for _ in range(2))
    assert abs(explained_variance(a, b, lengths)) < 0.05


def test_ceiling_of_repeats():
    """Trials that share half of their spikes, and a model that has just those."""
    shared = poisson(10, 300_000)
    trials = [np.sort(np.concatenate([shared, poisson(10, 300_000)])) for _ in range(3)]
    own = explained_variance([shared], [trials[0]], [300_000])
    assert own == pytest.approx(2 / 3, abs=0.05)  # 2 cov / (var D + var M) = 2 / (2 + 1)
    ratio = explained_variance_ratio([shared], [trials], [300_000])
    assert ratio == pytest.approx((2 / 3) / (1 / 2), abs=0.1)


def test_coincidence_factor_by_hand():
    """Two of three spikes coincide; 3 model spikes in 1 s within 4 ms: chance 0.024 each."""
    cell, model = [100.0, 300.0, 500.0], [103.0, 296.0, 510.0]
    expected = (2 - 0.024 * 3) / 3 / (1 - 0.024)
    assert coincidence_factor([model], [cell], [1000], 4.0) == pytest.approx(expected)


def test_a_burst_coincides_once():
    found = coincidence_factor([[99.0, 100.0, 101.0]], [[100.0]], [1000], 4.0)
    assert found == pytest.approx((1 - 0.024) / 2 / (1 - 0.024))


def test_coincidence_factor_of_equal_and_of_independent_trains():
    a, b = poisson(20, 500_000), poisson(20, 500_000)
    assert coincidence_factor([a], [a], [500_000]) == pytest.approx(1)
    assert abs(coincidence_factor([a], [b], [500_000])) < 0.03


def test_coincidence_factor_means_nothing_at_very_high_rates():
    a = np.arange(0, 1000, 4.0)
    assert math.isnan(coincidence_factor([a], [a], [1000], 4.0))


def test_distances_of_elephant_by_hand():
    assert van_rossum([10.0], []) == pytest.approx(1)
    assert van_rossum([10.0], [500.0]) == pytest.approx(math.sqrt(2))
    assert victor_purpura([10.0, 100.0], [14.0]) == pytest.approx(0.4 + 1)


def test_unsorted_trains_and_different_numbers_are_refused():
    with pytest.raises(ModelError, match="ascending"):
        explained_variance([[2.0, 1.0]], [[1.0]], [10])
    with pytest.raises(ModelError, match="as many"):
        explained_variance([[1.0]], [[1.0], [2.0]], [10])
