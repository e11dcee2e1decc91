"""Rate against current in every cell type, and the published values behind it.

Steps of 1 s. Triangle: median rheobase; square: median rate about 50 pA above it; bars: quartiles;
dashed: the median slope (Allen Cell Types Database, Gouwens et al. 2019,
10.1038/s41593-019-0417-0). All cells and all currents are given in one run.
"""
# writes: fi_curves.png
# slow

import csv
import os
from importlib import resources
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import analysis
import biomod as bm
import cell_types
from biomod.units import ms, pA, second

OUT = Path(os.environ.get("BIOMOD_EXAMPLE_OUT", "."))
ROWS, STEPS = {"L5_ET": "L5_ET_Sim1"}, 20  # the L5_ET cell is held against the Sim1 line

targets = {}
with resources.files("cell_types").joinpath("data/targets.csv").open() as file:
    for row in csv.DictReader(file):
        if row["q25"]:
            values = np.array([float(row[k]) for k in ("value", "q25", "q75")])
            targets.setdefault(row["cell_type"], {})[row["property"]] = values

populations, stimuli, currents = [], [], {}
for name in cell_types.NAMES:
    rheobase = targets[ROWS.get(name, name)]["rheobase_long_square"][0]
    currents[name] = np.linspace(0.6, 2.5, STEPS) * rheobase
    cell = cell_types.get(name)
    populations.append(bm.Population(name, cell, STEPS, heterogeneous=False))
    for i, amplitude in enumerate(currents[name]):
        stimuli.append(bm.step(amplitude * pA, 0 * ms, 1 * second, population=name, cells=(i,)))
result = bm.simulate(bm.Circuit("steps", tuple(populations)), 1 * second, stimulus=stimuli)
counts = result.spikes.groupby(["population", "cell"], observed=True).size()

with analysis.style.context():
    figure = Figure(figsize=(7.0, 3.6), layout="constrained")
    for ax, name in zip(figure.subplots(2, 4).flat, cell_types.NAMES, strict=True):
        aim, rates = targets[ROWS.get(name, name)], [counts.get((name, i), 0) for i in range(STEPS)]
        ax.plot(currents[name], rates, ".-", color=analysis.style.colour(name), markersize=3)
        rheobase, low, high = aim["rheobase_long_square"]
        hero, q25, q75 = aim["mean_rate_at_hero_sweep"]
        x, slope = np.array([rheobase + 20, rheobase + 100]), aim["fI_slope"][0]
        ax.plot([low, high], [0, 0], color="#555555", linewidth=2.5, alpha=0.4)
        ax.plot(rheobase, 0, "k^", markersize=4, clip_on=False)
        ax.plot(rheobase + 50, hero, "ks", markersize=3)
        ax.vlines(rheobase + 50, q25, q75, color="k", linewidth=0.8)
        ax.plot(x, hero + slope * (x - rheobase - 50), "k--", linewidth=0.8)
        ax.set(title=name, ylim=(0, None), xlim=(0.5 * rheobase, None))
    figure.supxlabel("current (pA)", size=8)
    figure.supylabel("rate over 1 s (Hz)", size=8)
    figure.savefig(OUT / "fi_curves.png")
