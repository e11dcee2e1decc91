"""Trials on a bench, and what counts as a calcium spike in them."""

from __future__ import annotations

import numpy as np
import pytest

import cell_types
from biomod.errors import ModelError
from cell_types import bench as b
from cell_types import protocols as p

CURRENTS = [(p.pulse(1.0, size, 2.0),) for size in (0.05, 0.1)]
PARTS = ("soma", "proximal")


@pytest.fixture(scope="module")
def cells():
    first = cell_types.get("PV_basket", fidelity="hh")
    return [first, first.with_({"soma.g_leak": "300 uS/cm2"})]


def test_each_cell_answers_as_in_trials_of_its_own(cells):
    bench = b.Bench("numpy")
    found = bench.each(cells, CURRENTS, 5.0, PARTS)
    apart = b.respond([b.Trial(c, s) for c in cells for s in CURRENTS], 5.0, PARTS, backend="numpy")
    for mine, other in zip((r for rs in found for r in rs), apart, strict=True):
        for part in PARTS:
            np.testing.assert_array_equal(mine.v[part], other.v[part])
    assert not np.allclose(found[0][1].v["soma"], found[1][1].v["soma"])


def test_the_same_trials_of_other_cells_need_no_new_program(cells, monkeypatch):
    fresh = b.respond([b.Trial(cells[1], s) for s in CURRENTS], 5.0, PARTS, backend="numpy")
    bench = b.Bench("numpy")
    before = bench.each(cells[:1], CURRENTS, 5.0, PARTS)[0]
    monkeypatch.setattr(b, "compile", None)
    after = bench.each(cells[1:], CURRENTS, 5.0, PARTS)[0]
    assert not np.allclose(before[1].v["soma"], after[1].v["soma"])
    np.testing.assert_allclose(after[1].v["soma"], fresh[1].v["soma"], rtol=1e-9)


def response(v: list[float]) -> b.Response:
    trace = np.array(v)
    time = b.INTERVAL * np.arange(len(v))
    return b.Response(time, {"soma": np.full(len(v), -70.0), "nexus": trace})


def test_a_plateau_is_one_piece():
    """Two action potentials in a row are none."""
    v = [-70.0, *[-10.0] * 30, *[-50.0] * 10, *[-10.0] * 50, -70.0]
    assert response(v).plateau("nexus") == pytest.approx(5.0)
    assert response([-70.0, -60.0]).plateau("nexus") == 0


def test_what_grows_in_proportion_is_no_spike():
    sizes = np.array([0.1, 0.5, 1.0, 1.5])
    heights = 20 * sizes
    assert p.supralinear(sizes, [response([-70, -70 + h]) for h in heights]) == pytest.approx(0)
    assert np.isnan(p.threshold(sizes, [response([-70, -70 + h]) for h in heights]))
    heights[2:] += 30
    spiking = [response([-70, -70 + h]) for h in heights]
    # Half of the 30 mV are exceeded half way between.
    assert p.threshold(sizes, spiking) == pytest.approx(0.75)


def test_a_threshold_below_the_first_current_is_refused():
    with pytest.raises(ModelError, match="begin with less"):
        p.crossing((0.2, 0.4), (1.0, 1.0), 0.5)


def test_more_somatic_spikes_or_a_longer_plateau_tell_a_calcium_spike():
    short, long = [-70.0, *[-10.0] * 30, -70.0], [-70.0, *[-10.0] * 140, -70.0]
    one, two = response(short), response(long)
    burst = b.Response(one.time, {**one.v, "soma": np.array([-70.0, *[0.0, -70.0] * 15, -70.0])})
    assert list(p.outlasts([one, one, two, burst])) == [False, True, True]
