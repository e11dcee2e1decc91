"""The engine against stock Brian2 on the reference circuit, side by side.

usage: bench_engine.py [VARIANT ...] [OPTION=VALUE ...]

Prints one JSON object. Each variant is built in an empty folder, with a cache that is empty at
first, and run three times, one after the other (nine times on two threads, which are easily
disturbed; once with the other variants of stock, which take longest). `times_stock` compares
medians of the runs alone (as Brian2 measures them), `times_stock_program` those of the programs,
which make the synapses and write the results too, both with stock C++ standalone in the same
session. Names of variants leave out the others but stock; options are those of engine_circuit.py
(`cells=200` for a trial).
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from parts import finish, measured

Variant = tuple[str, str, int, str, tuple[str, ...]]
CIRCUIT = Path(__file__).with_name("engine_circuit.py")
# Name, device, threads, precision, more arguments.
VARIANTS: list[Variant] = [
    ("stock", "cpp_standalone", 1, "double", ()),
    ("stock_best_flags", "cpp_standalone", 1, "double", ("flags=best", "runs=1")),
    ("stock_openmp_2", "cpp_standalone", 2, "double", ("runs=1",)),
    ("stock_single", "cpp_standalone", 1, "single", ("runs=1",)),
    ("stock_cython", "cython", 1, "double", ("runs=1",)),
    ("engine", "biomod_cpp", 1, "double", ()),
    ("engine_2_threads", "biomod_cpp", 2, "double", ("runs=9",)),
    ("engine_single", "biomod_cpp", 1, "single", ()),
    ("engine_single_2_threads", "biomod_cpp", 2, "single", ("runs=9",)),
]
AGAIN = ("stock", "engine")  # run with a changed parameter too


def measure(model: str, variant: Variant, scratch: Path, *more: str) -> dict[str, Any]:
    """What the circuit prints for one variant."""
    name, device, threads, precision, options = variant
    # Engines with other threads are one program, and share a folder.
    build = name if name.startswith("stock") else f"{device}_{precision}"
    folder = scratch / "_".join([model, build, *more])
    circuit = [str(CIRCUIT), model, device, str(threads), precision, str(folder)]
    return measured(" ".join([model, name, *more]), [*circuit, *options, *more], scratch / "cache")


def from_call(row: dict[str, Any]) -> float:
    """Seconds from the call in Python to the result of the first run."""
    return float(row["describe_s"] + row["build_s"] + row.get("program_s", row["run_s"])[0])


def change(model: str, variant: Variant, row: dict[str, Any], scratch: Path, *more: str) -> None:
    """Add to a row what another parameter costs."""
    changed = measure(model, variant, scratch, "changed", *more)
    if "error" in changed:
        row["changed_parameter"] = changed
        return
    row["compiled_again_with_a_changed_parameter"] = changed["compiled"]
    row["from_call_to_result_first_s"] = from_call(row)
    row["from_call_to_result_changed_parameter_s"] = from_call(changed)
    row["beyond_the_run_changed_parameter_s"] = from_call(changed) - changed["run_s"][0]


def compare(table: dict[str, Any]) -> None:
    """Add to each row how many times faster than stock it is."""
    for key, name in (("run_s", "times_stock"), ("program_s", "times_stock_program")):
        if key not in table["stock"]:
            continue
        stock = statistics.median(table["stock"][key])
        for row in table.values():
            if key in row:
                row[name] = stock / statistics.median(row[key])


def compared(model: str, wanted: set[str], options: Sequence[str], scratch: Path) -> dict[str, Any]:
    """All variants of one circuit."""
    chosen = [variant for variant in VARIANTS if variant[0] in wanted]
    table = {v[0]: measure(model, v, scratch, *options) for v in chosen}
    for variant in chosen:
        row = table[variant[0]]
        if variant[0] in AGAIN and "error" not in row:
            # Stock's run was timed before; compiling takes it as long as the first time.
            more = [*options, "runs=1"] if variant[0] == "stock" else options
            change(model, variant, row, scratch, *more)
    compare(table)
    return table


def main() -> int:
    """Measure and print."""
    options = [word for word in sys.argv[1:] if "=" in word]
    named = set(sys.argv[1:]) - set(options)
    wanted = named | {"stock"} if named else {v[0] for v in VARIANTS}
    report: dict[str, Any] = {"name": "engine", "cores": os.cpu_count()}
    with tempfile.TemporaryDirectory() as folder:
        for model in ("lif", "hh"):
            report[model] = compared(model, wanted, options, Path(folder))
    return finish(report)


if __name__ == "__main__":
    sys.exit(main())
