"""Every example of the documentation runs, and leaves what its header says it writes."""

from __future__ import annotations

from pathlib import Path

import pytest
from build_gallery import Example, examples

EXAMPLES = examples()
RUNS = [pytest.param(e, marks=[pytest.mark.slow] if e.slow else []) for e in EXAMPLES]


@pytest.mark.parametrize("example", RUNS, ids=lambda example: example.name)
def test_example_runs(example: Example, tmp_path: Path) -> None:
    done = example.run(tmp_path)
    assert done.returncode == 0, done.stderr[-4000:]
    for name in example.writes:
        written = tmp_path / name
        assert written.is_file(), f"{example.name} did not write {name}"
        assert written.stat().st_size > 0, f"{name} is empty"


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_example_says_what_it_is(example: Example) -> None:
    assert example.title, "the docstring's first line is the title in the gallery"
    assert example.writes, "a header comment names the files, e.g. `# writes: fi_curve.png`"
