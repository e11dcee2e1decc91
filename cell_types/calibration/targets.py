"""The published targets of the cells: medians, spread, and how far a model may be from them."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources

# Rows of the cell type itself stand before those of its Cre line.
ROWS = {"L5_ET": ("L5_ET_Sim1",)}
# Quartiles of a normal distribution are 1.349 s.d. apart.
QUARTILES = 1.349
# Spread of rows that have no quartiles (remembered typical values): relative, or in mV. The widths
# and sags with quartiles vary by about this much between cells; sustained rates are "orders of
# magnitude" in the table.
RELATIVE_SD = {
    "AP_half_width": 0.2, "max_sustained_rate": 0.5, "sag_ratio_at_-100mV": 0.4, "Rin": 0.3,
    "tau_m": 0.3, "rheobase_long_square": 0.5, "fI_slope": 0.4, "mean_rate_at_hero_sweep": 0.4,
    "adaptation_index": 1.0, "upstroke_downstroke_ratio": 0.2,
}  # fmt: skip
ABSOLUTE_SD = {"AP_threshold_V": 4.0, "V_rest": 5.0, "AP_peak_V": 8.0, "AHP_trough_V": 5.0}
# What the protocol of calibration.features_hh measures. C_m_lumped is tau_m / Rin: not counted.
MEASURED = (
    "V_rest", "Rin", "tau_m", "rheobase_long_square", "fI_slope", "adaptation_index",
    "mean_rate_at_hero_sweep", "first_spike_latency", "max_sustained_rate", "AP_threshold_V",
    "AP_peak_V", "AP_half_width", "upstroke_downstroke_ratio", "fast_trough_V", "AHP_trough_V",
    "sag_ratio_at_-100mV",
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
    names = (name, *ROWS.get(name, ()))
    found: dict[str, Target] = {}
    path = resources.files("cell_types").joinpath("data/targets.csv")
    rows = list(csv.DictReader(path.read_text().splitlines()))
    for one in names:
        for row in rows:
            if row["cell_type"] == one and row["property"] in MEASURED:
                found.setdefault(row["property"], _target(row))
    return {p: found[p] for p in MEASURED if p in found}


def _target(row: Mapping[str, str]) -> Target:
    value = float(row["value"])
    name = row["property"]
    if row["q25"] and row["q75"]:
        sd = (float(row["q75"]) - float(row["q25"])) / QUARTILES
    else:
        sd = ABSOLUTE_SD.get(name) or RELATIVE_SD[name] * abs(value)
    return Target(value, sd, row["unit"], f"{row['source']}, {row['doi']}".strip(", "))
