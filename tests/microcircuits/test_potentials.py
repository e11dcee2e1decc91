"""Unitary potentials by simulation: one presynaptic spike through every projection of l23."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import biomod as bm
from biomod.mechanisms.passive import hold
from biomod.model import Circuit, Population

HOLDING = "-55 mV"  # at which inhibitory responses were recorded
PULSE = 150.0  # ms
# The table has all interneurons pooled there; Pfeffer et al. 2013 (10.1038/nn.3446) found hardly
# any inhibition of pyramidal cells by VIP cells.
OTHERWISE = {"VIP->PC": 0.2}
pytestmark = pytest.mark.validate


@pytest.fixture(scope="module")
def potentials(circuit) -> dict[str, float]:
    """Mean over target compartments of the peak somatic deflection in mV, by projection.

    Every target compartment of every projection has a postsynaptic cell of its own; a cell
    without synapses under the same holding current is subtracted.
    """
    l23 = circuit()
    source = Population("source", l23.population("PC").cell, 1, heterogeneous=False)
    populations, projections, currents = [source], [], {}
    tests = []
    for p in l23.projections:
        # Held above its threshold, it must not spike.
        cell = l23.population(p.post).cell.with_({"soma.spike.threshold": "0 mV"})
        inhibitory = p.receptors[0][0] == "GABA"
        current = hold(cell, HOLDING)[1] if inhibitory else None
        control = f"control_{p.post}_{inhibitory}"
        if control not in [q.name for q in populations]:
            populations.append(Population(control, cell, 1, heterogeneous=False))
            currents[control] = current
        for where, share in p.compartments:
            name = f"{p.pre}_{p.post}_{where}"
            populations.append(Population(name, cell, 1, heterogeneous=False))
            currents[name] = current
            unitary = {"p_max": 1.0, "sigma": None, "in_degree": None, "weight_shape": 0.0}
            aim = {"pre": "source", "post": name, "compartments": ((where, 1.0),)}
            projections.append(replace(p, velocity=None, **unitary, **aim))
            tests.append((p.key, name, control, share))
    stimuli = [bm.step("6 nA", f"{PULSE} ms", f"{PULSE + 0.5} ms", population="source")]
    stimuli += [
        bm.step(current, "0 ms", "1 s", population=name)
        for name, current in currents.items()
        if current is not None
    ]
    record = [f"{q.name}.soma.v" for q in populations[1:]]
    paired = Circuit("paired", tuple(populations), tuple(projections))
    result = bm.simulate(paired, f"{PULSE + 100} ms", stimulus=stimuli, record=record)
    assert (result.spikes["population"] == "source").all()
    assert len(result.spikes) == 1
    found = dict.fromkeys((key for key, *_ in tests), 0.0)
    for key, name, control, share in tests:
        v = result.trace(f"{name}.soma.v").to_numpy() - result.trace(f"{control}.soma.v").to_numpy()
        found[key] += share * float(np.abs(v).max())
    return found


def test_median_potentials_are_those_of_the_table(potentials, table):
    expected = {key: table[key].psp_mV * OTHERWISE.get(key, 1.0) for key in potentials}
    wrong = {
        key: (value, expected[key])
        for key, value in potentials.items()
        if abs(value / expected[key] - 1) > 0.1
    }
    assert not wrong
    assert len(potentials) == len(table)
