"""The published targets of the cells: medians, spread, and how far a model may be from them."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources

# Quartiles of a normal distribution are 1.349 s.d. apart.
QUARTILES = 1.349
# Spread of rows that have no quartiles (remembered typical values): relative, or in mV. The widths
# and sags with quartiles vary by about this much between cells; sustained rates are "orders of
# magnitude" in the table.
RELATIVE_SD = {
    "AP_half_width": 0.2, "max_sustained_rate": 0.5, "sag_ratio_at_-100mV": 0.4, "Rin": 0.3,
    "tau_m": 0.3, "rheobase_long_square": 0.5, "fI_slope": 0.4, "mean_rate_at_hero_sweep": 0.4,
    "adaptation_index": 1.0, "upstroke_downstroke_ratio": 0.2, "Rin_rat_thick_tufted": 0.3,
}  # fmt: skip
ABSOLUTE_SD = {"AP_threshold_V": 4.0, "V_rest": 5.0, "AP_peak_V": 8.0, "AHP_trough_V": 5.0}
# What the protocol of calibration.features_hh measures. C_m_lumped is tau_m / Rin: not counted.
MEASURED = (
    "V_rest", "Rin", "tau_m", "rheobase_long_square", "fI_slope", "adaptation_index",
    "mean_rate_at_hero_sweep", "first_spike_latency", "max_sustained_rate", "AP_threshold_V",
    "AP_peak_V", "AP_half_width", "AP_width", "upstroke_downstroke_ratio", "fast_trough_V",
    "AHP_trough_V", "sag_ratio_at_-100mV",
)  # fmt: skip
# Of the rat cell, which calibration.features_l5_et measures. Columns q25 and q75 of the rows of Van
# Geit et al. hold mean - s.d. and mean + s.d.
MEASURED_L5_ET = (
    "rate_at_step1", "rate_at_step2", "rate_at_step3", "doublet_ISI_step3",
    "adaptation_index2_step3", "ISI_CV_step3", "AHP_depth_abs_step1", "AHP_depth_abs_slow_step1",
    "AHP_slow_time_step3", "time_to_first_spike_step3", "bAP_amplitude_at_660um",
    "bAP_amplitude_at_800um", "soma_AP_height_in_bAP_protocol", "soma_AP_width",
    "Rin_rat_thick_tufted", "sag_ratio_at_-100mV",
)  # fmt: skip


@dataclass(frozen=True)
class Target:
    """A published value with its unit, spread (s.d.) and source."""

    value: float
    sd: float
    unit: str
    source: str

    def z(self, reached: float) -> float:
        """Distance of a value in s.d."""
        return (reached - self.value) / self.sd


def targets(name: str) -> dict[str, Target]:
    """Targets of one cell type by property, those that the protocol measures."""
    measured = MEASURED_L5_ET if name == "L5_ET" else MEASURED
    found: dict[str, Target] = {}
    path = resources.files("cell_types").joinpath("data/targets.csv")
    rows = list(csv.DictReader(path.read_text().splitlines()))
    for row in rows:
        if row["cell_type"] == name and row["property"] in measured:
            found.setdefault(row["property"], _target(row))
    return {p: found[p] for p in measured if p in found}


def _target(row: Mapping[str, str]) -> Target:
    value = float(row["value"])
    name = row["property"]
    if row["q25"] and row["q75"]:
        spread = 2.0 if name in MEASURED_L5_ET else QUARTILES
        sd = (float(row["q75"]) - float(row["q25"])) / spread
    else:
        sd = ABSOLUTE_SD.get(name) or RELATIVE_SD[name] * abs(value)
    return Target(value, sd, row["unit"], f"{row['source']}, {row['doi']}".strip(", "))
