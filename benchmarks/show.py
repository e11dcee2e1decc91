"""A table and a plot of what the benchmarks of the engine, of its sizes and of simulators found.

usage: show.py RESULTS FOLDER

RESULTS is what run_all.py wrote. Writes engine.md and engine.png to FOLDER; run_all.py calls it.
What was not measured is left out.
"""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

TITLES = {
    "lif": "integrate-and-fire, dendritic spikes; dt 0.1 ms",
    "hh": "channels in the soma; dt 0.05 ms",
}
COLUMNS = {
    "run_s": "run, s",
    "times_stock": "times stock",
    "program_s": "program, s",
    "describe_s": "describe, s",
    "build_s": "build, s",
    "from_call_to_result_first_s": "first result, s",
    "from_call_to_result_changed_parameter_s": "changed parameter, s",
    "peak_memory_mb": "memory, MB",
}


def rows(results: list[Mapping[str, Any]]) -> dict[str, dict[str, Mapping[str, Any]]]:
    """Measured variants of each circuit; other simulators stand beside hh."""
    named = {str(result.get("name")): result for result in results}
    engine, others = named.get("engine", {}), named.get("simulators", {})
    found = {model: dict(engine.get(model, {})) for model in TITLES}
    for name, row in others.items():
        if isinstance(row, Mapping) and name not in found["hh"]:
            found["hh"][name] = row
    return {
        model: {name: row for name, row in variants.items() if "run_s" in row}
        for model, variants in found.items()
    }


def sizes(results: list[Mapping[str, Any]]) -> dict[str, dict[int, float]]:
    """Cost of a cell and simulated second (ms) by number of cells, of each circuit and variant."""
    named = {str(result.get("name")): result for result in results}
    found: dict[str, dict[int, float]] = {}
    for model in TITLES:
        for name, rows_of_sizes in named.get("sizes", {}).get(model, {}).items():
            measured = {int(n): r for n, r in rows_of_sizes.items() if "ms_per_cell_second" in r}
            cost = {n: float(row["ms_per_cell_second"]) for n, row in measured.items()}
            if cost:
                found[f"{model}, {name}"] = cost
    return found


def cell(value: object) -> str:
    """A number, or the median of several, as text."""
    if isinstance(value, list):
        value = statistics.median(value)
    return f"{value:.3g}" if isinstance(value, int | float) else "–"


def table(variants: Mapping[str, Mapping[str, Any]]) -> str:
    """In Markdown."""
    lines = ["| | " + " | ".join(COLUMNS.values()) + " |", "| --- " * (len(COLUMNS) + 1) + "|"]
    for name, row in variants.items():
        lines.append(f"| {name} | " + " | ".join(cell(row.get(key)) for key in COLUMNS) + " |")
    return "\n".join(lines)


def table_of_sizes(costs: Mapping[str, Mapping[int, float]]) -> str:
    """In Markdown."""
    columns = sorted({cells for row in costs.values() for cells in row})
    lines = ["| | " + " | ".join(f"{cells:,}" for cells in columns) + " |"]
    lines.append("| --- " * (len(columns) + 1) + "|")
    for name, row in costs.items():
        lines.append(f"| {name} | " + " | ".join(cell(row.get(n)) for n in columns) + " |")
    return "\n".join(lines)


def plot(
    found: Mapping[str, Mapping[str, Mapping[str, Any]]],
    costs: Mapping[str, Mapping[int, float]],
    file: Path,
) -> None:
    """Run times of all variants, and what a cell costs in networks of several sizes."""
    from matplotlib.figure import Figure

    panels = len(found) + bool(costs)
    figure = Figure(figsize=(5 * panels, 4), layout="constrained")
    every = figure.subplots(1, panels, squeeze=False)[0]
    if costs:
        for name, row in costs.items():
            every[-1].loglog(list(row), list(row.values()), marker="o", label=name)
        every[-1].set(xlabel="cells", ylabel="time for a cell and simulated second (ms)")
        every[-1].legend(fontsize=8, frameon=False)
        every[-1].spines[["top", "right"]].set_visible(False)
    for axes, (model, variants) in zip(every, found.items(), strict=False):
        seconds = [statistics.median(row["run_s"]) for row in variants.values()]
        colours = ["tab:orange" if n.startswith("engine") else "tab:gray" for n in variants]
        bars = axes.barh(list(variants), seconds, color=colours)
        axes.bar_label(bars, [f"{s:.2g} s" for s in seconds], padding=3, fontsize=8)
        axes.set(xlabel="time for a run of 1 s (s)")
        axes.set_title(TITLES[model], fontsize=9)
        axes.invert_yaxis()
        axes.margins(x=0.15)
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(file, dpi=150)


def show(results: list[Mapping[str, Any]], folder: Path) -> list[Path]:
    """Write both; nothing if no circuit was measured."""
    found = {model: variants for model, variants in rows(results).items() if variants}
    costs = sizes(results)
    if not found and not costs:
        return []
    written = [folder / "engine.md", folder / "engine.png"]
    parts = [f"## {TITLES[model]}\n\n{table(variants)}" for model, variants in found.items()]
    if costs:
        parts.append(f"## What a cell costs in a simulated second, ms\n\n{table_of_sizes(costs)}")
    written[0].write_text("\n\n".join(parts) + "\n")
    plot(found, costs, written[1])
    return written


if __name__ == "__main__":
    for path in show(json.loads(Path(sys.argv[1]).read_text())["results"], Path(sys.argv[2])):
        print(path)
