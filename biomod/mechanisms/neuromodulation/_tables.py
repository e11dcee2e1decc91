"""The tables of the package data, as plain rows."""

from __future__ import annotations

import csv
import functools
import io
from importlib import resources
from types import MappingProxyType
from typing import Any

import yaml

Row = MappingProxyType[str, str]


@functools.cache
def rows(name: str) -> tuple[Row, ...]:
    """Every row of ``biomod/mechanisms/data/<name>.csv`` by column name."""
    text = resources.files("biomod.mechanisms.data").joinpath(f"{name}.csv").read_text("utf-8")
    return tuple(MappingProxyType(row) for row in csv.DictReader(io.StringIO(text)))


@functools.cache
def transmission_defaults() -> MappingProxyType[str, dict[str, Any]]:
    """The self-consistent release and clearance defaults, by modulator."""
    path = resources.files("biomod.mechanisms.data").joinpath("transmission_defaults.yaml")
    return MappingProxyType(yaml.safe_load(path.read_text("utf-8"))["defaults"])


def citation(row: Row) -> str:
    """Source, DOI and what was checked, as one text."""
    source, doi = row["source"].strip(), row["doi"].strip()
    return f"{source} ({doi or 'no doi'}); {row['checked']}"
