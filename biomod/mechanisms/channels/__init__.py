"""The channel library: kinetics with units and sources, written once for every simulator.

Each function returns a :class:`~biomod.model.Channel` of the density asked for. Those of
integrate-and-fire cells, which have no action potentials to open channels, are in
:mod:`~biomod.mechanisms.channels.integrate_and_fire`.
"""

from biomod.mechanisms.channels import integrate_and_fire
from biomod.mechanisms.channels.calcium import CaHVA, CaR, CaT, calcium_pool
from biomod.mechanisms.channels.cation import CAN, Ih
from biomod.mechanisms.channels.potassium import BK, SK, A, D, Kdr, Kir, Kv3, M, leak_K, sAHP
from biomod.mechanisms.channels.sodium import NaP, NaTa
from biomod.mechanisms.channels.squid import K_squid, Na_squid
from biomod.model import Channel

__all__ = [
    "BK",
    "CAN",
    "SK",
    "A",
    "CaHVA",
    "CaR",
    "CaT",
    "D",
    "Ih",
    "K_squid",
    "Kdr",
    "Kir",
    "Kv3",
    "M",
    "NaP",
    "NaTa",
    "Na_squid",
    "calcium_pool",
    "channels",
    "integrate_and_fire",
    "leak_K",
    "sAHP",
]


def channels() -> dict[str, Channel]:
    """Every channel of the library at a typical density.

    Those of integrate-and-fire cells have ``_dspike`` behind their name.
    """
    voltage_gated = (
        NaTa("500000 uS/cm2"),
        NaP("1000 uS/cm2"),
        Kdr("50000 uS/cm2"),
        Kv3("100000 uS/cm2"),
        A("10000 uS/cm2"),
        D("1000 uS/cm2"),
        M("100 uS/cm2"),
        Kir("50 uS/cm2"),
        SK("1000 uS/cm2"),
        BK("1000 uS/cm2"),
        sAHP("200 uS/cm2"),
        leak_K("20 uS/cm2"),
        CaHVA("500 uS/cm2"),
        CaT("1000 uS/cm2"),
        CaR("300 uS/cm2"),
        Ih("100 uS/cm2"),
        CAN("50 uS/cm2"),
        Na_squid(),
        K_squid(),
    )
    of_spikes = (
        integrate_and_fire.M("200 uS/cm2", spike_jump=0.1),
        integrate_and_fire.sAHP("200 uS/cm2", spike_jump=0.1),
        integrate_and_fire.fAHP("3000 uS/cm2", "4 ms"),
        integrate_and_fire.Ih("50 uS/cm2"),
        integrate_and_fire.CAN("50 uS/cm2"),
    )
    found = {c.name: c for c in voltage_gated}
    return found | {f"{c.name}_dspike": c for c in of_spikes}
