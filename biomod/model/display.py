"""How descriptions print: aligned text in a terminal, a table in a notebook."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from biomod.model._base import Description

if TYPE_CHECKING:
    from biomod.units import Quantity


def heading(description: Description) -> str:
    """Kind, name and one-line summary."""
    name = getattr(description, "name", description.key)
    summary = getattr(description, "summary", "") or getattr(description, "source", "")
    return f"{type(description).__name__} {name}" + (f": {summary}" if summary else "")


def format_value(value: Quantity | float) -> str:
    """A value as people read it: six significant digits and the unit."""
    return format(value, ".6g")


def to_text(description: Description) -> str:
    """Heading and one line per parameter: path, value with unit, source where known."""
    parameters = description.parameters()
    width = max((len(p) for p in parameters), default=0)
    source = getattr(description, "source", None)
    lines = [heading(description)]
    for path, value in parameters.items():
        origin = source(path) if callable(source) else ""
        line = f"  {path:<{width}}  {format_value(value):<16}"
        lines.append(f"{line}  {origin}".rstrip())
    return "\n".join(lines)


def to_html(description: Description) -> str:
    """The same as a table, for notebooks."""
    source = getattr(description, "source", None)
    rows = ""
    for path, value in description.parameters().items():
        origin = source(path) if callable(source) else ""
        rows += (
            f"<tr><td style='text-align:left'><code>{html.escape(path)}</code></td>"
            f"<td>{html.escape(format_value(value))}</td>"
            f"<td style='text-align:left'>{html.escape(origin)}</td></tr>"
        )
    return (
        f"<details open><summary><b>{html.escape(heading(description))}</b></summary>"
        f"<table><tr><th>parameter</th><th>value</th><th>source</th></tr>{rows}</table></details>"
    )
