"""Templates that are kept as Jinja has read them: the same programs, whatever is in the cache."""

from __future__ import annotations

from pathlib import Path

import pytest
from jinja2 import DictLoader, Environment

from biomod.engine.templating import TemplateCache


@pytest.fixture
def entries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BIOMOD_CACHE_DIR", str(tmp_path))
    return tmp_path / "templates"


def rendered(source: str) -> str:
    loader = DictLoader({"one": source})
    environment = Environment(loader=loader, bytecode_cache=TemplateCache())
    return environment.get_template("one").render(name="cell")


def test_a_template_is_read_once_and_a_changed_one_again(entries: Path) -> None:
    assert rendered("a {{name}}") == "a cell"
    (entry,) = entries.iterdir()
    written = entry.read_bytes()
    assert rendered("a {{name}}") == "a cell"
    assert entry.read_bytes() == written
    assert rendered("no {{name}}") == "no cell"
    assert entry.read_bytes() != written


@pytest.mark.parametrize("keep", [0, 0.5, 0.99])
def test_a_damaged_entry_is_not_used(entries: Path, keep: float) -> None:
    rendered("a {{name}}")
    (entry,) = entries.iterdir()
    whole = entry.read_bytes()
    entry.write_bytes(whole[: int(keep * len(whole))])
    assert rendered("a {{name}}") == "a cell"
    assert entry.read_bytes() == whole


def test_a_cache_that_cannot_be_written_is_done_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("BIOMOD_CACHE_DIR", str(tmp_path / "file"))
    assert rendered("a {{name}}") == "a cell"
