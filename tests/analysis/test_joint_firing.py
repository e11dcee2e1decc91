"""Synchrony, correlation and spike time tiling: against theory, brute force and Elephant."""

import math

import numpy as np
import pytest

import analysis


def test_identical_trains_are_fully_synchronous(table, poisson):
    train = poisson(1, 10.0, 5000.0)[0]
    spikes = table({"PC": [train] * 20}, 5000.0)
    assert analysis.synchrony(spikes).loc["PC", "synchrony"] == pytest.approx(1.0)
    assert analysis.synchrony(spikes).loc["PC", "correlation"] == pytest.approx(1.0)
    assert analysis.sttc(spikes).loc["PC", "sttc"] == pytest.approx(1.0)


def test_silent_cells_do_not_dilute_synchrony(table, poisson):
    train = poisson(1, 10.0, 5000.0)[0]
    spikes = table({"PC": [train, train, np.empty(0), np.empty(0)]}, 5000.0)
    given = analysis.synchrony(spikes).loc["PC"]
    assert given["synchrony"] == pytest.approx(1.0)
    assert given["cells_used"] == 2


def test_independent_trains_have_chi_of_one_over_root_n_and_no_correlation(table, poisson):
    spikes = table({"PC": poisson(400, 10.0, 20_000.0)}, 20_000.0)
    given = analysis.synchrony(spikes).loc["PC"]
    assert given["synchrony"] == pytest.approx(1.0 / math.sqrt(400), rel=0.05)
    assert given["correlation"] == pytest.approx(0.0, abs=1e-3)
    assert analysis.sttc(spikes).loc["PC", "sttc"] == pytest.approx(0.0, abs=5e-3)


def test_correlation_is_the_shared_fraction_of_spikes(table, poisson):
    """Poisson trains that share a common train at a fraction c of their rate correlate by c."""
    common = poisson(1, 6.0, 50_000.0, seed=1)[0]
    own = poisson(30, 14.0, 50_000.0, seed=2)
    spikes = table({"PC": [np.concatenate([common, t]) for t in own]}, 50_000.0)
    correlation = analysis.synchrony(spikes, bin_ms=10.0).loc["PC", "correlation"]
    assert correlation == pytest.approx(0.3, abs=0.02)


def test_correlation_equals_elephants_matrix(column):
    import quantities as pq
    from elephant.conversion import BinnedSpikeTrain
    from elephant.spike_train_correlation import correlation_coefficient

    trains = [t for t in analysis.to_neo(column, populations=["PV"]) if len(t)]
    matrix = correlation_coefficient(BinnedSpikeTrain(trains, bin_size=5.0 * pq.ms))
    expected = matrix[np.triu_indices(len(trains), 1)].mean()
    given = analysis.synchrony(column, bin_ms=5.0).loc["PV", "correlation"]
    assert given == pytest.approx(expected, rel=1e-9)


def test_chi_equals_its_definition_on_the_dense_table(column):
    trains = [t.magnitude for t in analysis.to_neo(column, populations=["SST"]) if len(t)]
    counts = np.array([np.histogram(t, np.arange(0.0, 1001.0, 5.0))[0] for t in trains])
    chi = math.sqrt(counts.mean(axis=0).var() / counts.var(axis=1).mean())
    assert analysis.synchrony(column).loc["SST", "synchrony"] == pytest.approx(chi)


def test_a_single_cell_has_no_synchrony(table, poisson):
    spikes = table({"PC": poisson(1, 10.0, 1000.0)}, 1000.0)
    given = analysis.summary(spikes).loc["PC"]
    assert given[["synchrony", "correlation", "sttc", "rate_sd_hz"]].isna().all()


def test_sttc_equals_elephants(table, poisson):
    import quantities as pq
    from elephant.spike_train_correlation import spike_time_tiling_coefficient

    spikes = table({"PC": poisson(25, 40.0, 500.0)}, 500.0)
    trains = analysis.to_neo(spikes)
    expected = [
        spike_time_tiling_coefficient(trains[i], trains[j], 5.0 * pq.ms)
        for i in range(25)
        for j in range(i)
    ]
    given = analysis.sttc(spikes, dt_ms=5.0, max_pairs=1000).loc["PC"]
    assert given["pairs"] == len(expected) == 300
    assert given["sttc"] == pytest.approx(np.mean(expected), rel=1e-9)


def test_sttc_is_minus_one_half_where_spikes_avoid_each_other(table):
    """P = 0 and T = 1/2 for both: (-T - T) / 2."""
    a, b = np.arange(10.0, 1000.0, 40.0), np.arange(30.0, 1000.0, 40.0)
    spikes = table({"PC": [a, b]}, 1000.0)
    assert analysis.sttc(spikes, dt_ms=9.999).loc["PC", "sttc"] == pytest.approx(-0.5, abs=0.01)


def test_sttc_of_trains_that_tile_all_of_the_window_is_one(table):
    spikes = table({"PC": [np.arange(5.0, 100.0, 10.0), np.arange(2.0, 100.0, 10.0)]}, 100.0)
    assert analysis.sttc(spikes, dt_ms=10.0).loc["PC", "sttc"] == pytest.approx(1.0)


def test_a_lag_of_exactly_dt_on_the_grid_counts(table):
    steps = np.arange(100, 900, 200)
    spikes = table({"PC": [steps * 0.1, (steps + 3) * 0.1]}, 100.0)
    near = analysis.sttc(spikes, dt_ms=0.3).loc["PC", "sttc"]
    assert near == pytest.approx(1.0)


def test_the_window_of_coincidence_does_not_grow_with_time(table):
    """Elephant 1.2.1 takes 5.9 ms for coincident at 100 s, through isclose's relative part."""
    spikes = table({"PC": [np.array([100_000.0]), np.array([100_005.9])]}, 200_000.0)
    assert analysis.sttc(spikes, dt_ms=5.0).loc["PC", "sttc"] < 0.0


def test_the_sample_of_pairs_depends_on_seed_and_population_only(table, poisson):
    trains = poisson(100, 10.0, 1000.0)
    alone = table({"PC": trains}, 1000.0)
    beside = table({"PV": poisson(50, 20.0, 1000.0, seed=3), "PC": trains}, 1000.0)
    options = {"max_pairs": 50, "seed": 4}
    given = analysis.sttc(alone, **options).loc["PC", "sttc"]
    assert analysis.sttc(beside, **options).loc["PC", "sttc"] == given
    assert analysis.sttc(alone, max_pairs=50, seed=5).loc["PC", "sttc"] != given


@pytest.mark.parametrize("cells", [3, 50, 3001])
def test_sampled_pairs_are_distinct_pairs_of_different_cells(cells):
    from analysis._sttc import _sample_pairs

    most = min(cells * (cells - 1) // 2 - 1, 2000)
    i, j = _sample_pairs(cells, most, np.random.default_rng(0))
    assert len(set(zip(i.tolist(), j.tolist(), strict=True))) == most
    assert (i >= 0).all()
    assert (i < j).all()
    assert (j < cells).all()


def test_every_pair_can_be_drawn():
    from analysis._sttc import _sample_pairs

    drawn = {
        pair
        for seed in range(60)
        for pair in zip(*_sample_pairs(5, 9, np.random.default_rng(seed)), strict=True)
    }
    assert len(drawn) == 10
