"""The reference circuit of the benchmarks without chance, against Brian2's numpy target.

Of 250 cells, with the equations, weights and in-degrees of the 2,500; the background arrives as
given spikes. 10,000 steps (integrate-and-fire) and 20,000 (channels in the soma).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from biomod.programs import find_compiler
from tests.engine.helpers import results


@pytest.mark.validate
@pytest.mark.skipif(find_compiler() is None, reason="no C++ compiler")
@pytest.mark.parametrize(("model", "least"), [("lif", 2000), ("hh", 1000)])
def test_its_spikes_are_those_of_numpy_to_the_step_for_a_second(
    tmp_path: Path, model: str, least: int
) -> None:
    options = model, "double", 1000, 10
    expected = results("circuit.py", tmp_path / "a.npz", model, "numpy", *options[1:])
    found = results("circuit.py", tmp_path / "b.npz", model, "biomod_cpp", *options[1:])
    assert sum(len(expected[f"{name}_i"]) for name in ("E", "PV", "SOM", "VIP")) > least
    for name in ("E", "PV", "SOM", "VIP"):
        for what in ("i", "step"):
            np.testing.assert_array_equal(found[f"{name}_{what}"], expected[f"{name}_{what}"])
