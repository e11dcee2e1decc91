"""What is said when the input is wrong: what was given, what is allowed, what was meant."""

from __future__ import annotations

import difflib
import math
import operator
from collections.abc import Iterable

__all__ = ["InputError", "check_count", "check_positive", "unknown_name"]


class InputError(ValueError):
    """A spike table, a name or an option that cannot be right."""


def unknown_name(kind: str, name: object, allowed: Iterable[str]) -> InputError:
    """The error to raise for a `name` that is not among the `allowed`, with the nearest of them."""
    allowed = list(allowed)
    by_lower = {candidate.lower(): candidate for candidate in allowed}
    close = difflib.get_close_matches(str(name).lower(), list(by_lower), n=1, cutoff=0.5)
    hint = f"did you mean {by_lower[close[0]]!r}? " if close else ""
    return InputError(
        f"unknown {kind} {str(name)!r}; {hint}allowed are {', '.join(allowed) or '(none)'}"
    )


def check_positive(name: str, value: float) -> float:
    """`value` as a float, if it is a finite number above zero."""
    number = _as_float(name, value)
    if not (math.isfinite(number) and number > 0):
        raise InputError(f"{name} must be a finite number above 0, not {value!r}")
    return number


def check_nonnegative(name: str, value: float) -> float:
    """`value` as a float, if it is a finite number not below zero."""
    number = _as_float(name, value)
    if not (math.isfinite(number) and number >= 0):
        raise InputError(f"{name} must be a finite number, 0 or above, not {value!r}")
    return number


def check_count(name: str, value: int, least: int = 0) -> int:
    """`value` as an int, if it is a whole number of at least `least`."""
    try:
        if isinstance(value, bool):
            raise TypeError
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} must be a whole number, not {value!r}") from None
    if number < least:
        raise InputError(f"{name} must be at least {least}, not {number}")
    return number


def _as_float(name: str, value: float) -> float:
    if isinstance(value, (bool, str)):
        raise TypeError(f"{name} must be a number, not {value!r}")
    try:
        return float(value)
    except (TypeError, ValueError):
        raise TypeError(f"{name} must be a number, not {value!r}") from None
