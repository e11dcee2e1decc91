"""Checkpoints: a run that was killed ends as one that was not; recordings go to disk."""

from __future__ import annotations

import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from biomod.programs import cache_directory, find_compiler, read_entry
from tests.engine.helpers import ROOT, SCRIPTS, results, start

pytestmark = pytest.mark.skipif(find_compiler() is None, reason="no C++ compiler")
# As in resumable.py: 20 checkpoints; recordings go to disk in pieces of 1 MiB, after 131 ms each.
EVERY = 0.02
# What is not on disk is in the checkpoint: the first to grow beyond so many bytes is the 13th.
LARGEST, LATE = 2_050_000, 12
RUNS = "150", "250"  # ms


class Program:
    """The compiled program of resumable.py, run by itself in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(
        self, *, every: float = EVERY, resume: bool = False, threads: int = 1,
        kill_after: float | None = None, **variables: str,
    ) -> subprocess.CompletedProcess[str]:  # fmt: skip
        """Run to the end, or until it is killed after so many seconds."""
        process = self.start(every, resume, threads, variables)
        try:
            _, said = process.communicate(timeout=60 if kill_after is None else kill_after)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            _, said = process.communicate()
        return subprocess.CompletedProcess("main", process.returncode, stderr=said)

    def start(
        self, every: float, resume: bool, threads: int, variables: dict[str, str],
        largest_file: int = resource.RLIM_INFINITY,
    ) -> subprocess.Popen[str]:  # fmt: skip
        (self.folder / "results").mkdir(exist_ok=True)
        environment = os.environ | {
            "BIOMOD_CHECKPOINT_EVERY": str(every), "BIOMOD_RESUME": str(int(resume)),
            "BIOMOD_THREADS": str(threads), **variables,
        }  # fmt: skip
        return subprocess.Popen(
            ["./main"], cwd=self.folder, env=environment, text=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            preexec_fn=partial(limit_files, largest_file),
        )  # fmt: skip

    def interrupted(self) -> list[Path]:
        """Have it killed after checkpoint LATE; returns those it kept, newest first.

        The kernel does it, in the midst of writing the next one, when that grows too large.
        """
        process = self.start(EVERY, False, 1, {}, largest_file=LARGEST)
        _, said = process.communicate()
        assert process.returncode == -signal.SIGXFSZ, said
        found = self.checkpoints()
        assert [number(path) for path in found] == [LATE, LATE - 1]
        return found

    def interrupted_at(self, size: int) -> list[Path]:
        """Have it killed when a checkpoint that it writes has so many bytes; returns whole ones."""
        process = self.start(EVERY, False, 1, {}, largest_file=size)
        _, said = process.communicate()
        assert process.returncode == -signal.SIGXFSZ, said
        (torn,) = (self.folder / "results").glob("checkpoint-*.tmp")
        assert torn.stat().st_size == size
        return self.checkpoints()

    def checkpoints(self) -> list[Path]:
        found = (self.folder / "results").glob("checkpoint-*")
        whole = [path for path in found if re.fullmatch(r"checkpoint-\d+", path.name)]
        return sorted(whole, key=lambda path: -int(path.name.split("-")[1]))

    def files(self) -> dict[str, bytes]:
        """All that Brian2 reads, but the wall time of the run."""
        found = (self.folder / "results").glob("_*")
        return {path.name: path.read_bytes() for path in found}


def limit_files(largest: int) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))


def assert_same_arrays(found: Path, expected: Path) -> None:
    with np.load(found) as a, np.load(expected) as b:
        assert set(a) == set(b)
        for name in b:
            np.testing.assert_array_equal(a[name], b[name], err_msg=name)


def number(path: Path) -> int:
    return int(path.name.split("-")[1])


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the program, built and run without interruption."""
    folder = tmp_path_factory.mktemp("resumable")
    done = start("resumable.py", folder / "program", folder / "reference", *RUNS)
    assert done.returncode == 0, done.stderr[-4000:]
    return folder


@pytest.fixture
def program(built: Path, tmp_path: Path) -> Program:
    for name in ("main", "static_arrays"):
        copy = shutil.copytree if (built / "program" / name).is_dir() else shutil.copy
        copy(built / "program" / name, tmp_path / name)
    return Program(tmp_path)


