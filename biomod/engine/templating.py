"""Templates as Jinja has read them, kept in the cache; to read all of them takes 0.2 s."""

from __future__ import annotations

import contextlib
from importlib.metadata import version
from typing import Any

from jinja2.bccache import Bucket, BytecodeCache

from biomod.entries import cache_directory, key_of, read_entry, write_entry


class TemplateCache(BytecodeCache):
    """Jinja's own cache has no checksums, and what it reads must not be damaged.

    The source of a template is in its entry, so one that was changed is read anew.
    """

    def _path(self, bucket: Bucket) -> Any:
        key = key_of([bucket.key, version("jinja2"), version("brian2")])
        return cache_directory() / "templates" / f"{key}.jinja"

    def load_bytecode(self, bucket: Bucket) -> None:
        """Fill the bucket, if the template is there."""
        content = read_entry(self._path(bucket))
        if content is not None:
            bucket.bytecode_from_string(content)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep what Jinja has made of a template; without a cache that can be written, nothing."""
        with contextlib.suppress(OSError):
            write_entry(self._path(bucket), bucket.bytecode_to_string())
