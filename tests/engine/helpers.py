"""Plain Brian2 scripts run in a process of their own: a device is global to its process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np

SCRIPTS = Path(__file__).parent / "scripts"
ROOT = Path(__file__).resolve().parents[2]


def start(script: str, *arguments: object, **variables: object) -> subprocess.CompletedProcess[str]:
    """Run a script to its end, with these variables of the environment."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    environment |= {name: str(value) for name, value in variables.items()}
    command = [sys.executable, str(SCRIPTS / script), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


def results(
    script: str, out: Path, *arguments: object, **variables: object
) -> dict[str, np.ndarray]:
    """Arrays that a script leaves in the file `out`, which is its first argument."""
    done = start(script, out, *arguments, **variables)
    assert done.returncode == 0, done.stderr[-4000:]
    with np.load(out) as arrays:
        return dict(arrays)
