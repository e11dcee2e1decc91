"""``biomod analyze``: runs, SONATA files of anyone, saved results; and damaged ones."""

from __future__ import annotations

import json

import h5py
import numpy as np
import pytest

from biomod.results import load


@pytest.fixture
def run(cli, simulator, tmp_path):
    assert cli("run", "pair", "--out", tmp_path / "A", "--quiet").exit_code == 0
    return tmp_path / "A"


def test_a_run_its_spikes_and_a_saved_result_give_the_same_numbers(cli, run, tmp_path):
    load(run).save(tmp_path / "result.h5")
    paths = (run, run / "spikes.h5", tmp_path / "result.h5")
    one, two, three = (json.loads(cli("analyze", p, "--json").stdout) for p in paths)
    assert one == two == three
    written = json.loads((run / "summary.json").read_text())
    assert one["populations"] == written["populations"]


def test_figures_are_written_where_told(cli, run, tmp_path):
    outcome = cli("analyze", run, "--out", tmp_path / "figures")
    assert outcome.exit_code == 0, outcome.output
    names = {"summary.json", "raster.png", "spectrum.png"}
    assert {p.name for p in (tmp_path / "figures").iterdir()} == names
    for name in ("raster.png", "spectrum.png"):
        assert (tmp_path / "figures" / name).read_bytes().startswith(b"\x89PNG")
    assert "rate_hz" in outcome.stdout


def test_nothing_is_written_without_being_told(cli, run):
    before = sorted(run.iterdir())
    assert cli("analyze", run).exit_code == 0
    assert sorted(run.iterdir()) == before


def test_files_of_other_programs_say_what_was_assumed(cli, tmp_path):
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["spikes/V1/timestamps"] = np.arange(1.0, 100.0)
        file["spikes/V1/node_ids"] = np.arange(99) % 7
    outcome = cli("analyze", tmp_path / "other.h5", "--json")
    assert json.loads(outcome.stdout)["populations"]["V1"]["cells"] == 7
    assert "does not say cells and duration_ms" in outcome.stderr


@pytest.mark.parametrize("keep", [0, 10, 500, -200, -1])
def test_truncated_spikes_are_refused(refused, run, tmp_path, keep):
    path = tmp_path / "cut.h5"
    path.write_bytes((run / "spikes.h5").read_bytes()[:keep])
    assert f"cannot read {path}" in refused("analyze", path)


def test_other_things_are_refused(refused, run, tmp_path):
    assert "no such file" in refused("analyze", tmp_path / "missing.h5")
    assert "it holds no run" in refused("analyze", tmp_path)
    assert "not an HDF5 file" in refused("analyze", run / "run.json")
    (run / "run.json").unlink()
    assert "the run in it is unfinished" in refused("analyze", run)
    target = run / "spikes.h5" / "figures"
    assert "cannot write to" in refused("analyze", run / "spikes.h5", "--out", target)


def test_what_analysis_refuses_is_bad_input(refused, tmp_path):
    with h5py.File(tmp_path / "twice.h5", "w") as file:
        file["spikes/V1/timestamps"] = [1.0, 1.0]
        file["spikes/V1/node_ids"] = [0, 0]
    assert "twice" in refused("analyze", tmp_path / "twice.h5")
