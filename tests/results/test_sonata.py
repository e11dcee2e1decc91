"""What we write is SONATA to libsonata; what is not SONATA is refused in one line."""

from __future__ import annotations

import h5py
import libsonata
import numpy as np
import pandas as pd
import pytest

from biomod.errors import ModelError
from biomod.results import read_spikes, write_spikes


def one_line_about(path, *words):
    """Expect the error to be one line that names the file and holds these words."""
    pattern = ".*".join(["^[^\\n]*" + str(path.name), *words])
    return pytest.raises(ModelError, match=pattern + "[^\\n]*$")


def test_libsonata_reads_populations_times_and_cells(tmp_path, spikes):
    reader = libsonata.SpikeReader(str(write_spikes(tmp_path / "spikes.h5", spikes)))
    assert set(reader.get_population_names()) == {"PC", "PV", "VIP"}
    assert reader["PC"].get() == [(0, 2.0), (4, 2.0), (1, 200.0), (1, 700.0)]
    assert reader["PV"].get() == [(0, 2.0), (2, 10.3), (2, 10.7)]
    assert reader["VIP"].get() == []
    assert reader["PC"].sorting == "by_time"
    assert reader["PC"].time_units == "ms"
    assert reader["PC"].get(tstart=100, tstop=300) == [(1, 200.0)]


def test_round_trip_keeps_every_bit_and_the_silent_cells(tmp_path, spikes):
    back = read_spikes(write_spikes(tmp_path / "spikes.h5", spikes))
    pd.testing.assert_frame_equal(back, spikes)
    assert back.attrs == spikes.attrs


def test_equal_spikes_give_equal_bytes(tmp_path, spikes):
    one, two = write_spikes(tmp_path / "a.h5", spikes), write_spikes(tmp_path / "b.h5", spikes)
    assert one.read_bytes() == two.read_bytes()


def foreign(path, unit="ms", times=(5.0, 1.0), ids=(3, 0)):
    """As another program writes it: unsorted, without our attributes."""
    with h5py.File(path, "w") as file:
        group = file.create_group("spikes/cortex")
        group["timestamps"] = np.asarray(times)
        group["node_ids"] = np.asarray(ids)
        if unit:
            group["timestamps"].attrs["units"] = unit
    return path


@pytest.mark.parametrize(("unit", "last"), [("ms", 5.0), ("s", 5000.0), ("", 5.0)])
def test_files_of_other_programs_can_be_read(tmp_path, unit, last):
    spikes = read_spikes(foreign(tmp_path / "other.h5", unit))
    assert list(spikes.cell) == [0, 3]
    assert spikes.time_ms.iloc[-1] == last
    assert spikes.attrs["cells"] == {"cortex": 4}
    assert spikes.attrs["duration_ms"] == last
    assert spikes.attrs["assumed"] == ["cells", "duration_ms"]


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"unit": "furlong"}, ["cortex", "furlong"]),
        ({"ids": (1,)}, ["2 spike times but 1"]),
        ({"times": (1.0, np.nan)}, ["finite"]),
        ({"times": (b"a", b"b")}, ["timestamps is not a list of numbers"]),
        ({"ids": (0.5, 1.5)}, ["node_ids is not a list of numbers"]),
    ],
)
def test_nonsense_inside_a_file_is_named(tmp_path, fault, words):
    path = foreign(tmp_path / "other.h5", **fault)
    with one_line_about(path, *words):
        read_spikes(path)


def test_every_truncation_is_noticed(tmp_path, spikes):
    whole = write_spikes(tmp_path / "whole.h5", spikes).read_bytes()
    path = tmp_path / "cut.h5"
    for length in range(0, len(whole), max(1, len(whole) // 60)):
        path.write_bytes(whole[:length])
        with one_line_about(path):
            read_spikes(path)


def test_a_changed_spike_time_is_noticed(tmp_path, spikes):
    path = write_spikes(tmp_path / "spikes.h5", spikes)
    content = path.read_bytes()
    where = content.index(np.float64(10.3).tobytes())
    path.write_bytes(content[:where] + b"\x01" + content[where + 1 :])
    with one_line_about(path, "damaged"):
        read_spikes(path)


@pytest.mark.parametrize(
    ("content", "word"), [(b"", "empty"), (b"not HDF5 at all" * 9, "not an HDF5 file")]
)
def test_other_files_are_refused(tmp_path, content, word):
    path = tmp_path / "spikes.h5"
    path.write_bytes(content)
    with one_line_about(path, word):
        read_spikes(path)


def test_an_hdf5_file_of_something_else_is_refused(tmp_path):
    path = tmp_path / "data.h5"
    with h5py.File(path, "w") as file:
        file["measurements"] = [1, 2, 3]
    with one_line_about(path, "holds no SONATA spikes"):
        read_spikes(path)


def test_a_missing_file_and_a_folder_are_named(tmp_path):
    with one_line_about(tmp_path / "nowhere.h5", "no such file"):
        read_spikes(tmp_path / "nowhere.h5")
    with one_line_about(tmp_path, "folder"):
        read_spikes(tmp_path)


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, spikes, monkeypatch):
    path = write_spikes(tmp_path / "spikes.h5", spikes)
    before = path.read_bytes()

    def full(*_args, **_kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("biomod.results.sonata.write_array", full)
    with pytest.raises(OSError, match="No space"):
        write_spikes(path, spikes.iloc[:2])
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_does_not_exist_is_an_error_that_says_so(tmp_path, spikes):
    with pytest.raises(ModelError, match=r"cannot write .*no such file or directory"):
        write_spikes(tmp_path / "missing" / "spikes.h5", spikes)
