"""How well surrogates do, cell by cell and model by model, and how long a fit takes.

Prints one JSON object, and rows to standard error as they come. Two cells by default;
``python benchmarks/bench_surrogates.py --all`` takes every one, in both fidelities, and names of
cells choose. Surrogates are fitted to the training sweeps of the usual protocol and judged by noise
of three other seeds (:data:`TEST_SEEDS`), which nothing was chosen by; all choices were made on
the test sweeps of the usual seed, which are called validation here. Scores are explained variance
(filter of 10 ms) and coincidence factor within 4 ms; of the test, their means over the seeds.
Seconds are processor time of the fit of a model, without the models that it begins from and without
the simulation of the cell.

``--ceiling`` gives what the cell explains of itself when a little is added to the current of the
test sweeps: noise of 2 % of the rheobase, or 1 % of the current itself. No surrogate whose error is
as large can be expected to do better.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

import cell_types
from biomod.errors import BiomodError
from biomod.model import Cell
from biomod.reduction import GENERATIONS, Behaviour, Fit, Protocol, distances
from biomod.reduction.fit import fit_ladder
from biomod.reduction.protocol import ornstein_uhlenbeck
from biomod.reduction.recordings import Sweep
from biomod.reduction.reference import of_cell, simulated

USUAL = ("PV_basket", "L23_PC")
MODELS = ("glif5", "izhikevich")
# 2 was used for an earlier version of the fit.
TEST_SEEDS = (3, 4, 5)


def seen_and_unseen(cell: Cell) -> tuple[Behaviour, list[list[Sweep]]]:
    """Training and validation sweeps of the usual seed, and noise of the seeds of the test."""
    usual = of_cell(cell, Protocol())
    currents = [
        [p.current for p in Protocol(seed=seed).currents(usual.rheobase)
         if p.test and p.kind == "noise"]
        for seed in TEST_SEEDS
    ]  # fmt: skip
    dt = Protocol().dt
    responses = iter(simulated(cell)([c for one in currents for c in one], dt))
    return usual, [[Sweep(c, dt, *next(responses), "noise") for c in one] for one in currents]


def rows(name: str, fidelity: str, generations: int) -> Iterator[dict[str, Any]]:
    """One for every model, the levels of the GLIF first."""
    behaviour, test = seen_and_unseen(cell_types.get(name, fidelity=fidelity))
    for model in MODELS:
        began = time.process_time()
        fits = fit_ladder(behaviour, model, generations=generations)
        share = (time.process_time() - began) / sum(f.seconds for f in fits.values())
        for fitted in fits.values():
            seen = {use: agreement(fitted, sweeps)[0] for use, sweeps in (
                ("trained", behaviour.train), ("validation", behaviour.test),
            )}  # fmt: skip
            unseen = np.array([agreement(fitted, sweeps) for sweeps in test])
            yield {
                "cell": name, "fidelity": fidelity, "model": fitted.model.name,
                **{use: round(ev, 3) for use, ev in seen.items()},
                "test": round(float(unseen[:, 0].mean()), 3),
                "test_of_each_seed": unseen[:, 0].round(3).tolist(),
                "coincidence_4ms": round(float(unseen[:, 1].mean()), 3),
                "loss": round(fitted.loss, 3),
                "cpu_s": round(share * fitted.seconds, 1),
                "wall_s": round(fitted.seconds, 1),
                "parameters": dict(fitted.parameters),
            }  # fmt: skip


def agreement(fitted: Fit, sweeps: Sequence[Sweep]) -> tuple[float, float]:
    """Explained variance (10 ms) and coincidence factor (4 ms) of noise sweeps."""
    noise = [s for s in sweeps if s.kind == "noise"]
    found = [fitted.respond(s.current).spikes[0] for s in noise]
    true, durations = [s.spikes for s in noise], [s.duration for s in noise]
    return (
        distances.explained_variance(found, true, durations),
        distances.coincidence_factor(found, true, durations, 4.0),
    )


def ceiling(name: str, fidelity: str) -> dict[str, Any]:
    """What the cell explains of its own test sweeps under slightly different currents."""
    cell = cell_types.get(name, fidelity=fidelity)
    behaviour, test = seen_and_unseen(cell)
    noise = [s for sweeps in test for s in sweeps]
    rng = np.random.default_rng(3)
    dt, deviation = noise[0].dt, 0.02 * behaviour.rheobase
    added = [s.current + ornstein_uhlenbeck(0, deviation, 5.0, s.duration, dt, rng) for s in noise]
    responses = simulated(cell)([*added, *(1.01 * s.current for s in noise)], dt)
    trains, true = [spikes for _, spikes in responses], [s.spikes for s in noise]
    durations, n = [s.duration for s in noise], len(noise)
    row: dict[str, Any] = {"cell": name, "fidelity": fidelity}
    for what, changed in (("noise", trains[:n]), ("gain", trains[n:])):
        ev = distances.explained_variance(changed, true, durations)
        gamma = distances.coincidence_factor(changed, true, durations, 4.0)
        row |= {f"{what}_test": round(ev, 3), f"{what}_coincidence_4ms": round(gamma, 3)}
    return row


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cells", nargs="*")
    parser.add_argument("--all", action="store_true", help="every cell, in both fidelities")
    parser.add_argument("--fidelity", choices=("dspike", "hh"), action="append")
    parser.add_argument("--generations", type=int, default=GENERATIONS)
    parser.add_argument("--ceiling", action="store_true", help="of the cells, without a fit")
    chosen = parser.parse_args()
    cells = chosen.cells or (cell_types.NAMES if chosen.all else USUAL)
    found = []
    for fidelity in chosen.fidelity or (("dspike", "hh") if chosen.all else ("dspike",)):
        for name in cells:
            try:
                for row in (
                    [ceiling(name, fidelity)] if chosen.ceiling
                    else rows(name, fidelity, chosen.generations)
                ):  # fmt: skip
                    found.append(row)
                    print(json.dumps(row), file=sys.stderr, flush=True)
            except BiomodError as error:
                print(f"{name} ({fidelity}): {error}", file=sys.stderr)
    print(json.dumps({"name": "surrogates", "rows": found}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
