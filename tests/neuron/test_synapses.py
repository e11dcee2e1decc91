"""Synapses on NEURON against their formulas."""

from __future__ import annotations

import numpy as np
import pytest

import biomod as bm
from biomod.model import (
    Background,
    Circuit,
    Population,
    Projection,
    Recording,
    ShortTermPlasticity,
    SynapticEvents,
)
from tests.backends.helpers import point, spike_times, voltage
from tests.neuron.helpers import RECEPTORS, interneuron

BY_NAME = {r.name: r for r in RECEPTORS}
DT = 0.025
WEIGHT = 2.5


@pytest.fixture(scope="module")
def one_event() -> bm.Result:
    """An event at 1 ms at every receptor of a passive cell."""
    events = [SynapticEvents(receptor=n, times=("1 ms",), weight=f"{WEIGHT} nS") for n in BY_NAME]
    cell = point("post", "100 pF", "5 nS", "-70 mV", receptors=RECEPTORS)
    record = [f"soma.{n}.g" for n in BY_NAME]
    return bm.simulate(cell, "30 ms", stimulus=events, record=record, backend="neuron")


@pytest.mark.parametrize("name", BY_NAME)
def test_conductance_has_the_weight_as_its_peak(one_event: bm.Result, name: str) -> None:
    g = voltage(one_event, f"soma.{name}.g")
    # What happens in a step is recorded at the beginning of the next, as by the other backends.
    t = (np.arange(len(g)) - round(1 / DT) - 1) * DT
    receptor = BY_NAME[name]
    decay = receptor.tau_decay.to("ms")
    expected = np.exp(-t / decay)
    if receptor.tau_rise is not None:
        rise = receptor.tau_rise.to("ms")
        t_peak = decay * rise / (decay - rise) * np.log(decay / rise)
        expected = expected - np.exp(-t / rise)
        expected = expected / (np.exp(-t_peak / decay) - np.exp(-t_peak / rise))
    expected = np.where(t >= -1e-9, expected, 0.0)
    np.testing.assert_allclose(g, WEIGHT * expected, rtol=1e-9, atol=1e-11)


def test_magnesium_blocks_the_nmda_current() -> None:
    """Steady current over conductance at two voltages held by a large leak: Jahr & Stevens."""
    for holding in (-80, -20):
        # 10 uS hold the cell; the voltage that is missing tells the current.
        cell = point("post", "100 pF", "10 uS", f"{holding} mV", receptors=RECEPTORS)
        event = SynapticEvents(receptor="NMDA", times=("1 ms",), weight="10 nS")
        result = bm.simulate(
            cell, "20 ms", stimulus=event, record=["soma.v", "soma.NMDA.g"], backend="neuron",
        )  # fmt: skip
        v, g = voltage(result, "soma.v"), voltage(result, "soma.NMDA.g")
        current = 10e3 * (v[-1] - holding)  # nS mV
        expected = g[-1] * (0 - v[-1]) / (1 + 1 / 3.57 * np.exp(-0.062 * v[-1]))
        assert current == pytest.approx(expected, rel=1e-3)


def test_short_term_plasticity_follows_its_recursion() -> None:
    """Each response of a depressing and facilitating synapse to a regular train."""
    stp = ShortTermPlasticity(0.3, "150 ms", "80 ms")
    pre, post = interneuron("pre"), point("post", "1000 nF", "5 nS", "-70 mV", receptors=RECEPTORS)
    projection = Projection(
        "pre", "post", 1.0, "2 nS", (("soma", 1.0),), (("fast", 1.0),), delay="1 ms", stp=stp
    )
    circuit = Circuit("c", (Population("pre", pre, 1), Population("post", post, 1)), (projection,))
    pulse = bm.step("150 pA", "5 ms", "100 ms", population="pre")
    result = bm.simulate(
        circuit, "100 ms", stimulus=pulse, record=["post.soma.fast.g"], backend="neuron"
    )
    times = spike_times(result, "pre")
    assert len(times) > 3
    g, decay = voltage(result, "post.soma.fast.g"), BY_NAME["fast"].tau_decay.to("ms")
    at = np.round((times + 1) / DT).astype(int) + 1
    at = at[at < len(g)]
    jumps = g[at] - g[at - 1] * np.exp(-DT / decay)
    u, x, expected = 0.0, 1.0, []
    for interval in np.diff(times, prepend=-np.inf):
        u, x = u * np.exp(-interval / 80), 1 + (x - 1) * np.exp(-interval / 150)
        u += 0.3 * (1 - u)
        expected.append(2 * u * x / 0.3)
        x -= u * x
    np.testing.assert_allclose(jumps, expected[: len(jumps)], rtol=1e-9)


def test_background_has_its_rate_and_independent_cells() -> None:
    """Mean and variance of the conductance of Poisson input (Campbell), cells uncorrelated."""
    cell = point("post", "1 nF", "5 nS", "-70 mV", receptors=RECEPTORS)
    drive = Background("drive", "soma", "1000 Hz", "1 nS", (("fast", 1.0),))
    circuit = Circuit("c", (Population("post", cell, 20, backgrounds=(drive,)),))
    cells = tuple(range(20))
    record = [Recording("soma", "fast.g", "post", cells, "1 ms")]
    result = bm.simulate(circuit, "2 s", record=record, backend="neuron", dt="0.05 ms")
    g = result.trace("post.soma.fast.g").to_numpy()[50:]
    assert g.mean() == pytest.approx(1.0 * 3, rel=0.02)  # rate * weight * tau
    assert g.var() == pytest.approx(1.0 * 3 / 2, rel=0.1)
    correlation = np.corrcoef(g.T)[np.triu_indices(20, 1)]
    assert abs(correlation.mean()) < 0.02
    assert np.abs(correlation).max() < 0.2
