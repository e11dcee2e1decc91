"""Presynaptic effects: which projections of a circuit a receptor changes."""

from __future__ import annotations

import re
from dataclasses import dataclass

from biomod.mechanisms.neuromodulation.library import (
    CELL_TYPES,
    cell_type_of,
    neuron_class,
    outside_cells,
)
from biomod.mechanisms.neuromodulation.resolution import Resolution, resolve
from biomod.model.cell import Cell
from biomod.model.circuit import Circuit
from biomod.model.neuromodulation import Effect, Receptor

# What the words of the tables mean: a class (E, I), or the beginning of a cell type's name.
_WORDS = {"E": "E", "PC": "E", "IN": "I", "any": ""}


@dataclass(frozen=True)
class AppliedToProjection:
    """A presynaptic effect and the projection whose `release_gain` it scales.

    Attributes
    ----------
    projection : str
        Key of the projection, e.g. ``"L23_PC->PV"``.
    population : str
        Population that expresses the receptor.
    effect : Effect
        The row of the table.
    receptor : Receptor
        Receptor that causes it.
    level : float
        Expression of the receptor in that population.
    value : float
        Factor on `release_gain` at activation 1.
    """

    projection: str
    population: str
    effect: Effect
    receptor: Receptor
    level: float
    value: float


@dataclass(frozen=True)
class ProjectionResolution:
    """Presynaptic effects of a circuit: those with a projection, and the rest with the reason.

    Attributes
    ----------
    applied : tuple of AppliedToProjection
        One per effect and projection.
    not_expressed : tuple of (str, Effect, str)
        Population (empty for rows about no cell of the circuit), effect, reason.
    """

    applied: tuple[AppliedToProjection, ...]
    not_expressed: tuple[tuple[str, Effect, str], ...]


def applied_to_projections(
    circuit: Circuit, resolutions: dict[str, Resolution] | None = None
) -> ProjectionResolution:
    """Find the projections whose release the receptors of a circuit change.

    Effects on ``axon_terminal(PRE->POST)`` belong to the presynaptic population and hold for
    projections from it to cells of the class POST (no parentheses: to all). Effects on the
    ``dendritic input synapse from local PC`` belong to the postsynaptic population and hold for
    projections to it from excitatory cells. "recurrent" means within the circuit, which every
    projection is.

    Parameters
    ----------
    circuit : Circuit
        The circuit.
    resolutions : dict of str to Resolution, optional
        :func:`resolve` of the cell of every population, where it is known already.
    """
    applied: list[AppliedToProjection] = []
    missing: list[tuple[str, Effect, str]] = [("", e, why) for e, why in outside_cells()]
    for population in circuit.populations:
        resolution = (resolutions or {}).get(population.name) or resolve(population.cell)
        expressions = {x.receptor.name: x for x in population.cell.expression}
        for effect in resolution.on_projections:
            expression = expressions[effect.receptor]
            found = _projections(circuit, population.name, effect)
            receptor, level = expression.receptor, expression.level
            applied += [
                AppliedToProjection(key, population.name, effect, receptor, level, effect.value)
                for key in found
            ]
            if not found:
                why = f"no projection of this circuit is meant by {effect.compartment!r}"
                missing.append((population.name, effect, why))
    return ProjectionResolution(tuple(applied), tuple(missing))


def _projections(circuit: Circuit, population: str, effect: Effect) -> list[str]:
    """Keys of the projections that an effect of a population reaches."""
    cells = {p.name: p.cell for p in circuit.populations}
    if effect.compartment.startswith("dendritic input synapse"):
        return [
            p.key
            for p in circuit.projections
            if p.post == population and neuron_class(cells[p.pre]) == "E"
        ]
    pairs = _pairs(effect.compartment)
    return [
        p.key
        for p in circuit.projections
        if p.pre == population
        and any(is_class(cells[p.pre], a) and is_class(cells[p.post], b) for a, b in pairs)
    ]


def _pairs(text: str) -> list[tuple[str, str]]:
    """``"axon_terminal(PC->PC and PC->IN)"`` as ``[("PC", "PC"), ("PC", "IN")]``."""
    inside = re.search(r"\((.*)\)", text)
    if inside is None:
        return [("any", "any")]
    found = re.findall(r"(\w+)\s*->\s*(\w+)", inside.group(1))
    return [(str(a), str(b)) for a, b in found]


def is_class(cell: Cell, word: str) -> bool:
    """Whether a cell is what a word of the tables (``PC``, ``IN``, ``any``, ``PV``, …) means."""
    if word in _WORDS:
        return _WORDS[word] in ("", neuron_class(cell))
    kind = cell_type_of(cell)
    if word in CELL_TYPES:
        return kind == word
    return kind.startswith(word)
