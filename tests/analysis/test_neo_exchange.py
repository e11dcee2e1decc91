"""To Neo and back: the same spikes, silent cells included."""

import pandas as pd
import pytest

import analysis

neo = pytest.importorskip("neo")


def test_a_round_trip_keeps_every_spike_and_every_silent_cell(column):
    back = analysis.from_neo(analysis.to_neo(column))
    keys = ["time_ms", "cell", "population"]
    pd.testing.assert_frame_equal(
        back.sort_values(keys, ignore_index=True),
        column.sort_values(keys, ignore_index=True),
        check_dtype=False,
    )
    assert back.attrs == column.attrs


def test_trains_carry_unit_window_and_identity(column):
    trains = analysis.to_neo(column, start_ms=100.0, stop_ms=900.0, populations=["PV"])
    assert len(trains) == 100
    assert [float(t.rescale("s")) for t in (trains[7].t_start, trains[7].t_stop)] == [0.1, 0.9]
    assert trains[7].annotations == {"population": "PV", "cell": 7}


def test_other_units_and_a_window_that_starts_before_zero():
    train = neo.SpikeTrain([-0.5, 0.25], units="s", t_start=-1.0, t_stop=1.0)
    spikes = analysis.from_neo([train], populations="PC")
    assert spikes["time_ms"].tolist() == [500.0, 1250.0]
    assert spikes.attrs == {"cells": {"PC": 1}, "duration_ms": 2000.0}


def test_cells_are_numbered_within_their_population():
    trains = [neo.SpikeTrain([t], units="ms", t_stop=10.0) for t in (1.0, 2.0, 3.0)]
    spikes = analysis.from_neo(trains, populations=["PC", "PV", "PC"])
    assert spikes["cell"].tolist() == [0, 0, 1]


def test_bad_lists_are_refused():
    train = neo.SpikeTrain([1.0], units="ms", t_stop=10.0)
    longer = neo.SpikeTrain([1.0], units="ms", t_stop=20.0)
    with pytest.raises(analysis.InputError, match="annotation 'population'"):
        analysis.from_neo([train])
    with pytest.raises(analysis.InputError, match="same window"):
        analysis.from_neo([train, longer], populations="PC")
    with pytest.raises(analysis.InputError, match="1 populations given for 2 trains"):
        analysis.from_neo([train, train], populations=["PC"])
    with pytest.raises(analysis.InputError, match="no spike train"):
        analysis.from_neo([])
    with pytest.raises(TypeError, match="single"):
        analysis.from_neo(train)
    with pytest.raises(TypeError, match=r"neo\.SpikeTrain"):
        analysis.from_neo([[1.0, 2.0]], populations="PC")
