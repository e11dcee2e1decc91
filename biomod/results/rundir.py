"""The directory of a run: ``spikes.h5``, ``summary.json``, ``raster.png`` and ``run.json``.

``run.json`` is written last: where it is, the run is finished and all files belong together.
While a run is under way the directory holds ``unfinished.json`` instead, locked by the process
that writes, so that an interrupted run can be told from a finished one and from one that is
still at work.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import h5py

from biomod.errors import BiomodError, ModelError
from biomod.results._atomic import reason, replacing, sync
from biomod.results._json import dumps, read_json, write_json
from biomod.results.result import Result, read_traces, write_traces
from biomod.results.sonata import read_spikes, write_spikes

__all__ = ["RunDirectory", "check", "claim", "load_run", "state", "unfinished_request"]

FORMAT = "biomod run 1"
SPIKES, SUMMARY, RASTER, RUN = "spikes.h5", "summary.json", "raster.png", "run.json"
TRACES = "traces.h5"  # only if something was recorded
MARKER = "unfinished.json"
CHECKPOINTS = "checkpoints"  # folder of an unfinished run's, if it writes any

State = Literal["new", "unfinished", "finished"]


def state(path: str | Path) -> State:
    """Whether the directory holds a finished run, an unfinished one, or none."""
    path = Path(path)
    if (path / RUN).exists():
        return "finished"
    return "unfinished" if (path / MARKER).exists() or (path / SPIKES).exists() else "new"


def check(path: str | Path, *, force: bool = False, resume: bool = False) -> State:
    """Raise :class:`ModelError` unless a run may be written to `path`; touches nothing."""
    path = Path(path)
    found = state(path)
    if path.exists() and not path.is_dir():
        raise ModelError(f"cannot write to {path}: it is a file, not a folder")
    if resume and found == "new":
        raise ModelError(f"nothing to resume: {path} holds no unfinished run; leave --resume out")
    if resume and found == "finished":
        raise ModelError(f"nothing to resume: the run in {path} is finished")
    if found == "finished" and not force:
        raise ModelError(
            f"{path} already holds a finished run; choose another folder, or --force to replace it"
        )
    return found


def unfinished_request(path: str | Path) -> dict[str, Any]:
    """What the unfinished run in `path` was asked to do; empty if that is not known."""
    try:
        return dict(read_json(Path(path) / MARKER).get("request") or {})
    except ModelError:
        return {}  # it was killed while it wrote the marker, or the marker was removed


def claim(
    path: str | Path,
    *,
    force: bool = False,
    resume: bool = False,
    request: Mapping[str, Any] | None = None,
) -> RunDirectory:
    """Take possession of a directory for one run; use it in a ``with`` statement.

    Parameters
    ----------
    path : str or Path
        Created if it does not exist.
    force : bool
        Replace a finished run (at the moment when the new one is finished, not before).
    resume : bool
        Insist that there is an unfinished run.
    request : mapping, optional
        What is going to be done, kept for whoever finds the run unfinished.

    Raises
    ------
    ModelError
        The directory holds a finished run, is in use by another process, or cannot be written.
    """
    return RunDirectory(Path(path), force=force, resume=resume, request=request)


class RunDirectory:
    """A directory that one process writes one run to; made by :func:`claim`.

    Left through an exception, the directory is what it was before if the input was wrong
    (:class:`BiomodError`), and an unfinished run if the run was interrupted or failed, or has
    checkpoints.
    """

    def __init__(
        self, path: Path, *, force: bool, resume: bool, request: Mapping[str, Any] | None
    ) -> None:
        check(path, force=force, resume=resume)
        self.path = path
        self._marker = path / MARKER
        self._created = [p for p in (path, *path.parents) if not p.exists()]
        self._had_marker = self._marker.exists()
        try:
            path.mkdir(parents=True, exist_ok=True)
            self._lock = os.open(self._marker, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            self._remove_created()
            raise ModelError(f"cannot write to {path}: {reason(error)}") from None
        try:
            self._take_lock()
            # Another process may have finished between our first look and the lock.
            check(path, force=force)
            self._write_marker(request or {})
        except BaseException:
            os.close(self._lock)
            raise
        for stale in path.glob(".partial-*"):  # of a run that was killed while writing
            shutil.rmtree(stale, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        finished = (self.path / RUN).exists()
        begun = self._had_marker or (self.path / CHECKPOINTS).exists()
        wrong_input = isinstance(error, BiomodError) and not begun
        if finished or wrong_input:
            self._marker.unlink(missing_ok=True)
        os.close(self._lock)
        if wrong_input:
            self._remove_created()

    def write(self, result: Result, note: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Write all files of the run; either all of them appear or none.

        Parameters
        ----------
        result : Result
            Its provenance becomes ``run.json``.
        note : mapping, optional
            More to note in ``run.json``.

        Returns
        -------
        dict
            The content of ``summary.json``.
        """
        import analysis

        summary = analysis.summary_dict(result.spikes)
        stage = self.path / f".partial-{os.getpid()}"
        stage.mkdir()
        try:
            write_spikes(stage / SPIKES, result.spikes)
            if result.traces:
                with replacing(stage / TRACES) as partial, h5py.File(partial, "w") as file:
                    write_traces(file, result.traces)
            write_json(stage / SUMMARY, summary)
            save_figure(analysis.raster(result.spikes), stage / RASTER)
            files = sorted(p.name for p in stage.iterdir())
            record = {"format": FORMAT, **result.provenance, **(note or {}), "files": files}
            write_json(stage / RUN, record)
            self._publish(stage, files)
        finally:
            shutil.rmtree(stage, ignore_errors=True)
        return summary

    def _publish(self, stage: Path, files: list[str]) -> None:
        """Move the files into place such that ``run.json`` never stands beside others' files."""
        for old in (RUN, TRACES):
            (self.path / old).unlink(missing_ok=True)
        for name in files:
            (stage / name).replace(self.path / name)
        sync(self.path)
        (stage / RUN).replace(self.path / RUN)
        sync(self.path)

    def _take_lock(self) -> None:
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = _owner(self._marker)
            raise ModelError(f"{self.path} is in use by another biomod run{owner}") from None
        except OSError:
            pass  # a file system without locks

    def _write_marker(self, request: Mapping[str, Any]) -> None:
        content = dumps({"format": FORMAT, "process": os.getpid(), "request": request})
        try:
            os.truncate(self._lock, 0)
            os.pwrite(self._lock, content.encode(), 0)
        except OSError as error:
            raise ModelError(f"cannot write to {self.path}: {reason(error)}") from None

    def _remove_created(self) -> None:
        for folder in self._created:
            try:
                folder.rmdir()
            except OSError:  # not empty, or never created
                return


def _owner(marker: Path) -> str:
    try:
        return f" (process {read_json(marker)['process']})"
    except (ModelError, KeyError):
        return ""


def save_figure(figure: Any, path: Path) -> None:
    """Write a figure as PNG (atomically)."""
    with replacing(path) as partial:
        figure.savefig(partial, format="png", dpi=150)


def load_run(path: Path) -> Result:
    """The result in the directory of a finished run."""
    found = state(path)
    if found != "finished":
        spikes = path / SPIKES
        hint = f"; its spikes alone: {spikes}" if spikes.exists() else ""
        what = "the run in it is unfinished" if found == "unfinished" else "it holds no run"
        raise ModelError(f"cannot read {path}: {what} (no {RUN}){hint}")
    provenance = read_json(path / RUN)
    traces = read_traces(path / TRACES) if (path / TRACES).exists() else {}
    return Result(read_spikes(path / SPIKES), traces, provenance)
