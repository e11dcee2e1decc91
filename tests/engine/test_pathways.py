"""Synapses: what a spike does, and in which step, is what Brian2's numpy target says."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from biomod.programs import find_compiler
from tests.engine.helpers import results, start
from tests.engine.test_checkpoints import Program

pytestmark = pytest.mark.skipif(find_compiler() is None, reason="no C++ compiler")


def test_pathways_of_all_kinds_act_in_the_step_in_which_they_do_in_numpy(tmp_path: Path) -> None:
    # Delays of each synapse and of all, changed while spikes are on their way; parts of groups;
    # plasticity with a delayed second pathway; depression; an event that is not a spike.
    expected = results("pathways.py", tmp_path / "a.npz", "numpy")
    found = results("pathways.py", tmp_path / "b.npz", "biomod_cpp")
    assert len(expected["i"]) > 300
    for what in ("i", "t", "half_i", "half_t"):
        np.testing.assert_array_equal(found[what], expected[what])
    for what in ("v", "g", "w", "u"):
        np.testing.assert_allclose(found[what], expected[what], rtol=0, atol=1e-13)


@pytest.fixture(scope="module")
def many_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("many") / "biomod_cpp"


@pytest.fixture(scope="module")
def many(many_folder: Path) -> tuple[dict[str, np.ndarray], ...]:
    return tuple(
        results("many_synapses.py", many_folder.with_name(f"{device}.npz"), device)
        for device in ("numpy", "biomod_cpp")
    )


@pytest.mark.validate
def test_synapses_divided_by_targets_act_as_in_numpy(
    many: tuple[dict[str, np.ndarray], ...],
) -> None:
    # Weights and delays changed between two runs, spikes on their way; arrays that waited on disk.
    expected, found = many
    assert len(expected["i"]) > 1000
    for what in ("i", "t", "pre", "post"):
        np.testing.assert_array_equal(found[f"{what}_1"], expected[what], err_msg=what)
    for what in ("v", "g", "h", "told", "count", "w", "delay", "seen", "pulled", "tired"):
        np.testing.assert_allclose(
            found[f"{what}_1"], expected[what], rtol=1e-12, atol=1e-12, err_msg=what
        )


@pytest.mark.validate
@pytest.mark.parametrize("threads", [2, 3])
def test_threads_that_share_synapses_change_no_bit(
    many: tuple[dict[str, np.ndarray], ...], threads: int
) -> None:
    _, found = many
    for name in many[0]:
        np.testing.assert_array_equal(found[f"{name}_{threads}"], found[f"{name}_1"], err_msg=name)


@pytest.mark.validate
@pytest.mark.parametrize("lost", [0, 1])  # from the second run, from the first
@pytest.mark.usefixtures("many")
def test_arrays_on_disk_are_in_checkpoints(many_folder: Path, tmp_path: Path, lost: int) -> None:
    for name in ("main", "static_arrays"):
        copy = shutil.copytree if (many_folder / name).is_dir() else shutil.copy
        copy(many_folder / name, tmp_path / name)
    program = Program(tmp_path)
    assert program.run(every=0).returncode == 0
    expected = without_spikespace(program)
    program.run(every=0.009, BIOMOD_KEEP_CHECKPOINTS="1")
    assert without_spikespace(program) == expected
    kept = program.checkpoints()
    assert len(kept) == 2
    for path in kept[:lost]:
        path.unlink()
    for path in (tmp_path / "results").glob("_*"):
        path.unlink()
    done = program.run(resume=True, threads=3)
    assert "resumed at t = 0.0" in done.stderr
    assert without_spikespace(program) == expected


def without_spikespace(program: Program) -> dict[str, bytes]:
    """All results but the list of spikes: what lies behind the last one depends on threads."""
    return {name: data for name, data in program.files().items() if "spikespace" not in name}


@pytest.mark.validate
@pytest.mark.skipif(sys.platform != "linux", reason="the peak of memory is counted in another unit")
def test_a_static_synapse_takes_at_most_16_bytes(tmp_path: Path) -> None:
    # Of the peak of the whole program: while connections are made, while it runs, and at the end.
    sizes = []
    for cells in (1000, 1600):
        done = start("memory.py", tmp_path / "program", cells)
        assert done.returncode == 0, done.stderr[-4000:]
        sizes.append([int(number) for number in done.stdout.split()[-2:]])
    (few, small), (many, large) = sizes
    assert many - few > 3_000_000
    assert (large - small) / (many - few) <= 16


@pytest.mark.validate
def test_arguments_of_the_program_change_weights_that_waited_on_disk(tmp_path: Path) -> None:
    found = results("arguments.py", tmp_path / "found.npz", tmp_path / "program")
    assert found["g_built"].min() > 100  # spikes have reached every cell
    np.testing.assert_array_equal(found["g_one"], 2 * found["g_built"])
    np.testing.assert_array_equal(found["w_each"], np.repeat(np.arange(800.0), 800))
    # The weight is the number of the source.
    assert found["g_each"].min() > 100 * found["g_built"].max()
