"""Synapses by every kind of rule, on one to three threads. OUT SEED."""

import sys
from pathlib import Path

import numpy as np
from brian2 import *

import biomod.engine  # noqa: F401

out, number = Path(sys.argv[1]), int(sys.argv[2])
folder = str(out.with_suffix(""))
set_device("biomod_cpp", directory=folder, build_on_run=False)
seed(number)
cells = NeuronGroup(1000, "x : 1", name="cells")
cells.x = "i/1000.0"
few = cells[200:250]
rules = {
    "rare": {"condition": "i != j", "p": 0.02},
    "frequent": {"p": 0.6},
    "profile": {"condition": "i != j", "p": "exp(-((x_pre - x_post)/0.1)**2)"},
    "box": {"condition": "abs(x_pre - x_post) < 0.0505"},
    "neighbours": {"j": "k for k in range(i - 3, i + 4) if k != i", "skip_if_invalid": True},
    "fixed_few": {"j": "k for k in sample(N_post, size=20)"},
    "fixed_many": {"j": "k for k in sample(N_post, size=400)"},
    "backwards": {"j": "k for k in sample(N_post - 1, 0, -3, p=0.1)"},
    "noisy": {"j": "clip(int(i + 5*randn()), 0, N_post - 1)"},
    "by_target": {"i": "k for k in sample(N_pre, size=10)"},
    "twice": {"condition": "i != j", "p": 0.01, "n": 2},
}  # fmt: skip
objects = {}
for name, rule in rules.items():
    objects[name] = Synapses(cells, cells, name=name)
    objects[name].connect(**rule)
objects["rare"].connect(condition="i != j", p=0.02)
objects["groups"] = Synapses(few, cells, multisynaptic_index="number", name="groups")
objects["groups"].connect(p=0.3, n=2)
run(0.1 * ms)
device.build(directory=folder, run=False)
arrays = {}
for threads in (1, 2, 3):
    prefs.devices.biomod_cpp.threads = threads
    device.run()
    for name, made in objects.items():
        arrays[f"{name}_i_{threads}"] = made.i[:]
        arrays[f"{name}_j_{threads}"] = made.j[:]
        arrays[f"{name}_outgoing_{threads}"] = made.N_outgoing_pre[:]
        arrays[f"{name}_incoming_{threads}"] = made.N_incoming_post[:]
    arrays[f"groups_number_{threads}"] = objects["groups"].number[:]
np.savez(out, **arrays)
