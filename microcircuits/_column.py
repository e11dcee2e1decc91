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
    "L23_PC": {"basal": 107.0, "tuft": 213.0},
    "L4_PC": {"basal": 85.0, "tuft": 171.0},
    "L5_IT": {"basal": 45.0, "tuft": 90.0},
    "L5_ET": {"basal": 89.0, "tuft": 178.0},
    "L6_CT": {"basal": 306.0, "tuft": 76.0},
    "L23_PV": {"proximal": 2147.0},
    "L4_PV": {"proximal": 1988.0},
    "L5_PV": {"proximal": 1770.0},
    "L6_PV": {"proximal": 1579.0},
    "L23_SST": {"dend": 286.0},
    "L4_SST": {"dend": 116.0},
    "L5_SST": {"dend": 209.0},
    "L6_SST": {"dend": 25.0},
    "L23_VIP": {"dend": 281.0},
    "L4_VIP": {"dend": 323.0},
    "L5_VIP": {"dend": 365.0},
    "L6_VIP": {"dend": 409.0},
}


def cortical_column(cells: int, seed: int) -> Circuit:
    """Layers 2/3 to 6 with `cells` cells in all."""
    parts = []
    for name, (table, layer) in PYRAMIDAL.items():
        parts.append(Part(name, table, name, layer, drive(name, **RATES[name])))
    for layer in ("L2/3", "L4", "L5", "L6"):
        for short, cell_type in INTERNEURONS.items():
            name = f"{layer.replace('/', '')}_{short}"
            backgrounds = drive(cell_type, **RATES[name])
            parts.append(Part(name, f"{layer}_{short}", cell_type, layer, backgrounds))
    return build("cortical_column", parts, cells, seed, "mouse V1 layers 2/3 to 6")
