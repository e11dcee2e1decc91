"""The cells against the published values that they are calibrated to, measured by simulation.

Steps of 1 s as in the Allen Cell Types Database; every cell type, at many currents, in one run.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

import biomod as bm
import cell_types
from biomod.model import Cell, Circuit, Population

DATA = Path(cell_types.__file__).parent / "data" / "targets.csv"
# The pyramidal-tract cells of the database are those of the Sim1 line.
ROWS = {"L5_ET": "L5_ET_Sim1"}
PYRAMIDAL = tuple(n for n in cell_types.NAMES if n.startswith("L"))
START, STOP = 400.0, 1400.0  # ms
# Of the database's rheobase.
RELATIVE = np.arange(0.5, 3.01, 0.05)
SMALL = -0.1
SAG_TO = -100.0  # mV
WITHIN = 0.1


@dataclass(frozen=True)
class Target:
    median: float
    q25: float
    q75: float

    def allows(self, value: float) -> bool:
        near = abs(value - self.median) <= WITHIN * abs(self.median)
        return self.within_quartiles(value) or near

    def within_quartiles(self, value: float) -> bool:
        return self.q25 <= value <= self.q75


@dataclass(frozen=True)
class Measured:
    """Spikes of one cell type at all currents, and its response to two hyperpolarising ones."""

    currents: np.ndarray  # pA
    trains: list[np.ndarray]  # ms after the onset of the step
    negative: float  # pA, the smaller hyperpolarising current
    time: np.ndarray  # ms
    voltage: np.ndarray  # mV
    sagging: np.ndarray  # mV, towards SAG_TO

    @property
    def counts(self) -> np.ndarray:
        return np.array([len(t) for t in self.trains])

    @property
    def first(self) -> int:
        return int(np.flatnonzero(self.counts)[0])

    @property
    def rheobase(self) -> float:
        assert self.first > 0
        return float(self.currents[self.first - 1 : self.first + 1].mean())

    def nearest(self, current: float) -> np.ndarray:
        return self.trains[int(np.argmin(np.abs(self.currents - current)))]

    def feature(self, name: str) -> float:
        return float(getattr(self, name))

    @property
    def fI_slope(self) -> float:
        """Regression over the suprathreshold steps up to twice rheobase."""
        use = (self.counts > 0) & (self.currents <= 2 * self.rheobase)
        return float(np.polyfit(self.currents[use], self.counts[use], 1)[0])

    @property
    def adaptation_index(self) -> float:
        """At the database's "hero" step, 50 pA above rheobase."""
        intervals = np.diff(self.nearest(self.rheobase + 50))
        assert len(intervals) >= 3
        return float(np.mean(np.diff(intervals) / (intervals[1:] + intervals[:-1])))

    @property
    def isi_ratio(self) -> float:
        """Last over first interval at twice rheobase."""
        intervals = np.diff(self.nearest(2 * self.rheobase))
        return float(intervals[-1] / intervals[0])

    def mean_voltage(self, start: float, stop: float) -> float:
        return float(self.voltage[(self.time >= start) & (self.time < stop)].mean())

    @property
    def V_rest(self) -> float:
        return self.mean_voltage(START - 20, START)

    @property
    def Rin(self) -> float:
        """In MOhm, from the steady deflection."""
        return (self.mean_voltage(STOP - 50, STOP) - self.V_rest) / self.negative * 1e3

    @property
    def sag(self) -> float:
        """Share of the deflection to about -100 mV that is taken back while the step lasts."""
        steady = self.sagging[-500:].mean()
        return float((steady - self.sagging.min()) / (self.V_rest - self.sagging.min()))

    @property
    def tau_m(self) -> float:
        """Exponential through 10 to 90 % of the deflection, as the database fits it."""
        from scipy.optimize import curve_fit

        steady = self.mean_voltage(STOP - 50, STOP)
        on = (self.time >= START) & (self.time < STOP)
        t = self.time[on] - START
        fraction = (self.V_rest - self.voltage[on]) / (self.V_rest - steady)
        use = slice(int(np.argmax(fraction >= 0.1)), int(np.argmax(fraction >= 0.9)))
        fit, _ = curve_fit(
            lambda t, y0, a, tau: y0 - a * np.exp(-t / tau), t[use], fraction[use], (1, 1, 15)
        )
        return float(fit[2])


def targets(name: str) -> dict[str, Target]:
    with DATA.open() as file:
        rows = [r for r in csv.DictReader(file) if r["cell_type"] == ROWS.get(name, name)]
    return {
        r["property"]: Target(float(r["value"]), float(r["q25"]), float(r["q75"]))
        for r in rows
        if r["q25"] and r["q75"]
    }


