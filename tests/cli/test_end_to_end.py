"""The command with the real simulators: a tiny circuit always, the named one as slow."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from biomod import registry
from biomod.results import load


def test_a_tiny_circuit_on_numpy(cli, library, tmp_path):
    words = ("run", "pair", "--cells", 20, "--duration", 0.1, "--backend", "numpy", "--quiet")
    for name, extra in (("A", ()), ("B", ("--modulator", "ACh=0uM")), ("C", ("--seed", 2))):
        outcome = cli(*words, *extra, "--out", tmp_path / name, "--record", "PC.soma.v")
        assert outcome.exit_code == 0, outcome.output
    one, two = load(tmp_path / "A"), load(tmp_path / "B")
    pd.testing.assert_frame_equal(one.spikes, two.spikes)
    (label,) = one.traces
    assert one.traces[label].attrs["unit"] == "mV"
    assert one.traces[label].equals(two.traces[label])
    assert not one.traces[label].equals(load(tmp_path / "C").traces[label])
    for key in ("seed", "backend", "versions", "parameters", "timings", "modulators"):
        assert key in one.provenance
    assert one.provenance["timings"].keys() >= {"build_s", "run_s"}


@pytest.mark.slow
def test_l23_repeats_itself(cli, tmp_path):
    if "l23" not in registry.circuits():
        pytest.skip("needs the entry points of microcircuits (pip install -e .)")
    words = ("run", "l23", "--cells", 400, "--duration", 1, "--json", "--quiet")
    variants = {
        "A": ("--seed", 1),
        "B": ("--seed", 1),
        "zero": ("--seed", 1, "--modulator", "ACh=0uM"),
        "other": ("--seed", 2),
    }
    for name, extra in variants.items():
        outcome = cli(*words, *extra, "--out", tmp_path / name)
        assert outcome.exit_code == 0, outcome.output
        rates = [p["rate_hz"] for p in json.loads(outcome.stdout)["populations"].values()]
        assert all(0 < rate < 100 for rate in rates), rates
    spikes = {name: (tmp_path / name / "spikes.h5").read_bytes() for name in variants}
    assert spikes["A"] == spikes["B"] == spikes["zero"] != spikes["other"]
