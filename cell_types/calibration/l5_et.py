"""Fit the thick-tufted layer 5 cell of fidelity ``hh``: features, sag, resonance and P05 to P09.

``python -m cell_types.calibration.l5_et [GENERATIONS [FILE]]`` searches from the knobs in
``cell_types/data/start_l5_et.yaml`` (seed fixed) and writes the best ones to FILE, by default
``cell_types/data/fitted_hh.yaml``, with the parameters that follow from them. Knobs are few:
densities of soma, initial segment and basal dendrites, gradients along the apical dendrite, and its
geometry. Each generation of CMA-ES has some candidates from a linear model of the features
(:mod:`cell_types.calibration.guesses`). The best so far is in ``FILE.best`` while the search runs.

The start is an estimate; the file says how it was made.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import version
from pathlib import Path

import numpy as np
import yaml

from biomod.errors import ModelError
from biomod.mechanisms.passive import rest
from biomod.model import Cell
from biomod.units import Quantity, parse_quantity
from cell_types import _hh_library
from cell_types import protocols as p
from cell_types._hh import CHANNELS
from cell_types._l5_et import APICAL, BLUEPRINT, HOT, TUFT, distances
from cell_types.calibration import features_l5_et as f
from cell_types.calibration.guesses import guesses
from cell_types.calibration.targets import Target, targets

NAME = "L5_ET"
DATA = Path(_hh_library.__file__).parent / "data" / "fitted_hh.yaml"
START = DATA.with_name("start_l5_et.yaml")
# Distances (um) up to which sodium and Kv3, and h current, change along the apical dendrite.
SODIUM_END, IH_END = 660.0, 600.0


@dataclass(frozen=True)
class Range:
    """Bounds of a knob, and its unit; searched on a logarithmic scale unless `linear`."""

    low: float
    high: float
    linear: bool = False

    def value(self, x: float) -> float:
        """The knob at a position from 0 to 1."""
        if self.linear:
            return self.low + (self.high - self.low) * x
        return self.low * (self.high / self.low) ** x

    def position(self, value: float) -> float:
        """Inverse of :meth:`value`, limited to the range."""
        if self.linear:
            x = (value - self.low) / (self.high - self.low)
        else:
            x = math.log(value / self.low) / math.log(self.high / self.low)
        return min(max(x, 0.0), 1.0)


# Densities in uS/cm2 around those of Hay et al. 2011 (``model_*`` rows of targets.csv); suffix
# ``_soma``, ``_basal``, ``_near`` and ``_far`` (apical, near the soma and far), ``_tuft``.
KNOBS: dict[str, Range] = {
    "NaTa_soma": Range(3e5, 4e6), "Kv3_soma": Range(1e5, 2e6), "NaP_soma": Range(30, 4e3),
    "A_soma": Range(1e3, 2e5), "M_soma": Range(1, 2e3), "SK_soma": Range(100, 1e5),
    "sAHP_soma": Range(1, 2e3), "CaHVA_soma": Range(30, 3e3), "CaT_soma": Range(30, 6e3),
    "gamma_soma": Range(2e-4, 2e-2), "tau_soma": Range(20, 700),
    "NaTa_ais": Range(3e5, 1.5e7), "NaP_ais": Range(30, 3e4), "Kv3_ais": Range(1e4, 3e6),
    "M_ais": Range(1, 3e4), "NaTa_shift_ais": Range(-14, 4, True),
    "NaTa_basal": Range(1e3, 2e5), "Kv3_basal": Range(1e3, 2e5),
    "Ih_soma": Range(10, 600), "Ih_far": Range(100, 6e3), "Ih_slope": Range(1, 4.5, True),
    "Ih_tuft": Range(500, 4e4),
    "NaTa_near": Range(5e3, 1.5e5), "NaTa_far": Range(3e3, 8e4),
    "Kv3_near": Range(100, 5e4), "Kv3_far": Range(50, 2e4),
    "CaHVA_hot": Range(50, 4e3), "CaT_hot": Range(100, 1.2e5), "SK_hot": Range(10, 2e4),
    "M_tuft": Range(1, 300), "gamma_hot": Range(1e-4, 1e-2), "tau_hot": Range(20, 250),
    "leak_soma": Range(8, 80), "leak_apical": Range(10, 120), "E_leak": Range(-98, -80, True),
    "diameter_trunk": Range(0.45, 1.1), "diameter_tuft": Range(0.35, 1.2),
    "area_basal": Range(0.8, 2.5), "area_trunk": Range(1, 2.5), "area_tuft": Range(1, 3),
    "r_axial": Range(70, 250), "NaTa_shift": Range(-6, 8, True), "Ih_shift": Range(-5, 20, True),
    "NaTa_shift_apical": Range(-6, 12, True),
}  # fmt: skip


def values(knobs: Mapping[str, float]) -> dict[str, str]:
    """Parameters of the cell by path that follow from the knobs."""
    found: dict[str, str] = {"*.r_axial": f"{knobs['r_axial']:.5g} ohm cm"}
    for channel in BLUEPRINT.parts["soma"].channels:
        if f"{channel}_soma" in knobs:
            found[f"soma.{channel}.g_max"] = _density(knobs[f"{channel}_soma"])
    for channel in ("NaTa", "NaP", "Kv3", "M"):
        found[f"ais.{channel}.g_max"] = _density(knobs[f"{channel}_ais"])
    found["ais.NaTa.v_shift"] = f"{knobs['NaTa_shift_ais']:.4g} mV"
    for channel in ("NaTa", "Kv3"):
        found[f"basal.{channel}.g_max"] = _density(knobs[f"{channel}_basal"])
    for name in ("basal", "basal2"):
        found[f"{name}.Ih.g_max"] = _density(knobs["Ih_soma"])
    for name in ("soma", "basal"):
        found[f"{name}.NaTa.v_shift"] = f"{knobs['NaTa_shift']:.4g} mV"
    found["*.Ih.v_shift"] = f"{knobs['Ih_shift']:.4g} mV"
    found["basal.area_factor"] = f"{knobs['area_basal']:.5g}"
    for name, suffix in (("soma", "soma"), *((h, "hot") for h in HOT)):
        found[f"{name}.calcium.gamma"] = f"{knobs[f'gamma_{suffix}']:.5g}"
        found[f"{name}.calcium.tau_decay"] = f"{knobs[f'tau_{suffix}']:.5g} ms"
    for name in HOT:
        for channel in ("CaHVA", "CaT", "SK"):
            found[f"{name}.{channel}.g_max"] = _density(knobs[f"{channel}_hot"])
    return found | _apical(knobs) | _leak(knobs)


def _apical(knobs: Mapping[str, float]) -> dict[str, str]:
    """Geometry and gradients of the apical dendrite.

    Ih rises exponentially up to the nexus (Kole et al. 2006, 10.1523/JNEUROSCI.3664-05.2006) and is
    uniform in the tuft; sodium and Kv3 change exponentially up to the nexus.
    """
    found: dict[str, str] = {}
    for name, distance in distances().items():
        part = "tuft" if name in TUFT else "trunk"
        diameter = BLUEPRINT.parts[name].diameter * knobs[f"diameter_{part}"]
        found[f"{name}.diameter"] = f"{diameter:.5g} um"
        found[f"{name}.area_factor"] = f"{knobs[f'area_{part}']:.5g}"
        x = min(distance, SODIUM_END) / SODIUM_END
        for channel in ("NaTa", "Kv3"):
            near, far = knobs[f"{channel}_near"], knobs[f"{channel}_far"]
            found[f"{name}.{channel}.g_max"] = _density(near * (far / near) ** x)
        found[f"{name}.Ih.g_max"] = _density(
            knobs["Ih_tuft"] if name in TUFT else _h_current(knobs, distance)
        )
        found[f"{name}.NaTa.v_shift"] = f"{knobs['NaTa_shift_apical']:.4g} mV"
        if name in TUFT:
            found[f"{name}.M.g_max"] = _density(knobs["M_tuft"])
    return found


def _h_current(knobs: Mapping[str, float], distance: float) -> float:
    slope = knobs["Ih_slope"]
    rise = math.expm1(slope * min(distance, IH_END) / IH_END) / math.expm1(slope)
    return knobs["Ih_soma"] + (knobs["Ih_far"] - knobs["Ih_soma"]) * rise


def _leak(knobs: Mapping[str, float]) -> dict[str, str]:
    """Both leaks: together a density and a reversal, the potassium share as in other cells."""
    share = BLUEPRINT.potassium_share
    e_k = CHANNELS["leak_K"]("0 uS/cm2").E_rev.to("mV")
    found = {"*.E_leak": f"{(knobs['E_leak'] - share * e_k) / (1 - share):.5g} mV"}
    for name in BLUEPRINT.parts:
        total = knobs["leak_apical" if name in APICAL else "leak_soma"]
        found[f"{name}.g_leak"] = _density((1 - share) * total)
        found[f"{name}.leak_K.g_max"] = _density(share * total)
    return found


def _density(x: float) -> str:
    return f"{x:.5g} uS/cm2"


# Feature, lowest and highest value, and the excess that costs 1: acceptance numbers of the
# phenomena with a margin; a first interval at rheobase of at most 25 ms is the burst at threshold.
BOUNDS: tuple[tuple[str, float, float, float], ...] = (
    ("critical_frequency", 66, 180, 10), ("jump_width", 0, 20, 3), ("jump", 1.8, 9, 0.15),
    ("lowest", 0.33, 0.65, 0.03), ("window", 12, 37, 2), ("far", 0.94, 1.3, 0.03),
    ("spikes_alone", 0, 0, 0.5), ("spikes_both", 2, 4, 0.5), ("alpha2A", 0, 0.82, 0.03),
    ("best_interval", 0.5, 9, 1), ("burst_above_rheobase", 0, 0, 20),
    ("resistance_at_same_v", 1.22, 3, 0.03), ("burst_drive", 20, 1e3, 3),
    ("spikes_inhibited", 1, 1, 0.3), ("plateau_inhibited", 0, 9, 2),
    ("soma_shift", -3.5, 3.5, 0.4), ("spikes_of_pulse", 1, 1, 0.3),
    ("share_without_sodium_at_660um", 0, 0.56, 0.04),
    ("share_without_sodium_at_800um", 0, 0.56, 0.04), ("first_ISI_at_rheobase", 0, 22, 4),
)  # fmt: skip
NEAR = 1.5  # s.d. within which a feature costs next to nothing
MISSING = 8.0  # excess of a feature that the cell does not show
# Guesses in each generation: how far they may be from the best candidate, in first steps.
RADII = (1.5, 3.0, 5.0, 8.0)
CANDIDATES, GENERATIONS, SIGMA, SEED = 12, 3, 0.006, 1
# Steps of the search: the short one for the height of action potentials, which the long one gets
# wrong by 5 mV. All features are written with the short one.
DT, FINE = "0.05 ms", "0.025 ms"
PROTOCOLS = (f.at_steps, f.near_rest, f.dendritic, f.inhibited, f.h_current_of_the_tuft)


def loss(found: Mapping[str, float]) -> float:
    """Excess over 1.5 s.d. of the targets, and over the bounds; a little of the distance itself."""
    total = 0.0
    for name, goal in _targets().items():
        z = abs(goal.z(found.get(name, math.nan)))
        if math.isnan(z):
            total += _cost(MISSING)
        else:
            total += 0.03 * min(z, 10.0) ** 2 + 2 * _cost(max(z - NEAR, 0.0))
    for name, low, high, scale in BOUNDS:
        x = found.get(name, math.nan)
        total += _cost(MISSING if math.isnan(x) else max(low - x, x - high, 0.0) / scale)
    return total


def signature(found: Mapping[str, float]) -> bool:
    """A burst at threshold and BAC firing: one current alone no spike, with another one 2 to 4."""
    nan = math.nan
    burst = found.get("first_ISI_at_rheobase", nan) < f.BURST
    return burst and found.get("spikes_alone") == 0 and 2 <= found.get("spikes_both", nan) <= 4


@cache
def _targets() -> dict[str, Target]:
    return targets(NAME)


def _cost(excess: float) -> float:
    """Squared, beyond 2 logarithmic: what is far off shall not drown what is nearly right."""
    return excess**2 if excess < 2 else 4 + 8 * math.log(excess / 2)


@dataclass(frozen=True)
class Benches:
    """Where candidates are measured: programs with the long and the short step."""

    coarse: p.Bench = field(default_factory=lambda: p.Bench("cpp", DT))
    fine: p.Bench = field(default_factory=lambda: p.Bench("cpp", FINE))


def measure(cells: Sequence[Cell], benches: Benches) -> list[dict[str, float]]:
    """Every feature that the loss looks at."""
    found = f.measured(cells, benches.coarse, PROTOCOLS)
    shapes = f.back_propagation(cells, benches.fine)
    return [a | b for a, b in zip(found, shapes, strict=True)]


def measure_knobs(
    candidates: Sequence[Mapping[str, float]], benches: Benches, base: Cell
) -> list[dict[str, float]]:
    """Features of each candidate; none of a cell without a resting potential.

    `base` is the cell that takes the values: to build one anew takes twice as long.
    """
    cells = [base.with_(_by_path(base, values(knobs))) for knobs in candidates]
    try:
        return measure(cells, benches)
    except ModelError:
        resting = [rests(cell) for cell in cells]
        if all(resting):
            raise
    # Every run has the same number of cells, so that one program does for all.
    stand_in = next((c for c, good in zip(cells, resting, strict=True) if good), base)
    found = measure([c if r else stand_in for c, r in zip(cells, resting, strict=True)], benches)
    return [x if good else {} for x, good in zip(found, resting, strict=True)]


def _by_path(cell: Cell, found: Mapping[str, str]) -> dict[str, Quantity]:
    return {path: parse_quantity(v) for k, v in found.items() for path in cell.paths(k)}


def rests(cell: Cell) -> bool:
    """Whether the cell has a resting potential, with and without what the protocols block."""
    try:
        for c in (cell, p.without(cell, ("NaTa",), APICAL)):
            rest(c)
    except ModelError:
        return False
    return True


@dataclass(frozen=True)
class Found:
    """Knobs that a search found, with the loss of its start and theirs (NaN: not measured)."""

    knobs: dict[str, float]
    loss_before: float
    loss_after: float


def search(
    begin: Mapping[str, float],
    generations: int = GENERATIONS,
    sigma: float = SIGMA,
    seed: int = SEED,
    keep: Path | None = None,
) -> Found:
    """The best knobs that CMA-ES finds around `begin`.

    Parameters
    ----------
    begin : mapping of str to float
        Knobs of the first candidate.
    generations : int
        Of :data:`CANDIDATES` candidates each; with none, `begin` is the result.
    sigma : float
        First step of the search, as a share of the ranges.
    seed : int
        Of the search.
    keep : Path, optional
        File for the best knobs so far, written whenever there are better ones.
    """
    import cma

    benches, base = Benches(), _hh_library.build(NAME, values(begin))
    x0 = np.clip([KNOBS[k].position(begin[k]) for k in KNOBS], 0.005, 0.995)
    seen = _Seen(keep)
    options = {"seed": seed, "popsize": CANDIDATES, "verbose": -9, "bounds": [0, 1]}
    strategy = cma.CMAEvolutionStrategy(x0, sigma, options)
    for generation in range(generations):
        if generation == 0:
            strategy.inject([x0], force=True)
        elif generation > 1:
            radii = [sigma * r for r in RADII]
            measured, number = (seen.points, seen.features, seen.losses), seed + 100 * generation
            strategy.inject(guesses(*measured, loss, radii, number), force=True)
        asked = [np.clip(x, 0, 1) for x in strategy.ask()]
        new = measure_knobs([knobs_at(x) for x in asked], benches, base)
        seen.add(asked, new)
        strategy.tell(asked, seen.losses[-CANDIDATES:])
    if not generations:
        return Found(dict(begin), math.nan, math.nan)
    nearest = int(np.argmin([np.abs(x - x0).max() for x in seen.points]))
    return Found(knobs_at(seen.best), seen.losses[nearest], min(seen.losses))


@dataclass
class _Seen:
    """What a search has measured so far; says so, and keeps the best in a file."""

    keep: Path | None
    points: list[np.ndarray] = field(default_factory=list)
    features: list[dict[str, float]] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)

    @property
    def best(self) -> np.ndarray:
        return self.points[int(np.argmin(self.losses))]

    def add(self, points: Sequence[np.ndarray], features: Sequence[dict[str, float]]) -> None:
        before = min(self.losses, default=math.inf)
        new = [loss(m) for m in features]
        self.points += points
        self.features += features
        self.losses += new
        i = int(np.argmin(self.losses))
        if self.keep is not None and self.losses[i] < before:
            _keep(self.keep, self.losses[i], self.points[i], self.features[i])
        recent = " ".join(f"{x:.0f}" for x in new)
        count = len(self.losses)
        sys.stderr.write(f"{NAME} {count}: {recent} (best {self.losses[i]:.2f})\n")


def knobs_at(x: np.ndarray) -> dict[str, float]:
    """Knobs at positions from 0 to 1."""
    return {k: KNOBS[k].value(float(v)) for k, v in zip(KNOBS, x, strict=True)}


def _keep(path: Path, least: float, x: np.ndarray, found: Mapping[str, float]) -> None:
    document = {"loss": least, "knobs": knobs_at(x), "found": dict(found)}
    partial = path.with_suffix(".partial")
    partial.write_text(yaml.safe_dump(document, sort_keys=False))
    partial.replace(path)


def write(found: Found, generations: int, path: Path = DATA) -> None:
    """Put the parameters that follow from the knobs into the data file, with their features."""
    knobs = {k: float(f"{v:.5g}") for k, v in found.knobs.items()}
    cell = _hh_library.build(NAME, values(knobs))
    document = yaml.safe_load(path.read_text()) if path.exists() else {}
    entry = {
        "parameters": values(knobs),
        "knobs": knobs,
        "script": f"python -m cell_types.calibration.l5_et {generations}",
        "search": {
            "start": START.name, "seed": SEED, "generations": generations,
            "loss_of_start": round(found.loss_before, 3), "loss": round(found.loss_after, 3),
        },
        "targets": "cell_types/data/targets.csv",
        "versions": {name: version(name) for name in ("brian2", "cma", "efel")},
    }  # fmt: skip
    for label, backend in (("features", "cpp"), ("features_neuron", "neuron")):
        measured = f.features(cell, p.Bench(backend))
        entry[label] = {k: round(float(v), 5) for k, v in measured.items()}
    document[NAME] = entry
    partial = path.with_suffix(".partial")
    partial.write_text(yaml.safe_dump(document, sort_keys=False))
    partial.replace(path)


def start() -> dict[str, float]:
    """The knobs from which the search starts."""
    found: dict[str, float] = yaml.safe_load(START.read_text())["knobs"]
    return found


def main(arguments: Sequence[str]) -> None:
    """Search from the start and write what follows from the best knobs."""
    generations = int(arguments[0]) if arguments else GENERATIONS
    path = Path(arguments[1]) if len(arguments) > 1 else DATA
    kept = path.with_suffix(".best")
    write(search(start(), generations, keep=kept), generations, path)
    kept.unlink(missing_ok=True)


if __name__ == "__main__":
    main(sys.argv[1:])
