"""A growing number of synapses on a dendrite, and its spike.

Synapses on the tuft of a layer 5 ET cell are activated together. The tuft answers in proportion
until its calcium spike starts (after Larkum & Zhu 2002, 10.1523/JNEUROSCI.22-16-06991.2002), which
the soma sees as a step. Grey: the same dendrite with the spike's conductances set to 0.
"""
# writes: dendritic_spike.png

import os
from pathlib import Path

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure

import analysis
import biomod as bm
import cell_types
from biomod.units import ms, nS

OUT = Path(os.environ.get("BIOMOD_EXAMPLE_OUT", "."))
NUMBERS = np.arange(5, 105, 5)

active = cell_types.get("L5_ET")
passive = active.with_({"tuft.Ca.g_rise": 0 * nS, "tuft.Ca.g_fall": 0 * nS})
events = [
    bm.SynapticEvents(
        compartment="tuft", receptor=receptor, cells=(i,), times=(20 * ms,), weight=w, number=n
    )
    for i, n in enumerate(NUMBERS)
    for receptor, w in (("AMPA", 0.3 * nS), ("NMDA", 0.3 * nS))
]
every = tuple(range(len(NUMBERS)))
program = bm.compile(
    bm.Circuit.of(active, len(NUMBERS)),
    150 * ms,
    stimulus=events,
    record=[bm.Recording(part, cells=every) for part in ("tuft", "soma")],
)
runs = {cell: program.run(circuit=bm.Circuit.of(cell, len(NUMBERS))) for cell in (active, passive)}

with analysis.style.context():
    figure = Figure(figsize=(7.0, 2.5), layout="constrained")
    tuft, soma, peaks = figure.subplots(1, 3)
    for ax, part in ((tuft, "tuft"), (soma, "soma")):
        trace = runs[active].trace(f"{part}.v")
        for i in every[1::2]:
            colour = colormaps["viridis"](0.9 * i / len(every))
            ax.plot(trace.index, trace[i], color=colour, linewidth=0.9)
        ax.set(xlabel="time (ms)", ylabel=f"{part} (mV)", title=f"{part}, {NUMBERS[1]} to {NUMBERS[-1]} synapses")
    for cell, colour, label in ((active, "#C2185B", "with Ca spike"), (passive, "#888888", "without")):
        trace = runs[cell].trace("tuft.v")
        peaks.plot(NUMBERS, trace.max() - trace.iloc[0], ".-", color=colour, label=label)
    peaks.set(xlabel="synapses", ylabel="peak in the tuft (mV)", ylim=(0, None))
    peaks.legend(loc="upper left")
    figure.savefig(OUT / "dendritic_spike.png")
