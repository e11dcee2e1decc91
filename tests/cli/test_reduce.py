"""``biomod reduce``: what it prints, what it writes, what it refuses."""

from __future__ import annotations

import json

import numpy as np
import pytest

from biomod.reduction import Protocol, point_model, reference, simulate
from biomod.reduction.reference import observe

TRUE = {"C": 100.0, "g": 8.0, "E_L": -70.0, "t_ref": 2.0, "theta": -50.0, "v_reset": -60.0}
NAMED = {"model", "parameters", "explained_variance", "coincidence_4ms", "fit_seconds",
         "reference_seconds"}  # fmt: skip


@pytest.fixture
def driven(monkeypatch, simulator):
    """The cell responds like a leaky integrate-and-fire neuron; notes under which modulators."""
    calls = []

    def respond(currents, dt):
        found = []
        for current in currents:
            response = simulate(point_model("lif"), TRUE, current, dt, voltage=True)
            found.append((np.append(-70.0, response.voltage[0][:-1]), response.spikes[0]))
        return found

    def of_cell(cell, protocol, modulators=(), **_):
        calls.append([repr(m) for m in modulators])
        print("chatter of a simulator")
        short = Protocol(means=(1.5,), noise_s=3.0, steps=(0.5, 1.5), test_steps=(1.2, 2.0))
        return observe(respond, short, cell.name)

    monkeypatch.setattr(reference, "of_cell", of_cell)
    return calls


def reduce(cli, out, *more):
    return cli("reduce", "Tiny", "--model", "lif", "--generations", "5", "--out", out, *more)


def test_json_has_what_scripts_rely_on(cli, driven, tmp_path):
    outcome = reduce(cli, tmp_path / "A", "--json", "--quiet")
    assert outcome.exit_code == 0, outcome.stderr
    found = json.loads(outcome.stdout)
    assert found.keys() >= NAMED
    assert found["parameters"]["C"].keys() == {"value", "unit"}
    assert found["parameters"]["C"]["unit"] == "pF"
    written = json.loads((tmp_path / "A" / "surrogate.json").read_text())
    assert written["explained_variance"] == found["explained_variance"]


def test_the_report_needs_nothing_else(cli, driven, tmp_path):
    assert reduce(cli, tmp_path / "A").exit_code == 0
    text = (tmp_path / "A" / "report.html").read_text()
    assert text.count("data:image/png;base64,") == 4
    assert "http" not in text.replace("http-equiv", "")
    for part in ("Parameters", "held-out", "Rate against current", "does not capture"):
        assert part in text


def test_the_cell_is_driven_under_the_modulators(cli, driven, tmp_path):
    assert reduce(cli, tmp_path / "A", "--modulator", "ACh=0.5uM").exit_code == 0
    assert "ACh" in driven[0][0]
    assert "500 nM" in driven[0][0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--model", "glif9"), "did you mean glif"),
        (("--modulator", "ACh"), "write ACh=0.5uM"),
        (("--seed", "x"), "--seed must be a whole number"),
        (("--export", "nesst"), "did you mean nest"),
        (("--model", "qif", "--export", "nest"), "nest does not have the model qif, only glif1"),
    ],
)
def test_wrong_options_are_refused_at_once(cli, driven, tmp_path, arguments, message):
    outcome = cli("reduce", "Tiny", "--out", tmp_path / "A", *arguments)
    assert outcome.exit_code == 2
    assert message in outcome.stderr
    assert not driven
    assert not (tmp_path / "A").exists()


def test_a_circuit_and_an_unknown_cell_are_refused(cli, driven, tmp_path):
    circuit = cli("reduce", "pair", "--out", tmp_path / "A")
    unknown = cli("reduce", "Tinny", "--out", tmp_path / "A")
    assert (circuit.exit_code, unknown.exit_code) == (2, 2)
    assert "takes a cell" in circuit.stderr
    assert "did you mean Tiny" in unknown.stderr


def test_exports_are_written_and_described(cli, driven, tmp_path):
    wanted = ("--export", "fixed", "--export", "sonata")
    outcome = reduce(cli, tmp_path / "A", "--json", "--quiet", *wanted)
    assert outcome.exit_code == 0, outcome.stderr
    exports = json.loads(outcome.stdout)["exports"]
    assert exports["sonata"]["status"] == "exact"
    assert exports["fixed"]["agreement"]["coincidence_2ms"] > 0.98
    written = json.loads((tmp_path / "A" / "fixed.json").read_text())
    assert written["format"]["fraction"] == 15
    assert (tmp_path / "A" / "sonata" / "nodes.h5").exists()


def test_a_surrogate_is_replaced_only_by_force(cli, driven, tmp_path):
    assert reduce(cli, tmp_path / "A").exit_code == 0
    again = reduce(cli, tmp_path / "A")
    assert again.exit_code == 2
    assert "--force" in again.stderr
    assert reduce(cli, tmp_path / "A", "--force").exit_code == 0
