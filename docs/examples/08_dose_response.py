"""One build, many conditions: rates against the concentration of acetylcholine.

Compiling takes longer than a run, and needs doing once: concentrations, weights, any parameter and
the seed of the background reach the program as data. Left: what the receptors of the pyramidal
cells make of the concentration. Right: mean rates of the populations of a small `l23`.
"""
# writes: dose_response.png
# slow

import os
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

import analysis
import biomod as bm
import microcircuits
from biomod.mechanisms.neuromodulation import receptors
from biomod.units import ms, nM

OUT = Path(os.environ.get("BIOMOD_EXAMPLE_OUT", "."))
DOSES = [0, 30, 100, 300, 1000, 3000]

circuit = microcircuits.get("l23", cells=300, seed=1)
program = bm.compile(circuit, 1000 * ms)
print(f"built in {program.compiled.build_seconds:.1f} s")
rates = {}
for dose in DOSES:
    result = program.run([bm.ACh(dose * nM)])
    print(f"{dose} nM: {result.provenance['timings']['run_s']:.1f} s")
    rates[dose] = analysis.summary(result.spikes, start_ms=200).rate_hz
table = pd.DataFrame(rates).T

with analysis.style.context():
    figure = Figure(figsize=(6.4, 2.6), layout="constrained")
    curves, ax = figure.subplots(1, 2)
    x = np.logspace(1, 3.8, 100)
    for k, expression in enumerate(circuit.population("PC").cell.expression):
        if expression.receptor.modulator == "ACh" and expression.level > 0:
            receptor = receptors()[expression.receptor.name]
            y = [expression.level * receptor.occupancy(c * nM) for c in x]
            curves.plot(x, y, label=receptor.name, color=f"C{k}")
    curves.set(xscale="log", xlabel="ACh (nM)", ylabel="activation × expression in PC", ylim=(0, 1))
    curves.legend(loc="upper left")
    for name in table:
        ax.plot(
            DOSES, table[name], ".-", clip_on=False, color=analysis.style.colour(name), label=name
        )
    ax.set_xscale("symlog", linthresh=30, linscale=0.5)
    ax.set(
        xlabel="ACh (nM)",
        ylabel="mean rate (Hz)",
        ylim=(0, None),
        xlim=(0, 6e3),
        xticks=[0, 100, 1000],
    )
    ax.legend(loc="upper left")
    figure.savefig(OUT / "dose_response.png")
