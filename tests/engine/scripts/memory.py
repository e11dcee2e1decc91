"""Eight projections of static synapses. FOLDER CELLS: prints their number and the peak in bytes."""

import subprocess
import sys

from brian2 import *

import biomod.engine  # noqa: F401

folder, count = sys.argv[1], int(sys.argv[2])
set_device("biomod_cpp", directory=folder, build_on_run=False)
cells = NeuronGroup(
    count, "dv/dt = (1.2 - v + g)/(10*ms) : 1\ndg/dt = -g/(5*ms) : 1",
    threshold="v > 1", reset="v = 0", method="euler", name="cells",
)  # fmt: skip
cells.v = "0.01*(i % 100)"
projections = [
    Synapses(cells, cells, "w : 1", on_pre="g_post += w", name=f"projection_{k}") for k in range(8)
]
for made in projections:
    made.connect(condition="(i + j) % 3 == 0")
    made.w = "1e-6*((i + 2*j) % 7)"
    made.delay = "0.1*ms*(1 + (2*i + j) % 9)"
Network(cells, projections).run(5 * ms)
device.build(directory=folder)
# Once more from a process that is small itself, since a child's peak begins with its parent's.
started = "import os; p = os.spawnl(os.P_NOWAIT, './main', './main')"
command = [sys.executable, "-I", "-S", "-c", f"{started}; print(os.wait4(p, 0)[2].ru_maxrss)"]
peak = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout
print(sum(len(made) for made in projections), int(peak) * 1024)
