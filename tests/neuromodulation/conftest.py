"""Small cells in the conventions of the cell library, one per cell type and fidelity."""

from __future__ import annotations

import pytest

from biomod.mechanisms.neuromodulation import EXCITATORY, express
from biomod.model import (
    Cell,
    Channel,
    Constant,
    Coupling,
    Dendrite,
    DendriticSpike,
    Gate,
    Soma,
    SomaticSpike,
    SynapticReceptor,
)

AMPA = SynapticReceptor("AMPA", "AMPA", "0 mV", "2 ms")
NMDA = SynapticReceptor("NMDA", "NMDA", "0 mV", "60 ms", tau_rise="2 ms", mg="1 mM")
GABA = SynapticReceptor("GABA", "GABA", "-75 mV", "8 ms")
SPIKE = SomaticSpike("-50 mV", "-60 mV", "3 ms")
LEAK = {"g_leak": "30 uS/cm2", "E_leak": "-55 mV"}
LEAK_K = Channel("leak_K", "50 uS/cm2", "-90 mV")
M = Channel("M", "40 uS/cm2", "-90 mV", (Gate("p", "80", "1 / (1 + exp(-(v + 40) / 8))"),))
SAHP = Channel("sAHP", "60 uS/cm2", "-90 mV", (Gate("q", "300", "0", spike_jump=0.1),))
CAN = Channel(
    "CAN",
    "0 uS/cm2",
    "-20 mV",
    (Gate("c", "2000", "0", spike_jump=0.1),),
    (Constant("g_full", "25 uS/cm2", "uS/cm2"),),
)
ADP = Channel(
    "ADP",
    "10 uS/cm2",
    "-20 mV",
    (Gate("a", "tau", "0", spike_jump=0.3),),
    (Constant("tau", "35 ms", "ms"),),
)
IH = Channel(
    "Ih",
    "20 uS/cm2",
    "-30 mV",
    (Gate("h", "50", "1 / (1 + exp((v - v_half) / 8))"),),
    (Constant("v_half", "-82 mV"),),
)


def dendritic_spike(name: str) -> DendriticSpike:
    times = ("2 ms", "2 ms", "5 ms")
    return DendriticSpike(name, "-35 mV", "20 nS", "10 nS", "50 mV", "-80 mV", *times)


def pyramid(name: str) -> Cell:
    soma = Soma(
        "soma",
        "25 um",
        "25 um",
        **LEAK,
        channels=(LEAK_K, M, SAHP, CAN, ADP),
        receptors=(AMPA, GABA),
        spike=SPIKE,
    )
    basal = Dendrite(
        "basal",
        "150 um",
        "2 um",
        **LEAK,
        region="basal",
        channels=(LEAK_K,),
        receptors=(AMPA, NMDA),
    )
    tuft = Dendrite(
        "tuft",
        "300 um",
        "3 um",
        **LEAK,
        region="apical_tuft",
        channels=(LEAK_K, IH),
        receptors=(AMPA, NMDA, GABA),
        spikes=(dendritic_spike("Na"), dendritic_spike("Ca")),
    )
    couplings = (Coupling("soma", "basal", "20 nS"), Coupling("soma", "tuft", "15 nS"))
    return Cell(name, (soma, basal, tuft), couplings)


def interneuron(name: str) -> Cell:
    soma = Soma(
        "soma", "15 um", "15 um", **LEAK, channels=(LEAK_K,), receptors=(AMPA, GABA), spike=SPIKE
    )
    dendrite = Dendrite(
        "dend", "100 um", "2 um", **LEAK, channels=(LEAK_K,), receptors=(AMPA, NMDA, GABA)
    )
    return Cell(name, (soma, dendrite), (Coupling("soma", "dend", "10 nS"),))


def hodgkin_huxley(name: str) -> Cell:
    """Ungated stand-ins would do: only names and constants matter to the resolution."""
    sk = Channel("SK", "20 uS/cm2", "-90 mV", (Gate("z", "100", "0", spike_jump=0.1),))
    nap = Channel(
        "NaP",
        "1 uS/cm2",
        "50 mV",
        (Gate("m", "1", "1 / (1 + exp(-(v - v_half) / 5))"),),
        (Constant("v_half", "-45 mV"),),
    )
    soma = Soma(
        "soma",
        "25 um",
        "25 um",
        **LEAK,
        channels=(LEAK_K, sk, nap, Channel("NaTa", "0 uS/cm2", "50 mV"),
                  Channel("Kv3", "0 uS/cm2", "-90 mV"), Channel("Im", "2 uS/cm2", "-90 mV")),
        receptors=(AMPA, GABA),
    )  # fmt: skip
    tuft = Dendrite(
        "tuft",
        "300 um",
        "3 um",
        **LEAK,
        region="apical_tuft",
        channels=(LEAK_K, IH, Channel("CaHVA", "0 uS/cm2", "120 mV")),
        receptors=(AMPA, NMDA, GABA),
    )
    return Cell(name, (soma, tuft), (Coupling("soma", "tuft", "15 nS"),), fidelity="hh")


def bare(cell_type: str, fidelity: str = "dspike") -> Cell:
    if fidelity == "hh":
        return hodgkin_huxley(cell_type)
    return pyramid(cell_type) if cell_type in EXCITATORY else interneuron(cell_type)


@pytest.fixture(scope="session")
def make():
    """``make("L5_ET")``: a cell of that type with its receptors; ``bare=True`` without."""
    known: dict[tuple[str, str, bool], Cell] = {}

    def cell(cell_type: str, fidelity: str = "dspike", without: bool = False) -> Cell:
        key = (cell_type, fidelity, without)
        if key not in known:
            plain = bare(cell_type, fidelity)
            known[key] = plain if without else express(plain)
        return known[key]

    return cell
