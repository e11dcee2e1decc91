"""The sources of a generated program as three texts.

What runs at every step, what runs once or a few times, and what is the same in all programs. The
anonymous namespaces of the generated files would forbid it to join them, so each file's gets a name
of its own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

UNITS = ("hot", "cold", "fixed")
# Code objects that run once or a few times.
ONCE = re.compile("^(before|after)_run_|synapses_create|group_variable_set")

_ANONYMOUS = re.compile(r"\bnamespace \{")
_DEFINED = re.compile(r"^#define\s+(\w+)", re.M)
_INCLUDED = re.compile(r'^#include\s*"(.*)"', re.M)


def join(
    directory: Path, files: Sequence[str], texts: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The sources as three texts, by the names of their units; `texts` are known contents."""
    units: dict[str, list[str]] = {name: [] for name in UNITS}
    for number, name in enumerate(files):
        file, text = directory / name, (texts or {}).get(name)
        text = file.read_text() if text is None else text
        unit = _unit(file, text, directory)
        own = f"unit{number}"
        text = _ANONYMOUS.sub(f"namespace {own} {{", text, count=1)
        if f"namespace {own} " in text:
            using = "using namespace brian;"
            text = text.replace(using, f"{using} using namespace {own};")
        defined = _DEFINED.findall(text) if "#define" in text else []
        text += "\n" + "\n".join(f"#undef {d}" for d in defined if not d.startswith("_INCLUDED"))
        units[unit].append(f"// {file.name}\n{text}")
    return {name: "\n".join(texts) for name, texts in units.items()}


def _unit(file: Path, text: str, directory: Path) -> str:
    """The unit of a source file."""
    if file.parent != directory:
        return "cold" if ONCE.search(file.name) else "hot"
    included = _INCLUDED.findall(text)
    fixed = included and all(header.startswith("brianlib/engine") for header in included)
    return "fixed" if fixed else "cold"


def headers(directory: Path, texts: Mapping[str, str] | None = None) -> str:
    """The headers of a generated program as one text; `texts` are known contents."""
    names = sorted(str(f.relative_to(directory)) for f in directory.rglob("*.h"))
    known = texts or {}
    return "\0".join(
        known[name] if name in known else (directory / name).read_text() for name in names
    )


def library(directory: Path) -> str:
    """The headers that are the same in all programs."""
    return "\0".join(f.read_text() for f in sorted(directory.glob("brianlib/*.h")))
