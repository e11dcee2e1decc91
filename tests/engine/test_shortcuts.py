"""Functions that take the places of Brian2's own: results are Brian2's."""

from __future__ import annotations

import random
import re

import numpy as np
import pytest
from brian2 import NeuronGroup, Synapses, prefs
from brian2.codegen import codeobject, translation
from brian2.core import variables

from biomod.engine import shortcuts


def as_brian2_substitutes(expr: str, substitutions: dict[str, object]) -> str:
    """The function as Brian2 2.9 has it."""
    for word, replacement in substitutions.items():
        expr = re.sub(f"\\b{word}\\b", str(replacement), expr)
    return expr


@pytest.mark.parametrize(
    ("expr", "substitutions"),
    [
        ("a*_b+c5+8+f(A)", {"a": "banana", "f": "func"}),
        ("a + b", {"a": "b", "b": "c"}),  # one after the other
        ("a + b", {"b": "c", "a": "b"}),
        ("v_post*v + v.x", {"v": "w", "x": 3}),
        ("a1 + 1a + a-a", {"a": "(a + 1)"}),
        ("µ*a + aµ", {"a": "b", "µ": "c"}),
        ("f(x)", {"f": r"g\g<0>"}),  # a template of a regular expression
        ("f.x + f_x", {"f.x": "y"}),  # a pattern
        ("1e3*e", {"e": "x"}),
        ("", {"e": "x"}),
        ("a", {}),
    ],
)
def test_words_are_replaced_as_brian2_does(expr: str, substitutions: dict[str, object]) -> None:
    expected = as_brian2_substitutes(expr, substitutions)
    assert shortcuts.word_substitute(expr, substitutions) == expected


def test_words_of_random_texts_are_replaced_as_brian2_does() -> None:
    draw = random.Random(3)
    pieces = ["a", "b", "ab", "_a", "1", "+", "(", ")", " ", ".", "e-3", "µ"]
    for _ in range(2000):
        expr = "".join(draw.choices(pieces, k=12))
        words = draw.sample(["a", "b", "ab", "_a", "a1", "e"], 4)
        substitutions = {word: "".join(draw.choices(pieces, k=3)) for word in words}
        expected = as_brian2_substitutes(expr, substitutions)
        assert shortcuts.word_substitute(expr, substitutions) == expected


def test_identifiers_are_those_that_brian2_finds() -> None:
    cells = NeuronGroup(3, "dv/dt = -v*x/(10*second) : 1\nx = y*2 : 1\ny : 1\nz : 1 (shared)")
    synapses = Synapses(cells, cells, "w : 1")
    codes = [
        "", "q = v + other", "v += x*w", "w = w + v_post - v_post", "a = y; b = a; v = b + gone",
        "z = 3", "x_post = 1", "b = True and not False", "v_post += x_post*exp(-w)", "v =",
    ]  # fmt: skip
    found = 0
    for code in codes:
        for known in (cells.variables, dict(synapses.variables), {"v", "w"}):
            for recursive in (False, True) if not isinstance(known, set) else (False,):
                outcomes = []
                for analyse in (shortcuts._analyse_identifiers, shortcuts.analyse_identifiers):
                    try:
                        outcomes.append(analyse(code, known, recursive))
                    except Exception as error:
                        outcomes.append(({type(error)}, str(error)))
                assert outcomes[0] == outcomes[1], (code, recursive)
                found += len(outcomes[0][0])
    assert found > 10


def test_preferences_look_as_before() -> None:
    view = prefs.codegen.cpp
    assert type(view) is shortcuts.PreferencesView
    before = shortcuts.PreferencesView.__mro__[1]("codegen.cpp", prefs)
    assert view.__doc__ == before.__doc__
    assert "extra_compile_args_gcc" in view.__doc__
    assert (list(view), len(view)) == (list(before), len(before))
    assert set(dir(view)) - set(dir(before)) <= {"__slots__"}
    assert prefs.core.default_float_dtype is np.float64
    with pytest.raises(AttributeError):
        _ = prefs.core.no_such_preference


def test_brian2_uses_them() -> None:
    assert variables.word_substitute is shortcuts.word_substitute
    assert codeobject.analyse_identifiers is shortcuts.analyse_identifiers
    assert translation.analyse_identifiers is shortcuts.analyse_identifiers
