"""Calibration of leak_K: the factor that moves the resting potential by a given voltage."""

from __future__ import annotations

import math
from collections.abc import Iterable

from scipy.optimize import brentq

from biomod.errors import ModelError
from biomod.mechanisms.passive import rest
from biomod.model.cell import Cell

LARGEST_SCALE = 100.0
TOLERANCE = 1e-6  # V


def leak_scale(cell: Cell, paths: Iterable[str], shift: float) -> float | None:
    """Factor on the conductances at `paths` that moves the somatic rest by `shift` (V).

    Gates follow their steady state, as in :func:`biomod.mechanisms.passive.rest`.

    Returns
    -------
    float or None
        None where no factor from 0 to 100 gives the shift.
    """
    now = {path: cell.get(path) for path in paths}
    wanted = rest(cell)[cell.soma.name] + shift

    def error(scale: float) -> float:
        scaled = cell.with_({path: g * scale for path, g in now.items()})
        try:
            return rest(scaled)[cell.soma.name] - wanted
        except ModelError:  # no stable rest any more: too little potassium conductance
            return math.inf

    # Closing potassium channels depolarises: the error falls as the factor grows.
    low, high = (0.0, 1.0) if shift > 0 else (1.0, LARGEST_SCALE)
    if error(low) < 0 or error(high) > 0:
        return None
    while math.isinf(error(low)) and high - low > 1e-9:
        middle = (low + high) / 2
        low, high = (middle, high) if error(middle) > 0 else (low, middle)
    if math.isinf(error(low)):  # rest becomes unstable before it has moved far enough
        return None
    scale = float(brentq(error, low, high, xtol=1e-9))
    return scale if abs(error(scale)) < TOLERANCE else None
