"""``biomod analyze``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer

from biomod.cli._boundary import say
from biomod.errors import ModelError


def analyze_command(path: Path, out: Path | None, as_json: bool) -> None:
    """Print the summary of the spikes in `path`; with `out` also write it and the figures."""
    import analysis
    from biomod.results import load
    from biomod.results._json import dumps

    spikes = load(path).spikes
    try:
        summary = analysis.summary_dict(spikes)
        files = _write(spikes, summary, out) if out is not None else []
        table = analysis.summary(spikes)
    # Of a file from elsewhere, say with two spikes of a cell at one instant.
    except analysis.InputError as error:
        raise ModelError(f"cannot analyse {path}: {error}") from None
    if assumed := spikes.attrs.get("assumed"):
        say(f"{path} does not say {' and '.join(assumed)}; taken from the spikes themselves")
    if as_json:
        typer.echo(dumps({**summary, "files": files}))
        return
    typer.echo(table.to_string(float_format="{:.3g}".format, na_rep="-"))
    say(f"wrote {', '.join(files)}" if files else "figures are drawn with --out DIR")


def _write(spikes: Any, summary: dict[str, Any], out: Path) -> list[str]:
    """Draw everything before the first file is written."""
    import analysis
    from biomod.results._atomic import reason
    from biomod.results._json import write_json
    from biomod.results.rundir import save_figure

    figures = {
        "raster.png": analysis.raster(spikes),
        "spectrum.png": analysis.plot_spectrum(spikes).figure,
    }
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ModelError(f"cannot write to {out}: {reason(error)}") from None
    write_json(out / "summary.json", summary)
    for name, figure in figures.items():
        save_figure(figure, out / name)
    return [str(out / name) for name in ("summary.json", *figures)]
