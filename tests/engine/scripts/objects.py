"""Objects whose cells may not simply be divided among threads, input without chance. OUT DEVICE."""

import sys
from pathlib import Path

import numpy as np
from brian2 import *

out, name = Path(sys.argv[1]), sys.argv[2]
if name == "biomod_cpp":
    import biomod.engine  # noqa: F401

    set_device(name, directory=str(out.with_suffix("")), build_on_run=False)
    prefs.devices.biomod_cpp.threads = 3
else:
    prefs.codegen.target = name

source = SpikeGeneratorGroup(40, np.arange(400) % 40, np.arange(400) * 0.1 * ms + 0.1 * ms)
A = NeuronGroup(
    1500,
    """dv/dt = (drive*(1 + 0.0004*i) - v + total)/(10*ms) : 1
    drive : 1 (shared)
    total : 1
    myspace : 1""",
    threshold="v > 1 + myspace",
    reset="v = 0; myspace += 0.01",
    refractory=0.5 * ms,
    method="euler",
    name="A",
)
A.drive = 1.1
# Reads cells of another group in another order, in the same step in which they change.
B = NeuronGroup(
    1500,
    """dx/dt = (v_A - x)/(2*ms) : 1
    v_A : 1 (linked)
    peak : 1""",
    threshold="x > 0.5",
    reset="x = 0",
    method="euler",
    name="B",
)
B.v_A = linked_var(A, "v", index=np.arange(1500)[::-1])
# On the clock of the step, after the update; a shared variable that every cell reads.
A.run_regularly("drive = 1.1 + 0.1*sin(t/(3*ms))", dt=defaultclock.dt, when="start")
B.run_regularly("peak = clip(x, peak, inf)", dt=defaultclock.dt, when="end")
inputs = Synapses(source, A, on_pre="v_post += 0.05", name="inputs")
inputs.connect(j="(i*15 + k) % 1500 for k in range(30)")
inputs.delay = "0.1*ms*(j % 5)"
mean = Synapses(B, A, "total_post = 0.01*x_pre : 1 (summed)", name="mean")
mean.connect(condition="i // 10 == j // 10")
spikes_A, spikes_B = SpikeMonitor(A, variables=["myspace"]), SpikeMonitor(B)
population = PopulationRateMonitor(A)
traces = StateMonitor(B, ["x", "v_A"], record=[0, 700, 1499])
first = Network(source, A, B, inputs, mean, spikes_A, spikes_B, population, traces)
first.run(25 * ms)
first.run(15 * ms)
if name == "biomod_cpp":
    device.build(directory=str(out.with_suffix("")))
np.savez(
    out, a_i=spikes_A.i[:], a_t=np.round(spikes_A.t / defaultclock.dt), b_i=spikes_B.i[:],
    b_t=np.round(spikes_B.t / defaultclock.dt), myspace=spikes_A.myspace[:], x=traces.x[:],
    v=traces.v_A[:], rate=np.asarray(population.rate[:]), peak=B.peak[:],
)  # fmt: skip
