"""Numbers of a script are data of its program: changing them starts no compiler."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from brian2 import prefs

from biomod.engine import constants, device
from biomod.programs import find_compiler
from tests.engine.helpers import results

needs_compiler = pytest.mark.skipif(find_compiler() is None, reason="no C++ compiler")

# Every number of the script, and what it is changed to. The rates are on both sides of the limit
# above which Brian2 takes a normal distribution for the input.
CHANGED = {
    "seed": 2, "duration": 31.5, "dt": 0.05, "cells": 71, "inhibitory": 25, "tau": 12.5,
    "refractory": 1.5, "weight": 0.9, "p": 0.35, "delay": 2, "rate": 300, "inputs": 2000,
    "input_weight": 0.03, "start": 7, "listed": 41, "drive": 1.3, "record_dt": 2, "jitter": 0.25,
    "extra": 17, "width": 12,
}  # fmt: skip


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache with the program of the script as it stands."""
    folder = tmp_path_factory.mktemp("cache")
    results("plain.py", folder / "first.npz", BIOMOD_CACHE_DIR=folder, PYTHONHASHSEED=1)
    assert compiled(folder / "first.npz")
    return folder


def compiled(out: Path) -> bool:
    return (out.with_suffix("") / "hot.o").exists()


@needs_compiler
def test_with_all_numbers_changed_no_compiler_starts(cache: Path, tmp_path: Path) -> None:
    out = tmp_path / "changed.npz"
    changes = [f"{name}={value}" for name, value in CHANGED.items()]
    found = results("plain.py", out, *changes, BIOMOD_CACHE_DIR=cache, PYTHONHASHSEED=2)
    assert not compiled(out)
    assert found["v"].shape == (3, 16)
    assert len(found["i"]) > 100
    assert found["random_i"].max() == CHANGED["cells"] - 1


@needs_compiler
@pytest.mark.validate
def test_the_program_from_the_cache_computes_what_a_new_one_does(
    cache: Path, tmp_path: Path
) -> None:
    changes = [f"{name}={value}" for name, value in CHANGED.items()]
    old = results("plain.py", tmp_path / "old.npz", *changes, BIOMOD_CACHE_DIR=cache)
    new = results("plain.py", tmp_path / "new.npz", *changes, BIOMOD_CACHE_DIR=tmp_path / "empty")
    assert compiled(tmp_path / "new.npz")
    assert not compiled(tmp_path / "old.npz")
    for name, expected in new.items():
        np.testing.assert_array_equal(old[name], expected, err_msg=name)


@needs_compiler
@pytest.mark.validate
@pytest.mark.parametrize("name", CHANGED)
def test_every_number_has_an_effect_and_starts_no_compiler(
    cache: Path, tmp_path: Path, name: str
) -> None:
    out = tmp_path / "one.npz"
    found = results("plain.py", out, f"{name}={CHANGED[name]}", BIOMOD_CACHE_DIR=cache)
    assert not compiled(out)
    with np.load(cache / "first.npz") as before:
        assert any(not np.array_equal(before[key], found[key]) for key in found)


@needs_compiler
@pytest.mark.validate
@pytest.mark.parametrize("hashes", range(5))
def test_the_order_of_hashes_in_a_process_does_not_matter(
    cache: Path, tmp_path: Path, hashes: int
) -> None:
    results("plain.py", tmp_path / "r.npz", BIOMOD_CACHE_DIR=cache, PYTHONHASHSEED=hashes)
    assert not compiled(tmp_path / "r.npz")


def test_numbers_reach_the_table_unchanged(tmp_path: Path) -> None:
    numbers = [0.1, -0.0, float("inf"), 5e-324, -1.7976931348623157e308]
    wholes = [0, -1, 2**63 - 1, True]
    marks = [*map(constants.real, numbers), *map(constants.integer, wholes)]
    (tmp_path / "static_arrays").mkdir()
    texts = {"a.cpp": "; ".join(marks)}
    constants.collect(tmp_path, texts)
    table = (tmp_path / constants.TABLE).read_bytes()
    assert table == struct.pack("=5d4q", *numbers, *wholes)
    assert "_engine_real(4); _engine_integer(5)" in texts["a.cpp"]


def test_equal_numbers_are_not_merged(tmp_path: Path) -> None:
    (tmp_path / "static_arrays").mkdir()
    found = []
    for numbers in ((1, 1), (1, 2)):
        texts = {"a.cpp": " ".join(map(constants.real, numbers))}
        constants.collect(tmp_path, texts)
        found.append(texts["a.cpp"])
    assert found[0] == found[1]


def test_what_is_done_to_all_clocks_is_sorted_and_all_else_is_not() -> None:
    types = {name: np.float64 for name in ("_array_a_t", "_array_b_t", "_array_cells_t")}

    def queue(*names: str) -> list[str]:
        entries = [("set_by_single_value", (name, 0, f"0.{k}")) for k, name in enumerate(names)]
        lines = [text for _, text in constants.main_queue(entries, types, {"a", "b"})]
        return [line.split("[")[0] for line in lines]

    ordered = ["_array_a_t", "_array_b_t", "_array_cells_t", "_array_a_t"]
    assert queue("_array_b_t", "_array_a_t", "_array_cells_t", "_array_a_t") == ordered
    assert queue("_array_a_t", "_array_b_t", "_array_cells_t", "_array_a_t") == ordered


def test_of_several_values_of_a_clock_the_last_counts() -> None:
    entries = [("set_by_single_value", ("_array_a_dt", 0, text)) for text in ("0.1", "0.2")]
    (only,) = constants.main_queue(entries, {"_array_a_dt": np.float64}, {"a"})
    assert only[1].endswith(f"= {constants.real(0.2)};")


def test_a_network_made_again_in_the_same_process_has_the_same_source(tmp_path: Path) -> None:
    made = results("two_networks.py", tmp_path / "r.npz")
    assert "_engine_real(" in str(made["first"])
    assert made["first"] == made["second"] == made["third"]


def test_of_flags_only_those_of_the_user_are_tried_out_and_used() -> None:
    preferences = prefs.codegen.cpp
    usual = list(preferences.extra_compile_args_gcc)
    try:
        preferences.extra_compile_args_gcc = [*usual, "-DMORE"]
        with device.flags_of_the_user():
            assert preferences.extra_compile_args == ["-DMORE"]
        assert preferences.extra_compile_args is None
        preferences.extra_compile_args = ["-DLESS"]
        with pytest.raises(ZeroDivisionError), device.flags_of_the_user():
            assert preferences.extra_compile_args == [str(1 / 0)]
        assert preferences.extra_compile_args == ["-DLESS"]
    finally:
        preferences.extra_compile_args = None
        preferences.extra_compile_args_gcc = usual
