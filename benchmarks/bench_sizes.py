"""The reference circuit in several sizes: cost of a cell and second, and memory of a synapse.

usage: bench_sizes.py [CELLS ...]

Prints one JSON object. Each cell has as many synapses in all sizes. The engine on one and two
threads in double precision, and stock Brian2 C++ standalone, which would take hours of a processor
for the larger sizes, in one size (bench_engine.py has it with 2,500 cells); runs of 1 s (the run
alone, as Brian2 measures it), medians of as many as `CELLS_RUN` allows. `times_2500` is the cost of
a cell as a multiple of that with 2,500 cells.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench_engine import Variant, measure
from parts import finish

SIZES = (500, 2_500, 10_000, 25_000, 50_000)
STOCK_SIZES = (10_000,)
# Name, device, threads, precision.
STOCK: Variant = ("stock", "cpp_standalone", 1, "double", ())
ENGINE: tuple[Variant, ...] = (
    ("engine", "biomod_cpp", 1, "double", ()),
    ("engine_2_threads", "biomod_cpp", 2, "double", ()),
)
# Up to nine runs, as long as they have no more cells than these in all.
CELLS_RUN = {"lif": 150_000, "hh": 50_000}
MOST_RUNS = 9


def row(model: str, variant: Variant, runs: int, cells: int, scratch: Path) -> dict[str, Any]:
    """What one size costs."""
    found = measure(model, variant, scratch, f"cells={cells}", f"runs={runs}")
    if "error" in found:
        return found
    seconds = statistics.median(found["run_s"])
    return {
        "compiled": found["compiled"],
        "run_s": found["run_s"],
        "ms_per_cell_second": seconds / found["cells"] * 1e3,
        # Of the processor, by the whole program, with making of synapses and writing of results.
        "cpu_ms_per_cell_second": statistics.median(found["program_cpu_s"]) / found["cells"] * 1e3,
        "peak_memory_mb": found["peak_memory_mb"],
        "peak_bytes_per_synapse": found["peak_bytes_per_synapse"],
        "rates_hz": found["rates_hz"],
        "synapses": found["synapses"],
    }


def table(model: str, variant: Variant, sizes: Sequence[int], scratch: Path) -> dict[int, Any]:
    """What all sizes cost, and the cost of a cell against that in the usual size."""
    cells_run = 0 if variant is STOCK else CELLS_RUN[model]
    rows = {
        n: row(model, variant, min(max(cells_run // n, 1), MOST_RUNS), n, scratch) for n in sizes
    }
    usual = rows.get(2_500, {}).get("ms_per_cell_second")
    for one in rows.values():
        if usual and "error" not in one:
            one["times_2500"] = one["ms_per_cell_second"] / usual
    return rows


def main() -> int:
    """Measure and print."""
    given = [int(word) for word in sys.argv[1:]]
    report: dict[str, Any] = {"name": "sizes", "cores": os.cpu_count()}
    with tempfile.TemporaryDirectory() as folder:
        for model in ("lif", "hh"):
            report[model] = {v[0]: table(model, v, given or SIZES, Path(folder)) for v in ENGINE}
            report[model]["stock"] = table(model, STOCK, given or STOCK_SIZES, Path(folder))
    return finish(report)


if __name__ == "__main__":
    sys.exit(main())
