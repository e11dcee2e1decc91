"""Serotonin inhibits one kind of layer 5 cell and excites the other.

Avesar & Gulledge 2012 (10.3389/fncir.2012.00012): in mouse prefrontal layer 5, 5-HT inhibits the
cells that project to the pons, through 5-HT1A, and excites responsive callosal ones, through
5-HT2A. Here an ET and an IT cell fire at about 6 Hz; 1 µM 5-HT acts on all their receptors, or on
all but the one that was blocked in the experiments.
"""
# writes: serotonin_l5.png

import os
from pathlib import Path

from matplotlib.figure import Figure

import analysis
import biomod as bm
import cell_types
from biomod.units import ms, pA

OUT = Path(os.environ.get("BIOMOD_EXAMPLE_OUT", "."))
CELLS = {"L5_ET": (105 * pA, "5HT1A"), "L5_IT": (100 * pA, "5HT2A")}


def all_but(cell: bm.Cell, blocked: str) -> tuple[str, ...]:
    mine = (x.receptor for x in cell.expression if x.receptor.modulator == "5-HT")
    return tuple(r.name for r in mine if r.name != blocked)


with analysis.style.context():
    figure = Figure(figsize=(7.0, 3.2), layout="constrained")
    axes = figure.subplots(2, 3, sharex=True, sharey=True)
    for row, (name, (current, blocked)) in zip(axes, CELLS.items(), strict=True):
        cell = cell_types.get(name)
        step = bm.step(current, 0 * ms, 3000 * ms)
        program = bm.compile(cell, 3000 * ms, stimulus=step, record=["soma.v"], dt=0.05 * ms)
        conditions = {
            "no 5-HT": (),
            "5-HT": (bm.serotonin("1 uM"),),
            f"5-HT, {blocked} blocked": (bm.serotonin("1 uM", receptors=all_but(cell, blocked)),),
        }
        for ax, (label, modulators) in zip(row, conditions.items(), strict=True):
            result = program.run(modulators)
            voltage = result.trace("soma.v")[0].loc[1000:]
            seconds = voltage.index / 1e3 - 1
            ax.plot(seconds, voltage, linewidth=0.6, color=analysis.style.colour(name))
            rate = (result.spikes.time_ms >= 1000).sum() / 2
            ax.set_title(f"{label}: {rate:.1f} Hz", loc="left")
        row[0].set_ylabel(f"{name}\nsoma (mV)")
    figure.supxlabel("time (s), from 1 s after the onset of the current", fontsize=8)
    figure.savefig(OUT / "serotonin_l5.png")
