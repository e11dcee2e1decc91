"""The critical frequency of back-propagating action potentials.

Five somatic pulses at a time. Above a critical frequency the dendrite answers with a calcium spike,
and the integral of its depolarisation jumps (Larkum, Kaiser & Sakmann 1999,
10.1073/pnas.96.25.14600). Without its calcium channels it does not.
"""
# writes: critical_frequency.png
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
FREQUENCIES = np.arange(40, 201, 10)  # Hz
blocked = protocols.without(cell, ("CaHVA", "CaT"), ("nexus", "tuft"))
colours = {"control": "#C2185B", "without dendritic Ca": "#888888"}
trials = protocols.train_stimuli(FREQUENCIES)
halves = protocols.Bench().each((cell, blocked), trials, 260.0, ("soma", "tuft"))

with analysis.style.context():
    figure = Figure(figsize=(7.0, 2.4), layout="constrained")
    axes = figure.subplots(1, 3)
    for (label, colour), mine in zip(colours.items(), halves, strict=True):
        integrals = [r.integral("tuft") for r in mine]
        axes[2].plot(FREQUENCIES, integrals, "o-", color=colour, label=label, markersize=3)
        if label == "control":
            found = protocols.critical_frequency(FREQUENCIES, integrals)
            print(f"critical frequency {found.middle:.0f} Hz, jump within {found.width:.0f} Hz")
    for ax, wanted in zip(axes, (50, 120), strict=False):
        response = halves[0][list(FREQUENCIES).index(wanted)]
        for part, colour in (("soma", "#222222"), ("tuft", "#C2185B")):
            ax.plot(response.time, response.v[part], color=colour, linewidth=0.8, label=part)
        ax.set(title=f"{wanted} Hz", xlabel="time (ms)", ylim=(-90, 50))
    axes[0].set_ylabel("membrane potential (mV)")
    axes[0].legend(fontsize=6)
    axes[2].set(xlabel="frequency (Hz)", ylabel="integral in the tuft (mV ms)")
    axes[2].legend(fontsize=6)
    figure.savefig(OUT / "critical_frequency.png")
