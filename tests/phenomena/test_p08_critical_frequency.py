"""P08: above a critical frequency, trains of action potentials evoke a dendritic calcium spike.

Larkum, Kaiser & Sakmann 1999, 10.1073/pnas.96.25.14600. Acceptance numbers: reference table of
phenomena.
"""

from __future__ import annotations

import numpy as np
import pytest

from cell_types import protocols as p
from cell_types._l5_et import HOT

pytestmark = pytest.mark.validate

FREQUENCIES = np.arange(40.0, 205.0, 8.0)  # Hz


@pytest.fixture(scope="module")
def integrals(l5_et, simulator) -> dict[str, list[float]]:
    blocked = p.without(l5_et, ("CaHVA", "CaT"), HOT)
    trials = p.train_stimuli(FREQUENCIES)
    found = p.Bench(simulator).each((l5_et, blocked), trials, 280.0, ("tuft",))
    control, without = ([r.integral("tuft") for r in mine] for mine in found)
    return {"control": control, "blocked": without}


def test_integral_jumps_at_60_to_200_hz_within_25_hz(integrals):
    found = p.critical_frequency(FREQUENCIES, integrals["control"])
    assert 60 <= found.middle <= 200, integrals["control"]
    assert found.width <= 25


def test_jump_is_gone_without_dendritic_calcium_channels(integrals):
    assert np.isnan(p.critical_frequency(FREQUENCIES, integrals["blocked"]).middle)
