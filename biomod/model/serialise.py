"""Round trip of any description to plain dictionaries, and to YAML or TOML files."""

from __future__ import annotations

import dataclasses
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from biomod.errors import ModelError, unknown_name
from biomod.model import cell as _cell
from biomod.model import channel as _channel
from biomod.model import circuit as _circuit
from biomod.model import heterogeneity as _heterogeneity
from biomod.model import neuromodulation as _neuromodulation
from biomod.model import recording as _recording
from biomod.model import stimulus as _stimulus
from biomod.model import synapse as _synapse
from biomod.model._base import Description
from biomod.units import Quantity, parse_quantity

FORMAT = "biomod 1"


def _classes() -> dict[str, type[Description]]:
    modules = (
        _cell,
        _channel,
        _circuit,
        _heterogeneity,
        _neuromodulation,
        _recording,
        _stimulus,
        _synapse,
    )
    return {
        name: value
        for module in modules
        for name, value in vars(module).items()
        if isinstance(value, type) and issubclass(value, Description) and value is not Description
    }


CLASSES = _classes()


def to_dict(description: Description) -> dict[str, Any]:
    """Nested dictionaries of plain values; quantities become text with a unit.

    Fields at their default are left out, so files stay short and new fields can be added.
    """
    result: dict[str, Any] = {"type": type(description).__name__}
    for f in dataclasses.fields(description):
        value = getattr(description, f.name)
        if value == f.default and f.default is not dataclasses.MISSING:
            continue
        result[f.name] = _plain(value)
    return result


def _plain(value: Any) -> Any:
    if isinstance(value, Description):
        return to_dict(value)
    if isinstance(value, Quantity):
        return exact_text(value)
    if isinstance(value, tuple | list):
        return [_plain(v) for v in value]
    return value


def exact_text(q: Quantity) -> str:
    """A quantity as text that reads back to exactly the same value."""
    text = repr(q)
    if parse_quantity(text).si == q.si:
        return text
    text = f"{q:.17g}"
    if parse_quantity(text).si == q.si:
        return text
    return _si_text(q)


def _si_text(q: Quantity) -> str:
    names = ("m", "kg", "s", "A", "K", "mol", "cd")
    unit = " ".join(f"{n}{p}" for n, p in zip(names, q.dim, strict=True) if p)
    return f"{q.si!r} {unit}"


def from_dict(data: Any, where: str = "file") -> Any:
    """Rebuild what :func:`to_dict` made; unknown kinds and fields are errors."""
    if isinstance(data, list):
        return tuple(from_dict(v, f"{where}[{i}]") for i, v in enumerate(data))
    if not isinstance(data, Mapping):
        return data
    if "type" not in data:
        raise ModelError(f"{where}: an entry has no 'type' (one of {', '.join(CLASSES)})")
    if data["type"] not in CLASSES:
        raise unknown_name(f"type in {where}", data["type"], CLASSES)
    cls = CLASSES[data["type"]]
    allowed = [f.name for f in dataclasses.fields(cls)]
    values = {}
    for name, value in data.items():
        if name == "type":
            continue
        if name not in allowed:
            raise unknown_name(f"field of {data['type']} in {where}", name, allowed)
        values[name] = from_dict(value, f"{where}: {data['type']}.{name}")
    try:
        return cls(**values)
    except TypeError as error:
        raise ModelError(f"{where}: {data['type']}: {error}") from None


def save(description: Description, path: str | Path) -> Path:
    """Write a description to a ``.yaml`` file (atomically)."""
    path = Path(path)
    if path.suffix not in (".yaml", ".yml"):
        raise ModelError(f"descriptions are written as .yaml, not {path.suffix or 'no suffix'!r}")
    document = {"format": FORMAT, **to_dict(description)}
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    partial.write_text(yaml.safe_dump(document, sort_keys=False, allow_unicode=True))
    partial.replace(path)
    return path


def load(path: str | Path) -> Any:
    """Read a description from a ``.yaml`` or ``.toml`` file."""
    path = Path(path)
    try:
        content = path.read_text()
        read = tomllib.loads if path.suffix == ".toml" else yaml.safe_load
        document = read(content)
    except (OSError, UnicodeDecodeError, yaml.YAMLError, tomllib.TOMLDecodeError) as error:
        reason = str(error).splitlines()[0]
        raise ModelError(f"cannot read {path}: {reason}") from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise ModelError(f"{path} is not a description in the format {FORMAT!r}")
    return from_dict({k: v for k, v in document.items() if k != "format"}, str(path))
