"""The shape of a neuron: a tree of unbranched sections around an isopotential soma."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from biomod.errors import ModelError, unknown_name
from biomod.model._base import check_name
from biomod.units import Quantity, QuantityLike, as_quantity, um

KINDS = ("soma", "axon", "basal", "apical", "dendrite")


@dataclass(frozen=True)
class Location:
    """A place on a morphology: a section and the relative distance from its beginning."""

    section: str
    x: float = 0.5

    def __post_init__(self) -> None:
        x = float(self.x)
        if not 0 <= x <= 1:
            raise ModelError(f"location on {self.section}: x must be in 0…1; {self.x!r} was given")
        object.__setattr__(self, "x", x)


@dataclass(frozen=True, eq=False)
class Section:
    """An unbranched piece of neurite: frusta between points.

    Parameters
    ----------
    name : str
        Identifier without underscore.
    kind : str
        ``axon``, ``basal``, ``apical`` or ``dendrite``.
    parent : str
        Section at whose end it begins; empty: it begins at the soma.
    points : array of shape (n, 3)
        Centres in µm, from the beginning to the end; at least two.
    radii : array of shape (n,)
        In µm.
    """

    name: str
    kind: str
    parent: str
    points: np.ndarray
    radii: np.ndarray

    def __post_init__(self) -> None:
        check_name(self.name, "section")
        if "_" in self.name:
            raise ModelError(f"section {self.name}: names must not contain an underscore")
        if self.kind not in KINDS[1:]:
            raise unknown_name(f"kind of section {self.name}", self.kind, KINDS[1:])
        points = np.array(self.points, dtype=float)
        radii = np.array(self.radii, dtype=float)
        if points.ndim != 2 or points.shape[1] != 3 or len(points) < 2:
            raise ModelError(f"section {self.name}: needs at least two points of three numbers")
        if radii.shape != (len(points),):
            raise ModelError(f"section {self.name}: needs one radius for each point")
        if not (np.isfinite(points).all() and np.isfinite(radii).all()):
            raise ModelError(f"section {self.name}: points and radii must be finite")
        if not (radii > 0).all():
            raise ModelError(f"section {self.name}: radii must be positive")
        for array in (points, radii):
            array.setflags(write=False)
        object.__setattr__(self, "points", points)
        object.__setattr__(self, "radii", radii)
        if self.length == 0:
            raise ModelError(f"section {self.name}: has no length")

    @cached_property
    def steps(self) -> np.ndarray:
        """Length of each frustum in µm."""
        return np.asarray(np.linalg.norm(np.diff(self.points, axis=0), axis=1))

    @property
    def length(self) -> float:
        """Length in µm."""
        return float(self.steps.sum())

    @property
    def area(self) -> float:
        """Lateral surface in µm²."""
        return float(self.areas(0.0, 1.0))

    def pieces(self, start: float, stop: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Lengths and radii at both ends of the frusta between two relative distances, in µm."""
        at = np.concatenate([[0.0], np.cumsum(self.steps)])
        low, high = start * at[-1], stop * at[-1]
        inner = (at > low) & (at < high)
        where = np.concatenate([[low], at[inner], [high]])
        # Two points at one place are a step of the radius; it has no length and no membrane.
        radii = np.interp(where, at, self.radii)
        return np.diff(where), radii[:-1], radii[1:]

    def areas(self, start: float, stop: float) -> float:
        """Lateral surface between two relative distances, in µm²."""
        length, a, b = self.pieces(start, stop)
        return float(np.sum(math.pi * (a + b) * np.sqrt(length**2 + (a - b) ** 2)))

    def axial(self, start: float, stop: float) -> float:
        """``integral dx / (pi r**2)`` between two relative distances, in 1/µm."""
        length, a, b = self.pieces(start, stop)
        return float(np.sum(length / (math.pi * a * b)))


