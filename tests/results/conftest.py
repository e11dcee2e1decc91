"""A small recording: two populations that spike, one that is silent."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from biomod.results import Result, spike_table

CELLS = {"PC": 5, "PV": 3, "VIP": 2}


@pytest.fixture
def spikes() -> pd.DataFrame:
    trains = {
        "PV": ([0.0103, 0.002, 0.0107], [2, 0, 2]),
        "PC": ([0.2, 0.002, 0.002, 0.7], [1, 4, 0, 1]),
    }
    return spike_table(trains, CELLS, duration_s=1.0)


@pytest.fixture
def result(spikes: pd.DataFrame) -> Result:
    time = pd.Index(np.arange(0, 1, 0.1), name="time_ms")
    frame = pd.DataFrame(np.sin(np.outer(time, [1.0, 2.0])), time, pd.Index([0, 3], name="cell"))
    frame.attrs["unit"] = "mV"
    provenance = {"seed": 3, "backend": "numpy", "timings": {"build_s": 0.5, "run_s": 0.1}}
    return Result(spikes, {"PC.soma.v": frame, "PC.tuft.NMDA.g": frame * 2}, provenance)
