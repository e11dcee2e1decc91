"""The summary of a run, its JSON form, and the comparison of two runs."""

import json
import math
from itertools import pairwise

import numpy as np
import pytest

import analysis

COLUMNS = [
    "cells",
    "spikes",
    "rate_hz",
    "rate_sd_hz",
    "active_fraction",
    "cv_isi",
    "lv",
    "fano",
    "synchrony",
    "correlation",
    "sttc",
    "peak_frequency_hz",
]


def test_the_columns_are_a_contract(column):
    given = analysis.summary(column)
    assert list(given.columns) == COLUMNS
    assert list(given.index) == ["PC", "PV", "SST", "VIP"]


def test_each_column_is_that_of_the_function_of_its_name(column):
    given = analysis.summary(column).loc["PV"]
    assert given["cv_isi"] == analysis.isi_statistics(column).loc["PV", "cv_isi"]
    assert given["fano"] == analysis.fano_factor(column).loc["PV", "fano"]
    assert given["synchrony"] == analysis.synchrony(column).loc["PV", "synchrony"]
    assert given["sttc"] == analysis.sttc(column).loc["PV", "sttc"]
    assert given["peak_frequency_hz"] == analysis.peak_frequency(column, "PV")


def test_a_silent_population_has_rate_zero_and_nothing_made_up(column):
    given = analysis.summary(column).loc["VIP"]
    assert given[["cells", "spikes", "rate_hz", "active_fraction"]].tolist() == [40, 0, 0.0, 0.0]
    assert given["cv_isi":].isna().all()


def test_a_population_without_cells_has_no_rate(column):
    sizes = {**column.attrs["cells"], "NDNF": 0}
    assert math.isnan(analysis.summary(column, cells=sizes).loc["NDNF", "rate_hz"])


def test_the_dictionary_is_json_with_none_for_nan(column):
    given = json.loads(json.dumps(analysis.summary_dict(column), allow_nan=False))
    assert given["duration_s"] == 1.0
    assert list(given["populations"]["PC"]) == COLUMNS
    assert given["populations"]["PC"]["cells"] == 800
    assert given["populations"]["VIP"]["cv_isi"] is None


def test_a_recording_of_one_step_can_be_summarised(table):
    spikes = table({"PC": [np.array([0.05]), np.empty(0)]}, 0.1)
    assert analysis.summary(spikes).loc["PC", "rate_hz"] == pytest.approx(5000.0)


def test_comparison_tells_ratio_and_difference(table):
    a = table({"PC": [np.array([10.0]), np.array([20.0])]}, 1000.0)
    b = table({"PC": [np.array([10.0, 30.0]), np.array([20.0, 40.0])]}, 1000.0)
    given = analysis.compare(a, b, labels=("control", "ACh")).loc["PC"]
    assert given[["rate_hz_control", "rate_hz_ACh", "ratio", "difference_hz"]].tolist() == [
        1.0,
        2.0,
        2.0,
        1.0,
    ]


@pytest.mark.parametrize("paired", [True, False])
def test_a_doubled_rate_is_significant_and_the_same_run_is_not(table, poisson, paired):
    slow = table({"PC": poisson(200, 5.0, 1000.0)}, 1000.0)
    fast = table({"PC": poisson(200, 10.0, 1000.0, seed=1)}, 1000.0)
    assert analysis.compare(slow, fast, paired=paired).loc["PC", "p_value"] < 1e-6
    assert analysis.compare(slow, slow, paired=paired).loc["PC", "p_value"] > 0.9


def test_two_draws_of_the_same_process_differ_as_often_as_chance_has_it(table, poisson):
    tables = [table({"PC": poisson(50, 8.0, 1000.0, seed=s)}, 1000.0) for s in range(61)]
    p = [analysis.compare(a, b).loc["PC", "p_value"] for a, b in pairwise(tables)]
    assert np.mean(np.array(p) < 0.05) < 0.2


def test_a_population_that_one_run_lacks_is_nan(table, poisson):
    a = table({"PC": poisson(10, 8.0, 1000.0)}, 1000.0)
    b = table({"PV": poisson(10, 8.0, 1000.0)}, 1000.0)
    given = analysis.compare(a, b)
    assert list(given.index) == ["PC", "PV"]
    assert given[["ratio", "p_value"]].isna().all(axis=None)


def test_cells_of_different_number_cannot_be_paired(table, poisson):
    a = table({"PC": poisson(10, 8.0, 1000.0)}, 1000.0)
    b = table({"PC": poisson(11, 8.0, 1000.0)}, 1000.0)
    with pytest.raises(analysis.InputError, match="10 cells in run 'a' and 11 in run 'b'"):
        analysis.compare(a, b, paired=True)


@pytest.mark.parametrize("labels", [("x", "x"), "ab", ("a",)])
def test_labels_must_be_two_names(column, labels):
    with pytest.raises(analysis.InputError, match="labels"):
        analysis.compare(column, column, labels=labels)
