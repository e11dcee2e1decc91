"""``biomod reduce``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from biomod.cli._boundary import chatter_to_stderr, say
from biomod.cli._models import resolve
from biomod.errors import ModelError
from biomod.progress import NoProgress, TextProgress

if TYPE_CHECKING:
    from biomod.model import Modulator
    from biomod.reduction import Reduction

SURROGATE, REPORT = "surrogate.json", "report.html"


def reduce_command(
    name: str,
    model: str,
    out: Path,
    modulators: tuple[str, ...],
    seed: int,
    generations: int | None,
    formats: tuple[str, ...] = (),
    *,
    force: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Fit a surrogate and write ``surrogate.json``, ``report.html`` and exports to `out`."""
    from biomod.model import Cell
    from biomod.reduction import GENERATIONS, point_model, reduce
    from biomod.reduction.export import target
    from biomod.results._json import dumps

    # First what costs nothing.
    point_model(model)
    targets = [target(format_, model) for format_ in formats]
    if (out / SURROGATE).exists() and not force:
        raise ModelError(
            f"{out} already holds a surrogate; choose another folder, or --force to replace it"
        )
    if out.exists() and not out.is_dir():
        raise ModelError(f"cannot write to {out}: it is a file, not a folder")
    conditions = _modulators(modulators)
    cell = resolve(name, cells=None, seed=seed)
    if not isinstance(cell, Cell):
        raise ModelError(f"{name} is a circuit; reduce takes a cell")
    progress = NoProgress() if quiet else TextProgress()
    length = GENERATIONS if generations is None else generations
    with chatter_to_stderr():
        found = reduce(
            cell, model, modulators=conditions, seed=seed, generations=length, progress=progress
        )
    _write(found, out)
    exports = {t.name: found.export(out / t.file, t.name) for t in targets}
    if as_json:
        described = {
            t.name: {"file": str(out / t.file), "status": exports[t.name].status,
                     "losses": exports[t.name].losses, "agreement": exports[t.name].agreement}
            for t in targets
        }  # fmt: skip
        typer.echo(dumps({**found.to_dict(), "out": str(out), "exports": described}))
        return
    typer.echo(str(found))
    for exported in exports.values():
        typer.echo(str(exported))
    say(f"fitted in {found.fit_seconds:.1f} s; wrote {out}", quiet)


def _modulators(specifications: tuple[str, ...]) -> tuple[Modulator, ...]:
    from biomod.cli._request import modulators

    for text in specifications:
        if "=" not in text:
            raise ModelError(
                f"--modulator {text}: a surrogate whose parameters follow a modulator is not "
                f"possible yet; to fit one under a concentration write {text}=0.5uM"
            )
    return modulators(specifications)


def _write(found: Reduction, out: Path) -> None:
    from biomod.results._atomic import reason
    from biomod.results._json import write_json

    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ModelError(f"cannot write to {out}: {reason(error)}") from None
    (out / SURROGATE).unlink(missing_ok=True)
    found.report(out / REPORT)
    write_json(out / SURROGATE, found.to_dict())  # last: where it is, all is there
