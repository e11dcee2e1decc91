"""The cache of compiled programs: found again, safe to share, never trusted when damaged."""

from __future__ import annotations

import logging
import multiprocessing
import subprocess
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

import biomod as bm
from biomod import backends
from biomod import programs as compiler
from tests.backends.helpers import point

needs_compiler = pytest.mark.skipif(compiler.find_compiler() is None, reason="no C++ compiler")
PROGRAM = '#include <cstdio>\nint main() {{ std::puts("{}"); }}\n'


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BIOMOD_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache" / "programs"


def sources(directory: Path, says: str = "hello") -> Path:
    """A folder with a program as a code generator would leave it."""
    directory.mkdir(parents=True)
    (directory / "main.cpp").write_text(PROGRAM.format(says))
    return directory


def output_of(binary: Path) -> str:
    return subprocess.run([binary], capture_output=True, text=True, check=True).stdout.strip()


def compile_in(directory: str) -> bool:
    return compiler.compile_program(Path(directory))[1]


@needs_compiler
def test_same_source_is_compiled_once(tmp_path: Path, empty_cache: Path) -> None:
    first, compiled = compiler.compile_program(sources(tmp_path / "a"))
    second, compiled_again = compiler.compile_program(sources(tmp_path / "b"))
    assert (compiled, compiled_again) == (True, False)
    assert output_of(first) == output_of(second) == "hello"
    assert backends.cache_info()["entries"] == 1


@needs_compiler
def test_other_source_is_another_program(tmp_path: Path, empty_cache: Path) -> None:
    compiler.compile_program(sources(tmp_path / "a"))
    other, compiled = compiler.compile_program(sources(tmp_path / "b", says="goodbye"))
    assert compiled
    assert output_of(other) == "goodbye"


@needs_compiler
@pytest.mark.parametrize("keep", [0.0, 0.5, 0.999], ids=["empty", "half", "nearly whole"])
def test_a_truncated_entry_is_not_used(tmp_path: Path, empty_cache: Path, keep: float) -> None:
    compiler.compile_program(sources(tmp_path / "a"))
    (entry,) = empty_cache.iterdir()
    content = entry.read_bytes()
    entry.write_bytes(content[: int(keep * len(content))])
    binary, compiled = compiler.compile_program(sources(tmp_path / "b"))
    assert compiled
    assert output_of(binary) == "hello"
    assert not compile_in(str(sources(tmp_path / "c"))), "the entry has been replaced"


