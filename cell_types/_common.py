"""What all cell types share: geometry, leak, synaptic receptors, variability, sources."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict

from biomod.model import SynapticReceptor, Variation
from biomod.units import Quantity, mM, ms, mV, nS, um

# Share of the resting conductance that is potassium leak (the rest is a mixed leak whose reversal
# is fitted to the resting potential). Estimate.
K_SHARE = 0.6

# Length and diameter in um. Start values of geometry[recommended_reduced] of the targets table
# (this project, estimate); L4_PC by analogy with L23_PC, CCK_basket with SST_Martinotti.
GEOMETRY: dict[str, dict[str, tuple[float, float]]] = {
    "L23_PC": {"soma": (18, 18), "basal": (150, 3.5), "trunk": (150, 2.2), "tuft": (150, 3.0)},
    "L4_PC": {"soma": (16, 16), "basal": (150, 3.5), "trunk": (150, 2.0), "tuft": (120, 2.5)},
    "L5_IT": {"soma": (20, 20), "basal": (200, 4.5), "trunk": (400, 2.2), "tuft": (150, 2.5)},
    "L5_ET": {"soma": (23, 23), "basal": (250, 8.0), "trunk": (500, 4.5), "tuft": (400, 5.0)},
    "L6_CT": {"soma": (15, 15), "basal": (150, 3.0), "trunk": (250, 1.8), "tuft": (100, 1.8)},
    "PV_basket": {"soma": (15, 15), "proximal": (80, 4.0), "distal": (150, 2.0)},
    "SST_Martinotti": {"soma": (14, 14), "dend": (200, 3.0)},
    "VIP": {"soma": (12, 12), "dend": (200, 2.0)},
    "NDNF_L1": {"soma": (12, 12), "dend": (100, 2.5)},
    "CCK_basket": {"soma": (14, 14), "dend": (200, 3.0)},
}

# Factor on the dendritic area for spines and for the branches lumped into one cylinder, chosen so
# that the fitted specific capacitance is near 1 uF/cm2.
SPINES = {
    "L23_PC": 3.6, "L4_PC": 3.8, "L5_IT": 2.9, "L5_ET": 1.0, "L6_CT": 3.5,
    "PV_basket": 2.9, "SST_Martinotti": 4.8, "VIP": 4.9,
    "NDNF_L1": 6.7, "CCK_basket": 3.0,
}  # fmt: skip

# Coupling of the soma to its nearest dendrites. The half cylinders of these short, thick lumped
# dendrites would make them one compartment with the soma (85-265 nS); the couplings of Dendrify's
# published cells are 2-22 nS for one branch each. Estimate; the others are half cylinders.
COUPLING = {
    "L23_PC": 30 * nS, "L4_PC": 25 * nS, "L5_IT": 35 * nS, "L5_ET": 60 * nS, "L6_CT": 25 * nS,
    "PV_basket": 40 * nS,
}  # fmt: skip

# Spread between cells of one type. The quartiles of the targets give a CV of the input resistance
# of about 0.3 within a Cre line, which includes recording error; half of it is taken. With a share
# of 0.6 and 0.4 of the conductance, a CV of 0.2 of each leak gives 0.2 * sqrt(0.6**2 + 0.4**2).
_SPREAD = "half of the interquartile spread of Rin in the targets table (estimate)"
VARIATIONS_COMMON = (
    Variation("*.g_leak", "lognormal", cv=0.2, source=_SPREAD),
    Variation("*.leak_K.g_max", "lognormal", cv=0.2, source=_SPREAD),
    Variation("*.cm", "lognormal", cv=0.10, source="spread of C_m_lumped (estimate)"),
    Variation(
        "soma.spike.threshold",
        "normal",
        sd="1.5 mV",
        source="spread of AP_threshold_V, q25-q75 about 4 mV; half of it (estimate)",
    ),
)


def variations(*channels: str) -> tuple[Variation, ...]:
    """The common variations, and one of the density of each of these somatic channels."""
    source = "estimate; adaptation_index varies by a factor of 4"
    extra = (Variation(f"soma.{c}.g_max", "lognormal", cv=0.2, source=source) for c in channels)
    return (*VARIATIONS_COMMON, *extra)


AMPA = SynapticReceptor(
    "AMPA", "AMPA", E_rev=0 * mV, tau_decay=1.7 * ms,
    source="decay 1.7 ms: Markram et al. 2015, 10.1016/j.cell.2015.09.029 (from memory); "
    "instantaneous rise",
)  # fmt: skip
NMDA = SynapticReceptor(
    "NMDA", "NMDA", E_rev=0 * mV, tau_rise=2 * ms, tau_decay=43 * ms, mg=1 * mM,
    source="decay 43 ms: Markram et al. 2015, 10.1016/j.cell.2015.09.029 (from memory); "
    "rise estimate; block: Jahr & Stevens 1990",
)  # fmt: skip
GABA = SynapticReceptor(
    "GABA", "GABA", E_rev=-75 * mV, tau_rise=0.5 * ms, tau_decay=8 * ms,
    source="decay 8 ms: Markram et al. 2015, 10.1016/j.cell.2015.09.029 (from memory); "
    "reversal on the uncorrected scale (estimate)",
)  # fmt: skip
# Synapses of Martinotti cells on tufts are slower (Markram et al. 2015: about 10 ms; estimate).
GABA_SLOW = GABA.with_(tau_rise=1 * ms, tau_decay=12 * ms)
_BY_NAME = {"AMPA": AMPA, "NMDA": NMDA, "GABA": GABA}


def receptors(*names: str) -> tuple[SynapticReceptor, ...]:
    """Synaptic receptors by name."""
    return tuple(_BY_NAME[n] for n in names)


class Cylinder(TypedDict):
    """Size and passive membrane of a compartment, as its class takes them."""

    length: Quantity
    diameter: Quantity
    cm: Quantity
    g_leak: Quantity
    E_leak: Quantity


def cylinder(name: str, part: str, fitted: Mapping[str, Quantity]) -> Cylinder:
    """Size and passive membrane of one compartment of a cell type.

    The mixed leak is the resting conductance less its potassium share.
    """
    length, diameter = GEOMETRY[name][part]
    return {
        "length": length * um,
        "diameter": diameter * um,
        "cm": fitted["cm"],
        "g_leak": (1 - K_SHARE) * fitted["g_total"],
        "E_leak": fitted["E_leak"],
    }


def potassium_leak(fitted: Mapping[str, Quantity]) -> Quantity:
    """Density of the potassium leak."""
    return K_SHARE * fitted["g_total"]


_FITTED = (
    "g_leak", "leak_K.g_max", "E_leak", "cm", "M.g_max", "sAHP.g_max", "sAHP.tau",
    "fAHP.g_max", "spike.threshold", "spike.reset",
)  # fmt: skip


def sources_of(name: str, compartments: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Where the values of a cell come from, by path prefix."""
    fitted = (
        f"fitted to the {name} rows of cell_types/data/targets.csv (Gouwens et al. 2019, "
        "10.1038/s41593-019-0417-0)"
    )
    geometry = "geometry[recommended_reduced] in cell_types/data/targets.csv (estimate)"
    kinetics = "see biomod.mechanisms.channels"
    spike = "AP_peak_V and AP_half_width rows of targets.csv; refractory estimate"
    found = [("", "estimate"), ("soma.spike", spike)]
    for c in compartments:
        found.append((c, geometry))
        for receptor, model in _BY_NAME.items():
            found.append((f"{c}.{receptor}", model.source))
        for part in ("M", "sAHP", "fAHP", "leak_K", "Ih", "CAN"):
            found.append((f"{c}.{part}", kinetics))
        found.extend((f"{c}.{p}", fitted) for p in _FITTED)
        for part in ("GIRK", "SK", "nAChR", "HTR3"):
            found.append((f"{c}.{part}", "opened by neuromodulators only"))
    return tuple(found)
