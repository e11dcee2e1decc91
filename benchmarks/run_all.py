"""Run every ``bench_*.py`` beside this file, one after the other, and collect what they print.

A benchmark is a script that prints one JSON object on standard output: a ``name`` and its
measured numbers, with the unit in the key (``build_s``, ``run_s``, ``peak_memory_mb``).
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
    if done.returncode != 0:
        return {"name": script.stem, "error": f"exit status {done.returncode}", "wall_s": wall_s}
    try:
        return {"name": script.stem, "wall_s": wall_s, **json.loads(done.stdout)}
    except (json.JSONDecodeError, TypeError) as error:
        return {"name": script.stem, "error": f"no JSON object: {error}", "wall_s": wall_s}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("build/bench"))
    parser.add_argument("--only", metavar="TEXT", default="", help="names that contain TEXT")
    args = parser.parse_args()

    scripts = [s for s in sorted(HERE.glob("bench_*.py")) if args.only in s.stem]
    if not scripts:
        print(f"no benchmark in {HERE} matches {args.only!r}", file=sys.stderr)
        return 2
    results: list[dict[str, object]] = []
    for script in scripts:
        print(f"{script.stem} …", file=sys.stderr, flush=True)
        result = run(script)
        results.append(result)
        numbers = (f"{key}={value}" for key, value in result.items() if key != "name")
        print(f"{result['name']}: {', '.join(numbers)}", flush=True)
    args.out.mkdir(parents=True, exist_ok=True)
    target = args.out / "results.json"
    target.write_text(json.dumps({"machine": machine(), "results": results}, indent=2) + "\n")
    for written in (target, *show(results, args.out)):
        print(f"written: {written}", file=sys.stderr)
    return int(any("error" in result for result in results))


if __name__ == "__main__":
    sys.exit(main())
