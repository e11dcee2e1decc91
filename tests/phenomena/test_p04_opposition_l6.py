"""P04: acetylcholine excites and serotonin inhibits the same layer-6 cell.

Sparks et al. 2018, 10.3389/fncir.2017.00107. Acceptance numbers: reference table of phenomena.
"""

from __future__ import annotations

import numpy as np
import pytest

import biomod as bm
from biomod.mechanisms.neuromodulation import receptors

pytestmark = pytest.mark.validate

CELL = "L6_CT"
CURRENTS = 150.0 * np.linspace(0.95, 1.5, 45)  # pA
DRIVEN = (5.0, 8.0)  # Hz without modulators
LEVELS = (0.25, 0.5, 1.0)
SETTLED, DURATION = 1000.0, 4000.0  # ms


@pytest.fixture(scope="module")
def rate(tools):
    """Mean rate in Hz of the cells that are driven to 5-8 Hz."""
    cells, currents = {CELL: tools.unconnected(CELL)}, {CELL: CURRENTS}
    bench = tools.Bench.of(cells, currents, onset=0.0, duration=DURATION)

    def every(*modulators: bm.Modulator) -> np.ndarray:
        trains = bench.run(*modulators)[CELL]
        return np.array([(t >= SETTLED).sum() for t in trains]) / (DURATION - SETTLED) * 1e3

    control = every()
    driven = (control >= DRIVEN[0]) & (control <= DRIVEN[1])
    assert driven.sum() >= 5
    return lambda *modulators: float(every(*modulators)[driven].mean())


@pytest.mark.parametrize("level", LEVELS)
def test_opposite_signs_at_matched_activation(tools, rate, level):
    ach, serotonin = tools.agonist("M1", level), tools.agonist("5HT1A", level)
    alone = rate(ach)
    assert alone > rate() > rate(serotonin)
    assert rate(ach, serotonin) < 0.7 * alone


@pytest.mark.parametrize("level", LEVELS)
def test_opposite_signs_of_the_transmitters(rate, level):
    """Acting on all their receptors, at concentrations that activate M1 and 5-HT1A equally."""

    def concentration(receptor: str) -> str:
        odds = level / (1 - level) if level < 1 else 1e3
        return f"{receptors()[receptor].ec50.to('nM') * odds!r} nM"

    ach, serotonin = bm.ACh(concentration("M1")), bm.serotonin(concentration("5HT1A"))
    alone = rate(ach)
    assert alone > rate() > rate(serotonin)
    assert rate(ach, serotonin) < alone


def test_order_does_not_matter_at_steady_state(tools):
    """Either may come first: within 5 % a while after both have come."""
    duration = 20_000.0
    cells = {CELL: tools.unconnected(CELL)}
    currents = {CELL: 150.0 * np.linspace(1.1, 1.6, 20)}
    bench = tools.Bench.of(cells, currents, onset=0.0, duration=duration, timed=True)

    def arriving(receptor: str, at: float) -> bm.Modulator:
        level = receptors()[receptor].ec50
        return tools.agonist(receptor, times=(f"{at} ms", f"{at + 1} ms"), values=("0 nM", level))

    late = []
    for first, second in ((500.0, 4000.0), (4000.0, 500.0)):
        trains = bench.run(arriving("M1", first), arriving("5HT1A", second))[CELL]
        late.append(np.mean([(t >= duration - 5000).sum() for t in trains]) / 5)
    assert late[0] > 1
    assert late[0] == pytest.approx(late[1], rel=0.05)
