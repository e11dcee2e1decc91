"""The command as a process: exit status, streams, signals, start-up time."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def call(*words, path=(), **options):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (*path, ROOT)))}
    command = [sys.executable, "-m", "biomod", *map(str, words)]
    return subprocess.run(
        command, capture_output=True, text=True, env=environment, timeout=60, **options
    )


def test_help_names_the_commands():
    outcome = call("--help")
    assert outcome.returncode == 0
    for command in ("list", "show", "run", "analyze", "cache"):
        assert command in outcome.stdout
    assert call().stdout == outcome.stdout
    assert call("run", "-h").returncode == 0


def test_version():
    assert call("--version").stdout.startswith("biomod ")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("rnu",), "unknown command 'rnu'; did you mean run"),
        (("run", "--outt", "x"), "did you mean --out"),
        (("--jsn", "list"), "unknown option '--jsn' of 'biomod'"),
        (("analyze",), "missing argument"),
    ],
)
def test_usage_errors_are_one_line(words, said):
    outcome = call(*words)
    assert outcome.returncode == 2
    assert outcome.stdout == ""
    assert len(outcome.stderr.splitlines()) == 1
    assert said in outcome.stderr


def test_importing_the_command_line_needs_no_simulator_and_no_tables():
    """What makes it fast: how long it takes is in benchmarks/bench_interactive.py."""
    script = (
        "import sys, biomod.cli\n"
        "print(*({'pandas', 'matplotlib', 'h5py', 'brian2', 'analysis'} & set(sys.modules)))"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    outcome = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=environment, check=True
    )
    assert outcome.stdout.split() == []


def test_a_closed_pipe_is_not_an_error_message(library):
    environment = {**os.environ, "PYTHONPATH": f"{library}{os.pathsep}{ROOT}"}
    script = f"{sys.executable} -m biomod list receptors --json | head -c 1"
    outcome = subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, env=environment, check=False
    )
    assert outcome.stdout == "["
    assert outcome.stderr == ""


SLOW_SIMULATOR = """
import os, subprocess, sys, time, types
import biomod.backends, biomod.simulation
def simulate(model, duration, **options):
    os.write(1, b"written by C code\\n")
    subprocess.run(["echo", "written by another process"])
    options["progress"].start(1.0)
    print("simulating", flush=True)
    time.sleep(float(os.environ["SECONDS"]))
    from biomod.results import Result, spike_table
    return Result(spike_table({}, model.cells, duration.si), provenance={"seed": 1})
sys.modules["biomod.simulation"].simulate = simulate
from biomod.cli import main
main()
"""


def start(library, out, seconds):
    environment = {**os.environ, "PYTHONPATH": f"{library}{os.pathsep}{ROOT}"}
    environment["SECONDS"] = str(seconds)
    command = [sys.executable, "-c", SLOW_SIMULATOR, "run", "pair", "--backend", "numpy",
               "--out", str(out), "--json"]  # fmt: skip
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )


def test_what_other_code_prints_does_not_reach_standard_output(library, tmp_path):
    process = start(library, tmp_path / "A", 0)
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 0, stderr
    assert json.loads(stdout)["populations"]["PC"]["cells"] == 8
    for text in ("written by C code", "written by another process", "simulating"):
        assert text in stderr


def test_ctrl_c(library, tmp_path):
    process = start(library, tmp_path / "A", 30)
    while "simulating" not in (process.stderr.readline() or "simulating"):
        pass
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=20)
    assert process.returncode == 130
    assert stdout == ""
    (line,) = stderr.splitlines()
    assert line.startswith("biomod: interrupted")
    assert {p.name for p in (tmp_path / "A").iterdir()} == {"unfinished.json"}
