"""The order of the statements on one cell, chosen so that few values wait at once.

A processor has 16 registers for numbers; a loop over cells whose states are all read at the
beginning and written at the end keeps most of them in memory in between. Here each is read where it
is first used and written where its new value is known, and what goes on with values that are at
hand comes first. No value changes by that.
"""

from __future__ import annotations

import re

_LINE = re.compile(r"((?:const )?\w+ )?([^ ]+) = (.*);", re.DOTALL)
_NAME = re.compile(r"[A-Za-z_]\w*")


def ordered(reads: list[str], steps: list[str]) -> list[str]:
    """Lines that define each name once, in an order that keeps few values at a time.

    Parameters
    ----------
    reads : list of str
        C++ definitions that depend on nothing and can stand anywhere before they are used.
    steps : list of str
        Definitions, and assignments to what none of the lines reads; without other effects.
    """
    return _Order(reads, steps).lines()


def _parts(line: str) -> tuple[str, str, str]:
    """The name that a line defines or else the place that it writes to, and the expression."""
    found = _LINE.fullmatch(line)
    if found is None:
        raise ValueError(f"not a definition or assignment: {line}")
    kind, place, expression = found.groups()
    return (place, "", expression) if kind else ("", place, expression)


class _Order:
    """What is known while lines are taken one after the other.

    A value is at hand from its definition to its last use; `growth` is by how much the number of
    values at hand would rise with each step.
    """

    def __init__(self, reads: list[str], steps: list[str]) -> None:
        self.steps = steps
        parts = [_parts(line) for line in steps]
        sources = [(*_parts(line), line) for line in reads]
        self.reads = {name: line for name, _, _, line in sources}
        held = {expression: name for name, _, expression, _ in sources}
        self.makes = [name for name, _, _ in parts]
        made = set(self.makes) - {""}
        names = made.union(self.reads)
        self.needs: list[list[str]] = []
        for _, place, expression in parts:
            used = names.intersection(_NAME.findall(expression))
            if place in held:  # nothing is written before it has been read
                used.add(held[place])
            self.needs.append(sorted(used))
        # Of each name, the steps that are still to come.
        self.users: dict[str, set[int]] = {name: set() for name in names}
        for k, needed in enumerate(self.needs):
            for name in needed:
                self.users[name].add(k)
        self.waits = [len(made.intersection(needed)) for needed in self.needs]
        self.ready = {k for k, waiting in enumerate(self.waits) if not waiting}
        self.at_hand: set[str] = set()
        self.growth = [self._growth(k) for k in range(len(steps))]

    def lines(self) -> list[str]:
        """All lines in their order."""
        result: list[str] = []
        while self.ready:
            near = [k for k in self.ready if not self.at_hand.isdisjoint(self.needs[k])]
            best = min(near, key=lambda k: (self.growth[k], k)) if near else min(self.ready)
            result += self._take(best)
        if any(self.users.values()):
            raise ValueError("a line needs what is defined nowhere, or twice")
        return result

    def _growth(self, step: int) -> int:
        growth = int(bool(self.users.get(self.makes[step])))
        for name in self.needs[step]:
            last = len(self.users[name]) == 1
            growth -= last if name in self.at_hand else last - 1
        return growth

    def _take(self, step: int) -> list[str]:
        """The step's line, after those that read what it needs and what is not at hand."""
        self.ready.remove(step)
        result = []
        for name in self.needs[step]:
            self.users[name].remove(step)
            if name not in self.at_hand:
                result.append(self.reads[name])
            self._known(name)
        if name := self.makes[step]:
            for user in self.users[name]:
                self.waits[user] -= 1
                if not self.waits[user]:
                    self.ready.add(user)
            self._known(name)
        return [*result, self.steps[step]]

    def _known(self, name: str) -> None:
        """The name's value is there, as long as a step is still to use it."""
        users = self.users[name]
        changed = name not in self.at_hand or len(users) == 1
        if users:
            self.at_hand.add(name)
        else:
            self.at_hand.discard(name)
        if changed:
            for user in users:
                self.growth[user] = self._growth(user)
