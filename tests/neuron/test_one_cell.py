"""One cell on NEURON against linear theory, convergence and Brian2."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

import biomod as bm
from biomod.mechanisms import passive
from biomod.model import Cell, Coupling, Dendrite, Recording, Soma, SynapticEvents
from tests.backends.helpers import absolute, point, spike_times, voltage
from tests.neuron.helpers import spiking_cell

VARIABLES = ("soma.v", "apical.v", "soma.calcium.cai", "soma.NaTa.m", "soma.SK.z", "apical.Ih.m")


def passive_tree() -> Cell:
    """Five compartments, one of them given before its parent; a branch point in the trunk."""
    parts = [
        absolute(Dendrite, "tip", "20 pF", "1 nS", "-65 mV"),
        absolute(Soma, "soma", "100 pF", "5 nS", "-70 mV"),
        absolute(Dendrite, "basal", "40 pF", "2 nS", "-72 mV"),
        absolute(Dendrite, "trunk", "60 pF", "3 nS", "-70 mV"),
        absolute(Dendrite, "tuft", "80 pF", "4 nS", "-60 mV"),
    ]
    couplings = (
        Coupling("tip", "trunk", "3 nS"), Coupling("soma", "basal", "8 nS"),
        Coupling("trunk", "soma", "11 nS"), Coupling("trunk", "tuft"),
    )  # fmt: skip
    return Cell("tree", tuple(parts), couplings, fidelity="hh")


def run(model: Any, duration: str, **how: Any) -> bm.Result:
    return bm.simulate(model, duration, **({"backend": "neuron"} | how))


@pytest.mark.parametrize(("method", "error"), [("crank_nicolson", 1e-6), ("cvode", 1e-4)])
def test_charging_of_a_membrane(method: str, error: float) -> None:
    """``I / g (1 - exp(-t g / C))`` of 100 pF and 5 nS."""
    cell = point("cell", "100 pF", "5 nS", "-70 mV")
    pulse = bm.step("20 pA", "0 ms", "1000 ms")
    result = run(cell, "40 ms", stimulus=pulse, record=["soma.v"], method=method)
    t = result.trace("soma.v").index.to_numpy()
    exact = -70 + 4 * (1 - np.exp(-t / 20))
    np.testing.assert_allclose(voltage(result, "soma.v"), exact, atol=error)


def test_a_tree_settles_where_its_conductance_matrix_says() -> None:
    cell = passive_tree()
    names = [c.name for c in cell.compartments]
    for injected in names:
        pulse = bm.step("10 pA", "0 ms", "2000 ms", compartment=injected)
        result = run(cell, "1000 ms", stimulus=pulse, record=[f"{n}.v" for n in names])
        for n in names:
            trace = voltage(result, f"{n}.v")
            resistance = passive.transfer_resistance(cell, injected, n).to("Mohm")
            assert trace[-1] - trace[0] == pytest.approx(10e-3 * resistance, rel=1e-9)


def test_an_unstimulated_cell_stays_at_rest() -> None:
    result = run(spiking_cell(), "50 ms", record=["soma.v", "apical.v"])
    rest = passive.rest(spiking_cell())
    for name in ("soma", "apical"):
        trace = voltage(result, f"{name}.v")
        np.testing.assert_allclose(trace, rest[name] * 1e3, atol=1e-8)


def test_the_error_of_the_fixed_step_falls_with_the_square_of_dt() -> None:
    pulse = bm.step("250 pA", "0 ms", "100 ms")

    def late(**how: Any) -> np.ndarray:
        record = [Recording("soma", "v", interval="0.2 ms")]
        return voltage(run(spiking_cell(), "30 ms", stimulus=pulse, record=record, **how), "soma.v")

    exact = late(method="cvode", tolerance=1e-9)
    errors = [np.abs(late(dt=f"{dt} ms") - exact)[50:].max() for dt in (0.05, 0.025, 0.0125)]
    assert errors[0] / errors[1] == pytest.approx(4, rel=0.2)
    assert errors[1] / errors[2] == pytest.approx(4, rel=0.2)


def test_the_variable_step_converges_with_its_tolerance() -> None:
    pulse = bm.step("500 pA", "5 ms", "50 ms")
    times = [
        spike_times(run(spiking_cell(), "50 ms", stimulus=pulse, method="cvode", tolerance=e), "cell")
        for e in (1e-9, 1e-7, 1e-5)
    ]
    assert len(times[0]) >= 1
    errors = [np.abs(t - times[0]).max() for t in times[1:]]
    assert errors[0] < 1e-4
    assert errors[0] < errors[1] < 1e-2


@cache
def driven(backend: str) -> bm.Result:
    """Synapses at every receptor, a ramp, and a step that makes the cell fire."""
    events = [
        SynapticEvents(compartment=c, receptor=r, times=(f"{t} ms",), weight="2 nS")
        for c, r, t in (
            ("apical", "AMPA", 5), ("apical", "NMDA", 6.01), ("basal", "GABA", 12),
            ("soma", "GABA_B", 15), ("basal", "fast", 20.5),
        )
    ]  # fmt: skip
    currents = [bm.ramp("1 pA/ms", "3.01 ms", "40 ms", "basal"), bm.step("0.6 nA", "30 ms", "60 ms")]
    record = [*VARIABLES, "apical.NMDA.g", "soma.GABA_B.g", "basal.fast.g"]
    return bm.simulate(
        spiking_cell(), "60 ms", stimulus=[*events, *currents], record=record, dt="0.0125 ms",
        backend=backend,
    )  # fmt: skip


@pytest.mark.validate
def test_a_cell_does_the_same_on_both_simulators() -> None:
    """The same scheme, but for rounding; demanded are 0.05 mV and 0.1 ms."""
    here, there = driven("neuron"), driven("cpp")
    assert len(here.spikes) >= 1
    assert list(here.spikes["time_ms"]) == list(there.spikes["time_ms"])
    for label in there.traces:
        a, b = here.trace(label), there.trace(label)
        assert a.attrs == b.attrs
        np.testing.assert_array_equal(a.index, b.index)
        np.testing.assert_allclose(a, b, atol=1e-6, rtol=1e-6, err_msg=label)


def test_intervals_of_recordings() -> None:
    pulse = bm.step("100 pA", "1 ms", "5 ms")
    every = Recording("soma", "v"), Recording("soma", "v", interval="0.1 ms")
    fine, coarse = (run(spiking_cell(), "5 ms", stimulus=pulse, record=[r]) for r in every)
    a, b = fine.trace("soma.v"), coarse.trace("soma.v")
    assert len(a) == 200
    np.testing.assert_allclose(a.index[::4], b.index, atol=1e-9)
    np.testing.assert_allclose(a.to_numpy()[::4], b.to_numpy(), atol=1e-12)
