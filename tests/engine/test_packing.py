"""Exponentials computed side by side: values of the cells that they belong to stay the same."""

from __future__ import annotations

import math

import pytest

from biomod.engine.packing import MOST, pack

FUNCTIONS = {
    "exp": math.exp,
    "expm1": math.expm1,
    "exprel": lambda x: math.expm1(x) / x if x else 1.0,
}


def kind(name: str) -> str:
    return name if name in FUNCTIONS else ""


def evaluate(statements: list[tuple[str, str]], names: dict[str, float]) -> dict[str, float]:
    """The values after the statements as they stand."""
    found: dict[str, object] = dict(names) | FUNCTIONS
    for name, expression in statements:
        found[name] = eval(expression, {}, found)
    return {n: v for n, v in found.items() if isinstance(v, float)}


def evaluate_packed(
    statements: list[tuple[str, str]], names: dict[str, float], double: set[str] | None = None
) -> dict[str, float]:
    """The same, with what is packed computed where the loop computes it."""
    expressions, packs = pack(statements, kind, double or set())
    found: dict[str, object] = dict(names) | FUNCTIONS
    for k, (name, _) in enumerate(statements):
        for some in packs.get(k, []):
            assert 2 <= len(some.arguments) <= MOST
            x = [eval(argument, {}, found) for argument in some.arguments]
            for function, j in some.used:
                found[f"{some.name}_{function}_{j}"] = FUNCTIONS[function](x[j])
        found[name] = eval(expressions[k], {}, found)
    return {n: v for n, v in found.items() if isinstance(v, float) and not n.startswith("_pack")}


@pytest.mark.parametrize(
    ("statements", "left"),
    [
        ([("a", "exp(v) + exp(2*v)"), ("b", "a*exp(u)")], 0),
        # Seven in two packs, the same one twice in one of them.
        ([("a", "+".join(f"exp({k}*v)" for k in range(7))), ("b", "exp(3*v)")], 0),
        # The same argument of several functions.
        ([("a", "exp(v)/exprel(v) + expm1(v)*exprel(0*v)"), ("b", "exprel(a)")], 1),
        # What is assigned in between is another number under the same name.
        ([("a", "exp(v) + exp(u)"), ("v", "2*a"), ("b", "exp(v) - exp(u + v)")], 0),
        # One exponential in another, and powers of one.
        ([("a", "exp(-exp(v)) + exp(u)"), ("b", "exp(v)**2 + exp(u)**-0.5")], 1),
        # A single one, and one that needs the other, have no company.
        ([("a", "exp(v)"), ("b", "exp(a)")], 2),
    ],
)
def test_values_stay_the_same(statements: list[tuple[str, str]], left: int) -> None:
    names = {"v": -0.3, "u": 0.7}
    # Powers of an exponential become an exponential of the product.
    assert evaluate_packed(statements, names) == pytest.approx(
        evaluate(statements, names), rel=1e-15
    )
    expressions, _ = pack(statements, kind, set())
    assert sum(e.count(f"{f}(") for e in expressions for f in FUNCTIONS) == left


def test_time_keeps_its_digits_in_single_precision() -> None:
    statements = [("a", "exp(-(t - v)) + exp(u) + exp(v)")]
    expressions, _ = pack(statements, kind, {"t"})
    assert "exp(-(t - v))" in expressions[0]
    assert "exp(u)" not in expressions[0]
