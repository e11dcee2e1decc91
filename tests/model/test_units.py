"""Quantities: reading, arithmetic, dimensions, and Brian2's."""

from __future__ import annotations

import copy
import math
import pickle

import brian2 as b2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from biomod.errors import UnitError
from biomod.model.serialise import exact_text
from biomod.units import (
    DIMENSIONLESS,
    Hz,
    Mohm,
    Quantity,
    as_quantity,
    cm,
    mM,
    ms,
    mV,
    nS,
    pA,
    parse_quantity,
    pF,
    second,
    uF,
    uM,
    um,
    umolar,
    uS,
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.5 uM", 0.5 * uM),
        ("0.5uM", 0.5 * uM),
        ("0.5 µM", 0.5 * uM),
        ("500 nM", 0.5 * uM),
        ("-65 mV", -65 * mV),
        ("-0.065 V", -65 * mV),
        ("+1.5e1 ms", 15 * ms),
        (".5 s", 500 * ms),
        ("1 uF/cm2", 1 * uF / cm**2),
        ("1 uF/cm^2", 1 * uF / cm**2),
        ("1 uF/cm**2", 1 * uF / cm**2),
        ("150 ohm cm", as_quantity("1.5 ohm*m", "ohm*m")),
        ("150 ohm*cm", as_quantity("150 Ω·cm", "ohm*m")),
        ("100 1/ms", 100 / ms),
        ("3 MOhm", 3 * Mohm),
        ("2 kHz", 2000 * Hz),
        ("1 mM", mM),
    ],
)
def test_text_with_a_unit_is_read(text: str, value: Quantity) -> None:
    read = parse_quantity(text)
    assert read.dim == value.dim
    assert read.si == pytest.approx(value.si, rel=1e-15)


def test_text_is_read_to_the_nearest_double() -> None:
    """18 um is 18e-6 m and not 18 * 1e-6, which is another double."""
    assert parse_quantity("18 um").si == 18e-6
    assert parse_quantity("0.3 nS").si == 0.3e-9


@pytest.mark.parametrize("text", ["", "mV", "five mV", "5 mV extra/", "5 m V2x", "1,5 mV"])
def test_text_that_is_no_quantity_is_refused(text: str) -> None:
    with pytest.raises(UnitError):
        as_quantity(text, "mV")


def test_an_unknown_unit_names_the_nearest() -> None:
    with pytest.raises(UnitError, match=r"unknown unit 'mv'; did you mean mV"):
        parse_quantity("5 mv")


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e30, max_value=1e30))
@pytest.mark.parametrize("unit", ["mV", "nS", "uF/cm2", "um", "Hz/pA", "kg m", ""])
def test_text_of_a_quantity_reads_back_to_the_same_value(unit: str, value: float) -> None:
    dim = parse_quantity(f"1 {unit}").dim
    quantity = Quantity(value, dim)
    assert parse_quantity(exact_text(quantity)) == quantity


@pytest.mark.parametrize(
    ("quantity", "text"),
    [
        (5 * nS * (10 * mV), "50 pA"),
        (18 * um, "18 um"),
        (0.2 * second, "200 ms"),
        (1 * uF / cm**2, "1 uF/cm2"),
        (50 * uS / cm**2, "50 uS/cm2"),
        (1 / (20 * nS), "50 Mohm"),
        (100 * pF / (5 * nS), "20 ms"),
        (0.5 * umolar, "500 nM"),
        (-65.5 * mV, "-65.5 mV"),
    ],
)
def test_quantities_print_in_the_customary_unit_of_the_field(quantity: Quantity, text: str) -> None:
    assert str(quantity) == repr(quantity) == text


def test_arithmetic_keeps_dimensions() -> None:
    assert 3 * mV + 2 * mV == 5 * mV
    assert 3 * mV - 2 * mV == mV
    assert -(3 * mV) == -3 * mV
    assert abs(-3 * mV) == 3 * mV
    assert (10 * mV) / (2 * mV) == pytest.approx(5)
    assert isinstance((10 * mV) / mV, float)
    assert (2 * um) ** 2 == 4 * um**2
    assert np.float64(2) * mV == mV * np.int64(2) == 2 * mV


