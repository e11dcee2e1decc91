"""The reference circuit (hh) on other simulators, side by side: 2,500 cells, 594,000 synapses, 1 s.

Prints one JSON object. NEURON, CoreNEURON and Arbor run the same equations at the same dt
(simulators/*.py say what differs); all on the threads of `THREADS`. Median of three runs each, and
its multiple of the engine's in the same session. The rates stand beside them:
a circuit in another state costs something else.
"""

from __future__ import annotations

import importlib.util
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
BRIAN, NEURON, ARBOR = (
    str(HERE / name)
    for name in ("engine_circuit.py", "simulators/neuron_circuit.py", "simulators/arbor_circuit.py")
)
THREADS = "2"
# Name, package that it needs, arguments ({} is a folder of its own).
VARIANTS = [
    ("stock_brian2_1_thread", "brian2", [BRIAN, "hh", "cpp_standalone", "1", "double", "{}"]),
    ("engine", "brian2", [BRIAN, "hh", "biomod_cpp", THREADS, "double", "{}"]),
    ("engine_single", "brian2", [BRIAN, "hh", "biomod_cpp", THREADS, "single", "{}"]),
    ("neuron", "neuron", [NEURON, "neuron", THREADS, "{}"]),
    ("coreneuron", "neuron", [NEURON, "coreneuron", THREADS, "{}"]),
    ("arbor", "arbor", [ARBOR, THREADS, "{}"]),
]


def measure(name: str, arguments: list[str], scratch: Path) -> Any:
    """What one circuit prints; a line that says why not, if it fails."""
    environment = os.environ | {"BIOMOD_CACHE_DIR": str(scratch / "cache")}
    command = [sys.executable, *(a.format(scratch / name) for a in arguments)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, env=environment)
    if done.returncode:
        return f"not measured: {Path(arguments[0]).name} ended with status {done.returncode}"
    sys.stderr.write(f"{name} {done.stdout.splitlines()[-1]}\n")
    return json.loads(done.stdout.splitlines()[-1])


def compare(report: dict[str, Any]) -> None:
    """Add to each row its run time as a multiple of the engine's, in both precisions."""
    rows = {name: report[name] for name, _, _ in VARIANTS if isinstance(report[name], dict)}
    seconds = {name: statistics.median(row["run_s"]) for name, row in rows.items()}
    for engine in ("engine", "engine_single"):
        for name, row in rows.items():
            if engine in seconds:
                row[f"times_{engine}"] = seconds[name] / seconds[engine]


def main() -> None:
    """Measure and print."""
    report: dict[str, Any] = {"name": "simulators", "cores": os.cpu_count(), "threads": THREADS}
    with tempfile.TemporaryDirectory() as folder:
        for name, package, arguments in VARIANTS:
            if importlib.util.find_spec(package) is None:
                report[name] = f"not measured: pip install {package}"
                continue
            report[name] = measure(name, arguments, Path(folder))
    compare(report)
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
