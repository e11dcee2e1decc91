"""A growing number of synapses on a dendrite, and its spike.

Synapses on the tuft of a layer 5 ET cell are activated together. The tuft answers smoothly until
its calcium spike starts (after Larkum & Zhu 2002, 10.1523/JNEUROSCI.22-16-06991.2002): an event of
stereotyped size and length. Grey: without it. Sodium spikes are off in soma and dendrites, as
under tetrodotoxin. `gain` scales all synapses of a receptor, so that one stimulus serves cells
with different numbers of them.
"""
# writes: dendritic_spike.png

import os
from pathlib import Path

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure

import analysis
import biomod as bm
import cell_types
from biomod.units import ms, mV, nS

OUT = Path(os.environ.get("BIOMOD_EXAMPLE_OUT", "."))
NUMBERS = np.arange(20, 201, 20)


def without(cell: bm.Cell, *spikes: str) -> bm.Cell:
    return cell.with_({f"{s}.{g}": 0 * nS for s in spikes for g in ("g_rise", "g_fall")})


def with_synapses(cell: bm.Cell) -> bm.Circuit:
    same = {"size": 1, "heterogeneous": False}
    cells = {n: cell.with_({"tuft.AMPA.gain": n, "tuft.NMDA.gain": n}) for n in NUMBERS}
    return bm.Circuit("tuft", tuple(bm.Population(f"n{n}", c, **same) for n, c in cells.items()))


ttx = without(cell_types.get("L5_ET"), "basal.Na", "trunk.Na")
ttx = ttx.with_({"soma.spike.threshold": 60 * mV})
kinds = {"with Ca spike": ttx, "without": without(ttx, "tuft.Ca")}
volley = {"times": (20 * ms,), "weight": 0.3 * nS}
events = [bm.SynapticEvents("*", "tuft", receptor=r, **volley) for r in ("AMPA", "NMDA")]
labels = [f"n{n}.{part}.v" for n in NUMBERS for part in ("tuft", "soma")]
program = bm.compile(with_synapses(ttx), 150 * ms, stimulus=events, record=labels)
runs = {label: program.run(circuit=with_synapses(cell)) for label, cell in kinds.items()}

with analysis.style.context():
    figure = Figure(figsize=(7.0, 2.4), layout="constrained")
    axes = figure.subplots(1, 3, sharey=True)
    for ax, part in zip(axes, ("tuft", "soma"), strict=False):
        for n in NUMBERS:
            trace = runs["with Ca spike"].trace(f"n{n}.{part}.v")[0]
            ax.plot(trace.index, trace, color=colormaps["magma"](1 - n / 220), linewidth=0.9)
        ax.set(xlabel="time (ms)", title=f"{part}, {NUMBERS[0]} to {NUMBERS[-1]} synapses")
    for (label, result), colour in zip(runs.items(), ("#C2185B", "#888888"), strict=True):
        peak = [result.trace(f"n{n}.tuft.v")[0].max() for n in NUMBERS]
        axes[2].plot(NUMBERS, peak, ".-", color=colour, label=label)
    axes[0].set_ylabel("membrane potential (mV)")
    axes[2].set(xlabel="synapses on the tuft", title="peak in the tuft")
    axes[2].legend(loc="upper left")
    figure.savefig(OUT / "dendritic_spike.png")
