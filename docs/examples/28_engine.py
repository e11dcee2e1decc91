"""A plain Brian2 script on biomod's engine.

A randomly connected network of excitatory and inhibitory cells that keeps itself firing (Vogels and
Abbott 2005, J Neurosci 25:10786, 10.1523/JNEUROSCI.3508-05.2005), written for Brian2. Only the two
lines that select the device are biomod's: state updates then use vector instructions, and a program
that was compiled before is not compiled again.
"""
# writes: engine.png

import os
from pathlib import Path

from brian2 import *

import biomod.engine

OUT = Path(os.environ.get("BIOMOD_EXAMPLE_OUT", ".")).resolve()
set_device("biomod_cpp", directory=str(OUT / "program"))
seed(1)

cells = NeuronGroup(
    2000,
    """dv/dt = (ge*(0*mV - v) + gi*(-80*mV - v) + gl*(-60*mV - v) + I)/C : volt (unless refractory)
    C = 200*pF : farad
    dge/dt = -ge/(5*ms) : siemens
    dgi/dt = -gi/(10*ms) : siemens
    gl = 10*nS : siemens
    I = 120*pA : amp""",
    threshold="v > -50*mV",
    reset="v = -60*mV",
    refractory=5 * ms,
    method="exponential_euler",
)
cells.v = "-60*mV + 10*mV*rand()"
excitation = Synapses(cells[:1600], cells, on_pre="ge_post += 6*nS")
inhibition = Synapses(cells[1600:], cells, on_pre="gi_post += 67*nS")
for synapses in (excitation, inhibition):
    synapses.connect(p=0.02)
spikes = SpikeMonitor(cells)
run(500 * ms)

print(f"{spikes.num_spikes / len(cells) / 0.5:.1f} spikes per cell and second")
figure, axes = subplots(figsize=(7, 3), layout="constrained")
axes.plot(spikes.t / ms, spikes.i, ",k")
axes.set(xlabel="time (ms)", ylabel="cell", title="Asynchronous activity")
figure.savefig(OUT / "engine.png")
