"""A surrogate from its file is the one that was written."""

import json

import numpy as np
import pytest

from biomod.errors import ModelError
from biomod.reduction import Reduction, load_surrogate, recordings, simulate, sweep
from biomod.reduction.fit import Fit
from biomod.reduction.models import MODELS

MODEL = MODELS["glif3"]
VALUES = {p.name: p.start for p in MODEL.parameters} | {"g": 0.1 * 51 / 7}
CURRENT = np.random.default_rng(1).normal(250.0, 400.0, 5000)


@pytest.fixture
def fitted():
    return Fit(MODEL, VALUES, 0.25, 0.1, seed=7, spread={"g": 0.2})


@pytest.fixture
def saved(fitted, tmp_path):
    spikes = fitted.respond(CURRENT).spikes[0]
    voltage = np.full(len(CURRENT), -70.0)
    seen = sweep((CURRENT, "pA"), (voltage, "mV"), "0.1 ms", spikes=(spikes, "ms"))
    reduction = Reduction(
        recordings([seen] * 5, [seen]), {"glif3": fitted}, "glif3",
        {"glif3": {"explained_variance": 1.0, "coincidence_4ms": 1.0}},
    )  # fmt: skip
    reduction.save(tmp_path / "surrogate.json")
    return tmp_path / "surrogate.json"


def test_it_has_the_same_numbers(saved, fitted):
    found = load_surrogate(saved)
    assert found.model is fitted.model
    assert dict(found.parameters) == dict(fitted.parameters)
    assert (found.loss, found.dt, found.seed) == (0.25, 0.1, 7)
    assert found.spread == fitted.spread


def test_it_fires_the_same_spikes(saved):
    expected = simulate(MODEL, VALUES, CURRENT, 0.1).spikes[0]
    assert len(expected) > 5
    np.testing.assert_array_equal(load_surrogate(saved).respond(CURRENT).spikes[0], expected)


def test_it_can_be_exported(saved, tmp_path):
    exported = load_surrogate(saved).export(tmp_path / "nest.json", "nest")
    assert exported.status in ("exact", "approximate")
    content = json.loads((tmp_path / "nest.json").read_text())
    assert "glif_psc" in json.dumps(content)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"shifts_at_full_activation": {}}, "follows modulators"),
        ({"dt_ms": None, "model": "glif7"}, "did you mean"),
        ({"parameters": {}}, "no value for C, g"),
        ({"parameters": {"C": {"value": 1.0, "unit": "nF"}}}, "C is in 'nF'; 'pF' is expected"),
        ({"parameters": {"D": {"value": 1.0, "unit": "pF"}}}, "parameter of glif3"),
        ({"parameters": {"C": {"value": "1", "unit": "pF"}}}, "C has no number"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(saved, change, message):
    saved.write_text(json.dumps(json.loads(saved.read_text()) | change))
    with pytest.raises(ModelError, match=message):
        load_surrogate(saved)


def test_another_file_is_refused(tmp_path):
    (tmp_path / "x.json").write_text('{"name": "x"}')
    with pytest.raises(ModelError, match="is no surrogate"):
        load_surrogate(tmp_path / "x.json")
    with pytest.raises(ModelError, match="cannot read"):
        load_surrogate(tmp_path / "none.json")
