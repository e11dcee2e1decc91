"""HDF5 files: opened with errors that a person can act on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from biomod.errors import ModelError
from biomod.results._atomic import reason


@contextmanager
def reading(path: str | Path) -> Iterator[h5py.File]:
    """An HDF5 file, open for reading; whatever is wrong with it is one :class:`ModelError`."""
    path = Path(path)
    try:
        if path.is_dir():
            raise IsADirectoryError(None, "it is a folder")
        with path.open("rb") as stream:
            empty = not stream.read(1)
    except OSError as error:
        raise ModelError(f"cannot read {path}: {reason(error)}") from None
    if empty:
        raise ModelError(f"cannot read {path}: the file is empty")
    if not h5py.is_hdf5(path):
        raise ModelError(f"cannot read {path}: it is not an HDF5 file, or its beginning is damaged")
    try:
        with h5py.File(path, "r") as file:
            yield file
    except ModelError:
        raise
    # h5py raises any of these, depending on which bytes of the file are wrong.
    except (OSError, RuntimeError, KeyError, TypeError, ValueError, AttributeError) as error:
        detail = " ".join(str(error).split())
        raise ModelError(f"cannot read {path}: it is truncated or damaged ({detail})") from None


def write_array(group: h5py.Group, name: str, values: npt.NDArray[Any], unit: str = "") -> None:
    """Store an array with checksums, so that a changed byte is noticed when it is read."""
    # A data set without values has no chunks and hence no checksums.
    dataset = group.create_dataset(name, data=values, fletcher32=True if values.size else None)
    if unit:
        dataset.attrs["units"] = unit


def text_attribute(item: h5py.Group | h5py.Dataset, name: str, default: str = "") -> str:
    """An attribute that holds text, whichever way the writing program stored text."""
    value = item.attrs.get(name, default)
    if isinstance(value, np.ndarray) and value.size == 1:
        value = value.item()
    return value.decode() if isinstance(value, bytes) else str(value)
