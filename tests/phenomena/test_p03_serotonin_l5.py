"""P03: serotonin splits layer-5 pyramidal cells by projection.

Avesar & Gulledge 2012, 10.3389/fncir.2012.00012; Stephens et al. 2014,
10.3389/fncir.2014.00097. Acceptance numbers: reference table of phenomena.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

import biomod as bm

pytestmark = pytest.mark.validate

ET, IT = "L5_ET", "L5_IT"
DRIVEN = (5.0, 8.0)  # Hz, before the pulse
# The first cell of each type is at rest; the others at direct currents about rheobase.
CURRENTS = {
    ET: [0.0, *90.0 * np.linspace(0.95, 1.5, 30)],
    IT: [0.0, *70.0 * np.linspace(1.0, 1.8, 30)],
}
BEFORE, PULSE, DURATION = 2000.0, 4000.0, 8000.0  # ms
LENGTH = 1000.0


@dataclass(frozen=True)
class Rates:
    """Mean rates in Hz of the cells that fire at 5 to 8 Hz before the pulse."""

    before: float
    second: np.ndarray  # of each second from the onset of the pulse on
    resting: int  # spikes of the cell without current


@pytest.fixture(scope="module")
def respond(tools):
    """``respond("5HT1A")``: a 1-s pulse of serotonin that acts on these receptors only."""
    cells = {name: tools.unconnected(name) for name in CURRENTS}
    bench = tools.Bench.of(cells, CURRENTS, onset=0.0, duration=DURATION, timed=True)
    pulse = bm.Pulse(f"{PULSE} ms", f"{LENGTH} ms", "100 uM", "300 ms")
    known: dict[object, dict[str, Rates]] = {}

    def run(*receptors: str, on: bool = True) -> dict[str, Rates]:
        key = (receptors, on)
        if key not in known:
            modulator = bm.serotonin(pulses=(pulse,), receptors=receptors)
            trains = bench.run(*[modulator] * on)
            known[key] = {name: rates(trains[name]) for name in CURRENTS}
        return known[key]

    return run


def rates(trains: list[np.ndarray]) -> Rates:
    def rate(t: np.ndarray, start: float, stop: float) -> float:
        return float(((t >= start) & (t < stop)).sum() / (stop - start) * 1e3)

    before = [rate(t, BEFORE, PULSE) for t in trains]
    driven = [t for t, r in zip(trains, before, strict=True) if DRIVEN[0] <= r <= DRIVEN[1]]
    assert len(driven) >= 5
    starts = np.arange(PULSE, DURATION, 1000.0)
    second = [np.mean([rate(t, s, s + 1000) for t in driven]) for s in starts]
    mean = float(np.mean([r for r in before if DRIVEN[0] <= r <= DRIVEN[1]]))
    return Rates(mean, np.array(second), len(trains[0]))


def test_rates_are_steady_without_serotonin(respond):
    for found in respond(on=False).values():
        assert found.second == pytest.approx(found.before, rel=0.1)


def test_pyramidal_tract_cells_are_inhibited(respond):
    """By half or more, for a second at least."""
    found = respond()[ET]
    assert found.second[0] <= 0.5 * found.before


def test_callosal_cells_are_excited(respond):
    found = respond()[IT]
    assert found.second[:3].max() >= 1.2 * found.before, found


def test_callosal_cells_stay_silent_at_rest(respond):
    """Stephens et al. 2014: excitation needs suprathreshold drive."""
    assert respond(on=False)[IT].resting == 0
    assert respond()[IT].resting == 0


def test_block_of_1a_removes_the_inhibition(respond):
    """What is left in a pyramidal-tract cell is 5-HT2A, which excites if anything."""
    found = respond("5HT2A")[ET]
    assert found.second.min() >= 0.9 * found.before, found
    assert respond()[ET].second[0] < found.second[0]


def test_block_of_2a_removes_the_excitation(respond):
    found = respond("5HT1A")[IT]
    assert found.second.max() <= 1.05 * found.before, found
