"""Calcium channels and the pool of free calcium that they fill."""

from __future__ import annotations

from biomod.mechanisms.channels._kinetics import E_CA, rates, shifted
from biomod.model import CalciumPool, Channel, Gate
from biomod.units import QuantityLike, as_quantity


def CaHVA(
    g_max: QuantityLike, v_shift: QuantityLike = "0 mV", E_rev: QuantityLike = E_CA
) -> Channel:
    """High-voltage-activated calcium current (L-type), ``g_max m**2 h``.

    Source: Reuveni et al. 1993, J Neurosci 13:4609, 10.1523/JNEUROSCI.13-11-04609.1993, as
    implemented by Hay et al. 2011, 10.1371/journal.pcbi.1002107 (Ca_HVA).
    """
    m = rates("0.209 / exprel(-(v + 27) / 3.8)", "0.94 * exp(-(v + 75) / 17)")
    h = rates("0.000457 * exp(-(v + 13) / 50)", "0.0065 / (1 + exp(-(v + 15) / 28))")
    return shifted(
        "CaHVA", g_max, E_rev, (Gate("m", power=2, **m), Gate("h", **h)),
        "Reuveni et al. 1993, 10.1523/JNEUROSCI.13-11-04609.1993; Hay et al. 2011, "
        "10.1371/journal.pcbi.1002107",
        v_shift=v_shift, ion="ca",
    )  # fmt: skip


def CaT(g_max: QuantityLike, v_shift: QuantityLike = "0 mV", E_rev: QuantityLike = E_CA) -> Channel:
    """Low-voltage-activated calcium current (T-type), ``g_max m**2 h``.

    Source: Avery & Johnston 1996, J Neurosci 16:5567, 10.1523/JNEUROSCI.16-18-05567.1996;
    Randall & Tsien 1997, Neuropharmacology 36:879, 10.1016/S0028-3908(97)00086-5, as implemented
    by Hay et al. 2011, 10.1371/journal.pcbi.1002107 (Ca_LVAst); 21 C, Q10 2.3.
    """
    return shifted(
        "CaT", g_max, E_rev,
        (
            Gate(
                "m", "5 + 20 / (1 + exp((v + 35) / 5))", "1 / (1 + exp(-(v + 40) / 6))",
                power=2, q10=2.3,
            ),
            Gate(
                "h", "20 + 50 / (1 + exp((v + 50) / 7))", "1 / (1 + exp((v + 90) / 6.4))", q10=2.3
            ),
        ),
        "Avery & Johnston 1996, 10.1523/JNEUROSCI.16-18-05567.1996; Hay et al. 2011, "
        "10.1371/journal.pcbi.1002107",
        v_shift=v_shift, celsius=21.0, ion="ca",
    )  # fmt: skip


def CaR(g_max: QuantityLike, v_shift: QuantityLike = "0 mV", E_rev: QuantityLike = E_CA) -> Channel:
    """R-type calcium current of dendrites, ``g_max m**3 h``.

    Source: Magee & Johnston 1995, J Physiol 487:67, 10.1113/jphysiol.1995.sp020862, as implemented
    by Poirazi, Brannon & Mel 2003, Neuron 37:977, 10.1016/S0896-6273(03)00148-X.
    """
    return shifted(
        "CaR", g_max, E_rev,
        (
            Gate("m", "50", "1 / (1 + exp(-(v + 48.5) / 3))", power=3),
            Gate("h", "5", "1 / (1 + exp(v + 53))"),
        ),
        "Magee & Johnston 1995, 10.1113/jphysiol.1995.sp020862; Poirazi et al. 2003, "
        "10.1016/S0896-6273(03)00148-X",
        v_shift=v_shift, ion="ca",
    )  # fmt: skip


def calcium_pool(tau_decay: QuantityLike = "80 ms", gamma: float = 0.05) -> CalciumPool:
    """Pool of free calcium under the membrane, with the defaults of Hay et al.

    Source: Hay et al. 2011, 10.1371/journal.pcbi.1002107 (CaDynamics_E2).
    """
    return CalciumPool(
        as_quantity(tau_decay, "ms", "calcium_pool: tau_decay"), gamma,
        source="CaDynamics_E2 of Hay et al. 2011, 10.1371/journal.pcbi.1002107",
    )  # fmt: skip
