"""What a user waits for between two thoughts: imports, and the summary of a raster.

Prints one JSON object: medians in seconds.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time

import numpy as np
import pandas as pd

import analysis

REPEATS = 5
CELLS, RATE_HZ, DURATION_S = 2500, 5.0, 1.0
IMPORTS = ("biomod", "biomod.cli", "analysis", "cell_types", "microcircuits")


def import_seconds(module: str) -> float:
    """Median time of an import in a fresh process, without the start of Python."""
    script = (
        f"import time; t = time.perf_counter(); import {module}; print(time.perf_counter() - t)"
    )
    command = [sys.executable, "-c", script]
    runs = [subprocess.run(command, stdout=subprocess.PIPE, check=True) for _ in range(REPEATS)]
    return statistics.median(float(run.stdout) for run in runs)


def summary_seconds() -> float:
    """Median time of :func:`analysis.summary` for the raster of a circuit."""
    rng = np.random.default_rng(1)
    size = rng.poisson(CELLS * RATE_HZ * DURATION_S)
    spikes = pd.DataFrame(
        {
            "time_ms": np.sort(rng.uniform(0, DURATION_S * 1e3, size)),
            "cell": rng.integers(CELLS, size=size),
            "population": "PC",
        }
    )
    spikes.attrs |= {"cells": {"PC": CELLS}, "duration_ms": DURATION_S * 1e3}
    times = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        analysis.summary(spikes)
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def main() -> None:
    """Measure and print."""
    report: dict[str, object] = {"name": "interactive"}
    report |= {f"import_{module}_s": import_seconds(module) for module in IMPORTS}
    report[f"summary_{CELLS}_cells_s"] = summary_seconds()
    sys.stdout.write(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
