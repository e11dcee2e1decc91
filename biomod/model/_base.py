"""What every description has in common: frozen, validated with units, comparable, addressable.

A description is a frozen dataclass whose fields are declared with :func:`quantity`,
:func:`number`, :func:`text` or :func:`parts`. From these declarations come validation at
construction, readable printing, paths to every parameter (``"soma.M.g_max"``), variants
(:meth:`Description.with_`) and the round trip to a file.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import keyword
import math
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, field, fields
from typing import Any, ClassVar, Self

from biomod.errors import ModelError, unknown_name
from biomod.units import Quantity, as_quantity, parse_quantity

Value = Quantity | float | int | str | bool


def quantity(
    unit: str,
    doc: str,
    *,
    default: Any = MISSING,
    positive: bool = False,
    nonnegative: bool = False,
    optional: bool = False,
) -> Any:
    """Declare a field that is a physical quantity with the dimension of `unit`."""
    if default is None:
        optional = True
    elif default is not MISSING:
        default = as_quantity(default, unit)
    meta = {"unit": unit, "doc": doc, "positive": positive, "nonnegative": nonnegative}
    return _field(default, meta | {"kind": "quantity", "optional": optional})


def number(
    doc: str,
    *,
    default: Any = MISSING,
    positive: bool = False,
    nonnegative: bool = False,
    maximum: float | None = None,
    integer: bool = False,
) -> Any:
    """Declare a field that is a dimensionless number."""
    meta = {"unit": "", "doc": doc, "positive": positive, "nonnegative": nonnegative}
    meta |= {"maximum": maximum, "integer": integer, "optional": default is None}
    return _field(default, meta | {"kind": "number"})


def text(doc: str, *, default: Any = MISSING, choices: tuple[str, ...] | None = None) -> Any:
    """Declare a text field, optionally one of `choices`."""
    return _field(default, {"kind": "text", "doc": doc, "choices": choices})


def name_field(doc: str = "identifier, unique among its siblings") -> Any:
    """Declare the field that names a description; it must be a valid identifier."""
    return _field(MISSING, {"kind": "name", "doc": doc})


def parts(doc: str, *, default: Any = MISSING) -> Any:
    """Declare a field that holds other descriptions, or a tuple of them."""
    return _field(default, {"kind": "parts", "doc": doc})


def _field(default: Any, metadata: Mapping[str, Any]) -> Any:
    if default is MISSING:
        return field(metadata=metadata)
    return field(default=default, metadata=metadata)


def check_name(name: object, what: str) -> str:
    """Return `name` if it can be used as an identifier, else raise :class:`ModelError`."""
    if not isinstance(name, str) or not name.isidentifier() or keyword.iskeyword(name):
        raise ModelError(
            f"{what} name must be letters, digits and underscores and not begin with a digit; "
            f"{name!r} was given"
        )
    return name


@dataclasses.dataclass(frozen=True)
class Description:
    """Base of all descriptions: validation, paths, variants, content hash."""

    # Fields whose named items can be addressed without naming the field ("soma.M", not
    # "soma.channels.M").
    _transparent: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        for f in fields(self):
            value = self._validated(f, getattr(self, f.name))
            object.__setattr__(self, f.name, value)
        self._check()

    def _check(self) -> None:
        """Check what concerns several fields at once; raises :class:`ModelError`."""

    def _label(self) -> str:
        return f"{type(self).__name__} {getattr(self, 'name', '')}".strip()

    def _validated(self, f: dataclasses.Field[Any], value: Any) -> Any:
        meta, what = f.metadata, f"{self._label()}: {f.name}"
        kind = meta.get("kind")
        if value is None and (meta.get("optional") or f.default is None):
            return None
        if kind == "name":
            return check_name(value, type(self).__name__)
        if kind == "text":
            if not isinstance(value, str):
                raise ModelError(f"{what} must be text, not {value!r}")
            if meta["choices"] and value not in meta["choices"]:
                raise unknown_name(f"{f.name} of {self._label()}", value, meta["choices"])
            return value
        if kind in ("quantity", "number"):
            return self._validated_number(meta, what, value)
        if kind == "parts" and isinstance(value, list):
            return tuple(value)
        if isinstance(f.default, bool) and not isinstance(value, bool):
            raise ModelError(f"{what} must be true or false, not {value!r}")
        return value

    @staticmethod
    def _validated_number(meta: Mapping[str, Any], what: str, value: Any) -> Any:
        q = as_quantity(value, meta["unit"], what)
        if math.isnan(q.si) or math.isinf(q.si):
            raise ModelError(f"{what} must be finite; {q!r} was given")
        if meta.get("positive") and not q.si > 0:
            raise ModelError(f"{what} must be positive; {q!r} was given")
        if meta.get("nonnegative") and q.si < 0:
            raise ModelError(f"{what} must not be negative; {q!r} was given")
        if meta.get("maximum") is not None and q.si > meta["maximum"]:
            raise ModelError(f"{what} must be at most {meta['maximum']:g}; {q!r} was given")
        if meta["kind"] == "quantity":
            # 50 * uS / cm**2 and "50 uS/cm2" differ in the last bit; make them one value.
            return parse_quantity(f"{abs(q) if q.si == 0 else q:.15g}")
        if meta.get("integer"):
            if q.si != int(q.si) or isinstance(value, bool):
                raise ModelError(f"{what} must be a whole number; {value!r} was given")
            return int(q.si)
        return q.si + 0.0  # -0 and 0 are one value

    # addressing -----------------------------------------------------------------------------
    def children(self) -> dict[str, Description]:
        """The descriptions inside this one, by the name that a path uses for them."""
        found: dict[str, Description] = {}
        for f in fields(self):
            value = getattr(self, f.name)
            if isinstance(value, Description):
                if f.name in self._transparent:
                    found.update(value.children())
                else:
                    found[f.name] = value
            elif isinstance(value, tuple) and f.name in self._transparent:
                found.update({item.key: item for item in value if isinstance(item, Description)})
        return found

    @property
    def key(self) -> str:
        """The name under which a path finds this description in its parent."""
        return str(getattr(self, "name", type(self).__name__.lower()))

    def parameters(self, prefix: str = "") -> dict[str, Quantity | float]:
        """Every numeric parameter below this description by its path, in order."""
        found: dict[str, Quantity | float] = {}
        for f in fields(self):
            value = getattr(self, f.name)
            kind = f.metadata.get("kind")
            if kind in ("quantity", "number") and value is not None:
                found[prefix + f.name] = value
            elif isinstance(value, Description) and f.name in self._transparent:
                found.update(value.parameters(prefix))
        for name, value in self._extra_parameters().items():
            found[prefix + name] = value
        for name, child in self._own_children():
            found.update(child.parameters(f"{prefix}{name}."))
        return found

    def _extra_parameters(self) -> Mapping[str, Quantity]:
        """Parameters that are not fields (named constants of a channel's kinetics)."""
        return {}

    def _own_children(self) -> Iterator[tuple[str, Description]]:
        for f in fields(self):
            value = getattr(self, f.name)
            if isinstance(value, Description) and f.name not in self._transparent:
                yield f.name, value
            elif isinstance(value, tuple) and f.name in self._transparent:
                yield from ((v.key, v) for v in value if isinstance(v, Description))

    def get(self, path: str) -> Any:
        """The parameter or part at `path`, e.g. ``cell.get("soma.M.g_max")``."""
        head, _, rest = path.partition(".")
        target = self._lookup(head, path)
        if rest:
            if not isinstance(target, Description):
                raise unknown_name(f"path in {self._label()}", path, self.parameters())
            try:
                return target.get(rest)
            except ModelError:
                raise unknown_name(f"path in {self._label()}", path, self.parameters()) from None
        return target

    def _lookup(self, head: str, path: str) -> Any:
        children = self.children()
        if head in children:
            return children[head]
        if head in self._extra_parameters():
            return self._extra_parameters()[head]
        for f in fields(self):
            if f.name == head:
                return getattr(self, head)
            value = getattr(self, f.name)
            inside = f.name in self._transparent and isinstance(value, Description)
            if inside and any(g.name == head for g in fields(value)):
                return getattr(value, head)
        raise unknown_name(f"path in {self._label()}", path, self.parameters())

    # variants -------------------------------------------------------------------------------
    def with_(self, changes: Mapping[str, Any] | None = None, /, **named: Any) -> Self:
        """A copy in which the parameters at the given paths have other values.

        Parameters
        ----------
        changes : mapping of path to value, optional
            For paths with dots, e.g. ``{"soma.M.g_max": 20 * uS / cm**2}``.
        **named
            The same for fields of this description itself.

        Raises
        ------
        ModelError
            A path does not exist (the nearest ones are named) or a value is not allowed.
        """
        result = self
        for path, value in {**(changes or {}), **named}.items():
            self.get(path)
            result = result._with_one(path, path, value)
        return result

    def _with_one(self, path: str, full: str, value: Any) -> Self:
        head, _, rest = path.partition(".")
        for f in fields(self):
            current = getattr(self, f.name)
            if f.name == head and not rest:
                return dataclasses.replace(self, **{f.name: value})
            if f.name == head and isinstance(current, Description):
                return dataclasses.replace(self, **{f.name: current._with_one(rest, full, value)})
            if f.name not in self._transparent:
                continue
            if isinstance(current, Description):
                if head in current.children() or any(g.name == head for g in fields(current)):
                    changed = current._with_one(path, full, value)
                    return dataclasses.replace(self, **{f.name: changed})
            elif rest and any(isinstance(i, Description) and i.key == head for i in current):
                changed_items = tuple(
                    i._with_one(rest, full, value) if i.key == head else i for i in current
                )
                return dataclasses.replace(self, **{f.name: changed_items})
        if not rest and head in self._extra_parameters():
            return self._with_extra(head, value)
        raise unknown_name(f"path in {self._label()}", full, self.parameters())

    def _with_extra(self, name: str, value: Any) -> Self:
        raise NotImplementedError

    # identity -------------------------------------------------------------------------------
    def content_hash(self) -> str:
        """Hexadecimal digest of the content: equal descriptions have equal hashes, always.

        Unlike :func:`hash` it is the same in every process and on every machine.
        """
        from biomod.model.serialise import to_dict

        canonical = json.dumps(to_dict(self), sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(canonical.encode()).hexdigest()[:16]

    def __str__(self) -> str:
        from biomod.model.display import to_text

        return to_text(self)

    def _repr_html_(self) -> str:
        from biomod.model.display import to_html

        return to_html(self)


def check_unique(items: tuple[Any, ...], owner: str) -> None:
    """Raise :class:`ModelError` if two of `items` have the same key."""
    seen: set[str] = set()
    for item in items:
        if item.key in seen:
            raise ModelError(f"{owner}: two parts are named {item.key!r}; names must be unique")
        seen.add(item.key)


def check_types(items: tuple[Any, ...], allowed: type | tuple[type, ...], owner: str) -> None:
    """Raise :class:`ModelError` unless every item is of an allowed type."""
    for item in items:
        if not isinstance(item, allowed):
            kinds = allowed if isinstance(allowed, tuple) else (allowed,)
            names = " or ".join(k.__name__ for k in kinds)
            raise ModelError(f"{owner}: {item!r} is not a {names}")
