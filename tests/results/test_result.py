"""A result knows its cells, draws itself, and survives the round trip to a file."""

from __future__ import annotations

import h5py
import libsonata
import pandas as pd
import pytest

from biomod.errors import ModelError
from biomod.results import Result, load
from biomod.units import mV


def test_what_it_knows(result):
    assert result.cells == {"PC": 5, "PV": 3, "VIP": 2}
    assert result.populations == ["PC", "PV", "VIP"]
    assert result.duration_ms == 1000.0
    assert "7 spikes of 10 cells" in repr(result)
    with pytest.raises(ModelError, match=r"did you mean PC.soma.v"):
        result.trace("PC.soma.w")


def test_round_trip(tmp_path, result):
    back = load(result.save(tmp_path / "run.h5"))
    pd.testing.assert_frame_equal(back.spikes, result.spikes)
    assert list(back.traces) == list(result.traces)
    for label, frame in result.traces.items():
        pd.testing.assert_frame_equal(back.traces[label], frame)
        assert back.traces[label].attrs["unit"] == "mV"
    assert back.provenance == result.provenance


def test_spikes_inside_are_sonata(tmp_path, result):
    reader = libsonata.SpikeReader(str(result.save(tmp_path / "run.h5")))
    assert reader["PV"].get() == [(0, 2.0), (2, 10.3), (2, 10.7)]


def test_provenance_of_any_size_and_of_quantities_is_kept(tmp_path, spikes):
    provenance = {"parameters": {f"p{i}": i * mV for i in range(20_000)}, "odd": float("nan")}
    back = load(Result(spikes, provenance=provenance).save(tmp_path / "run.h5"))
    assert back.provenance["parameters"]["p17"] == "17 mV"
    assert back.provenance["odd"] is None


def test_other_suffixes_are_refused(tmp_path, result):
    with pytest.raises(ModelError, match=r"written as \.h5, not '\.pkl'"):
        result.save(tmp_path / "run.pkl")


def test_damaged_traces_and_provenance_are_one_line(tmp_path, result):
    path = result.save(tmp_path / "run.h5")
    with h5py.File(path, "r+") as file:
        del file["traces/PC.soma.v/values"]
    with pytest.raises(ModelError, match=r"run\.h5: it is truncated or damaged"):
        load(path)
    with h5py.File(path, "r+") as file:
        del file["traces"]
        file.attrs["provenance"] = "{"
    with pytest.raises(ModelError, match=r"run\.h5: it is truncated or damaged"):
        load(path)


def test_a_table_without_its_attributes_is_refused(spikes):
    bare = pd.DataFrame(spikes.to_dict("list"))
    with pytest.raises(ModelError, match="attrs\\['cells'\\]"):
        Result(bare)


def test_circuits_draw_a_raster_and_single_cells_their_traces(result):
    assert len(result.plot("traces").axes) == 2
    assert result.plot("traces").axes[0].get_ylabel() == "PC.soma.v\n(mV)"
    assert "Time" in result.plot().axes[-1].get_xlabel()
    with pytest.raises(ModelError, match="did you mean raster"):
        result.plot("rasta")


def test_plotting_traces_without_any_says_how_to_record(spikes):
    with pytest.raises(ModelError, match=r"record=\['soma.v'\]"):
        Result(spikes).plot("traces")
