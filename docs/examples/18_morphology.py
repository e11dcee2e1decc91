"""From a morphology to a few compartments.

A morphology in SWC (here a synthetic one that comes with biomod) with a membrane is a detailed
cell, which NEURON runs. `reduce_tree` makes a cell of the soma and three sites of it, with the same
steady input and transfer resistances and the same slowest time constant. The report, and the dashed
lines, say what is lost: fast signals are smaller, as the membrane in between is lumped.
"""
# writes: morphology.png, report.txt

import os
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import analysis
import biomod as bm
from biomod.backends import available
from biomod.morphology import DetailedCell, Membrane, read_swc, reduce_tree
from biomod.morphology.synthetic import example_swc

OUT = Path(os.environ.get("BIOMOD_EXAMPLE_OUT", "."))
shape = read_swc(example_swc())
tip = shape.tips("apical")[0]
sites = {"trunk": shape.towards(tip, "200 um"), "tuft": shape.towards(tip, "600 um"),
         "basal": shape.towards(shape.tips("basal")[0], "100 um")}  # fmt: skip
spiny = Membrane("50 uS/cm2", "-70 mV", r_axial="100 ohm cm", area_factor=1.8)
detailed = DetailedCell("pyramidal", shape, {"soma": spiny.with_(area_factor=1.0), "*": spiny})
reduced = reduce_tree(detailed, sites)
report = reduced.report
(OUT / "report.txt").write_text(f"{report}\n")
cells = {"reduced, Brian2": (reduced.cell, "tuft", "numpy")}
if available()["neuron"].available:
    grid = detailed.grid(0.2)
    there = grid.names[grid.index(sites["tuft"])]
    cells["detailed, NEURON"] = (detailed.cell(0.2), there, "neuron")

with analysis.style.context():
    figure = Figure(figsize=(7.2, 2.8), layout="constrained")
    drawing, impedance, voltage = figure.subplots(1, 3)
    for s in shape.sections:
        drawing.plot(*s.points[:, :2].T, color="black", linewidth=s.radii.mean())
    drawing.plot(0, 0, "o", color="C0")
    for k, at in enumerate(sites.values(), 1):
        drawing.plot(*shape.position(at)[:2], "o", color=f"C{k}")
    drawing.set(aspect="equal", xlabel="µm", ylabel="µm")
    for k, name in enumerate(report.sites[:4]):
        for z, style in ((report.detailed, "-"), (report.reduced, "--")):
            impedance.loglog(report.frequencies[1:], np.abs(z[1:, k, k]) * 1e-6, style,
                             color=f"C{k}", label=name if style == "-" else None)  # fmt: skip
    impedance.set(xlabel="frequency (Hz)", ylabel="input impedance (MΩ)")
    impedance.legend(fontsize=6)
    for k, (label, (cell, tuft, backend)) in enumerate(cells.items()):
        pulse = bm.step("50 pA", "20 ms", "120 ms", compartment=tuft)
        result = bm.simulate(cell, "200 ms", stimulus=pulse, record=["soma.v"], dt="0.1 ms",
                             backend=backend)  # fmt: skip
        voltage.plot(result.trace("soma.v")[0], color=f"C{k}", label=label)
    voltage.set(xlabel="time (ms)", ylabel="soma (mV), 50 pA in the tuft")
    voltage.legend(fontsize=6)
    figure.savefig(OUT / "morphology.png")
