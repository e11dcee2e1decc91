"""Noradrenaline opens the tuft: alpha2A receptors close its h current.

The receptor tables scale the h current of the tuft. A smaller current on the tuft then evokes the
calcium spike, while the soma hardly moves (after Labarrera et al. 2018,
10.1016/j.celrep.2018.03.103). A calcium spike is where the dendrite rises 15 mV more than in
proportion to the current.
"""
# writes: tuft_h_current.png
# slow

import os
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import analysis
import biomod as bm
import cell_types
from cell_types import protocols

OUT = Path(os.environ.get("BIOMOD_EXAMPLE_OUT", "."))
cell = cell_types.get("L5_ET", fidelity="hh")
AMPLITUDES = np.array([0.1, *np.arange(0.4, 1.6, 0.04)])  # nA
agonist = bm.NA("1 mM", receptors=("alpha2A",))
currents = [(protocols.epsc(a, 10.0, "tuft"),) for a in AMPLITUDES]
bench = protocols.Bench(dt="0.05 ms")
conditions = {"control": (), "alpha2A": (agonist,)}
colours = ("#888888", "#C2185B")

with analysis.style.context():
    figure = Figure(figsize=(6.4, 2.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    found = {}
    for (label, modulators), colour in zip(conditions.items(), colours, strict=True):
        (responses,) = bench.each([cell], currents, 90.0, modulators=modulators)
        found[label] = protocols.threshold(AMPLITUDES, responses)
        first = responses[0].v
        print(f"{label}: {found[label]:.2f} nA, soma at {first['soma'][0]:.1f} mV")
        excess = protocols.supralinear(AMPLITUDES, responses)
        right.plot(AMPLITUDES, excess, ".-", color=colour, label=label)
        at = int(np.argmin(np.abs(AMPLITUDES - np.mean([found["control"], found[label]]))))
        left.plot(responses[at].time, responses[at].v["nexus"], color=colour, label=label)
    left.set(xlabel="time (ms)", ylabel="nexus (mV)", title="between the two thresholds")
    right.axhline(protocols.EXCESS_MV, color="#888888", linewidth=0.6)
    right.set(xlabel="peak current on the tuft (nA)", ylabel="more than in proportion (mV)")
    right.legend(fontsize=6)
    figure.savefig(OUT / "tuft_h_current.png")
