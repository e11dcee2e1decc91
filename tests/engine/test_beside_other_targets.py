"""Importing the engine leaves Brian2's other targets as they are."""

from __future__ import annotations

import brian2 as b2
import numpy as np

import biomod.engine  # noqa: F401 - registers the device


def test_numpy_still_computes_functions_that_the_engine_has_too() -> None:
    b2.set_device("runtime")
    cells = b2.NeuronGroup(3, "x : 1\ny = exprel(x) : 1", name="beside_engine")
    cells.x = [-1, 0, 1]
    before = b2.prefs.codegen.target
    b2.prefs.codegen.target = "numpy"
    try:
        assert np.allclose(cells.y[:], [1 - np.exp(-1), 1, np.e - 1], rtol=1e-14)
    finally:
        b2.prefs.codegen.target = before
