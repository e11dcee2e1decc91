"""The circuits at rest: plausible rates, nothing silent, nothing running away."""

from __future__ import annotations

import pandas as pd
import pytest

import biomod as bm

# Issue 2: plausible rates in quiet wakefulness, in Hz.
RANGES = {"PC": (0.1, 10.0), "PV": (2.0, 40.0)}
ANY = (0.01, 100.0)
# Spikes that coincide within 5 ms, of a population; independent cells 0, identical ones 1.
LARGEST_STTC = 0.3
SETTLED = 300.0  # ms


def settled(result: bm.Result) -> pd.DataFrame:
    """Spikes after the onset, with the clock set back."""
    spikes = result.spikes[result.spikes["time_ms"] >= SETTLED].copy()
    spikes["time_ms"] -= SETTLED
    spikes.attrs = {**result.spikes.attrs, "duration_ms": result.duration_ms - SETTLED}
    return spikes


def check(result: bm.Result) -> None:
    import analysis

    summary = analysis.summary(settled(result))
    print(summary.to_string())
    for name, row in summary.iterrows():
        kind = "PC" if name.endswith(("PC", "IT", "ET", "CT")) else name.split("_")[-1]
        low, high = RANGES.get(kind, ANY)
        assert low <= row["rate_hz"] <= high, f"{name} fires at {row['rate_hz']:.3g} Hz"
    counted = settled(result).groupby(["population", "cell"], observed=True).size()
    assert counted.max() / (result.duration_ms - SETTLED) * 1e3 < 150
    large = summary[summary["cells"] >= 10]
    assert (large["sttc"].fillna(0) < LARGEST_STTC).all(), large["sttc"]


def test_small_l23_at_rest(circuit):
    check(bm.simulate(circuit(cells=400), "1.3 s"))


@pytest.mark.validate
@pytest.mark.parametrize("seed", [1, 2])
def test_l23_at_rest(circuit, seed):
    check(bm.simulate(circuit(cells=1000, seed=seed), "2.3 s"))


@pytest.mark.validate
def test_column_at_rest(circuit):
    check(bm.simulate(circuit("cortical_column", cells=1000), "2.3 s"))
