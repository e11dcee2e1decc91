"""Which cells and variables stimuli and recordings name, the same for every simulator."""

from __future__ import annotations

import numpy as np

from biomod.errors import ModelError, unknown_name
from biomod.model import (
    Cell,
    Circuit,
    CurrentClamp,
    CurrentWaveform,
    Population,
    Recording,
    Stimulus,
)

Current = CurrentClamp | CurrentWaveform


def stimulated(circuit: Circuit, stimulus: Stimulus) -> list[tuple[str, tuple[int, ...]]]:
    """Population and cells that a stimulus reaches."""
    if stimulus.population == "*":
        targets = circuit.populations
    else:
        name = stimulus.population or only_population(circuit, "stimulus").name
        targets = (circuit.population(name),)
    chosen = []
    for target in targets:
        target.cell.compartment(stimulus.compartment)
        outside = [c for c in stimulus.cells if not 0 <= c < target.size]
        if outside:
            raise ModelError(
                f"stimulus: {target.name} has cells 0 to {target.size - 1}, not {outside[0]}"
            )
        chosen.append((target.name, stimulus.cells or tuple(range(target.size))))
    return chosen


def only_population(circuit: Circuit, what: str) -> Population:
    """The only population of a circuit; an error if there are several to choose from."""
    if len(circuit.populations) > 1:
        names = ", ".join(circuit.cells)
        raise ModelError(f"{what}: say which population, one of {names}")
    return circuit.populations[0]


def recorded_cells(circuit: Circuit, recording: Recording) -> tuple[Population, np.ndarray]:
    """The population of a recording, and the indices of its cells within the population."""
    if recording.population:
        population = circuit.population(recording.population)
    else:
        population = only_population(circuit, f"recording {recording.label}")
    first = range(min(10, population.size))
    chosen = tuple(first) if recording.cells is None else recording.cells
    outside = [c for c in chosen if not 0 <= c < population.size]
    if outside:
        raise ModelError(
            f"recording {recording.label}: {population.name} has cells 0 to "
            f"{population.size - 1}, not {outside[0]}"
        )
    return population, np.array(chosen)


def recorded_part(cell: Cell, recording: Recording) -> tuple[str, str]:
    """Part and variable of a recording: ``("v", "")``, ``("M", "p")``, ``("AMPA", "g")``."""
    compartment = cell.compartment(recording.compartment)
    allowed: dict[str, tuple[str, str]] = {"v": ("v", "")}
    for channel in compartment.channels:
        allowed |= {
            f"{channel.name}.{g.name}": (channel.name, g.name) for g in channel.gates if g.tau
        }
    allowed |= {f"{r.name}.g": (r.name, "g") for r in compartment.receptors}
    if compartment.calcium is not None:
        allowed["calcium.cai"] = ("calcium", "cai")
    if recording.variable not in allowed:
        known = sorted(f"{c.name}.{v}" for c in (compartment,) for v in allowed)
        wanted = f"{recording.compartment}.{recording.variable}"
        raise unknown_name("recorded variable", wanted, known)
    return allowed[recording.variable]
