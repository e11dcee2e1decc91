"""Potassium channels: voltage-gated, calcium-activated, inward rectifying and leak."""

from __future__ import annotations

from biomod.mechanisms.channels._kinetics import E_K, density, rates, shifted
from biomod.model import Channel, Constant, Gate
from biomod.units import QuantityLike, as_quantity


def leak_K(g_max: QuantityLike, E_rev: QuantityLike = E_K) -> Channel:
    """Potassium leak, the part of the resting conductance that Gq-coupled receptors close."""
    return Channel(
        "leak_K",
        g_max=density(g_max, "leak_K"),
        E_rev=as_quantity(E_rev, "mV", "Channel leak_K: E_rev"),
        source="ohmic; its share of the leak is an estimate (Krnjevic et al. 1971, "
        "10.1113/jphysiol.1971.sp009467)",
    )


def Kdr(g_max: QuantityLike, v_shift: QuantityLike = "0 mV", E_rev: QuantityLike = E_K) -> Channel:
    """Delayed rectifier of pyramidal cells (Kv2), ``g_max n``.

    Source: Mainen & Sejnowski 1996, Nature 382:363, 10.1038/382363a0; 23 C, Q10 2.3.
    """
    n = rates("0.18 / exprel(-(v - 25) / 9)", "0.018 / exprel((v - 25) / 9)")
    return shifted(
        "Kdr", g_max, E_rev, (Gate("n", q10=2.3, **n),),
        "Mainen & Sejnowski 1996, 10.1038/382363a0", v_shift=v_shift, celsius=23.0, ion="k",
    )  # fmt: skip


def Kv3(g_max: QuantityLike, v_shift: QuantityLike = "0 mV", E_rev: QuantityLike = E_K) -> Channel:
    """Fast delayed rectifier with a high threshold (Kv3.1), ``g_max n``; brief spikes.

    Source: Rettig et al. 1992, EMBO J 11:2473, 10.1002/j.1460-2075.1992.tb05312.x, as implemented
    by Hay et al. 2011, 10.1371/journal.pcbi.1002107 (SKv3_1); no temperature dependence there.
    """
    return shifted(
        "Kv3", g_max, E_rev,
        (
            Gate(
                "n", "4 / (1 + exp(-(v + 46.56) / 44.14))", "1 / (1 + exp(-(v - 18.7) / 9.7))",
            ),
        ),
        "Rettig et al. 1992, 10.1002/j.1460-2075.1992.tb05312.x; Hay et al. 2011, "
        "10.1371/journal.pcbi.1002107",
        v_shift=v_shift, ion="k",
    )  # fmt: skip


def A(g_max: QuantityLike, v_shift: QuantityLike = "0 mV", E_rev: QuantityLike = E_K) -> Channel:
    """Transient potassium current (A-type, Kv4), ``g_max m**4 h``.

    Source: Korngreen & Sakmann 2000, J Physiol 525:621, 10.1111/j.1469-7793.2000.00621.x, as
    implemented by Hay et al. 2011, 10.1371/journal.pcbi.1002107 (K_Tst); 21 C, Q10 2.3.
    """
    return shifted(
        "A", g_max, E_rev,
        (
            Gate(
                "m", "0.34 + 0.92 * exp(-((v + 81) / 59)**2)", "1 / (1 + exp(-(v + 10) / 19))",
                power=4, q10=2.3,
            ),
            Gate(
                "h", "8 + 49 * exp(-((v + 83) / 23)**2)", "1 / (1 + exp((v + 76) / 10))", q10=2.3
            ),
        ),
        "Korngreen & Sakmann 2000, 10.1111/j.1469-7793.2000.00621.x; Hay et al. 2011, "
        "10.1371/journal.pcbi.1002107",
        v_shift=v_shift, celsius=21.0, ion="k",
    )  # fmt: skip


def D(g_max: QuantityLike, v_shift: QuantityLike = "0 mV", E_rev: QuantityLike = E_K) -> Channel:
    """Slowly inactivating low-threshold potassium current (D-type, Kv1), ``g_max m h``.

    Source: Shu et al. 2007, PNAS 104:11453, 10.1073/pnas.0702041104 (KdShu2007 of ModelDB).
    """
    return shifted(
        "D", g_max, E_rev,
        (
            Gate("m", "0.6", "1 / (1 + exp(-(v + 43) / 8))"),
            Gate("h", "1500", "1 / (1 + exp((v + 67) / 7.3))"),
        ),
        "Shu et al. 2007, 10.1073/pnas.0702041104", v_shift=v_shift, ion="k",
    )  # fmt: skip


