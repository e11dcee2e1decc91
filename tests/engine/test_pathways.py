"""Synapses: what a spike does, and in which step, is what Brian2's numpy target says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from biomod.programs import find_compiler
from tests.engine.helpers import results

pytestmark = pytest.mark.skipif(find_compiler() is None, reason="no C++ compiler")


def test_pathways_of_all_kinds_act_in_the_step_in_which_they_do_in_numpy(tmp_path: Path) -> None:
    # Delays of each synapse and of all, changed while spikes are on their way; parts of groups;
    # plasticity with a delayed second pathway; depression; an event that is not a spike.
    expected = results("pathways.py", tmp_path / "a.npz", "numpy")
    found = results("pathways.py", tmp_path / "b.npz", "biomod_cpp")
    assert len(expected["i"]) > 300
    for what in ("i", "t", "half_i", "half_t"):
        np.testing.assert_array_equal(found[what], expected[what])
    for what in ("v", "g", "w", "u"):
        np.testing.assert_allclose(found[what], expected[what], rtol=0, atol=1e-13)
