"""One cell, two simulators: Brian2 and NEURON.

A cell of fidelity `hh` runs on both from one description. For NEURON its channels become NMODL,
its compartments sections of one segment; both advance it by the same scheme, so that at equal
time steps they differ by rounding only. NEURON's variable time step, `method="cvode"`, is an
independent check of what that time step leaves out. It needs `pip install 'biomod[neuron]'`.
"""
# writes: two_simulators.png

import os
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import analysis
import biomod as bm
from biomod.mechanisms import channels as ch
from biomod.model import Cell, Coupling, Dendrite, Soma
from biomod.units import cm, ms, mV, pA, um, uS

OUT = Path(os.environ.get("BIOMOD_EXAMPLE_OUT", "."))
LEAK = {"g_leak": 50 * uS / cm**2, "E_leak": -70 * mV}

soma = Soma(
    "soma", 20 * um, 20 * um, **LEAK,
    channels=(ch.NaTa("800000 uS/cm2"), ch.Kv3("200000 uS/cm2"), ch.M("200 uS/cm2"),
              ch.CaHVA("300 uS/cm2"), ch.SK("500 uS/cm2")),
    calcium=ch.calcium_pool(80 * ms, gamma=0.05),
)  # fmt: skip
apical = Dendrite("apical", 300 * um, 3 * um, **LEAK, channels=(ch.Ih("300 uS/cm2"),))
cell = Cell("PC", (soma, apical), (Coupling("soma", "apical"),), fidelity="hh")

pulse = bm.step(550 * pA, start=10 * ms, stop=60 * ms)
how = {"stimulus": pulse, "record": ["soma.v", "apical.v"], "dt": 0.025 * ms}
runs = {
    "Brian2": bm.simulate(cell, 70 * ms, backend="numpy", **how),
    "NEURON": bm.simulate(cell, 70 * ms, backend="neuron", **how),
    "NEURON, CVODE": bm.simulate(cell, 70 * ms, backend="neuron", method="cvode", **how),
}

with analysis.style.context():
    figure = Figure(figsize=(6.4, 4.2), layout="constrained")
    top, bottom = figure.subplots(2, 1, sharex=True)
    lines = {"Brian2": "C0-", "NEURON": "C1--", "NEURON, CVODE": "C2:"}
    reference = runs["Brian2"].trace("soma.v")[0]
    for name, run in runs.items():
        v = run.trace("soma.v")[0]
        top.plot(v.index, v, lines[name], label=name)
        difference = np.abs(v - reference)
        print(
            f"{name}: {len(run.spikes)} spikes, {difference.mean():.2g} mV from Brian2 on average"
        )
        if name != "Brian2":
            bottom.semilogy(v.index, np.maximum(difference, 1e-14), lines[name])
    top.set(ylabel="soma (mV)")
    bottom.set(xlabel="time (ms)", ylabel="difference\nfrom Brian2 (mV)")
    top.legend()
    figure.savefig(OUT / "two_simulators.png")
