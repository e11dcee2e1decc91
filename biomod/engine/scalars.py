"""Numbers that are the same for all cells: computed again only when what they depend on changes.

The statements before a loop are often as many as those in it, and a loop over a block of cells is
short. Most of their values depend on constants, the time step and shared parameters alone.
"""

from __future__ import annotations

import re
from collections.abc import Set

_DEFINITION = re.compile(r"const (\w+) (\w+) = (.*);")
# Fewer are as quickly computed as compared.
LEAST = 4


def remembered(lines: list[str], arrays: Set[str], changing: Set[str]) -> list[str]:
    """Definitions that keep their values from call to call, each thread its own.

    Parameters
    ----------
    lines : list of str
        C++ definitions of constants in the order in which they need each other, of expressions
        without side effects.
    arrays : set of str
        Names among them that are read from an array.
    changing : set of str
        Those of them that change at every step: what depends on them is computed every time.
    """
    found = [_DEFINITION.fullmatch(line.strip()) for line in lines]
    moving = set(changing)
    kept: list[tuple[str, str]] = []
    before, computed, after = [], [], []
    for line, match in zip(lines, found, strict=True):
        if match and match[2] in arrays:
            before.append(line)
        elif match and not _names(match[3]) & moving:
            kept.append((match[1], match[2]))
            computed.append(line)
        else:
            after.append(line)
            moving |= {match[2]} if match else _names(line)
    if len(kept) < LEAST:
        return lines
    used = _names("\n".join(computed))
    keys = [m for m in found if m and m[2] in (arrays - changing) & used]
    fields = [(m[1], m[2]) for m in keys] + kept
    same = "".join(f" && engine::same(_kept.{m[2]}, {m[2]})" for m in keys)
    return [
        *before,
        "struct _Kept { bool known; "
        + " ".join(f"{kind} {name};" for kind, name in fields)
        + " };",
        "static thread_local _Kept _kept;",
        f"if (!(_kept.known{same})) {{",
        *computed,
        f"_kept = {{true, {', '.join(name for _, name in fields)}}};",
        "}",
        *(f"const {kind} {name} = _kept.{name};" for kind, name in kept),
        *after,
    ]


def _names(text: str) -> set[str]:
    return set(re.findall(r"[A-Za-z_]\w*", text))
