"""Exceptions, and the one way in which biomod says that a name is unknown."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = ["BackendError", "BiomodError", "ModelError", "UnitError", "nearest", "unknown_name"]


class BiomodError(ValueError):
    """Base of the errors that a wrong input causes: what was given, what is allowed."""


class ModelError(BiomodError):
    """A description of a model that cannot be right."""


class UnitError(BiomodError):
    """A quantity without a unit, or with one of the wrong dimension."""


class BackendError(RuntimeError):
    """A simulator is missing, or failed while it built or ran a model."""


def nearest(name: str, allowed: Iterable[str], n: int = 3) -> list[str]:
    """The allowed names that look most like `name`, best first (at most `n`)."""
    lower: dict[str, str] = {}
    for candidate in allowed:
        lower.setdefault(candidate.lower(), candidate)
    found = difflib.get_close_matches(name.lower(), list(lower), n=n, cutoff=0.5)
    return [lower[key] for key in found]


def unknown_name(kind: str, name: object, allowed: Iterable[str]) -> ModelError:
    """The error to raise for a name that does not exist, with the nearest that do.

    Parameters
    ----------
    kind : str
        What was looked for, e.g. ``"receptor"``.
    name : object
        What was given.
    allowed : iterable of str
        Every valid name.
    """
    allowed = list(allowed)
    close = nearest(str(name), allowed)
    if close:
        hint = f"did you mean {' or '.join(close)}?"
    elif len(allowed) > 12:
        hint = f"known are {', '.join(allowed[:12])} and {len(allowed) - 12} more"
    else:
        hint = f"known are {', '.join(allowed) or '(none)'}"
    return ModelError(f"unknown {kind} {str(name)!r}; {hint}")
