"""A morphology with a membrane: what a detailed model of a cell is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from biomod.errors import ModelError, unknown_name
from biomod.model import Cell, Channel, Compartment, Coupling, Dendrite, Soma
from biomod.model.cell import Membrane
from biomod.morphology.grid import Grid
from biomod.morphology.tree import KINDS, Morphology
from biomod.units import QuantityLike, as_quantity, nS, um

REGION_OF_KIND = {"soma": "soma", "basal": "basal", "apical": "apical_trunk"}


@dataclass(frozen=True, eq=False)
class DetailedCell:
    """A morphology with a membrane for each kind of its sections.

    Parameters
    ----------
    name : str
        Name of the cells that are made of it.
    morphology : Morphology
        The shape.
    membranes : mapping of str to Membrane
        By kind of section: ``soma``, ``axon``, ``basal``, ``apical``, ``dendrite``; ``"*"`` is for
        kinds that are not named.
    temperature : float
        In degrees Celsius.
    """

    name: str
    morphology: Morphology
    membranes: Mapping[str, Membrane]
    temperature: float = 34.0

    def __post_init__(self) -> None:
        for kind, membrane in self.membranes.items():
            if kind != "*" and kind not in KINDS:
                raise unknown_name("kind of section", kind, [*KINDS, "*"])
            if not isinstance(membrane, Membrane):
                raise ModelError(f"membrane of {kind}: {membrane!r} is not a Membrane")
        used = {s.kind for s in self.morphology.sections}
        used |= {"soma"} if self.morphology.soma_area is not None else set()
        for kind in sorted(used):
            self.membrane(kind)

    def membrane(self, kind: str) -> Membrane:
        """The membrane of a kind of section."""
        found = self.membranes.get(kind, self.membranes.get("*"))
        if found is None:
            raise ModelError(
                f"cell {self.name}: its morphology has sections of kind {kind}, but "
                f"`membranes` has only {', '.join(self.membranes) or 'nothing'}"
            )
        return found

    def grid(
        self,
        d_lambda: float = 0.1,
        frequency: QuantityLike = "100 Hz",
        segments: int | None = None,
    ) -> Grid:
        """Cut the cell into compartments short against its AC length constant.

        ``lambda_f = sqrt(diameter / (4 pi f r_axial cm))``; a compartment is at most
        `d_lambda` of them long.

        Parameters
        ----------
        d_lambda : float
            Largest length of a compartment, in length constants at `frequency`.
        frequency : quantity
            Source of both defaults: Hines & Carnevale 2001, Neuroscientist 7:123,
            10.1177/107385840100700207.
        segments : int, optional
            That many compartments in every section instead.
        """
        if not d_lambda > 0:
            raise ModelError(f"d_lambda must be positive; {d_lambda!r} was given")
        f = as_quantity(frequency, "Hz", "frequency").si
        if not f > 0:
            raise ModelError(f"frequency must be positive; {frequency!r} was given")
        if segments is not None and segments < 1:
            raise ModelError(f"segments must be at least 1; {segments!r} was given")
        counts = {}
        for section in self.morphology.sections:
            m = self.membrane(section.kind)
            length, a, b = section.pieces(0.0, 1.0)
            constant = np.sqrt(
                (a + b) * 1e-6 / (4 * np.pi * f * m.r_axial.si * m.cm.si * m.area_factor)
            )
            electrotonic = float(np.sum(length * 1e-6 / constant))
            counts[section.name] = segments or max(1, int(np.ceil(electrotonic / d_lambda)))
        return Grid.of(self, counts)

    def cell(
        self,
        d_lambda: float = 0.1,
        frequency: QuantityLike = "100 Hz",
        segments: int | None = None,
    ) -> Cell:
        """The detailed cell as a :class:`~biomod.model.Cell`; for parameters see :meth:`grid`.

        Its compartments are called like their section and a number from the soma, ``basal0x3``.
        Both simulators run thousands of them.
        """
        grid = self.grid(d_lambda, frequency, segments)
        made = tuple(self._compartment(grid, i) for i in range(len(grid)))
        couplings = tuple(
            Coupling(grid.names[grid.parent[i]], grid.names[i], g=grid.axial[i] * 1e9 * nS)
            for i in range(1, len(grid))
        )
        return Cell(
            self.name, made, couplings, fidelity="hh", temperature=self.temperature,
            summary=f"{self.morphology.name} in {len(made)} compartments",
        )  # fmt: skip

    def _compartment(self, grid: Grid, i: int) -> Compartment:
        kind = grid.kinds[i]
        membrane = self.membrane(kind)
        diameter = grid.diameter[i]
        return compartment(
            grid.names[i], "soma" if i == 0 else kind, grid.area[i], diameter, grid.capacitance[i],
            grid.leak[i], grid.E_leak[i], membrane, grid.channels_at(i),
        )  # fmt: skip


def compartment(
    name: str, kind: str, area: float, diameter: float, capacitance: float, leak: float,
    E_leak: float, membrane: Membrane, channels: tuple[Channel, ...],
) -> Compartment:  # fmt: skip
    """A compartment of given absolute values (SI), of the shape of a cylinder of that diameter."""
    cls = Soma if kind == "soma" else Dendrite
    m2 = as_quantity("1 m2", "m2")
    surface = area * m2
    return cls(
        name,
        area / (np.pi * diameter) * 1e6 * um,
        diameter * 1e6 * um,
        (leak * as_quantity("1 S", "S")) / surface,
        E_leak * as_quantity("1 V", "V"),
        cm=(capacitance * as_quantity("1 F", "F")) / surface,
        r_axial=membrane.r_axial,
        region=REGION_OF_KIND.get(kind, "dendrite"),
        channels=channels,
        receptors=membrane.receptors,
        calcium=membrane.calcium,
    )
