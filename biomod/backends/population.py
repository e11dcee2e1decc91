"""Parameters of the cells of a population, for every simulator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from biomod.backends.parameters import brian_values
from biomod.mechanisms import neuromodulation as nm
from biomod.mechanisms import variability
from biomod.model import Circuit, Population


class PopulationValues:
    """Values of the parameters of one population, heterogeneity and modulation included."""

    def __init__(self, circuit: Circuit, population: Population, dt: float) -> None:
        self.cell, self.dt, self.name = population.cell, dt, population.name
        self.nominal = {
            p: (v.si if hasattr(v, "si") else float(v))
            for p, v in population.cell.parameters().items()
        }
        self.drawn: dict[str, np.ndarray] = variability.draw(population, circuit.seed)
        self.modulatable = nm.modulatable(population.cell)

    def at(self, path: str) -> Any:
        """Unmodulated value of the parameter at a path."""
        return self.drawn.get(path, self.nominal[path])

    def brian(self, courses: Mapping[str, nm.Course] | None = None) -> dict[str, Any]:
        """Value of every variable, with the modulation of the first moment."""

        def value(path: str) -> Any:
            base = self.at(path)
            course = (courses or {}).get(path)
            if course is None:
                return base
            return base * course.scale[0] + course.offset[0]

        return brian_values(self.cell, value, self.dt)

    def varying(self) -> set[str]:
        """Variables that differ between cells or that a modulator can change."""
        base = brian_values(self.cell, self.nominal.__getitem__, self.dt)

        def other(path: str) -> Any:
            value = self.at(path)
            return value * 1.5 + 1e-3 if path in self.modulatable else value

        changed = brian_values(self.cell, other, self.dt)
        return {k for k in base if np.ndim(changed[k]) or changed[k] != base[k]}
