"""Entries of the cache on disk: each is written in one step, its checksum behind it."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

CHECKSUM = hashlib.sha256().digest_size  # bytes at the end of every entry


def cache_directory() -> Path:
    """Where compiled programs are kept: ``$BIOMOD_CACHE_DIR`` or the user's cache folder."""
    base = os.environ.get("BIOMOD_CACHE_DIR")
    if base:
        return Path(base)
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "biomod"


def key_of(text: Iterable[str]) -> str:
    """A name for all that decides what an entry is."""
    return hashlib.sha256("\0".join(text).encode()).hexdigest()[:32]


def read_entry(path: Path) -> bytes | None:
    """Content of an entry of the cache; None if it is not there or damaged."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    entry, checksum = content[:-CHECKSUM], content[-CHECKSUM:]
    if hashlib.sha256(entry).digest() != checksum:
        path.unlink(missing_ok=True)
        return None
    with contextlib.suppress(OSError):
        os.utime(path)
    return entry


def write_entry(path: Path, content: bytes) -> None:
    """Put an entry into the cache in one step, its checksum behind it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, partial = tempfile.mkstemp(suffix=".partial", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content + hashlib.sha256(content).digest())
        os.replace(partial, path)
    except OSError:
        os.unlink(partial)
        raise
