"""Which objects of a network advance their cells together, each thread its own.

Brian2 runs the objects of a network one after the other. Those that change each cell by what that
cell alone holds (state updates, thresholds, Poisson inputs) are *divisible*: their cells can be
shared out among threads, and several of them can follow each other on each thread without waiting
for the other threads. A phase (`lib/engine_phase.h`) is such a sequence. A divisible object may
join a phase across objects that stand between them, if neither touches what the other writes, and
a phase may wait for a later one in the same way; so the results are exactly those of the order in
which Brian2 runs the objects.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from brian2.core.clocks import Clock
from brian2.core.variables import ArrayVariable

from biomod.engine.functions import does_more_than_told

_MARK = re.compile(r"// divisible: (\{.*\})")
_ADD = re.compile(r"(\w+)\.add\(&(\w+), _run_(\w+)\);")


@dataclass(frozen=True)
class Divisible:
    """What the generator knows of a code object whose cells can be divided.

    `writes` are the arrays it writes, `shared` those of which a cell reads what does not belong to
    it; `cost` is of one cell, in ns, roughly.
    """

    owner: str
    cells: str
    cost: float
    writes: list[str]
    shared: list[str]
    events: str | None = None
    checked: bool = False

    def mark(self) -> str:
        """A line in the source, by which the device finds out."""
        return f"// divisible: {json.dumps(asdict(self))}"


@dataclass
class _Object:
    name: str
    clock: str
    touches: set[str]
    writes: set[str]
    divisible: Divisible | None
    opaque: bool = False  # may do anything beside

    def commutes(self, other: _Object) -> bool:
        """Whether the order of the two does not matter."""
        if self.opaque or other.opaque:
            return False
        return not (self.writes & other.touches or other.writes & self.touches)

    def independent(self, other: _Object) -> bool:
        """Whether only the order of the two for each single cell matters."""
        mine, others = self.divisible, other.divisible
        assert mine is not None
        assert others is not None
        if (mine.owner, mine.cells) != (others.owner, others.cells):
            return self.commutes(other)
        shared = set(mine.shared) | set(others.shared)
        return not (self.writes & other.touches & shared or other.writes & self.touches & shared)


@dataclass
class Phase:
    """Objects that a thread runs one after the other, and those that they have passed."""

    clock: str
    members: list[_Object] = field(default_factory=list)
    passed: list[_Object] = field(default_factory=list)

    def takes(self, candidate: _Object) -> bool:
        """Whether the candidate can be a member without a change of the results."""
        return (
            candidate.clock == self.clock
            and all(candidate.commutes(other) for other in self.passed)
            and all(member.independent(candidate) for member in self.members)
        )

    def commutes(self, other: _Object) -> bool:
        """Whether the order of all members and another object does not matter."""
        return all(member.commutes(other) for member in self.members)


def fuse(
    lines: list[str], codeobjects: dict[str, Any], array_name: Callable[[Any], str], prefix: str
) -> tuple[list[str], list[Phase]]:
    """Lines that add objects to a network, with phases in place of divisible objects.

    Phase number k is the function ``_run_{prefix}{k}``.
    """
    phases: list[Phase] = []
    order: list[str | _Object | Phase] = []
    texts: dict[str, str] = {}
    network = ""
    for line in lines:
        found = _ADD.search(line)
        if found is None:
            order.append(line)
            continue
        network, clock, name = found.groups()
        item = _describe(name, clock, codeobjects[name], array_name)
        joined = None
        if item.divisible:
            joined = next((phase for phase in phases if phase.takes(item)), None)
            if joined is None:
                joined = Phase(clock)
                phases.append(joined)
                order.append(joined)
            joined.members.append(item)
        else:
            order.append(item)
            texts[name] = line
        for phase in phases:
            if phase is not joined:
                phase.passed.append(item)
    order = joined_later(order)
    result: list[str] = []
    phases = []
    for each in order:
        if isinstance(each, Phase):
            result.append(f"{network}.add(&{each.clock}, _run_{prefix}{len(phases)});")
            phases.append(each)
        else:
            result.append(each if isinstance(each, str) else texts[each.name])
    return result, phases


def joined_later(order: list[str | _Object | Phase]) -> list[str | _Object | Phase]:
    """The same with each phase in the next one, where it can wait until then.

    `order` is what a network runs; strings are lines that stay where they are.
    """
    result = list(order)
    for phase in [each for each in order if isinstance(each, Phase)]:
        place = result.index(phase)
        between: list[_Object] = []
        for each in result[place + 1 :]:
            if isinstance(each, str) or not all(map(phase.commutes, between)):
                break
            if isinstance(each, Phase) and each.clock == phase.clock:
                if all(m.independent(other) for m in phase.members for other in each.members):
                    each.members[:0] = phase.members
                    del result[place]
                break
            between = each.members if isinstance(each, Phase) else [each]
    return result


def _describe(name: str, clock: str, codeobject: Any, array_name: Callable[[Any], str]) -> _Object:
    """What an object touches and writes; if it is not told what it writes, all that it touches."""
    variables = _arrays(codeobject.variables.values())
    touches = {array_name(v) for v in variables}
    found = _MARK.search(codeobject.code.cpp_file)
    divisible = Divisible(**json.loads(found[1])) if found else None
    if divisible:
        writes = set(divisible.writes)
    elif codeobject.template_name in ("spikemonitor", "statemonitor", "ratemonitor"):
        writes = {array_name(v) for v in variables if v.owner is codeobject.owner}
    elif codeobject.template_name == "synapses_push_spikes":
        writes = set()
    else:
        writes = touches - {array_name(v) for v in variables if isinstance(v.owner, Clock)}
    opaque = does_more_than_told(codeobject.variables.values())
    return _Object(name, clock, touches, writes, divisible, opaque)


def _arrays(variables: Iterable[Any]) -> list[Any]:
    return [v for v in variables if isinstance(v, ArrayVariable)]


def phases_source(phases: dict[str, list[Phase]]) -> str:
    """The C++ source of all phases, by the prefix of their names."""
    names = [m for some in phases.values() for phase in some for m in phase.members]
    lines = ['#include "objects.h"', '#include "brianlib/engine_phase.h"', ""]
    lines += sorted({f"void _run_{m.name}();" for m in names})
    checked = {m.name for m in names if m.divisible and m.divisible.checked}
    lines += [f"void _check_{name}();" for name in sorted(checked)]
    for prefix, some in phases.items():
        for number, phase in enumerate(some):
            lines += ["", *_phase_source(f"_run_{prefix}{number}", phase)]
    return "\n".join(lines) + "\n"


def _phase_source(function: str, phase: Phase) -> list[str]:
    groups: dict[tuple[str, str], int] = {}
    rows = []
    for member in phase.members:
        about = member.divisible
        assert about is not None
        group = groups.setdefault((about.owner, about.cells), len(groups))
        check = f"_check_{member.name}" if about.checked else "nullptr"
        rows.append(
            f"        {{_run_{member.name}, {group}, {about.cells}, {about.cost}, "
            f"{about.events or 'nullptr'}, {check}}},"
        )
    return [
        f"void {function}()", "{", "    using namespace brian;",
        "    static engine::Phase phase(std::vector<engine::Phase::Member>{", *rows, "    });",
        "    phase.run();", "}",
    ]  # fmt: skip
