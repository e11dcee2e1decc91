"""Firing of three interneurons whose spikes are made by channels.

Steps just above rheobase and at twice that current. PV basket cells fire fast and do not adapt,
Martinotti cells adapt, neurogliaform cells spike late. ``backend="neuron"`` gives the same figure.
"""
# writes: hh_cells.png

import os
from pathlib import Path

from matplotlib.figure import Figure

import analysis
import biomod as bm
import cell_types
from biomod.units import ms, pA

OUT = Path(os.environ.get("BIOMOD_EXAMPLE_OUT", "."))
START, STOP, END = 50 * ms, 850 * ms, 900 * ms
RHEOBASE = {"PV_basket": 270, "SST_Martinotti": 108, "NDNF_L1": 187}  # pA, of these cells

populations, stimuli, traces = [], [], []
for name, rheobase in RHEOBASE.items():
    cell = cell_types.get(name, fidelity="hh")
    populations.append(bm.Population(name, cell, 2, heterogeneous=False))
    for i, factor in enumerate((1.05, 2.0)):
        current = factor * rheobase * pA
        stimuli.append(bm.step(current, START, STOP, population=name, cells=(i,)))
    traces.append(f"{name}[0:2].soma.v")
circuit = bm.Circuit("hh", tuple(populations))
result = bm.simulate(circuit, END, stimulus=stimuli, record=traces)

with analysis.style.context():
    figure = Figure(figsize=(7.0, 3.6), layout="constrained")
    axes = figure.subplots(2, 3, sharex=True, sharey=True)
    for column, name in zip(axes.T, RHEOBASE, strict=True):
        v = result.traces[f"{name}.soma.v"]
        for ax, cell in zip(column, v.columns, strict=True):
            ax.plot(v.index, v[cell], color=analysis.style.colour(name), linewidth=0.6)
        column[0].set_title(name)
        column[1].set_xlabel("time (ms)")
    axes[0, 0].set_ylabel("1.05 × rheobase\nsomatic voltage (mV)")
    axes[1, 0].set_ylabel("2 × rheobase\nsomatic voltage (mV)")
    figure.savefig(OUT / "hh_cells.png")