def unmodulated(cell: Cell) -> Cell:
    """The cell without synaptic receptors and channels that are closed here: compiles faster."""
    compartments = tuple(
        replace(c, receptors=(), channels=tuple(ch for ch in c.channels if ch.g_max.si > 0))
        for c in cell.compartments
    )
    return replace(cell, compartments=compartments, expression=())


@pytest.fixture(scope="module")
def measured() -> dict[str, Measured]:
    populations, stimuli, recordings, currents = [], [], [], {}
    steps = len(RELATIVE)
    for name in cell_types.NAMES:
        cell, published = cell_types.get(name), targets(name)
        rheobase = published["rheobase_long_square"].median
        to_sag = (SAG_TO - published["V_rest"].median) / published["Rin"].median * 1e3
        currents[name] = [*RELATIVE * rheobase, SMALL * rheobase, to_sag]
        populations.append(Population(name, unmodulated(cell), steps + 2, heterogeneous=False))
        stimuli += [
            bm.step(f"{pA:.6f} pA", f"{START} ms", f"{STOP} ms", population=name, cells=(i,))
            for i, pA in enumerate(currents[name])
        ]
        recordings.append(bm.Recording("soma", "v", name, (steps, steps + 1), "0.1 ms"))
    circuit = Circuit("steps", tuple(populations))
    result = bm.simulate(circuit, f"{STOP} ms", stimulus=stimuli, record=recordings)
    spikes = result.spikes
    assert (spikes["time_ms"] >= START).all(), "a cell fires at rest"
    found = {}
    for name in cell_types.NAMES:
        mine = spikes[spikes["population"] == name]
        trains = [mine.loc[mine["cell"] == i, "time_ms"].to_numpy() - START for i in range(steps)]
        trace = result.trace(f"{name}.soma.v")
        found[name] = Measured(
            currents=np.array(currents[name][:steps]),
            trains=trains,
            negative=currents[name][steps],
            time=trace.index.to_numpy(),
            voltage=trace.iloc[:, 0].to_numpy(),
            sagging=trace.iloc[:, 1].to_numpy(),
        )
    return found


@pytest.mark.parametrize("name", cell_types.NAMES)
@pytest.mark.parametrize("feature", ["V_rest", "Rin", "tau_m", "rheobase", "fI_slope"])
def test_calibrated_feature_is_as_published(measured, name, feature):
    row = {"rheobase": "rheobase_long_square"}.get(feature, feature)
    target, value = targets(name)[row], measured[name].feature(feature)
    assert target.allows(value), f"{name} {feature}: {value:.4g}, published {target}"


@pytest.mark.parametrize("name", cell_types.NAMES)
def test_adaptation_is_within_the_published_quartiles(measured, name):
    target, value = targets(name)["adaptation_index"], measured[name].adaptation_index
    assert target.within_quartiles(value), f"{name}: {value:.4g}, published {target}"


@pytest.mark.parametrize("name", cell_types.NAMES)
def test_rate_grows_with_the_current_and_stays_below_the_refractory_limit(measured, name):
    """Nothing locks up: an action potential must not start the next one by itself."""
    counts = measured[name].counts
    assert np.all(np.diff(counts) >= -1)
    limit = 1000 / cell_types.get(name).soma.spike.refractory.to("ms")
    assert counts.max() < 0.8 * limit


@pytest.mark.parametrize("name", PYRAMIDAL)
def test_pyramidal_cells_adapt(measured, name):
    assert measured[name].isi_ratio >= 1.5


def test_basket_cells_do_not_adapt(measured):
    pv = measured["PV_basket"]
    assert abs(pv.adaptation_index) < 0.01
    assert pv.isi_ratio == pytest.approx(1.0, abs=0.1)


def test_basket_cells_are_the_fastest(measured):
    fastest = {name: m.counts.max() for name, m in measured.items()}
    assert max(fastest, key=fastest.get) == "PV_basket"
    assert fastest["PV_basket"] > 150
    assert min(measured, key=lambda n: measured[n].tau_m) == "PV_basket"
    assert max(measured, key=lambda n: measured[n].fI_slope) == "PV_basket"


def test_martinotti_cells_adapt_more_than_basket_cells(measured):
    sst, pv = measured["SST_Martinotti"], measured["PV_basket"]
    assert sst.adaptation_index > 3 * abs(pv.adaptation_index)
    assert sst.isi_ratio > pv.isi_ratio


def test_pyramidal_tract_cells_sag_more(measured):
    """Dembrow et al. 2010: strong Ih in corticopontine, weak in commissural cells."""
    assert measured["L5_ET"].sag > 1.5 * measured["L5_IT"].sag > 0
