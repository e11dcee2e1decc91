"""The device against Brian2's numpy target: same equations, same input, no chance."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from biomod.programs import find_compiler
from tests.engine.helpers import results

pytestmark = pytest.mark.skipif(find_compiler() is None, reason="no C++ compiler")


@pytest.fixture(scope="module")
def numpy_target(tmp_path_factory: pytest.TempPathFactory) -> dict[str, np.ndarray]:
    out = tmp_path_factory.mktemp("numpy") / "r.npz"
    return results("deterministic.py", out, "numpy", "double", 100)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> dict[str, np.ndarray]:
    out = tmp_path_factory.mktemp("engine") / "r.npz"
    return results("deterministic.py", out, "biomod_cpp", "double", 100)


@pytest.mark.parametrize("group", ["lif", "hh"])
def test_spikes_are_those_of_numpy_to_the_step(
    numpy_target: dict[str, np.ndarray], engine: dict[str, np.ndarray], group: str
) -> None:
    assert len(numpy_target[f"{group}_i"]) > 100
    for what in ("i", "step"):
        np.testing.assert_array_equal(engine[f"{group}_{what}"], numpy_target[f"{group}_{what}"])


@pytest.mark.validate
def test_spikes_are_those_of_numpy_for_a_second(tmp_path: Path) -> None:
    expected = results("deterministic.py", tmp_path / "a.npz", "numpy", "double", 1000)
    found = results("deterministic.py", tmp_path / "b.npz", "biomod_cpp", "double", 1000)
    for what in ("lif_i", "lif_step", "hh_i", "hh_step"):
        np.testing.assert_array_equal(found[what], expected[what])


def test_voltages_differ_by_rounding_only(
    numpy_target: dict[str, np.ndarray], engine: dict[str, np.ndarray]
) -> None:
    # 1 nV, six orders below the spike: what 2000 steps leave of errors of 1e-16.
    assert np.abs(engine["v"] - numpy_target["v"]).max() < 1e-9
    assert np.abs(engine["m"] - numpy_target["m"]).max() < 1e-8


def test_single_precision_moves_few_spikes(
    numpy_target: dict[str, np.ndarray], tmp_path: Path
) -> None:
    single = results("deterministic.py", tmp_path / "r.npz", "biomod_cpp", "single", 100)
    assert single["v"].dtype == np.float32
    for group in ("lif", "hh"):
        expected, got = len(numpy_target[f"{group}_i"]), len(single[f"{group}_i"])
        assert got == pytest.approx(expected, rel=0.01)
