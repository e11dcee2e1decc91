"""What all formats share."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from biomod.errors import BackendError, ModelError
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
    agreement : mapping
        Where it differs, how well its spikes agree with those of the surrogate on a noise current
        (:func:`~biomod.reduction.export.probe.agreement`).
    """

    format: str
    content: Mapping[str, Any]
    losses: tuple[str, ...] = ()
    agreement: Mapping[str, float] = field(default_factory=dict)

    @property
    def status(self) -> str:
        """``"exact"`` or ``"approximate"``."""
        return "approximate" if self.losses else "exact"

    def write(self, path: str | Path) -> None:
        """Write the content as JSON (atomically)."""
        write_json(path, self.content)

    def __str__(self) -> str:
        if not self.losses:
            return f"{self.format}: exact"
        measured = ""
        if self.agreement:
            measured = (
                f" (coincidence within 2 ms {self.agreement['coincidence_2ms']:.3f}, explained "
                f"variance {self.agreement['explained_variance']:.3f} on noise)"
            )
        return f"{self.format}: approximate{measured}: " + "; ".join(self.losses)


def split_glif(fitted: Fit, format_: str) -> tuple[int, str]:
    """Level and reset of a GLIF; a :class:`ModelError` for other models."""
    name = fitted.model.name
    if not name.startswith("glif"):
        raise ModelError(f"{format_} knows GLIF neurons only; a surrogate {name!r} was given")
    level, _, reset = name.removeprefix("glif").partition("_")
    return int(level), reset or "teeter2018"


def number(values: Mapping[str, Any], name: str, where: str) -> float:
    """A finite number of a file; a :class:`ModelError` names what is there instead."""
    value = values.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ModelError(f"{where}: {name} must be a finite number, not {value!r}")
    return float(value)


def missing(package: str, extra: str) -> BackendError:
    """The error for a package that is not installed."""
    return BackendError(f"this export needs {package}: pip install 'biomod[{extra}]'")
