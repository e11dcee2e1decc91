"""Which objects may share a phase: only those whose order makes no difference."""

from __future__ import annotations

from dataclasses import replace

from brian2 import DEFAULT_FUNCTIONS, Function, TimedArray, ms

from biomod.engine.functions import does_more_than_told
from biomod.engine.fusion import Divisible, Phase, _Object, joined_later


def divided(name: str, owner: str, writes: str, reads: str = "", shared: str = "") -> _Object:
    about = Divisible(owner, "100", 1.0, writes.split(), shared.split())
    touches = set(f"{writes} {reads} {shared}".split())
    return _Object(name, "clock", touches, set(writes.split()), about)


def serial(writes: str, reads: str = "") -> _Object:
    return _Object("serial", "clock", set(f"{writes} {reads}".split()), set(writes.split()), None)


def takes(candidate: _Object, members: list[_Object], passed: list[_Object]) -> bool:
    return Phase("clock", members, passed).takes(candidate)


UPDATE = divided("update", "A", "v g", reads="w")


def test_a_threshold_follows_the_update_of_its_own_cells() -> None:
    assert takes(divided("threshold", "A", "events", reads="v"), [UPDATE], [])


def test_a_cell_that_reads_others_waits_for_all_of_them() -> None:
    assert not takes(divided("mean", "A", "m", reads="v", shared="v"), [UPDATE], [])
    assert not takes(divided("linked", "B", "x", reads="v"), [UPDATE], [])
    assert takes(divided("other", "B", "x", reads="y"), [UPDATE], [])


def test_what_stands_between_is_passed_only_if_it_has_nothing_to_do_with_it() -> None:
    background = divided("background", "A", "g")
    assert takes(background, [UPDATE], [serial("h", reads="events")])
    assert not takes(background, [UPDATE], [serial("g")])
    assert not takes(background, [UPDATE], [serial("record", reads="g")])
    assert not takes(divided("threshold", "A", "events", reads="v"), [UPDATE], [serial("v")])


def test_nothing_passes_an_object_that_calls_what_may_do_anything() -> None:
    solver = serial("x")
    background = divided("background", "A", "g")
    assert takes(background, [UPDATE], [solver])
    assert not takes(background, [UPDATE], [replace(solver, opaque=True)])


def test_only_functions_of_the_user_with_a_state_may_do_anything() -> None:
    def f(x: float) -> float:
        return x

    table = TimedArray([1, 2], dt=1 * ms)
    assert not does_more_than_told([*DEFAULT_FUNCTIONS.values(), table])
    assert not does_more_than_told([Function(f, arg_units=[1], return_unit=1)])
    assert does_more_than_told([Function(f, arg_units=[1], return_unit=1, stateless=False)])


def test_objects_of_another_clock_stay_apart() -> None:
    other = _Object("x", "slow_clock", {"x"}, {"x"}, Divisible("A", "100", 1.0, ["x"], []))
    assert not takes(other, [UPDATE], [])


def later(*order: _Object | str | list[_Object]) -> list[list[str] | str]:
    """What is run, in its order: names of the members of each phase, and of other objects."""
    given = [Phase("clock", each) if isinstance(each, list) else each for each in order]
    return [
        [member.name for member in each.members]
        if isinstance(each, Phase)
        else each if isinstance(each, str) else each.name
        for each in joined_later(given)
    ]  # fmt: skip


BLOCK = divided("block", "A", "mg", reads="v")


def test_a_phase_waits_for_the_next_one_if_nothing_between_needs_it() -> None:
    record, noise = serial("record", reads="v"), divided("noise", "B", "n")
    assert later([BLOCK, noise], record, [UPDATE]) == ["serial", ["block", "noise", "update"]]
    assert later([BLOCK], serial("record", reads="mg"), [UPDATE]) == [
        ["block"],
        "serial",
        ["update"],
    ]
    assert later([BLOCK], serial("v"), [UPDATE]) == [["block"], "serial", ["update"]]
    assert later([BLOCK], replace(record, opaque=True), [UPDATE])[0] == ["block"]


def test_phases_of_cells_that_read_each_other_stay_apart() -> None:
    mean = divided("mean", "A", "m", reads="v", shared="v")
    assert later([UPDATE], serial("x"), [mean]) == [["update"], "serial", ["mean"]]


def test_three_phases_become_one() -> None:
    b, c = divided("b", "B", "x"), divided("c", "C", "y")
    assert later([b], serial("z"), [c], serial("z"), [UPDATE])[-1] == ["b", "c", "update"]


def test_a_phase_stays_before_a_line_that_is_no_object() -> None:
    assert later([BLOCK], "network.run(1);", [UPDATE])[0] == ["block"]
