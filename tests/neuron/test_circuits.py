"""A circuit on NEURON and on Brian2: same wiring, same parameters, same spikes."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

import biomod as bm
from biomod.mechanisms import neuromodulation as nm
from biomod.model import Circuit, GapJunctions, Modulator, Population, Soma, SynapticEvents
from tests.backends.helpers import absolute, point, same_spikes, voltage
from tests.neuron.helpers import interneuron, small_circuit, spiking_cell

RECORD = ("E.soma.v", "I.soma.v", "E.soma.GABA_B.g", "I.dend.NMDA.g", "E[0].soma.fast.g")


def stimuli() -> list[bm.Stimulus]:
    steps = np.random.default_rng(0).choice(np.arange(200, 4800), 60, replace=False)
    times = tuple(f"{t:.4f} ms" for t in np.sort(steps) * 0.025 + 0.01)
    return [
        SynapticEvents("E", "apical", receptor="AMPA", times=times, weight="4 nS", number=2.0),
        SynapticEvents("E", "soma", (0, 2), receptor="fast", times=("20 ms",), weight="6 nS"),
        bm.step("0.4 nA", "10 ms", "140 ms", population="E", cells=(1, 4)),
        bm.ramp("2 pA/ms", "10.01 ms", "90 ms", population="I", cells=(0,)),
    ]


def compare(here: bm.Result, there: bm.Result) -> None:
    assert len(here.spikes) > 10
    assert same_spikes(here, there)
    for label in there.traces:
        a, b = here.trace(label), there.trace(label)
        np.testing.assert_allclose(a, b, atol=1e-5, err_msg=label)


@pytest.mark.validate
def test_both_simulators_run_a_circuit_to_the_same_spikes() -> None:
    """AMPA, NMDA, GABA-A and -B, short-term plasticity, gap junctions, varied cells."""
    here, there = (
        bm.simulate(small_circuit(), "130 ms", stimulus=stimuli(), record=RECORD, backend=b)
        for b in ("neuron", "cpp")
    )
    assert here.provenance["synapses"] == there.provenance["synapses"]
    compare(here, there)


@cache
def modulated(backend: str, timed: bool) -> bm.Result:
    circuit = small_circuit(gaps=False)
    cells = (nm.express(spiking_cell("L5_ET")), nm.express(interneuron("PV_basket")))
    populations = tuple(
        replace(p, cell=c, size=3) for p, c in zip(circuit.populations, cells, strict=True)
    )
    circuit = replace(circuit, populations=populations)
    acetylcholine: Modulator = bm.ACh(tonic="1 uM")
    if timed:
        acetylcholine = nm.phasic("ACh", "20 ms", "60 ms", rate="80 Hz")
    record = ("E.soma.v", "I.soma.v")
    drive = [s for s in stimuli() if s.cells != (1, 4)]
    drive.append(bm.step("0.4 nA", "10 ms", "140 ms", population="E", cells=(1,)))
    return bm.simulate(
        circuit, "130 ms", stimulus=drive, record=record, modulators=[acetylcholine],
        backend=backend,
    )  # fmt: skip


@pytest.mark.validate
@pytest.mark.parametrize("timed", [False, True], ids=["tonic", "phasic"])
def test_both_simulators_modulate_alike(timed: bool) -> None:
    compare(modulated("neuron", timed), modulated("cpp", timed))


def test_coupling_coefficient_of_two_passive_cells() -> None:
    """``g / (g + g_leak)`` of the cell that is not injected."""
    cell = point("cell", "100 pF", "5 nS", "-70 mV")
    gaps = (GapJunctions("cell", "cell", "soma", "2 nS", 1.0),)
    circuit = Circuit("c", (Population("cell", cell, 2),), gap_junctions=gaps)
    pulse = bm.step("20 pA", "0 ms", "1000 ms", cells=(0,))
    for method in ("crank_nicolson", "cvode"):
        result = bm.simulate(
            circuit, "400 ms", stimulus=pulse, record=["soma.v"], backend="neuron", method=method,
            dt="0.1 ms", tolerance=1e-8 if method == "cvode" else None,
        )  # fmt: skip
        near, far = (voltage(result, "soma.v", k)[-1] + 70 for k in (0, 1))
        assert far / near == pytest.approx(2 / (2 + 5), rel=1e-6)
        assert near == pytest.approx(20 / (5 + 2 * 5 / (2 + 5)), rel=1e-6)


def test_a_time_step_that_equalises_coupled_cells_is_refused() -> None:
    cell = point("cell", "100 pF", "5 nS", "-70 mV")
    gaps = (GapJunctions("cell", "cell", "soma", "50 uS", 1.0),)
    circuit = Circuit("c", (Population("cell", cell, 2),), gap_junctions=gaps)
    with pytest.raises(bm.ModelError, match="use a dt below"):
        bm.simulate(circuit, "1 ms", backend="neuron")


def test_cells_differ_as_drawn() -> None:
    """The input resistance of each of ten varied cells is that of its own leak."""
    cell = replace(
        Circuit.of(interneuron()).populations[0].cell,
        compartments=(absolute(Soma, "soma", "50 pF", "4 nS", "-65 mV"),), couplings=(),
    )  # fmt: skip
    circuit = Circuit("c", (Population("p", cell, 10),), seed=5)
    pulse = bm.step("10 pA", "0 ms", "1000 ms")
    result = bm.simulate(circuit, "800 ms", stimulus=pulse, record=["soma.v"], backend="neuron",
                         dt="0.1 ms")  # fmt: skip
    from biomod.mechanisms.variability import draw

    leak = draw(circuit.populations[0], 5)["soma.g_leak"] * cell.soma.area.si
    found = [voltage(result, "soma.v", k)[-1] + 65 for k in range(10)]
    assert np.std(leak) > 0
    np.testing.assert_allclose(found, 10e-12 / leak * 1e3, rtol=1e-6)
