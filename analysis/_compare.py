"""Two runs, population by population."""

from __future__ import annotations

import math
from typing import Unpack

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis._checks import InputError
from analysis._frames import mean_or_nan, population_frame
from analysis._isi import irregularity
from analysis._synchrony import joint_firing
from analysis._table import Selection, Trains, read

__all__ = ["compare"]


def compare(
    a: pd.DataFrame,
    b: pd.DataFrame,
    labels: tuple[str, str] = ("a", "b"),
    *,
    paired: bool = False,
    **selection: Unpack[Selection],
) -> pd.DataFrame:
    """Rates, irregularity and synchrony of two runs, and a test of the rates.

    The test is over the rates of cells: Mann-Whitney's U for two sets of cells, Wilcoxon's signed
    rank test where cell i of both runs is the same cell (`paired`); both two-sided. Cells of one
    network are not independent, so p says how the *cells* of these two runs differ; whether two
    *conditions* differ takes several runs of each, with one value per run.

    Parameters
    ----------
    a, b : pandas.DataFrame
        Spike tables of the two runs.
    labels : tuple of two str
        What the runs are called in the names of the columns.
    paired : bool
        Whether cell i of a population is the same cell in both runs.
    **selection
        See `Selection`; holds for both runs.

    Returns
    -------
    pandas.DataFrame
        Indexed by population (those of `a`, then those only in `b`): `rate_hz_a`, `rate_hz_b`,
        `ratio` (b / a, NaN if a is silent), `difference_hz` (b - a), `p_value`, `cv_isi_a`,
        `cv_isi_b`, `synchrony_a`, `synchrony_b`, with the labels in place of a and b. NaN where a
        run lacks the population.

    Raises
    ------
    InputError
        Also if `paired` and a population has not the same number of cells in both runs.
    """
    if isinstance(labels, str) or len(labels) != 2 or labels[0] == labels[1]:
        raise InputError(f"labels must be two different names, not {labels!r}")
    first, second = read(a, **selection), read(b, **selection)
    names = list(dict.fromkeys(first.populations + second.populations))
    rows = {
        name: _row(first.trains.get(name), second.trains.get(name), labels, paired)
        for name in names
    }
    la, lb = labels
    return population_frame(
        rows,
        columns=(
            f"rate_hz_{la}",
            f"rate_hz_{lb}",
            "ratio",
            "difference_hz",
            "p_value",
            f"cv_isi_{la}",
            f"cv_isi_{lb}",
            f"synchrony_{la}",
            f"synchrony_{lb}",
        ),
    )


def _row(
    a: Trains | None, b: Trains | None, labels: tuple[str, str], paired: bool
) -> dict[str, float]:
    rates = [np.empty(0) if trains is None else trains.rates_hz for trains in (a, b)]
    rate_a, rate_b = map(mean_or_nan, rates)
    row = {
        "ratio": rate_b / rate_a if rate_a > 0 else math.nan,
        "difference_hz": rate_b - rate_a,
        "p_value": math.nan,
    }
    for trains, label, rate in zip((a, b), labels, (rate_a, rate_b), strict=True):
        row[f"rate_hz_{label}"] = rate
        row[f"cv_isi_{label}"] = math.nan if trains is None else irregularity(trains).cv_isi
        row[f"synchrony_{label}"] = math.nan if trains is None else joint_firing(trains).synchrony
    if a is not None and b is not None and a.cells and b.cells:
        if paired and a.cells != b.cells:
            raise InputError(
                f"population {a.population!r} has {a.cells} cells in run {labels[0]!r} and "
                f"{b.cells} in run {labels[1]!r}; they cannot be paired"
            )
        row["p_value"] = _p_value(rates[0], rates[1], paired)
    return row


def _p_value(a: npt.NDArray[np.float64], b: npt.NDArray[np.float64], paired: bool) -> float:
    from scipy import stats

    if not paired:
        return float(stats.mannwhitneyu(a, b).pvalue)
    if np.array_equal(a, b):
        return 1.0  # no pair differs: nothing to rank, and no outcome is less extreme
    return float(stats.wilcoxon(a, b).pvalue)
