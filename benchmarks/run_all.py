"""Run every ``bench_*.py`` beside this file, one after the other, and collect what they print.

A benchmark is a script that prints one JSON object on standard output: a ``name`` and its
measured numbers, with the unit in the key (``build_s``, ``run_s``, ``peak_memory_mb``). What is
there is written after each of them; a part that fails has an ``error`` in its place, and what
failed is named at the end.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from importlib import metadata
from pathlib import Path

from parts import failures
from show import show

HERE = Path(__file__).resolve().parent


def machine() -> dict[str, object]:
    """What a reader needs to judge the numbers."""
    cpu = platform.processor()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = cpuinfo.read_text().splitlines()
        cpu = next((line.split(":")[1].strip() for line in lines if "model name" in line), cpu)
    return {
        "cpu": cpu,
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "versions": {name: metadata.version(name) for name in ("brian2", "dendrify", "numpy")},
    }


def run(script: Path) -> dict[str, object]:
    """The JSON object that one benchmark prints, or the reason why there is none."""
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, str(script)], stdout=subprocess.PIPE, text=True, check=False
    )
    wall_s = round(time.perf_counter() - start, 3)
    result: dict[str, object] = {"name": script.stem.removeprefix("bench_"), "wall_s": wall_s}
    try:
        result |= json.loads(done.stdout)
    except (json.JSONDecodeError, TypeError) as error:
        result["error"] = f"no JSON object: {error}"
    # A script that has results of other parts says itself which one failed.
    if done.returncode != 0 and not list(failures(result)):
        result["error"] = f"exit status {done.returncode}"
    return result


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("build/bench"))
    parser.add_argument(
        "--only", metavar="TEXT", nargs="+", default=[""], help="names that contain one of TEXT"
    )
    args = parser.parse_args()

    scripts = [s for s in sorted(HERE.glob("bench_*.py")) if any(t in s.stem for t in args.only)]
    if not scripts:
        print(f"no benchmark in {HERE} matches {args.only!r}", file=sys.stderr)
        return 2
    args.out.mkdir(parents=True, exist_ok=True)
    target = args.out / "results.json"
    results: list[dict[str, object]] = []
    for script in scripts:
        print(f"{script.stem} …", file=sys.stderr, flush=True)
        result = run(script)
        results.append(result)
        numbers = (f"{key}={value}" for key, value in result.items() if key != "name")
        print(f"{result['name']}: {', '.join(numbers)}", flush=True)
        target.write_text(json.dumps({"machine": machine(), "results": results}, indent=2) + "\n")
    for path in (target, *show(results, args.out)):
        print(f"written: {path}", file=sys.stderr)
    failed = [line for r in results for line in failures({str(r["name"]): r})]
    for line in failed:
        print(f"failed: {line}", file=sys.stderr)
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
