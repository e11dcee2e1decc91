"""A burst from a coincidence: BAC firing.

A somatic pulse evokes one action potential, a current at the bifurcation of the apical dendrite
none. Together, 5 ms apart, they evoke a calcium spike in the dendrite and a burst (Larkum, Zhu &
Sakmann 1999, 10.1038/18686). Three times the current evokes the calcium spike alone; inhibition of
the tuft 5 ms before cancels it. `backend="neuron"` gives the same.
"""
# writes: bac_firing.png
# slow

import os
from pathlib import Path

from matplotlib.figure import Figure

import analysis
import cell_types
from cell_types import protocols

OUT = Path(os.environ.get("BIOMOD_EXAMPLE_OUT", "."))
cell = cell_types.get("L5_ET", fidelity="hh")

AMPLITUDE = 0.9  # nA
trials = protocols.bac_trials(cell, AMPLITUDE)
responses = protocols.respond(list(trials.values()), 150.0, events=[protocols.veto()])

with analysis.style.context():
    figure = Figure(figsize=(7.4, 2.0), layout="constrained")
    axes = figure.subplots(1, len(trials), sharex=True, sharey=True)
    for ax, label, response in zip(axes, trials, responses, strict=True):
        for part, colour in (("soma", "#222222"), ("nexus", "#C2185B")):
            ax.plot(response.time, response.v[part], color=colour, linewidth=0.8, label=part)
        ax.set(title=f"{label}: {len(response.spikes)} APs", xlabel="time (ms)", xlim=(70, 150))
    axes[0].set_ylabel("membrane potential (mV)")
    axes[0].legend(fontsize=6)
    figure.savefig(OUT / "bac_firing.png")
