"""The fit of the ``hh`` cells: what the data file states is what the shipped script gives."""

from __future__ import annotations

import numpy as np
import pytest

import biomod as bm
from biomod.model import Circuit, Population, Recording
from cell_types import _hh_library
from cell_types._hh import lean
from cell_types.calibration import fit_hh
from cell_types.calibration.search_hh import KNOBS, task_for

every_cell = pytest.mark.parametrize("name", KNOBS)


def entry(name):
    return _hh_library.fitted_file()[name]


@every_cell
def test_written_parameters_follow_from_the_searched_ones(name):
    """Leak and capacitance are those that the script solves for: nothing was changed by hand."""
    task, written = task_for(name), entry(name)["parameters"]
    parameters, _ = task.candidate([k.position(written[k.path]) for k in task.knobs])
    assert parameters == written


@every_cell
def test_the_start_of_the_search_is_stated_and_within_its_ranges(name):
    start = fit_hh.start_of(task_for(name), entry(name))
    assert all(0 <= x <= 1 for x in start)
    assert entry(name)["start"]["rounds"]
    assert fit_hh.stage_of(entry(name)).generations > 0


def test_a_cell_without_entry_starts_in_the_middle_of_its_ranges():
    assert set(fit_hh.start_of(task_for("VIP"), {})) == {0.5}


def test_the_script_names_the_nearest_cell():
    with pytest.raises(SystemExit, match="PV_basket"):
        fit_hh.main(["PV_baskett"])


@pytest.mark.validate
def test_a_short_fit_gives_the_same_twice():
    task = task_for("NDNF_L1")
    start = fit_hh.start_of(task, entry("NDNF_L1"))
    stage = fit_hh.Stage(generations=2, sigma=0.05, seed=3, dt="0.05 ms")
    first, second = (fit_hh.search(task, start, stage) for _ in range(2))
    assert first == second


@pytest.mark.validate
@every_cell
def test_the_stated_search_gives_the_shipped_parameters(name):
    """On the machine that made them digit by digit; elsewhere the compiler may differ."""
    task, stated = task_for(name), entry(name)
    start = fit_hh.start_of(task, stated)
    parameters, _, loss = fit_hh.search(task, start, fit_hh.stage_of(stated))
    assert loss == pytest.approx(stated["search"]["loss"], rel=1e-3)
    knobs = {k.path: k for k in task.knobs}
    for path, knob in knobs.items():
        shipped = knob.position(entry(name)["parameters"][path])
        assert knob.position(parameters[path]) == pytest.approx(shipped, abs=1e-3)


@pytest.mark.validate
def test_a_lean_cell_answers_a_current_as_the_whole_one():
    whole = _hh_library.build("SST_Martinotti")
    traces = []
    for cell in (whole, lean(whole)):
        circuit = Circuit("one", (Population("c", cell, 1, heterogeneous=False),))
        pulse = bm.step("150 pA", "20 ms", "220 ms", population="c")
        result = bm.simulate(
            circuit, "240 ms", stimulus=[pulse], record=[Recording("soma", "v", population="c")],
            backend="cpp",
        )  # fmt: skip
        traces.append(result.traces["c.soma.v"].to_numpy()[:, 0])
    assert traces[0].max() > 0
    assert np.abs(traces[0] - traces[1]).max() < 1e-6
