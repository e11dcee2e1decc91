"""The tables as descriptions: complete, with sources, and as the documents say."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest
import yaml

import biomod.mechanisms.data
from biomod.errors import ModelError
from biomod.mechanisms.neuromodulation import (
    CELL_TYPES,
    effects,
    effects_on,
    expressed_by,
    expression_level,
    outside_cells,
    quantities,
    receptors,
    release,
)
from biomod.model import MODULATORS, from_dict, to_dict

DATA = Path(next(iter(biomod.mechanisms.data.__path__)))


def rows(name: str) -> list[dict[str, str]]:
    with open(DATA / f"{name}.csv", newline="") as file:
        return list(csv.DictReader(file))


def test_no_row_is_lost():
    assert list(receptors()) == [r["receptor_id"] for r in rows("receptors")]
    assert [e.name for e in effects()] == [r["effect_id"] for r in rows("receptor_effects")]
    for row in rows("expression"):
        level = expression_level(row["receptor"], row["cell_type"])
        assert level == float(row["expression_rel"])


def test_every_row_concerns_a_cell_type_or_is_listed_with_a_reason():
    reached = {e.name for t in CELL_TYPES for e in effects_on(t)}
    listed = {e.name for e, reason in outside_cells() if reason}
    assert reached | listed == {e.name for e in effects()}
    assert not reached & listed


def test_everything_has_a_source():
    for receptor in receptors().values():
        assert re.search(r"10\.\d{4}", receptor.source), receptor.name
    for effect in effects():
        assert len(effect.source) > 10, effect.name
        assert "10." in effect.source or "no doi" in effect.source, effect.name
        assert effect.evidence, effect.name
    for cell_type in CELL_TYPES:
        assert all(x.source for x in expressed_by(cell_type))
    for modulator in MODULATORS:
        assert all(v.kind and v.checked and v.source for v in quantities(modulator).values())


def test_chosen_values_are_called_estimates():
    for name, receptor in receptors().items():
        if receptor.local_gain != 1 or receptor.tau_desensitisation is not None:
            assert "estimate" in receptor.source, name
    for cell_type in ("L4_PC", "CCK_basket"):
        assert all("estimate by analogy" in x.source for x in expressed_by(cell_type))
    taken = [e for e in effects_on("L4_PC") if e.cell_type == "L4_PC" and e.name != "E028"]
    assert taken
    assert all("analogy with L23_PC" in e.source for e in taken)


def test_defaults_of_disputed_rows():
    by_name = {e.name: e for e in effects()}
    assert by_name["E063"].enabled  # persistent-sodium shift by D1: on
    assert not by_name["E015"].enabled  # persistent sodium -38 % by M1: off
    assert [e.name for e in effects() if e.high_dose] == ["E076"]
    for effect in effects():
        if effect.compartment == "synapse" or effect.operation == "set":
            assert not effect.enabled


def test_class_rows_reach_their_members_only():
    assert all("E090" in {e.name for e in effects_on(t)} for t in ("L23_PC", "L4_PC", "L6_CT"))
    assert "E090" not in {e.name for e in effects_on("PV_basket")}
    assert [e.name for e in effects_on("CCK_basket")] == ["E061"]


def test_round_trip_through_plain_data():
    for item in (*receptors().values(), *effects(), *expressed_by("L5_ET")):
        assert from_dict(to_dict(item)) == item


def test_wrong_names_get_the_nearest():
    with pytest.raises(ModelError, match="L5_ET"):
        expressed_by("L5ET")
    with pytest.raises(ModelError, match="5HT2A"):
        expression_level("5HT2B", "L5_ET")
    with pytest.raises(ModelError, match="unknown modulator"):
        release("GABA")


def test_release_defaults_agree_with_their_stated_results():
    """The concentrations that the file itself states, to its printed precision."""
    document = yaml.safe_load((DATA / "transmission_defaults.yaml").read_text())
    for name, row in document["defaults"].items():
        r = release(name)
        assert r.tonic.to("nM") == pytest.approx(row["resulting_tonic_nM"], abs=0.06)
        assert r.burst_peak().to("nM") == pytest.approx(row["resulting_burst_peak_nM"], abs=0.06)


def test_occupancies_of_the_release_defaults():
    """Bulk occupancies as stated in the file: local_gain is not part of them."""
    document = yaml.safe_load((DATA / "transmission_defaults.yaml").read_text())
    stated = 0
    for row in document["defaults"].values():
        for name, tonic, burst in row["occupancy"]:
            bulk = receptors()[name].with_(local_gain=1.0)
            rest = bulk.occupancy(f"{row['resulting_tonic_nM']} nM")
            assert rest == pytest.approx(tonic, abs=6e-4)
            peak = bulk.occupancy(f"{row['resulting_burst_peak_nM']} nM")
            assert peak == pytest.approx(burst, abs=6e-4)
            stated += 1
    assert stated == len(receptors())
