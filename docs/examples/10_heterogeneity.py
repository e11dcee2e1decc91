"""Cells of one type differ, or do not.

Each cell type says which of its parameters vary between cells, and how; every cell of a
heterogeneous population draws its own from a stream of its own name, so that the first n cells are
the same in a population of any size. Here 60 pyramidal cells with the same step, uncoupled.
"""
# writes: heterogeneity.png
# slow

import os
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import analysis
import biomod as bm
import cell_types
from biomod.mechanisms import variability
from biomod.units import ms, mV, pA

OUT = Path(os.environ.get("BIOMOD_EXAMPLE_OUT", "."))
N = 60

cell = cell_types.get("L23_PC")
for variation in cell.variations:
    print(variation.path, variation.distribution, variation.cv or variation.sd, variation.source)
population = bm.Population("PC", cell, N)
threshold = variability.draw(population, seed=1)["soma.spike.threshold"] / mV.si

with analysis.style.context():
    figure = Figure(figsize=(7.0, 2.6), layout="constrained")
    axes = figure.subplots(1, 3, width_ratios=[1.4, 1.4, 1])
    for ax, varied in zip(axes, (False, True), strict=False):
        circuit = bm.Circuit("cells", (population.with_(heterogeneous=varied),), seed=1)
        step = bm.step(160 * pA, 100 * ms, 600 * ms)
        result = bm.simulate(circuit, 700 * ms, stimulus=step)
        ax.plot(result.spikes.time_ms, result.spikes.cell, "|", color="#222222", markersize=2.5)
        spread = analysis.rates(result.spikes, start_ms=100, stop_ms=600).rate_hz.std()
        title = "heterogeneous" if varied else "identical"
        ax.set(title=f"{title}: s.d. of rates {spread:.1f} Hz", xlabel="time (ms)", xlim=(90, 610))
        ax.set_ylabel("cell")
    counts = np.bincount(result.spikes.cell, minlength=N) / 0.5
    axes[2].plot(threshold, counts, ".", color=analysis.style.colour("L23_PC"))
    axes[2].set(xlabel="threshold of the cell (mV)", ylabel="rate in the step (Hz)")
    figure.savefig(OUT / "heterogeneity.png")
