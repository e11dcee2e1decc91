"""A script as users write them, with any of its numbers changed. OUT [NAME=VALUE ...]."""

import sys
from pathlib import Path

import numpy as np
from brian2 import *

import biomod.engine  # noqa: F401

out = Path(sys.argv[1])
value = {
    "seed": 1, "duration": 20, "dt": 0.1, "cells": 60, "inhibitory": 20, "tau": 10,
    "refractory": 2.0, "weight": 0.3, "p": 0.2, "delay": 1.5, "rate": 30, "inputs": 40,
    "input_weight": 0.2, "start": 4.5, "listed": 30, "drive": 1.1, "record_dt": 1,
    "jitter": 0.5, "extra": 15, "width": 8.5,
}  # fmt: skip
for argument in sys.argv[2:]:
    name, number = argument.split("=")
    value[name] = type(value[name])(float(number))

set_device("biomod_cpp", directory=str(out.with_suffix("")))
seed(value["seed"])
defaultclock.dt = value["dt"] * ms
tau, v_reset, gain = value["tau"] * ms, -0.1, 2
drive = TimedArray(value["drive"] * np.linspace(0.5, 1.5, value["listed"]), dt=1 * ms)
columns = TimedArray(0.1 * np.random.default_rng(1).normal(size=(9, value["cells"])), dt=2 * ms)
cells = NeuronGroup(
    value["cells"],
    """dv/dt = (gain*drive(t) - v + I + columns(t, i) + b)/tau : 1 (unless refractory)
    dI/dt = -I/(5*ms) : 1
    b : 1
    where : 1""",
    threshold="v > 1",
    reset="v = v_reset",
    refractory=value["refractory"] * ms,
    method="euler",
    name="cells",
)
cells.v = f"{value['jitter']}*rand()"
cells.I = 0.01 * value["start"]
cells.b = np.linspace(0, 0.1, value["cells"])
cells.where = "i + 0.5"
cells.v[3] = 0.01 * value["start"]
inhibitory = cells[: value["inhibitory"]]
random = Synapses(cells, cells, "w : 1", on_pre="I_post += w", delay=value["delay"] * ms)
random.connect(condition="i != j", p=value["p"])
random.w = value["weight"] / 10
near = Synapses(inhibitory, cells, "w : 1", on_pre="I_post -= w")
near.connect(condition=f"abs(where_pre - where_post) < {value['width']}")
near.w = f"{value['weight'] / 10}*(1 + 0.1*rand())"
near.delay = f"{value['delay']}*ms + 0.1*ms*(i % 3)"
listed = Synapses(cells, cells, on_pre="b_post += 0.001")
pre = np.arange(value["listed"]) % value["cells"]
listed.connect(i=pre, j=pre[::-1])
rate = value["rate"] * Hz
sources = PoissonGroup(value["extra"], rates=rate)
feed = Synapses(sources, cells, on_pre=f"v_post += {value['input_weight'] / 2}")
feed.connect(j=f"k for k in sample(N_post, p={value['p']})")
background = PoissonInput(cells, "I", value["inputs"], rate, value["input_weight"])
times = np.linspace(1, 9, value["extra"]).round(1) * ms
given = SpikeGeneratorGroup(10, np.arange(value["extra"]) % 10, times)
pulses = Synapses(given, cells, on_pre="v_post += 0.2")
pulses.connect(j="i")
spikes = SpikeMonitor(cells)
trace = StateMonitor(cells, "v", record=[0, 3, value["inhibitory"]], dt=value["record_dt"] * ms)
rates = PopulationRateMonitor(inhibitory)
# One clock more than the two above.
cells.run_regularly(f"b *= {1 - 0.01 * value['start']}", dt=2 * ms)
run(value["duration"] * ms)
np.savez(
    out, i=spikes.i[:], t=spikes.t[:], v=trace.v[:], rate=rates.rate[:], w=near.w[:],
    random_i=random.i[:], random_j=random.j[:], near_i=near.i[:], near_delay=near.delay[:],
)  # fmt: skip
