"""A cell of your own, variants of it, and a file.

Descriptions are frozen: `with_` returns a changed copy, and names the nearest path when one does
not exist. A saved cell reads back equal, and `biomod run mycell.yaml` takes it too. Parameters are
data of the compiled program, so the variants run without compiling again.
"""
# writes: own_cell.png, mycell.yaml

import os
from pathlib import Path

from matplotlib.figure import Figure

import analysis
import biomod as bm
from biomod.mechanisms import passive
from biomod.mechanisms.channels import integrate_and_fire as channels
from biomod.units import ms, pA

OUT = Path(os.environ.get("BIOMOD_EXAMPLE_OUT", "."))
ampa = bm.SynapticReceptor("AMPA", "AMPA", E_rev="0 mV", tau_decay="2 ms")
membrane = {"g_leak": "60 uS/cm2", "E_leak": "-70 mV", "receptors": (ampa,)}
spike = {"threshold": "-50 mV", "reset": "-58 mV", "peak": "30 mV", "width": "0.5 ms"}
slow = channels.sAHP("800 uS/cm2", spike_jump=0.1, tau="120 ms")
fast = channels.fAHP("6000 uS/cm2", tau="3 ms")

cell = bm.Cell(
    "mycell",
    compartments=(
        bm.Soma(
            "soma", length="20 um", diameter="20 um", **membrane, channels=(slow, fast),
            spike=bm.SomaticSpike(refractory="2 ms", **spike),
        ),
        bm.Dendrite("trunk", length="200 um", diameter="2 um", area_factor=2, **membrane),
        bm.Dendrite("tuft", length="150 um", diameter="1.5 um", area_factor=2, **membrane),
    ),
    couplings=(bm.Coupling("soma", "trunk"), bm.Coupling("trunk", "tuft")),
)  # fmt: skip
assert bm.load(bm.save(cell, OUT / "mycell.yaml")) == cell
variants = {
    "as described": cell,
    "trunk 1 µm thick": cell.with_({"trunk.diameter": "1 um"}),
    "no sAHP": cell.with_({"soma.sAHP.g_max": "0 uS/cm2"}),
}
step = bm.step(110 * pA, 50 * ms, 450 * ms)
program = bm.compile(cell, 500 * ms, stimulus=step, record=["soma.v", "tuft.v"])
with analysis.style.context():
    figure = Figure(figsize=(6.4, 3.4), layout="constrained")
    axes = figure.subplots(3, 1, sharex=True, sharey=True)
    for ax, (label, variant) in zip(axes, variants.items(), strict=True):
        result = program.run(circuit=bm.Circuit.of(variant))
        for part, colour in (("soma", "#222222"), ("tuft", "#C2185B")):
            trace = result.trace(f"{part}.v")[0]
            ax.plot(trace.index, trace, color=colour, linewidth=0.9, label=part)
        resistance = passive.input_resistance(variant).to("Mohm")
        title = f"{label}: {len(result.spikes)} spikes; input resistance {resistance:.0f} MΩ"
        ax.set_title(title, loc="left")
    axes[0].legend(loc="lower right", bbox_to_anchor=(1, 0.95), ncols=2)
    figure.supylabel("membrane potential (mV)", fontsize=8)
    axes[-1].set_xlabel("time (ms)")
    figure.savefig(OUT / "own_cell.png")
