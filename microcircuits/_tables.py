"""Counts and connectivity of mouse V1, read from the package's data with their sources."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

SOURCE = (
    "Campagnola, Seeman et al. 2022, 10.1126/science.abj5861; p_max from V1DD electron microscopy "
    "via AllenInstitute/biorealistic-v1-model; STP: Markram et al. 2015, 10.1016/j.cell.2015.09.029"
)
# The table takes its depressing set for inhibitory synapses from a model of young rat. Where
# it is right, as in PV cells, strong responses late in trains are 0.9 to 1.6 times the first
# one (psp_median_90th_mV). Synapses that reach this ratio, which those of SST cells do, do not
# depress; they get the table's own pseudo-linear set of interneurons.
NOT_DEPRESSING = 2.0
PSEUDO_LINEAR = (0.2, 200.0, 200.0)  # U, tau_rec and tau_facil in ms


@dataclass(frozen=True)
class Connection:
    """One row of connectivity.csv: how one class connects to another.

    Attributes
    ----------
    p_max, sigma_um : float
        ``p = p_max exp(-d**2 / (2 sigma**2))`` of the lateral distance.
    psp_mV, shape : float
        Median amplitude of the first PSP, and s.d. of its logarithm.
    latency_ms : float
        From presynaptic spike to onset.
    U, tau_rec_ms, tau_facil_ms : float
        Short-term plasticity.
    target : str
        Target compartment in the words of the table.
    """

    p_max: float
    sigma_um: float
    psp_mV: float
    shape: float
    latency_ms: float
    U: float
    tau_rec_ms: float
    tau_facil_ms: float
    target: str


def _rows(name: str) -> list[dict[str, str]]:
    text = resources.files("microcircuits").joinpath(f"data/{name}").read_text()
    return list(csv.DictReader(text.splitlines()))


@cache
def connections() -> dict[tuple[str, str], Connection]:
    """All rows of the mouse V1 data set by (presynaptic, postsynaptic) class."""
    found = {}
    for r in _rows("connectivity.csv"):
        U, tau_rec, tau_facil = _plasticity(r)
        found[r["presynaptic_type"], r["postsynaptic_type"]] = Connection(
            p_max=float(r["p_max"]),
            sigma_um=float(r["sigma_um"]),
            psp_mV=float(r["psp_median_resting_mV"]),
            shape=float(r["lognorm_shape"]),
            latency_ms=float(r["latency_ms"]),
            U=U,
            tau_rec_ms=tau_rec,
            tau_facil_ms=tau_facil,
            target=r["target_compartment"],
        )
    return found


def _plasticity(row: Mapping[str, str]) -> tuple[float, float, float]:
    """U and the time constants (ms) of recovery and facilitation."""
    growth = float(row["psp_median_90th_mV"]) / float(row["psp_median_resting_mV"])
    if row["stp_class"].startswith("I2") and growth >= NOT_DEPRESSING:
        return PSEUDO_LINEAR
    return float(row["U"]), float(row["tau_rec_ms"]), float(row["tau_facil_ms"])


@cache
def densities() -> dict[str, float]:
    """Cells per mm2 of cortical surface by class, summed over the lines of a class."""
    classes = {
        "e23Cux2": "L2/3_Exc", "i23Pvalb": "L2/3_PV", "i23Sst": "L2/3_SST", "i23Vip": "L2/3_VIP",
        "e4Nr5a1": "L4_Exc", "e4Rorb": "L4_Exc", "e4Scnn1a": "L4_Exc", "e4other": "L4_Exc",
        "i4Pvalb": "L4_PV", "i4Sst": "L4_SST", "i4Vip": "L4_VIP", "e5IT": "L5_IT", "e5ET": "L5_ET",
        "i5Pvalb": "L5_PV", "i5Sst": "L5_SST", "i5Vip": "L5_VIP", "e6Ntsr1": "L6_Exc",
        "i6Pvalb": "L6_PV", "i6Sst": "L6_SST", "i6Vip": "L6_VIP",
    }  # fmt: skip
    found: dict[str, float] = {}
    for r in _rows("counts.csv"):
        if (name := classes.get(r["cell_type"])) is not None:
            found[name] = found.get(name, 0.0) + float(r["density_per_mm2"])
    return found
