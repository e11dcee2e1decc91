"""Fits to neurons whose parameters are known, and to what cannot be fitted."""

import numpy as np
import pytest

from biomod.errors import ModelError
from biomod.reduction import MODELS, Protocol, reduce, simulate
from biomod.reduction.evaluation import scores
from biomod.reduction.fit import MANY, Fit, Wanted, enough, extended, fit_ladder
from biomod.reduction.forced import Forced, Training, least_squares
from biomod.reduction.initial import estimate
from biomod.reduction.models import glif
from biomod.reduction.objective import Objective
from biomod.reduction.recordings import Sweep
from biomod.reduction.reference import observe
from biomod.reduction.search import FARTHEST, natural
from biomod.reduction.space import Space

TRUE = {
    "C": 120.0, "g": 8.0, "E_L": -72.0, "t_ref": 2.0, "theta": -50.0, "v_reset": -60.0,
    "k_1": 0.008, "k_2": 0.1, "f_1": 1.0, "f_2": 1.0, "dI_1": -15.0, "dI_2": -60.0,
}  # fmt: skip
SHORT = Protocol(
    means=(1.0, 1.8),
    noise_s=3.0,
    sweeps=1,
    steps=(-0.5, 0.5, 1.2, 2.0),
    test_steps=(1.5,),
    ramps=(2.0,),
)


def known_cell(currents, dt):
    """A GLIF3, with an action potential painted into its voltage."""
    found = []
    for current in currents:
        response = simulate(glif(3), TRUE, current, dt, voltage=True)
        voltage = np.concatenate([[TRUE["E_L"]], response.voltage[0][:-1]])
        for t in response.spikes[0]:
            k = round(t / dt)
            voltage[k : k + round(1 / dt)] = 20.0
        found.append((voltage, response.spikes[0]))
    return found


@pytest.fixture(scope="module")
def behaviour():
    return observe(known_cell, SHORT, "known")


@pytest.fixture(scope="module")
def reduction(behaviour):
    return reduce(behaviour, "glif3", generations=100)


def test_rheobase_is_found(behaviour):
    """g (theta - E_L) = 176 pA charges the membrane to its threshold, in the limit."""
    assert 8.0 * 22.0 < behaviour.rheobase < 8.0 * 22.0 * 1.05


def test_regression_finds_the_membrane(behaviour):
    found = estimate(behaviour.train)
    assert pytest.approx(TRUE["C"], rel=0.1) == found.C
    assert found.g == pytest.approx(TRUE["g"], rel=0.1)
    assert pytest.approx(TRUE["E_L"], abs=1) == found.E_L
    assert found.theta == pytest.approx(TRUE["theta"], abs=3)


def test_the_truth_has_no_error_when_it_is_made_to_fire(behaviour):
    assert Forced(glif(3), behaviour.train)(TRUE)[0] < 1e-3


def test_the_forced_error_is_the_share_of_the_current_that_is_missing(behaviour):
    """A threshold so much higher that 5 % more current would make up for it."""
    forced = Forced(glif(3), behaviour.train)
    rise = (1 - np.exp(-8.0 * TRUE["g"] / TRUE["C"])) / TRUE["g"]  # mV in 8 ms from 1 pA
    higher = TRUE | {"theta": TRUE["theta"] + 0.05 * forced.current * rise}
    assert forced(higher)[0] == pytest.approx(0.05, rel=0.2)


def test_the_forced_error_does_not_depend_on_the_scale_of_the_voltage(behaviour):
    """A cell of a tenth of the conductance and ten times the voltages fires the same spikes."""
    forced = Forced(glif(3), behaviour.train)
    wrong = TRUE | {"theta": -49.0, "g": 9.0}
    scaled = {n: x / 10 if n in ("C", "g") else x for n, x in wrong.items()} | {
        n: TRUE["E_L"] + 10 * (wrong[n] - TRUE["E_L"]) for n in ("theta", "v_reset")
    }
    spikes = sum(len(g.steps) for g in forced.goals)
    ours, theirs = (forced.residuals(values)[0] for values in (wrong, scaled))
    same = np.abs(ours - theirs) < 1e-6  # all but the errors of the voltage, one for each sweep
    assert np.sum(~same) <= len(forced.goals) < spikes


def test_least_squares_find_a_known_neuron(behaviour):
    forced = Forced(glif(3), behaviour.train)
    start = TRUE | {"g": 9.6, "C": 100.0, "theta": -48.0, "dI_1": -25.0, "k_2": 0.2}
    found, _ = least_squares(forced, start, 40)
    assert forced(found)[0] < 0.1 * forced(start)[0]
    assert found["g"] == pytest.approx(TRUE["g"], rel=0.05)
    scores_of = scores(Fit(glif(3), found, 0.0, 0.1), behaviour.test)
    assert scores_of["explained_variance"] > 0.95  # when it fires by itself, to unseen noise