@pytest.fixture(scope="module")
def reference(built: Path) -> dict[str, bytes]:
    files = Program(built / "program").files()
    assert sum(len(content) for content in files.values()) > 1_000_000
    return files


def test_a_run_with_checkpoints_ends_as_one_without_and_leaves_none(
    program: Program, reference: dict[str, bytes]
) -> None:
    assert program.run(every=0).returncode == 0
    assert program.files() == reference
    assert program.run().returncode == 0
    assert program.files() == reference
    assert program.checkpoints() == []


def test_recordings_are_on_disk_before_the_end(program: Program) -> None:
    program.interrupted()
    parts = list((program.folder / "results").glob("_dynamic_array_trace_*.part"))
    assert parts
    assert all(path.stat().st_size > 0 for path in parts)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_killed_run_resumes_exactly(
    program: Program, reference: dict[str, bytes], seed: int
) -> None:
    program.run(kill_after=random.Random(seed).uniform(0.02, 0.4))
    done = program.run(resume=True)
    assert done.returncode == 0, done.stderr
    assert program.files() == reference


@pytest.mark.validate
def test_a_run_killed_in_the_writing_of_a_checkpoint_resumes_exactly(
    program: Program, reference: dict[str, bytes]
) -> None:
    """At 20 places, from the first bytes to the checksum at the end, in six checkpoints."""
    fourth = program.interrupted_at(1_400_000)[0]
    assert number(fourth) == 4
    last = [fourth.stat().st_size - missing for missing in (1, 7, 8, 9)]
    places = [1, *np.linspace(20_000, LARGEST, 15).astype(int), *last]
    assert len(places) == 20
    taken_up = set()
    for place in places:
        shutil.rmtree(program.folder / "results")
        whole = program.interrupted_at(int(place))
        done = program.run(resume=True)
        assert done.returncode == 0, (place, done.stderr)
        if whole:
            assert f"checkpoint-{number(whole[0])}\n" in done.stderr, place
            taken_up.add(number(whole[0]))
        assert program.files() == reference, place
    assert len(taken_up) >= 5, taken_up


def test_other_threads_and_other_intervals_may_take_it_up(
    program: Program, reference: dict[str, bytes]
) -> None:
    newest = program.interrupted()[0]
    done = program.run(resume=True, threads=3, every=0.05)
    assert f"checkpoint-{number(newest)}" in done.stderr
    assert program.files() == reference


