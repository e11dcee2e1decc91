"""Physical quantities with units, light enough to be used before any simulator is loaded.

``18 * um`` is a :class:`Quantity`. Quantities are immutable, compare and hash by value, check
dimensions in every operation, and print in the field's customary unit. Brian2's quantities are
accepted wherever biomod takes one (see :func:`as_quantity`); inside, everything is SI.

>>> from biomod.units import mV, nS, pA
>>> 5 * nS * (10 * mV)
50 pA
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, SupportsFloat, TypeGuard

from biomod.errors import UnitError, nearest

# Exponents of metre, kilogram, second, ampere, kelvin, mole, candela: Brian2's order.
Dimension = tuple[int, int, int, int, int, int, int]
DIMENSIONLESS: Dimension = (0, 0, 0, 0, 0, 0, 0)


class Quantity:
    """A scalar with a physical dimension.

    Parameters
    ----------
    si : float
        The value in SI units.
    dim : tuple of int
        Exponents of metre, kilogram, second, ampere, kelvin, mole and candela.
    """

    __slots__ = ("dim", "si")
    # numpy and Brian2 must hand the operation to us instead of dropping the dimension.
    __array_ufunc__ = None

    si: float
    dim: Dimension

    def __init__(self, si: float, dim: Dimension = DIMENSIONLESS) -> None:
        object.__setattr__(self, "si", float(si))
        object.__setattr__(self, "dim", dim)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("a Quantity cannot be changed")

    def __reduce__(self) -> tuple[type[Quantity], tuple[float, Dimension]]:
        return Quantity, (self.si, self.dim)

    # arithmetic ---------------------------------------------------------------------------
    def __mul__(self, other: object) -> Quantity:
        if isinstance(other, Quantity):
            dim = tuple(a + b for a, b in zip(self.dim, other.dim, strict=True))
            return Quantity(self.si * other.si, dim)  # type: ignore[arg-type]
        if _is_number(other):
            return Quantity(self.si * float(other), self.dim)
        return NotImplemented

    __rmul__ = __mul__

    def __truediv__(self, other: object) -> Any:
        if isinstance(other, Quantity):
            dim = tuple(a - b for a, b in zip(self.dim, other.dim, strict=True))
            ratio = self.si / other.si
            return ratio if dim == DIMENSIONLESS else Quantity(ratio, dim)  # type: ignore[arg-type]
        if _is_number(other):
            return Quantity(self.si / float(other), self.dim)
        return NotImplemented

    def __rtruediv__(self, other: object) -> Any:
        if _is_number(other):
            dim = tuple(-a for a in self.dim)
            return Quantity(float(other) / self.si, dim)  # type: ignore[arg-type]
        return NotImplemented

    def __pow__(self, n: int) -> Quantity:
        return Quantity(self.si**n, tuple(a * n for a in self.dim))  # type: ignore[arg-type]

    def _same(self, other: object, verb: str) -> Quantity:
        if not isinstance(other, Quantity) or other.dim != self.dim:
            raise UnitError(f"cannot {verb} {self!r} and {other!r}: their dimensions differ")
        return other

    def __add__(self, other: object) -> Quantity:
        return Quantity(self.si + self._same(other, "add").si, self.dim)

    def __sub__(self, other: object) -> Quantity:
        return Quantity(self.si - self._same(other, "subtract").si, self.dim)

    def __neg__(self) -> Quantity:
        return Quantity(-self.si, self.dim)

    def __abs__(self) -> Quantity:
        return Quantity(abs(self.si), self.dim)

    def __float__(self) -> float:
        if self.dim != DIMENSIONLESS:
            raise UnitError(f"{self!r} has a unit; divide by one to get a number, e.g. x / mV")
        return self.si

    # comparison ---------------------------------------------------------------------------
    def __eq__(self, other: object) -> bool:
        return isinstance(other, Quantity) and self.dim == other.dim and self.si == other.si

    def __hash__(self) -> int:
        return hash((self.si, self.dim))

    def __lt__(self, other: object) -> bool:
        return self.si < self._same(other, "compare").si

    def __le__(self, other: object) -> bool:
        return self.si <= self._same(other, "compare").si

    def __gt__(self, other: object) -> bool:
        return self.si > self._same(other, "compare").si

    def __ge__(self, other: object) -> bool:
        return self.si >= self._same(other, "compare").si

    # text ---------------------------------------------------------------------------------
    def to(self, unit: str) -> float:
        """The value in `unit`, e.g. ``q.to("mV")``."""
        factor, dim = parse_unit(unit)
        if dim != self.dim:
            raise UnitError(f"{self!r} cannot be expressed in {unit}")
        # Divide by the reciprocal where that is exact, so that 18 * um prints as 18 um.
        value = self.si / factor
        return float(f"{value:.15g}")

    @property
    def unit(self) -> str:
        """The field's customary unit for this dimension (``"mV"``, ``"nS"``, …)."""
        return _CUSTOMARY.get(self.dim, _si_symbol(self.dim))

    def __format__(self, spec: str) -> str:
        unit = self.unit
        value = self.to(unit) if unit else self.si
        text = format(value, spec or ".12g")
        return f"{text} {unit}".strip()

    def __repr__(self) -> str:
        return format(self, "")


