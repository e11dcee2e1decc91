"""Ideal agonists, and trains of spikes of populations of cells that get one current each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pytest

import biomod as bm
import cell_types
from biomod.mechanisms.neuromodulation import receptors
from biomod.model import Cell, Circuit, Modulator, Population

SATURATING = "1000 mM"


def agonist(receptor: str, activation: float = 1.0, **course: object) -> Modulator:
    """An ideal agonist of one receptor, at the concentration that activates it so far."""
    found = receptors()[receptor]
    level = SATURATING
    if activation < 1:
        odds = activation / (1 - activation)
        level = f"{found.ec50.to('nM') * odds ** (1 / found.hill)!r} nM"
    if course:
        return Modulator(found.modulator, receptors=(receptor,), **course)
    return Modulator(found.modulator, level, receptors=(receptor,))


def unconnected(name: str) -> Cell:
    """A cell without its synaptic receptors, of which nothing here makes use: compiles faster."""
    cell = cell_types.get(name)
    return replace(cell, compartments=tuple(replace(c, receptors=()) for c in cell.compartments))


@dataclass(frozen=True)
class Bench:
    """Cells of several types, each at a range of constant currents, in one program."""

    program: bm.Program
    currents: Mapping[str, np.ndarray]  # pA
    onset: float  # ms

    @classmethod
    def of(
        cls,
        cells: Mapping[str, Cell],
        currents: Mapping[str, Sequence[float]],
        onset: float,
        duration: float,
        timed: bool = False,
    ) -> Bench:
        populations = tuple(
            Population(name, cell, len(currents[name]), heterogeneous=False)
            for name, cell in cells.items()
        )
        stimuli = [
            bm.step(f"{pA:.6f} pA", f"{onset} ms", f"{duration} ms", population=name, cells=(i,))
            for name in cells
            for i, pA in enumerate(currents[name])
        ]
        circuit = Circuit("bench", populations)
        program = bm.compile(circuit, f"{duration} ms", stimulus=stimuli, timed=timed)
        return cls(program, {n: np.asarray(c) for n, c in currents.items()}, onset)

    def run(self, *modulators: Modulator) -> dict[str, list[np.ndarray]]:
        """Spike times in ms after the onset, per type and current."""
        spikes = self.program.run(modulators).spikes
        found = {}
        for name, currents in self.currents.items():
            mine = spikes[spikes["population"] == name]
            cell, time = mine["cell"].to_numpy(), mine["time_ms"].to_numpy() - self.onset
            found[name] = [time[cell == i] for i in range(len(currents))]
        return found


@pytest.fixture(scope="session")
def tools() -> type:
    """The helpers of this file, for modules that cannot import it."""

    class Tools:
        agonist = staticmethod(agonist)
        unconnected = staticmethod(unconnected)
        Bench = Bench

    return Tools


@pytest.fixture(scope="module", params=["cpp", "neuron"])
def simulator(request) -> str:
    """Each simulator that is there."""
    if request.param == "neuron":
        pytest.importorskip("neuron")
    return request.param


@pytest.fixture(scope="session")
def l5_et() -> Cell:
    """The thick-tufted layer 5 cell of fidelity hh."""
    return cell_types.get("L5_ET", fidelity="hh")