@needs_compiler
def test_a_changed_byte_is_noticed(tmp_path: Path, empty_cache: Path) -> None:
    compiler.compile_program(sources(tmp_path / "a"))
    (entry,) = empty_cache.iterdir()
    content = bytearray(entry.read_bytes())
    content[len(content) // 2] ^= 1
    entry.write_bytes(content)
    assert compile_in(str(sources(tmp_path / "b")))


def with_prelude(directory: Path, says: str) -> Path:
    """A program with a header that all programs share, as the engine's have."""
    sources(directory, says)
    (directory / "brianlib").mkdir()
    (directory / "brianlib/engine_prelude.h").write_text("#pragma once\n#include <cstdio>\n")
    return directory


def is_read_once() -> bool:
    """Whether the compiler is one that can keep headers as it has read them."""
    version = [compiler.find_compiler() or "", "--version"]
    said = subprocess.run(version, capture_output=True, text=True, check=True).stdout
    return "Free Software Foundation" in said


@needs_compiler
@pytest.mark.parametrize("keep", [0.0, 0.9, 1.0], ids=["empty", "truncated", "a changed byte"])
def test_damaged_headers_are_read_again(tmp_path: Path, empty_cache: Path, keep: float) -> None:
    if not is_read_once():
        pytest.skip("another compiler than g++")
    folder = empty_cache.parent / "headers"
    compiler.compile_program(with_prelude(tmp_path / "a", "a"))
    (kept,) = folder.iterdir()
    first = kept.stat().st_ino
    compiler.compile_program(with_prelude(tmp_path / "b", "b"))
    assert [file.stat().st_ino for file in folder.iterdir()] == [first], "made once"
    content = bytearray(kept.read_bytes())
    content[len(content) // 2] ^= 1
    kept.write_bytes(content[: int(keep * len(content))])
    binary, _ = compiler.compile_program(with_prelude(tmp_path / "c", "c"))
    assert output_of(binary) == "c"
    (made,) = folder.iterdir()
    assert made.read_bytes() != content
    assert not (tmp_path / "c/brianlib/engine_prelude.h.gch").exists(), "nothing is left behind"


@needs_compiler
def test_headers_are_kept_from_the_second_program_with_the_same_library_on(
    tmp_path: Path, empty_cache: Path
) -> None:
    if not is_read_once():
        pytest.skip("another compiler than g++")
    for name, headers in (("a", 0), ("b", 1), ("c", 1)):
        directory = with_prelude(tmp_path / name, name)
        library = '#include "brianlib/engine_prelude.h"\nint same() { return 1; }\n'
        (directory / "library.cpp").write_text(library)
        binary, _ = compiler.compile_program(directory)
        assert output_of(binary) == name
        assert len(list(empty_cache.glob("*.o"))) == 1
        assert len(list(empty_cache.parent.glob("headers/*"))) == headers


@needs_compiler
def test_headers_that_the_compiler_cannot_use_are_read_as_text(
    tmp_path: Path, empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compiler, "_whole", lambda folder, key: tmp_path / "nonsense.gch")
    (tmp_path / "nonsense.gch").write_bytes(b"gpch" + bytes(4096))
    binary, _ = compiler.compile_program(with_prelude(tmp_path / "a", "a"))
    assert output_of(binary) == "a"


@needs_compiler
def test_processes_that_compile_the_same_at_once_leave_one_good_entry(
    tmp_path: Path, empty_cache: Path
) -> None:
    folders = [str(sources(tmp_path / str(k))) for k in range(4)]
    with ProcessPoolExecutor(4, mp_context=multiprocessing.get_context("fork")) as pool:
        list(pool.map(compile_in, folders))
    assert [output_of(Path(folder) / "main") for folder in folders] == ["hello"] * 4
    assert [file.suffix for file in empty_cache.iterdir()] == [".bin"]
    assert not compile_in(str(sources(tmp_path / "later")))


@needs_compiler
def test_clearing_the_cache_empties_it(tmp_path: Path, empty_cache: Path) -> None:
    compiler.compile_program(sources(tmp_path / "a"))
    size = backends.cache_info()["bytes"]
    assert backends.cache_clear() == size > 0
    assert backends.cache_info() == {"path": str(empty_cache.parent), "entries": 0, "bytes": 0}


@needs_compiler
def test_oldest_programs_go_when_the_cache_is_full(
    tmp_path: Path, empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiler.compile_program(sources(tmp_path / "a", says="old"))
    monkeypatch.setattr(compiler, "CACHE_LIMIT", 1.5 * int(str(backends.cache_info()["bytes"])))
    compiler.compile_program(sources(tmp_path / "b", says="new"))
    assert backends.cache_info()["entries"] == 1
    assert not compile_in(str(sources(tmp_path / "c", says="new")))


@needs_compiler
def test_a_cache_that_cannot_be_written_costs_a_warning_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("BIOMOD_CACHE_DIR", str(tmp_path / "file"))
    with caplog.at_level(logging.WARNING, logger="biomod"):
        binary, _ = compiler.compile_program(sources(tmp_path / "a"))
    assert output_of(binary) == "hello"
    assert len(caplog.messages) == 1


@needs_compiler
def test_a_source_that_the_compiler_refuses_is_reported(tmp_path: Path, empty_cache: Path) -> None:
    folder = sources(tmp_path / "a")
    (folder / "main.cpp").write_text("int main() { return undeclared; }")
    with pytest.raises(compiler.CompileError, match="undeclared"):
        compiler.compile_program(folder)
    assert backends.cache_info()["entries"] == 0


@pytest.fixture
def no_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiler, "find_compiler", lambda: None)


@pytest.mark.usefixtures("no_compiler")
@pytest.mark.parametrize("backend", [None, "cpp", "cython"])
def test_without_a_compiler_numpy_is_used_and_one_line_says_so(
    backend: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, logger="biomod"):
        result = bm.simulate(point("cell", "100 pF", "5 nS", "-70 mV"), "1 ms", backend=backend)
    assert result.provenance["backend"] == "numpy"
    (line,) = [r.getMessage() for r in caplog.records if r.name == "biomod"]
    assert "numpy" in line
    assert "compiler" in line
    assert "\n" not in line


@pytest.mark.usefixtures("no_compiler")
def test_backends_that_need_a_compiler_say_what_is_missing() -> None:
    states = backends.available()
    assert states["numpy"].available
    assert states["numpy"].default
    assert not states["cpp"].available
    assert "g++" in states["cpp"].reason


def test_an_unknown_backend_is_refused_with_the_nearest_names() -> None:
    with pytest.raises(bm.ModelError, match=r"unknown backend 'ccp'; did you mean cpp"):
        backends.choose("ccp")
