"""Features of ``hh`` cells from 1-s current steps, defined as the Allen Cell Types Database does.

Action potentials are those of the first spike at rheobase, rates and latency those of the "hero"
sweep 40 to 60 pA above rheobase (AllenSDK, ``ephys_extractor`` and ``extract_cell_features``).
Shapes are measured with eFEL. Deviations from the database:

* input resistance and time constant come from one step of about -3 mV, not from a regression over
  several; the resistance from its last 100 ms where the database takes the peak;
* the half-width is eFEL's, at half height between threshold and peak; ``AP_width`` is that at half
  height between trough and peak (Gouwens et al. 2020);
* the sag is interpolated to a peak of -100 mV;
* f-I slope: steps from rheobase to twice it (the database: all suprathreshold steps it has);
* latency runs to the peak of the spike, not to its threshold (some 0.3 ms longer);
* the sustained rate is the highest of the second half of the steps up to four times rheobase.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from biomod.model import Cell, Circuit, Population, Recording, step
from biomod.simulation import Program, compile
from cell_types.calibration.features import adaptation_index

START, STOP, END = 100.0, 1100.0, 1110.0  # ms; onset and end of the steps, end of the run
STRENGTHS = (
    0.4, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.7, 2.0, 2.5, 3.0, 4.0,
)  # fmt: skip
HERO = 50.0  # pA above rheobase
FAST_TROUGH = 5.0  # ms after the peak within which the fast trough is sought
DETECTION = -20.0  # mV, of spikes
THRESHOLD_SHARE = 0.05  # of the steepest upstroke, where a spike starts


@dataclass(frozen=True)
class Protocol:
    """Step currents in pA: one small, several for the sag, and the depolarising ones."""

    small: float
    sag: tuple[float, ...]
    steps: tuple[float, ...]

    @classmethod
    def for_targets(cls, goal: Mapping[str, float]) -> Protocol:
        """Currents that suit a cell with these targets."""
        to_100 = (-100.0 - goal["V_rest"]) / goal["Rin"] * 1e3
        rheobase = goal["rheobase_long_square"]
        return cls(
            small=round(-3e3 / goal["Rin"], 2),
            sag=tuple(round(to_100 * x, 2) for x in (0.85, 1.3)),
            steps=tuple(round(rheobase * x, 2) for x in STRENGTHS),
        )

    @property
    def currents(self) -> tuple[float, ...]:
        """All currents, in the order of the cells of a population."""
        return (self.small, *self.sag, *self.steps)


def circuit(cells: Sequence[Cell], protocol: Protocol) -> Circuit:
    """Each cell once for each current."""
    copies = len(protocol.currents)
    return Circuit(
        "protocol",
        tuple(Population(f"c{k}", c, copies, heterogeneous=False) for k, c in enumerate(cells)),
    )


def compile_protocol(
    cells: Sequence[Cell], protocol: Protocol, dt: str = "0.05 ms", backend: str | None = None
) -> Program:
    """One program that gives every cell a 1-s step of each current."""
    steps = [
        step(f"{current:.6g} pA", f"{START} ms", f"{STOP} ms", population="*", cells=(i,))
        for i, current in enumerate(protocol.currents)
    ]
    everyone = tuple(range(len(protocol.currents)))
    traces = [Recording("soma", "v", population=f"c{k}", cells=everyone) for k in range(len(cells))]
    return compile(
        circuit(cells, protocol), f"{END} ms", stimulus=steps, record=traces, dt=dt, backend=backend
    )


def measure(cells: Sequence[Cell], protocol: Protocol, program: Program) -> list[dict[str, float]]:
    """Features of each cell by the names of the targets table; NaN where there is no such thing."""
    result = program.run(circuit=circuit(cells, protocol))
    spikes = result.spikes.groupby(["population", "cell"], observed=True)["time_ms"]
    trains = {key: times.to_numpy() for key, times in spikes}
    found = []
    for k in range(len(cells)):
        v = result.traces[f"c{k}.soma.v"]
        mine = [trains.get((f"c{k}", i), np.empty(0)) for i in range(len(protocol.currents))]
        found.append(features(v.index.to_numpy(), v.to_numpy(), mine, protocol))
    return found


def features(
    time: np.ndarray, v: np.ndarray, trains: Sequence[np.ndarray], protocol: Protocol
) -> dict[str, float]:
    """Features from the traces (time x current) and spike times (ms) of one cell."""
    found = _passive(time, v, protocol) if np.all(np.isfinite(v)) else {}
    currents = np.array(protocol.steps)
    offset = 1 + len(protocol.sag)
    during = [t[(t >= START) & (t < STOP)] for t in trains[offset:]]
    spontaneous = any(len(t[t < START]) for t in trains) or any(len(t) for t in trains[:offset])
    counts = np.array([len(t) for t in during])
    firing = np.flatnonzero(counts)
    if not found or spontaneous or not len(firing) or firing[0] == 0:
        return found
    first = int(firing[0])
    found["rheobase_long_square"] = rheobase = float(currents[first])
    low = (counts > 0) & (currents <= 2 * rheobase)
    if low.sum() > 1:
        found["fI_slope"] = float(np.polyfit(currents[low], counts[low], 1)[0])
    hero = during[first + int(np.argmin(np.abs(currents[first:] - rheobase - HERO)))]
    found["adaptation_index"] = adaptation_index(hero)
    found["first_spike_latency"] = float(hero[0] - START) if len(hero) else np.nan
    if len(hero) > 1:
        found["mean_rate_at_hero_sweep"] = float(1e3 / np.diff(hero).mean())
    middle = (START + STOP) / 2
    late = np.array([(t >= middle).sum() for t in during]) / ((STOP - middle) * 1e-3)
    found["max_sustained_rate"] = float(late[currents <= 4 * rheobase].max())
    found |= _more(currents, rheobase, during, late)
    return found | _spike(time, v[:, offset + first])


def _more(
    currents: np.ndarray, rheobase: float, during: Sequence[np.ndarray], late: np.ndarray
) -> dict[str, float]:
    """What the signatures of cell types need, beside the targets table."""
    at = int(np.argmin(np.abs(currents - rheobase)))
    double = during[int(np.argmin(np.abs(currents - 2 * rheobase)))]
    intervals = np.diff(double)
    block = [k for k in range(len(currents)) if currents[k] <= 3 * rheobase and late[k] == 0]
    return {
        "rheobase_latency": float(during[at][0] - START),
        "rheobase_count": float(len(during[at])),
        "burst_rate": _burst_rate(during, currents, rheobase),
        "isi_ratio_2x": float(intervals[-1] / intervals[0]) if len(intervals) > 1 else np.nan,
        "isi_cv_2x": float(intervals.std() / intervals.mean()) if len(intervals) > 2 else np.nan,
        "rate_2x": float(len(double)),
        # Steps from 1.5 times rheobase on whose second half has no spike: depolarisation block.
        "blocked": float(sum(currents[k] >= 1.5 * rheobase for k in block)),
    }


def _burst_rate(during: Sequence[np.ndarray], currents: np.ndarray, rheobase: float) -> float:
    """Rate (Hz) of the shortest interval of any step up to 1.2 times rheobase; 0 without one."""
    near = [t for t, current in zip(during, currents, strict=True) if current <= 1.2 * rheobase]
    shortest = [float(np.diff(t).min()) for t in near if len(t) > 1]
    return 1e3 / min(shortest) if shortest else 0.0


def _passive(time: np.ndarray, v: np.ndarray, protocol: Protocol) -> dict[str, float]:
    before = (time >= START - 50) & (time < START)
    end = (time >= STOP - 100) & (time < STOP)
    rest = float(v[before].mean())
    small = v[:, 0]
    steady = float(small[end].mean())
    found = {"V_rest": rest, "Rin": (steady - rest) / protocol.small * 1e3}
    found["tau_m"] = _time_constant(time, small, rest)
    during = (time >= START) & (time < STOP)
    count = len(protocol.sag)
    peaks = np.array([v[during, 1 + k].min() for k in range(count)])
    ends = np.array([v[end, 1 + k].mean() for k in range(count)])
    sags = (ends - peaks) / (rest - peaks)
    order = np.argsort(peaks)
    found["sag_ratio_at_-100mV"] = float(np.interp(-100.0, peaks[order], sags[order]))
    return found


def _time_constant(time: np.ndarray, v: np.ndarray, rest: float) -> float:
    """Of one exponential fitted between 10 % of the deflection and its peak."""
    from scipy.optimize import curve_fit

    during = (time >= START) & (time < STOP)
    t, y = time[during] - START, v[during] - rest
    last = int(np.argmin(y)) + 1
    first = int(np.argmax(y <= 0.1 * y.min()))
    t, y = t[first:last][::4], y[first:last][::4]
    if len(t) < 8:
        return float("nan")
    try:
        (_, tau, _), _ = curve_fit(
            lambda t, a, tau, b: b + a * np.exp(-t / tau), t, y, p0=(-y[-1], 15.0, y[-1])
        )
    except RuntimeError:
        return float("nan")
    return float(tau)


def _spike(time: np.ndarray, v: np.ndarray) -> dict[str, float]:
    """Shape of the first spike of a trace."""
    import efel  # type: ignore[import-untyped]

    onset = int(np.argmax((v >= DETECTION) & (time >= START)))
    stop = int(np.searchsorted(time, STOP))
    # eFEL need not see the whole sweep.
    window = (time >= max(START, time[onset] - 40.0)) & (time < min(STOP, time[onset] + 40.0))
    t, y = time[window], v[window]
    interval = float(time[1] - time[0])
    efel.reset()
    efel.set_setting("interp_step", interval)
    efel.set_setting("Threshold", DETECTION)
    trace = {"T": t, "V": y, "stim_start": [t[0]], "stim_end": [t[-1]]}
    shape = _efel(efel, trace, ["AP_peak_upstroke", "AP_peak_downstroke", "peak_voltage"])
    if shape is None:
        return {}
    upstroke, downstroke = shape["AP_peak_upstroke"][0], shape["AP_peak_downstroke"][0]
    found = {
        "AP_peak_V": float(shape["peak_voltage"][0]),
        "upstroke_downstroke_ratio": float(abs(upstroke / downstroke)),
    }
    efel.set_setting("DerivativeThreshold", float(THRESHOLD_SHARE * upstroke))
    begin = _efel(efel, trace, ["AP_begin_voltage", "AP_duration_half_width"])
    if begin is not None:
        found["AP_threshold_V"] = float(begin["AP_begin_voltage"][0])
        found["AP_half_width"] = float(begin["AP_duration_half_width"][0])
    width = _efel(efel, trace, ["spike_half_width"])
    if width is not None:
        found["AP_width"] = float(width["spike_half_width"][0])
    return found | _troughs(v[onset:stop], interval)


def _troughs(v: np.ndarray, interval: float) -> dict[str, float]:
    """Fast trough, where the fall slows to 1 % of its steepest within 5 ms, and deepest one.

    `v` begins where the first spike crosses the detection threshold.
    """
    below = np.flatnonzero(v < DETECTION)
    if not len(below):
        return {}
    peak = int(np.argmax(v[: below[0] + 1]))
    again = np.flatnonzero(v[below[0] :] >= DETECTION)
    after = v[peak : below[0] + int(again[0]) if len(again) else len(v)]
    near = after[: int(FAST_TROUGH / interval) + 1]
    slope = np.diff(near)
    if not len(slope):
        return {}
    steepest = int(np.argmin(slope))
    slow = np.flatnonzero(slope[steepest:] >= 0.01 * slope.min())
    fast = steepest + int(slow[0]) if len(slow) else len(near) - 1
    return {"fast_trough_V": float(near[fast]), "AHP_trough_V": float(after.min())}


def _efel(efel: Any, trace: dict[str, Any], names: list[str]) -> dict[str, Any] | None:
    (found,) = efel.get_feature_values([trace], names, raise_warnings=False)
    complete = all(found[n] is not None and len(found[n]) for n in names)
    return found if complete else None
