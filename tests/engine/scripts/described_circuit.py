"""Sources of the reference circuit of benchmarks/engine_circuit.py. OUT MODEL KEEP [changed]."""

import hashlib
import sys
from pathlib import Path

import numpy as np
from brian2 import *

import biomod.engine  # noqa: F401
from biomod.engine.kept import cache

out, model, keep = Path(sys.argv[1]), sys.argv[2], sys.argv[3] == "True"
folder = str(out.with_suffix(""))
sys.argv = ["engine_circuit.py", model, "biomod_cpp", "1", "double", folder, *sys.argv[4:]]
sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks"))
import engine_circuit  # noqa: E402 - reads the arguments

BrianLogger.log_level_error()
prefs.devices.biomod_cpp.keep_descriptions = keep
set_device("biomod_cpp", build_on_run=False, directory=folder)
defaultclock.dt = (0.05 if model == "hh" else 0.1) * ms
objects, _ = engine_circuit.circuit()
Network(objects).run(1 * second)
device.build(directory=folder, compile=False, run=False)
sources = {
    str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
    for file in sorted(Path(folder).rglob("*"))
    if file.suffix in (".cpp", ".h")
}
np.savez(out, sources=str(sources), read=cache.read, written=cache.written)
