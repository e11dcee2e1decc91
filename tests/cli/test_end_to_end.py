"""The command with the real simulators: a tiny circuit always, the named one as slow."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from biomod import registry
from biomod.programs import find_compiler
from biomod.results import load, rundir

ROOT = Path(__file__).resolve().parents[2]


def test_a_tiny_circuit_on_numpy(cli, library, tmp_path):
    words = ("run", "pair", "--cells", 20, "--duration", 0.1, "--backend", "numpy", "--quiet")
    for name, extra in (("A", ()), ("B", ("--modulator", "ACh=0uM")), ("C", ("--seed", 2))):
        outcome = cli(*words, *extra, "--out", tmp_path / name, "--record", "PC.soma.v")
        assert outcome.exit_code == 0, outcome.output
    one, two = load(tmp_path / "A"), load(tmp_path / "B")
    pd.testing.assert_frame_equal(one.spikes, two.spikes)
    (label,) = one.traces
    assert one.traces[label].attrs["unit"] == "mV"
    assert one.traces[label].equals(two.traces[label])
    assert not one.traces[label].equals(load(tmp_path / "C").traces[label])
    for key in ("seed", "backend", "versions", "parameters", "timings", "modulators"):
        assert key in one.provenance
    assert one.provenance["timings"].keys() >= {"build_s", "run_s"}


@pytest.mark.slow
def test_l23_repeats_itself(cli, tmp_path):
    if "l23" not in registry.circuits():
        pytest.skip("needs the entry points of microcircuits (pip install -e .)")
    words = ("run", "l23", "--cells", 400, "--duration", 1, "--json", "--quiet")
    variants = {
        "A": ("--seed", 1),
        "B": ("--seed", 1),
        "zero": ("--seed", 1, "--modulator", "ACh=0uM"),
        "other": ("--seed", 2),
    }
    for name, extra in variants.items():
        outcome = cli(*words, *extra, "--out", tmp_path / name)
        assert outcome.exit_code == 0, outcome.output
        rates = [p["rate_hz"] for p in json.loads(outcome.stdout)["populations"].values()]
        assert all(0 < rate < 100 for rate in rates), rates
    spikes = {name: (tmp_path / name / "spikes.h5").read_bytes() for name in variants}
    assert spikes["A"] == spikes["B"] == spikes["zero"] != spikes["other"]


# 10 cells for 60 s take a second or two; there is a checkpoint every 1/120 of that.
LONG = ("run", "pair", "--backend", "cpp", "--duration", 60, "--record", "PC[0].soma.v")
OFTEN = ("--checkpoint-every", "0.5")


def killed(library: Path, out: Path) -> None:
    """Run the command until it has written its third checkpoint, then kill it as a machine dies."""
    environment = os.environ | {"PYTHONPATH": f"{library}{os.pathsep}{ROOT}"}
    command = [sys.executable, "-m", "biomod", *map(str, LONG), *OFTEN, "--out", str(out)]
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    while process.poll() is None and not (out / rundir.CHECKPOINTS / "checkpoint-3").exists():
        time.sleep(0.001)
    process.kill()
    assert process.wait() < 0, "it had ended before it could be killed"


@pytest.mark.validate
@pytest.mark.skipif(find_compiler() is None, reason="no C++ compiler")
def test_a_killed_run_is_resumed_from_its_checkpoint_and_ends_as_one_that_was_not(
    cli, library, tmp_path
):
    whole = cli(*LONG, "--out", tmp_path / "whole")  # compiles, so that the next one runs at once
    assert whole.exit_code == 0, whole.output
    out = tmp_path / "killed"
    killed(library, out)
    assert rundir.state(out) == "unfinished"
    resumed = cli("run", "pair", "--out", out, "--resume", *OFTEN)
    assert resumed.exit_code == 0, resumed.output
    assert "is taken up from its last checkpoint" in resumed.stderr
    result, expected = load(out), load(tmp_path / "whole")
    assert result.provenance["resumed_at_ms"] >= 3 * 500 - 1e-6
    assert len(expected.spikes) > 1000
    pd.testing.assert_frame_equal(result.spikes, expected.spikes)
    ((label, trace),) = expected.traces.items()
    assert result.traces[label].equals(trace)
    assert not (out / rundir.CHECKPOINTS).exists()


@pytest.mark.validate
@pytest.mark.skipif(find_compiler() is None, reason="no C++ compiler")
def test_a_killed_run_starts_anew_without_resume_and_is_the_same(cli, library, tmp_path):
    whole = cli(*LONG, "--out", tmp_path / "whole")
    assert whole.exit_code == 0, whole.output
    killed(library, tmp_path / "killed")
    again = cli(*LONG, *OFTEN, "--out", tmp_path / "killed")
    assert again.exit_code == 0, again.output
    assert "starts again from the beginning" in again.stderr
    again, expected = load(tmp_path / "killed"), load(tmp_path / "whole")
    assert "resumed_at_ms" not in again.provenance
    pd.testing.assert_frame_equal(again.spikes, expected.spikes)
