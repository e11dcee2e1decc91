"""Interneurons: PV basket, SST Martinotti and VIP cells."""

from __future__ import annotations

from collections.abc import Mapping

from biomod.mechanisms import channels
from biomod.mechanisms.neuromodulation import express
from biomod.model import Cell, Coupling, Dendrite, Soma, SomaticSpike
from cell_types._common import COUPLING, GEOMETRY, leak, potassium_leak, receptors, size, sources_of, variations


def interneuron(
    name: str,
    summary: str,
    dendrites: tuple[str, ...],
    active: Mapping[str, str],
    fitted: Mapping[str, str],
) -> Cell:
    """An interneuron with an unbranched chain of dendritic compartments."""
    membrane = {"cm": fitted["cm"], "g_leak": leak(fitted), "E_leak": fitted["E_leak"]}
    adaptation = channels.sAHP(fitted["g_sAHP"], spike_jump=0.1, tau=fitted["tau_sAHP"])
    fast = channels.fAHP(fitted["g_fAHP"], active["tau_fAHP"])
    sag = (channels.Ih(active["g_Ih"]),) if "g_Ih" in active else ()
    length, diameter = size(name, "soma")
    soma = Soma(
        "soma", length=length, diameter=diameter, **membrane,
        channels=(channels.leak_K(potassium_leak(fitted)), adaptation, fast, *sag),
        receptors=receptors("AMPA", "GABA"),
        spike=SomaticSpike(
            threshold=fitted["threshold"], reset=fitted["reset"], refractory=active["refractory"],
            peak=active["AP_peak"], width=active["AP_width"],
        ),
    )  # fmt: skip
    parts = []
    for part in dendrites:
        length, diameter = size(name, part)
        parts.append(
            Dendrite(
                part, length=length, diameter=diameter, **membrane,
                area_factor=float(GEOMETRY[name]["spines"]),  # type: ignore[arg-type]
                channels=(channels.leak_K(potassium_leak(fitted)),),
                receptors=receptors("AMPA", "NMDA", "GABA"),
            )
        )  # fmt: skip
    chain = ("soma", *dendrites)
    couplings = tuple(
        Coupling(a, b, f"{COUPLING[name]} nS" if a == "soma" and name in COUPLING else None)
        for a, b in zip(chain, chain[1:], strict=False)
    )
    cell = Cell(
        name, (soma, *parts), couplings, variations=variations("sAHP"), species="mouse V1",
        summary=summary, sources=sources_of(name, chain),
    )  # fmt: skip
    return express(cell)
