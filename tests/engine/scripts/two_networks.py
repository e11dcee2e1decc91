"""The sources of a network that a function makes twice, with another weight. OUT."""

import sys
from pathlib import Path

import numpy as np
from brian2 import *

import biomod.engine  # noqa: F401

out = Path(sys.argv[1])


def sources(number, weight):
    folder = out.with_suffix("") / str(number)
    set_device("biomod_cpp", build_on_run=False)
    defaultclock.dt = 0.05 * ms
    cells = NeuronGroup(20, "dv/dt = -v/tau : 1", threshold="v > 1", reset="v = 0", method="exact")
    cells.namespace["tau"] = 10 * ms
    synapses = Synapses(cells, cells, on_pre="v_post += weight")
    synapses.connect(p=weight)
    background = PoissonInput(cells, "v", 100, 40 * Hz, weight)  # noqa: F841
    run(10 * ms)
    device.build(directory=str(folder), compile=False, run=False)
    device.reinit()
    files = sorted(file for file in folder.rglob("*") if file.suffix in (".cpp", ".h"))
    return "\n".join(f"{file.relative_to(folder)}\n{file.read_text()}" for file in files)


np.savez(out, first=sources(1, 0.1), second=sources(2, 0.25), third=sources(3, 0.5))
