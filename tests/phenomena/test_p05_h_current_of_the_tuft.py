"""P05: alpha2A receptors close the h current of the tuft and open it to its inputs.

Labarrera et al. 2018, 10.1016/j.celrep.2018.03.103. Acceptance numbers: reference table of
phenomena. The effect goes through the receptor tables: noradrenaline at saturation, alpha2A only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

import biomod as bm
from cell_types import protocols as p
from cell_types._l5_et import APICAL, TUFT

pytestmark = pytest.mark.validate

AGONIST = bm.NA("1000 mM", receptors=("alpha2A",))
AMPLITUDES = np.arange(0.8, 3.2, 0.06)  # nA, EPSC on the tuft
PROBE = -0.02  # nA
HOLDING = (0.0, 0.02, 0.04, 0.06, 0.08)  # nA, in the tuft
START, END = 400.0, 800.0  # ms


@dataclass
class Found:
    threshold: float
    soma: float
    tuft: float
    resistance: dict[float, float]  # by potential of the tuft


def measure(cell, simulator, modulators) -> Found:
    common = {"backend": simulator, "modulators": modulators}
    currents = [p.Trial(cell, (p.epsc(a, 20.0, "tuft"),)) for a in AMPLITUDES]
    responses = p.respond(currents, 110.0, **common)
    trials = []
    for size in HOLDING:
        hold = bm.step(f"{size} nA", "0 ms", f"{END} ms", "tuft")
        trials.append(p.Trial(cell, (hold,)))
        probe = bm.step(f"{PROBE} nA", f"{START} ms", f"{END} ms", "tuft")
        trials.append(p.Trial(cell, (hold, probe)))
    steady = [r.v["tuft"][-1] for r in p.respond(trials, END, ("soma", "tuft"), **common)]
    held, probed = np.array(steady[::2]), np.array(steady[1::2])
    resistance = dict(zip(held.tolist(), ((probed - held) / PROBE).tolist(), strict=True))
    first = responses[0].v
    return Found(p.threshold(AMPLITUDES, responses), first["soma"][0], held[0], resistance)


@pytest.fixture(scope="module")
def control(l5_et, simulator) -> Found:
    return measure(l5_et, simulator, ())


@pytest.fixture(scope="module")
def treated(l5_et, simulator) -> Found:
    return measure(l5_et, simulator, (AGONIST,))


def test_threshold_of_the_calcium_spike_falls(control, treated):
    """EPSCs of growing size on the tuft; calcium spike at the nexus."""
    assert treated.threshold <= 0.85 * control.threshold


def test_input_resistance_of_the_tuft_rises(control, treated):
    """At the same potential of the tuft. (At rest less: closing h current hyperpolarises, which
    opens part of it again.)"""
    at = sorted(treated.resistance)
    same = np.interp(control.tuft, at, [treated.resistance[v] for v in at])
    assert at[0] <= control.tuft <= at[-1]
    assert same >= 1.2 * control.resistance[control.tuft]
    assert treated.resistance[treated.tuft] > control.resistance[control.tuft]


def test_soma_stays_near_its_resting_potential(control, treated):
    assert abs(treated.soma - control.soma) <= 4


def test_effect_is_occluded_without_h_current(l5_et, simulator):
    blocked = p.without(l5_et, ("Ih",), ("soma", "basal", "basal2", *APICAL))
    assert set(TUFT) < set(APICAL)
    before, after = (measure(blocked, simulator, m) for m in ((), (AGONIST,)))
    assert after.threshold == pytest.approx(before.threshold, rel=0.03)
    assert after.resistance[after.tuft] == pytest.approx(before.resistance[before.tuft], rel=0.03)
