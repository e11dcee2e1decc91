"""Analysis of a raster from any simulator or recording.

`analysis` knows nothing of models: a table with the columns `time_ms`, `cell` and `population` is
all that it needs. Here spike trains with a rhythm at 40 Hz, made with numpy, go through Neo and
through a SONATA file, and come back as the same spikes.
"""
# writes: any_simulator.png, raster.png, spikes.h5

import os
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

import analysis
from biomod.results import read_spikes, write_spikes

OUT = Path(os.environ.get("BIOMOD_EXAMPLE_OUT", "."))
CELLS, DURATION = {"E": 80, "I": 20}, 4000.0  # ms
rng = np.random.default_rng(1)


def trains(size: int, rate_hz: float, depth: float) -> tuple[np.ndarray, np.ndarray]:
    """Poisson spikes whose rate is modulated at 40 Hz."""
    per_cell = rng.poisson(2 * rate_hz * DURATION / 1e3, size)
    time, cell = rng.uniform(0, DURATION, per_cell.sum()), np.repeat(np.arange(size), per_cell)
    keep = rng.random(time.size) < 0.5 * (1 + depth * np.cos(2 * np.pi * 0.040 * time))
    return time[keep], cell[keep]


tables = []
for name, depth, rate in (("E", 0.4, 5), ("I", 0.9, 20)):
    time, cell = trains(CELLS[name], rate, depth)
    tables.append(pd.DataFrame({"time_ms": time, "cell": cell, "population": name}))
spikes = pd.concat(tables, ignore_index=True)
spikes.attrs = {"cells": CELLS, "duration_ms": DURATION}

back = analysis.from_neo(analysis.to_neo(spikes))
print("through Neo:", len(back), "of", len(spikes), "spikes")
print("through SONATA:", len(read_spikes(write_spikes(OUT / "spikes.h5", spikes))))
print(analysis.summary(spikes).round(2).T)
print(analysis.sttc(spikes).round(3), analysis.fano_factor(spikes), sep="\n")
analysis.raster(spikes, stop_ms=1000).savefig(OUT / "raster.png", dpi=200)

with analysis.style.context():
    figure = Figure(figsize=(7.0, 2.4), layout="constrained")
    rates, intervals, spectrum = figure.subplots(1, 3, width_ratios=[1.5, 1, 1])
    analysis.plot_rates(spikes, ax=rates)
    rates.set_xlim(0.01, 60)  # room for the legend
    analysis.plot_isi(spikes, ax=intervals)
    analysis.plot_spectrum(spikes, ax=spectrum)
    figure.savefig(OUT / "any_simulator.png")
