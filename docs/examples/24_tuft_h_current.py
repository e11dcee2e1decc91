"""Noradrenaline opens the tuft: alpha2A receptors close its h current.

The receptor tables scale the h current of the tuft. A smaller current on the tuft then evokes the
calcium spike, while the soma hardly moves (after Labarrera et al. 2018,
10.1016/j.celrep.2018.03.103).
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
AMPLITUDES = np.arange(0.4, 1.6, 0.04)  # nA
agonist = bm.NA("1 mM", receptors=("alpha2A",))
trials = [protocols.Trial(cell, (protocols.epsc(a, 10.0, "tuft"),)) for a in AMPLITUDES]
conditions = {"control": (), "alpha2A": (agonist,)}
colours = ("#888888", "#C2185B")

with analysis.style.context():
    figure = Figure(figsize=(6.4, 2.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    found = {}
    for (label, modulators), colour in zip(conditions.items(), colours, strict=True):
        responses = protocols.respond(trials, 90.0, modulators=modulators, dt="0.05 ms")
        found[label] = protocols.threshold(AMPLITUDES, responses)
        first = responses[0].v
        print(f"{label}: {found[label]:.2f} nA, soma at {first['soma'][0]:.1f} mV")
        times = [r.plateau("nexus") for r in responses]
        right.plot(AMPLITUDES, times, ".-", color=colour, label=label)
        at = int(np.argmin(np.abs(AMPLITUDES - np.mean([found["control"], found[label]]))))
        left.plot(responses[at].time, responses[at].v["nexus"], color=colour, label=label)
    left.set(xlabel="time (ms)", ylabel="nexus (mV)", title="between the two thresholds")
    right.set(xlabel="peak current on the tuft (nA)", ylabel="time above -35 mV (ms)")
    right.legend(fontsize=6)
    figure.savefig(OUT / "tuft_h_current.png")
