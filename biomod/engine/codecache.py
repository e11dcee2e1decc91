"""What Brian2 makes of equations and statements, kept on disk for the next process.

Most of the time in which Brian2 describes a network goes into algebra whose result is text: parsing
equations, substituting subexpressions into them, the steps of integration methods, taking invariant
expressions out of loops. A script with other numbers, or the same script again, has the same texts.
Here each result is kept under a hash of all that it depends on (`biomod.engine.codekeys`), beside
the compiled programs, with a checksum; a damaged entry is made anew. Only results are kept: what
raises an error raises it again, and nothing that is kept gives warnings or has other effects.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import logging
import platform
from collections.abc import Callable
from pathlib import Path
from typing import Any

import brian2
import numpy as np
import sympy
from brian2.core.functions import DEFAULT_CONSTANTS, DEFAULT_FUNCTIONS
from brian2.core.preferences import BrianPreference, prefs

from biomod.engine import codekeys
from biomod.entries import cache_directory, read_entry, write_entry

# Parts of Brian2 in which results are made.
SOURCES = ("codegen", "core", "equations", "parsing", "stateupdaters", "units", "utils")

PREFERENCE = BrianPreference(
    default=True,
    validator=lambda value: isinstance(value, bool),
    docs="""
    Whether what Brian2 makes of equations and statements is kept on disk for the next time.
    """,
)

_log = logging.getLogger("biomod")


class CodeCache:
    """Results on disk and in this process, by what they depend on."""

    def __init__(self) -> None:
        self.made: dict[str, Any] = {}  # in this process or read in it, by kind and key
        self.read = self.written = 0  # entries on disk
        self._language = dict(DEFAULT_FUNCTIONS), dict(DEFAULT_CONSTANTS)
        self._writable = True

    def result(
        self, kind: str, depends_on: Callable[[], Any], brian2: Callable[..., Any],
        arguments: tuple[Any, ...], write: Callable[[Any], Any], read: Callable[[Any], Any],
    ) -> Any:  # fmt: skip
        """A result that was made before, or made now and kept.

        Parameters
        ----------
        kind : str
            What is made.
        depends_on : callable
            Gives all that the result depends on, as data.
        brian2, arguments : callable and tuple
            Make the result. A cache that Brian2 has around the function is gone round: it does not
            look at preferences.
        write, read : callable
            Turn a result into data and back.
        """
        if not prefs["devices.biomod_cpp.keep_descriptions"]:
            return brian2(*arguments)
        try:
            key = _text([kind, *self._settings(), depends_on()])
        except codekeys.Unknown:
            return brian2(*arguments)
        if key not in self.made:
            make = functools.partial(getattr(brian2, "__wrapped__", brian2), *arguments)
            self.made[key] = self._from_disk(key, make, write, read)
        return self.made[key]

    def _from_disk(
        self, key: str, make: Callable[[], Any], write: Callable[[Any], Any],
        read: Callable[[Any], Any],
    ) -> Any:  # fmt: skip
        name = hashlib.sha256(f"{self._versions}{key}".encode()).hexdigest()[:32]
        file = cache_directory() / "descriptions" / f"{name}.json"
        content = read_entry(file)
        if content is not None:
            self.read += 1
            return read(json.loads(content))
        made = make()
        with contextlib.suppress(codekeys.Unknown):
            self._keep(file, _text(write(made)))
        return made

    def _keep(self, file: Path, text: str) -> None:
        if not self._writable:
            return
        try:
            write_entry(file, text.encode())
            self.written += 1
        except OSError as error:
            self._writable = False
            _log.warning(f"descriptions are not kept for the next time: {error}")

    def _settings(self) -> tuple[str, bool]:
        """What all results depend on that may change in a process."""
        if self._language != (DEFAULT_FUNCTIONS, DEFAULT_CONSTANTS):
            raise codekeys.Unknown("names that Brian2's parser knows have been added or changed")
        numbers = codekeys.dtype_name(prefs["core.default_float_dtype"])
        return numbers, bool(prefs["codegen.loop_invariant_optimisations"])

    @functools.cached_property
    def _versions(self) -> str:
        """The programs that make the results: versions, and files by their size and time."""
        files = sorted(Path(__file__).parent.glob("*.py"))
        for part in SOURCES:
            files += sorted((Path(brian2.__file__).parent / part).rglob("*.py"))
        state = [(str(f), f.stat().st_size, f.stat().st_mtime_ns) for f in files]
        versions = brian2.__version__, sympy.__version__, np.__version__
        return _text([platform.python_version(), platform.machine(), *versions, state])


def _text(data: Any) -> str:
    try:
        return json.dumps(data, separators=(",", ":"))
    except TypeError as error:  # something that is not data
        raise codekeys.Unknown(str(error)) from error
