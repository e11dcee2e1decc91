"""Spike trains whose statistics are known, as spike tables."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

Train = npt.NDArray[np.float64]
Table = Callable[..., pd.DataFrame]


def table(populations: Mapping[str, Sequence[Train]], duration_ms: float) -> pd.DataFrame:
    """The spike table of lists of trains (times in ms), rows in no particular order."""
    trains = [train for trains in populations.values() for train in trains]
    number = [len(train) for train in trains]
    cells = [cell for trains in populations.values() for cell in range(len(trains))]
    names = [name for name, trains in populations.items() for _ in trains]
    spikes = pd.DataFrame(
        {
            "time_ms": np.concatenate(trains),
            "cell": np.repeat(cells, number),
            "population": np.repeat(names, number),
        }
    )
    spikes = spikes.sample(frac=1.0, random_state=0, ignore_index=True)
    spikes.attrs = {
        "cells": {name: len(trains) for name, trains in populations.items()},
        "duration_ms": duration_ms,
    }
    return spikes


def poisson_trains(cells: int, rate_hz: float, duration_ms: float, seed: int = 0) -> list[Train]:
    """Independent Poisson trains: a Poisson number of uniform times."""
    rng = np.random.default_rng(seed)
    number = rng.poisson(rate_hz * duration_ms / 1000.0, cells)
    return [np.sort(rng.uniform(0.0, duration_ms, n)) for n in number]


def gamma_trains(
    cells: int, rate_hz: float, duration_ms: float, shape: float, seed: int = 0
) -> list[Train]:
    """Independent renewal trains with gamma distributed intervals, whose CV is 1/sqrt(shape)."""
    rng = np.random.default_rng(seed)
    scale = 1000.0 / rate_hz / shape
    most = int(3 * rate_hz * duration_ms / 1000.0) + 50
    trains = np.cumsum(rng.gamma(shape, scale, (cells, most)), axis=1)
    return [train[train < duration_ms] for train in trains]


def modulated_trains(
    cells: int, rate_hz: float, duration_ms: float, frequency_hz: float, seed: int = 0
) -> list[Train]:
    """Poisson trains of rate ``rate_hz * (1 + sin(2 pi f t))``, by thinning."""
    rng = np.random.default_rng(seed)
    return [
        train[
            rng.uniform(0.0, 2.0, train.size)
            < 1.0 + np.sin(2.0 * np.pi * frequency_hz * train / 1000.0)
        ]
        for train in poisson_trains(cells, 2.0 * rate_hz, duration_ms, seed + 1)
    ]


@pytest.fixture(name="table")
def _table() -> Table:
    return table


@pytest.fixture(name="poisson")
def _poisson() -> Callable[..., list[Train]]:
    return poisson_trains


@pytest.fixture(name="gamma")
def _gamma() -> Callable[..., list[Train]]:
    return gamma_trains


@pytest.fixture(name="modulated")
def _modulated() -> Callable[..., list[Train]]:
    return modulated_trains


@pytest.fixture
def column(poisson, modulated, table) -> pd.DataFrame:
    """One second of 1,000 cells in four populations, one of them silent."""
    return table(
        {
            "PC": modulated(800, 4.0, 1000.0, 40.0),
            "PV": modulated(100, 15.0, 1000.0, 40.0, seed=5),
            "SST": poisson(60, 6.0, 1000.0, seed=9),
            "VIP": [np.empty(0)] * 40,
        },
        1000.0,
    )
