"""Non-selective cation channels."""

from __future__ import annotations

from biomod.mechanisms.channels._kinetics import E_CATION, E_H, density, rates, shifted
from biomod.model import Channel, Constant, Gate
from biomod.units import QuantityLike, as_quantity, cm, uS


def Ih(g_max: QuantityLike, v_shift: QuantityLike = "0 mV", E_rev: QuantityLike = E_H) -> Channel:
    """Hyperpolarisation-activated cation current (HCN), ``g_max m``.

    Source: Kole, Hallermann & Stuart 2006, J Neurosci 26:1677, 10.1523/JNEUROSCI.3664-05.2006, as
    implemented by Hay et al. 2011, 10.1371/journal.pcbi.1002107.
    """
    m = rates("0.076517 / exprel((v + 154.9) / 11.9)", "0.193 * exp(v / 33.1)")
    return shifted(
        "Ih", g_max, E_rev, (Gate("m", **m),),
        "Kole, Hallermann & Stuart 2006, 10.1523/JNEUROSCI.3664-05.2006; Hay et al. 2011, "
        "10.1371/journal.pcbi.1002107",
        v_shift=v_shift,
    )  # fmt: skip


def CAN(
    g_full: QuantityLike,
    g_max: QuantityLike = 0 * uS / cm**2,
    K_half: QuantityLike = "0.0005 mM",
    tau: QuantityLike = "300 ms",
) -> Channel:
    """Calcium-activated cation current behind afterdepolarisations, ``g_max c``.

    ``c_inf = cai**2 / (cai**2 + K_half**2)``. Closed until a receptor adds a share of `g_full`,
    unless `g_max` is given.

    Source: Haj-Dahmane & Andrade 1999, Eur J Neurosci 11:1973, 10.1046/j.1460-9568.1999.00612.x;
    form of Destexhe et al. 1994, 10.1152/jn.1994.72.2.803; time constant and half concentration
    estimate.
    """
    return Channel(
        "CAN", density(g_max, "CAN"), as_quantity(E_CATION, "mV", "Channel CAN: E_rev"),
        gates=(Gate("c", "tau", "cai**2 / (cai**2 + K_half**2)"),),
        constants=(
            Constant("K_half", K_half, "mM"), Constant("tau", tau, "ms"),
            Constant("g_full", g_full, "uS/cm2"),
        ),
        source="Haj-Dahmane & Andrade 1999, 10.1046/j.1460-9568.1999.00612.x; Destexhe et "
        "al. 1994, 10.1152/jn.1994.72.2.803; sizes estimate",
    )  # fmt: skip
