"""Populations of valid ``hh`` models by rejection.

``python -m cell_types.calibration.valid_hh [CELL ...]`` writes ``cell_types/data/valid_hh.csv``
and, with the number of models drawn, ``valid_hh.yaml``. Factors on the conductances are drawn
from the variations of each cell, features measured as in the fit, and a model kept if no feature
is more than :data:`LIMIT` s.d. from its target and the signature holds. Features in which the
calibrated cell itself is further away are left out, and named in ``valid_hh.yaml``.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from biomod.mechanisms import variability
from biomod.model import Cell, Population
from biomod.simulation import Program
from biomod.units import Quantity
from cell_types import _hh_library
from cell_types._hh import lean
from cell_types._valid import with_factors
from cell_types.calibration import l5_et
from cell_types.calibration.features_hh import Protocol, compile_protocol, measure
from cell_types.calibration.fit_hh import CANDIDATES, DT_FINAL
from cell_types.calibration.search_hh import task_for
from cell_types.calibration.targets import Target, targets

DATA = Path(_hh_library.__file__).parent / "data"
LIMIT = 2.0
# Of the penalty for the signature, in the units of search_hh.BOUNDS.
SIGNATURE = 4.0
WANTED, MOST_DRAWN, SEED = 20, 600, 1

Factors = dict[str, float]
Features = Mapping[str, float]


@dataclass(frozen=True)
class Judge:
    """What decides whether a model is valid.

    Attributes
    ----------
    goals : mapping of str to Target
        Published features.
    measure : callable
        Features of some cells, always of as many.
    signature : callable
        Whether features show the signature of the type.
    """

    goals: Mapping[str, Target]
    measure: Callable[[Sequence[Cell]], Sequence[Features]]
    signature: Callable[[Features], bool]

    def misses(self, features: Features) -> tuple[str, ...]:
        """Features that are beyond the limit or not shown."""
        nan = float("nan")
        return tuple(
            p for p, goal in self.goals.items() if not abs(goal.z(features.get(p, nan))) <= LIMIT
        )

    def is_valid(self, features: Features, left_out: tuple[str, ...] = ()) -> bool:
        """Whether all features lie within the limit and the signature holds."""
        return set(self.misses(features)) <= set(left_out) and self.signature(features)


def judge_for(name: str) -> Judge:
    """The judge of one type of cell."""
    if name == l5_et.NAME:
        benches = l5_et.Benches()
        return Judge(targets(name), lambda cells: l5_et.measure(cells, benches), l5_et.signature)
    task = task_for(name)
    protocol = Protocol.for_targets({p: t.value for p, t in task.goals.items()})
    programs: list[Program] = []

    def measured(cells: Sequence[Cell]) -> Sequence[Features]:
        if not programs:
            programs.append(compile_protocol(cells, protocol, DT_FINAL))
        return measure(cells, protocol, programs[0])

    return Judge(task.goals, measured, lambda features: task.penalty(features) <= SIGNATURE)


def facts() -> dict[str, dict[str, Any]]:
    """How the models of each cell were found, as written beside them."""
    path = DATA / "valid_hh.yaml"
    return (yaml.safe_load(path.read_text()) if path.exists() else None) or {}


def draw(name: str, size: int) -> list[Factors]:
    """Factors on the varied parameters of `size` cells, by the path of the variation."""
    cell = _hh_library.build(name)
    values = variability.draw(Population(name, cell, size), SEED)
    found: list[Factors] = [{} for _ in range(size)]
    for variation in cell.variations:
        path = next(p for p in cell.paths(variation.path) if _number(cell.get(p)) > 0)
        for k in range(size):
            found[k][variation.path] = round(float(values[path][k]) / _number(cell.get(path)), 4)
    return found


def _number(value: object) -> float:
    assert isinstance(value, Quantity)
    return value.si


def collect(name: str) -> tuple[list[Factors], int, tuple[str, ...]]:
    """Valid models, how many were drawn for them, and the features left out."""
    judge, cell = judge_for(name), _hh_library.build(name)
    cell = cell if name == l5_et.NAME else lean(cell)
    drawn = draw(name, MOST_DRAWN)
    # The calibrated cell comes first: what it misses is not asked of the others.
    candidates: list[Factors] = [{}, *drawn]
    valid: list[Factors] = []
    left_out: tuple[str, ...] = ()
    for k in range(0, MOST_DRAWN, CANDIDATES):
        batch = candidates[k : k + CANDIDATES]
        cells = [with_factors(cell, factors) for factors in batch]
        found = judge.measure(cells)
        if k == 0:
            left_out = judge.misses(found[0])
            batch, found = batch[1:], found[1:]
        valid += [f for f, x in zip(batch, found, strict=True) if judge.is_valid(x, left_out)]
        sys.stderr.write(f"{name}: {len(valid)} of {k + CANDIDATES - 1}\n")
        if len(valid) >= WANTED:
            return valid, k + CANDIDATES - 1, left_out
    return valid, MOST_DRAWN - 1, left_out


def main(names: list[str]) -> None:
    """Draw models of the named cells (default: all) and replace theirs in the data files."""
    table = DATA / "valid_hh.csv"
    for name in names or list(_hh_library.fitted_values()):
        valid, drawn, left_out = collect(name)
        rows = _read(table, name)
        for number, factors in enumerate(valid):
            rows += [(name, str(number), path, f"{value:g}") for path, value in factors.items()]
        with table.with_suffix(".partial").open("w", newline="") as file:
            csv.writer(file).writerows([("cell_type", "model", "path", "factor"), *rows])
        table.with_suffix(".partial").replace(table)
        document = facts()
        document[name] = {
            "valid": len(valid), "drawn": drawn, "seed": SEED, "limit_sd": LIMIT,
            "left_out": list(left_out), "script": "python -m cell_types.calibration.valid_hh",
        }  # fmt: skip
        (DATA / "valid_hh.yaml").write_text(yaml.safe_dump(document, sort_keys=False))


def _read(table: Path, but: str) -> list[tuple[str, ...]]:
    """Rows of the other cells."""
    if not table.exists():
        return []
    with table.open(newline="") as file:
        return [tuple(row) for row in list(csv.reader(file))[1:] if row[0] != but]


if __name__ == "__main__":
    main(sys.argv[1:])
