"""What a recording names, the same for every simulator."""

from __future__ import annotations

from biomod.errors import unknown_name
from biomod.model import Cell, Recording


def recorded_part(cell: Cell, recording: Recording) -> tuple[str, str]:
    """Part and variable of a recording: ``("v", "")``, ``("M", "p")``, ``("AMPA", "g")``."""
    compartment = cell.compartment(recording.compartment)
    allowed: dict[str, tuple[str, str]] = {"v": ("v", "")}
    for channel in compartment.channels:
        allowed |= {
            f"{channel.name}.{g.name}": (channel.name, g.name) for g in channel.gates if g.tau
        }
    allowed |= {f"{r.name}.g": (r.name, "g") for r in compartment.receptors}
    if compartment.calcium is not None:
        allowed["calcium.cai"] = ("calcium", "cai")
    if recording.variable not in allowed:
        known = sorted(f"{c.name}.{v}" for c in (compartment,) for v in allowed)
        wanted = f"{recording.compartment}.{recording.variable}"
        raise unknown_name("recorded variable", wanted, known)
    return allowed[recording.variable]
