"""Drawn parameters against the distributions that were asked for."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from biomod.errors import ModelError, UnitError
from biomod.mechanisms.variability import draw
from biomod.model import Cell, Coupling, Dendrite, Population, Soma, SomaticSpike, Variation
from biomod.units import cm, uS

SPIKE = SomaticSpike("-45 mV", "-65 mV", "3 ms")


def population(*variations, size=50_000, name="PC", **more):
    soma = Soma("soma", "20 um", "20 um", "50 uS/cm2", "-70 mV", spike=SPIKE)
    dendrite = Dendrite("tuft", "200 um", "2 um", "50 uS/cm2", "-70 mV")
    cell = Cell("PC", (soma, dendrite), (Coupling("soma", "tuft"),), variations=variations)
    return Population(name, cell, size, **more)


LEAK = Variation("soma.g_leak", "lognormal", cv=0.3)
THRESHOLD = Variation("soma.spike.threshold", "normal", sd="2 mV")


def test_lognormal_has_mean_one_and_the_cv():
    factor = draw(population(LEAK), 1)["soma.g_leak"] / 0.5
    assert factor.shape == (50_000,)
    assert np.all(factor > 0)
    # Standard error of the mean is 0.0013; the cut-off costs 0.1 % and 3 %.
    assert factor.mean() == pytest.approx(1, abs=0.006)
    assert factor.std() / factor.mean() == pytest.approx(0.3, rel=0.04)


def test_lognormal_is_cut_at_three_standard_deviations_of_the_logarithm():
    s = np.sqrt(np.log(1 + 0.3**2))
    z = (np.log(draw(population(LEAK), 1)["soma.g_leak"] / 0.5) + s**2 / 2) / s
    assert 2.9 < np.abs(z).max() <= 3
    assert stats.kstest(z, stats.truncnorm(-3, 3).cdf).pvalue > 1e-3


def test_normal_adds():
    values = draw(population(THRESHOLD), 2)["soma.spike.threshold"]
    z = (values + 45e-3) / 2e-3
    assert np.abs(z).max() <= 3 + 1e-9
    assert stats.kstest(z, stats.truncnorm(-3, 3).cdf).pvalue > 1e-3


def test_without_heterogeneity_nothing_is_drawn():
    assert draw(population(LEAK, heterogeneous=False), 1) == {}
    assert draw(population(), 1) == {}


def test_parameters_are_independent_of_each_other():
    tuft = Variation("tuft.g_leak", "lognormal", cv=0.3)
    values = draw(population(LEAK, tuft, THRESHOLD), 1)
    assert list(values) == ["soma.g_leak", "tuft.g_leak", "soma.spike.threshold"]
    correlation = np.corrcoef(list(values.values())) - np.eye(3)
    assert np.abs(correlation).max() < 5 / np.sqrt(50_000)


def test_a_draw_depends_on_seed_population_and_path_only():
    base = draw(population(LEAK), 1)["soma.g_leak"]
    with_more = draw(population(THRESHOLD, LEAK), 1)["soma.g_leak"]
    assert np.array_equal(base, with_more)
    assert np.array_equal(base[:10], draw(population(LEAK, size=10), 1)["soma.g_leak"])
    assert not np.array_equal(base, draw(population(LEAK), 2)["soma.g_leak"])
    assert not np.array_equal(base, draw(population(LEAK, name="PV"), 1)["soma.g_leak"])


def test_dimensionless_parameters_and_no_spread():
    same = Variation("tuft.area_factor", "lognormal", cv=0.0)
    assert np.all(draw(population(same, size=5), 1)["tuft.area_factor"] == 1.0)


def test_a_spread_in_another_unit_is_refused():
    with pytest.raises(UnitError, match=r"soma\.g_leak"):
        draw(population(Variation("soma.g_leak", "normal", sd="2 mV")), 1)


def test_a_spread_that_the_cell_does_not_allow_is_refused():
    wide = Variation("soma.g_leak", "normal", sd=40 * uS / cm**2)
    with pytest.raises(ModelError, match=r"soma\.g_leak is too wide.*negative"):
        draw(population(wide), 1)


def test_what_has_no_value_cannot_vary():
    for path in ("soma-tuft.g", "soma", "soma.region"):
        with pytest.raises(ModelError, match="cannot vary"):
            draw(population(Variation(path, "lognormal", cv=0.1)), 1)


def test_a_parameter_varies_once():
    with pytest.raises(ModelError, match="twice"):
        draw(population(LEAK, LEAK), 1)


def test_parameters_of_one_factor_are_correlated_by_the_product_of_their_loadings():
    soma = replace(LEAK, factor="size", loading=0.9)
    tuft = Variation("tuft.g_leak", "lognormal", cv=0.3, factor="size", loading=-0.7)
    values = draw(population(soma, tuft, THRESHOLD), 1)
    logs = [np.log(values["soma.g_leak"]), np.log(values["tuft.g_leak"])]
    # 1 / sqrt(n) is the standard error of no correlation; the cut-off takes about 1 %.
    assert np.corrcoef(logs)[0, 1] == pytest.approx(-0.63, abs=0.02)
    assert abs(np.corrcoef(logs[0], values["soma.spike.threshold"])[0, 1]) < 5 / np.sqrt(50_000)


def test_a_factor_leaves_the_distribution_of_each_parameter_as_it_is():
    s = np.sqrt(np.log(1 + 0.3**2))
    drawn = draw(population(replace(LEAK, factor="size", loading=0.8)), 1)["soma.g_leak"]
    z = (np.log(drawn / 0.5) + s**2 / 2) / s
    assert stats.kstest(z, stats.truncnorm(-3, 3).cdf).pvalue > 1e-3


@pytest.mark.parametrize(
    "given", [{"factor": "size"}, {"loading": 0.5}, {"factor": "size", "loading": 1.0}]
)
def test_a_factor_needs_a_loading_between_minus_one_and_one(given):
    with pytest.raises(ModelError, match="loading"):
        Variation("soma.g_leak", "lognormal", cv=0.3, **given)


def test_what_follows_others_has_their_deviates():
    """In the proportion of the weights, and in a cell that lacks these parameters."""
    mixed = Variation(
        "soma.E_leak", "normal", sd="2 mV", follows=(("soma.g_leak", 3.0), ("a.b", -4.0))
    )
    values = draw(population(LEAK, mixed), 1)
    s = np.sqrt(np.log(1 + 0.3**2))
    z = (np.log(values["soma.g_leak"] / 0.5) + s**2 / 2) / s
    follower = (values["soma.E_leak"] + 70e-3) / 2e-3
    assert np.corrcoef(z, follower)[0, 1] == pytest.approx(0.6, abs=0.02)
    assert follower.std() == pytest.approx(1, abs=0.03)
    again = replace(mixed, follows=(("soma.g_leak", 1.0),))
    np.testing.assert_allclose((draw(population(again), 1)["soma.E_leak"] + 70e-3) / 2e-3, z)


@pytest.mark.parametrize("follows", [(("a", 0.0),), ("a",), (("a", 1.0, 2.0),)])
def test_what_is_followed_needs_a_weight(follows):
    with pytest.raises(ModelError, match="weight"):
        Variation("soma.g_leak", "lognormal", cv=0.3, follows=follows)
