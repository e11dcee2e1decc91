"""Reconstructions: what is read, and what is refused with the number of its line."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from biomod.errors import ModelError
from biomod.morphology import Location, Morphology, read_swc
from biomod.morphology.synthetic import example_swc, pyramidal

SOMA = "1 1 0 0 0 10 -1"
PLAIN = f"""# a soma and a dendrite that forks
{SOMA}

2 3 10 0 0 1 1   # comments are skipped
3 3 30 0 0 1 2
4 3 50 0 0 0.5 3
5 3 30 20 0 0.5 3
"""


def read(tmp_path: Path, text: str) -> Morphology:
    path = tmp_path / "cell.swc"
    path.write_text(text)
    return read_swc(path)


def test_sections_are_the_unbranched_pieces(tmp_path: Path) -> None:
    m = read(tmp_path, PLAIN)
    assert [(s.name, s.kind, s.parent, s.length) for s in m.sections] == [
        ("basal0", "basal", "", 20.0), ("basal1", "basal", "basal0", 20.0),
        ("basal2", "basal", "basal0", 20.0),
    ]  # fmt: skip
    # From the sample of the fork, with its radius.
    np.testing.assert_array_equal(m.section("basal1").radii, [1.0, 0.5])
    assert m.soma_area.to("um2") == pytest.approx(4 * math.pi * 100)


def test_samples_may_stand_in_any_order(tmp_path: Path) -> None:
    lines = PLAIN.splitlines()
    other = read(tmp_path, "\n".join(reversed(lines)))
    assert {s.length for s in other.sections} == {20.0}
    assert len(other.sections) == 3


def test_types_name_the_kinds(tmp_path: Path) -> None:
    rows = [f"{i + 2} {kind} {10 * i} 0 20 1 1" for i, kind in enumerate((2, 3, 4, 0, 7))]
    m = read(tmp_path, "\n".join([SOMA, *rows]))
    assert [s.kind for s in m.sections] == ["axon", "basal", "apical", "dendrite", "dendrite"]


def test_a_single_sample_is_a_section_from_the_soma(tmp_path: Path) -> None:
    m = read(tmp_path, f"{SOMA}\n2 3 30 0 0 1 1")
    assert m.section("basal0").length == 30.0


REFUSED = {
    "too few numbers": (f"{SOMA}\n2 3 10 0 0 1", "line 2: a sample is 7 numbers; 6"),
    "no number": (f"{SOMA}\n2 3 ten 0 0 1 1", "line 2: .*ten"),
    "a fraction as id": (f"{SOMA}\n2.5 3 10 0 0 1 1", "line 2: .*whole"),
    "not a number": (f"{SOMA}\n2 3 nan 0 0 1 1", "line 2: .*finite"),
    "zero radius": (f"{SOMA}\n2 3 10 0 0 0 1", "line 2: the radius must be positive; 0"),
    "negative radius": (f"{SOMA}\n2 3 10 0 0 -1 1", "line 2: the radius must be positive; -1"),
    "an id twice": (f"{SOMA}\n2 3 10 0 0 1 1\n2 3 20 0 0 1 1", "line 3: id 2 .* line 2"),
    "a missing parent": (f"{SOMA}\n2 3 10 0 0 1 7", "line 2: there is no sample 7"),
    "a cycle": (f"{SOMA}\n2 3 10 0 0 1 3\n3 3 20 0 0 1 2", "line [23]: .*own ancestor"),
    "several roots": (f"{SOMA}\n2 3 10 0 0 1 -1", r"2 samples have no parent \(lines 1, 2\)"),
    "no soma": ("1 3 0 0 0 1 -1\n2 3 10 0 0 1 1", "line 1: the root must be a soma"),
    "a soma on a dendrite": (f"{SOMA}\n2 3 10 0 0 1 1\n3 1 20 0 0 1 2", r"line 3: .*\(line 2\)"),
    "a section without length": (f"{SOMA}\n2 3 0 0 0 1 1", "line 2: .*without length"),
    "nothing": ("# empty\n", "holds no sample"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_damaged_file_is_refused_with_the_line(tmp_path: Path, what: str) -> None:
    text, message = REFUSED[what]
    with pytest.raises(ModelError, match=message):
        read(tmp_path, text)


def test_a_missing_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"cannot read .*no\.swc: No such file"):
        read_swc(tmp_path / "no.swc")


def test_three_soma_samples_of_neuromorpho_are_the_sphere_of_the_first(tmp_path: Path) -> None:
    m = read(tmp_path, f"{SOMA}\n2 1 0 10 0 10 1\n3 1 0 -10 0 10 1")
    assert m.soma_area.to("um2") == pytest.approx(4 * math.pi * 100)


def test_a_soma_of_frusta_has_their_lateral_surface(tmp_path: Path) -> None:
    m = read(tmp_path, "1 1 0 0 0 5 -1\n2 1 10 0 0 8 1\n3 1 25 0 0 4 2")
    expected = math.pi * (13 * math.hypot(10, 3) + 12 * math.hypot(15, 4))
    assert m.soma_area.to("um2") == pytest.approx(expected)


def test_a_contour_is_a_sphere_of_its_mean_distance(tmp_path: Path) -> None:
    angles = np.arange(12) * 2 * math.pi / 12
    rows = [
        f"{k + 1} 1 {8 * math.cos(a):.6f} {8 * math.sin(a):.6f} 0 0.1 {k or -1}"
        for k, a in enumerate(angles)
    ]
    assert read(tmp_path, "\n".join(rows)).soma_area.to("um2") == pytest.approx(
        4 * math.pi * 64, rel=1e-5
    )


def test_places_are_found_by_their_path_distance() -> None:
    m = read_swc(example_swc())
    tip = m.tips("apical")[0]
    there = m.towards(tip, "250 um")
    assert m.distance(there).to("um") == pytest.approx(250)
    assert m.path(there.section)[-1] in m.path(tip.section)
    with pytest.raises(ModelError, match="nearer than 5000 um"):
        m.towards(tip, "5000 um")


def test_unknown_sections_and_places_off_a_section_are_refused() -> None:
    m = read_swc(example_swc())
    with pytest.raises(ModelError, match="apical1"):
        m.section("apicl1")
    with pytest.raises(ModelError, match="0…1"):
        Location("apical1", 1.5)


def test_the_example_is_what_its_generator_makes() -> None:
    assert example_swc().read_text() == pyramidal()