def M(g_max: QuantityLike, v_shift: QuantityLike = "0 mV", E_rev: QuantityLike = E_K) -> Channel:
    """Muscarine-sensitive potassium current (Kv7), ``g_max p``: slow, does not inactivate.

    Source: Adams, Brown & Constanti 1982, J Physiol 330:537, 10.1113/jphysiol.1982.sp014357, as
    implemented by Hay et al. 2011, 10.1371/journal.pcbi.1002107 (Im); 21 C, Q10 2.3.
    """
    p = rates("0.0033 * exp(0.1 * (v + 35))", "0.0033 * exp(-0.1 * (v + 35))")
    return shifted(
        "M", g_max, E_rev, (Gate("p", q10=2.3, **p),),
        "Adams, Brown & Constanti 1982, 10.1113/jphysiol.1982.sp014357; Hay et al. 2011, "
        "10.1371/journal.pcbi.1002107",
        v_shift=v_shift, celsius=21.0, ion="k",
    )  # fmt: skip


def Kir(g_max: QuantityLike, v_shift: QuantityLike = "0 mV", E_rev: QuantityLike = E_K) -> Channel:
    """Inward rectifier (Kir2; GIRK when G proteins open it), instantaneous, ``g_max r``.

    The time constant of a few ms there is left out.

    Source: steady state of Wolf et al. 2005, J Neurosci 25:9080, 10.1523/JNEUROSCI.2220-05.2005
    (half activation -82 mV, slope 13 mV).
    """
    return shifted(
        "Kir", g_max, E_rev, (Gate("r", "", "1 / (1 + exp((v + 82) / 13))"),),
        "Wolf et al. 2005, 10.1523/JNEUROSCI.2220-05.2005; instantaneous",
        v_shift=v_shift, ion="k",
    )  # fmt: skip


def SK(g_max: QuantityLike, E_rev: QuantityLike = E_K) -> Channel:
    """Small-conductance calcium-activated potassium current, ``g_max z``.

    ``z_inf = 1 / (1 + (0.43 uM / cai)**4.8)``, time constant 1 ms.

    Source: Kohler et al. 1996, Science 273:1709, 10.1126/science.273.5282.1709, as implemented
    by Hay et al. 2011, 10.1371/journal.pcbi.1002107 (SK_E2).
    """
    return Channel(
        "SK", density(g_max, "SK"), as_quantity(E_rev, "mV", "Channel SK: E_rev"),
        gates=(Gate("z", "1", "1 / (1 + exp(4.8 * log(0.00043 / cai)))"),), ion="k",
        source="Kohler et al. 1996, 10.1126/science.273.5282.1709; Hay et al. 2011, "
        "10.1371/journal.pcbi.1002107",
    )  # fmt: skip


def BK(g_max: QuantityLike, v_shift: QuantityLike = "0 mV", E_rev: QuantityLike = E_K) -> Channel:
    """Large-conductance potassium current that voltage and calcium open together, ``g_max o``.

    ``alpha = 0.28 cai / (cai + 0.48 mM exp(-1.68 F v / R T))``,
    ``beta = 0.48 / (1 + cai / (0.13 uM exp(-2 F v / R T)))`` per ms, T = 34 C.

    Source: Moczydlowski & Latorre 1983, J Gen Physiol 82:511, 10.1085/jgp.82.4.511, in the
    parameters of Migliore et al. 1995, J Neurophysiol 73:1157, 10.1152/jn.1995.73.3.1157.
    """
    alpha = "0.28 * cai / (cai + 0.00048 * exp(-0.063472 * v))"
    beta = "0.48 / (1 + cai / (1.3e-7 * exp(-0.075562 * v)))"
    return shifted(
        "BK", g_max, E_rev, (Gate("o", **rates(alpha, beta)),),
        "Moczydlowski & Latorre 1983, 10.1085/jgp.82.4.511; Migliore et al. 1995, "
        "10.1152/jn.1995.73.3.1157",
        v_shift=v_shift, ion="k",
    )  # fmt: skip


def sAHP(
    g_max: QuantityLike,
    K_half: QuantityLike = "0.0005 mM",
    tau: QuantityLike = "200 ms",
    E_rev: QuantityLike = E_K,
) -> Channel:
    """Slow calcium-activated potassium current behind adaptation, ``g_max z``.

    ``z_inf = cai**2 / (cai**2 + K_half**2)``, time constant `tau`.

    Source: form of Destexhe et al. 1994, J Neurophysiol 72:803, 10.1152/jn.1994.72.2.803 (two
    calcium ions); decay of 100 to 300 ms near 34 C: Abel et al. 2004, J Neurophysiol 91:324,
    10.1152/jn.00754.2003 (from memory); half concentration estimate.
    """
    return Channel(
        "sAHP", density(g_max, "sAHP"), as_quantity(E_rev, "mV", "Channel sAHP: E_rev"),
        gates=(Gate("z", "tau", "cai**2 / (cai**2 + K_half**2)"),),
        constants=(Constant("K_half", K_half, "mM"), Constant("tau", tau, "ms")), ion="k",
        source="Destexhe et al. 1994, 10.1152/jn.1994.72.2.803 (form); Abel et al. 2004, "
        "10.1152/jn.00754.2003; K_half estimate",
    )  # fmt: skip
