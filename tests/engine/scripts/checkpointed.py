"""All that keeps a state between steps. OUT FOLDER DURATIONS(ms, with commas) EVERY(ms or 0).

BIOMOD_RESUME=1 takes up the newest checkpoint.
"""

import sys
from pathlib import Path

import numpy as np
from brian2 import *

import biomod.engine  # noqa: F401

out, folder, every = Path(sys.argv[1]), sys.argv[2], float(sys.argv[4])
durations = [float(text) for text in sys.argv[3].split(",")]
set_device("biomod_cpp", directory=folder, build_on_run=False)
if every:
    prefs.devices.biomod_cpp.checkpoint_every = every * ms
seed(3)

drive = TimedArray(np.array([0.9, 1.1, 1.3]), dt=17 * ms)
cells = NeuronGroup(
    300,
    """dv/dt = (EL - v + R*(I + g))/tau + sigma*xi*tau**-0.5 : volt (unless refractory)
    I = 0.4*nA*drive(t) : amp
    dg/dt = -g/(4*ms) : amp
    noisy : 1
    tau : second""",
    threshold="v > -50*mV",
    reset="v = -65*mV + 2*mV*rand()",
    refractory=2 * ms,
    events={"high": "v > -52*mV"},
    method="euler",
    namespace={"EL": -70 * mV, "R": 40 * Mohm, "sigma": 2 * mV, "drive": drive},
    name="cells",
)
cells.v = "-70*mV + 10*mV*rand()"
cells.tau = "12*ms + 5*ms*rand()"
cells.run_regularly("noisy = 0.5*noisy + randn()", dt=1 * ms)
background = PoissonInput(cells, "g", N=100, rate=20 * Hz, weight=15 * pA)
plastic = Synapses(
    cells, cells,
    """w : amp
    du/dt = -u/(50*ms) : 1 (event-driven)
    dx/dt = (1 - x)/(100*ms) : 1 (event-driven)""",
    on_pre="u += 0.2*(1 - u); released = u*x; x -= released; g_post += w*released",
    name="plastic",
)  # fmt: skip
plastic.connect(p=0.05)
plastic.w, plastic.delay, plastic.x = "40*pA*rand()", "0.2*ms + 6*ms*rand()", 1
stdp = Synapses(
    cells, cells,
    """w : amp
    da/dt = -a/(20*ms) : 1 (event-driven)
    db/dt = -b/(20*ms) : 1 (event-driven)""",
    on_pre="g_post += w; a += 1; w = clip(w - 0.1*pA*b, 0*pA, 20*pA)",
    on_post="b += 1; w = clip(w + 0.1*pA*a, 0*pA, 20*pA)",
    name="stdp",
)  # fmt: skip
stdp.connect(j="(i + 7*k) % 300 for k in range(5)")
stdp.w, stdp.pre.delay = 5 * pA, 1.5 * ms
sources = PoissonGroup(40, 30 * Hz, name="sources")
trains = SpikeGeneratorGroup(
    10, np.arange(200) % 10, np.arange(200) * 0.9 * ms, period=190 * ms, name="trains"
)
for number, group in enumerate((sources, trains)):
    fed = Synapses(group, cells, on_pre="g_post += 50*pA", delay=2 * ms, name=f"fed{number}")
    fed.connect(p=0.2)
    globals()[f"fed{number}"] = fed
watch = {
    "spikes": SpikeMonitor(cells, variables=["g"], name="spikes"),
    "some": SpikeMonitor(cells[20:90], name="some"),
    "sources": SpikeMonitor(sources, name="of_sources"),
    "high": EventMonitor(cells, "high", name="high"),
    "rate": PopulationRateMonitor(cells, name="rate"),
    "fine": StateMonitor(cells, ["v", "g"], record=range(0, 300, 3), name="fine"),
    "coarse": StateMonitor(cells, "noisy", record=[5, 2], dt=0.7 * ms, name="coarse"),
    "weights": StateMonitor(stdp, "w", record=range(50), dt=5 * ms, name="weights"),
}
network = Network(collect(), watch.values())
for duration in durations:
    network.run(duration * ms)
device.build(directory=folder)
arrays = {"weights_end": stdp.w[:], "x_end": plastic.x[:], "v_end": cells.v[:]}
for name, monitor in watch.items():
    arrays[f"{name}_t"] = monitor.t[:]
    arrays[f"{name}_n"] = np.asarray(monitor.N)
    for variable in getattr(monitor, "record_variables", ["rate"]):
        arrays[f"{name}_{variable}"] = np.asarray(getattr(monitor, f"{variable}_")[:])
np.savez(out, **arrays)
