"""The circuits of the tests, each built once, and the tables read independently of the builder."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

import microcircuits
from biomod.model import Circuit

DATA = Path(microcircuits.__file__).parent / "data"
CLASSES = {"PC": "L2/3_Exc", "PV": "L2/3_PV", "SST": "L2/3_SST", "VIP": "L2/3_VIP"}
LINES = {"PC": "e23Cux2", "PV": "i23Pvalb", "SST": "i23Sst", "VIP": "i23Vip"}


@dataclass(frozen=True)
class Row:
    p_max: float
    sigma_um: float
    psp_mV: float
    latency_ms: float
    target: str


@cache
def circuit_of(name: str, cells: int, seed: int) -> Circuit:
    return microcircuits.get(name, cells=cells, seed=seed)


@pytest.fixture(scope="session")
def circuit() -> Callable[..., Circuit]:
    def get(name: str = "l23", cells: int = 400, seed: int = 1) -> Circuit:
        return circuit_of(name, cells, seed)

    return get


@pytest.fixture(scope="session")
def table() -> dict[str, Row]:
    """Rows of connectivity.csv by the key of the projection in l23."""
    with (DATA / "connectivity.csv").open() as file:
        rows = {(r["presynaptic_type"], r["postsynaptic_type"]): r for r in csv.DictReader(file)}
    return {
        f"{pre}->{post}": Row(
            float(r["p_max"]),
            float(r["sigma_um"]),
            float(r["psp_median_resting_mV"]),
            float(r["latency_ms"]),
            r["target_compartment"],
        )
        for pre in CLASSES
        for post in CLASSES
        for r in [rows[CLASSES[pre], CLASSES[post]]]
    }


@pytest.fixture(scope="session")
def density() -> dict[str, float]:
    """Cells per mm2 by population of l23."""
    with (DATA / "counts.csv").open() as file:
        rows = {r["cell_type"]: float(r["density_per_mm2"]) for r in csv.DictReader(file)}
    return {name: rows[line] for name, line in LINES.items()}
