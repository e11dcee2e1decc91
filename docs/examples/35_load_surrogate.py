"""A surrogate that is fitted once, kept in a file and used again.

A point neuron is fitted to recordings and written to a file. Another program reads the file,
simulates the neuron with a current of its own and exports it, without a fit or the recordings.
"""
# writes: surrogate.json, loaded.png, nest.json

import os
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import biomod as bm
from biomod.reduction import load_surrogate, point_model, recordings, simulate, sweep

OUT = Path(os.environ.get("BIOMOD_EXAMPLE_OUT", "."))
DT = 0.1  # ms

# Recordings: here of a neuron that is known, elsewhere arrays of yours.
recorded = {
    "C": 100.0, "g": 6.0, "E_L": -70.0, "t_ref": 3.0, "theta": -50.0, "v_reset": -62.0,
}  # fmt: skip


def recording(seed):
    slow = np.repeat(np.random.default_rng(seed).normal(130.0, 90.0, 400), 100)  # 10 ms each
    found = simulate(point_model("glif1"), recorded, slow, DT, voltage=True)
    return sweep((slow, "pA"), (found.voltage[0], "mV"), f"{DT} ms", spikes=(found.spikes[0], "ms"))


data = recordings([recording(1), recording(2)], [recording(3)])
found = bm.reduce(data, model="glif1", generations=10)
found.save(OUT / "surrogate.json")

# Another day, in another program.
surrogate = load_surrogate(OUT / "surrogate.json")
current = np.where(np.arange(6000) * DT > 50, 180.0, 0.0)  # pA
response = surrogate.respond(current)
print(surrogate.model.name, {k: round(v, 2) for k, v in surrogate.parameters.items()})
print(f"{response.counts[0]} spikes in 0.6 s at 180 pA")
print(surrogate.export(OUT / "nest.json", "nest"))

figure, panel = plt.subplots(figsize=(7, 2.5), layout="constrained")
panel.plot(np.arange(1, 6001) * DT, response.voltage[0], color="tab:red", lw=1.0)
panel.vlines(response.spikes[0], -45, -35, color="0.2")
panel.set(xlabel="time (ms)", ylabel="mV", title="loaded surrogate, 180 pA")
figure.savefig(OUT / "loaded.png", dpi=120)
