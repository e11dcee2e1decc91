"""Circuit l23 on a GPU, through the cuda backend, against cpp on the same machine.

Prints one JSON object. Where there is no GPU it says so, with the times of compiling; where there
is no compiler for one, the reason. Needs Python 3.12: ``make cuda-bench PYTHON=python3.12``. Where
time is short, sizes may be given as arguments: 250,000 cells have 65 million synapses, and drawing
them takes minutes.

Equality with cpp is statistical: same wiring and parameters, other random numbers. The rates of
each population in bins of 50 ms, the first four left out, are held against each other (Welch's t).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from typing import Any

import numpy as np
from scipy.stats import ttest_ind

import biomod as bm
import microcircuits
from biomod.backends.brian import nvcc
from biomod.errors import BackendError

# Cells, and the seconds that are simulated.
SIZES = {2_500: 2.0, 25_000: 1.0, 250_000: 0.5}
ONLY_COMPILED = 200  # cells, without a GPU
BIN, LEFT_OUT = 0.05, 4
# Four populations in three sizes, and bins that are not quite independent.
P_LIMIT = 1e-4


def compiled(cells: int, duration: float, *builds: str) -> tuple[bm.Program, dict[str, Any]]:
    """The program for a GPU, built with an empty cache (and again), and what that took."""
    circuit = microcircuits.get("l23", cells=cells)
    row: dict[str, Any] = {"cells": cells}
    for key in ("build_s", *builds):
        before = os.times()
        started = time.perf_counter()
        program = bm.compile(circuit, f"{duration} s", backend="cuda")
        after = os.times()
        row[key] = time.perf_counter() - started
        row[key.replace("_s", "_cpu_s")] = sum(after[:4]) - sum(before[:4])
        row[key.replace("_s", "_compiler_ran")] = program.compiled.compiled
    row["synapses"] = program.compiled.plan.synapse_count
    return program, row


def measure(cells: int, duration: float) -> dict[str, Any]:
    """One size on the GPU and on the processor."""
    program, row = compiled(cells, duration, *(["build_again_s"] if cells == min(SIZES) else []))
    row["duration_s"] = duration
    short = program.run(duration=f"{duration / 10} s").provenance["timings"]["run_s"]
    result = program.run()
    row["run_s"] = result.provenance["timings"]["run_s"]
    row["ms_per_simulated_ms"] = (row["run_s"] - short) / (0.9 * duration)
    threads = os.cpu_count() or 1
    circuit = microcircuits.get("l23", cells=cells)
    other = bm.simulate(circuit, f"{duration} s", backend="cpp", threads=threads)
    row["cpp_run_s"] = other.provenance["timings"]["run_s"]
    row["cpp_threads"] = threads
    row["rates"] = compare(result, other, duration)
    row["equal"] = all(r["p"] > P_LIMIT for r in row["rates"].values())
    return row


def compare(ours: bm.Result, theirs: bm.Result, duration: float) -> dict[str, dict[str, float]]:
    """Rates of each population by both backends, and Welch's test of their difference."""
    table = {}
    for name, size in ours.provenance["cells"].items():
        a, b = (binned(result, name, size, duration) for result in (ours, theirs))
        # Two populations that are silent are equal, which the test does not say.
        p = 1.0 if np.array_equal(a, b) else float(ttest_ind(a, b, equal_var=False).pvalue)
        table[name] = {"cuda_hz": float(a.mean()), "cpp_hz": float(b.mean()), "p": p}
    return table


def binned(result: bm.Result, name: str, size: int, duration: float) -> np.ndarray:
    """Rate of a population (Hz) in each bin but the first ones."""
    spikes = result.spikes
    times = spikes.loc[spikes["population"] == name, "time_ms"].to_numpy() / 1e3
    counts, _ = np.histogram(times, np.arange(round(duration / BIN) + 1) * BIN)
    return counts[LEFT_OUT:] / (size * BIN)


def gpu_name() -> str:
    command = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def main() -> None:
    """Measure and print."""
    capability = nvcc.gpu_capability()
    report: dict[str, Any] = {"name": "cuda", "cores": os.cpu_count(), "gpu": None}
    with tempfile.TemporaryDirectory() as folder:
        os.environ["BIOMOD_CACHE_DIR"] = folder
        try:
            if capability is None:
                report["reason"] = "no NVIDIA GPU: compiled only, for " + str(nvcc.capability())
                report["sizes"] = [compiled(ONLY_COMPILED, 1.0, "build_again_s")[1]]
            else:
                report |= {"gpu": gpu_name(), "capability": capability, "sizes": []}
                for cells in [int(size) for size in sys.argv[1:]] or SIZES:
                    report["sizes"].append(measure(cells, SIZES.get(cells, 1.0)))
                    sys.stderr.write(f"{report['sizes'][-1]}\n")
        except BackendError as error:
            report["reason"] = str(error)
    sys.stdout.write(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
