"""A phasic burst of acetylcholine, and who responds to it.

`phasic` makes the concentration that a burst of the cholinergic neurons leaves behind, from the
release and clearance of the tables. Nicotinic receptors follow it within milliseconds and excite
VIP cells, which inhibit SST cells (direction: Fu et al. 2014, 10.1016/j.cell.2014.01.050; Pi et al.
2013, 10.1038/nature12676). One build; the mean of four bursts, with a seed each.
"""
# writes: time_course.png

import os
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import analysis
import biomod as bm
import microcircuits
from biomod.mechanisms import neuromodulation as nm
from biomod.units import ms

OUT = Path(os.environ.get("BIOMOD_EXAMPLE_OUT", "."))
DURATION, SEEDS = 1500, 4

burst = nm.phasic("ACh", start=700 * ms, duration=300 * ms)
circuit = microcircuits.get("l23", cells=300, seed=1)
program = bm.compile(circuit, DURATION * ms, modulators=[burst])
spikes = program.run().spikes

times = np.arange(0, DURATION, 5.0) / 1e3
vip = {x.receptor.name: x for x in circuit.population("VIP").cell.expression}
active = {n: x for n, x in vip.items() if x.receptor.modulator == "ACh" and x.level > 0}
with analysis.style.context():
    figure = Figure(figsize=(6.4, 5.0), layout="constrained")
    names = [n for n in circuit.cells if n != "PV"]
    level, receptors, *rates = figure.subplots(2 + len(names), 1, sharex=True)
    level.plot(times * 1e3, nm.concentration(burst, times) * 1e6, color="#222222")  # mol/m3 to nM
    level.set(ylabel="ACh (nM)", ylim=(0, None))
    for name, expression in active.items():
        y = expression.level * nm.activation(expression.receptor, burst, times)
        receptors.plot(times * 1e3, y, label=name)
    receptors.set(ylabel="activation\nin VIP", ylim=(0, 1))
    receptors.legend(loc="upper right", ncols=2)
    for ax, name in zip(rates, names, strict=True):
        rate = analysis.population_rate(spikes, bin_ms=25, populations=[name])
        ax.stairs(rate[name], np.append(rate.index, DURATION), color=analysis.style.colour(name))
        ax.set(ylabel=f"{name} (Hz)", ylim=(0, None))
    rates[-1].set(xlabel="time (ms)", xlim=(0, DURATION))
    figure.align_ylabels()
    figure.savefig(OUT / "time_course.png")
