"""Layer 2/3 of mouse V1: PV cells inhibit somata, SST cells tufts, VIP cells the SST cells."""

from __future__ import annotations

from biomod.model import Circuit
from microcircuits._background import drive
from microcircuits._builder import Part, build

# Background events per second and compartment; tuned, see microcircuits._background.
RATES: dict[str, dict[str, float]] = {
    "L23_PC": {"basal": 109.0, "tuft": 109.0},
    "PV_basket": {"proximal": 1595.0},
    "SST_Martinotti": {"dend": 196.0},
    "VIP": {"dend": 248.0},
}


def l23(cells: int, seed: int) -> Circuit:
    """Layer 2/3 with `cells` cells in all."""
    parts = [
        Part("PC", "L2/3_Exc", "L23_PC", "L2/3", drive("L23_PC", **RATES["L23_PC"])),
        Part("PV", "L2/3_PV", "PV_basket", "L2/3", drive("PV_basket", **RATES["PV_basket"])),
        Part(
            "SST", "L2/3_SST", "SST_Martinotti", "L2/3",
            drive("SST_Martinotti", **RATES["SST_Martinotti"]),
        ),
        Part("VIP", "L2/3_VIP", "VIP", "L2/3", drive("VIP", **RATES["VIP"])),
    ]  # fmt: skip
    return build("l23", parts, cells, seed, "mouse V1 layer 2/3: pyramidal, PV, SST and VIP cells")
