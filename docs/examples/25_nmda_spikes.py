"""NMDA spikes of a basal branch.

More and more synapses of one thin branch are active together. Beyond a threshold the branch
answers with an NMDA spike; without NMDA receptors summation is linear or less (Schiller et al.
2000, 10.1038/35005094; Major et al. 2008, 10.1152/jn.00011.2008).
"""
# writes: nmda_spikes.png
# slow

import os
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import analysis
import cell_types
from cell_types import protocols

OUT = Path(os.environ.get("BIOMOD_EXAMPLE_OUT", "."))
cell = cell_types.get("L5_ET", fidelity="hh")
NUMBERS = np.arange(1, 31)
kinds = {"AMPA and NMDA": True, "NMDA blocked": False}
trials = [t for on in kinds.values() for t in protocols.cluster_trials(cell, NUMBERS, nmda=on)]
events = protocols.cluster_events()
responses = protocols.respond(trials, 200.0, ("soma", "basal2"), events=events, dt="0.05 ms")
halves = (responses[: len(NUMBERS)], responses[len(NUMBERS) :])

with analysis.style.context():
    figure = Figure(figsize=(7.0, 2.4), layout="constrained")
    axes = figure.subplots(1, 3)
    for ax, part in zip(axes, ("basal2", "soma"), strict=False):
        for number, response in list(zip(NUMBERS, halves[0], strict=True))[4::5]:
            shade = str(0.8 - 0.8 * number / NUMBERS[-1])
            ax.plot(response.time, response.v[part], color=shade, linewidth=0.9)
        ax.set(title=f"{part}, 5 to 30 synapses", xlabel="time (ms)")
    axes[0].set_ylabel("membrane potential (mV)")
    for (label, mine), colour in zip(
        zip(kinds, halves, strict=True), ("#C2185B", "#888888"), strict=True
    ):
        heights = np.array([r.height("soma") for r in mine])
        axes[2].plot(NUMBERS, heights, ".-", color=colour, label=label)
        axes[2].plot(NUMBERS, heights[0] * NUMBERS, ":", color=colour, linewidth=0.8)
    axes[2].set(xlabel="synapses", ylabel="somatic EPSP (mV)")
    axes[2].legend(fontsize=6)
    figure.savefig(OUT / "nmda_spikes.png")
