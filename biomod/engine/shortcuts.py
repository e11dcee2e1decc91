"""Functions of Brian2 that take long when it describes a network, with the same results.

They take the places of Brian2's own in this process, as soon as the engine is imported:

- the substitution of names looks for all names at once; Brian2 makes a regular expression for each
  of the hundreds of names that may be replaced, whether they are there or not;
- what identifiers a piece of code uses is looked up name by name, not in a new set of all the names
  of a group at each call;
- the text that documents preferences is written when it is asked for, not at each look at one.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from typing import Any

from brian2.codegen import translation
from brian2.core import preferences
from brian2.utils import stringtools

_WORD = re.compile(r"\w+")


def word_substitute(expr: str, substitutions: Mapping[str, Any]) -> str:
    """Replace words of a text, one after the other as Brian2 does."""
    words: set[str] | None = None
    for word, replacement in substitutions.items():
        text = str(replacement)
        if not (word.isascii() and word.isidentifier()) or "\\" in text:
            expr = re.sub(f"\\b{word}\\b", text, expr)  # a pattern, or a template
            words = None
            continue
        if words is None:
            words = set(_WORD.findall(expr))
        if word in words:
            expr = _replaced(expr, word, text)
            words = None
    return expr


def _replaced(expr: str, word: str, text: str) -> str:
    return _WORD.sub(lambda match: text if match[0] == word else match[0], expr)


def analyse_identifiers(
    code: str, variables: Any, recursive: bool = False
) -> tuple[set[str], set[str], set[str]]:
    """Names that a piece of code defines, those known that it uses, and all others.

    The arguments are those of Brian2's function.
    """
    if not isinstance(variables, Mapping):
        return _analyse_identifiers(code, variables, recursive)
    float64 = translation.np.float64
    scalar, vector = translation.make_statements(code, variables, float64, optimise=False)
    statements = scalar + vector
    defined = {s.var for s in statements if s.op == ":="}
    expressions = [s.expr for s in statements]
    if recursive:
        names = translation.get_identifiers_recursively(expressions, variables)
    else:
        names = set().union(*map(translation.get_identifiers, expressions))
    names |= {s.var for s in statements}
    standard = translation.STANDARD_IDENTIFIERS
    known = {name for name in names if name in variables or name in standard}
    return defined, known - standard, names - defined - known


class PreferencesView(preferences.BrianGlobalPreferencesView):
    """A category of preferences."""

    __doc__ = property(
        lambda self: self._all_prefs.get_documentation(self._basename, link_targets=False)
    )

    def __init__(self, basename: str, all_prefs: Any) -> None:
        self._basename = basename
        self._all_prefs = all_prefs
        register = all_prefs.pref_register
        self._subcategories = [key for key in register if key.startswith(f"{basename}.")]
        self._preferences = list(register[basename][0])


def replace_everywhere(name: str, old: Any, new: Any) -> None:
    """Have all modules of Brian2 use `new` under the name by which they know `old`."""
    for module_name, module in list(sys.modules.items()):
        of_brian2 = module_name.partition(".")[0] == "brian2"
        if of_brian2 and getattr(module, "__dict__", {}).get(name) is old:
            setattr(module, name, new)


_analyse_identifiers = translation.analyse_identifiers


def install() -> None:
    """Have Brian2 use these functions, in this process."""
    replace_everywhere("word_substitute", stringtools.word_substitute, word_substitute)
    replace_everywhere("analyse_identifiers", _analyse_identifiers, analyse_identifiers)
    preferences.BrianGlobalPreferencesView = PreferencesView
