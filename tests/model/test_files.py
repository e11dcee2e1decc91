"""Descriptions in files: the round trip, and what is said of a file that is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from biomod.errors import BiomodError, ModelError
from biomod.model import Cell, Circuit, Variation, from_dict, load, save, to_dict
from biomod.model._base import Description
from biomod.model.serialise import CLASSES, FORMAT
from biomod.units import ms

TOML = """
format = "biomod 1"
type = "Cell"
name = "PV"

[[compartments]]
type = "Soma"
name = "soma"
length = "15 um"
diameter = "15 um"
g_leak = "100 uS/cm2"
E_leak = "-65 mV"
spike = { type = "SomaticSpike", threshold = "-45 mV", reset = "-60 mV", refractory = "1 ms" }

[[compartments]]
type = "Dendrite"
name = "dend"
length = "100 um"
diameter = "1 um"
g_leak = "50 uS/cm2"
E_leak = "-65 mV"

[[couplings]]
type = "Coupling"
a = "soma"
b = "dend"
"""


def test_every_class_has_an_example_here(description: Description) -> None:
    from tests.model.conftest import descriptions

    assert set(descriptions()) == set(CLASSES)


def test_yaml_round_trip_gives_an_equal_description(
    description: Description, tmp_path: Path
) -> None:
    again = load(save(description, tmp_path / "model.yaml"))
    assert again == description
    assert type(again) is type(description)
    assert hash(again) == hash(description)
    assert again.content_hash() == description.content_hash()


def test_round_trip_of_plain_dictionaries_is_stable(description: Description) -> None:
    assert to_dict(from_dict(to_dict(description))) == to_dict(description)


def test_a_file_holds_only_what_differs_from_the_defaults(cell: Cell) -> None:
    coupling = to_dict(cell)["couplings"][1]
    assert coupling == {"type": "Coupling", "a": "soma", "b": "basal"}


def test_a_spread_in_any_unit_survives_the_round_trip() -> None:
    spread = Variation("soma.spike.refractory", "normal", sd=0.2 * ms)
    assert from_dict(to_dict(spread)) == spread


def test_toml_is_read(tmp_path: Path) -> None:
    file = tmp_path / "cell.toml"
    file.write_text(TOML)
    cell = load(file)
    assert isinstance(cell, Cell)
    assert cell.soma.spike is not None
    assert [c.name for c in cell.compartments] == ["soma", "dend"]
    assert load(save(cell, tmp_path / "cell.yaml")) == cell


def test_a_file_is_replaced_in_one_step(cell: Cell, tmp_path: Path) -> None:
    save(cell, tmp_path / "cell.yaml")
    save(cell.with_(summary="changed"), tmp_path / "cell.yaml")
    assert [f.name for f in tmp_path.iterdir()] == ["cell.yaml"]
    assert load(tmp_path / "cell.yaml").summary == "changed"


def test_only_yaml_is_written(cell: Cell, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"\.yaml, not '\.json'"):
        save(cell, tmp_path / "cell.json")


def refused(tmp_path: Path, document: object) -> str:
    file = tmp_path / "wrong.yaml"
    file.write_text(document if isinstance(document, str) else yaml.safe_dump(document))
    with pytest.raises(BiomodError) as caught:
        load(file)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_an_unknown_field_names_the_nearest(cell: Cell, tmp_path: Path) -> None:
    document = {"format": FORMAT, **to_dict(cell)}
    document["compartments"][1]["lenght"] = "20 um"
    message = refused(tmp_path, document)
    assert "unknown field of Dendrite" in message
    assert "did you mean length" in message
    assert "wrong.yaml" in message


def test_an_unknown_type_names_the_nearest(tmp_path: Path) -> None:
    assert "did you mean Cell" in refused(tmp_path, {"format": FORMAT, "type": "Cel", "name": "x"})


def test_a_part_without_a_type_is_refused(tmp_path: Path) -> None:
    document = {"format": FORMAT, "type": "Cell", "name": "x", "compartments": [{"name": "soma"}]}
    assert "no 'type'" in refused(tmp_path, document)


def test_a_missing_field_is_named(tmp_path: Path) -> None:
    coupling = {"format": FORMAT, "type": "Coupling", "a": "soma"}
    assert "'b'" in refused(tmp_path, coupling)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("compartments",), 3),
        (("compartments", 0, "length"), 25),
        (("compartments", 0, "length"), "25 mV"),
        (("compartments", 0, "length"), "-25 um"),
        (("compartments", 0, "spike"), 5),
        (("compartments", 0, "spike"), {"type": "Coupling", "a": "soma", "b": "tuft"}),
        (("compartments", 0, "channels"), [1]),
        (("compartments", 0, "channels"), 7),
        (("compartments", 1, "name"), None),
        (("couplings", 0, "a"), 12),
        (("fidelity",), "dspik"),
        (("sources",), 4),
        (("name",), ["PC"]),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused(
    cell: Cell, tmp_path: Path, path: tuple[str | int, ...], value: object
) -> None:
    document = {"format": FORMAT, **to_dict(cell)}
    parent: object = document
    for step in path[:-1]:
        parent = parent[step]  # type: ignore[index]
    parent[path[-1]] = value  # type: ignore[index]
    refused(tmp_path, document)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("populations", 0, "size"), 0),
        (("populations", 0, "size"), 2.5),
        (("populations", 0, "size"), True),
        (("populations", 0, "cell"), "PC"),
        (("populations", 0, "heterogeneous"), "no"),
        (("projections", 0, "stp"), 0.5),
        (("projections", 0, "compartments"), [["tuft", 0.5]]),
        (("projections", 0, "compartments"), [["tuft", "much"]]),
        (("projections", 0, "compartments"), "tuft"),
        (("projections", 0, "receptors"), [["AMPO", 1.0]]),
        (("projections", 0, "pre"), "PX"),
        (("seed",), -1),
        (("seed",), "one"),
        (("side",), float("nan")),
        (("modulators", 0, "tonic"), "nan nM"),
        (("modulators", 0, "name"), "ATP"),
        (("modulators", 0, "times"), ["10 ms", "0 ms"]),
    ],
)
def test_a_wrong_value_in_a_circuit_is_refused(
    circuit: Circuit, tmp_path: Path, path: tuple[str | int, ...], value: object
) -> None:
    test_a_value_of_the_wrong_kind_is_refused(circuit, tmp_path, path, value)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "content", ["", "just text", "a: [1, 2", "- 1\n- 2\n", "format: other\ntype: Cell\n", "\x00"]
)
def test_a_file_that_is_no_description_is_refused(tmp_path: Path, content: str) -> None:
    refused(tmp_path, content)


def test_a_file_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot read"):
        load(tmp_path / "nowhere.yaml")