def test_quantities_of_one_dimension_are_ordered() -> None:
    assert 1 * mV < 2 * mV <= 2 * mV
    assert 1 * second > 999 * ms >= 999 * ms


@pytest.mark.parametrize(
    "operation",
    [
        lambda: mV + ms,
        lambda: mV - 1,
        lambda: mV < ms,
        lambda: mV >= 0,
        lambda: float(mV),
        lambda: (1 * mV).to("ms"),
    ],
)
def test_dimensions_that_do_not_fit_are_refused(operation: object) -> None:
    with pytest.raises(UnitError):
        operation()  # type: ignore[operator]


def test_arrays_do_not_drop_the_dimension_in_silence() -> None:
    with pytest.raises(TypeError):
        np.array([1.0, 2.0]) * mV


def test_equality_compares_value_and_dimension() -> None:
    assert 1000 * mV == parse_quantity("1 V")
    assert hash(1000 * mV) == hash(parse_quantity("1 V"))
    assert 1 * mV != 1 * ms
    assert 1 * mV != 1e-3


def test_a_quantity_cannot_be_changed() -> None:
    quantity = 5 * mV
    with pytest.raises(AttributeError):
        quantity.si = 1.0  # type: ignore[misc]


def test_quantities_can_be_copied_and_pickled() -> None:
    quantity = 5 * nS
    assert copy.deepcopy(quantity) == pickle.loads(pickle.dumps(quantity)) == quantity


def test_a_number_where_a_unit_is_needed_is_refused_with_an_example() -> None:
    with pytest.raises(UnitError, match=r"length needs a unit: 5 was given, e\.g\. 5 um"):
        as_quantity(5, "um", "length")


def test_a_wrong_unit_is_refused_with_both() -> None:
    with pytest.raises(UnitError, match=r"length has the wrong unit: 5 mV was given, .* um"):
        as_quantity(5 * mV, "um", "length")


@pytest.mark.parametrize("value", [None, True, [5], object()])
def test_what_is_no_quantity_is_refused(value: object) -> None:
    with pytest.raises(UnitError):
        as_quantity(value, "mV")


@pytest.mark.parametrize(
    ("theirs", "unit", "ours"),
    [
        (5 * b2.mV, "mV", 5 * mV),
        (20 * b2.nS, "nS", 20 * nS),
        (1 * b2.uF / b2.cm**2, "uF/cm2", 1 * uF / cm**2),
        (150 * b2.ohm * b2.cm, "ohm cm", parse_quantity("150 ohm cm")),
        (0.5 * b2.umolar, "nM", 0.5 * uM),
        (b2.Quantity(0.25), "", Quantity(0.25, DIMENSIONLESS)),
    ],
)
def test_brian2_quantities_are_understood(theirs: b2.Quantity, unit: str, ours: Quantity) -> None:
    read = as_quantity(theirs, unit)
    assert isinstance(read, Quantity)
    assert read.dim == ours.dim
    assert read.si == pytest.approx(ours.si, rel=1e-15)


def test_a_brian2_quantity_of_the_wrong_dimension_is_refused() -> None:
    with pytest.raises(UnitError, match="wrong unit"):
        as_quantity(5 * b2.pA, "mV")


def test_an_array_of_brian2_quantities_is_not_one_quantity() -> None:
    with pytest.raises((UnitError, TypeError)):
        as_quantity([1, 2] * b2.mV, "mV")


def test_conversion_to_a_unit_gives_the_number_that_was_written() -> None:
    assert parse_quantity("0.3 uM").to("nM") == 300
    assert (18 * um).to("um") == 18
    assert math.isclose((50 * pA).to("nA"), 0.05, rel_tol=1e-15)