@dataclass(frozen=True, eq=False)
class Morphology:
    """Sections around a soma.

    Parameters
    ----------
    name : str
        Identifier.
    sections : sequence of Section
        In any order.
    soma_area : quantity or None
        Membrane area of the soma, which is one isopotential compartment; None for a piece of
        neurite without one, whose root is the beginning of its one section without parent.
    source : str
        Where it comes from.
    """

    name: str
    sections: tuple[Section, ...]
    soma_area: Quantity | None = None
    source: str = ""

    def __post_init__(self) -> None:
        check_name(self.name, "morphology")
        object.__setattr__(self, "sections", tuple(self.sections))
        if self.soma_area is not None:
            area = as_quantity(self.soma_area, "um2", "soma_area")
            if not 0 < area.si < math.inf:
                raise ModelError(f"morphology {self.name}: soma_area must be positive")
            object.__setattr__(self, "soma_area", area)
        names = [s.name for s in self.sections]
        twice = [n for n in names if names.count(n) > 1]
        if twice:
            raise ModelError(f"morphology {self.name}: two sections are named {twice[0]}")
        for section in self.sections:
            if section.parent and section.parent not in names:
                raise unknown_name(f"parent of section {section.name}", section.parent, names)
        if self.soma_area is None and sum(not s.parent for s in self.sections) != 1:
            raise ModelError(
                f"morphology {self.name}: without a soma, exactly one section has no parent"
            )
        for section in self.sections:
            self.path(section.name)

    def section(self, name: str) -> Section:
        """The section called `name`; a :class:`ModelError` names the nearest."""
        for s in self.sections:
            if s.name == name:
                return s
        raise unknown_name(
            f"section of morphology {self.name}", name, [s.name for s in self.sections]
        )

    def path(self, name: str) -> tuple[Section, ...]:
        """The sections from the soma to the one called `name`, included."""
        found: list[Section] = []
        while name:
            section = self.section(name)
            if section in found:
                raise ModelError(f"morphology {self.name}: section {name} is its own ancestor")
            found.append(section)
            name = section.parent
        return tuple(reversed(found))

    def position(self, location: Location) -> np.ndarray:
        """Coordinates of a location in µm."""
        section = self.section(location.section)
        along = np.concatenate([[0.0], np.cumsum(section.steps)]) / section.length
        return np.array([np.interp(location.x, along, axis) for axis in section.points.T])

    def distance(self, location: Location) -> Quantity:
        """Path from the soma to a location."""
        *before, last = self.path(location.section)
        result: Quantity = (sum(s.length for s in before) + last.length * location.x) * um
        return result

    def tips(self, kind: str = "") -> tuple[Location, ...]:
        """Ends of the sections that none continues, farthest first; of one kind if given."""
        if kind and kind not in KINDS:
            raise unknown_name("kind of section", kind, KINDS)
        parents = {s.parent for s in self.sections}
        ends = [
            Location(s.name, 1.0)
            for s in self.sections
            if s.name not in parents and kind in ("", s.kind)
        ]
        return tuple(sorted(ends, key=lambda at: -self.distance(at).si))

    def towards(self, tip: Location, distance: QuantityLike) -> Location:
        """The location at a path distance from the soma, on the way to another one.

        Raises
        ------
        ModelError
            The way is shorter than that.
        """
        wanted = as_quantity(distance, "um", "distance").to("um")
        left = wanted
        for section in self.path(tip.section):
            if left <= section.length:
                return Location(section.name, left / section.length)
            left -= section.length
        raise ModelError(
            f"morphology {self.name}: {tip.section} ends at {self.distance(tip):.4g}, nearer than "
            f"{wanted:g} um"
        )


def cylinder(
    length: QuantityLike,
    diameter: QuantityLike,
    name: str = "cable",
    parent: str = "",
    kind: str = "dendrite",
    start: Sequence[float] = (0.0, 0.0, 0.0),
) -> Section:
    """A straight section of one diameter, along x from `start` (µm)."""
    reach = as_quantity(length, "um", "length").to("um")
    radius = as_quantity(diameter, "um", "diameter").to("um") / 2
    begin = np.asarray(start, dtype=float)
    points = np.stack([begin, begin + np.array([reach, 0.0, 0.0])])
    return Section(name, kind, parent, points, np.array([radius, radius]))
