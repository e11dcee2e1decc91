"""Cells with channels, for tests that compare two simulators."""

from __future__ import annotations

from biomod.mechanisms import channels as ch
from biomod.model import Cell, Coupling, Dendrite, Soma, SynapticReceptor

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
