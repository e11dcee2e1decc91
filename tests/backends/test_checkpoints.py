"""Who may write checkpoints, and where: said before anything is compiled."""

from __future__ import annotations

from pathlib import Path

import pytest

import biomod as bm
from biomod.backends.checkpoints import LOCK, discard
from biomod.errors import ModelError, UnitError
from biomod.programs import find_compiler
from biomod.units import ms, mV
from tests.backends.helpers import SPIKE, point

CELL = point("cell", "200 pF", "10 nS", "-65 mV", spike=SPIKE)


def refused(error: type[Exception], says: str, **checkpoints: object) -> None:
    with pytest.raises(error, match=says):
        bm.simulate(CELL, 10 * ms, **checkpoints)


def test_a_backend_without_checkpoints_says_so(tmp_path: Path) -> None:
    wanted = {"checkpoint_every": 5 * ms, "checkpoint_dir": tmp_path / "new"}
    refused(ModelError, "numpy backend writes no checkpoints.*cpp", backend="numpy", **wanted)
    assert not (tmp_path / "new").exists()


@pytest.mark.skipif(find_compiler() is None, reason="no C++ compiler")
def test_folder_and_interval_belong_together(tmp_path: Path) -> None:
    refused(ModelError, "checkpoint_every needs checkpoint_dir", checkpoint_every=5 * ms)
    refused(ModelError, "resume needs checkpoint_dir", resume=True)
    refused(ModelError, "checkpoint_dir needs checkpoint_every", checkpoint_dir=tmp_path / "new")


@pytest.mark.parametrize(
    ("every", "error"), [(0 * ms, ModelError), (-5 * ms, ModelError), (5 * mV, UnitError)]
)
def test_intervals_are_positive_times(
    tmp_path: Path, every: object, error: type[Exception]
) -> None:
    refused(error, "checkpoint_every", checkpoint_every=every, checkpoint_dir=tmp_path / "new")


def test_other_files_and_unfinished_runs_are_not_overwritten(tmp_path: Path) -> None:
    notes = tmp_path / "other" / "notes.txt"
    notes.parent.mkdir()
    notes.write_text("mine")
    refused(ModelError, "holds other files", checkpoint_every=5 * ms, checkpoint_dir=notes.parent)
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / LOCK).touch()
    refused(
        ModelError, "unfinished run; resume=True", checkpoint_every=5 * ms,
        checkpoint_dir=tmp_path / "run",
    )  # fmt: skip
    discard(notes.parent)
    assert notes.read_text() == "mine", "only the folder of a run is discarded"
    discard(tmp_path / "run")
    assert not (tmp_path / "run").exists()
