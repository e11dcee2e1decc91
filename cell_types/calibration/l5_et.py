"""Fit the thick-tufted layer 5 cell of fidelity ``hh``: features, sag, resonance and P05 to P09.

``python -m cell_types.calibration.l5_et [GENERATIONS]`` starts from the knobs in
``cell_types/data/fitted_hh.yaml``, refines them with CMA-ES (seed fixed) and writes them back with
the parameters that follow from them. Knobs are few: densities of soma and basal dendrites,
gradients along the apical dendrite, and its geometry.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from cell_types._hh import CHANNELS
from cell_types._l5_et import APICAL, BLUEPRINT, HOT, TUFT, distances

NAME = "L5_ET"
# Distances (um) up to which sodium and Kv3, and h current, change along the apical dendrite.
SODIUM_END, IH_END = 660.0, 600.0


@dataclass(frozen=True)
class Range:
    """Bounds of a knob, and its unit; searched on a logarithmic scale unless `linear`."""

    low: float
    high: float
    linear: bool = False

    def value(self, x: float) -> float:
        """The knob at a position from 0 to 1."""
        if self.linear:
            return self.low + (self.high - self.low) * x
        return self.low * (self.high / self.low) ** x

    def position(self, value: float) -> float:
        """Inverse of :meth:`value`, limited to the range."""
        if self.linear:
            x = (value - self.low) / (self.high - self.low)
        else:
            x = math.log(value / self.low) / math.log(self.high / self.low)
        return min(max(x, 0.0), 1.0)


# Densities in uS/cm2 around those of Hay et al. 2011 (``model_*`` rows of targets.csv); suffix
# ``_soma``, ``_basal``, ``_near`` and ``_far`` (apical, near the soma and far), ``_tuft``.
KNOBS: dict[str, Range] = {
    "NaTa_soma": Range(3e5, 4e6), "Kv3_soma": Range(1e5, 2e6), "NaP_soma": Range(30, 4e3),
    "A_soma": Range(1e3, 2e5), "M_soma": Range(1, 2e3), "SK_soma": Range(100, 1e5),
    "sAHP_soma": Range(1, 2e3), "CaHVA_soma": Range(30, 3e3), "CaT_soma": Range(30, 6e3),
    "gamma_soma": Range(2e-4, 2e-2), "tau_soma": Range(20, 700),
    "NaTa_basal": Range(1e3, 2e5), "Kv3_basal": Range(1e3, 2e5),
    "Ih_soma": Range(10, 600), "Ih_far": Range(100, 6e3), "Ih_slope": Range(1, 4.5, True),
    "Ih_tuft": Range(500, 4e4),
    "NaTa_near": Range(5e3, 1.5e5), "NaTa_far": Range(3e3, 8e4),
    "Kv3_near": Range(100, 5e4), "Kv3_far": Range(50, 2e4),
    "CaHVA_hot": Range(50, 4e3), "CaT_hot": Range(100, 1.2e5), "SK_hot": Range(10, 2e4),
    "M_tuft": Range(1, 3e3), "gamma_hot": Range(1e-4, 1e-2), "tau_hot": Range(20, 250),
    "leak_soma": Range(8, 80), "leak_apical": Range(10, 120), "E_leak": Range(-98, -80, True),
    "diameter_trunk": Range(0.45, 1.1), "diameter_tuft": Range(0.35, 1.2),
    "area_basal": Range(0.8, 2.5), "area_trunk": Range(1, 2.5), "area_tuft": Range(1, 3),
    "r_axial": Range(70, 250), "NaTa_shift": Range(-6, 8, True), "Ih_shift": Range(-5, 12, True),
}  # fmt: skip


def values(knobs: Mapping[str, float]) -> dict[str, str]:
    """Parameters of the cell by path that follow from the knobs."""
    found: dict[str, str] = {"*.r_axial": f"{knobs['r_axial']:.5g} ohm cm"}
    for channel in BLUEPRINT.parts["soma"].channels:
        if f"{channel}_soma" in knobs:
            found[f"soma.{channel}.g_max"] = _density(knobs[f"{channel}_soma"])
    for channel in ("NaTa", "Kv3"):
        found[f"basal.{channel}.g_max"] = _density(knobs[f"{channel}_basal"])
    for name in ("basal", "basal2"):
        found[f"{name}.Ih.g_max"] = _density(knobs["Ih_soma"])
    for name in ("soma", "basal"):
        found[f"{name}.NaTa.v_shift"] = f"{knobs['NaTa_shift']:.4g} mV"
    found["*.Ih.v_shift"] = f"{knobs['Ih_shift']:.4g} mV"
    found["basal.area_factor"] = f"{knobs['area_basal']:.5g}"
    for name, suffix in (("soma", "soma"), *((h, "hot") for h in HOT)):
        found[f"{name}.calcium.gamma"] = f"{knobs[f'gamma_{suffix}']:.5g}"
        found[f"{name}.calcium.tau_decay"] = f"{knobs[f'tau_{suffix}']:.5g} ms"
    for name in HOT:
        for channel in ("CaHVA", "CaT", "SK"):
            found[f"{name}.{channel}.g_max"] = _density(knobs[f"{channel}_hot"])
    return found | _apical(knobs) | _leak(knobs)


def _apical(knobs: Mapping[str, float]) -> dict[str, str]:
    """Geometry and gradients of the apical dendrite.

    Ih rises exponentially up to the nexus (Kole et al. 2006, 10.1523/JNEUROSCI.3664-05.2006) and is
    uniform in the tuft; sodium and Kv3 change exponentially up to the nexus.
    """
    found: dict[str, str] = {}
    for name, distance in distances().items():
        part = "tuft" if name in TUFT else "trunk"
        diameter = BLUEPRINT.parts[name].diameter * knobs[f"diameter_{part}"]
        found[f"{name}.diameter"] = f"{diameter:.5g} um"
        found[f"{name}.area_factor"] = f"{knobs[f'area_{part}']:.5g}"
        x = min(distance, SODIUM_END) / SODIUM_END
        for channel in ("NaTa", "Kv3"):
            near, far = knobs[f"{channel}_near"], knobs[f"{channel}_far"]
            found[f"{name}.{channel}.g_max"] = _density(near * (far / near) ** x)
        found[f"{name}.Ih.g_max"] = _density(
            knobs["Ih_tuft"] if name in TUFT else _h_current(knobs, distance)
        )
        if name in TUFT:
            found[f"{name}.M.g_max"] = _density(knobs["M_tuft"])
    return found


def _h_current(knobs: Mapping[str, float], distance: float) -> float:
    slope = knobs["Ih_slope"]
    rise = math.expm1(slope * min(distance, IH_END) / IH_END) / math.expm1(slope)
    return knobs["Ih_soma"] + (knobs["Ih_far"] - knobs["Ih_soma"]) * rise


def _leak(knobs: Mapping[str, float]) -> dict[str, str]:
    """Both leaks: together a density and a reversal, the potassium share as in other cells."""
    share = BLUEPRINT.potassium_share
    e_k = CHANNELS["leak_K"]("0 uS/cm2").E_rev.to("mV")
    found = {"*.E_leak": f"{(knobs['E_leak'] - share * e_k) / (1 - share):.5g} mV"}
    for name in BLUEPRINT.parts:
        total = knobs["leak_apical" if name in APICAL else "leak_soma"]
        found[f"{name}.g_leak"] = _density((1 - share) * total)
        found[f"{name}.leak_K.g_max"] = _density(share * total)
    return found


def _density(x: float) -> str:
    return f"{x:.5g} uS/cm2"
