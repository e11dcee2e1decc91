"""Circuit l23: our compile against Brian2's own makefile on the same source, and cost against size.

Prints one JSON object: seconds (medians), and the ratios measured side by side in this run.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import biomod as bm
import microcircuits
from biomod.programs import compile_program
from biomod.units import second

REPEATS = 3
SIZES = (400, 1000, 2500)


def timed(action: object) -> float:
    """Seconds that a call takes."""
    started = time.perf_counter()
    action()  # type: ignore[operator]
    return time.perf_counter() - started


def compile_both(source: Path) -> tuple[float, float]:
    """Seconds of our compile (empty cache) and of the generated makefile with all cores."""
    with tempfile.TemporaryDirectory() as scratch:
        ours, stock = Path(scratch) / "ours", Path(scratch) / "stock"
        for copy in (ours, stock):
            shutil.copytree(source, copy, ignore=shutil.ignore_patterns("*.o", "main", "run-*"))
        os.environ["BIOMOD_CACHE_DIR"] = str(Path(scratch) / "cache")
        mine = timed(lambda: compile_program(ours))
        jobs = f"-j{os.cpu_count()}"
        make = ["make", jobs]
        theirs = timed(lambda: subprocess.run(make, cwd=stock, check=True, capture_output=True))
    return mine, theirs


def main() -> None:
    """Measure and print."""
    report: dict[str, object] = {"name": "build_and_run", "cores": os.cpu_count()}
    sizes = []
    for cells in SIZES:
        circuit = microcircuits.get("l23", cells=cells)
        program = bm.compile(circuit, 1 * second, backend="cpp")
        runs = [timed(program.run) for _ in range(REPEATS)]
        plan = program.compiled.plan
        sizes.append(
            {
                "cells": cells,
                "synapses": plan.synapse_count,
                "run_s": statistics.median(runs),
                "ms_per_cell_second": statistics.median(runs) / cells * 1e3,
            }
        )
        sys.stderr.write(f"{sizes[-1]}\n")
        if cells == SIZES[0]:
            source = program.compiled.binary.parent  # type: ignore[attr-defined]
            pairs = [compile_both(source) for _ in range(REPEATS)]
            report["compile_ours_s"] = statistics.median(p[0] for p in pairs)
            report["compile_makefile_s"] = statistics.median(p[1] for p in pairs)
            report["compile_ratio"] = statistics.median(p[1] / p[0] for p in pairs)
    report["sizes"] = sizes
    sys.stdout.write(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
