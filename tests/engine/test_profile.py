"""Times of the objects of a network, with whatever version of Brian2 is installed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from biomod.programs import find_compiler
from tests.engine.helpers import start

pytestmark = [
    pytest.mark.validate,
    pytest.mark.skipif(find_compiler() is None, reason="no C++ compiler"),
]


def test_a_profile_has_the_times_of_all_objects(tmp_path: Path) -> None:
    done = start("profiled.py", tmp_path / "r.npz")
    assert done.returncode == 0, done.stderr[-4000:]
    found = json.loads(done.stdout.splitlines()[-1])
    times = found["times"]
    assert set(times) == {
        "cells_stateupdater_codeobject", "cells_spike_thresholder_codeobject",
        "cells_spike_resetter_codeobject", "synapses_pre_push_spikes",
        "synapses_pre_codeobject", "spikes_codeobject",
    }  # fmt: skip
    # In seconds: 2,000 steps of 5,000 cells with a random number each take more than a
    # nanosecond a cell, and all objects together less than the program.
    assert times["cells_stateupdater_codeobject"] > 2000 * 5000 * 1e-9
    assert sum(times.values()) < found["wall"]
    assert found["rate"] > 20
