"""What goes wrong, or is not supported, is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from biomod.programs import find_compiler
from tests.engine.helpers import start

pytestmark = pytest.mark.skipif(find_compiler() is None, reason="no C++ compiler")


def test_a_state_that_is_not_finite_ends_the_run_and_is_named(tmp_path: Path) -> None:
    done = start("divergence.py", tmp_path / "run")
    assert done.returncode != 0
    assert "StateError: cells.x[13] is" in done.stderr
    assert "ms (1 of 20 values)" in done.stderr
