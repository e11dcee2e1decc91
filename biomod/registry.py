"""The named cells and circuits that installed packages offer.

A package offers its own through the entry-point groups ``biomod.cells`` and
``biomod.circuits``; each entry point is a function without arguments that returns a dictionary
of name to :class:`Entry`.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any

from biomod.errors import ModelError, unknown_name

if TYPE_CHECKING:
    from biomod.model import Cell, Circuit

__all__ = ["CatalogueWarning", "Entry", "cells", "circuits", "get_cell", "get_circuit"]

CELLS, CIRCUITS = "biomod.cells", "biomod.circuits"


class CatalogueWarning(UserWarning):
    """A package offers cells or circuits, but they cannot be loaded."""


@dataclass(frozen=True)
class Entry:
    """One named cell or circuit of a catalogue.

    Parameters
    ----------
    name : str
        What users type.
    build : callable
        Makes it. A circuit's takes ``cells`` (int or None) and ``seed``; a cell's may take
        ``fidelity`` and more.
    fidelities : tuple of str
        Levels of detail on offer.
    species, summary, reference : str
        For which animal, what it is in a line, and where it comes from.
    """

    name: str
    build: Callable[..., Cell | Circuit]
    fidelities: tuple[str, ...] = ()
    species: str = ""
    summary: str = ""
    reference: str = ""


def cells() -> dict[str, Entry]:
    """The cells of all installed packages, by name.

    Raises
    ------
    ModelError
        Two packages offer a cell of the same name.
    """
    return _merged(CELLS, "cell")


def circuits() -> dict[str, Entry]:
    """The circuits of all installed packages, by name.

    Raises
    ------
    ModelError
        Two packages offer a circuit of the same name.
    """
    return _merged(CIRCUITS, "circuit")


def get_cell(name: str, **options: Any) -> Cell:
    """Build the cell called `name`; an unknown name or option names the nearest."""
    from biomod.model import Cell

    return _build(cells(), "cell", name, Cell, options)


def get_circuit(name: str, **options: Any) -> Circuit:
    """Build the circuit called `name`; an unknown name or option names the nearest."""
    from biomod.model import Circuit

    return _build(circuits(), "circuit", name, Circuit, options)


def _merged(group: str, kind: str) -> dict[str, Entry]:
    merged: dict[str, Entry] = {}
    origin: dict[str, str] = {}
    # The same function may be found twice, in the metadata of a checkout and of an installation.
    for point in {p.value: p for p in entry_points(group=group)}.values():
        for name, entry in _catalogue(point).items():
            if name in merged:
                raise ModelError(
                    f"two packages offer the {kind} {name!r}: {origin[name]} and {_label(point)}; "
                    "uninstall one of them"
                )
            merged[name], origin[name] = entry, _label(point)
    return merged


def _catalogue(point: EntryPoint) -> Mapping[str, Entry]:
    try:
        catalogue = point.load()()
        if not all(isinstance(entry, Entry) for entry in catalogue.values()):
            raise TypeError("it does not return a dictionary of name to biomod.registry.Entry")
    # Whatever is wrong with somebody else's package must not stop the use of the others.
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        message = f"{point.group} of {_label(point)} cannot be loaded ({reason})"
        warnings.warn(message, CatalogueWarning, stacklevel=4)
        return {}
    return dict(catalogue)


def _label(point: EntryPoint) -> str:
    package = f"{point.dist.name} {point.dist.version}, " if point.dist else ""
    return f"{package}{point.value}"


def _build(
    entries: Mapping[str, Entry], kind: str, name: str, expected: type, options: Mapping[str, Any]
) -> Any:
    if name not in entries:
        raise unknown_name(kind, name, entries)
    entry = entries[name]
    _check_options(entry, f"{kind} {name}", options)
    built = entry.build(**options)
    if not isinstance(built, expected):
        raise ModelError(f"the catalogue's {kind} {name} is a {type(built).__name__}")
    return built


def _check_options(entry: Entry, label: str, options: Mapping[str, Any]) -> None:
    parameters = inspect.signature(entry.build).parameters
    if not any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters.values()):
        for option in options:
            if option not in parameters:
                raise unknown_name(f"option of {label}", option, parameters)
    fidelity = options.get("fidelity")
    if fidelity is not None and entry.fidelities and fidelity not in entry.fidelities:
        raise unknown_name(f"fidelity of {label}", fidelity, entry.fidelities)
