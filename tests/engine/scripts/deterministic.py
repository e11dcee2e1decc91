"""Cells of two kinds, synapses with many delays, input without chance. OUT DEVICE PRECISION MS."""

import sys
from pathlib import Path

import numpy as np
from brian2 import *

out, name, precision = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
if name == "biomod_cpp":
    import biomod.engine  # noqa: F401
if name == "numpy":
    prefs.codegen.target = "numpy"
else:
    set_device(name, directory=str(out.with_suffix("")))
prefs.core.default_float_dtype = {"double": np.float64, "single": np.float32}[precision]
defaultclock.dt = 0.05 * ms

drive = TimedArray(np.array([[0.8, 1.2], [1.4, 0.9]]), dt=20 * ms)
lif = NeuronGroup(
    300,
    """dv/dt = (EL - v + R*(I + g) - w)/tau : volt (unless refractory)
    dw/dt = (a*(v - EL) - w)/(80*ms) : volt
    dg/dt = -g/(4*ms) : amp
    I = 0.6*nA*level*ramp*drive(t, i % 2) + i*0.5*pA : amp
    ramp = 1 + t/second : 1
    level : 1 (shared)
    tau : second
    a : 1
    quiet : boolean""",
    threshold="v > -50*mV and not quiet",
    reset="v = -65*mV; w += 2*mV",
    refractory="1.5*ms + 0.1*ms*(i % 4)",
    method="exponential_euler",
    namespace={"EL": -70 * mV, "R": 40 * Mohm, "drive": drive},
    name="lif",
)
lif.level = 1  # for all cells, changed now and then; the ramp is for all cells and always another
lif.run_regularly("level = 1 - 0.5*(level - 0.9)", dt=7 * ms)
lif.v = "-70*mV + 0.05*mV*i"
lif.tau = "12*ms + 0.02*ms*i"
lif.a = 0.2
lif.quiet = "i > 280"
hh = NeuronGroup(
    60,
    """dv/dt = (gl*(El - v) + gNa*m**3*h*(ENa - v) + gK*n**4*(EK - v) + I + g)/C : volt
    dm/dt = am*(1 - m) - bm*m : 1
    dh/dt = 0.128*exp((17*mV - v + VT)/(18*mV))/ms*(1 - h) - bh*h : 1
    dn/dt = 0.032*5/exprel((15*mV - v + VT)/(5*mV))/ms*(1 - n)
            - 0.5*exp((10*mV - v + VT)/(40*mV))/ms*n : 1
    dg/dt = -g/(5*ms) : amp
    am = 0.32*4/exprel((13*mV - v + VT)/(4*mV))/ms : Hz
    bm = 0.28*5/exprel((v - VT - 40*mV)/(5*mV))/ms : Hz
    bh = 4/(1 + exp((40*mV - v + VT)/(5*mV)))/ms : Hz
    I : amp""",
    threshold="v > -10*mV",
    refractory="v > -10*mV",
    method="exponential_euler",
    namespace={
        "gl": 10 * nS, "El": -65 * mV, "gNa": 20 * uS, "ENa": 50 * mV, "gK": 6 * uS,
        "EK": -90 * mV, "VT": -63 * mV, "C": 200 * pF,
    },
    name="hh",
)  # fmt: skip
hh.v, hh.h, hh.I = -65 * mV, 1, "0.05*nA + i*5*pA"
down = Synapses(lif, hh, "weight : amp", on_pre="g_post += weight", name="down")
down.connect(j="i // 5")
down.weight, down.delay = "20*pA + 0.1*pA*i", "0.5*ms + 0.02*ms*i"
back = Synapses(hh, lif, on_pre="g_post += 30*pA", delay=1 * ms, name="back")
back.connect(j="i*5")
of_lif, of_hh = SpikeMonitor(lif), SpikeMonitor(hh)
traces = StateMonitor(hh, ["v", "m"], record=[0, 30], dt=1 * ms, name="traces")
run(float(sys.argv[4]) * ms)
arrays = {"v": traces.v[:], "m": traces.m[:]}
for kind, monitor in (("lif", of_lif), ("hh", of_hh)):
    arrays |= {f"{kind}_i": monitor.i[:], f"{kind}_step": np.round(monitor.t / defaultclock.dt)}
np.savez(out, **arrays)
