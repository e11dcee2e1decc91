"""Streams: reproducible, independent by name, and unlike each other."""

import subprocess
import sys

import numpy as np
import pytest

from biomod.errors import ModelError
from biomod.mechanisms.randomness import integer_seed, stream

NAMES = ["connectivity/PC->PV", "connectivity/PV->PC", "heterogeneity/PC", "positions/PC", "b"]


def test_same_seed_and_name_give_the_same_numbers():
    assert np.array_equal(stream(3, "a").random(100), stream(3, "a").random(100))


def test_it_is_the_same_in_another_process_whatever_the_hash_seed():
    code = (
        "from biomod.mechanisms.randomness import stream, integer_seed;"
        "print(stream(7, 'positions/PC').integers(2**63), integer_seed(7, 'x'))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    here = f"{stream(7, 'positions/PC').integers(2**63)} {integer_seed(7, 'x')}"
    assert run.stdout.strip() == here


def test_the_key_is_frozen():
    # Regression: another derivation would change every published run.
    state = stream(1, "background").bit_generator.state["state"]
    assert state["counter"].tolist() == [0, 0, 0, 0]
    assert state["key"].tolist() == [KEY0, KEY1]
    assert integer_seed(1, "background") == SEED


KEY0, KEY1, SEED = 16169203977712216941, 8468435343512120636, 92955111


@pytest.mark.parametrize("seed", [1, 2])
def test_streams_are_uncorrelated(seed):
    n = 50_000
    draws = [stream(s, name).standard_normal(n) for name in NAMES for s in (seed, seed + 1)]
    correlation = np.corrcoef(draws) - np.eye(len(draws))
    # 45 pairs: 5 standard errors are exceeded by chance once in 4e4.
    assert np.abs(correlation).max() < 5 / np.sqrt(n)


def test_no_two_keys_are_equal():
    keys = {
        tuple(stream(seed, f"{name}{i}").bit_generator.state["state"]["key"])
        for seed in range(10)
        for name in NAMES
        for i in range(20)
    }
    assert len(keys) == 10 * len(NAMES) * 20


def test_integer_seeds_fit_31_bits_and_differ():
    seeds = [integer_seed(1, f"run/{i}") for i in range(1000)]
    assert min(seeds) >= 1
    assert max(seeds) < 2**31
    assert len(set(seeds)) == 1000


def test_seed_and_name_are_not_simply_joined():
    assert stream(1, "2/a").random() != stream(12, "/a").random()
    assert stream(1, "1a").random() != stream(11, "a").random()


def test_numpy_integers_and_large_seeds_are_seeds():
    assert stream(np.int64(5), "a").random() == stream(5, "a").random()
    assert stream(2**200, "a").random() != stream(0, "a").random()


@pytest.mark.parametrize("seed", [-1, 1.5, "1", None, True])
def test_what_is_not_a_seed_is_refused(seed):
    with pytest.raises(ModelError, match="seed"):
        stream(seed, "a")


def test_a_stream_needs_a_name():
    with pytest.raises(ModelError, match="name"):
        stream(1, "")
