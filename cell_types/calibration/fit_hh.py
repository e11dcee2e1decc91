"""Fit the cells of fidelity ``hh`` to their published features.

``python -m cell_types.calibration.fit_hh [CELL ...]`` writes ``cell_types/data/fitted_hh.yaml``.
Leak and capacitance are solved for at every candidate (:mod:`~cell_types.calibration.leak_hh`);
densities and shifts of kinetics are searched for with CMA-ES (Hansen 2016, arXiv:1604.00772) on
1-s current steps. All candidates times all currents are one population of one compiled program,
with a step of 0.05 ms; the features of the best one are measured again at 0.025 ms. Seeds are
fixed.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

import numpy as np
import yaml

from biomod.errors import ModelError
from biomod.model import Cell
from biomod.simulation import Program
from cell_types import _hh_library
from cell_types.calibration import leak_hh
from cell_types.calibration.features_hh import Protocol, compile_protocol, measure
from cell_types.calibration.targets import Target

DATA = Path(_hh_library.__file__).parent / "data" / "fitted_hh.yaml"
CANDIDATES, GENERATIONS, SIGMA = 12, 40, 0.2
DT, DT_FINAL = "0.05 ms", "0.025 ms"
# Loss of a candidate that cannot be built, that fires at rest, and of a feature it does not show.
IMPOSSIBLE, AT_REST, MISSING = 4000.0, 2000.0, 30.0
# Deviations count squared up to this many s.d., linearly beyond.
KINK = 3.0


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
    build : callable
        The cell from parameters by path.
    share : float
        Share of potassium in the leak.
    weights : mapping of str to float
        Factor on the squared deviation of a feature; 1 for the others.
    """

    name: str
    knobs: Sequence[Knob]
    goals: Mapping[str, Target]
    penalty: Penalty = lambda features: 0.0
    build: Callable[[str, Mapping[str, str]], Cell] = field(
        default_factory=lambda: _hh_library.build
    )
    share: float = 0.6
    weights: Mapping[str, float] = field(default_factory=dict)

    def parameters(self, x: Sequence[float] | np.ndarray) -> dict[str, str]:
        """All parameters at a point of the search space, the leak solved for.

        Raises
        ------
        ModelError
            No leak gives the targets with these channels.
        """
        found = {k.path: k.value(v) for k, v in zip(self.knobs, x, strict=True)}
        cell = self.build(self.name, found)
        v_rest, r_in, tau_m = (self.goals[p].value for p in ("V_rest", "Rin", "tau_m"))
        return found | leak_hh.solve(cell, v_rest, r_in, tau_m, self.share)

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


def search(
    task: Task,
    start: Sequence[float] | None = None,
    generations: int = GENERATIONS,
    sigma: float = SIGMA,
    seed: int = 1,
    dt: str = DT,
    report: Callable[[str], object] = sys.stderr.write,
    keep: Callable[[dict[str, str], float], object] = lambda parameters, loss: None,
) -> tuple[dict[str, str], dict[str, float], float]:
    """Best parameters, their features and loss; `keep` is told of each new best."""
    import cma

    middle = np.full(len(task.knobs), 0.5) if start is None else np.asarray(start, dtype=float)
    options = {"seed": seed, "popsize": CANDIDATES, "verbose": -9, "bounds": [0, 1]}
    strategy = cma.CMAEvolutionStrategy(np.clip(middle, 0.02, 0.98), sigma, options)
    protocol = Protocol.for_targets({p: t.value for p, t in task.goals.items()})
    program: Program | None = None
    best: tuple[dict[str, str], dict[str, float], float] | None = None
    for generation in range(generations):
        points = strategy.ask()
        if generation == 0:
            points[0] = np.clip(middle, 0.0, 1.0)
        parameters = [_parameters(task, x) for x in points]
        possible = [p for p in parameters if p is not None]
        if not possible:
            strategy.tell(points, [IMPOSSIBLE + float(np.sum(x**2)) for x in points])
            continue
        cells = [task.build(task.name, p or possible[0]) for p in parameters]
        program = program or compile_protocol(cells, protocol, dt)
        features = measure(cells, protocol, program)
        losses = [
            IMPOSSIBLE if p is None else task.loss(f)
            for p, f in zip(parameters, features, strict=True)
        ]
        strategy.tell(points, losses)
        k = int(np.argmin(losses))
        chosen = parameters[k]
        if chosen is not None and (best is None or losses[k] < best[2]):
            best = (chosen, features[k], losses[k])
            keep(chosen, losses[k])
        report(f"{task.name} {generation}: {min(losses):.2f} (best {best[2] if best else 0:.2f})\n")
    if best is None:
        raise ModelError(f"{task.name}: no candidate could be built")
    return best


def _parameters(task: Task, x: np.ndarray) -> dict[str, str] | None:
    try:
        return task.parameters(x)
    except ModelError:
        return None


def write(task: Task, parameters: Mapping[str, str], seed: int, path: Path = DATA) -> None:
    """Put fitted parameters with their provenance into the data file.

    Features are measured with the fine step on both simulators, so NEURON must be installed.
    """
    from cell_types.calibration.table import BACKENDS, features

    cell = task.build(task.name, parameters)
    reached = [features(task.name, backend, cell) for backend in BACKENDS]
    brian, neuron = ({k: round(float(v), 5) for k, v in f.items()} for f in reached)
    document = yaml.safe_load(path.read_text()) if path.exists() else {}
    document = document or {}
    this_round = {"generations": GENERATIONS, "sigma": SIGMA, "seed": seed, "dt": DT}
    document[task.name] = {
        "parameters": dict(parameters),
        "features": brian,
        "features_neuron": neuron,
        "script": f"python -m cell_types.calibration.fit_hh {task.name}",
        # Each started from the result of the one before.
        "rounds": [*document.get(task.name, {}).get("rounds", []), this_round],
        "targets": "cell_types/data/targets.csv",
        "versions": {p: version(p) for p in ("brian2", "neuron", "cma", "efel")},
    }
    partial = path.with_suffix(".partial")
    partial.write_text(yaml.safe_dump(document, sort_keys=False))
    partial.replace(path)


def main(names: list[str]) -> None:
    """Fit the named cells (default: all), from the fitted values where there are any."""
    from cell_types.calibration.search_hh import SEEDS, task_for

    for name in names or [n for n in _hh_library.BLUEPRINTS if n != "L5_ET"]:  # has its own fit
        task = task_for(name)
        written = _hh_library.fitted_values().get(name, {})
        start = [k.position(written[k.path]) if k.path in written else 0.5 for k in task.knobs]
        seed = SEEDS.get(name, 1)
        parameters, _, _ = search(task, start, seed=seed)
        write(task, parameters, seed)


if __name__ == "__main__":
    main(sys.argv[1:])
