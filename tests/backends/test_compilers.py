"""What is kept of a compiler's answers holds as long as the compiler and the processor do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from biomod import compilers, programs

pytestmark = pytest.mark.skipif(programs.find_compiler() is None, reason="no C++ compiler")


@pytest.fixture
def wrapper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A compiler that counts how often it is called."""
    monkeypatch.setenv("BIOMOD_CACHE_DIR", str(tmp_path / "cache"))
    script = tmp_path / "compiler"
    calls = tmp_path / "calls"
    script.write_text(f'#!/bin/sh\necho >> {calls}\nexec {programs.find_compiler()} "$@"\n')
    script.chmod(0o755)
    return script


def asked(wrapper: Path) -> tuple[compilers.Compiler, int]:
    """What a new process knows of the compiler, and how often it had to ask."""
    calls = wrapper.with_name("calls")
    before = len(calls.read_text()) if calls.exists() else 0
    compilers.examine.cache_clear()
    found = compilers.examine(str(wrapper))
    return found, (len(calls.read_text()) if calls.exists() else 0) - before


def replaced(wrapper: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wrapper.write_text(wrapper.read_text() + "# another version\n")


def moved(wrapper: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = compilers.PROCESSOR.read_text().replace("flags", "flags\t\t: more")
    other = wrapper.with_name("cpuinfo")
    other.write_text(text)
    monkeypatch.setattr(compilers, "PROCESSOR", other)


def damaged(wrapper: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (entry,) = wrapper.with_name("cache").glob("compilers/*")
    content = bytearray(entry.read_bytes())
    content[len(content) // 2] ^= 1
    entry.write_bytes(content)


@pytest.mark.skipif(not compilers.PROCESSOR.exists(), reason="the system tells no processor")
@pytest.mark.parametrize("change", [replaced, moved, damaged])
def test_a_compiler_is_asked_once_until_it_may_answer_otherwise(
    wrapper: Path,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[Path, pytest.MonkeyPatch], None],
) -> None:
    first, times = asked(wrapper)
    assert times > 0
    assert asked(wrapper) == (first, 0)
    change(wrapper, monkeypatch)
    again, times = asked(wrapper)
    assert times > 0
    assert again == first
    assert asked(wrapper) == (first, 0)


def test_without_a_file_that_tells_the_processor_nothing_is_kept(
    wrapper: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compilers, "PROCESSOR", Path("/nowhere"))
    first, _ = asked(wrapper)
    again, times = asked(wrapper)
    assert times > 0
    assert first == again
