"""Firing rates of cells and of populations."""

import numpy as np
import pytest

import analysis


def test_rate_is_spikes_over_time(table):
    spikes = table({"PC": [np.arange(5.0, 500.0, 100.0), np.empty(0)]}, 500.0)
    assert analysis.rates(spikes)["rate_hz"].tolist() == [10.0, 0.0]


def test_rates_equal_elephants(column):
    from elephant.statistics import mean_firing_rate

    expected = [
        float(mean_firing_rate(train).rescale("Hz"))
        for train in analysis.to_neo(column, populations=["PV", "VIP"])
    ]
    given = analysis.rates(column, populations=["PV", "VIP"])["rate_hz"]
    np.testing.assert_allclose(given, expected)


def test_population_rate_averages_to_the_mean_rate(column):
    rate = analysis.population_rate(column, bin_ms=5.0)
    np.testing.assert_allclose(rate.mean(), analysis.summary(column)["rate_hz"])


def test_population_rate_is_indexed_by_the_middle_of_bins(column):
    rate = analysis.population_rate(column, bin_ms=10.0, start_ms=100.0, stop_ms=130.0)
    assert rate.index.tolist() == [105.0, 115.0, 125.0]
    assert rate.index.name == "time_ms"


def test_a_spike_on_the_edge_of_a_bin_belongs_to_the_later_bin(table):
    """3 * 0.1 is above 0.3 in floating point and 0.3 / 0.1 below 3; spikes must not care."""
    times = np.arange(100) * 0.1
    rate = analysis.population_rate(table({"PC": [times]}, 10.0), bin_ms=0.1)
    np.testing.assert_allclose(rate["PC"], 1e4)


def test_what_is_left_after_the_last_whole_bin_is_dropped(table):
    spikes = table({"PC": [np.array([1.0, 99.0])]}, 100.0)
    assert len(analysis.population_rate(spikes, bin_ms=30.0)) == 3


def test_smoothing_keeps_the_mean_rate(column):
    raw = analysis.population_rate(column)
    smooth = analysis.population_rate(column, smooth_ms=20.0)
    np.testing.assert_allclose(smooth.mean(), raw.mean())
    assert smooth["PC"].std() < raw["PC"].std()


@pytest.mark.parametrize("bin_ms", [0.0, -1.0, np.nan, 2000.0])
def test_bins_that_do_not_fit_are_refused(column, bin_ms):
    with pytest.raises(analysis.InputError, match="bin_ms"):
        analysis.population_rate(column, bin_ms=bin_ms)
