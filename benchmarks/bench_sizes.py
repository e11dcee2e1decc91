"""The reference circuit in several sizes: cost of a cell and second, and memory of a synapse.

usage: bench_sizes.py [CELLS ...]

Prints one JSON object. Each cell has as many synapses in all sizes. Stock Brian2 C++ standalone and
the engine on one and two threads, in double precision; runs of 1 s (the run alone, as Brian2
measures it), of the engine the median of three, of stock one (50,000 hh cells take it minutes).
`times_2500` is the cost of a cell as a multiple of that with 2,500 cells.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench_engine import measure

SIZES = (500, 2_500, 10_000, 25_000, 50_000)
# Name, device, threads, precision; how many runs.
VARIANTS = [
    (("stock", "cpp_standalone", 1, "double", ()), 1),
    (("engine", "biomod_cpp", 1, "double", ()), 3),
    (("engine_2_threads", "biomod_cpp", 2, "double", ()), 3),
]


def row(
    model: str,
    variant: tuple[str, str, int, str, tuple[str, ...]],
    runs: int,
    cells: int,
    scratch: Path,
) -> dict[str, Any]:
    """What one size costs."""
    found = measure(model, variant, scratch, f"cells={cells}", f"runs={runs}")
    seconds = statistics.median(found["run_s"])
    return {
        "compiled": found["compiled"],
        "run_s": seconds,
        "ms_per_cell_second": seconds / found["cells"] * 1e3,
        # Of the processor, by the whole program, with making of synapses and writing of results.
        "cpu_ms_per_cell_second": statistics.median(found["program_cpu_s"]) / found["cells"] * 1e3,
        "peak_memory_mb": found["peak_memory_mb"],
        "peak_bytes_per_synapse": found["peak_bytes_per_synapse"],
        "rates_hz": found["rates_hz"],
        "synapses": found["synapses"],
    }


def table(
    model: str,
    variant: tuple[str, str, int, str, tuple[str, ...]],
    runs: int,
    sizes: Sequence[int],
    scratch: Path,
) -> dict[int, Any]:
    """What all sizes cost, and the cost of a cell against that in the usual size."""
    rows = {cells: row(model, variant, runs, cells, scratch) for cells in sizes}
    if 2_500 in rows:
        usual = rows[2_500]["ms_per_cell_second"]
        for one in rows.values():
            one["times_2500"] = one["ms_per_cell_second"] / usual
    return rows


def main() -> None:
    """Measure and print."""
    sizes = [int(word) for word in sys.argv[1:]] or SIZES
    report: dict[str, Any] = {"name": "sizes", "cores": os.cpu_count()}
    with tempfile.TemporaryDirectory() as folder:
        for model in ("lif", "hh"):
            report[model] = {
                variant[0]: table(model, variant, runs, sizes, Path(folder))
                for variant, runs in VARIANTS
            }
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
