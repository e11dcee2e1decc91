"""Sodium channels."""

from __future__ import annotations

from biomod.mechanisms.channels._kinetics import E_NA, rates, shifted
from biomod.model import Channel, Gate
from biomod.units import QuantityLike


def NaTa(
    g_max: QuantityLike, v_shift: QuantityLike = "0 mV", E_rev: QuantityLike = E_NA
) -> Channel:
    """Transient sodium current of the action potential, ``g_max m**3 h``.

    Source: Colbert & Pan 2002, Nat Neurosci 5:533, 10.1038/nn0602-857, as implemented by Hay et
    al. 2011, 10.1371/journal.pcbi.1002107 (NaTa_t); 21 C, Q10 2.3.
    """
    m = rates("1.092 / exprel(-(v + 38) / 6)", "0.744 / exprel((v + 38) / 6)")
    h = rates("0.09 / exprel((v + 66) / 6)", "0.09 / exprel(-(v + 66) / 6)")
    return shifted(
        "NaTa", g_max, E_rev, (Gate("m", power=3, q10=2.3, **m), Gate("h", q10=2.3, **h)),
        "Colbert & Pan 2002, 10.1038/nn0602-857; Hay et al. 2011, 10.1371/journal.pcbi.1002107",
        v_shift=v_shift, celsius=21.0, ion="na",
    )  # fmt: skip


def NaP(g_max: QuantityLike, v_shift: QuantityLike = "0 mV", E_rev: QuantityLike = E_NA) -> Channel:
    """Persistent sodium current, ``g_max m**3 h`` with an inactivation of seconds.

    Source: Magistretti & Alonso 1999, J Gen Physiol 114:491, 10.1085/jgp.114.4.491, as
    implemented by Hay et al. 2011, 10.1371/journal.pcbi.1002107 (Nap_Et2); 21 C, Q10 2.3.
    """
    m_tau = "6 / (1.092 / exprel(-(v + 38) / 6) + 0.744 / exprel((v + 38) / 6))"
    h_tau = "1 / (1.33344e-5 / exprel((v + 17) / 4.63) + 1.82522e-5 / exprel(-(v + 64.4) / 2.63))"
    return shifted(
        "NaP", g_max, E_rev,
        (
            Gate("m", m_tau, "1 / (1 + exp(-(v + 52.6) / 4.6))", power=3, q10=2.3),
            Gate("h", h_tau, "1 / (1 + exp((v + 48.8) / 10))", q10=2.3),
        ),
        "Magistretti & Alonso 1999, 10.1085/jgp.114.4.491; Hay et al. 2011, "
        "10.1371/journal.pcbi.1002107",
        v_shift=v_shift, celsius=21.0, ion="na",
    )  # fmt: skip
