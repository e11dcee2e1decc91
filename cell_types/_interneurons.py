"""Interneurons: PV basket, SST Martinotti and VIP cells."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

from biomod.mechanisms.channels import integrate_and_fire as channels
from biomod.mechanisms.channels import leak_K
from biomod.mechanisms.neuromodulation import express
from biomod.model import Cell, Coupling, Dendrite, Soma, SomaticSpike
from biomod.units import Quantity
from cell_types._common import (
    COUPLING,
    SPINES,
    cylinder,
    potassium_leak,
    receptors,
    sources_of,
    variations,
)


def interneuron(
    name: str,
    summary: str,
    dendrites: tuple[str, ...],
    active: Mapping[str, Quantity],
    fitted: Mapping[str, Quantity],
) -> Cell:
    """An interneuron with an unbranched chain of dendritic compartments."""
    adaptation = channels.sAHP(fitted["g_sAHP"], spike_jump=0.1, tau=fitted["tau_sAHP"])
    fast = channels.fAHP(fitted["g_fAHP"], active["tau_fAHP"])
    sag = (channels.Ih(active["g_Ih"]),) if "g_Ih" in active else ()
    soma = Soma(
        "soma", **cylinder(name, "soma", fitted),
        channels=(leak_K(potassium_leak(fitted)), adaptation, fast, *sag),
        receptors=receptors("AMPA", "GABA"),
        spike=SomaticSpike(
            threshold=fitted["threshold"], reset=fitted["reset"], refractory=active["refractory"],
            peak=active["AP_peak"], width=active["AP_width"],
        ),
    )  # fmt: skip
    parts = (
        Dendrite(
            part, **cylinder(name, part, fitted), area_factor=SPINES[name],
            channels=(leak_K(potassium_leak(fitted)),),
            receptors=receptors("AMPA", "NMDA", "GABA"),
        )
        for part in dendrites
    )  # fmt: skip
    chain = ("soma", *dendrites)
    couplings = tuple(
        Coupling(a, b, COUPLING.get(name) if a == "soma" else None) for a, b in pairwise(chain)
    )
    cell = Cell(
        name, (soma, *parts), couplings, variations=variations("sAHP"), species="mouse V1",
        summary=summary, sources=sources_of(name, chain),
    )  # fmt: skip
    return express(cell)
