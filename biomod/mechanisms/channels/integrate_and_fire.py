"""Channels of integrate-and-fire (``dspike``) cells.

The somatic voltage of such a cell never runs through an action potential, so the channels that
open during one are opened by the spike itself (``Gate.spike_jump``), and those that calcium opens
need no calcium. Voltages are on the scale of recordings that are not corrected for the liquid
junction potential (about -14 mV), as the targets of the cell types are.
"""

from __future__ import annotations

from biomod.mechanisms.channels._kinetics import E_CATION, E_H, E_K, density
from biomod.model import Channel, Constant, Gate
from biomod.units import QuantityLike, cm, uS


def M(g_max: QuantityLike, spike_jump: float = 0.0, v_half: QuantityLike = "-45 mV") -> Channel:
    """Muscarine-sensitive potassium current (Kv7): slow, non-inactivating, subthreshold.

    ``p_inf = 1 / (1 + exp(-(v - v_half) / 5))``; time constant at most 100 ms, shorter away from
    ``v_half``. The half activation is 10 mV below that of Adams et al. because the effective
    threshold of an integrate-and-fire soma is lower than that of the upstroke (estimate).

    Source: Adams, Brown & Constanti 1982, J Physiol 330:537, 10.1113/jphysiol.1982.sp014357.
    """
    return Channel(
        "M", g_max=density(g_max, "M"), E_rev=E_K,
        gates=(
            Gate(
                "p",
                tau="200 / (exp((v - v_half) / 10) + exp(-(v - v_half) / 10)) + 10",
                steady_state="1 / (1 + exp(-(v - v_half) / 5))",
                spike_jump=spike_jump,
            ),
        ),
        constants=(Constant("v_half", v_half),),
        source="Adams, Brown & Constanti 1982, 10.1113/jphysiol.1982.sp014357; v_half shifted "
        "(estimate)",
    )  # fmt: skip


def sAHP(g_max: QuantityLike, spike_jump: float, tau: QuantityLike = "200 ms") -> Channel:
    """Slow after-hyperpolarising potassium current that calcium entry during spikes opens.

    A spike opens the fraction `spike_jump` of the closed channels, which close with `tau`.

    Source: Benda & Herz 2003, Neural Comput 15:2523, 10.1162/089976603322385063 (form);
    McCormick & Williamson 1989, 10.1073/pnas.86.20.8098 (role).
    """
    return Channel(
        "sAHP", g_max=density(g_max, "sAHP"), E_rev=E_K,
        gates=(Gate("z", tau="tau", spike_jump=spike_jump),),
        constants=(Constant("tau", tau, "ms"),),
        source="Benda & Herz 2003, 10.1162/089976603322385063",
    )  # fmt: skip


def Ih(g_max: QuantityLike, v_half: QuantityLike = "-97 mV") -> Channel:
    """Hyperpolarisation-activated cation current (HCN).

    ``h_inf = 1 / (1 + exp((v - v_half) / 8))``, time constant a bell of at most 60 ms.

    Source: Kole, Hallermann & Stuart 2006, J Neurosci 26:1677,
    10.1523/JNEUROSCI.3664-05.2006; half activation shifted to the uncorrected scale (estimate).
    """
    return Channel(
        "Ih", g_max=density(g_max, "Ih"), E_rev=E_H,
        gates=(
            Gate(
                "h",
                tau="100 / (exp((v - v_half) / 15) + exp(-(v - v_half) / 15)) + 10",
                steady_state="1 / (1 + exp((v - v_half) / 8))",
            ),
        ),
        constants=(Constant("v_half", v_half),),
        source="Kole, Hallermann & Stuart 2006, 10.1523/JNEUROSCI.3664-05.2006; v_half estimate",
    )  # fmt: skip


def fAHP(g_max: QuantityLike, tau: QuantityLike) -> Channel:
    """Fast after-hyperpolarisation: delayed-rectifier potassium channels that a spike opens.

    In an integrate-and-fire soma with a stereotyped action potential they take back the charge
    that the action potential has driven into the dendrites. All open at a spike and close with
    `tau`.

    Source: form as in Destexhe 1997, Neural Comput 9:503, 10.1162/neco.1997.9.3.503 (pulse-based
    Hodgkin-Huxley); conductance fitted.
    """
    return Channel(
        "fAHP", g_max=density(g_max, "fAHP"), E_rev=E_K,
        gates=(Gate("n", tau="tau", spike_jump=1.0),),
        constants=(Constant("tau", tau, "ms"),),
        source="form: Destexhe 1997, 10.1162/neco.1997.9.3.503",
    )  # fmt: skip


def CAN(g_full: QuantityLike, spike_jump: float = 0.1, tau: QuantityLike = "1500 ms") -> Channel:
    """Calcium-activated cation current behind the slow afterdepolarisation; closed at rest.

    Its conductance is 0 until a receptor adds a share of `g_full`.

    Source: Haj-Dahmane & Andrade 1999, Eur J Neurosci 11:1973, 10.1046/j.1460-9568.1999.00612.x.
    """
    return Channel(
        "CAN", g_max=0 * uS / cm**2, E_rev=E_CATION,
        gates=(Gate("c", tau="tau", spike_jump=spike_jump),),
        constants=(Constant("tau", tau, "ms"), Constant("g_full", g_full, "uS/cm2")),
        source="Haj-Dahmane & Andrade 1999, 10.1046/j.1460-9568.1999.00612.x; size estimate",
    )  # fmt: skip