# What a function takes where a quantity is meant: 18 * um or "18 um".
QuantityLike = Quantity | str


def _is_number(x: object) -> TypeGuard[SupportsFloat]:
    return isinstance(x, int | float) or (
        isinstance(x, SupportsFloat) and getattr(x, "ndim", None) == 0 and not hasattr(x, "dim")
    )


# metre kilogram second ampere kelvin mole candela
_BASE: dict[str, tuple[float, Dimension]] = {
    "m": (1.0, (1, 0, 0, 0, 0, 0, 0)),
    "g": (1e-3, (0, 1, 0, 0, 0, 0, 0)),
    "s": (1.0, (0, 0, 1, 0, 0, 0, 0)),
    "A": (1.0, (0, 0, 0, 1, 0, 0, 0)),
    "K": (1.0, (0, 0, 0, 0, 1, 0, 0)),
    "mol": (1.0, (0, 0, 0, 0, 0, 1, 0)),
    "V": (1.0, (2, 1, -3, -1, 0, 0, 0)),
    "S": (1.0, (-2, -1, 3, 2, 0, 0, 0)),
    "ohm": (1.0, (2, 1, -3, -2, 0, 0, 0)),
    "F": (1.0, (-2, -1, 4, 2, 0, 0, 0)),
    "Hz": (1.0, (0, 0, -1, 0, 0, 0, 0)),
    "M": (1e3, (-3, 0, 0, 0, 0, 1, 0)),
    "C": (1.0, (0, 0, 1, 1, 0, 0, 0)),
}
_PREFIX = {
    "": 0, "p": -12, "n": -9, "u": -6, "µ": -6, "μ": -6, "m": -3, "c": -2, "k": 3, "M": 6, "G": 9,
}  # fmt: skip
_ALIAS = {
    "Ohm": "ohm", "Ω": "ohm", "sec": "s", "second": "s", "molar": "M", "MOhm": "Mohm", "1": "",
}  # fmt: skip


def _symbol(name: str) -> tuple[float, Dimension]:
    name = _ALIAS.get(name, name)
    if name == "":
        return 1.0, DIMENSIONLESS
    for base in sorted(_BASE, key=len, reverse=True):
        prefix = name[: -len(base)]
        if name.endswith(base) and prefix in _PREFIX:
            factor, dim = _BASE[base]
            exponent = _PREFIX[prefix]
            # 1 / 10**n is the correctly rounded power; 10.0**-n is not always.
            scale = 10.0**exponent if exponent >= 0 else 1 / 10.0**-exponent
            return factor * scale, dim
    common = ["ms", "s", "mV", "nS", "uS", "pA", "nA", "um", "cm", "mm", "pF", "Hz", "nM", "uM"]
    close = nearest(name, common) or common
    raise UnitError(f"unknown unit {name!r}; did you mean {' or '.join(close[:3])}?")


_FACTOR = re.compile(r"^([A-Za-zµμΩ]+|1)\^?(-?\d+)?$")


@lru_cache(maxsize=1024)
def parse_unit(text: str) -> tuple[float, Dimension]:
    """SI factor and dimension of a unit written as text.

    Factors are joined by a space, ``*`` or ``·`` and divided by ``/``; a trailing integer is a
    power: ``"uF/cm2"``, ``"ohm cm"``, ``"Hz/pA"``, ``"1/ms"``.
    """
    factor, dim = 1.0, list(DIMENSIONLESS)
    pieces = re.split(r"(/|\*(?!\*)|·|\s+)", text.replace("**", "").strip())
    sign = 1
    for piece in pieces:
        if piece in ("*", "·") or not piece.strip():
            sign = 1 if piece in ("*", "·") else sign
            continue
        if piece == "/":
            sign = -1
            continue
        match = _FACTOR.match(piece)
        if not match:
            raise UnitError(f"cannot read the unit {text!r}")
        power = sign * int(match.group(2) or 1)
        unit_factor, unit_dim = _symbol(match.group(1))
        factor *= unit_factor**power if power > 0 else 1 / unit_factor**-power
        dim = [d + power * u for d, u in zip(dim, unit_dim, strict=True)]
    return factor, tuple(dim)  # type: ignore[return-value]


_NUMBER = re.compile(
    r"^\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|[-+]?(?:inf|nan))\s*(.*)$", re.I
)


