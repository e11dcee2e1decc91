"""CV and LV of intervals, Fano factor of counts: against theory, and against Elephant."""

import math
from itertools import pairwise

import numpy as np
import pytest

import analysis


def test_poisson_trains_have_cv_and_lv_of_one(table, poisson):
    spikes = table({"PC": poisson(200, 20.0, 20_000.0)}, 20_000.0)
    given = analysis.isi_statistics(spikes).loc["PC"]
    # 200 cells of 400 intervals: the standard errors are near 0.004, the bias of CV near 1/400
    assert given["cv_isi"] == pytest.approx(1.0, abs=0.015)
    assert given["lv"] == pytest.approx(1.0, abs=0.015)
    assert given["mean_isi_ms"] == pytest.approx(50.0, rel=0.01)


def test_lv_of_poisson_trains_is_one_however_short(table, poisson):
    spikes = table({"PC": poisson(4000, 6.0, 1000.0)}, 1000.0)
    assert analysis.isi_statistics(spikes).loc["PC", "lv"] == pytest.approx(1.0, abs=0.04)


@pytest.mark.parametrize("shape", [2.0, 4.0, 9.0])
def test_gamma_trains_have_the_cv_and_lv_of_theory(table, gamma, shape):
    """CV = 1/sqrt(k); LV = 3/(2k + 1) (Shinomoto et al. 2003)."""
    spikes = table({"PC": gamma(100, 20.0, 20_000.0, shape)}, 20_000.0)
    given = analysis.isi_statistics(spikes).loc["PC"]
    assert given["cv_isi"] == pytest.approx(1.0 / math.sqrt(shape), rel=0.02)
    assert given["lv"] == pytest.approx(3.0 / (2.0 * shape + 1.0), rel=0.03)


def test_a_regular_train_has_cv_and_lv_of_zero(table):
    spikes = table({"PC": [np.arange(0.5, 1000.0, 12.5)]}, 1000.0)
    given = analysis.isi_statistics(spikes).loc["PC"]
    assert given["cv_isi"] == pytest.approx(0.0, abs=1e-12)
    assert given["lv"] == pytest.approx(0.0, abs=1e-12)


def test_lv_sees_through_a_slow_drift_of_the_rate_and_cv_does_not(table):
    regular_but_slowing = np.cumsum(np.linspace(5.0, 50.0, 200))
    spikes = table({"PC": [regular_but_slowing]}, 6000.0)
    given = analysis.isi_statistics(spikes).loc["PC"]
    assert given["cv_isi"] > 0.4
    assert given["lv"] < 1e-3


def test_interval_statistics_equal_elephants(column):
    from elephant.statistics import cv, isi, lv

    trains = analysis.to_neo(column, populations=["PV"])
    intervals = [isi(train.magnitude) for train in trains if len(train) >= 3]
    given = analysis.isi_statistics(column).loc["PV"]
    assert given["cells_used"] == len(intervals)
    assert given["cv_isi"] == pytest.approx(np.mean([cv(i) for i in intervals]), rel=1e-12)
    assert given["lv"] == pytest.approx(np.mean([lv(i) for i in intervals]), rel=1e-12)
    assert given["mean_isi_ms"] == pytest.approx(np.mean([i.mean() for i in intervals]))


def test_only_cells_with_enough_spikes_are_used(table):
    spikes = table({"PC": [np.array([1.0, 2.0]), np.array([1.0, 2.0, 3.0])]}, 10.0)
    assert analysis.isi_statistics(spikes).loc["PC", "cells_used"] == 1
    assert analysis.isi_statistics(spikes, min_spikes=4)["cells_used"].sum() == 0


def test_fewer_than_three_spikes_cannot_be_asked_for(column):
    with pytest.raises(analysis.InputError, match="min_spikes must be at least 3"):
        analysis.isi_statistics(column, min_spikes=2)


def test_silent_populations_have_no_irregularity(column):
    assert analysis.isi_statistics(column).loc["VIP", ["cv_isi", "lv"]].isna().all()
    assert math.isnan(analysis.fano_factor(column).loc["VIP", "fano"])


@pytest.mark.parametrize("duration_ms", [500.0, 10_000.0])
def test_poisson_trains_have_a_fano_factor_of_one_however_short(table, poisson, duration_ms):
    spikes = table({"PC": poisson(4000, 10.0, duration_ms)}, duration_ms)
    windows = duration_ms / 100.0
    error = math.sqrt(2.0 / (windows - 1.0) / 4000)
    fano = analysis.fano_factor(spikes, window_ms=100.0).loc["PC", "fano"]
    assert fano == pytest.approx(1.0, abs=4.0 * error)


def test_refractoriness_lowers_the_fano_factor(table):
    """Dead time d and rate r after it: F -> CV**2 = (1 / (1 + r d))**2 in long windows."""
    rng = np.random.default_rng(0)
    dead_ms, mean_ms = 10.0, 10.0
    trains = np.cumsum(dead_ms + rng.exponential(mean_ms, (200, 1500)), axis=1)
    spikes = table({"PC": [t[t < 20_000.0] for t in trains]}, 20_000.0)
    fano = analysis.fano_factor(spikes, window_ms=1000.0).loc["PC", "fano"]
    assert fano == pytest.approx(0.25, abs=0.03)


def test_a_regular_train_has_a_fano_factor_of_zero(table):
    spikes = table({"PC": [np.arange(5.0, 1000.0, 10.0)]}, 1000.0)
    assert analysis.fano_factor(spikes, window_ms=100.0).loc["PC", "fano"] == 0.0


def test_fano_factor_equals_elephants_up_to_the_divisor(column):
    from elephant.statistics import fanofactor

    edges = np.arange(0.0, 1001.0, 100.0)
    expected = [
        fanofactor([t[(t >= a) & (t < b)] for a, b in pairwise(edges)])
        for t in (train.magnitude for train in analysis.to_neo(column, populations=["PV"]))
        if len(t)
    ]
    given = analysis.fano_factor(column, window_ms=100.0).loc["PV", "fano"]
    assert given == pytest.approx(np.mean(expected) * 10.0 / 9.0)


def test_a_single_window_gives_no_fano_factor(column):
    assert analysis.fano_factor(column, window_ms=600.0)["fano"].isna().all()
