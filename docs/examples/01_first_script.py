"""A cell, a current step, and the voltage in soma and dendrites.

A named cell is a description: printing it lists every parameter with its unit and source.
`simulate` runs it and returns spikes as a table, traces, and how they came about. Somatic action
potentials travel back into the dendrites and lose height on the way.
"""
# writes: first_script.png

import os
from pathlib import Path

from matplotlib.figure import Figure

import analysis
import biomod as bm
import cell_types
from biomod.units import ms, pA

OUT = Path(os.environ.get("BIOMOD_EXAMPLE_OUT", "."))
COMPARTMENTS = {"tuft": "#C2185B", "trunk": "#E08214", "basal": "#4D9221", "soma": "#222222"}

cell = cell_types.get("L23_PC")
print(cell.summary, "of", cell.species)
result = bm.simulate(
    cell,
    400 * ms,
    stimulus=bm.step(200 * pA, start=50 * ms, stop=350 * ms),
    record=[f"{name}.v" for name in COMPARTMENTS],
    dt=0.025 * ms,  # fine enough for the shape of an action potential; 0.1 ms if left out
)
print(result)
print(result.spikes.head())

with analysis.style.context():
    figure = Figure(figsize=(6.4, 2.6), layout="constrained")
    whole, one = figure.subplots(1, 2, width_ratios=[2.2, 1])
    first = result.spikes.time_ms.iloc[0]
    for ax in (whole, one):
        for name, colour in COMPARTMENTS.items():
            trace = result.trace(f"{name}.v")[0]
            ax.plot(trace.index, trace, color=colour, linewidth=0.9, label=name)
        ax.set_xlabel("time (ms)")
    whole.set(ylabel="membrane potential (mV)", xlim=(0, 400), title="200 pA into the soma")
    whole.hlines(-98, 50, 350, color="#888888", linewidth=3)
    one.set(xlim=(first - 4, first + 16), ylim=(-80, -45), title="first spike, cut off at −45 mV")
    handles = dict(zip(COMPARTMENTS, one.lines, strict=True))
    order = ("soma", "basal", "trunk", "tuft")
    one.legend([handles[name] for name in order], order, loc="upper right")
    figure.savefig(OUT / "first_script.png")