def parse_quantity(text: str) -> Quantity:
    """Read ``"0.5 uM"``, ``"20nS"`` or ``"1 uF/cm2"``; a bare number is dimensionless."""
    match = _NUMBER.match(text)
    if not match:
        raise UnitError(f"cannot read {text!r} as a number with a unit, e.g. '0.5 uM'")
    factor, dim = parse_unit(match.group(2))
    value = float(match.group(1))
    inverse = 1 / factor
    # Dividing by an exact power of ten rounds correctly: '18 um' is 18e-6, not 18 * 1e-6.
    si = value / inverse if inverse > 1 and inverse == round(inverse) else value * factor
    return Quantity(si, dim)


def as_quantity(value: object, unit: str, what: str = "value") -> Quantity:
    """`value` as a :class:`Quantity` of the dimension of `unit`.

    Accepts our quantities, Brian2's, and text such as ``"18 um"``. A plain number is accepted
    only where `unit` is dimensionless.

    Raises
    ------
    UnitError
        The unit is missing or of another dimension; the message names `what`.
    """
    _, dim = parse_unit(unit)
    value = read_quantity(value, what, unit)
    if value.dim != dim:
        if value.dim == DIMENSIONLESS:
            given = f"{value.si:g}"
            raise UnitError(f"{what} needs a unit: {given} was given, e.g. {given} {unit}")
        expected = f"one like {unit}" if unit else "no unit"
        raise UnitError(f"{what} has the wrong unit: {value!r} was given, {expected} is needed")
    return value


def read_quantity(value: object, what: str = "value", unit: str = "") -> Quantity:
    """`value` as a :class:`Quantity` of any dimension; `unit` is for the message only."""
    if isinstance(value, str):
        value = parse_quantity(value)
    elif not isinstance(value, Quantity) and hasattr(value, "dim"):  # a Brian2 quantity
        exponents = getattr(value.dim, "_dims", None)
        if exponents is not None:
            si = float(value)  # type: ignore[arg-type]
            value = Quantity(si, tuple(int(e) for e in exponents))  # type: ignore[arg-type]
    elif not isinstance(value, Quantity) and _is_number(value) and not isinstance(value, bool):
        value = Quantity(float(value), DIMENSIONLESS)
    if not isinstance(value, Quantity):
        raise UnitError(f"{what} must be a number{f' in {unit}' if unit else ''}, not {value!r}")
    return value


def _si_symbol(dim: Dimension) -> str:
    names = ("m", "kg", "s", "A", "K", "mol", "cd")
    return " ".join(f"{n}{p if p != 1 else ''}" for n, p in zip(names, dim, strict=True) if p)


def _customary() -> dict[Dimension, str]:
    units = (
        "um", "ms", "mV", "nS", "pA", "pF", "Mohm", "Hz", "nM", "uF/cm2", "uS/cm2", "ohm*cm",
        "um2", "1/um3", "Hz/pA", "cm2/s", "nM/s", "1/mV", "pC", "um/ms",
    )  # fmt: skip
    table: dict[Dimension, str] = {}
    for unit in units:
        table.setdefault(parse_unit(unit)[1], unit)
    table[DIMENSIONLESS] = ""
    return table


_CUSTOMARY = _customary()


def _unit(symbol: str) -> Quantity:
    factor, dim = parse_unit(symbol)
    return Quantity(factor, dim)


def _definitions() -> dict[str, Quantity]:
    symbols = (
        "um", "mm", "cm", "ms", "us", "mV", "uV", "nS", "uS", "mS", "pS", "pA", "nA", "uA",
        "pF", "nF", "uF", "Hz", "kHz", "Mohm", "ohm", "nM", "uM", "mM", "mol",
    )  # fmt: skip
    names = {
        "metre": "m", "meter": "m", "second": "s", "volt": "V", "siemens": "S", "amp": "A",
        "farad": "F", "nmolar": "nM", "umolar": "uM", "mmolar": "mM", "molar": "M",
    }  # fmt: skip
    return {s: _unit(s) for s in symbols} | {name: _unit(s) for name, s in names.items()}


um: Quantity
mm: Quantity
cm: Quantity
ms: Quantity
us: Quantity
mV: Quantity
uV: Quantity
nS: Quantity
uS: Quantity
mS: Quantity
pS: Quantity
pA: Quantity
nA: Quantity
uA: Quantity
pF: Quantity
nF: Quantity
uF: Quantity
Hz: Quantity
kHz: Quantity
Mohm: Quantity
ohm: Quantity
nM: Quantity
uM: Quantity
mM: Quantity
mol: Quantity
metre: Quantity
meter: Quantity
second: Quantity
volt: Quantity
siemens: Quantity
amp: Quantity
farad: Quantity
nmolar: Quantity
umolar: Quantity
mmolar: Quantity
molar: Quantity
globals().update(_definitions())
