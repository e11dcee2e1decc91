"""A receptor of your own, and effects switched on and off.

An effect scales or shifts a parameter that its path names, in proportion to the activation of the
receptor. Whether an effect of the tables can be expressed in a cell is never left open: `resolve`
puts each into one of three lists, with the reason if it cannot.
"""
# writes: own_receptor.png

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import analysis
import biomod as bm
import cell_types
from biomod.mechanisms.neuromodulation import resolve, switch
from biomod.units import ms, nM, pA

OUT = Path(os.environ.get("BIOMOD_EXAMPLE_OUT", "."))

cell = cell_types.get("L5_ET")
resolution = resolve(cell)
print(len(resolution.applied), "effects applied; for example:", resolution.applied[0])
for effect, reason in resolution.not_expressed[:3]:
    print("not expressed:", effect.name, effect.receptor, effect.target, "-", reason)
print(len(resolve(switch(cell, E071=False)).applied), "with E071 switched off")

mine = bm.Receptor(
    "mine", "DA", ec50=100 * nM, tau_onset=50 * ms, tau_decay=200 * ms, source="invented"
)
effects = (
    bm.Effect("X1", "mine", "soma.sAHP.g_max", "soma", "scale", 0.2),
    bm.Effect("X2", "mine", "soma.spike.threshold", "soma", "shift", -2.0, unit="mV"),
)
cell = replace(cell, expression=(*cell.expression, bm.Expression(mine, 1.0, effects)))

step = bm.step(110 * pA, 0 * ms, 4000 * ms)
program = bm.compile(cell, 4000 * ms, stimulus=step)
doses = np.array([0, 10, 30, 100, 300, 1000, 3000])
runs = [program.run([bm.DA(c * nM, receptors=("mine",))]) for c in doses]
rates = [len(result.spikes) / 4 for result in runs]
with analysis.style.context():
    figure = Figure(figsize=(3.4, 2.4), layout="constrained")
    ax = figure.subplots()
    ax.plot(doses, rates, ".-", clip_on=False, color=analysis.style.colour("L5_ET"))
    occupied = ax.twinx()
    x = np.append(0, np.logspace(0.5, 3.6, 100))
    occupied.plot(x, [mine.occupancy(c * nM) for c in x], "--", color="#888888")
    occupied.set(ylabel="occupancy (dashed)", ylim=(0, 1))
    occupied.spines["right"].set_visible(True)
    ax.set_xscale("symlog", linthresh=10)
    ax.set(xlabel="agonist (nM)", ylabel="rate of L5_ET (Hz)", ylim=(0, None), xlim=(0, 4000))
    figure.savefig(OUT / "own_receptor.png")
