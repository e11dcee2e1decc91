"""How far an action potential travels back into the apical dendrite.

Its height along the apical dendrite of a rat layer 5 cell, with and without dendritic sodium
channels, and the published values (mean and s.d.; Van Geit et al. 2016,
10.3389/fninf.2016.00017).
"""
# writes: back_propagation.png
# slow

import os
from pathlib import Path

from matplotlib.figure import Figure

import analysis
import cell_types
from cell_types import protocols

OUT = Path(os.environ.get("BIOMOD_EXAMPLE_OUT", "."))
cell = cell_types.get("L5_ET", fidelity="hh")
PUBLISHED = {660: (45, 10), 800: (36, 9.33)}  # um: mV
distance = {"soma": 0.0, **protocols.distances()}
apical = tuple(distance)[1:]
cells = {"control": cell, "no dendritic Na": protocols.without(cell, ("NaTa",), apical)}
trials = [protocols.Trial(c, (protocols.pulse(10.0),)) for c in cells.values()]
responses = protocols.respond(trials, 50.0, tuple(distance))

with analysis.style.context():
    figure = Figure(figsize=(6.4, 2.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    for i, part in enumerate(distance):
        shade = str(0.75 * i / len(distance))
        left.plot(responses[0].time, responses[0].v[part], color=shade, linewidth=0.8)
    left.set(xlabel="time (ms)", ylabel="membrane potential (mV)", xlim=(8, 30))
    for (label, response), colour in zip(
        zip(cells, responses, strict=True), ("#C2185B", "#888888"), strict=True
    ):
        heights = [response.height(part) for part in distance]
        right.plot(list(distance.values()), heights, "o-", color=colour, label=label)
    for where, (mean, sd) in PUBLISHED.items():
        right.errorbar(where, mean, sd, color="#222222", marker="s", capsize=2)
    right.set(xlabel="distance from the soma (µm)", ylabel="height (mV)", ylim=(0, None))
    right.legend(fontsize=6)
    figure.savefig(OUT / "back_propagation.png")
