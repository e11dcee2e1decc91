"""Sizes, projections and background weights of the reference circuit (hh), as engine_circuit.py."""

from __future__ import annotations

import math

SIZES = {"E": 2000, "PV": 250, "SOM": 150, "VIP": 100}
P = 0.1
# Source, target, receptor and compartment, share of P, mean weight, delay (ms; None: 0.5 to 2.5).
PROJECTIONS: list[tuple[str, str, str, float, float, float | None]] = [
    ("E", "E", "e_basal", 0.7, 0.4, None),
    ("E", "E", "e_trunk", 0.3, 0.4, None),
    ("E", "PV", "e", 1, 0.4, None),
    ("E", "SOM", "e_dend", 1, 0.16, None),
    ("E", "VIP", "e", 1, 0.16, None),
    ("PV", "E", "pv", 1, 1, 1.0),
    ("SOM", "E", "som", 1, 1, 1.5),
    ("PV", "PV", "i", 1, 1, 1.0),
    ("SOM", "PV", "i", 1, 0.7, 1.0),
    ("SOM", "VIP", "i", 1, 0.7, 1.0),
    ("VIP", "SOM", "i", 1, 1, 1.0),
]
BACKGROUND = {"PV": 0.5, "SOM": 0.35, "VIP": 0.33}


def peak(rise: float, decay: float) -> float:
    """Dendrify's factor (1/ms) with which a conductance of these time constants (ms) peaks at 1."""
    t = rise * decay / (decay - rise) * math.log(decay / rise)
    return (1 / rise - 1 / decay) / (math.exp(-t / decay) - math.exp(-t / rise))
