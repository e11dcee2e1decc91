"""What all formats share."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from biomod.errors import ModelError
from biomod.reduction.fit import Fit
from biomod.results._json import write_json


@dataclass(frozen=True)
class Exported:
    """A surrogate in the words of another simulator.

    Attributes
    ----------
    format : str
        Of which simulator.
    content : mapping
        What its file holds.
    losses : tuple of str
        In what the other simulator differs; nothing if it does the same.
    """

    format: str
    content: Mapping[str, Any]
    losses: tuple[str, ...] = ()

    @property
    def status(self) -> str:
        """``"exact"`` or ``"approximate"``."""
        return "approximate" if self.losses else "exact"

    def write(self, path: str | Path) -> None:
        """Write the content as JSON (atomically)."""
        write_json(path, self.content)


def glif_level(fitted: Fit, format_: str) -> int:
    """Level of a GLIF; a :class:`ModelError` for other models."""
    name = fitted.model.name
    if not name.startswith("glif"):
        raise ModelError(f"{format_} knows GLIF neurons only; a surrogate {name!r} was given")
    return int(name.removeprefix("glif"))


def shares_that_decay(p: Mapping[str, float], losses: list[str]) -> list[float]:
    """What a spike leaves of after-spike currents that decay while the neuron is refractory.

    Here they stand still for `t_ref` and are then multiplied by `f`, as in equation 5 of Teeter et
    al. 2018; NEST and AllenSDK multiply by ``r exp(-k t_ref)``. The same for
    ``r = f exp(k t_ref)``, which must not exceed 1.
    """
    found = []
    for j in (1, 2):
        r = p[f"f_{j}"] * math.exp(p[f"k_{j}"] * p["t_ref"])
        if r > 1 + 1e-12:
            losses.append(
                f"after-spike current {j} keeps {math.exp(-p[f'k_{j}'] * p['t_ref']):.3g} of "
                f"itself at a spike instead of {p[f'f_{j}']:.3g}"
            )
        found.append(min(r, 1.0))
    return found
