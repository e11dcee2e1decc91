"""Synapses from rules: exact where the rule is, of the right law where it is not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from biomod.programs import find_compiler
from tests.engine.helpers import results

pytestmark = pytest.mark.skipif(find_compiler() is None, reason="no C++ compiler")

N = 1000  # cells; their x is index / N
Made = dict[str, np.ndarray]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return results("connect.py", tmp_path_factory.mktemp("connect") / "r.npz", 3)


def pairs(made: Made, name: str) -> tuple[np.ndarray, np.ndarray]:
    return made[f"{name}_i_1"], made[f"{name}_j_1"]


@pytest.mark.parametrize("threads", [2, 3])
def test_threads_change_nothing(made: Made, threads: int) -> None:
    names = [name[:-2] for name in made if name.endswith("_1")]
    assert len(names) > 40
    for name in names:
        np.testing.assert_array_equal(made[f"{name}_1"], made[f"{name}_{threads}"], err_msg=name)


def test_numbers_of_incoming_and_outgoing_synapses_are_counted(made: Made) -> None:
    for name in [key[:-4] for key in made if key.endswith("_i_1")]:
        i, j = pairs(made, name)
        first = 200 if name == "groups" else 0
        out, into = made[f"{name}_outgoing_1"], made[f"{name}_incoming_1"]
        np.testing.assert_array_equal(out, np.bincount(i + first, minlength=len(out)))
        np.testing.assert_array_equal(into, np.bincount(j, minlength=len(into)))


@pytest.mark.parametrize(("name", "p"), [("frequent", 0.6), ("rare", 0.02)])
def test_degrees_are_binomial(made: Made, name: str, p: float) -> None:
    i, j = pairs(made, name)
    if name == "rare":  # two calls, one behind the other
        half = np.flatnonzero(np.diff(i) < 0)[0] + 1
        i, j = i[:half], j[:half]
        assert not np.any(i == j)
    candidates = N - 1 if name == "rare" else N
    law = stats.binom(candidates, p)
    for index in (i, j):
        degree = np.bincount(index, minlength=N)
        shift = np.random.default_rng(1).uniform(size=N)
        u = law.cdf(degree - 1) + shift * law.pmf(degree)
        assert stats.kstest(u, "uniform").pvalue > 1e-3
    assert len(np.unique(i.astype(np.int64) * N + j)) == len(i)


def test_cells_choose_independently(made: Made) -> None:
    i, j = pairs(made, "frequent")
    chosen = np.zeros((N, N))
    chosen[i, j] = 1
    for a, b in ((chosen[1:], chosen[:-1]), (chosen[:, 1:], chosen[:, :-1])):
        assert abs(np.corrcoef(a.ravel(), b.ravel())[0, 1]) < 4 / np.sqrt(a.size)


def test_calls_of_connect_have_numbers_of_their_own(made: Made) -> None:
    i, j = pairs(made, "rare")
    half = np.flatnonzero(np.diff(i) < 0)[0] + 1
    first = set(zip(i[:half], j[:half], strict=True))
    second = set(zip(i[half:], j[half:], strict=True))
    expected = N * (N - 1) * 0.02**2
    assert len(first & second) == pytest.approx(expected, abs=4 * np.sqrt(expected))


def test_probability_follows_the_distance(made: Made) -> None:
    i, j = pairs(made, "profile")
    steps = np.bincount(np.abs(i - j), minlength=N)
    d = np.arange(1, N)
    p = np.exp(-((d / N / 0.1) ** 2))
    candidates = 2 * (N - d)
    assert steps[0] == 0
    bins = d // 20
    found, expected, variance = (
        np.bincount(bins, weights) for weights in
        (steps[1:], candidates * p, candidates * p * (1 - p))
    )  # fmt: skip
    clear = variance > 10
    assert clear.sum() > 10
    score = (found - expected)[clear] / np.sqrt(variance[clear])
    assert stats.chi2(clear.sum()).sf(np.sum(score**2)) > 1e-3
    assert found[~clear].sum() < expected[~clear].sum() + 20


def test_rules_without_chance_give_exactly_their_pairs(made: Made) -> None:
    x = np.arange(N) / N
    expected = np.argwhere(np.abs(x[:, None] - x) < 0.0505)
    np.testing.assert_array_equal(np.column_stack(pairs(made, "box")), expected)
    near = [(i, k) for i in range(N) for k in range(i - 3, i + 4) if k != i and 0 <= k < N]
    np.testing.assert_array_equal(np.column_stack(pairs(made, "neighbours")), near)


@pytest.mark.parametrize(("name", "size"), [("fixed_few", 20), ("fixed_many", 400)])
def test_samples_have_their_size_and_prefer_nobody(made: Made, name: str, size: int) -> None:
    i, j = pairs(made, name)
    np.testing.assert_array_equal(np.bincount(i), np.full(N, size))
    rows = j.reshape(N, size)
    assert np.all(np.diff(rows, axis=1) > 0), "sorted and all different"
    # The sizes of the rows are fixed, so the counts vary less than those of a multinomial law.
    variance = N * (size / N) * (1 - size / N)
    score = (np.bincount(j, minlength=N) - size) ** 2 / variance
    assert stats.chi2(N - 1).cdf(score.sum()) < 0.999
    ends = np.bincount(j, minlength=N)[[0, 1, -2, -1]]
    assert np.all(np.abs(ends - size) < 4 * np.sqrt(variance))


def test_samples_over_targets_and_backwards(made: Made) -> None:
    i, j = pairs(made, "by_target")
    np.testing.assert_array_equal(np.bincount(j), np.full(N, 10))
    assert len(np.unique(i)) > 0.99 * N
    i, j = pairs(made, "backwards")
    assert set(j % 3) == {0}
    assert j.min() > 0
    assert len(j) == pytest.approx(N * 333 * 0.1, abs=4 * np.sqrt(N * 333 * 0.09))
    assert np.all(np.diff(j)[np.diff(i) == 0] < 0)


def test_repeated_synapses_are_numbered(made: Made) -> None:
    i, j = pairs(made, "twice")
    np.testing.assert_array_equal(i[::2], i[1::2])
    np.testing.assert_array_equal(j[::2], j[1::2])
    i, j = pairs(made, "groups")
    assert (i.min(), i.max(), j.max()) == (0, 49, N - 1)
    np.testing.assert_array_equal(made["groups_number_1"], np.tile([0, 1], len(i) // 2))


def test_another_seed_gives_other_synapses(made: Made, tmp_path: Path) -> None:
    other = results("connect.py", tmp_path / "r.npz", 4)
    assert not np.array_equal(pairs(other, "frequent")[1][:1000], pairs(made, "frequent")[1][:1000])
    np.testing.assert_array_equal(pairs(other, "box")[1], pairs(made, "box")[1])
