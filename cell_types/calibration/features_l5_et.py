"""Features of the thick-tufted layer 5 cell, by the names of its rows in the targets table.

Steps of 2 s with a holding current of -0.126 nA, as in the l5pc example of BluePyOpt, measured with
eFEL as there (Van Geit et al. 2016, 10.3389/fninf.2016.00017); sag, input resistance and the
dendritic features of phenomena P05 to P09 with the protocols of :mod:`cell_types.protocols`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from biomod.errors import ModelError
from biomod.model import NA, Cell, Modulator, step
from cell_types import protocols as p
from cell_types._l5_et import APICAL, distances

# nA; the first from memory (verify), the others as in the example.
HOLDING, STEPS = -0.126, {"step1": 0.458, "step2": 0.562, "step3": 0.95}
START, STOP, END = 300.0, 2300.0, 2350.0  # ms
SMALL = -0.05  # nA, for the input resistance
SAGS = (-0.4, -0.6, -0.8)  # nA
SEARCHED = tuple(np.round(np.arange(0.14, 0.56, 0.02), 3))  # nA, for the rheobase from rest
BURST = 15.0  # ms; longest first interval of a burst
Features = dict[str, float]


def features(cell: Cell, bench: p.Bench) -> Features:
    """The features of the targets table, and what the signature needs; NaN for what is missing."""
    return measured([cell], bench, (at_steps, near_rest, back_propagation))[0]


def measured(
    cells: Sequence[Cell],
    bench: p.Bench,
    protocols: Sequence[Callable[[Sequence[Cell], p.Bench], list[Features]]],
) -> list[Features]:
    """Everything that some protocols measure, of each cell."""
    found: list[Features] = [{} for _ in cells]
    for protocol in protocols:
        for mine, more in zip(found, protocol(cells, bench), strict=True):
            mine.update(more)
    return found


def at_steps(cells: Sequence[Cell], bench: p.Bench) -> list[Features]:
    """Firing in steps of 2 s, by eFEL."""
    hold = step(f"{HOLDING} nA", "0 ms", f"{END} ms")
    currents = [(hold, step(f"{size} nA", f"{START} ms", f"{STOP} ms")) for size in STEPS.values()]
    return [_firing(r) for r in bench.each(cells, currents, END, ("soma",))]


def _firing(responses: Sequence[p.Response]) -> Features:
    import efel  # type: ignore[import-untyped]

    efel.reset()
    efel.set_setting("interp_step", p.INTERVAL)
    efel.set_setting("Threshold", p.SPIKE_MV)
    names = [
        "mean_frequency", "doublet_ISI", "adaptation_index2", "ISI_CV", "AHP_depth_abs",
        "AHP_depth_abs_slow", "AHP_slow_time", "time_to_first_spike",
    ]  # fmt: skip
    shapes = efel.get_feature_values(
        [
            {"T": r.time, "V": r.v["soma"], "stim_start": [START], "stim_end": [STOP]}
            for r in responses
        ],
        names,
        raise_warnings=False,
    )
    one, _, three = shapes
    found = {f"rate_at_{k}": _mean(s["mean_frequency"]) for k, s in zip(STEPS, shapes, strict=True)}
    found |= {f"{n}_step1": _mean(one[n]) for n in ("AHP_depth_abs", "AHP_depth_abs_slow")}
    found |= {
        f"{n}_step3": _mean(three[n])
        for n in ("doublet_ISI", "adaptation_index2", "ISI_CV", "AHP_slow_time")
    }
    found["time_to_first_spike_step3"] = _mean(three["time_to_first_spike"])
    return found


def _mean(values: Any) -> float:
    return float(np.mean(values)) if values is not None and len(values) else float("nan")


def near_rest(cells: Sequence[Cell], bench: p.Bench) -> list[Features]:
    """Rest, input resistance, sag, and the first spikes at the weakest step that evokes any."""
    currents = [(step(f"{s} nA", "50 ms", "650 ms"),) for s in (SMALL, *SAGS, *SEARCHED)]
    return [_near_rest(r) for r in bench.each(cells, currents, 660.0, ("soma", "nexus"))]


def _near_rest(responses: Sequence[p.Response]) -> Features:
    during = (responses[0].time >= 50) & (responses[0].time < 650)
    v = [r.v["soma"] for r in responses]
    rest = float(v[0][0])
    found = {"V_rest": rest, "Rin_rat_thick_tufted": float(v[0][during][-1] - rest) / SMALL}
    peaks = np.array([x[during].min() for x in v[1 : 1 + len(SAGS)]])
    sags = np.array([(x[during][-1] - x[during].min()) / (rest - x[during].min()) for x in v[1:4]])
    order = np.argsort(peaks)
    found["sag_ratio_at_-100mV"] = float(np.interp(-100.0, peaks[order], sags[order]))
    stronger = responses[1 + len(SAGS) :]
    trains = [r.spikes for r in stronger]
    firing = [i for i, t in enumerate(trains) if len(t)]
    if firing:
        first = trains[firing[0]]
        found["rheobase_long_square"] = float(SEARCHED[firing[0]]) * 1e3
        found["first_ISI_at_rheobase"] = float(np.diff(first)[0]) if len(first) > 1 else np.nan
        bursts = [i for i in firing if len(trains[i]) > 1 and np.diff(trains[i])[0] < BURST]
        # Without any burst: as if the next step, which is not in the list, evoked one.
        first_burst = SEARCHED[bursts[0]] if bursts else SEARCHED[-1] + 0.02
        found["burst_above_rheobase"] = float(first_burst - SEARCHED[firing[0]]) * 1e3
        found["burst_drive"] = min(_burst_drive(stronger[i]) for i in firing[:2])
    return found


def _burst_drive(response: p.Response) -> float:
    """Mean depolarisation (mV) of the nexus in the 15 ms after the first action potential.

    Says how near to a burst a cell is that fires singly: 20 mV and more where one begins the step.
    """
    since = response.time - response.spikes[0]
    v = response.v["nexus"]
    before, after = (since > -3) & (since < -2), (since > 2.5) & (since < BURST)
    return float(v[after].mean() - v[before].mean())


def back_propagation(cells: Sequence[Cell], bench: p.Bench) -> list[Features]:
    """Heights of one action potential at 660 and 800 um (P09), its peak and widths."""
    off = [p.without(cell, ("NaTa",), APICAL) for cell in cells]
    responses = [r for (r,) in bench.each((*cells, *off), [(p.pulse(20.0),)], 60.0, PATH)]
    return [
        _back_propagation(on, without)
        for on, without in zip(responses[: len(cells)], responses[len(cells) :], strict=True)
    ]


def _back_propagation(on: p.Response, without: p.Response) -> Features:
    place = {f"{d:.0f}um": name for name, d in distances().items() if name in PATH}
    found = {f"bAP_amplitude_at_{d}": on.height(name) for d, name in place.items()}
    for d, name in place.items():
        found[f"share_without_sodium_at_{d}"] = without.height(name) / on.height(name)
    v = on.v["soma"]
    found["soma_AP_height_in_bAP_protocol"] = float(v.max())
    # eFEL's AP_width: time above its threshold of -20 mV.
    found["soma_AP_width"] = float((v > p.SPIKE_MV).sum() * p.INTERVAL)
    found["spikes_of_pulse"] = float(len(on.spikes))
    return found


def resonance(frequencies: Sequence[float], magnitudes: Sequence[float]) -> float:
    """Frequency (Hz) of the largest impedance, from a parabola through the three highest."""
    x, y = np.log(np.asarray(frequencies)), np.asarray(magnitudes)
    i = int(np.clip(np.argmax(y), 1, len(y) - 2))
    a, b, _ = np.polyfit(x[i - 1 : i + 2], y[i - 1 : i + 2], 2)
    return float(np.exp(-b / (2 * a))) if a < 0 else float(frequencies[int(np.argmax(y))])


PATH = ("soma", "nexus", "tuft")
ONSET = 30.0  # ms, of the pulse
DELAYS = (-8.0, 1.5, 4.0, 7.0, 10.0, 14.0, 20.0, 60.0)  # ms after the start of the pulse
AMPLITUDES = np.round(np.geomspace(0.25, 1.7, 18), 3)  # nA
FREQUENCIES = (*np.arange(50.0, 145.0, 10.0), 160.0, 180.0, 200.0)  # Hz
BELOW = 0.85  # amplitude of BAC firing as a share of the threshold


def dendritic(cells: Sequence[Cell], bench: p.Bench) -> list[Features]:
    """Thresholds, coincidence window and critical frequency (P06 to P08)."""
    trials = p.coincidence_stimuli(DELAYS, AMPLITUDES, ONSET) + p.train_stimuli(FREQUENCIES)
    n = len(FREQUENCIES)
    return [_dendritic(r[:-n], r[-n:]) for r in bench.each(cells, trials, 140.0, PATH)]


def _dendritic(pairs: Sequence[p.Response], trains: Sequence[p.Response]) -> Features:
    jump = p.critical_frequency(FREQUENCIES, [r.integral("tuft") for r in trains])
    found = {"critical_frequency": jump.middle, "jump_width": jump.width, "jump": jump.jump}
    try:
        window = p.coincidence(DELAYS, AMPLITUDES, pairs, ONSET)
    except (ModelError, IndexError):  # spikes at the smallest current, or none at the pulse
        return found
    if np.isnan(window.alone):
        return found
    found["threshold"] = window.alone
    found |= {"lowest": window.lowest, "window": window.width}
    found["best_interval"] = float(min(window.best, key=lambda t: abs(t - 5)))
    found["far"] = float(window.relative[window.interval > 50].min())
    # The current nearest to the one of BAC firing, some 5 ms after the start of the pulse.
    i = int(np.argmin(np.abs(AMPLITUDES - BELOW * window.alone)))
    at = len(AMPLITUDES) + 2 + DELAYS.index(4.0) * len(AMPLITUDES) + i
    found["spikes_alone"] = float(len(pairs[1 + i].spikes))
    found["spikes_both"] = float(len(pairs[at].spikes))
    return found


def inhibited(cells: Sequence[Cell], bench: p.Bench) -> list[Features]:
    """What distal inhibition leaves of BAC firing (P06)."""
    trials = [p.bac_trials(cell, p.BAC_NA)["inhibited"] for cell in cells]
    responses = bench.respond(trials, 160.0, events=[p.veto()])
    return [
        {"spikes_inhibited": float(len(r.spikes)), "plateau_inhibited": r.plateau("nexus")}
        for r in responses
    ]


AGONIST = NA("1000 mM", receptors=("alpha2A",))
# nA, EPSCs on the tuft; the first so small that the dendrite answers in proportion.
TUFT_SIZES = np.round((0.1, *np.geomspace(0.5, 2.0, 36)), 4)
TUFT_HOLDING = (0.0, 0.05)  # nA
PROBE, PROBE_START, PROBE_END = -0.02, 200.0, 400.0  # nA, ms
EVOKED_END = 100.0  # ms


def h_current_of_the_tuft(cells: Sequence[Cell], bench: p.Bench) -> list[Features]:
    """What saturated alpha2A receptors change (P05).

    Ratios of the threshold of tuft EPSCs and of the input resistance of the tuft, the latter at
    rest with and without the agonist and at the potential of the tuft without it; shift of the
    resting potential of the soma in mV.
    """
    before, after = (
        tuft_state(cells, TUFT_SIZES, TUFT_HOLDING, bench, m) for m in ((), (AGONIST,))
    )
    return [_compared(*pair) for pair in zip(before, after, strict=True)]


@dataclass(frozen=True)
class TuftState:
    """Threshold of tuft EPSCs in nA; resting potentials in mV; input resistance in MOhm by mV."""

    threshold: float
    soma: float
    tuft: float
    resistance: Mapping[float, float]

    def resistance_at(self, v: float) -> float:
        """Input resistance at a potential of the tuft, extrapolated by at most 1 mV."""
        at = sorted(self.resistance)
        if not at[0] - 1 <= v <= at[-1] + 1:
            return float("nan")
        return float(np.interp(v, at, [self.resistance[x] for x in at]))


def tuft_state(
    cells: Sequence[Cell],
    sizes: p.Floats,
    holding: Sequence[float],
    bench: p.Bench,
    modulators: Sequence[Modulator] = (),
) -> list[TuftState]:
    """Threshold of EPSCs of these sizes (nA) on the tuft, and its input resistance.

    The resistance is that to a small step at its end, with each of the holding currents (nA).
    """
    currents = [(p.epsc(float(a), 10.0, "tuft"),) for a in sizes]
    steady = []
    for size in holding:
        hold = step(f"{size} nA", "0 ms", f"{PROBE_END} ms", "tuft")
        probe = step(f"{PROBE} nA", f"{PROBE_START} ms", f"{PROBE_END} ms", "tuft")
        steady += [(hold,), (hold, probe)]
    evoked = bench.each(cells, currents, EVOKED_END, PATH, modulators=modulators)
    probed = bench.each(cells, steady, PROBE_END, PATH, modulators=modulators)
    return [_tuft_state(sizes, *pair) for pair in zip(evoked, probed, strict=True)]


def _tuft_state(
    sizes: p.Floats, evoked: Sequence[p.Response], probed: Sequence[p.Response]
) -> TuftState:
    end = np.array([r.v["tuft"][-1] for r in probed])
    ohms = (end[1::2] - end[::2]) / PROBE
    resistance = dict(zip(end[::2].tolist(), ohms.tolist(), strict=True))
    soma = float(probed[0].v["soma"][0])
    return TuftState(p.threshold(sizes, evoked), soma, float(end[0]), resistance)


def _compared(before: TuftState, after: TuftState) -> Features:
    control = before.resistance[before.tuft]
    return {
        "alpha2A": after.threshold / before.threshold,
        "resistance_at_rest": after.resistance[after.tuft] / control,
        "resistance_at_same_v": after.resistance_at(before.tuft) / control,
        "soma_shift": after.soma - before.soma,
    }
