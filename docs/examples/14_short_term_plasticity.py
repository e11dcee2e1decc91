"""A synapse that depresses, and one that facilitates.

Tsodyks, Pawelzik & Markram 1998 (10.1162/089976698300017502). A cell is made to fire at 20 Hz by
short pulses of current, given as a waveform; its synapses end on two others. Recorded are the
synaptic conductances, sampled every 0.2 ms.
"""
# writes: short_term_plasticity.png

import os
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import analysis
import biomod as bm
from biomod.units import ms, mV, nS

OUT = Path(os.environ.get("BIOMOD_EXAMPLE_OUT", "."))
RULES = {
    "depressing": bm.ShortTermPlasticity(U=0.6, tau_rec="300 ms", tau_facil="10 ms"),
    "facilitating": bm.ShortTermPlasticity(U=0.1, tau_rec="50 ms", tau_facil="500 ms"),
}
soma = bm.Soma(
    "soma", length="20 um", diameter="20 um", g_leak="50 uS/cm2", E_leak=-70 * mV,
    receptors=(bm.SynapticReceptor("AMPA", "AMPA", E_rev=0 * mV, tau_decay=3 * ms),),
    spike=bm.SomaticSpike(threshold="-50 mV", reset="-70 mV", refractory="5 ms"),
)  # fmt: skip
cell = bm.Cell("point", (soma,))
post = tuple(bm.Population(name, cell, 1) for name in RULES)
synapses = tuple(
    bm.Projection(
        "pre", name, p_max=1, weight=0.5 * nS, compartments=(("soma", 1),),
        receptors=(("AMPA", 1),), stp=rule,
    )
    for name, rule in RULES.items()
)  # fmt: skip
circuit = bm.Circuit("pair", (bm.Population("pre", cell, 1), *post), synapses)

times = np.arange(0, 1000, 0.1)
fires = ((times > 50) & (times < 560) & (times % 50 < 0.6)) | (np.abs(times - 900) < 0.31)
current = bm.CurrentWaveform("pre", samples=tuple(600.0 * fires), interval="0.1 ms")
result = bm.simulate(
    circuit,
    1000 * ms,
    stimulus=current,
    record=[bm.record(f"{name}.soma.AMPA.g", interval=0.2 * ms) for name in RULES],
)
with analysis.style.context():
    figure = Figure(figsize=(5.6, 2.8), layout="constrained")
    for ax, (name, rule) in zip(figure.subplots(2, 1, sharex=True), RULES.items(), strict=True):
        trace = result.trace(f"{name}.soma.AMPA.g")[0]
        ax.plot(trace.index, trace, color="#222222", linewidth=0.9)
        recovery, facilitation = rule.tau_rec, rule.tau_facil
        title = f"{name}: U = {rule.U:g}, recovery {recovery}, facilitation {facilitation}"
        ax.set(ylabel="g AMPA (nS)", ylim=(0, None))
        ax.set_title(title, loc="left")
    ax.set(xlabel="time (ms)", xlim=(0, 1000))
    figure.savefig(OUT / "short_term_plasticity.png")
