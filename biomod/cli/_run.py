"""``biomod run``."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from biomod.backends import mpi
from biomod.backends.checkpoints import discard, is_unfinished
from biomod.cli._boundary import InterruptedRun, chatter_to_stderr, say
from biomod.cli._request import Job, Request, checked
from biomod.progress import NoProgress, TextProgress

if TYPE_CHECKING:
    from biomod.results import Result


def run_command(
    request: Request, out: Path, *, force: bool, resume: bool, as_json: bool, quiet: bool
) -> None:
    """Simulate what is requested and write the directory `out`."""
    from biomod.results import rundir

    if mpi.world().rank > 0:
        _take_part(request, out, resume)
        return
    # First what costs nothing, so that a person with a wrong folder does not wait for a model.
    found = rundir.check(out, force=force, resume=resume)
    if resume:
        request = request.completed(rundir.unfinished_request(out))
    job = checked(request)
    asked = dataclasses.asdict(request)
    with rundir.claim(out, force=force, resume=resume, request=asked) as directory:
        if found == "unfinished":
            say(_taken_up(out, resume), quiet)
        say(job.note, quiet)
        job = _with_checkpoints(job, out, resume)
        try:
            result = _simulate(job, quiet)
            summary = directory.write(result, {"request": asked})
        except KeyboardInterrupt:
            raise InterruptedRun(_interrupted(out)) from None
        discard(out / rundir.CHECKPOINTS)
    _report(result, summary, out, as_json=as_json, quiet=quiet)


def _with_checkpoints(job: Job, out: Path, resume: bool) -> Job:
    """The job with the folder of its checkpoints, which stays until all files are written."""
    from biomod.results.rundir import CHECKPOINTS

    folder = out / CHECKPOINTS
    resume = resume and is_unfinished(folder)
    if not resume:
        discard(folder)  # of a run that starts again from its beginning
    if job.options["checkpoint_every"] is None and not resume:
        return job
    own = {"checkpoint_dir": folder, "resume": resume, "keep_checkpoints": True}
    return dataclasses.replace(job, options={**job.options, **own})


def _taken_up(out: Path, resume: bool) -> str:
    from biomod.results.rundir import CHECKPOINTS

    if resume and is_unfinished(out / CHECKPOINTS):
        return f"the unfinished run in {out} is taken up from its last checkpoint"
    return f"the unfinished run in {out} starts again from the beginning"


def _take_part(request: Request, out: Path, resume: bool) -> None:
    """Be one of the processes that simulate; the first one writes."""
    from biomod.results import rundir

    if resume:
        request = request.completed(rundir.unfinished_request(out))
    _simulate(checked(request), quiet=True)


def _simulate(job: Job, quiet: bool) -> Result:
    from biomod.simulation import simulate

    progress = NoProgress() if quiet else TextProgress()
    try:
        with chatter_to_stderr():
            return simulate(job.model, job.duration, **job.options, progress=progress)
    finally:
        progress.close()


def _interrupted(out: Path) -> str:
    from biomod.results import rundir

    if rundir.state(out) == "finished":
        return f"interrupted; the earlier run in {out} is untouched"
    return f"interrupted; nothing was written but the note that {out} is unfinished (see --resume)"


def _report(
    result: Result, summary: dict[str, Any], out: Path, *, as_json: bool, quiet: bool
) -> None:
    from biomod.results._json import dumps

    provenance = result.provenance
    missing = provenance.get("effects_not_expressed") or {}
    if provenance.get("modulators") and any(missing.values()):
        say(f"effects that these cells cannot express are listed in {out}/run.json", quiet)
    if as_json:
        keys = ("seed", "backend", "timings")
        notes = {key: provenance[key] for key in keys if key in provenance}
        typer.echo(dumps({**summary, **notes, "out": str(out)}))
        return
    typer.echo(result.summary().to_string(float_format="{:.3g}".format, na_rep="-"))
    say(f"{_timings(provenance)}wrote {out}", quiet)


def _timings(provenance: Any) -> str:
    timings = provenance.get("timings") or {}
    known = [(word, timings.get(key)) for word, key in (("build", "build_s"), ("run", "run_s"))]
    text = ", ".join(f"{word} {seconds:.1f} s" for word, seconds in known if seconds is not None)
    backend = provenance.get("backend")
    return f"{backend}: {text}; " if backend and text else ""
