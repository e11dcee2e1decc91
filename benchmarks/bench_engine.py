"""The engine against stock Brian2 C++ standalone on the reference circuit, side by side.

Prints one JSON object. Each variant is built in an empty folder and run three times, one
after the other, with a cache that is empty at first. Medians, and ratios to stock in the same run.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

CIRCUIT = Path(__file__).with_name("engine_circuit.py")
# Name, device, threads, precision.
VARIANTS = [
    ("stock", "cpp_standalone", 1, "double"),
    ("engine", "biomod_cpp", 1, "double"),
    ("engine_2_threads", "biomod_cpp", 2, "double"),
    ("engine_single", "biomod_cpp", 1, "single"),
    ("engine_single_2_threads", "biomod_cpp", 2, "single"),
]


def measure(model: str, variant: tuple[str, str, int, str], scratch: Path, *more: str) -> Any:
    """What the circuit prints for one variant."""
    name, device, threads, precision = variant
    folder = scratch / f"{model}_{device}_{precision}{''.join(more)}"
    environment = os.environ | {"BIOMOD_CACHE_DIR": str(scratch / "cache")}
    command = [sys.executable, str(CIRCUIT), model, device, str(threads), precision, str(folder)]
    done = subprocess.run(
        [*command, *more], stdout=subprocess.PIPE, text=True, check=True, env=environment
    )
    sys.stderr.write(f"{model} {name} {' '.join(more)} {done.stdout}")
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    """Measure and print."""
    report: dict[str, Any] = {"name": "engine", "cores": os.cpu_count()}
    with tempfile.TemporaryDirectory() as folder:
        for model in ("lif", "hh"):
            table = {v[0]: measure(model, v, Path(folder)) for v in VARIANTS}
            for variant in VARIANTS[:2]:
                changed = measure(model, variant, Path(folder), "changed")
                row = table[variant[0]]
                row["build_again_with_a_changed_parameter_s"] = changed["build_s"]
                row["compiled_again_with_a_changed_parameter"] = changed["compiled"]
                for name, seconds in (("first", row), ("changed_parameter", changed)):
                    spent = seconds["describe_s"] + seconds["build_s"] + seconds["run_s"][0]
                    row[f"from_call_to_result_{name}_s"] = spent
            stock = statistics.median(table["stock"]["run_s"])
            for row in table.values():
                row["times_stock"] = stock / statistics.median(row["run_s"])
            report[model] = table
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
