"""The channels of the squid giant axon, for benchmarks of simulators."""

from __future__ import annotations

from biomod.mechanisms.channels._kinetics import density, rates
from biomod.model import Channel, Gate
from biomod.units import QuantityLike, as_quantity

_SOURCE = "Hodgkin & Huxley 1952, 10.1113/jphysiol.1952.sp004764; rest at -65 mV"


def Na_squid(g_max: QuantityLike = "120000 uS/cm2", E_rev: QuantityLike = "50 mV") -> Channel:
    """Sodium current of the squid axon, ``g_max m**3 h``, at 6.3 C with a Q10 of 3.

    Source: Hodgkin & Huxley 1952, J Physiol 117:500, 10.1113/jphysiol.1952.sp004764.
    """
    m = rates("1 / exprel(-(v + 40) / 10)", "4 * exp(-(v + 65) / 18)")
    h = rates("0.07 * exp(-(v + 65) / 20)", "1 / (1 + exp(-(v + 35) / 10))")
    return Channel(
        "Na_squid", density(g_max, "Na_squid"), as_quantity(E_rev, "mV"),
        gates=(Gate("m", power=3, q10=3.0, **m), Gate("h", q10=3.0, **h)),
        ion="na", celsius=6.3, source=_SOURCE,
    )  # fmt: skip


def K_squid(g_max: QuantityLike = "36000 uS/cm2", E_rev: QuantityLike = "-77 mV") -> Channel:
    """Potassium current of the squid axon, ``g_max n**4``, at 6.3 C with a Q10 of 3.

    Source: Hodgkin & Huxley 1952, J Physiol 117:500, 10.1113/jphysiol.1952.sp004764.
    """
    n = rates("0.1 / exprel(-(v + 55) / 10)", "0.125 * exp(-(v + 65) / 80)")
    return Channel(
        "K_squid", density(g_max, "K_squid"), as_quantity(E_rev, "mV"),
        gates=(Gate("n", power=4, q10=3.0, **n),), ion="k", celsius=6.3, source=_SOURCE,
    )  # fmt: skip
