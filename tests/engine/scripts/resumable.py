"""A small network that runs for a while. FOLDER OUT MS MS: two runs; then writes OUT.npz.

Checkpoints every 20 ms; BIOMOD_RESUME=1 takes up the newest.
"""

import sys

import numpy as np
from brian2 import *

import biomod.engine  # noqa: F401

folder, out, *durations = sys.argv[1:]
set_device("biomod_cpp", directory=folder, build_on_run=False)
prefs.devices.biomod_cpp.checkpoint_every = 20 * ms
seed(11)
cells = NeuronGroup(
    100,
    "dv/dt = (1.2 - v + s)/(10*ms) : 1\nds/dt = -s/(5*ms) : 1",
    threshold="v > 1",
    reset="v = 0.1*rand()",
    method="exact",
    name="cells",
)
cells.v = "rand()"
noise = PoissonInput(cells, "s", N=50, rate=20 * Hz, weight=0.1)
synapses = Synapses(
    cells, cells, "x : 1\nlast : second", name="synapses",
    on_pre="""x = 1 - (1 - x)*exp(-(t - last)/(200*ms))
    s_post -= 0.1*x
    x *= 0.6
    last = t""",
)  # fmt: skip
synapses.connect(p=0.1)
synapses.x = 1
synapses.delay = "1*ms + 5*ms*rand()"
spikes = SpikeMonitor(cells, name="spikes")
trace = StateMonitor(cells, ["v", "s"], record=True, name="trace")
for duration in durations:
    run(float(duration) * ms)
device.build(directory=folder)
np.savez(out, i=spikes.i[:], t=spikes.t[:], v=trace.v[:], s=trace.s[:], x=synapses.x[:])
