"""Release and clearance: tonic levels and bursts from the defaults of the tables.

``dC/dt = R a f - C ln2 / t_half``: every spike of all source neurons adds R, a fraction a of them
fires at rate f, and what is in the tissue is cleared with half-life `t_half`. In equilibrium
``C = R a f t_half / ln2``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from biomod.errors import ModelError
from biomod.mechanisms.neuromodulation._tables import rows, transmission_defaults
from biomod.model.neuromodulation import Modulator, modulator_name
from biomod.units import Quantity, as_quantity, nM, parse_unit, second


@dataclass(frozen=True)
class TableValue:
    """One measured or estimated quantity of ``transmission.csv``.

    Attributes
    ----------
    value : float
        In `unit`.
    low, high : float or None
        Range, where the table gives one.
    unit, region, kind, checked, source, doi, note : str
        As in the table.
    """

    value: float
    low: float | None
    high: float | None
    unit: str
    region: str
    kind: str
    checked: str
    source: str
    doi: str
    note: str

    @property
    def quantity(self) -> Quantity:
        """The value with its unit (dimensionless for counts and probabilities)."""
        factor, dim = parse_unit("" if self.unit in ("molecules", "1") else self.unit)
        return Quantity(self.value * factor, dim)


@dataclass(frozen=True)
class Release:
    """Self-consistent defaults of one modulator: modeller's choice, not measured.

    Attributes
    ----------
    modulator : str
        DA, ACh, 5-HT, NA or HA.
    half_life : Quantity
        Half-life of clearance.
    per_spike : Quantity
        Rise of the bulk concentration when every source neuron fires once.
    tonic_rate, burst_rate : Quantity
        Firing rates of the source neurons.
    tonic_active_fraction : float
        Fraction of them that fires tonically; in a burst all fire.
    burst_duration : Quantity
        Length of a burst.
    source : str
        Where the numbers come from.
    """

    modulator: str
    half_life: Quantity
    per_spike: Quantity
    tonic_rate: Quantity
    tonic_active_fraction: float
    burst_rate: Quantity
    burst_duration: Quantity
    source: str

    @property
    def tau(self) -> Quantity:
        """Time constant of clearance, ``t_half / ln2``."""
        return self.half_life / math.log(2)

    @property
    def tonic(self) -> Quantity:
        """Concentration in equilibrium with tonic firing, ``R a f t_half / ln2``."""
        return self.equilibrium(self.tonic_rate, self.tonic_active_fraction)

    def equilibrium(self, rate: Quantity, active_fraction: float) -> Quantity:
        """Concentration in equilibrium with a fraction of the sources firing at `rate`."""
        return self.per_spike * active_fraction * (rate * self.tau)

    def burst_peak(self, duration: Quantity | None = None) -> Quantity:
        """Concentration at the end of a burst that starts from the tonic level."""
        length = self.burst_duration if duration is None else duration
        high = self.equilibrium(self.burst_rate, 1.0)
        return high - (high - self.tonic) * math.exp(-(length / self.tau))


def release(modulator: str) -> Release:
    """Release and clearance defaults of a modulator.

    Raises
    ------
    ModelError
        The modulator is unknown; the nearest names are given.
    """
    name = modulator_name(modulator)
    row = transmission_defaults()[name]
    return Release(
        modulator=name,
        half_life=as_quantity(f"{row['half_life_ms']} ms", "ms"),
        per_spike=as_quantity(f"{row['release_per_spike_nM']} nM", "nM"),
        tonic_rate=as_quantity(f"{row['tonic_rate_Hz']} Hz", "Hz"),
        tonic_active_fraction=float(row["tonic_active_fraction"]),
        burst_rate=as_quantity(f"{row['burst_rate_Hz']} Hz", "Hz"),
        burst_duration=as_quantity(f"{row['burst_duration_s']} s", "s"),
        source="transmission_defaults.yaml (modeller_estimate, self-consistent; not measured)",
    )


def quantities(modulator: str) -> dict[str, TableValue]:
    """Every row of ``transmission.csv`` about a modulator, by the name of the quantity."""
    name = modulator_name(modulator)
    mine = (row for row in rows("transmission") if row["modulator"] == name)
    return {row["quantity"]: _table_value(row) for row in mine}


def _table_value(row: Any) -> TableValue:
    def optional(column: str) -> float | None:
        return float(row[column]) if row[column] else None

    texts = ("unit", "region", "kind", "checked", "source", "doi", "note")
    return TableValue(
        float(row["value"]), optional("low"), optional("high"), *(row[t] for t in texts)
    )


def tonic_default(modulator: str) -> Modulator:
    """The modulator at its default tonic level, constant.

    ``C = R a f t_half / ln2`` with the defaults of :func:`release`.
    """
    return Modulator(modulator, release(modulator).tonic)


def phasic(
    modulator: str,
    start: Any,
    duration: Any = None,
    *,
    rate: Any = None,
    active_fraction: float = 1.0,
    tonic: Any = None,
    receptors: tuple[str, ...] = (),
) -> Modulator:
    """The modulator with a burst of its source neurons on top of the tonic level.

    While the burst lasts, the concentration approaches ``R a f t_half / ln2`` with time constant
    ``t_half / ln2``; afterwards it returns to the tonic level with the same.

    Parameters
    ----------
    modulator : str
        DA, ACh, 5-HT, NA or HA.
    start : quantity
        When the burst starts.
    duration : quantity, optional
        How long it lasts; by default as in :func:`release`.
    rate : quantity, optional
        Rate of the source neurons in the burst; by default as in :func:`release`.
    active_fraction : float
        Fraction of them that takes part.
    tonic : quantity, optional
        Level before and after; by default that of tonic firing.
    receptors : tuple of str, optional
        Act on these only.

    Returns
    -------
    Modulator
        With a piecewise-linear course, within 0.1 % of the peak from the exact solution.

    Raises
    ------
    ModelError
        The modulator is unknown, the duration is not positive, or the burst is weaker than the
        tonic level.
    """
    r = release(modulator)
    begin = as_quantity(start, "ms", f"start of the {r.modulator} burst").si
    length = r.burst_duration if duration is None else as_quantity(duration, "ms", "duration")
    f = r.burst_rate if rate is None else as_quantity(rate, "Hz", "rate of the burst")
    level = r.tonic if tonic is None else as_quantity(tonic, "nM", f"tonic level of {r.modulator}")
    rise = (r.equilibrium(f, active_fraction) - level) / nM
    if not (length.si > 0 and math.isfinite(length.si)):
        raise ModelError(f"burst of {r.modulator}: duration must be positive, not {length!r}")
    if rise < 0:
        raise ModelError(
            f"burst of {r.modulator}: its sources would release less than the tonic level "
            f"({level!r}) needs"
        )
    times, shape = _burst_shape(length.si, r.tau.si)
    return Modulator(
        r.modulator,
        level,
        times=tuple((begin + t) * second for t in times),
        values=tuple(float(rise * y) * nM for y in shape),
        receptors=receptors,
    )


def _burst_shape(
    length: float, tau: float
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Times and height of the response to a burst, relative to its equilibrium."""
    # A chord over 0.08 tau misses an exponential by 0.08**2 / 8 < 0.1 % of where it heads for,
    # which a short burst does not nearly reach: hence 32 chords at least.
    up = np.linspace(0.0, length, max(33, math.ceil(min(length / tau, 10) / 0.08) + 1))
    if length > 10 * tau:  # the rise is over long before the end
        up = np.append(np.linspace(0.0, 10 * tau, 126), length)
    down = np.linspace(0.0, 10 * tau, 126)[1:]
    peak = -math.expm1(-length / tau)
    shape = np.concatenate((-np.expm1(-up / tau), peak * np.exp(-down / tau)))
    shape[-1] = 0.0
    return np.concatenate((up, length + down)), shape
