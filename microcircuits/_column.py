"""A column of mouse V1 from layer 2/3 to layer 6, by the same rules as ``l23``.

Left out of the tables: layer 1 (no cell model yet) and the near-projecting cells of layer 5
(4 % of its pyramidal cells).
"""

from __future__ import annotations

from biomod.model import Circuit
from microcircuits._background import drive
from microcircuits._builder import Part, build

PYRAMIDAL = {
    "L23_PC": ("L2/3_Exc", "L2/3"),
    "L4_PC": ("L4_Exc", "L4"),
    "L5_IT": ("L5_IT", "L5"),
    "L5_ET": ("L5_ET", "L5"),
    "L6_CT": ("L6_Exc", "L6"),
}
INTERNEURONS = {"PV": "PV_basket", "SST": "SST_Martinotti", "VIP": "VIP"}
# Background events per second and compartment; tuned, see microcircuits._background.
RATES: dict[str, dict[str, float]] = {
    "L23_PC": {"basal": 1500.0, "tuft": 500.0},
    "L4_PC": {"basal": 1500.0, "tuft": 300.0},
    "L5_IT": {"basal": 900.0, "tuft": 300.0},
    "L5_ET": {"basal": 1500.0, "tuft": 300.0},
    "L6_CT": {"basal": 1500.0, "tuft": 300.0},
    "PV": {"proximal": 2500.0},
    "SST": {"dend": 1000.0},
    "VIP": {"dend": 1200.0},
}


def cortical_column(cells: int, seed: int) -> Circuit:
    """Layers 2/3 to 6 with `cells` cells in all."""
    parts = []
    for name, (table, layer) in PYRAMIDAL.items():
        parts.append(Part(name, table, name, layer, drive(name, **RATES[name])))
    for layer in ("L2/3", "L4", "L5", "L6"):
        for short, cell_type in INTERNEURONS.items():
            name = f"{layer.replace('/', '')}_{short}"
            backgrounds = drive(cell_type, **RATES[short])
            parts.append(Part(name, f"{layer}_{short}", cell_type, layer, backgrounds))
    return build("cortical_column", parts, cells, seed, "mouse V1 layers 2/3 to 6")
