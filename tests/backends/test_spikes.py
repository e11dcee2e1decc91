"""Somatic and dendritic spikes: thresholds, refractory periods, convergence in dt."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

import biomod as bm
from biomod.model import (
    Cell,
    Circuit,
    Coupling,
    Dendrite,
    DendriticSpike,
    Population,
    Soma,
    SomaticSpike,
    SynapticEvents,
    SynapticReceptor,
)
from tests.backends.helpers import ball_and_stick, point, spike_times, voltage

REFRACTORY = {"brief": 0.7, "usual": 2.0, "long": 5.3}


@pytest.fixture(scope="module")
def driven() -> bm.Result:
    """Cells that reach threshold within one step, were they allowed to."""

    def population(name: str) -> Population:
        spike = SomaticSpike("-50 mV", "-60 mV", f"{REFRACTORY[name]} ms")
        return Population(name, point(name, "100 pF", "5 nS", "-70 mV", spike=spike), 1)

    circuit = Circuit("driven", tuple(population(name) for name in REFRACTORY))
    pulses = [bm.step("50 nA", "1 ms", "100 ms", population=name) for name in REFRACTORY]
    records = [f"{name}.soma.v" for name in REFRACTORY]
    return bm.simulate(circuit, "60 ms", stimulus=pulses, record=records, backend="numpy")


@pytest.mark.parametrize("name", REFRACTORY)
def test_the_shortest_interval_is_the_refractory_period(driven: bm.Result, name: str) -> None:
    intervals = np.diff(spike_times(driven, name))
    np.testing.assert_allclose(intervals, REFRACTORY[name], atol=1e-9)
    assert len(intervals) == int(59 / REFRACTORY[name])


@pytest.mark.parametrize("name", REFRACTORY)
def test_voltage_is_at_the_reset_after_every_spike(driven: bm.Result, name: str) -> None:
    steps = np.round(spike_times(driven, name) / 0.1).astype(int)
    np.testing.assert_allclose(voltage(driven, f"{name}.soma.v")[steps[:-1] + 1], -60, rtol=1e-12)


def test_an_action_potential_has_its_peak_its_width_and_its_reset() -> None:
    spike = SomaticSpike("-50 mV", "-60 mV", "4 ms", peak="30 mV", width="0.8 ms")
    cell = point("cell", "100 pF", "5 nS", "-70 mV", spike=spike)
    pulse = bm.step("400 pA", "0 ms", "100 ms")
    result = bm.simulate(cell, "40 ms", stimulus=pulse, record=["soma.v"], backend="numpy")
    v, steps = voltage(result, "soma.v"), np.round(spike_times(result, "cell") / 0.1).astype(int)
    assert len(steps) > 2
    for step in steps[:-1]:
        assert v[step + 1] == pytest.approx(30)
        assert (v[step + 1 : step + 9] > 20).all(), "it evolves freely for 0.8 ms"
        assert v[step + 9] == pytest.approx(-60)


def excitable(threshold: str = "-35 mV", refractory: str = "5 ms") -> Cell:
    """Dendrify's two compartments with a dendritic Na spike."""
    spike = DendriticSpike(
        "Na", threshold, "30 nS", "15 nS", "70 mV", "-89 mV", "1.2 ms", "2.4 ms", refractory,
        "0.2 ms",
    )  # fmt: skip
    ampa = SynapticReceptor("AMPA", "AMPA", "0 mV", "2 ms")
    return ball_and_stick(spikes=(spike,), receptors=(ampa,))


def dendritic_response(cell: Cell, dt: float, weight: str, *times: str) -> np.ndarray:
    events = SynapticEvents(compartment="dend", times=times, weight=weight)
    result = bm.simulate(
        cell, "20 ms", stimulus=events, record=["dend.v"], dt=f"{dt} ms", backend="numpy"
    )
    v = voltage(result, "dend.v")
    return v - v[0]


def test_amplitude_of_a_dendritic_spike_converges_with_dt() -> None:
    amplitudes = [
        dendritic_response(excitable(), dt, "40 nS", "1 ms").max()
        for dt in (0.1, 0.05, 0.025, 0.0125)
    ]
    differences = [abs(b - a) for a, b in pairwise(amplitudes)]
    assert all(later < 0.7 * earlier for earlier, later in pairwise(differences))
    assert differences[-1] < 0.01 * amplitudes[-1]


def test_a_dendritic_spike_is_all_or_none() -> None:
    """Twice the input hardly changes its peak; just below threshold there is none."""
    below, above, twice = (
        dendritic_response(excitable(), 0.1, weight, "1 ms").max()
        for weight in ("20 nS", "40 nS", "80 nS")
    )
    assert below < 30 < 50 < above
    assert twice < 1.1 * above


def test_no_dendritic_spike_within_its_refractory_period() -> None:
    """The second of two inputs 6 ms apart meets a refractory period of 5 or of 9 ms."""
    inputs = ("1 ms", "7 ms")
    free, refractory = (
        dendritic_response(excitable(refractory=r), 0.1, "40 nS", *inputs)[75:110].max()
        for r in ("5 ms", "9 ms")
    )
    assert free > refractory + 15


def test_dendritic_spikes_of_one_name_have_their_own_reversal_in_every_compartment() -> None:
    """In Dendrify the last compartment's reversal potential counts for all."""

    def spike(E_rise: str) -> DendriticSpike:
        return DendriticSpike(
            "Na", "-50 mV", "2000 nS", "0 nS", E_rise, "-89 mV", "2 ms", "2 ms", "20 ms"
        )

    cylinder = {"length": "100 um", "diameter": "1 um", "g_leak": "50 uS/cm2", "E_leak": "-65 mV"}
    never = SomaticSpike("0 mV", "-65 mV", "2 ms")
    cell = Cell(
        "two",
        (
            Soma("soma", "20 um", "20 um", "50 uS/cm2", "-65 mV", spike=never),
            Dendrite("one", **cylinder, spikes=(spike("20 mV"),)),
            Dendrite("other", **cylinder, spikes=(spike("60 mV"),)),
        ),
        (Coupling("soma", "one", "0.01 nS"), Coupling("soma", "other", "0.01 nS")),
    )
    pulses = [bm.step("5 nA", "1 ms", "1.02 ms", compartment=c) for c in ("one", "other")]
    result = bm.simulate(
        cell, "3 ms", stimulus=pulses, record=["one.v", "other.v"], dt="0.001 ms", backend="numpy"
    )
    assert voltage(result, "one.v")[2000] == pytest.approx(20, abs=0.1)
    assert voltage(result, "other.v")[2000] == pytest.approx(60, abs=0.1)
