"""The command line: parses, calls the public API, prints.

Nothing heavy is imported before a command needs it, so that ``biomod --help`` is instant.
"""

from biomod.cli._app import app, main

__all__ = ["app", "main"]
