"""Reconstructions in the SWC format."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from biomod.errors import ModelError
from biomod.morphology.tree import Morphology, Section
from biomod.units import um

# Type numbers of http://www.neuronland.org/NLMorphologyConverter/MorphologyFormats/SWC/Spec.html.
# What is neither soma, axon nor a named dendrite (0 undefined, 5 fork, 6 end, 7 and above custom)
# counts as dendrite.
SOMA = 1
KIND = {2: "axon", 3: "basal", 4: "apical"}


@dataclass(frozen=True)
class _Sample:
    line: int
    kind: int
    at: np.ndarray
    radius: float
    parent: int


def read_swc(path: str | Path, name: str = "") -> Morphology:
    """Read a reconstruction and check it.

    A line is ``id type x y z radius parent``, lengths in µm; ``#`` begins a comment. Samples may
    stand in any order. Type 1 is the soma, 2 axon, 3 basal and 4 apical dendrite; every other
    type counts as dendrite. Sections are named by kind and number, in the order of the file:
    ``basal0``, ``apical3``.

    The soma is one isopotential compartment. Its area is

    - of one sample: a sphere, ``4 pi r**2``;
    - of three samples, the second and third children of the first and one radius away from it
      (the convention of NeuroMorpho.Org): the same sphere;
    - of four or more in a chain that closes on itself, with radii below a fifth of their mean
      distance from their centre (a contour): a sphere with that distance as its radius;
    - of others: the lateral surface of the frusta between them.

    A neurite begins at its first sample; the way to it from the soma's sample lies within the soma.
    If that sample is also the last of its section, the section begins at the soma's sample, with
    the radius of its own. A branch begins at the sample of its fork, with the radius of that.

    Parameters
    ----------
    path : str or Path
        File to read.
    name : str, optional
        Name of the morphology; that of the file by default.

    Raises
    ------
    ModelError
        The file cannot be read; a line is not seven numbers; a radius is not positive; an id is
        given twice; a parent is missing; samples form a cycle; there are several roots, or none
        of them is the soma. The message has the number of the line.
    """
    file = Path(path)
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise ModelError(f"cannot read {file}: {error.strerror or error}") from None
    samples = _parse(text, file.name)
    _check_tree(samples, file.name)
    children: dict[int, list[int]] = {i: [] for i in samples}
    for i, s in samples.items():
        if s.parent != -1:
            children[s.parent].append(i)
    soma = [i for i, s in samples.items() if s.kind == SOMA]
    identifier = name or re.sub(r"\W", "_", re.sub(r"^(\d)", r"m\1", file.stem))
    area = _soma_area(samples, soma, children) * um * um
    sections = _sections(samples, children, soma, file.name)
    return Morphology(identifier, sections, area, source=f"SWC file {file.name}")


def _parse(text: str, file: str) -> dict[int, _Sample]:
    samples: dict[int, _Sample] = {}
    for line, content in enumerate(text.splitlines(), 1):
        fields = content.partition("#")[0].split()
        if not fields:
            continue
        where = f"{file}, line {line}"
        if len(fields) != 7:
            raise ModelError(f"{where}: a sample is 7 numbers; {len(fields)} were given")
        try:
            whole = [_whole(fields[i]) for i in (0, 1, 6)]
            x, y, z, radius = (float(f) for f in fields[2:6])
        except ValueError as error:
            raise ModelError(f"{where}: {error}") from None
        if not all(map(math.isfinite, (x, y, z, radius))):
            raise ModelError(f"{where}: coordinates and radius must be finite")
        if radius <= 0:
            raise ModelError(f"{where}: the radius must be positive; {radius:g} was given")
        number, kind, parent = whole
        if number < 0 or kind < 0:
            raise ModelError(f"{where}: id and type must not be negative")
        if number in samples:
            raise ModelError(f"{where}: id {number} is already that of line {samples[number].line}")
        samples[number] = _Sample(line, kind, np.array([x, y, z]), radius, parent)
    if not samples:
        raise ModelError(f"{file}: holds no sample")
    return samples


def _whole(text: str) -> int:
    value = float(text)
    if value != int(value):
        raise ValueError(f"id, type and parent must be whole numbers; {text} was given")
    return int(value)


def _check_tree(samples: Mapping[int, _Sample], file: str) -> None:
    for s in samples.values():
        if s.parent != -1 and s.parent not in samples:
            raise ModelError(f"{file}, line {s.line}: there is no sample {s.parent}, its parent")
    reached: set[int] = set()
    for i in samples:
        way: list[int] = []
        here = i
        while here != -1 and here not in reached:
            if here in way:
                line = samples[here].line
                raise ModelError(f"{file}, line {line}: sample {here} is its own ancestor")
            way.append(here)
            here = samples[here].parent
        reached.update(way)
    roots = [s for s in samples.values() if s.parent == -1]
    if len(roots) > 1:
        lines = ", ".join(str(s.line) for s in roots[:5]) + (", …" if len(roots) > 5 else "")
        raise ModelError(
            f"{file}: {len(roots)} samples have no parent (lines {lines}); the tree must be one"
        )
    if roots[0].kind != SOMA:
        raise ModelError(
            f"{file}, line {roots[0].line}: the root must be a soma sample (type 1), not type "
            f"{roots[0].kind}"
        )
    for s in samples.values():
        if s.kind == SOMA and s.parent != -1 and samples[s.parent].kind != SOMA:
            raise ModelError(
                f"{file}, line {s.line}: a soma sample hangs on a neurite (line "
                f"{samples[s.parent].line})"
            )


def _soma_area(
    samples: Mapping[int, _Sample], soma: list[int], children: Mapping[int, list[int]]
) -> float:
    """In µm²."""
    root = next(i for i in soma if samples[i].parent == -1)
    sphere = 4 * math.pi * samples[root].radius ** 2
    if len(soma) == 1:
        return sphere
    at = np.stack([samples[i].at for i in soma])
    radii = np.array([samples[i].radius for i in soma])
    others = [i for i in soma if i != root]
    apart = [float(np.linalg.norm(samples[i].at - samples[root].at)) for i in others]
    star = all(samples[i].parent == root for i in others)
    if len(soma) == 3 and star and np.allclose(apart, samples[root].radius, rtol=0.05):
        return sphere
    spread = np.linalg.norm(at - at.mean(axis=0), axis=1)
    steps = np.linalg.norm(np.diff(at, axis=0), axis=1)
    closed = np.linalg.norm(at[-1] - at[0]) < 2 * steps.max()
    chain = all(sum(samples[c].kind == SOMA for c in children[i]) <= 1 for i in soma)
    if len(soma) >= 4 and chain and closed and radii.max() < 0.2 * spread.mean():
        return float(4 * math.pi * spread.mean() ** 2)
    total = 0.0
    for i in others:
        a, b = samples[i], samples[samples[i].parent]
        length = float(np.linalg.norm(a.at - b.at))
        total += math.pi * (a.radius + b.radius) * math.hypot(length, a.radius - b.radius)
    return total


def _sections(
    samples: Mapping[int, _Sample],
    children: Mapping[int, list[int]],
    soma: list[int],
    file: str,
) -> tuple[Section, ...]:
    inside = set(soma)
    todo = [
        (c, "") for i in sorted(soma) for c in children[i] if c not in inside
    ]  # first sample and the parent section
    counts: dict[str, int] = {}
    sections: list[Section] = []
    while todo:
        first, parent = todo.pop(0)
        kind = KIND.get(samples[first].kind, "dendrite")
        chain = [first]
        while len(children[chain[-1]]) == 1:
            following = children[chain[-1]][0]
            if KIND.get(samples[following].kind, "dendrite") != kind:
                break
            chain.append(following)
        # It begins where its parent ends; at the soma, with its own first sample.
        before = samples[first].parent
        if parent or len(chain) == 1:
            points = [samples[before].at] + [samples[i].at for i in chain]
            begin = samples[before if parent else first].radius
            radii = [begin] + [samples[i].radius for i in chain]
        else:
            points = [samples[i].at for i in chain]
            radii = [samples[i].radius for i in chain]
        name = f"{kind}{counts.get(kind, 0)}"
        counts[kind] = counts.get(kind, 0) + 1
        if np.linalg.norm(np.diff(points, axis=0), axis=1).sum() == 0:
            raise ModelError(
                f"{file}, line {samples[chain[-1]].line}: a {kind} section without length"
            )
        sections.append(Section(name, kind, parent, np.stack(points), np.array(radii)))
        todo += [(c, name) for c in children[chain[-1]]]
    return tuple(sections)
