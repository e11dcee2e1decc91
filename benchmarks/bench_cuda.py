"""Circuit l23 on a GPU, through the cuda backend, against cpp on the same machine.

Prints one JSON object. Where there is no GPU it says so, with the times of compiling; where there
is no compiler for one, the reason. Needs Python 3.12: ``make cuda-bench PYTHON=python3.12``.

Equality with cpp is statistical: same wiring and parameters, other random numbers. The rates of
each population in bins of 100 ms, the first two left out, are held against each other (Welch's t).
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

import biomod as bm
import microcircuits
from biomod.backends.brian import nvcc
from biomod.errors import BackendError

# Cells, and the seconds that are simulated: cpp takes about 3 ms per cell and second and core.
SIZES = ((2_500, 2.0), (25_000, 2.0), (250_000, 1.0))
ONLY_COMPILED = (200,)  # without a GPU
BIN, LEFT_OUT = 0.1, 2
# Two-sided p of about 1e-4 with 18 and more degrees of freedom; four populations in three sizes.
T_LIMIT = 5.0


def compiled(cells: int, duration: float) -> tuple[bm.Program, dict[str, Any]]:
    """The program for a GPU, built with an empty cache and again, and what that took."""
    circuit = microcircuits.get("l23", cells=cells)
    row: dict[str, Any] = {"cells": cells}
    for key in ("build_s", "build_again_s"):
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
    program, row = compiled(cells, duration)
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
    row["equal"] = all(abs(r["t"]) < T_LIMIT for r in row["rates"].values())
    return row


def compare(ours: bm.Result, theirs: bm.Result, duration: float) -> dict[str, dict[str, float]]:
    """Rates of each population by both backends, and Welch's t of their difference."""
    table = {}
    for name, size in ours.provenance["cells"].items():
        a, b = (binned(result, name, size, duration) for result in (ours, theirs))
        error = np.sqrt(a.var(ddof=1) / len(a) + b.var(ddof=1) / len(b))
        difference = a.mean() - b.mean()
        t = 0.0 if difference == 0 else float(difference / error) if error else float("inf")
        table[name] = {"cuda_hz": float(a.mean()), "cpp_hz": float(b.mean()), "t": t}
    return table


def binned(result: bm.Result, name: str, size: int, duration: float) -> np.ndarray:
    """Rate of a population (Hz) in each bin but the first."""
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
                report["sizes"] = [compiled(cells, 1.0)[1] for cells in ONLY_COMPILED]
            else:
                report |= {"gpu": gpu_name(), "capability": capability, "sizes": []}
                for cells, duration in SIZES:
                    report["sizes"].append(measure(cells, duration))
                    sys.stderr.write(f"{report['sizes'][-1]}\n")
        except BackendError as error:
            report["reason"] = str(error)
    sys.stdout.write(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
