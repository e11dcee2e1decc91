"""The sources of a generated program as three texts.

What runs at every step, what runs once or a few times, and what is the same in all programs. The
anonymous namespaces of the generated files would forbid it to join them, so each file's gets a name
of its own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

UNITS = ("hot", "cold", "fixed")
# Code objects that run once or a few times.
ONCE = re.compile("^(before|after)_run_|synapses_create|group_variable_set")


def join(directory: Path, files: Sequence[str]) -> dict[str, str]:
    """The sources as three texts, by the names of their units."""
    units: dict[str, list[str]] = {name: [] for name in UNITS}
    for number, file in enumerate(directory / f for f in files):
        text = file.read_text()
        unit = _unit(file, text, directory)
        name = f"unit{number}"
        text = re.sub(r"\bnamespace \{", f"namespace {name} {{", text, count=1)
        if f"namespace {name} " in text:
            using = "using namespace brian;"
            text = text.replace(using, f"{using} using namespace {name};")
        defined = re.findall(r"^#define\s+(\w+)", text, flags=re.M)
        text += "\n" + "\n".join(f"#undef {d}" for d in defined if not d.startswith("_INCLUDED"))
        units[unit].append(f"// {file.name}\n{text}")
    return {name: "\n".join(texts) for name, texts in units.items()}


def _unit(file: Path, text: str, directory: Path) -> str:
    """The unit of a source file."""
    if file.parent != directory:
        return "cold" if ONCE.search(file.name) else "hot"
    included = re.findall(r'^#include\s*"(.*)"', text, flags=re.M)
    fixed = included and all(header.startswith("brianlib/engine") for header in included)
    return "fixed" if fixed else "cold"


def headers(directory: Path) -> str:
    """The headers of a generated program as one text."""
    return "\0".join(f.read_text() for f in sorted(directory.rglob("*.h")))


def library(directory: Path) -> str:
    """The headers that are the same in all programs."""
    return "\0".join(f.read_text() for f in sorted(directory.glob("brianlib/*.h")))
