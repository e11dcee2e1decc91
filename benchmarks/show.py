"""A table and a plot of what ``bench_engine.py`` and ``bench_simulators.py`` found.

usage: show.py RESULTS FOLDER

RESULTS is what run_all.py wrote. Writes engine.md and engine.png to FOLDER; run_all.py calls it.
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


def plot(found: Mapping[str, Mapping[str, Mapping[str, Any]]], file: Path) -> None:
    """Run times of all variants."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4), layout="constrained")
    for axes, (model, variants) in zip(figure.subplots(1, len(found)), found.items(), strict=True):
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
    """Write both; nothing if no engine was measured."""
    found = {model: variants for model, variants in rows(results).items() if variants}
    if not found:
        return []
    written = [folder / "engine.md", folder / "engine.png"]
    parts = [f"## {TITLES[model]}\n\n{table(variants)}" for model, variants in found.items()]
    written[0].write_text("\n\n".join(parts) + "\n")
    plot(found, written[1])
    return written


if __name__ == "__main__":
    for path in show(json.loads(Path(sys.argv[1]).read_text())["results"], Path(sys.argv[2])):
        print(path)
