"""Electrophysiological features of cells, measured as the Allen Cell Types Database does.

Passive features come from the linear theory of the cell, active ones from 1-s current steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from biomod.mechanisms import passive
from biomod.model import Cell, Circuit, Modulator, Population, step
from biomod.simulation import Program, compile

START, LENGTH = 0.2, 1.0  # s; onset and length of the steps


@dataclass(frozen=True)
class Features:
    """Features of one cell; NaN where the cell does not show what is measured.

    Attributes
    ----------
    v_rest, r_in, tau_m : float
        mV, MOhm, ms.
    rheobase : float
        pA; the smallest 1-s step that evokes a spike, between two steps of the grid.
    fi_slope : float
        Hz/pA; regression of the rate on the current over the steps from rheobase to twice it.
    adaptation_index : float
        Mean of (ISI[n+1] - ISI[n]) / (ISI[n+1] + ISI[n]) at the step used for `hero_rate`.
    hero_rate : float
        Hz, at 50 pA above rheobase, the mean distance of the database's "hero" sweep.
    isi_ratio_2x : float
        Last over first interspike interval at twice rheobase.
    rate_2x : float
        Hz at twice rheobase.
    slope_3x : float
        Hz/pA; regression over the steps from rheobase to three times it.
    rate_strong : float
        Hz at the strongest step of the protocol; shows whether the cell locks up at its
        refractory period.
    """

    v_rest: float
    r_in: float
    tau_m: float
    rheobase: float
    fi_slope: float
    adaptation_index: float
    hero_rate: float
    isi_ratio_2x: float
    rate_2x: float
    slope_3x: float
    rate_strong: float


def passive_features(cell: Cell) -> tuple[float, float, float]:
    """Resting potential (mV), input resistance (MOhm), membrane time constant (ms) at the soma."""
    v = passive.rest(cell)[cell.soma.name] * 1e3
    resistance = passive.input_resistance(cell)
    return v, resistance.to("Mohm"), passive.apparent_time_constant(cell).to("ms")


def _circuit(cells: Sequence[Cell], copies: int) -> Circuit:
    populations = tuple(
        Population(f"c{k}", cell, copies, heterogeneous=False) for k, cell in enumerate(cells)
    )
    return Circuit("protocol", populations)


def protocol(cells: Sequence[Cell], currents_pA: np.ndarray, backend: str | None = None) -> Program:
    """A program that gives every cell a 1-s step of each current, all in one run."""
    steps = [
        step(f"{current:.6g} pA", "200 ms", "1200 ms", population="*", cells=(i,))
        for i, current in enumerate(currents_pA)
    ]
    circuit = _circuit(cells, len(currents_pA))
    return compile(circuit, "1200 ms", stimulus=steps, backend=backend)


def measure(
    cells: Sequence[Cell],
    currents_pA: np.ndarray,
    program: Program | None = None,
    modulators: tuple[Modulator, ...] = (),
    rheobases_pA: Sequence[float] | None = None,
) -> list[Features]:
    """Features of several cells of one structure.

    `rheobases_pA` replaces the rheobase found, e.g. to compare two conditions at equal current.
    """
    if program is None:
        program = protocol(cells, currents_pA)
    result = program.run(modulators, circuit=_circuit(cells, len(currents_pA)))
    by_cell = result.spikes.groupby(["population", "cell"], observed=True)["time_ms"]
    trains = {key: times.to_numpy() * 1e-3 for key, times in by_cell}
    found = []
    for k, cell in enumerate(cells):
        mine = [trains.get((f"c{k}", i), np.empty(0)) for i in range(len(currents_pA))]
        late = [t[t >= START] for t in mine]
        given = rheobases_pA[k] if rheobases_pA is not None else None
        found.append(_features(cell, currents_pA, late, given))
    return found


def _features(
    cell: Cell, currents: np.ndarray, trains: list[np.ndarray], given: float | None = None
) -> Features:
    rates = np.array([len(t) / LENGTH for t in trains])
    firing = np.flatnonzero(rates > 0)
    nan = float("nan")
    v_rest, r_in, tau = passive_features(cell)
    if not len(firing) or firing[0] == 0:
        return Features(v_rest, r_in, tau, nan, nan, nan, nan, nan, nan, nan, rates[-1])
    first = firing[0]
    rheobase = float(currents[first - 1] + currents[first]) / 2
    compared = rheobase if given is None else given
    slope = _slope(currents, rates, (rates > 0) & (currents <= 2 * rheobase))
    wide = _slope(currents, rates, (currents >= compared) & (currents <= 3 * compared))
    hero = int(np.argmin(np.abs(currents - compared - 50)))
    double = int(np.argmin(np.abs(currents - 2 * compared)))
    return Features(
        v_rest, r_in, tau, rheobase, slope, adaptation_index(trains[hero]),
        float(rates[hero]), isi_ratio(trains[double]), float(rates[double]), wide,
        float(rates[-1]),
    )  # fmt: skip


def _slope(currents: np.ndarray, rates: np.ndarray, use: np.ndarray) -> float:
    return float(np.polyfit(currents[use], rates[use], 1)[0]) if use.sum() > 1 else float("nan")


def adaptation_index(times: np.ndarray) -> float:
    """Mean of the normalised differences of successive intervals; NaN below 4 spikes."""
    intervals = np.diff(times)
    if len(intervals) < 3:
        return float("nan")
    return float(np.mean(np.diff(intervals) / (intervals[1:] + intervals[:-1])))


def isi_ratio(times: np.ndarray) -> float:
    """Last over first interspike interval; NaN below 3 spikes."""
    intervals = np.diff(times)
    return float(intervals[-1] / intervals[0]) if len(intervals) > 1 else float("nan")
