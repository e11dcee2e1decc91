"""More than a million synapses that cannot change during a run, input without chance. OUT DEVICE.

With the engine on one, two and three threads, with so many synapses that it divides them by
targets and puts arrays that it does not need on disk.
"""

import sys
from pathlib import Path

import numpy as np
from brian2 import *

out, name = Path(sys.argv[1]), sys.argv[2]
engine = name == "biomod_cpp"
if engine:
    import biomod.engine  # noqa: F401

    set_device(name, directory=str(out.with_suffix("")), build_on_run=False)
else:
    prefs.codegen.target = name

rng = np.random.default_rng(3)
N = 1100
cells = NeuronGroup(
    N,
    """dv/dt = (1.2 + 0.0003*i - v + g - h)/(5*ms) : 1
    dg/dt = -g/(3*ms) : 1
    dh/dt = -h/(7*ms) : 1
    x : 1
    told : 1
    count : 1""",
    threshold="v > 1",
    reset="v = 0",
    method="euler",
    name="cells",
)
cells.v = "((7*i) % 100)*0.01"
cells.x = "0.001*(i % 11)"

all_to_all = Synapses(cells, cells, "w : 1", on_pre="g_post += w; h_post += 2*w", name="all_to_all")
all_to_all.connect(condition="i != j")
all_to_all.w = "1e-5*((7*i + 13*j) % 101)"
all_to_all.delay = "0.1*ms*(1 + (3*i + 5*j) % 12)"


def scattered(n, model, effect, delay, **keywords):
    made = Synapses(cells, cells, model, delay=delay, **effect, **keywords)
    made.connect(i=rng.integers(N, size=n), j=rng.integers(N, size=n))
    if model:
        made.w = "1e-3*((3*i + 17*j) % 103)"
    return made


# Sums in which the order matters; a variable of the source; targets that are the sources of spikes;
# targets that are also sources; a weight that is recorded; one that changes.
pulled = scattered(3000, "w : 1", {"on_pre": "g_post += w*(1 - g_post)"}, 0.7 * ms, name="pulled")
given = scattered(3000, "", {"on_pre": "h_post += x_pre"}, 1.1 * ms, name="given")
back = scattered(3000, "", {"on_post": "count_pre += 1 + 0.1*count_pre"}, None, name="back")
tell = scattered(3000, "", {"on_pre": "told_post += x_post + v_pre"}, 0.1 * ms, name="tell")
told = scattered(3000, "", {"on_pre": "h_post += 0.001*told_pre"}, 0.1 * ms, name="told")
seen = scattered(3000, "w : 1", {"on_pre": "g_post -= 0.1*w"}, 0.4 * ms, name="seen")
tired = scattered(3000, "w : 1", {"on_pre": "h_post += w; w *= 0.9"}, 0.3 * ms, name="tired")
spikes = SpikeMonitor(cells)
weights = StateMonitor(seen, "w", record=[3, 4], dt=5 * ms)
run(12 * ms)
all_to_all.w = "1e-5*((11*i + 5*j) % 97)"
all_to_all.delay = "0.1*ms*(1 + (2*i + 7*j) % 9)"
pulled.delay = 0.2 * ms
run(12 * ms)


def found():
    arrays = {"i": spikes.i[:], "t": np.round(spikes.t / defaultclock.dt), "seen": weights.w[:]}
    arrays |= {state: getattr(cells, state)[:] for state in ("v", "g", "h", "told", "count")}
    arrays |= {"pre": all_to_all.i[:], "post": all_to_all.j[:], "delay": all_to_all.delay[:]}
    return arrays | {"w": all_to_all.w[:], "pulled": pulled.w[:], "tired": tired.w[:]}


if engine:
    device.build(directory=str(out.with_suffix("")), run=False)
    arrays = {}
    for threads in (1, 2, 3):
        prefs.devices.biomod_cpp.threads = threads
        device.run()
        arrays |= {f"{key}_{threads}": value.copy() for key, value in found().items()}
else:
    arrays = found()
np.savez(out, **arrays)
