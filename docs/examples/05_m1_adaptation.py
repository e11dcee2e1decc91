"""Acetylcholine at M1 receptors removes adaptation.

A layer 2/3 pyramidal cell, 1 s at about twice its rheobase, without ACh and with a saturating
agonist of M1 alone. McCormick & Williamson 1989 (10.1073/pnas.86.20.8098) found the direction: ACh
reduces spike-frequency adaptation in cortical pyramidal cells by way of slow potassium currents.
That M1 removes adaptation was a constraint when this cell was fitted, not a prediction of it.
"""
# writes: m1_adaptation.png

import os
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import analysis
import biomod as bm
import cell_types
from biomod.units import ms, pA

OUT = Path(os.environ.get("BIOMOD_EXAMPLE_OUT", "."))
CONDITIONS = {
    "control": ((), "#222222"),
    "M1 agonist": ((bm.ACh("1 mM", receptors=("M1",)),), "#1B7837"),
}

program = bm.compile(
    cell_types.get("L23_PC"),
    1300 * ms,
    stimulus=bm.step(215 * pA, start=100 * ms, stop=1100 * ms),
    record=["soma.v"],
)
with analysis.style.context():
    figure = Figure(figsize=(7.0, 2.8), layout="constrained")
    traces, intervals = figure.subfigures(1, 2, width_ratios=[1.7, 1])
    rows = traces.subplots(2, 1, sharex=True, sharey=True)
    curve = intervals.subplots()
    for ax, (label, (modulators, colour)) in zip(rows, CONDITIONS.items(), strict=True):
        result = program.run(modulators)
        voltage, times = result.trace("soma.v")[0], result.spikes.time_ms.to_numpy()
        isi = np.diff(times)
        ax.plot(voltage.index, voltage, color=colour, linewidth=0.6)
        ratio = isi[-1] / isi[0]
        ax.set_title(f"{label}: {len(times)} spikes, last/first interval {ratio:.2f}", loc="left")
        curve.plot(times[1:] - 100, isi, ".-", color=colour, markersize=4, label=label)
    rows[1].set(xlabel="time (ms)", xlim=(0, 1300))
    traces.supylabel("soma (mV)", fontsize=8)
    curve.set(xlabel="time in the step (ms)", ylabel="interspike interval (ms)", ylim=(0, None))
    curve.legend(loc="center right")
    figure.savefig(OUT / "m1_adaptation.png")
