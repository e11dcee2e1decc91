"""Fit the cells of fidelity ``hh`` to their published features.

``python -m cell_types.calibration.fit_hh [CELL ...]`` writes ``cell_types/data/fitted_hh.yaml``,
some minutes for a cell. Leak and capacitance are solved for at every candidate
(:mod:`~cell_types.calibration.leak_hh`); densities and shifts of kinetics are searched for with
CMA-ES (Hansen 2016, arXiv:1604.00772) on 1-s current steps. All candidates times all currents are
one population of one compiled program.

The search begins at the start that the entry of the cell states, with the settings and the seed
stated there, so the command gives the shipped entry again. Each start was found by earlier rounds
of search, which the entry lists. ``--onward`` makes another round from the last result;
``--generations``, ``--sigma``, ``--seed`` and ``--dt`` change its settings. A cell without entry
begins in the middle of its ranges.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from biomod.errors import ModelError, unknown_name
from biomod.model import Cell
from biomod.simulation import Program
from biomod.units import parse_quantity
from cell_types import _hh_library
from cell_types._hh import lean, with_values
from cell_types.calibration import leak_hh
from cell_types.calibration.features_hh import Protocol, compile_protocol, measure
from cell_types.calibration.targets import Target

DATA = Path(_hh_library.__file__).parent / "data" / "fitted_hh.yaml"
CANDIDATES = 12
DT_FINAL = "0.025 ms"
# Loss of a candidate that cannot be built, that fires at rest, and of a feature it does not show.
IMPOSSIBLE, AT_REST, MISSING = 4000.0, 2000.0, 30.0
# Deviations count squared up to this many s.d., linearly beyond.
KINK = 3.0
LOSS_DIGITS = 6


@dataclass(frozen=True)
class Knob:
    """One searched parameter.

    Attributes
    ----------
    path : str
        Parameter, or ``*.parameter`` for that of every compartment; later knobs replace earlier
        ones.
    low, high : float
        Range in `unit`; the search starts in its middle.
    unit : str
        ``"uS/cm2"`` and ``"ms"`` are searched on a logarithmic scale, ``"mV"`` on a linear one.
    """

    path: str
    low: float
    high: float
    unit: str = "uS/cm2"

    def value(self, x: float) -> str:
        """The parameter at a point of the search space, in which the range is 0 to 1."""
        x = float(np.clip(x, 0.0, 1.0))
        if self.unit == "mV":
            return f"{self.low + (self.high - self.low) * x:.4f} mV"
        return f"{self.low * (self.high / self.low) ** x:.5g} {self.unit}"

    def position(self, text: str) -> float:
        """The point of the search space of a parameter as written by :meth:`value`."""
        number = float(text.split()[0])
        if self.unit == "mV":
            return (number - self.low) / (self.high - self.low)
        return float(np.log(number / self.low) / np.log(self.high / self.low))


@dataclass(frozen=True)
class Stage:
    """Settings of a search with CMA-ES.

    Attributes
    ----------
    generations : int
        Of :data:`CANDIDATES` each.
    sigma : float
        First step, as a share of the ranges.
    seed : int
        Of the candidates.
    dt : str
        Time step of the simulations.
    """

    generations: int
    sigma: float
    seed: int
    dt: str


# Of a cell that has no entry yet.
FIRST = Stage(generations=35, sigma=0.22, seed=1, dt="0.05 ms")

Penalty = Callable[[Mapping[str, float]], float]


@dataclass(frozen=True)
class Task:
    """What a fit needs of a cell type.

    Attributes
    ----------
    name : str
        Cell type.
    knobs : sequence of Knob
        What is searched.
    goals : mapping of str to Target
        Targets by property.
    penalty : callable
        Added to the loss; takes the features, e.g. for what makes the signature of a type.
    share : float
        Share of potassium in the leak.
    weights : mapping of str to float
        Factor on the squared deviation of a feature; 1 for the others.
    """

    name: str
    knobs: Sequence[Knob]
    goals: Mapping[str, Target]
    penalty: Penalty = lambda features: 0.0
    share: float = 0.6
    weights: Mapping[str, float] = field(default_factory=dict)

    @cached_property
    def template(self) -> Cell:
        """The lean cell whose parameters the search changes."""
        return lean(_hh_library.build(self.name, {}))

    def cell(self, parameters: Mapping[str, str]) -> Cell:
        """The lean cell with these parameters."""
        return _with(self.template, parameters)

    def candidate(self, x: Sequence[float] | np.ndarray) -> tuple[dict[str, str], Cell]:
        """Parameters at a point of the search space, the leak solved for, and the lean cell.

        Raises
        ------
        ModelError
            No leak gives the targets with these channels.
        """
        found = {k.path: k.value(v) for k, v in zip(self.knobs, x, strict=True)}
        cell = self.cell(found)
        v_rest, r_in, tau_m = (self.goals[p].value for p in ("V_rest", "Rin", "tau_m"))
        leak = leak_hh.solve(cell, v_rest, r_in, tau_m, self.share)
        return found | leak, _with(cell, leak)

    def loss(self, features: Mapping[str, float]) -> float:
        """Sum of squared deviations in s.d., linear beyond :data:`KINK`, and the penalty."""
        if "V_rest" not in features or "rheobase_long_square" not in features:
            return AT_REST
        total = self.penalty(features)
        for name, goal in self.goals.items():
            value = features.get(name, np.nan)
            z = abs(goal.z(value)) if np.isfinite(value) else np.nan
            one = MISSING if np.isnan(z) else z**2 if z < KINK else KINK * (2 * z - KINK)
            total += self.weights.get(name, 1.0) * one
        return float(total)


def _with(cell: Cell, parameters: Mapping[str, str]) -> Cell:
    return with_values(cell, {path: parse_quantity(v) for path, v in parameters.items()})


def search(
    task: Task,
    start: Sequence[float],
    stage: Stage,
    report: Callable[[str], object] = sys.stderr.write,
) -> tuple[dict[str, str], dict[str, float], float]:
    """Best parameters, their features and loss."""
    import cma

    middle = np.asarray(start, dtype=float)
    options = {"seed": stage.seed, "popsize": CANDIDATES, "verbose": -9, "bounds": [0, 1]}
    strategy = cma.CMAEvolutionStrategy(np.clip(middle, 0.02, 0.98), stage.sigma, options)
    protocol = Protocol.for_targets({p: t.value for p, t in task.goals.items()})
    program: Program | None = None
    best: tuple[dict[str, str], dict[str, float], float] | None = None
    for generation in range(stage.generations):
        points = strategy.ask()
        if generation == 0:
            points[0] = np.clip(middle, 0.0, 1.0)
        candidates = [_candidate(task, x) for x in points]
        possible = [c for c in candidates if c is not None]
        if not possible:
            strategy.tell(points, [IMPOSSIBLE + float(np.sum(x**2)) for x in points])
            continue
        cells = [(c or possible[0])[1] for c in candidates]
        program = program or compile_protocol(cells, protocol, stage.dt)
        features = measure(cells, protocol, program)
        # Rounded, so that the last bits of a sum do not decide between two candidates.
        losses = [
            IMPOSSIBLE if c is None else round(task.loss(f), LOSS_DIGITS)
            for c, f in zip(candidates, features, strict=True)
        ]
        strategy.tell(points, losses)
        k = int(np.argmin(losses))
        chosen = candidates[k]
        if chosen is not None and (best is None or losses[k] < best[2]):
            best = (chosen[0], features[k], losses[k])
        report(f"{task.name} {generation}: {min(losses):.2f} (best {best[2] if best else 0:.2f})\n")
    if best is None:
        raise ModelError(f"{task.name}: no candidate could be built")
    return best


def _candidate(task: Task, x: np.ndarray) -> tuple[dict[str, str], Cell] | None:
    try:
        return task.candidate(x)
    except ModelError:
        return None


def start_of(task: Task, entry: Mapping[str, Any], onward: bool = False) -> list[float]:
    """Where the search of a cell begins, in its search space.

    Parameters
    ----------
    entry : mapping
        That of the cell in the data file; an empty one means the middle of all ranges.
    onward : bool
        From the result of the last search, not from its start.
    """
    if not entry:
        return [0.5] * len(task.knobs)
    known = entry["parameters"] if onward else entry["start"]["parameters"]
    return [k.position(known[k.path]) for k in task.knobs]


def stage_of(entry: Mapping[str, Any]) -> Stage:
    """The settings of the search that gave an entry of the data file."""
    return Stage(**{k: v for k, v in entry["search"].items() if k != "loss"}) if entry else FIRST


def fit(task: Task, start: Sequence[float], stage: Stage) -> dict[str, Any]:
    """Search from `start` and return the entry of the data file, with its provenance.

    The features that it reaches are measured on NEURON besides, which must be installed.
    """
    from cell_types.calibration.table import features

    parameters, reached, loss = search(task, start, stage)
    cell = task.cell(parameters)
    if stage.dt != DT_FINAL:
        reached = features(task.name, "cpp", cell)
    on_neuron = features(task.name, "neuron", cell)
    brian, neuron = ({k: round(float(v), 5) for k, v in f.items()} for f in (reached, on_neuron))
    return {
        "parameters": parameters,
        "features": brian,
        "features_neuron": neuron,
        "script": f"python -m cell_types.calibration.fit_hh {task.name}",
        "start": {
            "parameters": {k.path: k.value(x) for k, x in zip(task.knobs, start, strict=True)}
        },
        "search": {**asdict(stage), "loss": loss},
        "targets": "cell_types/data/targets.csv",
        "versions": {p: version(p) for p in ("brian2", "neuron", "cma", "efel")},
    }


def write(name: str, entry: Mapping[str, Any], path: Path = DATA) -> None:
    """Replace the entry of a cell in the data file."""
    document = (yaml.safe_load(path.read_text()) if path.exists() else None) or {}
    document[name] = dict(entry)
    partial = path.with_suffix(".partial")
    partial.write_text(yaml.safe_dump(document, sort_keys=False))
    partial.replace(path)


def main(arguments: Sequence[str] | None = None) -> None:
    """Fit the named cells (default: all) and write them into the data file."""
    from cell_types.calibration.search_hh import KNOBS, task_for

    parser = argparse.ArgumentParser(prog="python -m cell_types.calibration.fit_hh")
    parser.add_argument("cells", nargs="*", metavar="CELL", help=f"of {', '.join(KNOBS)}")
    parser.add_argument("--onward", action="store_true", help="start from the last result")
    parser.add_argument("--generations", type=int)
    parser.add_argument("--sigma", type=float, help="first step of the search")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--dt", help="time step of the search")
    given = vars(parser.parse_args(arguments))
    cells, onward = given.pop("cells"), given.pop("onward")
    changed = {k: v for k, v in given.items() if v is not None}
    for name in cells:
        if name not in KNOBS:
            raise SystemExit(str(unknown_name("cell with a fit of this script", name, KNOBS)))
    for name in cells or KNOBS:
        task, old = task_for(name), _hh_library.fitted_file().get(name, {})
        stage = replace(stage_of(old), **changed)
        entry = fit(task, start_of(task, old, onward), stage)
        rounds = [*old["start"]["rounds"]] if old else []
        # What led to the start, each from the result of the one before.
        entry["start"]["rounds"] = [*rounds, old["search"]] if old and onward else rounds
        write(name, entry)


if __name__ == "__main__":
    main()
