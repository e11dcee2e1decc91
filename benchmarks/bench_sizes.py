"""Circuit l23: cost of a run against its size.

Prints one JSON object: seconds (medians). Against stock Brian2: bench_engine.py.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time

import biomod as bm
import microcircuits
from biomod.units import second

REPEATS = 3
SIZES = (400, 1000, 2500)


def timed(action: object) -> float:
    """Seconds that a call takes."""
    started = time.perf_counter()
    action()  # type: ignore[operator]
    return time.perf_counter() - started


def main() -> None:
    """Measure and print."""
    report: dict[str, object] = {"name": "sizes", "cores": os.cpu_count()}
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
    report["sizes"] = sizes
    sys.stdout.write(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
