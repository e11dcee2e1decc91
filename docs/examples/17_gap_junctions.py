"""Gap junctions: spikelets, and a coupling coefficient that follows from linear theory.

Two PV basket cells are joined at their somata. A small current into one polarises the other by the
coupling coefficient; a larger one makes it spike, and its spikes arrive as spikelets.
"""
# writes: gap_junctions.png, coupling.txt

import os
from pathlib import Path

from matplotlib.figure import Figure

import analysis
import biomod as bm
import cell_types
from biomod.mechanisms import passive
from biomod.model import Circuit, GapJunctions, Population
from biomod.units import as_quantity

OUT = Path(os.environ.get("BIOMOD_EXAMPLE_OUT", "."))
cell = cell_types.get("PV_basket")
g = as_quantity("0.5 nS", "nS")
pair = Circuit(
    "pair",
    (Population("PV", cell, 2, heterogeneous=False),),
    gap_junctions=(GapJunctions("PV", "PV", "soma", g, p_max=1.0),),
)
# g in series with the other cell's input conductance.
expected = g.si / (g.si + 1 / passive.input_resistance(cell, "soma", frozen_gates=False).si)

with analysis.style.context():
    figure = Figure(figsize=(6.4, 2.6), layout="constrained")
    for ax, (current, title) in zip(
        figure.subplots(1, 2), ((-50, "−50 pA"), (400, "400 pA")), strict=True
    ):
        pulse = bm.step(f"{current} pA", "50 ms", "250 ms", population="PV", cells=(0,))
        result = bm.simulate(pair, "300 ms", stimulus=pulse, record=["PV.soma.v"])
        trace = result.trace("PV.soma.v")
        if current < 0:
            moved = trace.loc[249] - trace.loc[49]
            text = f"coupling coefficient {moved[1] / moved[0]:.4f}, expected {expected:.4f}\n"
            (OUT / "coupling.txt").write_text(text)
            ax.plot(trace[0], color="C0", label="injected")
        ax.plot(trace[1], color="C1", label="coupled")
        ax.set(xlabel="time (ms)", ylabel="soma (mV)", title=title)
        ax.legend(fontsize=6)
    figure.savefig(OUT / "gap_junctions.png")
