"""One cell that computes the exclusive or.

Both inputs excite the dendrite and, through interneurons that are not drawn, inhibit the soma. The
dendritic spike is all or none: two inputs make it no larger than one (an OR), while their
inhibition adds up and silences the soma when both are active (minus an AND). Without the dendritic
spike the same wiring is a linear sum, which cannot tell one input from both. Dendrites that
solve problems of this kind: Zador, Claiborne & Brown 1992 (NIPS 4:51; from memory). All values are
estimates.
"""
# writes: xor_cell.png

import os
from pathlib import Path

from matplotlib.figure import Figure

import analysis
import biomod as bm
from biomod.units import ms, nS

OUT = Path(os.environ.get("BIOMOD_EXAMPLE_OUT", "."))
PATTERNS = ("00", "10", "01", "11")
ampa = bm.SynapticReceptor("AMPA", "AMPA", E_rev="0 mV", tau_decay="2 ms")
gaba = bm.SynapticReceptor("GABA", "GABA", E_rev="-75 mV", tau_decay="20 ms")
membrane = {"g_leak": "100 uS/cm2", "E_leak": "-70 mV"}
spike = bm.SomaticSpike(threshold="-52 mV", reset="-60 mV", refractory="40 ms")
rise = {"g_rise": "30 nS", "E_rise": "10 mV", "duration_rise": "6 ms", "offset_fall": "6 ms"}
fall = {"g_fall": "5 nS", "E_fall": "-75 mV", "duration_fall": "5 ms", "refractory": "60 ms"}
event = bm.DendriticSpike("Na", threshold="-45 mV", **rise, **fall)
soma = {"length": "30 um", "diameter": "30 um", "receptors": (gaba,), "spike": spike}
dend = {"length": "150 um", "diameter": "2 um", "receptors": (ampa,), "spikes": (event,)}
parts = (bm.Soma("soma", **soma, **membrane), bm.Dendrite("dend", **dend, **membrane))
cell = bm.Cell("xor", parts, couplings=(bm.Coupling("soma", "dend", "6 nS"),))
events = []
for active in ((1, 3), (2, 3)):  # cells in which the first and the second input are active
    volley = {"cells": active, "times": (20 * ms,)}
    events.append(bm.SynapticEvents("", "dend", receptor="AMPA", weight=8 * nS, **volley))
    events.append(bm.SynapticEvents("", "soma", receptor="GABA", weight=10 * nS, **volley))
linear = cell.with_({"dend.Na.g_rise": 0 * nS, "dend.Na.g_fall": 0 * nS})

with analysis.style.context():
    figure = Figure(figsize=(7.0, 2.8), layout="constrained")
    for row, (label, one) in enumerate({"dendritic spike": cell, "without": linear}.items()):
        circuit = bm.Circuit("xor", (bm.Population("p", one, 4),))
        record = [bm.Recording(c, cells=(0, 1, 2, 3)) for c in ("soma", "dend")]
        result = bm.simulate(circuit, 80 * ms, stimulus=events, record=record, backend="numpy")
        output = ["1" if i in set(result.spikes["cell"]) else "0" for i in range(4)]
        print(label, dict(zip(PATTERNS, output, strict=True)))
        for i, ax in enumerate(figure.subfigures(2, 1)[row].subplots(1, 4, sharey=True)):
            for part, colour in (("dend", "#C2185B"), ("soma", "#222222")):
                ax.plot(result.trace(f"{part}.v")[i], color=colour, linewidth=0.9)
            ax.set_title(f"{label}: {PATTERNS[i]} → {output[i]}", fontsize=7)
    figure.supxlabel("time (ms); red: dendrite, black: soma", fontsize=7)
    figure.supylabel("membrane potential (mV)", fontsize=7)
    figure.savefig(OUT / "xor_cell.png")
