"""A network with the times of its objects. OUT."""

import json
import sys
import time
from pathlib import Path

from brian2 import *

import biomod.engine  # noqa: F401

out = Path(sys.argv[1])
set_device("biomod_cpp", directory=str(out.with_suffix("")), build_on_run=False)
seed(1)
cells = NeuronGroup(
    5000, "dv/dt = (1.5 - v)/(10*ms) + 0.1*xi*ms**-0.5 : 1", threshold="v > 1", reset="v = 0",
    method="euler", name="cells",
)  # fmt: skip
cells.v = "rand()"
S = Synapses(cells, cells, "w : 1", on_pre="v_post += w", name="synapses")
S.connect(p=0.002)
S.w = "0.001*rand()"
spikes = SpikeMonitor(cells, name="spikes")
network = Network(cells, S, spikes)
network.run(200 * ms, profile=True)
device.build(directory=str(out.with_suffix("")), run=False)
started = time.perf_counter()
device.run(with_output=False)
found = {name: float(seconds) for name, seconds in network.profiling_info}
rate = spikes.num_spikes / 5000 / 0.2
print(json.dumps({"wall": time.perf_counter() - started, "times": found, "rate": rate}))
