"""A point neuron that stands for a cell, and how far it can be trusted.

A fast-spiking cell is driven with noise, steps, ramps and short squares; generalised leaky
integrate-and-fire neurons of growing detail are fitted to one half and judged by the other.
"""
# writes: surrogate.png, surrogate.html

import os
from pathlib import Path

import biomod as bm
import cell_types
from biomod.reduction import Protocol
from biomod.reduction.report import traces_figure

OUT = Path(os.environ.get("BIOMOD_EXAMPLE_OUT", "."))

# A short protocol and search; leave both out for the best that the method gives.
short = Protocol(noise_s=2.0, sweeps=1)
found = bm.reduce(cell_types.get("PV_basket"), model="glif3", protocol=short, generations=30)
print(found)
print(found.summary()[["loss", "explained_variance", "coincidence_4ms"]].round(3))

traces_figure(found).savefig(OUT / "surrogate.png")
found.report(OUT / "surrogate.html")
