"""Synapses of every kind that have a pathway of spikes, input without chance. OUT DEVICE."""

import sys
from pathlib import Path

import numpy as np
from brian2 import *

out, name = Path(sys.argv[1]), sys.argv[2]
if name == "biomod_cpp":
    import biomod.engine  # noqa: F401

    set_device(name, directory=str(out.with_suffix("")), build_on_run=False)
else:
    prefs.codegen.target = name

rng = np.random.default_rng(3)
cells = NeuronGroup(
    60,
    """dv/dt = (1.2 + 0.01*i - v + g)/(10*ms) : 1
    dg/dt = -g/(3*ms) : 1
    x : 1""",
    threshold="v > 1",
    reset="v = 0",
    events={"half": "v > 0.5 and v < 0.52"},
    method="euler",
    name="cells",
)
cells.v = "0.01*i"
cells.run_on_event("half", "x += 1")
first, last = cells[:25], cells[30:]


def connected(made, pre, post, delay=None):
    made.connect(i=pre, j=post)
    if delay is not None:
        made.delay = delay
    return made


# Delays of each synapse, sources out of order, several synapses for a pair of cells.
scattered = Synapses(cells, cells, "w : 1", on_pre="g_post += w; v_post *= 0.999", name="scattered",
                     multisynaptic_index="k")  # fmt: skip
scattered.connect(i=rng.integers(60, size=800), j=rng.integers(60, size=800))
scattered.connect(i=[3, 4], j=[5, 6], n=3)
scattered.w = "0.001*i - 0.002*j + 0.01*k"
run_delays = rng.uniform(0, 4, 806)
scattered.delay = run_delays * ms
# Between parts of a group, with one delay.
part = Synapses(first, last, on_pre="g_post -= 0.02", delay=1.5 * ms, name="part")
part.connect(j="k for k in range(30) if (i + k) % 3 == 0")
# Rows of more synapses than there are delays, some of which no synapse has.
full = Synapses(cells, cells, on_pre="g_post -= 0.0005 * (1 + 0.1*v_post)", name="full")
full.connect(condition="i != j")
full.delay = "0.3*ms + 0.1*ms*(int((3*i + 7*j) % 12 > 4) * ((3*i + 7*j) % 12))"
# Plasticity: both pathways, the second with a delay of its own.
plastic = Synapses(
    cells,
    last,
    """w : 1
    dapre/dt = -apre/(20*ms) : 1 (event-driven)
    dapost/dt = -apost/(20*ms) : 1 (event-driven)""",
    on_pre="g_post += w; apre += 0.01; w = clip(w + apost, 0, 0.1)",
    on_post="apost -= 0.012; w = clip(w + apre, 0, 0.1)",
    name="plastic",
)
plastic.connect(condition="(i + 2*j) % 5 == 0")
plastic.w = 0.02
plastic.pre.delay = "0.1*ms*(i % 7)"
plastic.post.delay = 0.7 * ms
# Depression, and an event that is not a spike; without a delay.
tired = Synapses(
    cells, first, "du/dt = (1 - u)/(50*ms) : 1 (event-driven)",
    on_pre={"pre": "g_post += 0.05*u; u *= 0.6"}, on_event={"pre": "half"}, name="tired",
)  # fmt: skip
tired.connect(j="k for k in range(25) if k % 4 == i % 4")
tired.u = 1
spikes = SpikeMonitor(cells)
halves = EventMonitor(cells, "half")
run(40 * ms)
# Spikes on their way keep the delay that they had when they left.
scattered.delay = run_delays[::-1] * ms
part.delay = 0.3 * ms
full.delay = "0.2*ms + 0.1*ms*((i + 5*j) % 9)"
run(40 * ms)
if name == "biomod_cpp":
    device.build(directory=str(out.with_suffix("")))
np.savez(
    out, i=spikes.i[:], t=np.round(spikes.t / defaultclock.dt), half_i=halves.i[:], v=cells.v[:],
    half_t=np.round(halves.t / defaultclock.dt), g=cells.g[:], w=plastic.w[:], u=tired.u[:],
)  # fmt: skip
