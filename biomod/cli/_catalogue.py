"""``biomod list``, ``biomod show`` and ``biomod cache``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import typer

from biomod.cli._models import is_file, read_description
from biomod.errors import unknown_name

if TYPE_CHECKING:
    from biomod.model import Cell, Circuit

Row = dict[str, Any]

# Sources are long, and `list` is an overview; `show` and --json give them whole.
WIDEST = 60


# list -------------------------------------------------------------------------------------------
def list_command(kind: str, as_json: bool) -> None:
    """Print the things of one kind, or of all."""
    if kind and kind not in LISTS:
        raise unknown_name("kind of thing to list", kind, LISTS)
    if kind:
        rows = LISTS[kind]()
        _print_json(rows) if as_json else typer.echo(_columns(rows, WIDEST))
        return
    everything = {name: rows() for name, rows in LISTS.items()}
    if as_json:
        _print_json(everything)
        return
    typer.echo(
        "\n\n".join(f"{name}\n{_columns(rows, WIDEST)}" for name, rows in everything.items())
    )


def _cells() -> list[Row]:
    from biomod import registry

    return [
        {
            "name": e.name,
            "fidelities": list(e.fidelities),
            "species": e.species,
            "summary": e.summary,
            "reference": e.reference,
        }
        for e in registry.cells().values()
    ]


def _circuits() -> list[Row]:
    from biomod import registry

    return [
        {"name": e.name, "species": e.species, "summary": e.summary, "reference": e.reference}
        for e in registry.circuits().values()
    ]


def _receptors() -> list[Row]:
    from biomod.mechanisms.neuromodulation import receptors

    return [
        {
            "name": name,
            "modulator": r.modulator,
            "coupling": r.coupling,
            "ec50_nM": r.ec50.to("nM"),
            "tau_onset_ms": r.tau_onset.to("ms"),
            "tau_decay_ms": r.tau_decay.to("ms"),
            "source": r.source,
        }
        for name, r in receptors().items()
    ]


def _channels() -> list[Row]:
    from biomod.mechanisms.channels import channels

    return [
        {
            "name": name,
            "E_rev_mV": c.E_rev.to("mV"),
            "gates": [gate.name for gate in c.gates],
            "source": c.source,
        }
        for name, c in channels().items()
    ]


def _backends() -> list[Row]:
    from biomod.backends import available

    return [
        {"name": name, "available": b.available, "default": b.default, "reason": b.reason}
        for name, b in available().items()
    ]


LISTS: dict[str, Callable[[], list[Row]]] = {
    "cells": _cells,
    "circuits": _circuits,
    "receptors": _receptors,
    "channels": _channels,
    "backends": _backends,
}


# show -------------------------------------------------------------------------------------------
def show_command(name: str, as_json: bool) -> None:
    """Print one description."""
    from biomod.model import Cell, Circuit

    description = read_description(name) if is_file(name) else _find(name)
    if as_json:
        _print_json(_as_object(description))
        return
    if isinstance(description, Circuit):
        typer.echo(_circuit_text(description))
        return
    typer.echo(str(description))
    for gate in getattr(description, "gates", ()):
        typer.echo(
            f"  {gate.name}: steady state {gate.steady_state}; tau (ms) {gate.tau or 'none'}"
        )
    if getattr(description, "source", "") and not isinstance(description, Cell):
        typer.echo(f"  source: {description.source}")
    if isinstance(description, Cell):
        typer.echo(_neuromodulation_text(description))


def _find(name: str) -> Any:
    from biomod import registry
    from biomod.mechanisms.channels import channels
    from biomod.mechanisms.neuromodulation import receptors

    circuits, cells = registry.circuits(), registry.cells()
    if name in circuits:
        return registry.get_circuit(name, cells=None, seed=1)
    if name in cells:
        return registry.get_cell(name)
    mechanisms = {**receptors(), **channels()}
    if name in mechanisms:
        return mechanisms[name]
    raise unknown_name("name", name, [*circuits, *cells, *mechanisms])


def _as_object(description: Any) -> Row:
    from biomod.model import Cell, Circuit

    source = getattr(description, "source", "")
    result: Row = {
        "kind": type(description).__name__,
        "name": getattr(description, "name", ""),
        "summary": getattr(description, "summary", ""),
        "hash": description.content_hash(),
        "parameters": [
            {"path": path, **_value(value), "source": source(path) if callable(source) else source}
            for path, value in description.parameters().items()
        ],
    }
    if isinstance(description, Cell):
        result["fidelity"] = description.fidelity
        result |= _neuromodulation(description)
    if isinstance(description, Circuit):
        result["populations"] = description.cells
    return result


def _value(value: Any) -> Row:
    from biomod.units import Quantity

    if isinstance(value, Quantity):
        return {"value": value.to(value.unit) if value.unit else value.si, "unit": value.unit}
    return {"value": value, "unit": ""}


def _neuromodulation(cell: Cell) -> Row:
    from biomod.mechanisms.neuromodulation import resolve

    resolved = resolve(cell)
    return {
        "receptors": [e.receptor.name for e in cell.expression],
        "effects_applied": [
            {**_effect(a.effect), "level": a.level, "paths": list(a.paths), "note": a.note}
            for a in resolved.applied
        ],
        "effects_on_projections": [_effect(effect) for effect in resolved.on_projections],
        "effects_not_expressed": [
            {**_effect(effect), "reason": reason} for effect, reason in resolved.not_expressed
        ],
    }


def _effect(effect: Any) -> Row:
    keys = ("name", "receptor", "target", "compartment", "operation", "value", "unit", "source")
    return {key: getattr(effect, key) for key in keys}


def _effect_text(effect: Any) -> str:
    size = f"{effect.value:g} {effect.unit}"
    return f"{effect.operation} {effect.target} of {effect.compartment} by {size}"


def _neuromodulation_text(cell: Cell) -> str:
    from biomod.mechanisms.neuromodulation import resolve

    resolved = resolve(cell)
    receptors = ", ".join(f"{e.receptor.name} ({e.level:g})" for e in cell.expression)
    lines = [f"neuromodulatory receptors (expression): {receptors or 'none'}"]
    tables = {
        "effects at full activation": [
            {"receptor": a.receptor, "effect": _effect_text(a.effect),
             "changes": ", ".join(a.paths), "note": a.note, "source": a.effect.source}
            for a in resolved.applied
        ],
        "effects on the cell's synapses": [
            {"receptor": e.receptor, "effect": _effect_text(e), "source": e.source}
            for e in resolved.on_projections
        ],
        "effects not expressed in this cell": [
            {"receptor": e.receptor, "effect": _effect_text(e), "reason": reason}
            for e, reason in resolved.not_expressed
        ],
    }  # fmt: skip
    lines += [f"{title}:\n{_columns(rows)}" for title, rows in tables.items() if rows]
    return "\n".join(lines)


def _circuit_text(circuit: Circuit) -> str:
    """Populations, backgrounds and projections; the cells are shown by their own names."""
    from biomod.model.display import heading

    side = f", on a square of {circuit.side!r}" if circuit.side is not None else ""
    total = sum(circuit.cells.values())
    populations = [
        {"population": p.name, "cells": p.size, "cell type": p.cell.name, "layer": p.layer}
        for p in circuit.populations
    ]
    backgrounds = [
        {"population": p.name, "to": b.compartment, "rate": b.rate, "weight": b.weight,
         "receptors": _shares(b.receptors), "source": b.source}
        for p in circuit.populations
        for b in p.backgrounds
    ]  # fmt: skip
    projections = [
        {"projection": p.key, "p_max": f"{p.p_max:g}", "weight": p.weight, "delay": p.delay,
         "to": _shares(p.compartments), "receptors": _shares(p.receptors), "source": p.source}
        for p in circuit.projections
    ]  # fmt: skip
    gaps = [
        {"gap junctions": j.key, "at": j.compartment, "p_max": f"{j.p_max:g}", "g": j.g,
         "source": j.source}
        for j in circuit.gap_junctions
    ]  # fmt: skip
    parts = [f"{heading(circuit)}\n  {total} cells{side}, seed {circuit.seed}"]
    parts += [_columns(rows) for rows in (populations, backgrounds, projections, gaps) if rows]
    parts += [f"modulator {m.name}: {m.tonic!r}" for m in circuit.modulators]
    return "\n\n".join(parts)


def _shares(shares: Sequence[tuple[str, float]]) -> str:
    return ", ".join(f"{name} {share:g}" for name, share in shares)


# cache ------------------------------------------------------------------------------------------
def cache_command(action: str, as_json: bool) -> None:
    """Show or empty the cache of compiled models."""
    from biomod.backends import cache_clear, cache_info

    if action not in ("info", "clear"):
        raise unknown_name("cache action", action, ("info", "clear"))
    if action == "clear":
        freed = cache_clear()
        _print_json({"freed_bytes": freed}) if as_json else typer.echo(f"freed {_size(freed)}")
        return
    info = cache_info()
    if as_json:
        _print_json(info)
        return
    typer.echo(f"{info['path']}: {info['entries']} compiled models, {_size(info['bytes'])}")


def _size(count: float) -> str:
    for unit in ("bytes", "kB", "MB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} GB"


# text -------------------------------------------------------------------------------------------
def _print_json(value: Any) -> None:
    from biomod.results._json import dumps

    typer.echo(dumps(value))


def _columns(rows: Sequence[Mapping[str, Any]], widest: int | None = None) -> str:
    """Rows as aligned text under their headings; what is wider than `widest` is cut."""
    if not rows:
        return "  (none)"
    heads = list(rows[0])
    cells = [heads] + [[_cut(_cell(row[head]), widest) for head in heads] for row in rows]
    widths = [max(len(row[i]) for row in cells) for i in range(len(heads))]
    lines = ("  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) for row in cells)
    return "\n".join(f"  {line.rstrip()}" for line in lines)


def _cut(text: str, widest: int | None) -> str:
    return text if widest is None or len(text) <= widest else f"{text[: widest - 1]}…"


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)
