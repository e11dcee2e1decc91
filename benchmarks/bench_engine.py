"""The engine against stock Brian2 on the reference circuit, side by side.

Prints one JSON object. Each variant is built in an empty folder and run three times, one
after the other, with a cache that is empty at first. Medians; `times_stock` compares the runs alone
(as Brian2 measures them), `times_stock_program` the programs, which make the synapses and write the
results too, both with stock C++ standalone in the same session.
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
# Name, device, threads, precision, more arguments.
VARIANTS: list[tuple[str, str, int, str, tuple[str, ...]]] = [
    ("stock", "cpp_standalone", 1, "double", ()),
    ("stock_best_flags", "cpp_standalone", 1, "double", ("flags=best",)),
    ("stock_openmp_2", "cpp_standalone", 2, "double", ()),
    ("stock_single", "cpp_standalone", 1, "single", ()),
    ("stock_cython", "cython", 1, "double", ("runs=1",)),
    ("engine", "biomod_cpp", 1, "double", ()),
    ("engine_2_threads", "biomod_cpp", 2, "double", ()),
    ("engine_single", "biomod_cpp", 1, "single", ()),
    ("engine_single_2_threads", "biomod_cpp", 2, "single", ()),
]
AGAIN = ("stock", "engine")  # run with a changed parameter too


def measure(
    model: str, variant: tuple[str, str, int, str, tuple[str, ...]], scratch: Path, *more: str
) -> Any:
    """What the circuit prints for one variant."""
    name, device, threads, precision, options = variant
    # Engines with other threads are one program, and share a folder.
    build = name if name.startswith("stock") else f"{device}_{precision}"
    folder = scratch / "_".join([model, build, *more])
    environment = os.environ | {"BIOMOD_CACHE_DIR": str(scratch / "cache")}
    command = [sys.executable, str(CIRCUIT), model, device, str(threads), precision, str(folder)]
    done = subprocess.run(
        [*command, *options, *more], stdout=subprocess.PIPE, text=True, check=True, env=environment
    )
    sys.stderr.write(f"{model} {name} {' '.join(more)} {done.stdout}")
    return json.loads(done.stdout.splitlines()[-1])


def from_call(row: dict[str, Any]) -> float:
    """Seconds from the call in Python to the result of the first run."""
    return float(row["describe_s"] + row["build_s"] + row.get("program_s", row["run_s"])[0])


def compare(table: dict[str, Any]) -> None:
    """Add to each row how many times faster than stock it is."""
    for key, name in (("run_s", "times_stock"), ("program_s", "times_stock_program")):
        stock = statistics.median(table["stock"][key])
        for row in table.values():
            if key in row:
                row[name] = stock / statistics.median(row[key])


def main() -> None:
    """Measure and print; names of variants as arguments leave out the others but stock."""
    wanted = {"stock", *sys.argv[1:]} if sys.argv[1:] else {v[0] for v in VARIANTS}
    report: dict[str, Any] = {"name": "engine", "cores": os.cpu_count()}
    with tempfile.TemporaryDirectory() as folder:
        for model in ("lif", "hh"):
            table = {v[0]: measure(model, v, Path(folder)) for v in VARIANTS if v[0] in wanted}
            for variant in VARIANTS:
                if variant[0] not in AGAIN or variant[0] not in wanted:
                    continue
                changed = measure(model, variant, Path(folder), "changed")
                row = table[variant[0]]
                row["compiled_again_with_a_changed_parameter"] = changed["compiled"]
                row["from_call_to_result_first_s"] = from_call(row)
                row["from_call_to_result_changed_parameter_s"] = from_call(changed)
                row["beyond_the_run_changed_parameter_s"] = from_call(changed) - changed["run_s"][0]
            compare(table)
            report[model] = table
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