@pytest.mark.parametrize("damage", ["truncated", "one bit", "empty"])
def test_of_a_torn_checkpoint_the_one_before_is_used(
    program: Program, reference: dict[str, bytes], damage: str
) -> None:
    newest, before = program.interrupted()
    content = bytearray(newest.read_bytes())
    if damage == "one bit":
        content[len(content) // 2] ^= 4
    newest.write_bytes(content[: {"truncated": len(content) // 2, "empty": 0}.get(damage)])
    done = program.run(resume=True)
    assert f"checkpoint-{number(newest)} is not whole" in done.stderr
    assert re.search(rf"resumed at t = \S+ s from \S*checkpoint-{number(before)}\n", done.stderr)
    assert program.files() == reference


def test_without_a_whole_checkpoint_the_run_starts_again_and_says_so(
    program: Program, reference: dict[str, bytes]
) -> None:
    for path in program.interrupted():
        path.write_bytes(b"torn")
    done = program.run(resume=True)
    assert "the run starts from its beginning" in done.stderr
    assert program.files() == reference


def test_a_recording_that_lost_its_end_is_not_taken_up(
    program: Program, reference: dict[str, bytes]
) -> None:
    program.interrupted()
    part = next((program.folder / "results").glob("_dynamic_array_trace_v*.part"))
    part.write_bytes(part.read_bytes()[:100])
    done = program.run(resume=True)
    assert "has lost a part of the recording _dynamic_array_trace_v" in done.stderr
    assert program.files() == reference


def test_a_checkpoint_of_other_data_is_refused(program: Program) -> None:
    newest = program.interrupted()[0]
    done = program.run(resume=True, BIOMOD_IDENTITY="another seed")
    assert done.returncode != 0
    assert f"checkpoint-{number(newest)} is of another program or of other data" in done.stderr
    assert program.checkpoints()[0] == newest, "it is still there for the right program"


def test_two_runs_do_not_write_to_one_folder(program: Program) -> None:
    program.interrupted()
    lock = program.folder / "results/checkpoint.lock"
    holder = subprocess.Popen(["flock", "--exclusive", str(lock), "sleep", "20"])
    try:
        time.sleep(0.3)
        done = program.run(resume=True)
    finally:
        holder.kill()
        holder.wait()
    assert done.returncode != 0
    assert "another run writes to results/" in done.stderr


def test_a_killed_script_is_taken_up_by_running_it_again(
    built: Path, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(built / "program", program.folder, dirs_exist_ok=True)
    program.interrupted()
    monkeypatch.setenv("BIOMOD_RESUME", "1")
    done = start("resumable.py", program.folder, program.folder / "out", *RUNS)
    assert "resumed at t" in done.stderr
    assert_same_arrays(program.folder / "out.npz", built / "reference.npz")


def test_a_run_in_two_parts_is_the_run_in_one(built: Path, tmp_path: Path) -> None:
    done = start("resumable.py", tmp_path / "program", tmp_path / "out", "400", "0")
    assert done.returncode == 0, done.stderr[-4000:]
    assert_same_arrays(tmp_path / "out.npz", built / "reference.npz")


# Everything of Brian2 that keeps a state; see scripts/checkpointed.py.


@pytest.mark.validate
def test_two_parts_and_one_are_the_same_for_every_kind_of_state(tmp_path: Path) -> None:
    whole = results("checkpointed.py", tmp_path / "a.npz", tmp_path / "a", "120", 0)
    parts = results("checkpointed.py", tmp_path / "b.npz", tmp_path / "b", "50,70", 7)
    assert len(whole["spikes_t"]) > 1000
    for name, array in whole.items():
        np.testing.assert_array_equal(parts[name], array, err_msg=name)


@pytest.mark.validate
def test_every_kind_of_state_survives_kills_in_both_runs(tmp_path: Path) -> None:
    results("checkpointed.py", tmp_path / "a.npz", tmp_path / "a", "50,70", 0)
    program = Program(tmp_path / "a")
    expected = program.files()
    for seed in range(20):
        shutil.rmtree(tmp_path / "a/results")
        chance = random.Random(seed)
        kills = 0
        while program.run(every=0.002, resume=kills > 0, kill_after=chance.uniform(0.02, 0.5)
                          ).returncode != 0:  # fmt: skip
            kills += 1
        assert program.files() == expected, seed


@pytest.mark.validate
def test_twenty_kills_of_build_run_and_checkpoint(
    built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From an empty cache, kill script and program until it ends; then all must be as ever."""
    monkeypatch.setenv("BIOMOD_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("BIOMOD_RESUME", "1")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    script = [SCRIPTS / "resumable.py", tmp_path / "program", tmp_path / "out", *RUNS]
    command = [sys.executable, *map(str, script)]
    started = time.monotonic()
    subprocess.run(command, check=True, capture_output=True)
    usual = time.monotonic() - started
    killed_in = {"build": 0, "run": 0}
    for seed in range(20):
        chance = random.Random(seed)
        if seed % 4 == 0:  # at times the compiler is to be killed too
            shutil.rmtree(tmp_path / "cache")
        (tmp_path / "out.npz").unlink(missing_ok=True)
        shutil.rmtree(tmp_path / "program/results", ignore_errors=True)
        process = subprocess.Popen(
            command, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        time.sleep(chance.uniform(0.2, 1.0) * usual)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        running = list((tmp_path / "program").glob("results/checkpoint*"))
        killed_in["run" if running else "build"] += 1
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-2000:]
        assert_same_arrays(tmp_path / "out.npz", built / "reference.npz")
        entries = list((cache_directory() / "programs").glob("*.bin"))
        assert entries
        assert all(read_entry(entry) is not None for entry in entries)
    assert min(killed_in.values()) > 0, killed_in
