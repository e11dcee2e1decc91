"""Weights that the arguments of a program set, 640,000 of them. OUT FOLDER."""

import sys

import numpy as np
from brian2 import *

import biomod.engine  # noqa: F401

out, folder = sys.argv[1:]
set_device("biomod_cpp", directory=folder, build_on_run=False)
cells = NeuronGroup(
    800, "dv/dt = (1.5 - v)/(5*ms) : 1\ng : 1", threshold="v > 1", reset="v = 0", method="euler",
    name="cells",
)  # fmt: skip
cells.v = "0.001*i"
synapses = Synapses(cells, cells, "w : 1", on_pre="g_post += w", name="synapses")
synapses.connect()
synapses.w = 1
synapses.delay = "0.1*ms*(1 + (i + j) % 7)"
run(6 * ms)
device.build(directory=folder, run=False)
found = {}
changed = {"built": {}, "one": {synapses.w: 2.0}, "each": {synapses.w: np.arange(640000.0) // 800}}
for name, arguments in changed.items():
    device.run(run_args=arguments)
    found |= {f"g_{name}": cells.g[:].copy(), f"w_{name}": synapses.w[:].copy()}
np.savez(out, **found)
