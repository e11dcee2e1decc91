"""Cells as sections: one section with one segment per compartment."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from biomod.backends.neuron.nmodl import channel_mechanism, pool_mechanism, receptor_mechanism
from biomod.backends.neuron.plan import Target, one, parameter_targets
from biomod.backends.parameters import area, from_soma
from biomod.backends.population import PopulationValues
from biomod.backends.resting import resting_states
from biomod.mechanisms import neuromodulation as nm
from biomod.model import Cell


@dataclass
class BuiltCell:
    """Sections and point processes of one cell."""

    sections: dict[str, Any] = field(default_factory=dict)
    # Mechanism of a segment or point process, by compartment and part.
    parts: dict[tuple[str, str], Any] = field(default_factory=dict)

    def reference(self, target: Target) -> Any:
        """Pointer to a parameter."""
        return getattr(self.parts[target.compartment, target.part], f"_ref_{target.attribute}")


class CellBuilder:
    """Builds the cells of one population with the modulation of the first moment."""

    def __init__(self, h: Any, values: PopulationValues, size: int,
                 courses: Mapping[str, nm.Course], at_once: bool) -> None:  # fmt: skip
        self.h, self.values, self.at_once = h, values, at_once
        self.cell: Cell = values.cell
        self.names: dict[tuple[str, str], str] = {}
        for c in self.cell.compartments:
            for channel in c.channels:
                self.names[c.name, channel.name] = channel_mechanism(channel).name
            for receptor in c.receptors:
                self.names[c.name, receptor.name] = receptor_mechanism(receptor).name
        self.pool = pool_mechanism().name
        self.targets = parameter_targets(self.cell)
        own = values.brian(courses)
        self.areas = {c.name: area(c.name, values.at) for c in self.cell.compartments}
        self.capacitance = {n: own[f"C_{n}"] / a for n, a in self.areas.items()}
        self.order = [(child, parent, own[g]) for child, parent, g in from_soma(self.cell)]
        self.settings = [(t, self._now(path, courses)) for path, t in self.targets.items()]
        self.settings += self._speeds(own)
        voltages, states = resting_states(self.cell, own, size)
        self.voltages = voltages
        self.settings += [
            (Target(c.name, "calcium", "start", 1.0), states[f"{c.name}.calcium.cai"])
            for c in self.cell.compartments
            if c.calcium is not None
        ]

    def _now(self, path: str, courses: Mapping[str, nm.Course]) -> Any:
        base, course = self.values.at(path), courses.get(path)
        return base if course is None else base * course.scale[0] + course.offset[0]

    def _speeds(self, own: Mapping[str, Any]) -> list[tuple[Target, Any]]:
        return [
            (
                Target(c.name, channel.name, f"speed_{gate.name}", 1.0),
                own[f"speed_{gate.name}_{channel.name}_{c.name}"],
            )
            for c in self.cell.compartments
            for channel in c.channels
            for gate in channel.gates
            if gate.q10 != 1
        ]

    def build(self, index: int, label: str) -> BuiltCell:
        """The cell of that index within its population, at its resting potential."""
        built = BuiltCell()
        for c in self.cell.compartments:
            self._compartment(built, c.name, index, label)
        for child, parent, g in self.order:
            self._join(built.sections[child], built.sections[parent], one(g, index))
        for target, value in self.settings:
            part = built.parts[target.compartment, target.part]
            setattr(part, target.attribute, one(value, index) * target.factor)
        for name, section in built.sections.items():
            section(0.5).v = one(self.voltages[name], index) * 1e3
        return built

    def _compartment(self, built: BuiltCell, name: str, index: int, label: str) -> None:
        """A cylinder as long as wide, whose lateral surface is the area of the compartment."""
        h, c = self.h, self.cell.compartment(name)
        section = h.Section(name=f"{label}_{name}")
        section.nseg = 1
        section.L = section.diam = math.sqrt(one(self.areas[name], index) * 1e12 / math.pi)
        section.cm = one(self.capacitance[name], index) * 100  # F/m2 to uF/cm2
        segment = section(0.5)
        section.insert("pas")
        built.sections[name], built.parts[name, "pas"] = section, segment.pas
        for channel in c.channels:
            mechanism = self.names[name, channel.name]
            section.insert(mechanism)
            built.parts[name, channel.name] = getattr(segment, mechanism)
        if c.calcium is not None:
            section.insert(self.pool)
            built.parts[name, "calcium"] = getattr(segment, self.pool)
        for receptor in c.receptors:
            process = getattr(h, self.names[name, receptor.name])(segment)
            process.at_once = float(self.at_once)
            built.parts[name, receptor.name] = process

    @staticmethod
    def _join(child: Any, parent: Any, g: float) -> None:
        """Couple two compartments with the conductance g (S).

        At the middle of its parent, a section of one segment is coupled through half its own
        axial resistance alone, ``R = 1e4 Ra (L / 2) / (pi diam**2 / 4)`` in ohm for um, ohm cm.
        """
        child.connect(parent(0.5), 0)
        half = child.L / 2 / (math.pi * child.diam**2 / 4)  # 1/um
        child.Ra = 1e-4 / (g * half)
