"""P01 and P02: neuromodulators remove spike-frequency adaptation.

McCormick & Williamson 1989, 10.1073/pnas.86.20.8098; McCormick et al. 1993,
10.1093/cercor/3.5.387. Acceptance numbers: reference table of phenomena.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import pytest

from biomod.mechanisms.neuromodulation import receptors

CELLS = ("L23_PC", "L5_IT")
# Converging receptors; 5-HT2A acts on adaptation in L5_IT.
CONVERGING = ("M1", "beta", "H2", "5HT2A")
LEVELS = (0.1, 0.25, 0.5, 0.75, 0.9)  # activation of M1
# Rheobase of the published cells times these.
RELATIVE = np.arange(0.6, 3.01, 0.05)
RHEOBASE = {"L23_PC": 110.0, "L5_IT": 70.0}  # pA
STEP = 1000.0  # ms


@dataclass(frozen=True)
class Response:
    """Trains of one cell type at all currents."""

    currents: np.ndarray
    trains: list[np.ndarray]

    @property
    def counts(self) -> np.ndarray:
        return np.array([(t >= 0).sum() for t in self.trains])

    @property
    def rheobase(self) -> float:
        first = int(np.flatnonzero(self.counts)[0])
        assert first > 0
        return float(self.currents[first])

    def train(self, current: float) -> np.ndarray:
        return self.trains[int(np.argmin(np.abs(self.currents - current)))]

    def isi_ratio(self, current: float) -> float:
        """Last over first interval."""
        intervals = np.diff(self.train(current))
        return float(intervals[-1] / intervals[0])

    def slope(self, low: float, high: float) -> float:
        """f-I slope over the first second, in Hz/pA, between two currents."""
        use = (self.currents >= low) & (self.currents <= high)
        return float(np.polyfit(self.currents[use], self.counts[use], 1)[0])


@pytest.fixture(scope="module")
def respond(tools):
    """``respond("M1")``: responses of the cells with these receptors saturated, each run once."""
    currents = {name: RELATIVE * RHEOBASE[name] for name in CELLS}
    cells = {name: tools.unconnected(name) for name in CELLS}
    bench = tools.Bench.of(cells, currents, onset=100.0, duration=100.0 + STEP)
    known: dict[object, dict[str, Response]] = {}

    def run(*names: str, activation: float = 1.0) -> dict[str, Response]:
        key = (names, activation)
        if key not in known:
            trains = bench.run(*(tools.agonist(n, activation) for n in names))
            known[key] = {n: Response(currents[n], trains[n]) for n in CELLS}
        return known[key]

    return run


@pytest.fixture(scope="module")
def twice(respond) -> dict[str, float]:
    """Twice the rheobase without modulators, in pA."""
    return {name: 2 * respond()[name].rheobase for name in CELLS}


@pytest.mark.parametrize("name", CELLS)
def test_adaptation_without_and_with_m1(respond, twice, name):
    assert respond()[name].isi_ratio(twice[name]) >= 1.5
    assert respond("M1")[name].isi_ratio(twice[name]) <= 1.15


@pytest.mark.parametrize("name", CELLS)
def test_m1_raises_the_number_of_spikes(respond, twice, name):
    before = len(respond()[name].train(twice[name]))
    assert len(respond("M1")[name].train(twice[name])) >= 1.5 * before


@pytest.mark.parametrize("name", CELLS)
def test_m1_raises_the_slope_of_the_rate(respond, twice, name):
    """Between the unmodulated rheobase and three times it."""
    limits = (twice[name] / 2, 1.5 * twice[name])
    before = respond()[name].slope(*limits)
    assert respond("M1")[name].slope(*limits) >= 1.25 * before


@pytest.mark.parametrize("name", CELLS)
def test_m1_does_not_make_the_cell_fire_at_rest(respond, name):
    assert all((t >= 0).all() for t in respond("M1")[name].trains)


@pytest.mark.parametrize("name", CELLS)
def test_effect_follows_the_concentration(respond, twice, name):
    """Monotonic, and half of it within a factor of 2 of the EC50."""
    levels = (0.0, *LEVELS, 1.0)
    ratios = []
    for level in levels:
        found = respond("M1", activation=level) if level else respond()
        ratios.append(found[name].isi_ratio(twice[name]))
    assert np.all(np.diff(ratios) < 0), ratios
    half = (ratios[0] + ratios[-1]) / 2
    at = float(np.interp(-half, -np.array(ratios), levels))
    concentration = at / (1 - at)  # in EC50, at a Hill coefficient of 1
    assert receptors()["M1"].hill == 1
    assert 0.5 <= concentration <= 2, concentration


def excess(ratio: float) -> float:
    return ratio - 1


@pytest.mark.parametrize("receptor", CONVERGING)
def test_four_modulators_converge(respond, twice, receptor):
    """Each takes at least a quarter of the adaptation of L5_IT (P02)."""
    before = excess(respond()["L5_IT"].isi_ratio(twice["L5_IT"]))
    assert excess(respond(receptor)["L5_IT"].isi_ratio(twice["L5_IT"])) <= 0.75 * before


@pytest.mark.parametrize("pair", itertools.combinations(CONVERGING, 2), ids="+".join)
def test_two_modulators_do_not_exceed_full_removal(respond, twice, pair):
    """The shared end point: intervals stay constant instead of growing shorter (P02)."""
    both = respond(*pair)["L5_IT"].isi_ratio(twice["L5_IT"])
    assert both >= 0.95
    alone = min(respond(r)["L5_IT"].isi_ratio(twice["L5_IT"]) for r in pair)
    assert both <= alone + 0.01
