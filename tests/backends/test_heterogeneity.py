"""Cells of a population with parameters of their own behave as each would alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import biomod as bm
import cell_types
from biomod.mechanisms import variability
from biomod.model import (
    Cell,
    Channel,
    Circuit,
    DendriticSpike,
    Gate,
    Population,
    SynapticEvents,
    SynapticReceptor,
    Variation,
)
from biomod.units import Quantity, parse_unit
from tests.backends.helpers import ball_and_stick, spike_times, voltage

SIZE = 5
SHOWN = ("soma.v", "dend.v", "dend.AMPA.g", "soma.AHP.q")
# None of these moves the resting potential, at which all cells of a population begin.
VARIED = (
    Variation("soma.spike.threshold", "normal", sd="2 mV"),
    Variation("soma.g_leak", "lognormal", cv=0.2),
    Variation("soma.length", "lognormal", cv=0.15),
    Variation("soma.AHP.g_max", "lognormal", cv=0.3),
    Variation("dend.diameter", "lognormal", cv=0.1),
    Variation("dend.AMPA.tau_decay", "lognormal", cv=0.2),
    Variation("dend.AMPA.gain", "lognormal", cv=0.2),
    Variation("dend.Na.threshold", "normal", sd="2 mV"),
    Variation("dend.Na.g_rise", "lognormal", cv=0.2),
    Variation("dend.Na.refractory", "lognormal", cv=0.2),
    Variation("soma-dend.g", "lognormal", cv=0.2),
)


def varied_cell() -> Cell:
    ahp = Channel("AHP", "0 uS/cm2", "-90 mV", (Gate("q", "30", "0", spike_jump=0.2),))
    cell = ball_and_stick(
        "varied",
        receptors=(SynapticReceptor("AMPA", "AMPA", "0 mV", "3 ms", "0.5 ms"),),
        spikes=(
            DendriticSpike(
                "Na", "-35 mV", "30 nS", "15 nS", "70 mV", "-89 mV", "1.2 ms", "2.4 ms", "5 ms",
                "0.2 ms",
            ),
        ),
    )  # fmt: skip
    soma = replace(cell.soma, channels=(ahp.with_(g_max="40 uS/cm2"),))
    return replace(cell, compartments=(soma, *cell.dendrites), variations=VARIED)


STIMULI = (
    bm.step("550 pA", "2 ms", "60 ms"),
    SynapticEvents(compartment="dend", times=("5 ms", "30 ms", "33 ms"), weight="25 nS"),
)


def run(population: Population) -> bm.Result:
    return bm.simulate(
        Circuit("one", (population,)), "70 ms", stimulus=STIMULI, record=SHOWN, backend="numpy"
    )


@pytest.fixture(scope="module")
def together() -> bm.Result:
    return run(Population("varied", varied_cell(), SIZE))


def alone(index: int) -> Cell:
    """The cell that has the parameters drawn for one cell of the population."""
    population = Population("varied", varied_cell(), SIZE)
    drawn = variability.draw(population, seed=1)
    changes = {}
    for path, values in drawn.items():
        nominal = population.cell.get(path)
        dim = nominal.dim if isinstance(nominal, Quantity) else parse_unit("")[1]
        changes[path] = Quantity(float(values[index]), dim)
    return replace(population.cell.with_(changes), variations=())


@pytest.mark.parametrize("index", range(SIZE))
def test_a_cell_of_a_heterogeneous_population_is_the_cell_with_its_parameters(
    together: bm.Result, index: int
) -> None:
    single = run(Population("varied", alone(index), 1))
    np.testing.assert_array_equal(
        spike_times(together, "varied", index), spike_times(single, "varied")
    )
    for label in SHOWN:
        ours, expected = voltage(together, label, index), voltage(single, label)
        np.testing.assert_allclose(ours, expected, rtol=1e-9, atol=1e-9, err_msg=label)


def test_heterogeneous_cells_differ(together: bm.Result) -> None:
    trains = {tuple(spike_times(together, "varied", k)) for k in range(SIZE)}
    assert len(trains) == SIZE
    assert all(trains)


def test_a_homogeneous_population_has_equal_cells() -> None:
    result = run(Population("varied", varied_cell(), SIZE, heterogeneous=False))
    first = spike_times(result, "varied", 0)
    assert len(first) > 0
    for k in range(1, SIZE):
        np.testing.assert_array_equal(spike_times(result, "varied", k), first)


def test_populations_that_share_equations_keep_their_own_parameters() -> None:
    """Equal structures are one group in the program; together they behave as apart."""
    cells = {
        "slow": ball_and_stick("slow"),
        "fast": ball_and_stick("fast", g="25 nS").with_({"soma.spike.threshold": "-48 mV"}),
    }
    pulses = [bm.step("450 pA", "0 ms", "100 ms", population=n) for n in cells]
    both = bm.simulate(
        Circuit("both", tuple(Population(n, c, 2) for n, c in cells.items())),
        "100 ms",
        stimulus=pulses,
        backend="numpy",
    )
    for (name, cell), pulse in zip(cells.items(), pulses, strict=True):
        apart = bm.simulate(
            Circuit("apart", (Population(name, cell, 1),)),
            "100 ms",
            stimulus=pulse,
            backend="numpy",
        )
        assert len(spike_times(apart, name)) > 3
        np.testing.assert_array_equal(spike_times(both, name, 1), spike_times(apart, name))


def test_a_cell_that_varies_begins_at_its_own_resting_potential() -> None:
    """From the nominal one they would all relax at the same time when a run begins."""
    cell = replace(
        ball_and_stick("cell"), variations=(Variation("soma.E_leak", "normal", sd="3 mV"),)
    )
    circuit = Circuit("rest", (Population("cell", cell, 4),))
    result = bm.simulate(circuit, "50 ms", record=["soma.v", "dend.v"], backend="numpy")
    assert np.ptp([voltage(result, "soma.v", k)[0] for k in range(4)]) > 1
    for label, trace in result.traces.items():
        assert np.ptp(trace.to_numpy(), axis=0).max() < 1e-6, label


def test_a_tonically_modulated_cell_begins_at_its_own_resting_potential() -> None:
    cell = cell_types.get("L23_PC")
    aroused = bm.simulate(
        cell, "50 ms", modulators=[bm.ACh("10 uM")], record=["soma.v"], backend="numpy"
    )
    calm = bm.simulate(cell, "1 ms", record=["soma.v"], backend="numpy")
    v = voltage(aroused, "soma.v")
    assert abs(v[0] - voltage(calm, "soma.v")[0]) > 0.5
    assert np.ptp(v) < 1e-6


def test_cells_without_rest_below_threshold_fire_from_the_rest_of_the_unvaried_cell() -> None:
    cell = replace(
        ball_and_stick("cell"), variations=(Variation("soma.E_leak", "normal", sd="60 mV"),)
    )
    circuit = Circuit("rest", (Population("cell", cell, 20),))
    result = bm.simulate(circuit, "100 ms", record=["cell[0:20].soma.v"], backend="numpy")
    nominal = bm.simulate(replace(cell, variations=()), "1 ms", record=["soma.v"], backend="numpy")
    first = np.array([voltage(result, "cell.soma.v", k)[0] for k in range(20)])
    firing = np.isin(np.arange(20), result.spikes["cell"])
    assert 0 < firing.sum() < 20
    np.testing.assert_array_equal(first[firing], voltage(nominal, "soma.v")[0])
