"""Parts of a benchmark, each a process of its own: one that fails leaves the others' results."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any


def measured(title: str, arguments: Sequence[str], cache: Path) -> dict[str, Any]:
    """The JSON object that a script prints last, with this cache; ``error`` says why there is none.

    Parameters
    ----------
    title : str
        What stands before it on standard error, where it is printed too.
    arguments : sequence of str
        The script and its arguments.
    cache : Path
        Folder for what the engine compiles.
    """
    environment = os.environ | {"BIOMOD_CACHE_DIR": str(cache)}
    command = [sys.executable, *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, env=environment, check=False)
    row: dict[str, Any]
    if done.returncode:
        row = {"error": f"{Path(arguments[0]).name} ended with status {done.returncode}"}
    else:
        try:
            row = dict(json.loads(done.stdout.splitlines()[-1]))
        except (IndexError, ValueError, TypeError) as error:
            row = {"error": f"{Path(arguments[0]).name} printed no JSON object: {error}"}
    sys.stderr.write(f"{title} {json.dumps(row)}\n")
    return row


def failures(report: Mapping[Any, Any], within: str = "") -> Iterator[str]:
    """Names of the parts that have no result, and why."""
    if "error" in report:
        yield f"{within}: {report['error']}"
    for name, part in report.items():
        if isinstance(part, Mapping):
            yield from failures(part, f"{within} {name}".strip())


def finish(report: Mapping[str, Any]) -> int:
    """Print what there is; returns the exit status, which is not 0 if something failed."""
    print(json.dumps(report, indent=2), flush=True)
    failed = list(failures(report))
    for line in failed:
        sys.stderr.write(f"failed: {line}\n")
    return int(bool(failed))
