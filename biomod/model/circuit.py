"""Populations of cells, the projections between them, and circuits."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import ClassVar

from biomod.errors import ModelError, unknown_name
from biomod.model._base import (
    Description,
    check_types,
    check_unique,
    name_field,
    number,
    parts,
    quantity,
    text,
)
from biomod.model.cell import Cell
from biomod.model.neuromodulation import Modulator
from biomod.model.synapse import ShortTermPlasticity
from biomod.units import Quantity

Shares = tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Background(Description):
    """Poisson input from outside the circuit to one compartment of every cell.

    All `rate` events per second and cell come from many independent sources; each event of
    weight `weight` opens the listed receptors in the listed proportions.
    """

    name: str = name_field()
    compartment: str = text("where it arrives")
    rate: Quantity = quantity("Hz", "events per second and cell", nonnegative=True)
    weight: Quantity = quantity("nS", "peak conductance of one event", nonnegative=True)
    receptors: Shares = parts("receptor and share of the weight", default=(("AMPA", 1.0),))
    source: str = text("where the values come from", default="")

    def _check(self) -> None:
        if not all(len(share) == 2 for share in self.receptors):
            raise ModelError(f"{self._label()}: receptors must be (name, share) pairs")
        shares = tuple((str(name), float(share)) for name, share in self.receptors)
        object.__setattr__(self, "receptors", shares)


@dataclass(frozen=True)
class Population(Description):
    """Cells of one type at one place of the circuit.

    `heterogeneous` says whether the variations of the cell type are drawn for every cell.
    """

    name: str = name_field()
    cell: Cell = parts("the cell type")
    size: int = number("number of cells", positive=True, integer=True)
    layer: str = text("cortical layer", default="")
    heterogeneous: bool = True
    backgrounds: tuple[Background, ...] = parts("input from outside", default=())

    _transparent: ClassVar[tuple[str, ...]] = ("cell", "backgrounds")

    def _check(self) -> None:
        if not isinstance(self.cell, Cell):
            raise ModelError(f"{self._label()}: cell must be a Cell, not {self.cell!r}")
        check_types(self.backgrounds, Background, self._label())
        check_unique(self.backgrounds, self._label())
        for b in self.backgrounds:
            where = self.cell.compartment(b.compartment)
            for receptor, _ in b.receptors:
                check_receptor(where, receptor, f"background {b.name} of {self.name}")


@dataclass(frozen=True)
class Projection(Description):
    """Synapses from one population to another.

    Probability of a connection at lateral distance d: ``p_max * exp(-d**2 / (2 sigma**2))``
    (uniform without `sigma`). With `in_degree` the probabilities are multiplied by one factor
    such that the mean number of connections per postsynaptic cell is `in_degree`; where
    even all-to-all is too few, weights are multiplied by the missing factor instead
    (:func:`biomod.mechanisms.connectivity.connect`).

    Weights are log-normal: `weight` is the median and `weight_shape` the standard deviation of
    the logarithm. Delay: ``delay + d / velocity``.
    """

    pre: str = text("presynaptic population")
    post: str = text("postsynaptic population")
    p_max: float = number("connection probability at distance 0", nonnegative=True, maximum=1.0)
    weight: Quantity = quantity(
        "nS", "median peak conductance of the first response", nonnegative=True
    )
    compartments: Shares = parts("target compartment and share of the synapses")
    receptors: Shares = parts("receptor and its weight relative to `weight`")
    sigma: Quantity | None = quantity(
        "um", "spatial spread of the axon", default=None, positive=True
    )
    in_degree: float | None = number(
        "connections per postsynaptic cell", default=None, nonnegative=True
    )
    weight_shape: float = number("s.d. of the log of the weights", default=0.0, nonnegative=True)
    delay: Quantity = quantity("ms", "synaptic latency", default="1 ms", nonnegative=True)
    velocity: Quantity | None = quantity(
        "um/ms", "conduction velocity", default=None, positive=True
    )
    stp: ShortTermPlasticity | None = parts("short-term plasticity", default=None)
    release_gain: float = number(
        "factor on the release probability; 1 unless modulated", default=1.0, nonnegative=True
    )
    label: str = text("distinguishes projections of the same pair", default="")
    source: str = text("where the values come from", default="")

    def _check(self) -> None:
        if not isinstance(self.stp, ShortTermPlasticity | None):
            raise ModelError(f"projection {self.key}: {self.stp!r} is not a ShortTermPlasticity")
        for shares, what in ((self.compartments, "compartments"), (self.receptors, "receptors")):
            if not shares or not all(len(s) == 2 and s[1] >= 0 for s in shares):
                raise ModelError(f"projection {self.key}: {what} must be (name, share) pairs")
        total = math.fsum(s for _, s in self.compartments)
        if abs(total - 1) > 1e-9:
            raise ModelError(
                f"projection {self.key}: shares of compartments add up to {total:g}, not 1"
            )
        for field in ("compartments", "receptors"):
            shares = tuple((str(n), float(s)) for n, s in getattr(self, field))
            object.__setattr__(self, field, shares)

    @property
    def key(self) -> str:
        """Name in a path, e.g. ``PC->PV``."""
        return f"{self.pre}->{self.post}" + (f":{self.label}" if self.label else "")


@dataclass(frozen=True)
class GapJunctions(Description):
    """Electrical synapses between the cells of one population, or of two.

    Cells i and j, joined at a compartment, exchange the current ``g (v_j - v_i)``. A pair at
    lateral distance d is joined with probability ``p_max * exp(-d**2 / (2 sigma**2))`` (uniform
    without `sigma`); g is log-normal with median `g` and `g_shape`, the s.d. of its logarithm.
    """

    a: str = text("population")
    b: str = text("population, the same or another")
    compartment: str = text("where the cells are joined, in both")
    g: Quantity = quantity("nS", "median conductance", nonnegative=True)
    p_max: float = number("probability of a pair at distance 0", nonnegative=True, maximum=1.0)
    sigma: Quantity | None = quantity("um", "spatial spread", default=None, positive=True)
    g_shape: float = number("s.d. of the log of the conductances", default=0.0, nonnegative=True)
    source: str = text("where the values come from", default="")

    @property
    def key(self) -> str:
        """Name in a path, e.g. ``PV--PV``."""
        return f"{self.a}--{self.b}"


@dataclass(frozen=True)
class Circuit(Description):
    """Populations on a square sheet, their projections, and the neuromodulators around them.

    Cells lie at uniformly random places of a square of side `side` with periodic borders, so
    that no cell is at an edge.
    """

    name: str = name_field()
    populations: tuple[Population, ...] = parts("populations")
    projections: tuple[Projection, ...] = parts("projections", default=())
    modulators: tuple[Modulator, ...] = parts("neuromodulators", default=())
    side: Quantity | None = quantity("um", "side of the sheet", default=None, positive=True)
    seed: int = number("seed of every random stream", default=1, nonnegative=True, integer=True)
    summary: str = text("one line about the circuit", default="")
    gap_junctions: tuple[GapJunctions, ...] = parts("electrical synapses", default=())

    _transparent: ClassVar[tuple[str, ...]] = ("populations", "projections", "gap_junctions")

    def _check(self) -> None:
        label = self._label()
        check_types(self.populations, Population, label)
        check_types(self.projections, Projection, label)
        check_types(self.gap_junctions, GapJunctions, label)
        check_types(self.modulators, Modulator, label)
        check_unique(self.populations, label)
        check_unique(self.projections, label)
        check_unique(self.gap_junctions, label)
        if not self.populations:
            raise ModelError(f"{label}: needs at least one population")
        names = [m.name for m in self.modulators]
        if len(set(names)) != len(names) and not all(m.receptors for m in self.modulators):
            raise ModelError(f"{label}: a modulator is given twice; its receptors must then differ")
        for p in self.projections:
            self.population(p.pre)
            post = self.population(p.post).cell
            for compartment, _ in p.compartments:
                for receptor, _ in p.receptors:
                    check_receptor(post.compartment(compartment), receptor, f"projection {p.key}")
        joined = [frozenset((j.a, j.b)) for j in self.gap_junctions]
        for junctions in self.gap_junctions:
            if joined.count(frozenset((junctions.a, junctions.b))) > 1:
                raise ModelError(
                    f"{label}: gap junctions {junctions.key} are given in both orders; "
                    "one description holds for both directions"
                )
            for end in (junctions.a, junctions.b):
                self.population(end).cell.compartment(junctions.compartment)
        rules: tuple[Projection | GapJunctions, ...] = (*self.projections, *self.gap_junctions)
        for rule in rules:
            if rule.sigma is not None and self.side is None:
                raise ModelError(f"{rule.key}: a distance rule needs Circuit(side=...)")

    def population(self, name: str) -> Population:
        """The population called `name`; a :class:`ModelError` names the nearest."""
        for p in self.populations:
            if p.name == name:
                return p
        raise unknown_name(f"population of {self._label()}", name, list(self.cells))

    @property
    def cells(self) -> dict[str, int]:
        """Number of cells per population."""
        return {p.name: p.size for p in self.populations}

    def modulated(self, *modulators: Modulator) -> Circuit:
        """The same circuit bathed in these neuromodulators (replacing any of the same name)."""
        new = {(m.name, m.receptors) for m in modulators}
        kept = tuple(m for m in self.modulators if (m.name, m.receptors) not in new)
        return replace(self, modulators=kept + modulators)

    @classmethod
    def of(cls, cell: Cell, size: int = 1, heterogeneous: bool = False, seed: int = 1) -> Circuit:
        """Unconnected copies of one cell, as a circuit whose population has the cell's name."""
        population = Population(cell.name, cell, size, heterogeneous=heterogeneous)
        return cls(cell.name, (population,), seed=seed)


def check_receptor(compartment: object, receptor: str, what: str) -> None:
    """Raise :class:`ModelError` unless the compartment has that synaptic receptor."""
    receptors = [r.name for r in getattr(compartment, "receptors", ())]
    if receptor not in receptors:
        where = f"receptor of compartment {getattr(compartment, 'name', '?')} ({what})"
        raise unknown_name(where, receptor, receptors)
