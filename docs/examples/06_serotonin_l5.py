"""Serotonin inhibits one kind of layer 5 cell and excites the other.

Avesar & Gulledge 2012 (10.3389/fncir.2012.00012): 5-HT inhibits the cells of mouse prefrontal
layer 5 that project to the pons, through 5-HT1A, and excites responsive callosal ones through
5-HT2A. Here ET and IT cells fire at about 7 Hz, and 5-HT acts for 1 s, on all receptors or on all
but the one that was blocked in the experiments.
"""
# writes: serotonin_l5.png

import os
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import analysis
import biomod as bm
import cell_types
from biomod.units import ms, pA

OUT = Path(os.environ.get("BIOMOD_EXAMPLE_OUT", "."))
CELLS = {"L5_ET": (200 * pA, "5-HT1A"), "L5_IT": (95 * pA, "5-HT2A")}
pulse = (bm.Pulse(start="2 s", duration="1 s", amplitude="1 uM", tau_clearance="200 ms"),)

circuit = bm.Circuit(
    "L5", tuple(bm.Population(n, cell_types.get(n), 1, heterogeneous=False) for n in CELLS)
)
steps = [bm.step(i, 0 * ms, 6000 * ms, population=name) for name, (i, _) in CELLS.items()]
program = bm.compile(
    circuit, 6000 * ms, stimulus=steps, record=[f"{name}.soma.v" for name in CELLS], timed=True
)
with analysis.style.context():
    figure = Figure(figsize=(7.0, 3.2), layout="constrained")
    axes = figure.subplots(2, 2, sharex=True, sharey=True)
    for row, (name, (_, blocked)) in zip(axes, CELLS.items(), strict=True):
        cell = circuit.population(name).cell
        others = tuple(
            x.receptor.name
            for x in cell.expression
            if x.receptor.modulator == "5-HT" and x.receptor.name != blocked
        )
        for ax, receptors in zip(row, ((), others), strict=True):
            result = program.run([bm.serotonin(pulses=pulse, receptors=receptors)])
            voltage = result.trace(f"{name}.soma.v")[0]
            ax.plot(voltage.index / 1e3, voltage, linewidth=0.5, color=analysis.style.colour(name))
            ax.axvspan(2, 3, color="#E7D4E8", zorder=0, linewidth=0)
            times = result.spikes.time_ms[result.spikes.population == name] / 1e3
            rates = [np.count_nonzero(times.between(a, a + 1)) for a in (1, 2)]
            condition = f"{blocked} blocked" if receptors else "5-HT"
            ax.set_title(f"{name}, {condition}: {rates[0]} → {rates[1]} Hz", loc="left")
    figure.supxlabel("time (s)", fontsize=8)
    figure.supylabel("soma (mV)", fontsize=8)
    figure.savefig(OUT / "serotonin_l5.png")
