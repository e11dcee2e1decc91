"""``biomod list``, ``show`` and ``cache``, and the catalogues behind them."""

from __future__ import annotations

import importlib
import json

import pytest

from biomod import registry
from biomod.errors import ModelError
from biomod.model import save
from tests.cli.conftest import install


def test_list_cells_as_json(cli, simulator):
    listed = json.loads(cli("list", "cells", "--json").stdout)
    (tiny,) = [entry for entry in listed if entry["name"] == "Tiny"]
    assert tiny["fidelities"] == ["dspike"]
    assert tiny["species"] == "mouse"
    assert tiny["summary"] == "two compartments"


@pytest.mark.parametrize("kind", ["cells", "circuits", "receptors", "channels", "backends"])
def test_each_list_as_text_and_json(cli, simulator, kind):
    text, as_json = cli("list", kind), cli("list", kind, "--json")
    assert text.exit_code == as_json.exit_code == 0, text.output
    for entry in json.loads(as_json.stdout):
        assert entry["name"] in text.stdout


def test_list_without_a_kind_lists_everything(cli, simulator):
    everything = json.loads(cli("list", "--json").stdout)
    assert list(everything) == ["cells", "circuits", "receptors", "channels", "backends"]
    assert {r["name"] for r in everything["receptors"]} >= {"M1", "D1", "5HT3A"}
    (cuda,) = [b for b in everything["backends"] if b["name"] == "cuda"]
    assert (cuda["available"], cuda["reason"]) == (False, "needs brian2cuda")
    assert "pair" in cli("list").stdout


def test_an_unknown_kind_names_the_nearest(refused):
    assert "did you mean cells" in refused("list", "cell")


def test_show_a_cell(cli, simulator):
    text = cli("show", "Tiny").stdout
    assert "Cell Tiny: two compartments" in text
    assert any(
        "soma.length" in line and "20 um" in line and "Author 2020" in line
        for line in text.splitlines()
    )
    shown = json.loads(cli("show", "Tiny", "--json").stdout)
    length = next(p for p in shown["parameters"] if p["path"] == "soma.length")
    assert length == {"path": "soma.length", "value": 20.0, "unit": "um", "source": "Author 2020"}
    assert shown["effects_not_expressed"] == []


def test_show_a_circuit(cli, simulator):
    text = cli("show", "pair").stdout
    for word in ("PC->PV", "Author 2021", "10 cells", "500 Hz"):
        assert word in text
    assert json.loads(cli("show", "pair", "--json").stdout)["populations"] == {"PC": 8, "PV": 2}


def test_show_receptors_with_their_source(cli, simulator):
    text = cli("show", "M1").stdout
    assert "ec50" in text
    assert "Cole & Nicoll 1984" in text
    shown = json.loads(cli("show", "M1", "--json").stdout)
    assert shown["kind"] == "Receptor"


def test_show_every_channel(cli, simulator):
    for entry in json.loads(cli("list", "channels", "--json").stdout):
        outcome = cli("show", entry["name"])
        assert outcome.exit_code == 0, outcome.output
        assert "g_max" in outcome.stdout


def test_show_a_file(cli, simulator, tmp_path):
    path = save(registry.get_cell("Tiny"), tmp_path / "mine.yaml")
    assert "Cell Tiny" in cli("show", path).stdout


def test_show_an_effect_that_a_cell_cannot_express(cli, simulator, tmp_path):
    from biomod.mechanisms.neuromodulation import receptors
    from biomod.model import Effect, Expression

    effect = Effect("X1", "M1", "g_M", "soma", "scale", 0.5, source="Author 2022")
    cell = registry.get_cell("Tiny").with_(
        {"expression": (Expression(receptors()["M1"], 1.0, (effect,)),)}
    )
    path = save(cell, tmp_path / "mine.yaml")
    assert "effects not expressed in this cell" in cli("show", path).stdout
    (missing,) = json.loads(cli("show", path, "--json").stdout)["effects_not_expressed"]
    assert missing["name"] == "X1"
    assert missing["reason"]


def test_show_an_unknown_name(refused, simulator):
    assert "did you mean Tiny" in refused("show", "Tin")
    assert "missing argument" in refused("show")


def test_cache(cli, refused, monkeypatch):
    backends = importlib.import_module("biomod.backends")
    info = {"path": "/x/cache", "entries": 3, "bytes": 1_500_000}
    monkeypatch.setattr(backends, "cache_info", lambda: info)
    monkeypatch.setattr(backends, "cache_clear", lambda: 2_000)
    assert cli("cache").stdout == "/x/cache: 3 compiled models, 1.5 MB\n"
    assert json.loads(cli("cache", "info", "--json").stdout) == info
    assert json.loads(cli("cache", "clear", "--json").stdout) == {"freed_bytes": 2000}
    assert cli("cache", "clear").stdout == "freed 2 kB\n"
    assert "did you mean clear" in refused("cache", "clean")


# the registry -----------------------------------------------------------------------------------
def test_entries_of_other_packages_are_found(library):
    assert registry.cells()["Tiny"].reference == "Author 2020"
    assert registry.get_circuit("pair", cells=30, seed=4).cells == {"PC": 24, "PV": 6}


def test_unknown_names_options_and_fidelities(library):
    with pytest.raises(ModelError, match="unknown cell 'Tyny'; did you mean Tiny"):
        registry.get_cell("Tyny")
    with pytest.raises(ModelError, match="unknown option of circuit pair 'cels'"):
        registry.get_circuit("pair", cels=3)
    with pytest.raises(ModelError, match="fidelity"):
        registry.get_cell("Tiny", fidelity="hh")


def test_a_broken_package_is_a_warning_and_the_others_work(library):
    install(library, "brokenlib", cells="broken", circuits="absent")
    with pytest.warns(registry.CatalogueWarning, match=r"brokenlib.*no table"):
        assert "Tiny" in registry.cells()
    with pytest.warns(registry.CatalogueWarning, match=r"brokenlib.*absent"):
        assert "pair" in registry.circuits()


def test_a_broken_package_is_one_line_of_the_command_line(cli, library):
    install(library, "brokenlib", cells="broken")
    outcome = cli("list", "cells", "--json")
    assert outcome.exit_code == 0
    assert json.loads(outcome.stdout)
    (line,) = outcome.stderr.splitlines()
    assert line.startswith("biomod: warning: ")
    assert "brokenlib" in line


def test_two_packages_with_one_name_are_an_error_that_names_both(library):
    install(library, "otherlib", cells="cell_catalogue")
    with pytest.raises(ModelError, match="two packages offer the cell 'Tiny'") as raised:
        registry.cells()
    assert "tinylib 1.0" in str(raised.value)
    assert "otherlib 1.0" in str(raised.value)
