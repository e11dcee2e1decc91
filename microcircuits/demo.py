"""The demonstration: layer 2/3 at rest and aroused, from one build.

``make demo`` runs ``python -m microcircuits.demo --out demo``.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

import biomod as bm
import microcircuits
from biomod.model import Modulator
from biomod.progress import TextProgress
from biomod.units import ms, nM

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from biomod.results import Result

CELLS = 1200
SETTLE, DURATION = 500 * ms, 1000 * ms
# Quiet rest: no neuromodulator above the level that the calibration of the cells contains.
# Aroused: the phasic peak of acetylcholine and the sustained level of noradrenaline in an alert
# animal (rows ACh phasic_peak, 1000 nM, and NA phasic_peak, 30-1000 nM, stress sustained 100-300,
# of biomod/mechanisms/data/transmission.csv).
STATES: Mapping[str, tuple[Modulator, ...]] = {
    "rest": (),
    "aroused": (bm.ACh(1000 * nM), bm.NA(100 * nM)),
}


def run(cells: int = CELLS, seed: int = 1, backend: str | None = None) -> dict[str, Result]:
    """Simulate both states with one compiled program."""
    circuit = microcircuits.get("l23", cells=cells, seed=seed)
    program = bm.compile(circuit, SETTLE + DURATION, backend=backend)
    sys.stderr.write(
        f"l23: {cells} cells, {program.compiled.plan.synapse_count:,} synapses, "
        f"built once in {program.compiled.build_seconds:.1f} s\n"
    )
    results = {}
    for state, modulators in STATES.items():
        sys.stderr.write(f"{state}\n")
        results[state] = program.run(modulators, progress=TextProgress())
    return results


def settled(result: Result) -> pd.DataFrame:
    """Spikes after the settling time, which counts as time 0."""
    spikes = result.spikes
    late = spikes[spikes.time_ms >= SETTLE.to("ms")].copy()
    late["time_ms"] -= SETTLE.to("ms")
    late.attrs = {**spikes.attrs, "duration_ms": DURATION.to("ms")}
    return late


def write(results: Mapping[str, Result], out: Path) -> pd.DataFrame:
    """Write rasters, summary and spikes of both states; returns the comparison table."""
    import analysis
    from biomod.results import write_spikes

    out.mkdir(parents=True, exist_ok=True)
    spikes = {state: settled(result) for state, result in results.items()}
    for state, table in spikes.items():
        (out / state).mkdir(exist_ok=True)
        write_spikes(out / state / "spikes.h5", table)
    # A new figure, where a SubFigure is possible only if one is passed in.
    figure = cast("Figure", analysis.compare_rasters(spikes))
    figure.savefig(out / "rasters.png", dpi=150)
    summary = {
        state: {
            **analysis.summary_dict(table),
            "modulators_nM": {m.name: m.tonic.to("nM") for m in STATES[state]},
        }
        for state, table in spikes.items()
    }
    partial = out / f".summary.{os.getpid()}.partial"
    partial.write_text(json.dumps(summary, indent=2) + "\n")
    partial.replace(out / "summary.json")
    return analysis.compare(spikes["rest"], spikes["aroused"], labels=("rest", "aroused"))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the demonstration from the command line."""
    parser = argparse.ArgumentParser(description="layer 2/3 at rest and aroused, from one build")
    parser.add_argument("--out", type=Path, default=Path("demo"), help="folder to write")
    parser.add_argument("--cells", type=int, default=CELLS, help="number of cells")
    parser.add_argument("--seed", type=int, default=1, help="seed of everything random")
    options = parser.parse_args(arguments)
    started = time.perf_counter()
    table = write(run(options.cells, options.seed), options.out)
    sys.stdout.write(table.round(3).to_string() + "\n")
    seconds = time.perf_counter() - started
    sys.stderr.write(
        f"wrote {options.out}/ in {seconds:.0f} s: rasters.png, summary.json, rest/spikes.h5, "
        "aroused/spikes.h5\n"
    )


if __name__ == "__main__":
    main()
