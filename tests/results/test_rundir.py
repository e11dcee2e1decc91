"""The directory of a run: wholly there, or recognisably not."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pandas as pd
import pytest

from biomod.errors import ModelError
from biomod.results import claim, load, rundir

FILES = {"spikes.h5", "summary.json", "raster.png", "run.json", "traces.h5"}


def names(path):
    return {p.name for p in path.iterdir()}


def finish(path, result, **options):
    with claim(path, **options) as directory:
        return directory.write(result, {"request": {"name": "l23"}})


def test_a_finished_run_has_all_files_and_can_be_loaded(tmp_path, result):
    summary = finish(tmp_path / "A", result)
    assert names(tmp_path / "A") == FILES
    assert json.loads((tmp_path / "A" / "summary.json").read_text()) == summary
    assert summary["populations"]["PV"]["cells"] == 3
    assert summary["duration_s"] == 1.0
    run = json.loads((tmp_path / "A" / "run.json").read_text())
    assert run["seed"] == 3
    assert run["timings"] == {"build_s": 0.5, "run_s": 0.1}
    assert run["request"] == {"name": "l23"}
    back = load(tmp_path / "A")
    pd.testing.assert_frame_equal(back.spikes, result.spikes)
    assert list(back.traces) == list(result.traces)


def test_a_finished_run_is_refused_unless_forced(tmp_path, result, spikes):
    finish(tmp_path / "A", result)
    with pytest.raises(ModelError, match=r"already holds a finished run.*--force"):
        claim(tmp_path / "A")
    untraced = type(result)(spikes, provenance={"seed": 4})
    finish(tmp_path / "A", untraced, force=True)
    assert load(tmp_path / "A").provenance["seed"] == 4
    assert "traces.h5" not in names(tmp_path / "A")


def test_wrong_input_leaves_no_trace(tmp_path):
    with pytest.raises(ModelError), claim(tmp_path / "a" / "b"):
        raise ModelError("late complaint")
    assert names(tmp_path) == set()


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_an_interrupted_run_is_unfinished_and_can_be_resumed(tmp_path, result, error):
    out = tmp_path / "A"
    with pytest.raises(error), claim(out, request={"name": "l23", "seed": 5}):
        raise error
    assert rundir.state(out) == "unfinished"
    assert names(out) == {"unfinished.json"}
    assert rundir.unfinished_request(out) == {"name": "l23", "seed": 5}
    with pytest.raises(ModelError, match="unfinished"):
        load(out)
    finish(out, result, resume=True)
    assert rundir.state(out) == "finished"
    assert names(out) == FILES


@pytest.mark.parametrize("writer", ["write_spikes", "write_json", "write_traces", "save_figure"])
def test_a_failure_in_any_writer_leaves_nothing_that_looks_whole(
    tmp_path, result, monkeypatch, writer
):
    def killed(*_args, **_kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(rundir, writer, killed)
    with pytest.raises(KeyboardInterrupt):
        finish(tmp_path / "A", result)
    assert names(tmp_path / "A") == {"unfinished.json"}


def test_an_interrupted_forced_run_leaves_the_old_one_whole(tmp_path, result):
    finish(tmp_path / "A", result)
    with pytest.raises(KeyboardInterrupt), claim(tmp_path / "A", force=True):
        raise KeyboardInterrupt
    assert names(tmp_path / "A") == FILES
    assert load(tmp_path / "A").provenance["seed"] == 3


def test_nothing_to_resume(tmp_path, result):
    with pytest.raises(ModelError, match=r"nothing to resume.*no unfinished run"):
        claim(tmp_path / "A", resume=True)
    assert names(tmp_path) == set()
    finish(tmp_path / "A", result)
    with pytest.raises(ModelError, match=r"nothing to resume.*is finished"):
        claim(tmp_path / "A", resume=True)


def test_two_runs_cannot_share_a_directory(tmp_path):
    with (
        claim(tmp_path / "A"),
        pytest.raises(ModelError, match=f"in use .*process {os.getpid()}"),
    ):
        claim(tmp_path / "A")


def test_a_killed_process_leaves_an_unfinished_run_that_is_not_locked(tmp_path, result):
    script = (
        "import os, signal, sys; from biomod.results import claim\n"
        "claim(sys.argv[1], request={'seed': 9}); os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path / "A")], check=False)
    assert rundir.state(tmp_path / "A") == "unfinished"
    assert rundir.unfinished_request(tmp_path / "A") == {"seed": 9}
    finish(tmp_path / "A", result)
    assert rundir.state(tmp_path / "A") == "finished"


def test_leftovers_of_a_killed_writer_are_removed(tmp_path, result):
    (tmp_path / "A" / ".partial-1").mkdir(parents=True)
    (tmp_path / "A" / ".partial-1" / "spikes.h5").write_bytes(b"half")
    finish(tmp_path / "A", result)
    assert names(tmp_path / "A") == FILES


def test_spikes_without_run_json_are_an_unfinished_run(tmp_path, result):
    finish(tmp_path / "A", result)
    (tmp_path / "A" / "run.json").unlink()
    assert rundir.state(tmp_path / "A") == "unfinished"
    with pytest.raises(ModelError, match=r"no run\.json.*its spikes alone"):
        load(tmp_path / "A")


def test_places_that_cannot_be_written_are_refused_before_anything_starts(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ModelError, match=r"it is a file, not a folder"):
        claim(tmp_path / "file")
    with pytest.raises(ModelError, match=r"cannot write to .*not a directory"):
        claim(tmp_path / "file" / "A")
    with pytest.raises(ModelError, match="cannot write to"):
        claim("/proc/biomod-test")


def test_a_damaged_run_json_is_one_line(tmp_path, result):
    finish(tmp_path / "A", result)
    (tmp_path / "A" / "run.json").write_text('{"seed": ')
    with pytest.raises(ModelError, match=r"run\.json: it is damaged"):
        load(tmp_path / "A")
