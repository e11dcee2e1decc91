"""The commands and their options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from biomod.cli._boundary import Commands

app = typer.Typer(
    name="biomod",
    cls=Commands,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object, and nothing else.")]
Many = list[str] | None


@app.callback(invoke_without_command=True)
def start(
    ctx: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show where an error arose.")] = False,
) -> None:
    """Biophysical models of neurons and circuits: describe once, run on several simulators."""
    if version:
        from biomod.cli._models import version_of

        typer.echo(f"biomod {version_of('biomod')}")
    elif ctx.invoked_subcommand is None:
        typer.echo(ctx.get_help())


@app.command("list")
def list_(
    kind: Annotated[
        str,
        typer.Argument(help="cells, circuits, receptors, channels or backends; all if left out."),
    ] = "",
    as_json: Json = False,
) -> None:
    """List what there is."""
    from biomod.cli._catalogue import list_command

    list_command(kind, as_json)


@app.command()
def show(
    name: Annotated[
        str, typer.Argument(help="A cell, circuit, receptor or channel, or a .yaml or .toml file.")
    ],
    as_json: Json = False,
) -> None:
    """Show a description: parameters with units and sources."""
    from biomod.cli._catalogue import show_command

    show_command(name, as_json)


@app.command()
def run(
    name: Annotated[str, typer.Argument(help="A circuit or cell, or a .yaml or .toml file.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the results.")],
    cells: Annotated[str | None, typer.Option(metavar="N", help="Number of cells.")] = None,
    duration: Annotated[
        str | None, typer.Option(metavar="S", help="Simulated time in s (default 1).")
    ] = None,
    seed: Annotated[
        str | None, typer.Option(metavar="N", help="Seed of all random streams (default 1).")
    ] = None,
    dt: Annotated[str | None, typer.Option(metavar="MS", help="Time step in ms.")] = None,
    backend: Annotated[
        str | None, typer.Option(metavar="B", help="Simulator; the best one here by default.")
    ] = None,
    fidelity: Annotated[
        str | None,
        typer.Option(metavar="F", help="Level of detail of a cell: dspike, or hh (for neuron)."),
    ] = None,
    modulator: Annotated[
        Many, typer.Option(metavar="ACh=0.5uM", help="Tonic concentration; repeatable.")
    ] = None,
    set_: Annotated[
        Many, typer.Option("--set", metavar="PATH=VALUE", help="Change a parameter; repeatable.")
    ] = None,
    record: Annotated[
        Many,
        typer.Option(metavar="LABEL", help="Keep a trace, e.g. L23_PC[0:5].tuft.v; repeatable."),
    ] = None,
    current: Annotated[
        str | None, typer.Option(metavar="PA", help="Constant current into a cell's soma, in pA.")
    ] = None,
    threads: Annotated[str, typer.Option(metavar="N", help="Processor threads.")] = "1",
    checkpoint_every: Annotated[
        str | None,
        typer.Option(metavar="S", help="Simulated s between checkpoints, for --resume (cpp)."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a finished run.")] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Take up the unfinished run in the folder.")
    ] = False,
    as_json: Json = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No messages, no progress bar.")] = False,
) -> None:
    """Simulate a circuit or a cell and write spikes, provenance, summary and raster to DIR."""
    from biomod.cli._request import Request, whole
    from biomod.cli._run import run_command

    request = Request(
        name=name,
        cells=None if cells is None else whole("--cells", cells, least=1),
        duration=duration,
        seed=None if seed is None else whole("--seed", seed, least=0),
        dt=dt,
        backend=backend,
        fidelity=fidelity,
        modulators=tuple(modulator or ()),
        settings=tuple(set_ or ()),
        record=tuple(record or ()),
        current=current,
        threads=whole("--threads", threads, least=1),
        checkpoint_every=checkpoint_every,
    )
    run_command(request, out, force=force, resume=resume, as_json=as_json, quiet=quiet)


@app.command()
def reduce(
    cell: Annotated[str, typer.Argument(help="A cell, or a .yaml or .toml file with one.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for surrogate and report.")],
    model: Annotated[
        str, typer.Option(help="glif1 to glif5, izhikevich, izhikevich2003, adex, eif, lif, ...")
    ] = "glif5",
    export: Annotated[
        Many,
        typer.Option(
            metavar="FORMAT",
            help="nest, allensdk, nir, pynn, sonata, fixed, "
            "fixed8, loihi, spinnaker, brainscales2; repeatable.",
        ),
    ] = None,
    modulator: Annotated[
        Many,
        typer.Option(
            metavar="ACh=0.5uM",
            help="Drive the cell under it; with several (ACh=0.3,1,3uM, or ACh for a usual range) "
            "the parameters follow it. Repeatable.",
        ),
    ] = None,
    seed: Annotated[str, typer.Option(metavar="N", help="Seed of the search.")] = "1",
    generations: Annotated[
        str | None, typer.Option(metavar="N", help="Length of each search; the last is longer.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a surrogate.")] = False,
    as_json: Json = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No messages, no progress bar.")] = False,
) -> None:
    """Fit a point neuron to a cell, and write it with a report about held-out data to DIR."""
    from biomod.cli._reduce import reduce_command
    from biomod.cli._request import whole

    reduce_command(
        cell, model, out, tuple(modulator or ()), whole("--seed", seed, least=0),
        None if generations is None else whole("--generations", generations, least=1),
        tuple(export or ()), force=force, as_json=as_json, quiet=quiet,
    )  # fmt: skip


@app.command()
def analyze(
    path: Annotated[
        Path, typer.Argument(metavar="DIR|FILE", help="Folder of a run, a spikes.h5 or a result.")
    ],
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Write summary.json, raster.png and spectrum.png there."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Summarise the spikes of a run, and draw raster and power spectrum."""
    from biomod.cli._analyze import analyze_command

    analyze_command(path, out, as_json)


@app.command()
def cache(
    action: Annotated[str, typer.Argument(metavar="info|clear")] = "info",
    as_json: Json = False,
) -> None:
    """Show or empty the cache of compiled models."""
    from biomod.cli._catalogue import cache_command

    cache_command(action, as_json)


def main() -> None:
    """Entry point of the ``biomod`` command."""
    app(prog_name="biomod")
