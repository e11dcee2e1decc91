"""Features of the thick-tufted layer 5 cell, by the names of its rows in the targets table.

Steps of 2 s with a holding current of -0.126 nA, as in the l5pc example of BluePyOpt, measured with
eFEL as there (Van Geit et al. 2016, 10.3389/fninf.2016.00017); sag, input resistance and the
dendritic features of phenomena P05 to P09 with the protocols of :mod:`cell_types.protocols`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from biomod.model import NA, Cell, Modulator, step
from cell_types import protocols as p
from cell_types._l5_et import APICAL, distances

# nA; the first from memory (verify), the others as in the example.
HOLDING, STEPS = -0.126, {"step1": 0.458, "step2": 0.562, "step3": 0.95}
START, STOP, END = 300.0, 2300.0, 2350.0  # ms
SMALL = -0.05  # nA, for the input resistance
SAGS = (-0.4, -0.6, -0.8)  # nA
SEARCHED = tuple(np.round(np.arange(0.1, 0.7, 0.025), 3))  # nA, for the rheobase from rest


def features(cell: Cell, backend: str | None = None, dt: str | None = None) -> dict[str, float]:
    """All features of the cell; NaN where it does not show one."""
    return (
        _at_steps(cell, backend, dt)
        | _near_rest(cell, backend, dt)
        | back_propagation(cell, backend, dt)
    )


def _at_steps(cell: Cell, backend: str | None, dt: str | None) -> dict[str, float]:
    import efel  # type: ignore[import-untyped]

    hold = step(f"{HOLDING} nA", "0 ms", f"{END} ms")
    trials = [
        p.Trial(cell, (hold, step(f"{size} nA", f"{START} ms", f"{STOP} ms")))
        for size in STEPS.values()
    ]
    responses = p.respond(trials, END, ("soma",), backend=backend, dt=dt)
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


def _near_rest(cell: Cell, backend: str | None, dt: str | None) -> dict[str, float]:
    sizes = (SMALL, *SAGS, *SEARCHED)
    trials = [p.Trial(cell, (step(f"{s} nA", "50 ms", "650 ms"),)) for s in sizes]
    responses = p.respond(trials, 700.0, ("soma",), backend=backend, dt=dt)
    during = (responses[0].time >= 50) & (responses[0].time < 650)
    v = [r.v["soma"] for r in responses]
    rest = float(v[0][0])
    found = {"V_rest": rest, "Rin_rat_thick_tufted": float(v[0][during][-1] - rest) / SMALL}
    peaks = np.array([x[during].min() for x in v[1 : 1 + len(SAGS)]])
    sags = np.array([(x[during][-1] - x[during].min()) / (rest - x[during].min()) for x in v[1:4]])
    order = np.argsort(peaks)
    found["sag_ratio_at_-100mV"] = float(np.interp(-100.0, peaks[order], sags[order]))
    trains = [r.spikes for r in responses[1 + len(SAGS) :]]
    firing = [i for i, t in enumerate(trains) if len(t)]
    if firing:
        first = trains[firing[0]]
        found["rheobase_long_square"] = float(SEARCHED[firing[0]]) * 1e3
        found["first_ISI_at_rheobase"] = float(np.diff(first)[0]) if len(first) > 1 else np.nan
    return found


def back_propagation(
    cell: Cell, backend: str | None = None, dt: str | None = None
) -> dict[str, float]:
    """Heights of one action potential at 660 and 800 um (P09), its peak and widths."""
    off = p.without(cell, ("NaTa",), APICAL)
    trials = [p.Trial(c, (p.pulse(20.0),)) for c in (cell, off)]
    on, without = p.respond(trials, 80.0, ("soma", "nexus", "tuft"), backend=backend, dt=dt)
    place = {f"{d:.0f}um": name for name, d in distances().items() if name in ("nexus", "tuft")}
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


DELAYS = (-55.0, 0.0, 3.0, 5.0, 8.0, 12.0, 20.0, 30.0, 60.0)  # ms after the start of the pulse
AMPLITUDES = np.round(np.arange(0.2, 2.0, 0.1), 3)  # nA
FREQUENCIES = (40.0, 60.0, 80.0, 100.0, 120.0, 140.0, 160.0, 200.0)  # Hz
BELOW = 0.85  # amplitude of BAC firing as a share of the threshold


def dendritic(
    cells: Sequence[Cell], backend: str | None = None, dt: str | None = None
) -> list[dict[str, float]]:
    """Thresholds, coincidence window and critical frequency of several cells (P06 to P08)."""
    groups = [
        [*p.coincidence_trials(c, DELAYS, AMPLITUDES), *p.train_trials(c, FREQUENCIES)]
        for c in cells
    ]
    trials = [t for group in groups for t in group]
    responses = p.respond(trials, 260.0, ("soma", "nexus", "tuft"), backend=backend, dt=dt)
    size, found = len(groups[0]), []
    for k in range(len(cells)):
        mine = responses[k * size : (k + 1) * size]
        trains = mine[-len(FREQUENCIES) :]
        pairs = mine[: -len(FREQUENCIES)]
        found.append(_dendritic(pairs, trains))
    return found


def _dendritic(pairs: Sequence[p.Response], trains: Sequence[p.Response]) -> dict[str, float]:
    jump = p.critical_frequency(FREQUENCIES, [r.integral("tuft") for r in trains])
    found = {"critical_frequency": jump.middle, "jump_width": jump.width, "jump": jump.jump}
    if p.first_above(pairs[: len(AMPLITUDES)]) is None:
        return found
    window = p.coincidence(DELAYS, AMPLITUDES, pairs)
    found |= {"threshold": window.alone, "lowest": window.lowest, "window": window.width}
    far = np.abs(window.interval) > 50
    found["far"] = float(window.relative[far].min())
    # The current nearest to the one of BAC firing, 5 ms after the start of the pulse.
    i = int(np.argmin(np.abs(AMPLITUDES - BELOW * window.alone)))
    at = (1 + DELAYS.index(5.0)) * len(AMPLITUDES) + i
    found["spikes_alone"] = float(len(pairs[i].spikes))
    found["spikes_both"] = float(len(pairs[at].spikes))
    return found


AGONIST = NA("1000 mM", receptors=("alpha2A",))
TUFT_SIZES = np.arange(0.4, 2.0, 0.02)  # nA, EPSCs on the tuft
TUFT_HOLDING = (0.0, 0.04, 0.08)  # nA
PROBE, PROBE_START, PROBE_END = -0.02, 400.0, 800.0  # nA, ms


def h_current_of_the_tuft(
    cells: Sequence[Cell], backend: str | None = None, dt: str | None = None
) -> list[dict[str, float]]:
    """What saturated alpha2A receptors change (P05).

    Ratios of the threshold of tuft EPSCs and of the input resistance of the tuft, the latter at
    rest with and without the agonist and at the potential of the tuft without it; shift of the
    resting potential of the soma in mV.
    """
    return [
        _compared(before, after)
        for before, after in zip(
            *(
                tuft_state(cells, TUFT_SIZES, TUFT_HOLDING, backend, dt, m)
                for m in ((), (AGONIST,))
            ),
            strict=True,
        )
    ]


@dataclass(frozen=True)
class TuftState:
    """Threshold of tuft EPSCs in nA; resting potentials in mV; input resistance in MOhm by mV."""

    threshold: float
    soma: float
    tuft: float
    resistance: Mapping[float, float]

    def resistance_at(self, v: float) -> float:
        """Input resistance at a potential of the tuft, NaN where it was not measured."""
        at = sorted(self.resistance)
        found = np.interp(v, at, [self.resistance[x] for x in at], left=np.nan, right=np.nan)
        return float(found)


def tuft_state(
    cells: Sequence[Cell],
    sizes: Sequence[float] | np.ndarray,
    holding: Sequence[float],
    backend: str | None = None,
    dt: str | None = None,
    modulators: Sequence[Modulator] = (),
) -> list[TuftState]:
    """Threshold of EPSCs of these sizes (nA) on the tuft, and its input resistance.

    The resistance is that to a probe of 400 ms, with each of the holding currents (nA).
    """
    currents = [p.Trial(c, (p.epsc(float(a), 10.0, "tuft"),)) for c in cells for a in sizes]
    steady = []
    for cell in cells:
        for size in holding:
            hold = step(f"{size} nA", "0 ms", f"{PROBE_END} ms", "tuft")
            probe = step(f"{PROBE} nA", f"{PROBE_START} ms", f"{PROBE_END} ms", "tuft")
            steady += [p.Trial(cell, (hold,)), p.Trial(cell, (hold, probe))]
    common: dict[str, Any] = {"backend": backend, "dt": dt, "modulators": modulators}
    evoked = p.respond(currents, 90.0, ("soma", "nexus"), **common)
    probed = p.respond(steady, PROBE_END, ("soma", "tuft"), **common)
    found = []
    n, m = len(sizes), 2 * len(holding)
    for k in range(len(cells)):
        mine = probed[k * m : (k + 1) * m]
        end = np.array([r.v["tuft"][-1] for r in mine])
        ohms = (end[1::2] - end[::2]) / PROBE
        found.append(
            TuftState(
                p.threshold(sizes, evoked[k * n : (k + 1) * n]),
                float(mine[0].v["soma"][0]),
                float(end[0]),
                dict(zip(end[::2].tolist(), ohms.tolist(), strict=True)),
            )
        )
    return found


def _compared(before: TuftState, after: TuftState) -> dict[str, float]:
    control = before.resistance[before.tuft]
    return {
        "alpha2A": after.threshold / before.threshold,
        "resistance_at_rest": after.resistance[after.tuft] / control,
        "resistance_at_same_v": after.resistance_at(before.tuft) / control,
        "soma_shift": after.soma - before.soma,
    }
