"""Cells with channels, for tests that compare two simulators."""

from __future__ import annotations

from typing import Any

from biomod.mechanisms import channels as ch
from biomod.model import (
    Cell, Circuit, Coupling, Dendrite, GapJunctions, Population, Projection, ShortTermPlasticity,
    Soma, SynapticReceptor, Variation,
)  # fmt: skip

RECEPTORS = (
    SynapticReceptor("AMPA", "AMPA", "0 mV", "2 ms", "0.2 ms"),
    SynapticReceptor("NMDA", "NMDA", "0 mV", "50 ms", "3 ms", mg="1 mM"),
    SynapticReceptor("GABA", "GABA", "-70 mV", "8 ms", "0.5 ms"),
    SynapticReceptor("GABA_B", "GABA_B", "-90 mV", "150 ms", "40 ms"),
    SynapticReceptor("fast", "AMPA", "0 mV", "3 ms"),
)


def spiking_cell(name: str = "cell") -> Cell:
    """Soma and two dendrites with spikes, calcium, a calcium-activated current and a sag."""
    soma = Soma(
        "soma", "20 um", "20 um", "50 uS/cm2", "-70 mV",
        channels=(
            ch.NaTa("800000 uS/cm2"), ch.Kv3("200000 uS/cm2"), ch.M("500 uS/cm2"),
            ch.CaHVA("300 uS/cm2"), ch.SK("2000 uS/cm2"),
        ),
        receptors=RECEPTORS, calcium=ch.calcium_pool("80 ms", 0.05),
    )  # fmt: skip
    basal = Dendrite(
        "basal", "150 um", "2 um", "50 uS/cm2", "-70 mV", area_factor=1.9,
        channels=(ch.Ih("20 uS/cm2"),), receptors=RECEPTORS,
    )  # fmt: skip
    apical = Dendrite(
        "apical", "300 um", "3 um", "50 uS/cm2", "-70 mV", area_factor=1.9,
        channels=(ch.NaTa("10000 uS/cm2"), ch.Ih("300 uS/cm2"), ch.Kir("50 uS/cm2")),
        receptors=RECEPTORS,
    )  # fmt: skip
    couplings = (Coupling("soma", "basal"), Coupling("apical", "soma", "40 nS"))
    return Cell(name, (soma, basal, apical), couplings, fidelity="hh")


def interneuron(name: str = "interneuron") -> Cell:
    """A fast-spiking soma with a dendrite."""
    soma = Soma(
        "soma", "15 um", "15 um", "100 uS/cm2", "-68 mV",
        channels=(ch.NaTa("800000 uS/cm2"), ch.Kv3("500000 uS/cm2")), receptors=RECEPTORS,
    )  # fmt: skip
    dend = Dendrite("dend", "100 um", "2 um", "100 uS/cm2", "-68 mV", receptors=RECEPTORS)
    return Cell(
        name, (soma, dend), (Coupling("soma", "dend"),), fidelity="hh",
        variations=(Variation("*.g_leak", "lognormal", cv=0.2),),
    )  # fmt: skip


def small_circuit(seed: int = 1, gaps: bool = True, **more: Any) -> Circuit:
    """Six excitatory cells and four interneurons, with every kind of synapse."""
    stp = ShortTermPlasticity(0.5, "200 ms", "50 ms")
    glutamate = (("AMPA", 1.0), ("NMDA", 0.4))
    projections = (
        Projection("E", "E", 0.6, "1.5 nS", (("basal", 0.5), ("apical", 0.5)), glutamate,
                   delay="1.3 ms", weight_shape=0.4),
        Projection("E", "I", 0.9, "3 nS", (("dend", 1.0),), glutamate, delay="1 ms", stp=stp),
        Projection("I", "E", 0.9, "3 nS", (("soma", 1.0),), (("GABA", 1.0), ("GABA_B", 0.2)),
                   delay="0.7 ms"),
        Projection("I", "I", 0.8, "1 nS", (("soma", 1.0),), (("GABA", 1.0),), delay="0.6 ms"),
    )  # fmt: skip
    junctions = (GapJunctions("I", "I", "soma", "0.4 nS", 0.9, g_shape=0.3),)
    populations = (
        Population("E", spiking_cell(), 6), Population("I", interneuron(), 4),
    )  # fmt: skip
    return Circuit(
        "small", populations, projections, seed=seed, gap_junctions=junctions if gaps else (),
        **more,
    )  # fmt: skip
