"""A circuit of surrogates beside the detailed one, without a neuromodulator and under one.

Basket cells that inhibit each other and are driven at their dendrites. Every cell becomes a point
neuron whose parameters follow noradrenaline, every synapse a conductance that makes the point take
the course of the detailed soma. Cell i differs from the mean as that of the detailed circuit does.
"""
# writes: circuit_surrogate.csv
# slow

import os
from pathlib import Path

import biomod as bm
import cell_types
from biomod.model import Background, Circuit, Population, Projection
from biomod.reduction import Protocol

OUT = Path(os.environ.get("BIOMOD_EXAMPLE_OUT", "."))

drive = Background("drive", "proximal", rate="3000 Hz", weight="1.5 nS")
circuit = Circuit(
    "baskets",
    (Population("PV", cell_types.get("PV_basket"), 40, backgrounds=(drive,)),),
    (Projection("PV", "PV", 0.3, "1 nS", (("soma", 1.0),), (("GABA", 1.0),)),),
)

# A short protocol and search; leave both out for the best that the method gives.
short = Protocol(noise_s=2.0, sweeps=1, steps=(-0.5, 1.5), ramps=())
found = bm.reduce(
    circuit, model="glif3", modulators={"NA": ["5 uM"]}, protocol=short, generations=15
)
print(found)
table = found.compare([bm.NA("5 uM")], duration="500 ms").round(3)
print(table.T)
table.to_csv(OUT / "circuit_surrogate.csv")
