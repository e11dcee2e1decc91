"""Back-propagation into the dendrites, and the calcium plateau of the tuft."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import biomod as bm
import cell_types
from biomod.model import Cell, Circuit, Population
from cell_types.bench import PLATEAU_MV

ONSET = 5.0  # ms
DURATION = "120 ms"
PATH = ("soma", "trunk", "tuft")
PYRAMIDAL = ("L23_PC", "L5_IT", "L5_ET")
# Synapses of 1 nS (AMPA) on the tuft of L5_ET that are active together.
NUMBERS = (20, 40, 80, 120)
NMDA_SHARE = 0.7


def only_tuft_synapses(cell: Cell) -> Cell:
    """Without what no stimulus here opens: compiles faster, behaves the same."""
    compartments = tuple(
        replace(
            c,
            channels=tuple(ch for ch in c.channels if ch.g_max.si > 0),
            receptors=tuple(r for r in c.receptors if c.name == "tuft" and r.kind != "GABA"),
        )
        for c in cell.compartments
    )
    return replace(cell, compartments=compartments, expression=())


def with_synapses(cell: Cell, number: int) -> Cell:
    return cell.with_({"tuft.AMPA.gain": number, "tuft.NMDA.gain": number})


@pytest.fixture(scope="module")
def result() -> bm.Result:
    """A somatic pulse in all types; clustered input of several sizes to the tuft of L5_ET."""
    cells = {name: only_tuft_synapses(cell_types.get(name)) for name in PYRAMIDAL}
    numbers = {f"ET_{n}": n for n in NUMBERS}
    made = {name: with_synapses(cell, 0) for name, cell in cells.items()}
    made |= {name: with_synapses(cells["L5_ET"], n) for name, n in numbers.items()}
    populations = tuple(Population(n, c, 1, heterogeneous=False) for n, c in made.items())
    stimuli: list[bm.Stimulus] = [
        bm.step("6 nA", f"{ONSET} ms", f"{ONSET + 0.5} ms", population=name) for name in PYRAMIDAL
    ]
    for receptor, weight in (("AMPA", "1 nS"), ("NMDA", f"{NMDA_SHARE} nS")):
        at_tuft = {"population": "*", "compartment": "tuft", "receptor": receptor}
        stimuli.append(bm.SynapticEvents(times=(f"{ONSET} ms",), weight=weight, **at_tuft))
    record = [f"{name}.{c}.v" for name in PYRAMIDAL for c in PATH]
    record += [f"{name}.tuft.v" for name in numbers]
    circuit = Circuit("dendrites", populations)
    return bm.simulate(circuit, DURATION, stimulus=stimuli, record=record)


@pytest.fixture(scope="module")
def heights(result) -> dict[str, np.ndarray]:
    """Height in mV of the action potential along the dendrite, by cell type."""
    found = {}
    for name in PYRAMIDAL:
        traces = [result.trace(f"{name}.{c}.v").iloc[:, 0] for c in PATH]
        found[name] = np.array([v.max() - v.loc[:ONSET].iloc[-1] for v in traces])
    return found


def test_a_brief_pulse_evokes_one_spike(result):
    counts = result.spikes["population"].value_counts()
    assert {name: counts[name] for name in PYRAMIDAL} == dict.fromkeys(PYRAMIDAL, 1)


@pytest.mark.parametrize("name", PYRAMIDAL)
def test_spike_reaches_the_dendrites_with_decrement(heights, name):
    assert np.all(np.diff(heights[name]) < 0), heights[name]
    trunk = heights[name][1]  # no published value for the far tuft of these reduced cells
    assert trunk > 2


@pytest.mark.xfail(
    strict=True,
    reason="measured: the trunk rises by 27 (L23_PC), 6 (L5_IT) and 19 mV (L5_ET), to -49 mV at "
    "most; its sodium spike starts at -35 mV. To be solved with P09.",
)
@pytest.mark.parametrize("name", PYRAMIDAL)
def test_spike_is_regenerated_in_the_apical_trunk(heights, name):
    """By dendritic sodium spikes: more than half of its height is left there."""
    assert heights[name][1] > 0.5 * heights[name][0], heights[name]


def plateau(result: bm.Result, number: int) -> float:
    """Time in ms that the tuft of L5_ET spends above the level of calcium spikes."""
    v = result.trace(f"ET_{number}.tuft.v").iloc[:, 0]
    return float((v > PLATEAU_MV).sum() * (v.index[1] - v.index[0]))


def test_enough_synapses_on_the_tuft_evoke_a_calcium_plateau(result):
    """All or none: 20 to 50 ms for many synapses, nothing for few (Larkum & Zhu 2002)."""
    lengths = [plateau(result, n) for n in NUMBERS]
    assert lengths[0] == 0
    assert all(20 <= t <= 50 for t in lengths[-2:]), lengths


def test_the_plateau_makes_the_soma_fire_a_burst(result):
    counts = result.spikes["population"].value_counts()
    assert counts.get(f"ET_{NUMBERS[0]}", 0) == 0
    assert counts[f"ET_{NUMBERS[-1]}"] >= 2
