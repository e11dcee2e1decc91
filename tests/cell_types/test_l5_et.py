"""The thick-tufted layer 5 cell of fidelity ``hh`` against the published rat values."""

from __future__ import annotations

import math

import numpy as np
import pytest

import cell_types
from biomod.mechanisms.passive import rest
from biomod.model import CurrentWaveform
from cell_types import _hh_library
from cell_types import protocols as p
from cell_types._l5_et import distances
from cell_types.calibration import l5_et as fit
from cell_types.calibration import table, valid_hh
from cell_types.calibration.features_l5_et import resonance
from cell_types.calibration.targets import targets

NAME = "L5_ET"


@pytest.fixture(scope="module")
def cell():
    return cell_types.get(NAME, fidelity="hh")


@pytest.fixture(scope="module")
def entry():
    return _hh_library.fitted_file()[NAME]


def test_it_is_a_rat_cell_and_the_dspike_one_is_not(cell):
    assert cell.species.startswith("rat")
    assert cell_types.get(NAME).species.startswith("mouse")


def test_every_parameter_has_a_source(cell):
    assert all(cell.source(path) for path in cell.parameters())


def test_sites_of_the_recordings_are_centres_of_compartments():
    assert distances()["nexus"] == 660
    assert distances()["tuft"] == 800


def test_written_parameters_follow_from_the_written_knobs(entry):
    assert entry["parameters"] == fit.values(entry["knobs"])


def test_the_written_cell_is_what_its_script_found_from_the_stated_start(entry):
    search = entry["search"]
    assert entry["script"].endswith(f"l5_et {search['generations']}")
    assert search["start"] == fit.START.name
    assert 0 < search["loss"] < search["loss_of_start"]


@pytest.mark.validate
def test_the_script_finds_the_written_cell_again(entry):
    stated = entry["search"]
    found = fit.search(fit.start(), stated["generations"], seed=stated["seed"])
    assert {k: float(f"{v:.5g}") for k, v in found.knobs.items()} == entry["knobs"]
    assert found.loss_before == pytest.approx(stated["loss_of_start"], abs=1e-3)
    assert found.loss_after == pytest.approx(stated["loss"], abs=1e-3)


def test_there_are_twenty_valid_models():
    """Different cells, each kept for the features of the type, not for being the calibrated one."""
    models = cell_types.valid_models(NAME)
    assert len(models) >= 20
    assert len({tuple(c.g_max.si for c in m.soma.channels) for m in models}) == len(models)


@pytest.mark.validate
def test_valid_models_show_burst_back_propagation_and_bac_firing():
    """Measured anew: what the rejection asked for, of the first twelve."""
    judge = valid_hh.judge_for(NAME)
    left_out = tuple(valid_hh.facts()[NAME]["left_out"])
    found = judge.measure(cell_types.valid_models(NAME)[: fit.CANDIDATES])
    assert sum(judge.is_valid(x, left_out) for x in found) >= fit.CANDIDATES - 1


@pytest.mark.parametrize("where", ["start", "result"])
def test_knobs_lie_within_their_ranges(entry, where):
    knobs = fit.start() if where == "start" else entry["knobs"]
    assert set(knobs) == set(fit.KNOBS)
    for name, allowed in fit.KNOBS.items():
        assert allowed.low <= knobs[name] <= allowed.high, name


def test_apical_dendrite_rests_more_depolarised_than_the_soma(cell):
    """By h current: Kole et al. 2006, 10.1523/JNEUROSCI.3664-05.2006; Stuart & Spruston 1998."""
    v = {k: x * 1e3 for k, x in rest(cell).items()}
    assert -80 < v["soma"] < -65
    assert 2 < v["tuft"] - v["soma"] < 15


@pytest.fixture(scope="module")
def within(entry):
    """How many of the published features are within 2 s.d., and how many there are."""
    goals = targets(NAME)
    z = [goal.z(entry["features"].get(k, math.nan)) for k, goal in goals.items()]
    return table.within(z), len(z)


def test_twelve_published_features_are_within_two_standard_deviations(within):
    assert within[0] >= 12


@pytest.mark.xfail(
    strict=True,
    reason="measured: 13 of 16. The first interval of the strong step (11.9 ms) is too short, the "
    "slow AHP comes late (0.26 of the interval), the action potential is 4 mV over the limit. "
    "Without the burst at rheobase a search came to 15 of 16: burst and slow AHP exclude each "
    "other so far.",
)
def test_nine_of_ten_published_features_are_within_two_standard_deviations(within):
    assert within[0] >= 0.9 * within[1]


def test_it_has_a_sag(entry):
    assert 0.12 <= entry["features"]["sag_ratio_at_-100mV"] <= 0.36


def test_it_bursts_at_somatic_threshold(entry):
    """The first two action potentials at the weakest step that evokes any."""
    for features in (entry["features"], entry["features_neuron"]):
        assert features["first_ISI_at_rheobase"] < 15


def test_it_begins_a_strong_step_with_a_burst(entry):
    assert entry["features"]["doublet_ISI_step3"] < 25


@pytest.mark.validate
@pytest.mark.parametrize("backend", ["cpp", "neuron"])
def test_soma_resonates_at_3_to_6_hz(cell, backend):
    """Dembrow et al. 2010, 10.1523/JNEUROSCI.3644-10.2010: small sinusoidal currents."""
    if backend == "neuron":
        pytest.importorskip("neuron")
    frequencies = (1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 12.0)
    time = np.arange(0.0, 1500.0, 0.5)  # ms
    trials = [
        p.Trial(
            cell,
            (
                CurrentWaveform(
                    samples=tuple(20 * np.sin(2e-3 * np.pi * f * time)), interval="0.5 ms"
                ),
            ),
        )
        for f in frequencies
    ]
    responses = p.respond(trials, 1500.0, ("soma",), backend=backend, dt="0.05 ms")
    late = responses[0].time >= 500  # whole periods of every frequency
    size = [np.ptp(r.v["soma"][late]) for r in responses]
    assert 3 <= resonance(frequencies, size) <= 6
    assert max(size) > 1.05 * size[0]
