"""The reference circuit (hh) on other simulators, side by side: 2,500 cells, 594,000 synapses, 1 s.

Prints one JSON object. NEURON, CoreNEURON and Arbor run the same equations at the same dt
(simulators/*.py say what differs); all on the threads of `THREADS` but stock Brian2. Three runs of
each (of stock one), and the median as a multiple of the engine's in the same session. The rates
stand beside them: a circuit in another state costs something else.
"""

from __future__ import annotations

import importlib.util
import os
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from parts import finish, measured

HERE = Path(__file__).parent
BRIAN, NEURON, ARBOR = (
    str(HERE / name)
    for name in ("engine_circuit.py", "simulators/neuron_circuit.py", "simulators/arbor_circuit.py")
)
THREADS = "2"
STOCK = [BRIAN, "hh", "cpp_standalone", "1", "double"]
# Name, package that it needs, arguments ({} is a folder of its own).
VARIANTS = [
    ("stock_brian2_1_thread", "brian2", [*STOCK, "{}", "runs=1"]),
    ("engine", "brian2", [BRIAN, "hh", "biomod_cpp", THREADS, "double", "{}"]),
    ("engine_single", "brian2", [BRIAN, "hh", "biomod_cpp", THREADS, "single", "{}"]),
    ("neuron", "neuron", [NEURON, "neuron", THREADS, "{}"]),
    ("coreneuron", "neuron", [NEURON, "coreneuron", THREADS, "{}"]),
    ("arbor", "arbor", [ARBOR, THREADS, "{}"]),
]


def compare(report: dict[str, Any]) -> None:
    """Add to each row its run time as a multiple of the engine's, in both precisions."""
    rows = {name: report[name] for name, _, _ in VARIANTS if "run_s" in report[name]}
    seconds = {name: statistics.median(row["run_s"]) for name, row in rows.items()}
    for engine in ("engine", "engine_single"):
        for name, row in rows.items():
            if engine in seconds:
                row[f"times_{engine}"] = seconds[name] / seconds[engine]


def main() -> int:
    """Measure and print."""
    report: dict[str, Any] = {"name": "simulators", "cores": os.cpu_count(), "threads": THREADS}
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        for name, package, arguments in VARIANTS:
            if importlib.util.find_spec(package) is None:
                report[name] = {"not_measured": f"pip install {package}"}
                continue
            arguments = [word.format(scratch / name) for word in arguments]
            report[name] = measured(name, arguments, scratch / "cache")
    compare(report)
    return finish(report)


if __name__ == "__main__":
    sys.exit(main())
