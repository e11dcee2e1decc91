"""Keys of Brian2's caches, of which each variable's part is computed once.

Brian2 caches the translation of statements by its arguments, among them a mapping of all variables
that a piece of code could use: 700 for the synapses of a Dendrify circuit. It takes each of them
apart at each call, which was more than half of what a script did before it compiled. Here a
variable's part is remembered for as long as the variable has the same attributes. Keys are equal
where Brian2's are.
"""

from __future__ import annotations

from operator import is_
from typing import Any
from weakref import ref

from brian2.core.variables import Variable
from brian2.utils import caching

_taken_apart = caching._hashable


class _Part:
    """What stands for a variable in a key: equal only to itself, so that its hash costs nothing."""


class KeyMaker:
    """Makes keys for `brian2.utils.caching.cached`."""

    def __init__(self) -> None:
        self._parts: dict[Any, _Part] = {}  # by what Brian2 has for a variable
        # By the address of a variable: itself, its attributes as they were, what they gave.
        self._known: dict[int, tuple[ref[Any], tuple[Any, ...], _Part]] = {}

    def __call__(self, value: Any) -> Any:
        """What stands for an argument of a cached function in the key."""
        if isinstance(value, Variable):
            return self._part(value)
        if type(value) is dict:
            return frozenset(
                [
                    (
                        name if type(name) is str else _taken_apart(name),
                        self._part(item) if isinstance(item, Variable) else _taken_apart(item),
                    )
                    for name, item in value.items()
                ]
            )
        return _taken_apart(value)

    def _part(self, variable: Variable) -> _Part:
        state = tuple(vars(variable).values())
        address = id(variable)
        known = self._known.get(address)
        if known and known[0]() is variable and _same(known[1], state):
            return known[2]
        part = self._parts.setdefault(_taken_apart(variable), _Part())
        self._known[address] = ref(variable, lambda _: self._known.pop(address, None)), state, part
        return part


def _same(attributes: tuple[Any, ...], others: tuple[Any, ...]) -> bool:
    return len(attributes) == len(others) and all(map(is_, attributes, others))


def install() -> None:
    """Have Brian2's caches use these keys, in this process."""
    caching._hashable = KeyMaker()
