"""Small helpers for the tables that the package returns."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

__all__ = ["mean_or_nan", "population_frame"]


def mean_or_nan(values: npt.NDArray[np.float64]) -> float:
    """Mean of `values`, or NaN (and no warning) if there are none."""
    return float(values.mean()) if values.size else math.nan


def population_frame(
    rows: Mapping[str, Mapping[str, float]], columns: Sequence[str]
) -> pd.DataFrame:
    """A table with one row per population; `columns` fixes their order, also of an empty table."""
    table = {name: [row[name] for row in rows.values()] for name in columns}
    return pd.DataFrame(table, index=pd.Index(list(rows), name="population", dtype=str))
