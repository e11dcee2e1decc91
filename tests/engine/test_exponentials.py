"""Exponentials of one voltage: what is shared, and that the value stays the same."""

from __future__ import annotations

import math

import pytest

from biomod.engine.exponentials import Sharing

CONSTANTS = {"mV": 1e-3, "VT": -0.05, "four": 4.0}
SCALARS = {"_lio_1": "1.0/(5.0*mV)", "_lio_2": "VT + 40.0*mV", "_lio_3": "1.0/dt"}


def shared(*expressions: str, real: str = "double") -> tuple[list[str], Sharing]:
    sharing = Sharing({"v", "u"}, SCALARS, CONSTANTS, lambda text: text, real)
    return sharing.rewrite(list(expressions)), sharing


def value(expressions: list[str], sharing: Sharing, v: float, u: float = -0.06) -> list[float]:
    """Evaluate as the loop would: what is computed once, then the exponentials, then the rest."""

    def exprel(x: float) -> float:
        return math.expm1(x) / x if x else 1.0

    names = CONSTANTS | {"v": v, "u": u, "dt": 1e-4, "exp": math.exp, "exprel": exprel}
    names |= {
        "_engine_exprel_of": lambda x, e: (e - 1) / x if abs(x) > 0.03 else exprel(x),
        "_engine_exprel_inverse_of": lambda x, e: x / (e - 1) if abs(x) > 0.03 else 1 / exprel(x),
    }
    for name, text in SCALARS.items():
        names[name] = eval(text, {}, names)
    once = [line.removeprefix("const double ").rstrip(";").split(" = ") for line in sharing.once]
    for name, text in [*once, *sharing.shared]:
        names[name] = eval(text, {}, names)
    return [eval(e, {}, names) for e in expressions]


RATES = [
    "exp((v - VT)/(40.0*mV))",
    "3.0/exp(_lio_1*(v - _lio_2))",
    "0.32/exprel(-(v - VT - 13.0*mV)/(four*mV))",
    "2.0/(7.0*exprel((v - VT)*_lio_1))",
    "exp(v/(20.0*mV))**0.5 + exprel(-_lio_1*v)",
]


@pytest.mark.parametrize("v", [-0.12, -0.0500001, -0.05, -0.037, 0.0, 0.03])
def test_values_stay_the_same(v: float) -> None:
    found, sharing = shared(*RATES)
    assert len(sharing.bases) == 1, "5, 4 and 20 mV are parts of 40 mV"
    _, untouched = shared()
    # The voltages of the test are where a series takes over, too: 1e-12 holds everywhere.
    assert value(found, sharing, v) == pytest.approx(value(RATES, untouched, v), rel=1e-12)


def test_one_exponential_is_computed_for_all_slopes_that_are_multiples() -> None:
    found, sharing = shared(*RATES)
    assert sum(text.count("exp(") for _, text in sharing.shared) == 1
    assert not any(" exp(" in text or text.startswith("exp") for text in found)


@pytest.mark.parametrize(
    "expressions",
    [
        ("exp(v/(18.0*mV))", "exp(v/(5.0*mV))"),  # no whole ratio
        ("exp(v/(18.0*mV))",),  # nothing to share with
        ("exp(v/(10.0*mV))", "exp(u/(5.0*mV))"),  # two voltages
        ("exp(v*_lio_3)", "exp(2.0*v*_lio_3)"),  # a slope that is known only when the program runs
        ("exp(v*u)", "exp(v*v)", "exp(unknown*v)"),
        ("exp(v/(1.0*mV))", "exp(v/(100.0*mV))"),  # 100 multiplications' errors
    ],
)
def test_others_stay_as_they_are(expressions: tuple[str, ...]) -> None:
    found, sharing = shared(*expressions)
    assert found == list(expressions)
    assert not sharing.shared


def test_exprel_is_not_shared_in_single_precision() -> None:
    # Its difference e - 1 would keep four digits.
    expressions = ("exprel(v/(10.0*mV))", "exprel(v/(5.0*mV))")
    found, _ = shared(*expressions, real="float")
    assert found == list(expressions)
