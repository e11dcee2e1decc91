"""A detailed cell on two simulators.

A morphology with channels is one cell for both: its segments, their areas and the resistances
between them are computed once, and Brian2 and NEURON solve the same equations by the same scheme.
They differ by rounding only, also where a spike travels back into the dendrite. Here the
synthetic pyramidal cell that comes with biomod, with a synapse in its tuft.
"""
# writes: detailed_two_simulators.png

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import analysis
import biomod as bm
from biomod.backends import available
from biomod.mechanisms import channels as ch
from biomod.model import SynapticEvents, SynapticReceptor
from biomod.morphology import DetailedCell, Membrane, read_swc
from biomod.morphology.synthetic import example_swc

OUT = Path(os.environ.get("BIOMOD_EXAMPLE_OUT", "."))
shape = read_swc(example_swc())
ampa = SynapticReceptor("AMPA", "AMPA", "0 mV", tau_decay="2 ms", tau_rise="0.2 ms")
spiny = Membrane("50 uS/cm2", "-70 mV", r_axial="100 ohm cm", area_factor=1.8, receptors=(ampa,))
fast = (ch.NaTa("20000 uS/cm2"), ch.Kv3("10000 uS/cm2"))
membranes = {
    "soma": replace(spiny, channels=(ch.NaTa("800000 uS/cm2"), ch.Kv3("200000 uS/cm2")),
                    area_factor=1.0),
    "apical": replace(spiny, channels=(*fast, ch.Ih("300 uS/cm2"))),
    "*": spiny,
}  # fmt: skip
detailed = DetailedCell("pyramidal", shape, membranes)
grid, cell = detailed.grid(0.3), detailed.cell(0.3)
tip = shape.tips("apical")[0]
trunk, tuft = (grid.names[grid.index(shape.towards(tip, place))] for place in ("150 um", "500 um"))
drive = [
    bm.step("1200 pA", "2 ms", "7 ms"),
    SynapticEvents(compartment=tuft, receptor="AMPA", times=("12 ms",), weight="4 nS"),
]
how = {"stimulus": drive, "record": ["soma.v", f"{trunk}.v", f"{tuft}.v"], "dt": "0.025 ms"}
runs = {"Brian2": bm.simulate(cell, "20 ms", backend="numpy", **how)}
if available()["neuron"].available:
    runs["NEURON"] = bm.simulate(cell, "20 ms", backend="neuron", **how)

with analysis.style.context():
    figure = Figure(figsize=(6.4, 4.2), layout="constrained")
    top, bottom = figure.subplots(2, 1, sharex=True)
    sites = {"soma": "soma.v", "trunk, 150 µm": f"{trunk}.v", "tuft, 500 µm": f"{tuft}.v"}
    for k, (site, label) in enumerate(sites.items()):
        for (name, run), style in zip(runs.items(), ("-", "--"), strict=False):
            v = run.trace(label)[0]
            top.plot(v.index, v, f"C{k}{style}", label=f"{site}, {name}")
        if len(runs) == 2:
            difference = np.abs(runs["Brian2"].trace(label)[0] - runs["NEURON"].trace(label)[0])
            bottom.semilogy(difference.index, np.maximum(difference, 1e-14), f"C{k}")
    top.set(ylabel="mV", title=f"{len(grid)} compartments")
    top.legend(fontsize=6)
    bottom.set(xlabel="time (ms)", ylabel="difference (mV)")
    figure.savefig(OUT / "detailed_two_simulators.png")
