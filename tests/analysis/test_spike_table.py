"""The spike table: what is accepted, what is refused, and how it says so."""

import subprocess
import sys
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

import analysis


def frame(**columns):
    given = {"time_ms": [10.0, 20.0], "cell": [0, 1], "population": ["PC", "PV"], **columns}
    spikes = pd.DataFrame(given)
    spikes.attrs = {"cells": {"PC": 2, "PV": 3}, "duration_ms": 100.0}
    return spikes


def test_silent_cells_and_populations_are_counted():
    rates = analysis.rates(frame(population=["PC", "PC"]))
    assert rates.groupby("population")["rate_hz"].agg(list).to_dict() == {
        "PC": [10.0, 10.0],
        "PV": [0.0, 0.0, 0.0],
    }


def test_the_order_of_populations_is_that_of_the_sizes():
    given = analysis.summary(frame(), cells={"PV": 3, "PC": 2})
    assert list(given.index) == ["PV", "PC"]


def test_keywords_take_precedence_over_attrs():
    assert analysis.rates(frame(), duration_ms=1000.0)["rate_hz"].max() == pytest.approx(1.0)


def test_categorical_populations_are_accepted():
    spikes = frame(population=pd.Categorical(["PC", "PV"], categories=["X", "PV", "PC"]))
    pd.testing.assert_frame_equal(analysis.summary(spikes), analysis.summary(frame()))


def test_the_order_of_rows_does_not_matter(column):
    shuffled = column.sample(frac=1.0, random_state=3)
    pd.testing.assert_frame_equal(analysis.summary(shuffled), analysis.summary(column))


def test_the_table_is_left_as_it_was(column):
    before = column.copy(deep=True)
    analysis.summary(column)
    pd.testing.assert_frame_equal(column, before)
    assert column.attrs == before.attrs


def test_the_window_is_half_open():
    spikes = frame(time_ms=[20.0, 40.0])
    assert analysis.summary(spikes, start_ms=20.0, stop_ms=40.0)["spikes"].to_dict() == {
        "PC": 1,
        "PV": 0,
    }


def test_windows_that_partition_the_recording_partition_the_spikes(column):
    edges = [0.0, 123.4, 500.0, 1000.0]
    parts = [analysis.summary(column, start_ms=a, stop_ms=b)["spikes"] for a, b in pairwise(edges)]
    pd.testing.assert_series_equal(sum(parts), analysis.summary(column)["spikes"])


def test_a_spike_at_the_very_end_counts():
    rate = analysis.population_rate(frame(time_ms=[10.0, 100.0]), bin_ms=10.0)
    assert rate["PV"].iloc[-1] > 0


def test_populations_select_and_order():
    assert list(analysis.summary(frame(), populations=["PV"]).index) == ["PV"]


def test_an_empty_table_is_a_silent_network():
    given = analysis.summary(frame().iloc[:0], cells={"PC": 2}, duration_ms=10.0)
    assert given.loc["PC", "rate_hz"] == 0.0
    assert given.loc["PC", "cv_isi":].isna().all()


@pytest.mark.parametrize(
    ("spikes", "message"),
    [
        (frame().drop(columns="cell"), "lacks the column cell"),
        (frame(time_ms=[10.0, np.nan]), "row 1 .* time_ms = nan"),
        (frame(time_ms=[-1.0, 10.0]), "row 0 .* time_ms = -1"),
        (frame(time_ms=[10.0, 101.0]), "row 1 .* time_ms = 101"),
        (frame(cell=[2, 0]), "cell 2 of 'PC', which has 2 cells"),
        (frame(cell=[0, -1]), "cell -1 of 'PV'"),
        (frame(population=["PC", "pV_"]), "unknown population 'pV_'; did you mean 'PV'"),
        (frame(population=["PC", None]), "row 1 of spikes has no population"),
        (
            frame(time_ms=[5.0, 5.0], cell=[1, 1], population=["PC", "PC"]),
            "cell 1 of 'PC' spikes twice at 5 ms",
        ),
    ],
)
def test_a_wrong_table_is_refused_with_the_place(spikes, message):
    with pytest.raises(analysis.InputError, match=message):
        analysis.summary(spikes)


@pytest.mark.parametrize(
    "spikes", [frame(cell=[0.0, 1.0]), frame(time_ms=["10", "20"]), [1.0, 2.0], None]
)
def test_a_wrong_type_is_refused(spikes):
    with pytest.raises(TypeError):
        analysis.summary(spikes)


@pytest.mark.parametrize("missing", ["cells", "duration_ms"])
def test_unknown_sizes_or_duration_are_asked_for(missing):
    spikes = frame()
    del spikes.attrs[missing]
    with pytest.raises(analysis.InputError, match=missing):
        analysis.summary(spikes)


@pytest.mark.parametrize(
    ("selection", "error", "message"),
    [
        ({"start_ms": 50.0, "stop_ms": 50.0}, ValueError, "must not be empty"),
        ({"stop_ms": 101.0}, ValueError, "within the recording"),
        ({"start_ms": -1.0}, ValueError, "start_ms"),
        ({"duration_ms": 0.0}, ValueError, "duration_ms"),
        ({"duration_ms": "1 s"}, TypeError, "duration_ms"),
        ({"cells": {"PC": 2.5, "PV": 3}}, TypeError, "cells"),
        ({"cells": {"PC": -2, "PV": 3}}, ValueError, "cells"),
        ({"cells": [2, 3]}, TypeError, "cells"),
        ({"populations": ["PVV"]}, ValueError, "did you mean 'PV'"),
        ({"duration": 100.0}, TypeError, "did you mean 'duration_ms'"),
    ],
)
def test_a_wrong_selection_is_refused(selection, error, message):
    with pytest.raises(error, match=message):
        analysis.summary(frame(), **selection)


def test_importing_the_package_imports_no_heavy_dependency():
    heavy = "{'matplotlib', 'scipy', 'elephant', 'neo'}"
    code = f"import sys, analysis; sys.exit(len({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
