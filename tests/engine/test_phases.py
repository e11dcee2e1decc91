"""Cells divided among threads: the order in which Brian2 computes objects still holds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from biomod.programs import find_compiler
from tests.engine.helpers import results

pytestmark = pytest.mark.skipif(find_compiler() is None, reason="no C++ compiler")


def test_objects_that_read_other_cells_find_what_they_find_in_numpy(tmp_path: Path) -> None:
    # On three threads: linked and summed variables, a shared variable that changes in each step,
    # a threshold and a monitor that use what resets change, two runs.
    expected = results("objects.py", tmp_path / "a.npz", "numpy")
    found = results("objects.py", tmp_path / "b.npz", "biomod_cpp")
    assert len(expected["a_i"]) > 1000
    for what in ("a_i", "a_t", "b_i", "b_t", "myspace"):
        np.testing.assert_array_equal(found[what], expected[what])
    for what in ("x", "v", "rate", "peak"):
        np.testing.assert_allclose(found[what], expected[what], rtol=1e-12, atol=1e-12)
