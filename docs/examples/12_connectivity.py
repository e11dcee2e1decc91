"""Who is connected to whom: in-degrees, and the fall-off with distance.

Cells lie on a square sheet with periodic borders. A projection connects two cells with a
probability that falls off as a Gaussian of their lateral distance, scaled such that the mean
in-degree is that of an unlimited sheet, whatever the size of the circuit.
"""
# writes: connectivity.png

import os
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import analysis
import microcircuits
from biomod.mechanisms import connectivity

OUT = Path(os.environ.get("BIOMOD_EXAMPLE_OUT", "."))
SIZES, PROJECTIONS = (500, 1500, 4000), ("PC->PC", "PV->PC", "SST->PC", "VIP->SST")

with analysis.style.context():
    figure = Figure(figsize=(7.0, 2.5), layout="constrained")
    scaling, degrees, distance = figure.subplots(1, 3)
    mean = {key: [] for key in PROJECTIONS}
    for cells in SIZES:
        circuit = microcircuits.get("l23", cells=cells, seed=1)
        for key in PROJECTIONS:
            drawn = connectivity.connect(circuit, key)
            size = circuit.cells[key.split("->")[1]]
            mean[key].append((drawn.in_degree(size).mean(), drawn.weight_factor))
    for key, values in mean.items():
        colour = analysis.style.colour(key.split("->")[0])
        count, factor = np.array(values).T
        scaling.plot(SIZES, count, ".-", color=colour, label=key)
        scaling.plot(SIZES, count * factor, ":", color=colour)
    scaling.set(xlabel="cells in the circuit", ylabel="mean in-degree", yscale="log", ylim=(4, 300))
    scaling.set_title("dotted: × factor on the weights")
    scaling.legend(loc="lower right", ncols=2, fontsize=6)
    drawn = connectivity.connect(circuit, "PC->PC")
    count = drawn.in_degree(circuit.cells["PC"])
    degrees.hist(count, bins=np.arange(100.5, 204, 4), color=analysis.style.colour("PC"))
    degrees.set(xlabel="PC→PC synapses onto a cell", ylabel="cells", title=f"{cells} cells")
    xy, side = connectivity.positions(circuit)["PC"], circuit.side.si
    edges = np.linspace(0, side / 2, 16)

    def lateral(pre: np.ndarray, post: np.ndarray) -> np.ndarray:
        d = np.abs(xy[pre] - xy[post])
        return np.hypot(*np.minimum(d, side - d).T)

    possible = 2 * np.histogram(lateral(*np.triu_indices(len(xy), 1)), edges)[0]
    found = np.histogram(lateral(drawn.pre, drawn.post), edges)[0]
    rule = circuit.get("PC->PC")
    x = np.linspace(0, side / 2, 100)
    p = np.minimum(1, drawn.p_factor * rule.p_max * np.exp(-(x**2) / (2 * rule.sigma.si**2)))
    distance.stairs(found / possible, edges * 1e6, color=analysis.style.colour("PC"), label="drawn")
    distance.plot(x * 1e6, p, color="#222222", linewidth=0.8, label="rule")
    distance.set(xlabel="lateral distance (µm)", ylabel="connection probability", ylim=(0, None))
    distance.legend(loc="upper right")
    figure.savefig(OUT / "connectivity.png")
