"""Make the tables of the documentation from the data and the code that they are about.

``python docs/build_tables.py`` writes ``docs/tables/*.md``, which the pages include. Sphinx calls
it at each build (``conf.py``), so that a table cannot say something else than the code does.
"""

from __future__ import annotations

import csv
import math
import sys
from collections.abc import Callable, Iterable, Sequence
from importlib import resources
from pathlib import Path

import yaml

FOLDER = Path(__file__).resolve().parent / "tables"
SIZE = 1000  # cells of the circuits in the tables

# Feature of the model, row of targets.csv, name and unit in the page.
FEATURES = (
    ("v_rest", "V_rest", "resting potential (mV)", 1),
    ("r_in", "Rin", "input resistance (MΩ)", 0),
    ("tau_m", "tau_m", "membrane time constant (ms)", 1),
    ("rheobase", "rheobase_long_square", "rheobase, 1-s step (pA)", 0),
    ("fi_slope", "fI_slope", "f–I slope (Hz/pA)", 2),
    ("adaptation_index", "adaptation_index", "adaptation index", 3),
    ("hero_rate", "mean_rate_at_hero_sweep", "rate ~50 pA above rheobase (Hz)", 1),
)


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table."""
    lines = [list(head), ["---"] * len(head)]
    lines += [[str(cell).replace("|", "\\|").replace("\n", " ") for cell in row] for row in rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def number(value: float, digits: int = 3) -> str:
    """Significant digits without an exponent."""
    if not math.isfinite(value):
        return "–"
    if value == 0:
        return "0"
    places = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    return f"{value:.{places}f}"


def calibration() -> str:
    """Target, ours and source of every fitted feature of every cell."""
    from cell_types.calibration.fit import OVERRIDE, TARGET_ROWS

    data = resources.files("cell_types").joinpath("data")
    fitted = yaml.safe_load(data.joinpath("fitted.yaml").read_text())
    targets: dict[tuple[str, str], dict[str, str]] = {}
    for row in csv.DictReader(data.joinpath("targets.csv").read_text().splitlines()):
        targets[row["cell_type"], row["property"]] = row
    parts = []
    for name, entry in fitted.items():
        line, rows = TARGET_ROWS.get(name, name), []
        for feature, column, label, places in FEATURES:
            row = targets.get((line, column))
            if row is None or feature not in entry["features"]:
                continue
            ours = float(entry["features"][feature])
            q25, q75 = (float(row[k]) if row["q25"] else math.nan for k in ("q25", "q75"))
            inside = "yes" if q25 <= ours <= q75 else "**no**"
            aim = f"{float(row['value']):.{places}f}"
            if column in OVERRIDE.get(name, {}):
                aim += f" (aimed at {OVERRIDE[name][column]:g})"
            quartiles = f"{q25:.{places}f} to {q75:.{places}f}"
            shown = f"{ours:.{places}f}" if math.isfinite(ours) else "–"
            rows.append((label, aim, quartiles, row["n"], shown, inside))
        parts.append(f"### {name}\n\nRows `{line}` of `targets.csv`.\n")
        head = ("feature", "target (median)", "quartiles", "n", "ours", "within quartiles")
        parts.append(table(head, rows))
    return "\n".join(parts)


def populations() -> str:
    """Populations and background of both circuits at the size of the tables."""
    import microcircuits

    parts = []
    for name in microcircuits.catalogue():
        circuit = microcircuits.get(name, cells=SIZE, seed=1)
        rows = [
            (
                p.name,
                p.layer,
                p.cell.name,
                p.size,
                b.compartment,
                f"{b.rate:.3g}",
                f"{b.weight:.3g}",
            )
            for p in circuit.populations
            for b in p.backgrounds
        ]
        parts.append(f"### {name}\n\n{SIZE} cells, side of the sheet {circuit.side:.0f}.\n")
        head = (
            "population",
            "layer",
            "cell type",
            "cells",
            "drive to",
            "events",
            "peak of one",
        )
        parts.append(table(head, rows))
    return "\n".join(parts)


def projections() -> str:
    """Projections of l23."""
    import microcircuits

    circuit = microcircuits.get("l23", cells=SIZE, seed=1)
    rows = []
    for p in circuit.projections:
        stp = p.stp
        dynamic = f"{stp.U:.2g}, {stp.tau_rec:.3g}, {stp.tau_facil:.3g}" if stp else "–"
        rows.append(
            (
                f"{p.pre} → {p.post}",
                number(p.p_max),
                f"{p.sigma:.3g}" if p.sigma is not None else "–",
                number(p.in_degree) if p.in_degree is not None else "–",
                ", ".join(f"{n} {s:g}" for n, s in p.compartments),
                ", ".join(f"{n} {s:g}" for n, s in p.receptors),
                f"{p.weight:.3g}",
                f"{p.delay:.3g}",
                dynamic,
            )
        )
    head = ("projection", "p_max", "σ", "in-degree", "onto", "receptors", "weight", "latency")
    return table((*head, "U, τ_rec, τ_facil"), rows)


def receptors() -> str:
    """Concentration-response and kinetics of every neuromodulatory receptor."""
    from biomod.mechanisms.neuromodulation import receptors as library

    rows = []
    for name, r in library().items():
        lasting = "–"
        if r.tau_desensitisation is not None:
            lasting = f"{r.tau_desensitisation:.4g}, to {r.desensitised_fraction:g}"
        curve = (f"{r.ec50:.6g}", f"{r.hill:g}", f"{r.local_gain:g}")
        kinetics = (f"{r.tau_onset:.5g}", f"{r.tau_decay:.5g}", lasting)
        rows.append((name, r.modulator, r.coupling, *curve, *kinetics, r.source))
    head = ("receptor", "ligand", "coupling", "EC50", "Hill n", "local/bulk", "onset τ", "decay τ")
    return table((*head, "desensitisation", "source"), rows)


def effects() -> str:
    """What is applied in every cell, what changes synapses, and what is not expressed."""
    import cell_types
    from biomod.mechanisms.neuromodulation import resolve

    parts = []
    for name in cell_types.NAMES:
        found = resolve(cell_types.get(name))
        parts.append(f"### {name}\n")
        parts.append("Applied, at full activation of a receptor that is expressed fully:\n")
        rows = [
            (a.effect.name, a.receptor, f"{a.level:g}", a.effect.target,
             ", ".join(str(c) for c in a.changes), a.note or "–")
            for a in found.applied
        ]  # fmt: skip
        head = ("row", "receptor", "level", "target in the table", "parameters", "note")
        parts.append(table(head, rows))
        if found.on_projections:
            parts.append("Applied to synapses of a circuit, where it has such a projection:\n")
            rows = [
                (e.name, e.receptor, e.target, e.compartment, f"{e.operation} {e.value:g} {e.unit}")
                for e in found.on_projections
            ]
            parts.append(table(("row", "receptor", "target", "where", "change"), rows))
        if found.not_expressed:
            parts.append("Not expressed in this cell:\n")
            rows = [(e.name, e.receptor, e.target, why) for e, why in found.not_expressed]
            parts.append(table(("row", "receptor", "target", "why"), rows))
    return "\n".join(parts)


def counts() -> str:
    """How many effects the cells apply, delegate or cannot express."""
    import cell_types
    from biomod.mechanisms.neuromodulation import resolve

    rows = []
    for name in cell_types.NAMES:
        r = resolve(cell_types.get(name))
        stand_ins = sum(a.is_stand_in for a in r.applied)
        rows.append((name, len(r.applied), stand_ins, len(r.on_projections), len(r.not_expressed)))
    return table(("cell", "applied", "of these stand-ins", "to synapses", "not expressed"), rows)


def variations() -> str:
    """What varies between cells of one type."""
    import cell_types

    rows: dict[tuple[str, str, str], list[str]] = {}
    for name in cell_types.NAMES:
        for v in cell_types.get(name).variations:
            spread = f"CV {v.cv:g}" if v.cv is not None else f"s.d. {v.sd!r}"
            key = (f"`{v.path}`", f"{v.distribution}, {spread}", v.source)
            rows.setdefault(key, []).append(name)
    every = len(cell_types.NAMES)
    shown = [(*k, "all" if len(n) == every else ", ".join(n)) for k, n in rows.items()]
    return table(("parameter", "distribution", "where from", "cells"), shown)


def calibration_hh() -> str:
    """Every feature of the hh cells with its target, on both simulators."""
    from cell_types.calibration import table as of_hh_cells

    return of_hh_cells.markdown(of_hh_cells.written())


def valid_hh() -> str:
    """How many valid models of each hh cell were found in how many draws."""
    from cell_types.calibration.valid_hh import facts

    rows = [
        (name, str(f["valid"]), str(f["drawn"]), f"{f['valid'] / f['drawn']:.0%}",
         ", ".join(f["left_out"]) or "–")
        for name, f in facts().items()
    ]  # fmt: skip
    head = ("cell", "valid", "drawn", "accepted", "features left out (the cell itself misses them)")
    return table(head, rows)


def channels() -> str:
    """Every channel of the library."""
    import build_channels

    return build_channels.text()


TABLES: dict[str, Callable[[], str]] = {
    "channels": channels,
    "calibration": calibration,
    "calibration_hh": calibration_hh,
    "valid_hh": valid_hh,
    "variations": variations,
    "populations": populations,
    "projections": projections,
    "receptors": receptors,
    "effect_counts": counts,
    "effects": effects,
}


def write(folder: Path = FOLDER) -> list[Path]:
    """Write all tables; a file that would not change is left alone."""
    folder.mkdir(exist_ok=True)
    changed = []
    for name, make in TABLES.items():
        path, text = folder / f"{name}.md", make()
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            changed.append(path)
    return changed


if __name__ == "__main__":
    sys.path[:0] = [str(FOLDER.parent.parent), str(FOLDER.parent)]
    for path in write():
        print(f"wrote {path.relative_to(FOLDER.parent.parent)}", file=sys.stderr)
