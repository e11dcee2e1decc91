"""Pyramidal cells: soma, lumped basal dendrites, apical trunk and tuft.

All pyramidal types share one structure (so that they share one compiled program) and differ in
geometry, membrane and active properties.
"""

from __future__ import annotations

from collections.abc import Mapping

from biomod.mechanisms.channels import integrate_and_fire as channels
from biomod.mechanisms.channels import leak_K
from biomod.mechanisms.neuromodulation import express
from biomod.model import Cell, Coupling, Dendrite, DendriticSpike, Soma, SomaticSpike
from biomod.units import Quantity, ms, mV
from cell_types._common import (
    COUPLING,
    GABA_SLOW,
    SPINES,
    cylinder,
    potassium_leak,
    receptors,
    sources_of,
    variations,
)

REGION = {"basal": "basal", "trunk": "apical_trunk", "tuft": "apical_tuft"}


def sodium_spike(g_rise: Quantity, g_fall: Quantity) -> DendriticSpike:
    """Brief dendritic sodium spike; threshold and durations of Dendrify's examples."""
    return DendriticSpike(
        "Na", threshold=-35 * mV, g_rise=g_rise, g_fall=g_fall, E_rise=70 * mV, E_fall=-90 * mV,
        duration_rise=0.6 * ms, duration_fall=2.4 * ms, offset_fall=0.2 * ms, refractory=5 * ms,
        source="Pagkalos et al. 2023, 10.1038/s41467-022-35747-8; conductances estimate",
    )  # fmt: skip


def calcium_spike(g_rise: Quantity, g_fall: Quantity, duration: Quantity) -> DendriticSpike:
    """Dendritic calcium plateau: threshold -30 to -20 mV, 20 to 50 ms (Larkum & Zhu 2002)."""
    return DendriticSpike(
        "Ca", threshold=-25 * mV, g_rise=g_rise, g_fall=g_fall, E_rise=100 * mV, E_fall=-90 * mV,
        duration_rise=duration, duration_fall=10 * ms, offset_fall=duration, refractory=80 * ms,
        source="Larkum & Zhu 2002, 10.1523/JNEUROSCI.22-16-06991.2002; conductances estimate",
    )  # fmt: skip


def pyramidal(
    name: str, summary: str, active: Mapping[str, Quantity], fitted: Mapping[str, Quantity]
) -> Cell:
    """A pyramidal cell from its dendritic properties and its fitted parameters."""
    soma = Soma(
        "soma", **cylinder(name, "soma", fitted),
        channels=(
            leak_K(potassium_leak(fitted)),
            channels.M(fitted["g_M"], spike_jump=0.1),
            channels.sAHP(fitted["g_sAHP"], spike_jump=0.1, tau=fitted["tau_sAHP"]),
            channels.fAHP(fitted["g_fAHP"], active["tau_fAHP"]),
            channels.CAN(active["g_CAN"]),
        ),
        receptors=receptors("AMPA", "GABA"),
        spike=SomaticSpike(
            threshold=fitted["threshold"], reset=fitted["reset"], refractory=2 * ms,
            peak=active["AP_peak"], width=active["AP_width"],
        ),
    )  # fmt: skip
    dendrites = tuple(_dendrite(name, part, active, fitted) for part in REGION)
    couplings = (
        Coupling("soma", "basal", COUPLING[name]),
        Coupling("soma", "trunk"),
        Coupling("trunk", "tuft"),
    )
    spikes = tuple((f"{d.name}.{s.name}", s.source) for d in dendrites for s in d.spikes)
    cell = Cell(
        name, (soma, *dendrites), couplings, variations=variations("M", "sAHP"), species="mouse V1",
        summary=summary, sources=(*sources_of(name, ("soma", *REGION)), *spikes),
    )  # fmt: skip
    return express(cell)


def _dendrite(
    name: str, part: str, active: Mapping[str, Quantity], fitted: Mapping[str, Quantity]
) -> Dendrite:
    extra = (channels.Ih(active["g_Ih"]),) if part == "tuft" else ()
    if part == "tuft":
        spike = calcium_spike(active["g_Ca"], active["g_K_Ca"], active["Ca_duration"])
    else:
        spike = sodium_spike(active[f"g_Na_{part}"], active[f"g_K_{part}"])
    synaptic = receptors("AMPA", "NMDA", "GABA")
    if part == "tuft":
        synaptic = (*receptors("AMPA", "NMDA"), GABA_SLOW)
    return Dendrite(
        part, **cylinder(name, part, fitted), area_factor=SPINES[name],
        region=REGION[part], receptors=synaptic, spikes=(spike,),
        channels=(leak_K(potassium_leak(fitted)), *extra),
    )  # fmt: skip
