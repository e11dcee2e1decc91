"""``biomod reduce``."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from biomod.cli._boundary import chatter_to_stderr, say
from biomod.cli._models import resolve
from biomod.errors import BiomodError, ModelError
from biomod.progress import NoProgress, TextProgress
from biomod.units import Quantity, as_quantity

if TYPE_CHECKING:
    from biomod.model import Modulator
    from biomod.reduction import ConditionedReduction, Reduction

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
    """Fit a surrogate and write ``surrogate.json``, ``report.html`` and exports to `out`.

    The report of one that follows modulators is that of the surrogate without them.
    """
    from biomod.model import Cell
    from biomod.reduction import GENERATIONS, Reduction, point_model, reduce
    from biomod.reduction.conditioned import check_conditioned
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
    conditions: Any = _modulators(modulators)
    cell = resolve(name, cells=None, seed=seed)
    if not isinstance(cell, Cell):
        raise ModelError(f"{name} is a circuit; reduce takes a cell")
    if isinstance(conditions, dict):
        if targets:
            raise ModelError(
                "--export writes parameters that do not change; a surrogate that follows "
                "modulators has none. Give each --modulator one concentration, e.g. ACh=1uM"
            )
        check_conditioned(cell, model, conditions)
    progress = NoProgress() if quiet else TextProgress()
    length = GENERATIONS if generations is None else generations
    with chatter_to_stderr():
        found = reduce(
            cell, model, modulators=conditions, seed=seed, generations=length, progress=progress
        )
    base = found if isinstance(found, Reduction) else found.base
    _write(found, base, out)
    exports = {t.name: base.export(out / t.file, t.name) for t in targets}
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
    say(f"fitted in {base.fit_seconds:.1f} s; wrote {out}", quiet)


def _modulators(
    specifications: tuple[str, ...],
) -> tuple[Modulator, ...] | dict[str, list[Quantity] | None]:
    """Concentrations to drive the cell under, or several of each to follow."""
    from biomod.cli._request import modulators
    from biomod.model.neuromodulation import modulator_name

    if all("=" in text and "," not in text for text in specifications):
        return modulators(specifications)
    doses: dict[str, list[Quantity] | None] = {}
    for text in specifications:
        given, equals, amounts = text.partition("=")
        name = modulator_name(given.strip())
        if name in doses:
            raise ModelError(f"--modulator: {name} is given twice")
        doses[name] = _doses(text, amounts) if equals else None
    return doses


def _doses(text: str, amounts: str) -> list[Quantity]:
    """``"0,0.3,1,3uM"``: what bears no unit has that of the last."""
    pieces = [piece.strip() for piece in amounts.split(",")]
    unit = re.sub(r"^[-+.\deE]*\s*", "", pieces[-1])
    found = []
    for piece in pieces:
        bare = re.fullmatch(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?", piece)
        try:
            found.append(as_quantity(piece + unit if bare else piece, "nM", "concentration"))
        except BiomodError as error:
            raise ModelError(
                f"--modulator {text}: {error}; write concentrations with a unit, "
                "e.g. ACh=0,0.3,1,3uM"
            ) from None
    return found


def _write(found: Reduction | ConditionedReduction, base: Reduction, out: Path) -> None:
    from biomod.reduction.export import TARGETS
    from biomod.results._atomic import reason
    from biomod.results._json import write_json

    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ModelError(f"cannot write to {out}: {reason(error)}") from None
    (out / SURROGATE).unlink(missing_ok=True)
    for t in TARGETS.values():  # of an earlier surrogate
        (out / t.file / "nodes.h5" if t.name == "sonata" else out / t.file).unlink(missing_ok=True)
    base.report(out / REPORT)
    write_json(out / SURROGATE, found.to_dict())  # last: where it is, all is there
