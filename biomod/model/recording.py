"""Which state variables of which cells to keep."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from biomod.errors import ModelError
from biomod.model._base import Description, parts, quantity, text
from biomod.units import Quantity

_PATTERN = re.compile(
    r"^(?:(?P<population>\w+)(?:\[(?P<cells>[\d:,\s]*)\])?\.)?"
    r"(?P<compartment>\w+)\.(?P<variable>\w+(?:\.\w+)?)$"
)


@dataclass(frozen=True)
class Recording(Description):
    """A variable of one compartment of some cells, sampled at an interval.

    `variable` is ``"v"``, ``"<receptor>.g"`` (synaptic conductance) or ``"<channel>.<gate>"``.
    :func:`record` reads the short form ``"L23_PC[0:5].tuft.v"``.
    """

    compartment: str = text("compartment")
    variable: str = text("v, <receptor>.g or <channel>.<gate>", default="v")
    population: str = text("population; empty for the only one", default="")
    cells: tuple[int, ...] | None = parts("cells; None for the first ten at most", default=None)
    interval: Quantity | None = quantity(
        "ms", "sampling interval; the time step if not given", default=None, positive=True
    )

    @property
    def label(self) -> str:
        """Name under which the result holds the trace."""
        prefix = f"{self.population}." if self.population else ""
        return f"{prefix}{self.compartment}.{self.variable}"


def record(specification: str | Recording, interval: Any = None) -> Recording:
    """Read ``"soma.v"``, ``"L23_PC.tuft.v"``, ``"L23_PC[0:5].soma.M.p"`` or ``"PV[3].soma.v"``."""
    if isinstance(specification, Recording):
        return specification
    match = _PATTERN.match(specification)
    if not match:
        raise ModelError(
            f"cannot read the recording {specification!r}; write e.g. 'soma.v' or "
            "'L23_PC[0:5].tuft.v'"
        )
    population, cells = match["population"], match["cells"]
    return Recording(
        compartment=match["compartment"],
        variable=match["variable"],
        population=population or "",
        cells=_cells(cells) if cells is not None else None,
        interval=interval,
    )


def _cells(text_: str) -> tuple[int, ...]:
    chosen: list[int] = []
    for piece in text_.split(","):
        if ":" in piece:
            start, stop = (int(x) if x.strip() else 0 for x in piece.split(":", 1))
            chosen.extend(range(start, stop))
        elif piece.strip():
            chosen.append(int(piece))
    if not chosen:
        raise ModelError(f"recording: no cells in [{text_}]")
    return tuple(chosen)
