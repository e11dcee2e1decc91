"""Checkpoints of a run: where they are, how often they are written, what is done with old ones."""

from __future__ import annotations

import fcntl
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from biomod.errors import ModelError
from biomod.units import as_quantity

# Backends that write them.
BACKENDS = ("cpp",)
LOCK = "checkpoint.lock"  # held by the program that writes to the folder


@dataclass(frozen=True)
class Checkpoints:
    """Where a run keeps its checkpoints and recordings until it has ended.

    Attributes
    ----------
    folder : Path
        New, empty, or with an unfinished run.
    every : float
        Simulated time between two checkpoints in s; 0 to write none, only to resume.
    resume : bool
        Take up the newest whole checkpoint in the folder, if there is one.
    """

    folder: Path
    every: float
    resume: bool


def checkpoints(every: Any, folder: str | Path | None, resume: bool) -> Checkpoints | None:
    """Read what a person asks for; None for no checkpoints.

    Raises
    ------
    ModelError
        The interval is not positive, there is no folder, or it holds something else.
    """
    if folder is None:
        if every is not None or resume:
            what = "checkpoint_every" if every is not None else "resume"
            raise ModelError(f"{what} needs checkpoint_dir, the folder where the checkpoints are")
        return None
    folder = Path(folder).absolute()
    if every is None and not resume:
        raise ModelError("checkpoint_dir needs checkpoint_every, or resume=True")
    interval = 0.0 if every is None else as_quantity(every, "ms", "checkpoint_every").si
    if every is not None and not 0 < interval < float("inf"):
        raise ModelError(f"checkpoint_every must be positive and finite; {every!r} was given")
    if folder.exists() and not folder.is_dir():
        raise ModelError(f"checkpoint_dir {folder} is a file, not a folder")
    unfinished = is_unfinished(folder)
    if not unfinished and folder.exists() and any(folder.iterdir()):
        raise ModelError(f"checkpoint_dir {folder} holds other files; choose a folder of its own")
    if unfinished and not resume:
        raise ModelError(
            f"checkpoint_dir {folder} holds an unfinished run; resume=True takes it up, "
            "and another run needs another folder"
        )
    return Checkpoints(folder, interval, resume and unfinished)


def is_unfinished(folder: Path) -> bool:
    """Whether a run has begun to write to the folder."""
    return (folder / LOCK).exists()


def discard(folder: Path) -> None:
    """Delete the folder of a run.

    Raises
    ------
    ModelError
        A program still writes to it.
    """
    if not is_unfinished(folder):
        return
    lock = os.open(folder / LOCK, os.O_RDWR)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder)
    except BlockingIOError:
        raise ModelError(f"a run still writes to {folder}; end it, or wait") from None
    finally:
        os.close(lock)