def test_natural_axes_change_the_error_of_a_neuron_equally(behaviour):
    """Along an axis a neuron begins to miss the spikes of the cell by the share asked for.

    Equal steps along the parameters differ a hundredfold.
    """
    near = TRUE | {"g": 8.2, "theta": -49.8}  # at the truth itself early spikes have no slope yet
    forced, space = Forced(glif(3), behaviour.train), Space(glif(3))
    reach, place = 2e-4, space.to_cube(near)

    def moved(axes):
        sets = space.from_cube(np.vstack([place, place + axes]))
        found = forced.residuals(sets)
        return np.linalg.norm(found[1:] - found[0], axis=1)

    curved = natural(forced, near, reach)
    directions = np.linalg.eigh(curved)[1].T
    lengths = np.linalg.eigvalsh(curved)[:, None]
    felt = lengths[:, 0] < 0.1 * FARTHEST  # farther, slopes change
    assert felt.sum() >= 6
    shares = moved(directions * lengths)[felt] / reach
    assert 0.7 < np.median(shares) < 1.4
    assert 0.25 < shares.min() <= shares.max() < 4
    equal = moved(1e-4 * np.eye(len(place)))
    assert equal.max() > 100 * equal.min()


def test_the_truth_has_no_loss(behaviour):
    parts = Objective(glif(3), behaviour.train).parts(TRUE)
    assert {name: float(x[0]) for name, x in parts.items()} == pytest.approx(
        {"explained_variance": 0, "coincidence": 0, "rate": 0, "voltage": 0}, abs=1e-3
    )


@pytest.mark.parametrize("measure", [Objective, Forced])
def test_losses_do_not_depend_on_the_number_of_threads(behaviour, measure):
    sets = TRUE | {"theta": TRUE["theta"] + np.linspace(-2, 2, 19)}
    alone, many = (measure(glif(3), behaviour.train, threads=n)(sets) for n in (1, 4))
    assert len(set(alone)) == 19
    np.testing.assert_array_equal(alone, many)


def test_spikes_of_a_known_neuron_are_recovered(reduction):
    assert reduction.explained_variance > 0.95
    assert reduction.coincidence_4ms > 0.9
    assert reduction.scores["subthreshold_r2"] > 0.95
    assert reduction.trusted


def test_parameters_of_a_known_neuron_are_recovered(reduction):
    found = reduction.fit.parameters
    assert found["C"] == pytest.approx(TRUE["C"], rel=0.1)
    assert found["g"] == pytest.approx(TRUE["g"], rel=0.15)
    assert found["theta"] == pytest.approx(TRUE["theta"], abs=1.5)
    assert reduction.parameters["C"].to("pF") == pytest.approx(found["C"])


def test_refits_tell_how_certain_a_parameter_is(behaviour):
    """Searches that were cut short differ; what they differ by stands beside the value."""
    found = reduce(behaviour, "glif1", generations=8, refits=2)
    assert set(found.fit.spread) == set(found.point_model.names)
    assert all(np.isfinite(sd) and sd >= 0 for sd in found.fit.spread.values())
    assert any(sd > 0 for sd in found.fit.spread.values())
    assert "±" in str(found)
    assert found.to_dict()["parameter_sd"] == found.fit.spread


def test_equal_seeds_give_equal_fits(behaviour):
    a, b = (fit_ladder(behaviour, "glif1", seed=4, generations=6)["glif1"] for _ in range(2))
    assert a.parameters == b.parameters


def test_the_training_score_never_falls_up_the_ladder(behaviour):
    fits = fit_ladder(behaviour, "glif5", generations=4)
    explained = {name: scores(f, behaviour.train)["explained_variance"] for name, f in fits.items()}
    for inner, outer in (("glif1", "glif2"), ("glif1", "glif3"), ("glif3", "glif4"),
                         ("glif2", "glif4"), ("glif4", "glif5")):  # fmt: skip
        assert explained[outer] >= explained[inner] - 1e-9
    best = max(("glif2", "glif3"), key=lambda name: explained[name])
    for inner, outer in (("glif1", "glif2"), ("glif1", "glif3"), (best, "glif4"),
                         ("glif4", "glif5")):  # fmt: skip
        assert fits[outer].loss <= fits[inner].loss + 1e-9


def test_what_explains_less_than_the_level_below_pays_for_it(behaviour):
    worse = TRUE | {"theta": TRUE["theta"] + 3.0}
    training = Training(glif(3), behaviour.train)
    bad, good = (training.free.scored(p)[1][0] for p in (worse, TRUE))
    assert good > bad + 0.1
    raised = training.above([TRUE, worse])
    assert raised(TRUE)[0] == training(TRUE)[0]
    assert raised(worse)[0] > training(worse)[0] + 0.5
    assert raised.allows(TRUE)
    assert not raised.allows(worse)
    assert training.above([worse])(worse)[0] == training(worse)[0]


