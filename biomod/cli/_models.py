"""From a name or a file to a model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from biomod.errors import ModelError, unknown_name

if TYPE_CHECKING:
    from biomod.model import Cell, Circuit

SUFFIXES = (".yaml", ".yml", ".toml")


def is_file(name: str) -> bool:
    """Whether `name` is meant as a path to a description."""
    return name.lower().endswith(SUFFIXES) or "/" in name


def read_description(name: str) -> Any:
    """The description in a file."""
    from biomod.model import load

    path = Path(name)
    if path.suffix.lower() not in SUFFIXES:
        raise ModelError(f"cannot read {name}: a description is a {' or '.join(SUFFIXES)} file")
    return load(path)


def resolve(
    name: str,
    *,
    cells: int | None,
    seed: int | None,
    fidelity: str | None = None,
    must: bool = False,
) -> Cell | Circuit:
    """The circuit or cell to run: a named one, or that of a file.

    A named cell has the fidelity that is wished for, if it has it; one that it `must` have is
    refused where there is no choice.

    Of a cell, `cells` above 1 makes a circuit of that many unconnected ones, each with its own
    parameters.
    """
    from biomod import registry
    from biomod.model import Cell, Circuit

    known = {} if is_file(name) else registry.cells()
    if must and (is_file(name) or name in registry.circuits()):
        raise ModelError("--fidelity is for named cells; a circuit or a file has its own")
    if is_file(name):
        model = read_description(name)
        if not isinstance(model, Cell | Circuit):
            raise ModelError(
                f"{name} describes a {type(model).__name__}; a Circuit or a Cell is needed"
            )
        if isinstance(model, Circuit) and cells is not None:
            raise ModelError(
                "--cells is for named circuits; in a file, sizes are those of its populations "
                f"(--set {model.populations[0].name}.size=N)"
            )
    elif name in (circuits := registry.circuits()):
        return registry.get_circuit(name, cells=cells, seed=seed)
    elif name in known:
        offered = must or fidelity in known[name].fidelities
        options = {"fidelity": fidelity} if fidelity and offered else {}
        model = registry.get_cell(name, **options)
    else:
        raise unknown_name("circuit or cell", name, [*circuits, *known])
    if isinstance(model, Cell) and cells is not None and cells > 1:
        return Circuit.of(model, cells, heterogeneous=True, seed=1 if seed is None else seed)
    return model


def version_of(package: str) -> str:
    """The installed version of a package, or ``"unknown"``."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"
