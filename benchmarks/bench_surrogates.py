"""How well surrogates do, cell by cell and model by model, and how long a fit takes.

Prints one JSON object, and the rows of docs/tables/surrogates.md to standard error as they come.
Two cells by default; ``python benchmarks/bench_surrogates.py --all`` takes every one, in both
fidelities, and names of cells choose. Scores are of noise: explained variance (filter of 10 ms),
coincidence factor within 4 ms. Seconds are processor time of the fit of a model, without the models
that it begins from and without the simulation of the cell.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from typing import Any

import cell_types
from biomod.errors import BiomodError
from biomod.reduction import GENERATIONS, Protocol
from biomod.reduction.evaluation import scores
from biomod.reduction.fit import fit_ladder
from biomod.reduction.reference import of_cell

USUAL = ("PV_basket", "L23_PC")
MODELS = ("glif5", "izhikevich")


def rows(name: str, fidelity: str, generations: int) -> Iterator[dict[str, Any]]:
    """One for every model, the levels of the GLIF first."""
    behaviour = of_cell(cell_types.get(name, fidelity=fidelity), Protocol())
    for model in MODELS:
        began = time.process_time()
        fits = fit_ladder(behaviour, model, generations=generations)
        share = (time.process_time() - began) / sum(f.seconds for f in fits.values())
        for fitted in fits.values():
            trained, unseen = scores(fitted, behaviour.train), scores(fitted, behaviour.test)
            yield {
                "cell": name, "fidelity": fidelity, "model": fitted.model.name,
                "trained": round(trained["explained_variance"], 3),
                "held_out": round(unseen["explained_variance"], 3),
                "coincidence_4ms": round(unseen["coincidence_4ms"], 3),
                "loss": round(fitted.loss, 3),
                "cpu_s": round(share * fitted.seconds, 1),
            }  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cells", nargs="*")
    parser.add_argument("--all", action="store_true", help="every cell, in both fidelities")
    parser.add_argument("--fidelity", choices=("dspike", "hh"), action="append")
    parser.add_argument("--generations", type=int, default=GENERATIONS)
    chosen = parser.parse_args()
    cells = chosen.cells or (cell_types.NAMES if chosen.all else USUAL)
    found = []
    for fidelity in chosen.fidelity or (("dspike", "hh") if chosen.all else ("dspike",)):
        for name in cells:
            try:
                for row in rows(name, fidelity, chosen.generations):
                    found.append(row)
                    print("|", " | ".join(str(x) for x in row.values()), "|", file=sys.stderr)
            except BiomodError as error:
                print(f"{name} ({fidelity}): {error}", file=sys.stderr)
    print(json.dumps({"name": "surrogates", "rows": found}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
