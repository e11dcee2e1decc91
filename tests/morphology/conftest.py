"""Brian2 logs every line of code that it generates; of a failed test that is not of interest."""

from __future__ import annotations

import logging

import brian2  # noqa: F401 - sets its log level when it is imported

logging.getLogger("brian2").setLevel(logging.WARNING)
