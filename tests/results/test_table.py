"""The spike table: sorted, complete, and strict about what cannot be."""

from __future__ import annotations

import numpy as np
import pytest

from biomod.errors import ModelError
from biomod.results import spike_table


def test_rows_are_sorted_by_time_then_population_then_cell(spikes):
    rows = list(zip(spikes.time_ms, spikes.population, spikes.cell, strict=True))
    assert rows == [
        (2.0, "PC", 0),
        (2.0, "PC", 4),
        (2.0, "PV", 0),
        (10.3, "PV", 2),
        (10.7, "PV", 2),
        (200.0, "PC", 1),
        (700.0, "PC", 1),
    ]


def test_populations_are_in_the_order_of_the_circuit_and_silent_cells_are_counted(spikes):
    assert list(spikes.population.cat.categories) == ["PC", "PV", "VIP"]
    assert spikes.attrs == {"cells": {"PC": 5, "PV": 3, "VIP": 2}, "duration_ms": 1000.0}
    assert spikes.time_ms.dtype == np.float64
    assert spikes.cell.dtype == np.int64


def test_multiples_of_a_time_step_come_out_as_written():
    steps = np.arange(1000)
    table = spike_table({"PC": (steps * 0.0001, steps * 0)}, {"PC": 1}, duration_s=0.1)
    assert [float(f"{t:.1f}") for t in table.time_ms] == list(table.time_ms)


def test_order_of_the_input_does_not_matter():
    rng = np.random.default_rng(1)
    times, ids = rng.random(200), rng.integers(0, 9, 200)
    order = rng.permutation(200)
    one = spike_table({"PC": (times, ids)}, {"PC": 9}, 1.0)
    two = spike_table({"PC": (times[order], ids[order])}, {"PC": 9}, 1.0)
    assert one.equals(two)


def test_a_circuit_without_a_spike_has_an_empty_table_of_the_same_types():
    table = spike_table({}, {"PC": 2}, 0.5)
    assert table.empty
    assert table.cell.dtype == np.int64
    assert list(table.population.cat.categories) == ["PC"]


@pytest.mark.parametrize(
    ("trains", "said"),
    [
        ({"PX": ([0.1], [0])}, "did you mean PV or PC"),
        ({"PC": ([0.1], [5])}, "cell 5, but it has 5 cells"),
        ({"PC": ([0.1], [-1])}, "cell -1"),
        ({"PC": ([np.nan], [0])}, "finite"),
        ({"PC": ([-0.1], [0])}, "not negative"),
        ({"PC": ([0.1, 0.2], [0])}, "2 spike times but 1 cell"),
    ],
)
def test_impossible_spikes_are_refused(trains, said):
    with pytest.raises(ModelError, match=said):
        spike_table(trains, {"PC": 5, "PV": 3}, 1.0)
