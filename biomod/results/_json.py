"""Anything that a run may want to note, as JSON that every reader accepts."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from biomod.errors import ModelError
from biomod.model import to_dict
from biomod.model._base import Description
from biomod.model.serialise import exact_text
from biomod.results._atomic import reason, replacing
from biomod.units import Quantity


def json_ready(value: Any) -> Any:
    """`value` in dictionaries, lists, text, numbers, booleans and None.

    Quantities become text with a unit, descriptions what their files hold, and NaN and
    infinity, which JSON does not know, None.
    """
    if isinstance(value, Mapping):
        return {str(key): json_ready(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return json_ready(value.tolist())
    if isinstance(value, np.generic):
        return json_ready(value.item())
    if isinstance(value, list | tuple | set | frozenset):
        items = sorted(value, key=str) if isinstance(value, set | frozenset) else value
        return [json_ready(item) for item in items]
    if isinstance(value, Description):
        return json_ready(to_dict(value))
    if isinstance(value, Quantity):
        return exact_text(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, bool | int | str):
        return value
    return str(value)


def dumps(value: Any, indent: int | None = 2) -> str:
    """`value` as JSON text."""
    return json.dumps(json_ready(value), indent=indent, ensure_ascii=False, allow_nan=False)


def write_json(path: str | Path, value: Any) -> None:
    """Write `value` as a JSON file (atomically)."""
    with replacing(path) as partial:
        partial.write_text(dumps(value) + "\n", encoding="utf-8")


def read_json(path: Path) -> dict[str, Any]:
    """The object that a JSON file holds; a :class:`ModelError` says what is wrong with it."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ModelError(f"cannot read {path}: {reason(error)}") from None
    except ValueError:
        raise ModelError(f"cannot read {path}: it is damaged (not JSON)") from None
    if not isinstance(content, dict):
        raise ModelError(f"cannot read {path}: it does not hold a JSON object")
    return content
