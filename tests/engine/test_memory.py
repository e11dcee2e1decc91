"""Memory of long runs: what is recorded is on disk, not in memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from biomod.engine import run_environment
from biomod.programs import find_compiler
from tests.engine.helpers import results


@pytest.mark.validate
@pytest.mark.skipif(find_compiler() is None, reason="no C++ compiler")
def test_memory_does_not_grow_with_the_length_of_a_run(tmp_path: Path) -> None:
    """Spikes with a variable, traces of 20 cells at each step, rates, events of another kind."""
    # An array is kept until it has 1 MiB. After 40 s all but the indices of spikes have been there.
    short = results("long_run.py", tmp_path / "short.npz", 40)
    long = results("long_run.py", tmp_path / "long.npz", 100)
    assert long["written"] > 2.4 * short["written"]
    assert long["written"] > 2e8
    assert long["peak"] - short["peak"] < 2 * 2**20  # its reserve, the next power of two
    assert long["peak"] < 3e7


def test_large_pages_are_asked_for_beside_what_the_user_asks_of_the_c_library(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GLIBC_TUNABLES", "glibc.malloc.arena_max=1")
    expected = "glibc.malloc.arena_max=1:glibc.malloc.hugetlb=1"
    assert run_environment(1)["GLIBC_TUNABLES"] == expected
    monkeypatch.setenv("GLIBC_TUNABLES", "glibc.malloc.hugetlb=0")
    assert run_environment(1)["GLIBC_TUNABLES"] == "glibc.malloc.hugetlb=0"
