"""The order of statements on one cell changes no value, and keeps few of them at a time."""

from __future__ import annotations

import random
import re

import pytest

from biomod.engine.ordering import ordered


def _program(seed: int) -> tuple[list[str], list[str]]:
    """States that are read, values of earlier ones, and states that are written."""
    draw = random.Random(seed)
    known = [f"x{k}" for k in range(12)]
    reads = [f"const float {name} = array_{name}[0];" for name in known]
    steps = []
    for k in range(30):
        some = draw.sample(known, 3)
        steps.append(f"const float y{k} = {some[0]} * {some[1]} + {some[2]};")
        known.append(f"y{k}")
        if k % 3 == 2:
            steps.append(f"array_x{k // 3}[0] = y{k} - {draw.choice(known)};")
    return reads, steps


def _run(lines: list[str]) -> dict[str, float]:
    """What the arrays hold after the lines, which are Python but for their types."""
    values = {f"array_x{k}": [1 / (k + 3)] for k in range(12)}
    for line in lines:
        exec(re.sub(r"^const float ", "", line).rstrip(";"), {}, values)
    return {name: value[0] for name, value in values.items() if name.startswith("array")}


@pytest.mark.parametrize("seed", range(20))
def test_each_state_gets_the_value_that_it_had_in_the_first_order(seed: int) -> None:
    reads, steps = _program(seed)
    lines = ordered(reads, steps)
    assert sorted(line for line in lines if line not in reads) == sorted(steps)
    assert len(lines) == len(set(lines))
    assert _run(lines) == _run([*reads, *steps])


def test_states_that_do_not_depend_on_each_other_are_updated_one_after_the_other() -> None:
    reads = [f"const float {name}{k} = array_{name}{k}[_idx];" for k in range(5) for name in "xs"]
    steps = [f"const float new_x{k} = x{k} + dt * s{k};" for k in range(5)]
    steps += [f"const float new_s{k} = s{k} * decay;" for k in range(5)]
    steps += [f"array_{name}{k}[_idx] = new_{name}{k};" for k in range(5) for name in "xs"]
    lines = ordered(reads, steps)
    for k in range(5):
        first = 6 * k
        assert all(str(k) in line for line in lines[first : first + 6])


def test_a_line_that_needs_itself_is_an_error() -> None:
    with pytest.raises(ValueError, match="nowhere"):
        ordered([], ["const float a = b;", "const float b = a;"])
