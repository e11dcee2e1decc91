"""Files that are either wholly there or not there at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from biomod.errors import ModelError


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Write to the temporary file that is given; it takes the place of `path` at the end.

    If the block raises, the temporary file is removed and whatever was at `path` stays.

    Raises
    ------
    ModelError
        The folder of `path` does not exist or cannot be written to.
    """
    path = Path(path)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        if path.is_dir():
            raise IsADirectoryError(None, "it is a folder")
        partial.touch()
    except OSError as error:
        raise ModelError(f"cannot write {path}: {reason(error)}") from None
    try:
        yield partial
        sync(partial)
        partial.replace(path)
        sync(path.parent)
    finally:
        partial.unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Have the file (or the entries of the folder) reach the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def reason(error: OSError) -> str:
    """Why an operation on a file failed, without the number and the path."""
    return (error.strerror or str(error)).lower()
