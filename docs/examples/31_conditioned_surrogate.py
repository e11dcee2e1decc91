"""A surrogate that follows a neuromodulator.

Noradrenaline closes leak channels of a Martinotti cell. A generalised integrate-and-fire neuron is
fitted without it and at two concentrations; its parameters then follow the activation of the
receptor, also at concentrations that the fit has not seen. It is a cell like any other: the same
modulators act on it in a simulation.
"""
# writes: conditioned.csv
# slow

import os
from pathlib import Path

import biomod as bm
import cell_types
from biomod.reduction import Protocol
from biomod.units import pA, second, umolar

OUT = Path(os.environ.get("BIOMOD_EXAMPLE_OUT", "."))

# A short protocol and search; leave both out for the best that the method gives.
short = Protocol(noise_s=2.0, sweeps=1, steps=(-0.5, 1.5), ramps=())
found = bm.reduce(
    cell_types.get("SST_Martinotti"), model="glif3", modulators={"NA": ["0.5 uM", "5 uM"]},
    protocol=short, generations=25,
)  # fmt: skip
print(found)
table = found.compare(bm.NA(2 * umolar)).round(3)
print(table.T)
table.to_csv(OUT / "conditioned.csv")

step = bm.step(100 * pA, start=0.1 * second, stop=0.9 * second)
for dose in (0, 5):
    result = bm.simulate(found.cell, 1 * second, stimulus=step, modulators=[bm.NA(dose * umolar)])
    print(f"{dose} uM: {len(result.spikes)} spikes")
