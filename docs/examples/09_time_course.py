"""A phasic burst of acetylcholine, and who responds to it.

`phasic` makes the concentration that a burst of the cholinergic neurons leaves behind, from the
release and clearance of the tables; here they fire at 80 Hz, far above the default, so that one
trial shows it. Nicotinic receptors follow within tens of milliseconds and excite VIP cells, which
inhibit SST cells (directions: Fu et al. 2014, 10.1016/j.cell.2014.01.050; Pi et al. 2013,
10.1038/nature12676). Titles give mean rates in the second before the burst and during it;
there are 20 SST cells, so that theirs is noisy.
"""
# writes: time_course.png
# slow

import os
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import analysis
import biomod as bm
import microcircuits
from biomod.mechanisms import neuromodulation as nm
from biomod.units import Hz, ms

OUT = Path(os.environ.get("BIOMOD_EXAMPLE_OUT", "."))
START, STOP, END = 1200, 2700, 3200  # ms

burst = nm.phasic("ACh", START * ms, (STOP - START) * ms, rate=80 * Hz, receptors=("nAChR_a4b2",))
circuit = microcircuits.get("l23", cells=1000, seed=1)
spikes = bm.simulate(circuit, END * ms, modulators=[burst]).spikes
before = analysis.summary(spikes, start_ms=START - 1000, stop_ms=START).rate_hz
during = analysis.summary(spikes, start_ms=START, stop_ms=STOP).rate_hz

times = np.arange(0, END, 5.0) / 1e3
with analysis.style.context():
    figure = Figure(figsize=(6.4, 5.4), layout="constrained")
    level, active, *rates = figure.subplots(6, 1, sharex=True)
    level.plot(times * 1e3, nm.concentration(burst, times) * 1e6, color="#222222")  # mol/m3 to nM
    level.set(ylabel="ACh (nM)", ylim=(0, None))
    for expression in circuit.population("VIP").cell.expression:
        if expression.receptor.name in burst.receptors:
            y = expression.level * nm.activation(expression.receptor, burst, times)
            active.plot(times * 1e3, y, color=analysis.style.colour("VIP"))
    active.set(ylabel="α4β2\nin VIP", ylim=(0, 1))
    for ax, name in zip(rates, ("VIP", "SST", "PV", "PC"), strict=True):
        rate = analysis.population_rate(spikes, bin_ms=50, populations=[name])[name]
        colour = analysis.style.colour(name)
        ax.stairs(rate, np.arange(0, END + 1, 50), color=colour, fill=True, alpha=0.35)
        ax.hlines(before[name], START - 1000, START, color=colour)
        ax.hlines(during[name], START, STOP, color=colour)
        ax.set_title(f"{name}: {before[name]:.1f} → {during[name]:.1f} Hz", loc="left")
        ax.set(ylabel="Hz", ylim=(0, None))
    for ax in (level, active, *rates):
        ax.axvspan(START, STOP, color="#F1F1F1", zorder=0, linewidth=0)
    rates[-1].set(xlabel="time (ms)", xlim=(0, END))
    figure.align_ylabels()
    figure.savefig(OUT / "time_course.png")
