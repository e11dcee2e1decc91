"""Channels and receptors: what they are before any cell has them.

A channel is written once, with units and a source; steady states and time constants here come from
the same text as the simulated equations. A receptor has a concentration–response curve and an onset
and a decay.
"""
# writes: channels.png, receptors.png

import os
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import analysis
from biomod.mechanisms import neuromodulation as nm
from biomod.mechanisms import passive
from biomod.mechanisms.channels import channels
from biomod.model import MODULATORS, Modulator, Pulse
from biomod.units import nM

OUT = Path(os.environ.get("BIOMOD_EXAMPLE_OUT", "."))
v = np.linspace(-130, -20, 400)

with analysis.style.context():
    figure = Figure(figsize=(5.6, 2.4), layout="constrained")
    steady, tau = figure.subplots(1, 2)
    for k, name in enumerate(("Ih", "M")):
        channel = channels()[name]
        constants = {c.name: c.value.to(c.unit) for c in channel.constants}
        for gate in channel.gates:
            x = passive.evaluate(gate.steady_state, v, constants)
            steady.plot(v, x, color=f"C{k}", label=f"{name}.{gate.name}")
            tau.plot(v, passive.evaluate(gate.tau, v, constants), color=f"C{k}")
    steady.set(xlabel="membrane potential (mV)", ylabel="steady state", ylim=(0, 1))
    tau.set(xlabel="membrane potential (mV)", ylabel="time constant (ms)", ylim=(0, None))
    steady.legend(loc="center")
    figure.savefig(OUT / "channels.png")

    figure = Figure(figsize=(7.0, 4.6), layout="constrained")
    axes = figure.subplots(2, len(MODULATORS), sharey="row")
    dose, times = np.logspace(0.5, 6, 200), np.arange(0, 20, 0.01)
    for (top, below), modulator in zip(axes.T, MODULATORS, strict=True):
        pulse = Pulse(start="1 s", duration="4 s", amplitude="10 uM", tau_clearance="50 ms")
        given = Modulator(modulator, pulses=(pulse,))
        for name, receptor in nm.receptors().items():
            if receptor.modulator == modulator:
                top.plot(dose, [receptor.occupancy(c * nM) for c in dose], label=name)
                below.plot(times, nm.activation(receptor, given, times), label=name)
        top.set(xscale="log", xlabel=f"{modulator} (nM)", xticks=[1e1, 1e3, 1e5], ylim=(0, 1))
        top.set_title(MODULATORS[modulator])
        below.axvspan(1, 5, color="#EEEEEE", zorder=0, linewidth=0)
        below.set(xlabel="time (s)", ylim=(0, 1))
        below.legend(loc="upper center", bbox_to_anchor=(0.5, -0.3), fontsize=6, handlelength=1)
    axes[0, 0].set_ylabel("steady activation")
    axes[1, 0].set_ylabel("activation in 4 s of 10 µM")
    figure.savefig(OUT / "receptors.png")
