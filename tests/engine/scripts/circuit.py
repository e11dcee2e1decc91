"""The reference circuit of benchmarks/engine_circuit.py with nothing left to chance.

usage: circuit.py OUT MODEL TARGET PRECISION DURATION_MS SCALE

TARGET is numpy, cpp_standalone or biomod_cpp. Connections, weights, delays and the arrival of
background spikes are drawn by numpy from seeds, so all targets get the same. SCALE divides the
number of cells, and multiplies the probability of a connection.
"""

import os
import sys
from pathlib import Path

import numpy as np
from brian2 import *

out, model, target, precision, duration, scale = sys.argv[1:7]
sys.argv = ["engine_circuit.py", model, target, "1", precision, out]
sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks"))
import engine_circuit as circuit  # noqa: E402 - reads the arguments

DT = 0.05 if model == "hh" else 0.1  # ms
for name in circuit.SIZES:
    circuit.SIZES[name] //= int(scale)
probability = min(1.0, circuit.P * int(scale))
rng = np.random.default_rng(11)
made = []


def connect(pre, post, states, share, w, delay=None):
    """As in the circuit, drawn here."""
    name = f"{pre.name}_{post.name}_{states.split()[0]}"
    opening = "; ".join(f"{state} += w" for state in states.split())
    synapses = Synapses(pre, post, "w : 1", on_pre=opening, delay=delay, name=name)
    i, j = np.nonzero(rng.random((pre.N, post.N)) < share * probability)
    synapses.connect(i=i, j=j)
    synapses.w = w * np.exp(0.3 * rng.standard_normal(i.size))
    if delay is None:
        synapses.delay = (0.5 + 2 * rng.random(i.size)) * ms
    return synapses


def background(group, state, n, rate, weight):
    """Spikes at the rate of a PoissonInput, at most one in a step."""
    steps = int(float(duration) / DT)
    step, cell = np.nonzero(rng.random((steps, group.N)) < float(n * rate) * DT * 1e-3)
    name = f"{group.name}_{state}"
    source = SpikeGeneratorGroup(group.N, cell, step * DT * ms, sorted=True, name=f"source_{name}")
    made.append(source)
    synapses = Synapses(source, group, on_pre=f"{state} += {weight}", name=f"input_{name}")
    synapses.connect(i=np.arange(group.N), j=np.arange(group.N))
    return synapses


circuit.connect, circuit.PoissonInput = connect, background
BrianLogger.log_level_error()
if target == "numpy":
    prefs.codegen.target = "numpy"
else:
    if target == "biomod_cpp":
        import biomod.engine  # noqa: F401
    set_device(target, directory=os.path.splitext(out)[0])
if precision == "single":
    prefs.core.default_float_dtype = float32
defaultclock.dt = DT * ms
objects, spikes = circuit.circuit()
Network([*objects, *made]).run(float(duration) * ms)
arrays = {}
for name, monitor in spikes.items():
    order = np.lexsort((np.array(monitor.i), np.array(monitor.t)))
    arrays[f"{name}_i"] = np.array(monitor.i)[order]
    arrays[f"{name}_step"] = np.round(np.array(monitor.t / ms) / DT).astype(int)[order]
arrays["v"] = np.array(objects[-1].V_soma)
np.savez(out, **arrays)
