"""Sphinx configuration: MyST pages, and a reference made from the docstrings."""

import sys
from importlib import metadata
from pathlib import Path

DOCS = Path(__file__).resolve().parent
sys.path[:0] = [str(DOCS.parent), str(DOCS), str(DOCS / "_ext")]

project = "biomod"
author = "The biomod developers"
copyright = f"{author}; GPL-3.0-or-later"
try:
    release = metadata.version("biomod")
except metadata.PackageNotFoundError:
    release = "development"

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.mathjax",
    "sphinx.ext.napoleon",
    "reference",
]
exclude_patterns = ["_build", "examples/figures", "tables"]
# A type in a docstring such as "cells" may match several attributes; none is meant.
suppress_warnings = ["ref.python"]
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3

autodoc_typehints = "signature"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
napoleon_google_docstring = False
napoleon_use_rtype = False
# Single backquotes name parameters in our docstrings.
default_role = "code"

html_theme = "furo"
html_title = "biomod"
html_theme_options = {"source_directory": "docs/"}
reference_packages = ["biomod", "analysis", "cell_types", "microcircuits"]


def setup(app: object) -> None:
    """Bring the tables and the figures that the pages include up to date with the code."""
    import build_channels
    import build_tables

    build_tables.write()
    build_channels.write()
