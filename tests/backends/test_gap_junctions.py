"""Electrically coupled cells against linear theory."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import biomod as bm
from biomod.mechanisms.gap_junctions import gap_pairs
from biomod.model import Cell, Circuit, GapJunctions, Population, Soma
from tests.backends.helpers import NO_SPIKE, absolute, ball_and_stick, point, voltage

LEAK, CAPACITANCE = 5e-9, 100e-12
METHODS = ("exponential_euler", "crank_nicolson")


def passive(name: str = "cell", leak: str = "5 nS", **more: Any) -> Cell:
    return point(name, "100 pF", leak, "-70 mV", **more)


def joined(cell: Cell, g: str = "2 nS", size: int = 2, compartment: str = "soma") -> Circuit:
    gaps = (GapJunctions(cell.name, cell.name, compartment, g, 1.0),)
    return Circuit("c", (Population(cell.name, cell, size),), gap_junctions=gaps)


def run(
    circuit: Circuit, injected: str = "", duration: str = "400 ms", pA: float = 20, **how: Any
) -> bm.Result:
    """Constant current into cell 0 of a population, the first one by default."""
    populations = [p.name for p in circuit.populations]
    how = {"backend": "numpy", "dt": "0.1 ms"} | how
    target = injected or populations[0]
    pulse = bm.step(f"{pA} pA", "0 ms", "1000 ms", population=target, cells=(0,))
    record = [f"{p}.soma.v" for p in populations]
    return bm.simulate(circuit, duration, stimulus=pulse, record=record, **how)


def deflection(result: bm.Result, label: str, cell: int) -> float:
    return float(voltage(result, label, cell)[-1] + 70)


@pytest.mark.parametrize("backend", ["numpy", "cpp"])
@pytest.mark.parametrize("method", METHODS)
def test_coupling_coefficient_of_two_passive_cells(method: str, backend: str) -> None:
    """``g / (g + g_leak)`` of the cell that is not injected."""
    result = run(joined(passive()), method=method, backend=backend)
    near, far = (deflection(result, "cell.soma.v", k) for k in (0, 1))
    assert far / near == pytest.approx(2 / (2 + 5), rel=1e-6)
    assert near == pytest.approx(20 / (5 + 2 * 5 / (2 + 5)), rel=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_difference_of_two_cells_decays_with_the_time_constant_of_theory(method: str) -> None:
    """``C / (g_leak + 2 g)``, with an error that halves with dt."""
    tau = CAPACITANCE / (LEAK + 2 * 2e-9)
    errors = []
    for dt in (0.1, 0.05):
        result = run(joined(passive()), duration="20.2 ms", method=method, dt=f"{dt} ms")
        v = [voltage(result, "cell.soma.v", k)[round(20 / dt)] for k in (0, 1)]
        exact = 20e-12 / (LEAK + 4e-9) * (1 - np.exp(-20e-3 / tau)) * 1e3
        errors.append(abs(v[0] - v[1] - exact))
    assert errors[0] < 0.01  # mV
    assert errors[0] / errors[1] == pytest.approx(2, rel=0.1)


@pytest.mark.parametrize("method", METHODS)
def test_unlike_cells_are_coupled_symmetrically(method: str) -> None:
    """Two neuron groups: what a current into one does to the other is the same both ways."""
    big = ball_and_stick("big")
    small = Cell("small", (absolute(Soma, "soma", "100 pF", "5 nS", "-70 mV", spike=NO_SPIKE),))
    gaps = (GapJunctions("big", "small", "soma", "2 nS", 1.0),)
    populations = (Population("big", big, 1), Population("small", small, 1))
    circuit = Circuit("c", populations, gap_junctions=gaps)
    at_rest = run(circuit, duration="1 s", method=method, pA=0)
    transfer = []
    for injected, other in (("big", "small"), ("small", "big")):
        label = f"{other}.soma.v"
        moved = run(circuit, injected, "1 s", method=method)
        transfer.append(voltage(moved, label)[-1] - voltage(at_rest, label)[-1])
    assert transfer[0] > 0.1  # mV
    assert transfer[0] == pytest.approx(transfer[1], rel=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_a_network_solves_its_conductance_matrix(method: str) -> None:
    """Five cells, random conductances: the steady state is a column of the inverse matrix."""
    cell = passive()
    gaps = GapJunctions("cell", "cell", "soma", "1 nS", 0.6, g_shape=0.7)
    circuit = Circuit("c", (Population("cell", cell, 5),), gap_junctions=(gaps,), seed=3)
    pairs = gap_pairs(circuit, gaps)
    assert 2 < len(pairs) < 10
    matrix = LEAK * np.eye(5)
    for a, b, g in zip(pairs.a, pairs.b, pairs.g, strict=True):
        matrix[[a, b], [a, b]] += g
        matrix[[a, b], [b, a]] -= g
    result = run(circuit, method=method)
    found = [deflection(result, "cell.soma.v", k) for k in range(5)]
    np.testing.assert_allclose(found, np.linalg.inv(matrix)[:, 0] * 20e-12 * 1e3, rtol=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_zero_conductance_is_no_coupling(method: str) -> None:
    cell = ball_and_stick()
    alone = Circuit("c", (Population("cell", cell, 2),))
    coupled, apart = (
        run(c, method=method, duration="50 ms") for c in (joined(cell, "0 nS"), alone)
    )
    for k in (0, 1):
        a, b = (voltage(r, "cell.soma.v", k) for r in (coupled, apart))
        np.testing.assert_allclose(a, b, rtol=1e-12)


def test_a_spike_makes_a_spikelet_in_the_coupled_cell() -> None:
    cell = ball_and_stick()
    result = run(joined(cell, "0.5 nS"), duration="300 ms", pA=500)
    spikes = result.spikes
    assert set(spikes["cell"]) == {0}
    follower = voltage(result, "cell.soma.v", 1)
    assert 0.05 < follower.max() - follower[0] < 15  # mV


def test_a_time_step_that_equalises_the_cells_is_refused() -> None:
    with pytest.raises(bm.ModelError, match="use a dt below"):
        run(joined(passive(), "2 uS"), duration="1 ms")