def test_the_end_of_a_search_takes_nothing_that_explains_less(behaviour):
    off = TRUE | {"g": 1.1 * TRUE["g"]}
    wanted = Wanted(Training(glif(3), behaviour.train), off)
    worse = TRUE | {"theta": TRUE["theta"] + 3.0}
    assert wanted(TRUE)[0] == pytest.approx(0.0, abs=1e-6)
    assert wanted(TRUE)[0] < wanted(off)[0] < 1.0 < wanted(worse)[0]


def test_the_loss_and_the_reported_score_are_of_one_explained_variance(behaviour):
    off = TRUE | {"g": 1.1 * TRUE["g"]}
    _, explained = Objective(glif(3), behaviour.train).scored(off)
    reported = scores(Fit(glif(3), off, 0.0, 0.1), behaviour.train)["explained_variance"]
    assert 0.2 < reported < 0.99
    assert explained[0] == pytest.approx(reported, abs=1e-6)


@pytest.mark.parametrize("pair", [(1, 2), (1, 3), (2, 4), (3, 4), (4, 5)])
def test_a_richer_level_can_do_what_a_simpler_one_does(pair, behaviour):
    simple, rich = glif(pair[0]), glif(pair[1])
    values = {p.name: TRUE.get(p.name, p.start) for p in simple.parameters}
    same = extended(Fit(simple, values, 0.0, 0.1), rich)
    current = behaviour.train[2].current
    expected = simulate(simple, values, current, 0.1).spikes[0]
    assert len(expected) > 5
    np.testing.assert_allclose(simulate(rich, same, current, 0.1).spikes[0], expected)


def test_a_silent_cell_is_refused():
    def silent(currents, dt):
        return [(np.full(len(c), -70.0), []) for c in currents]

    with pytest.raises(ModelError, match="silent at steps of up to 5000 pA"):
        reduce(silent)


def test_a_cell_that_always_fires_is_refused():
    def firing(currents, dt):
        return [(np.full(len(c), -70.0), np.arange(5.0, len(c) * dt, 20.0)) for c in currents]

    with pytest.raises(ModelError, match="fires without a current"):
        reduce(firing)


def test_voltages_that_do_not_follow_the_current_are_refused(behaviour):
    from dataclasses import replace

    swapped = tuple(replace(s, current=-s.current) for s in behaviour.train)
    with pytest.raises(ModelError, match="sign and unit"):
        estimate(swapped)


def test_unknown_models_and_other_things_are_refused(behaviour):
    with pytest.raises(ModelError, match="did you mean"):
        reduce(behaviour, "glif7")
    with pytest.raises(ModelError, match="reduce takes"):
        reduce("L23_PC")


def test_a_poor_fit_says_that_it_is_not_to_be_trusted(behaviour):
    """Spikes that have nothing to do with the current."""
    from dataclasses import replace

    rng = np.random.default_rng(2)
    shuffled = [
        replace(s, spikes=np.sort(rng.uniform(0, s.duration, len(s.spikes))))
        for s in behaviour.test
    ]
    found = reduce(replace(behaviour, test=tuple(shuffled)), "glif1", generations=4)
    assert not found.trusted
    assert any("held-out" in c for c in found.cautions)
    assert "caution" in str(found)


# The resets of other programs: one of ten, as each is one more compilation.
FITTED = [
    pytest.param(n, marks=pytest.mark.validate) if "_" in n and n != "glif5_nest" else n
    for n in sorted(MODELS)
]


@pytest.mark.parametrize("name", FITTED)
def test_every_model_can_be_fitted(name, behaviour):
    found = reduce(behaviour, name, generations=2)
    assert np.isfinite(found.fit.loss)
    assert set(found.parameters) == set(MODELS[name].names)


def test_of_very_many_spikes_a_part_of_the_noise_is_fitted():
    """All kinds of noise and all other sweeps remain, and 20 s of noise at the least."""

    def noise(kind, seconds, count):
        times = np.linspace(1, 1e3 * seconds - 1, count)
        size = round(1e4 * seconds)
        return Sweep(np.full(size, float(kind)), 0.1, np.zeros(size), times, "noise")

    step = Sweep(np.zeros(100), 0.1, np.zeros(100), np.array([5.0]), "step")
    few = [*(noise(k, 4, MANY // 30) for k in range(6) for _ in range(5)), step]
    assert enough(few) == few
    many = [*(noise(k, 4, MANY // 10) for k in range(6) for _ in range(5)), step]
    kept = enough(many)
    assert kept[-1] is step
    assert len(kept) == 11
    assert {s.current[0] for s in kept[:-1]} == set(range(6))
    short = [noise(k, 4, MANY) for k in range(6)]
    assert enough(short) == short
