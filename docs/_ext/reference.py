"""Sphinx extension: one page per public module, from its docstrings.

A name is documented once, where it is defined; a package that hands it on lists it with a link.
What is defined in a private module (``_name.py``) is documented where it is handed on.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from sphinx.application import Sphinx
from sphinx.pycode import ModuleAnalyzer
from sphinx.util import logging

logger = logging.getLogger(__name__)


def private(name: str) -> bool:
    return any(part.startswith("_") for part in name.split("."))


def load(name: str) -> ModuleType | None:
    """The module, or None with a warning where one of its optional imports is missing."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        logger.warning("no reference page for %s: %s", name, error, type="reference")
        return None


def modules(package: str) -> Iterator[ModuleType]:
    """The package and every public module in it, in order."""
    top = load(package)
    if top is None:
        return
    yield top
    for info in pkgutil.iter_modules(getattr(top, "__path__", [])):
        if not private(info.name):
            yield from modules(f"{package}.{info.name}")


def public_names(module: ModuleType) -> list[str]:
    names = getattr(module, "__all__", None)
    if names is None:
        names = [
            name
            for name, value in vars(module).items()
            if not name.startswith("_") and getattr(value, "__module__", None) == module.__name__
        ]
    return sorted(name for name in names if not inspect.ismodule(getattr(module, name, module)))


def is_data(value: Any) -> bool:
    return not (inspect.isclass(value) or inspect.isroutine(value))


def origin(module: ModuleType, name: str) -> str:
    """The module that a data name was imported from, or `module` itself."""
    for node in ast.walk(ast.parse(inspect.getsource(module))):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [alias.asname or alias.name for alias in node.names]
            if name in names:
                return node.module
    return module.__name__


def home(module: ModuleType, name: str, value: Any) -> tuple[str, str]:
    """Where `name` is documented: module, and its name there."""
    if is_data(value):
        defined = origin(module, name)
        if defined != module.__name__ and not private(defined):
            source = importlib.import_module(defined)
            return home(source, name, getattr(source, name, value))
        return module.__name__, name
    defined = value.__module__
    # A third party's, or from a private module: documented where it is handed on.
    if private(defined) or defined.split(".")[0] != module.__name__.split(".")[0]:
        return module.__name__, name
    return defined, value.__qualname__


def directive(module: str, name: str, value: Any) -> list[str]:
    if inspect.isclass(value):
        kind, options = "autoclass", ["   :members:", "   :show-inheritance:"]
    elif inspect.isroutine(value):
        kind, options = "autofunction", []
    else:
        # Not autodata: without a comment of its own it would print the docstring of the type.
        comments = ModuleAnalyzer.for_module(module).find_attr_docs()
        text = comments.get(("", name), [])
        kind, options = "py:data", ["", *(f"   {line}" for line in text)]
    return ["", f".. {kind}:: {module}.{name}", *options]


def page(module: ModuleType, children: list[str]) -> str:
    """The module's page in reStructuredText, as its docstrings are."""
    name = module.__name__
    lines = [name, "=" * len(name), "", f".. automodule:: {name}", "   :no-members:"]
    links, details = [], []
    for public in public_names(module):
        value = getattr(module, public, None)
        if value is None:
            continue
        where, called = home(module, public, value)
        if where != name:
            role = "data" if is_data(value) else "class" if inspect.isclass(value) else "func"
            doc = "" if is_data(value) else inspect.getdoc(value) or ""
            summary = doc.split("\n")[0]
            links.append(f"- :py:{role}:`{public} <{where}.{called}>` {summary}".rstrip())
        else:
            details += directive(name, public, value)
    if links:
        lines += ["", ".. rubric:: Handed on from here", "", *links]
    lines += details
    if children:
        lines += ["", ".. toctree::", "   :maxdepth: 1", "   :caption: Modules", ""]
        lines += [f"   {child}" for child in children]
    return "\n".join(lines) + "\n"


def generate(app: Sphinx) -> None:
    """Write the pages; a page that did not change is left alone, so that builds stay short."""
    folder = Path(app.srcdir) / "reference" / "modules"
    folder.mkdir(parents=True, exist_ok=True)
    written = set()
    for package in app.config.reference_packages:
        found = list(modules(package))
        names = [module.__name__ for module in found]
        for module in found:
            children = [n for n in names if n.rpartition(".")[0] == module.__name__]
            target = folder / f"{module.__name__}.rst"
            written.add(target)
            text = page(module, children)
            if not target.exists() or target.read_text(encoding="utf-8") != text:
                target.write_text(text, encoding="utf-8")
    for old in set(folder.glob("*.rst")) - written:
        old.unlink()


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_config_value("reference_packages", [], "env")
    app.connect("builder-inited", generate)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
