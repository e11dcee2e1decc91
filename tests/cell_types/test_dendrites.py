"""Back-propagation into the dendrites, and the calcium plateau of the tuft."""

from __future__ import annotations

import numpy as np
import pytest

import biomod as bm
import cell_types
from biomod.model import Circuit, Population

ONSET = 5.0  # ms
PATHS = {
    "L23_PC": ("soma", "trunk", "tuft"),
    "L5_IT": ("soma", "trunk", "tuft"),
    "L5_ET": ("soma", "trunk", "tuft"),
    "PV_basket": ("soma", "proximal", "distal"),
}


@pytest.fixture(scope="module")
def heights() -> dict[str, np.ndarray]:
    """Height in mV of one action potential along the dendrite, by cell type.

    A run of 25 ms needs no compiled program.
    """
    populations = tuple(
        Population(name, cell_types.get(name), 1, heterogeneous=False) for name in PATHS
    )
    record = [f"{name}.{c}.v" for name, path in PATHS.items() for c in path]
    pulse = bm.step("3 nA", f"{ONSET} ms", f"{ONSET + 1.5} ms", population="*")
    circuit = Circuit("pulse", populations)
    result = bm.simulate(circuit, "25 ms", stimulus=pulse, record=record, backend="numpy")
    counts = result.spikes["population"].value_counts()
    assert all(counts[name] == 1 for name in PATHS), counts
    found = {}
    for name, path in PATHS.items():
        traces = [result.trace(f"{name}.{c}.v").iloc[:, 0] for c in path]
        found[name] = np.array([v.max() - v.loc[:ONSET].iloc[-1] for v in traces])
    return found


@pytest.mark.parametrize("name", PATHS)
def test_spike_reaches_the_dendrites_with_decrement(heights, name):
    assert np.all(np.diff(heights[name]) < 0), heights[name]
    assert heights[name][-1] > 3


def test_spike_is_regenerated_in_pyramidal_dendrites(heights):
    """Sodium spikes carry it far into the apical dendrite: more than half into the trunk."""
    for name in ("L23_PC", "L5_IT", "L5_ET"):
        assert heights[name][1] > 0.5 * heights[name][0], heights[name]
