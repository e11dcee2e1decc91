"""A microcircuit: run, raster, table.

Layer 2/3 of mouse V1 with 300 cells in the proportions of the tissue. `result.spikes` is a pandas
table with population, index and time; `summary` and `raster` take it, as they take the spikes of
any simulator. A result is saved with its traces and provenance and reads back.
"""
# writes: circuit.png, circuit.h5

import os
from pathlib import Path

import analysis
import biomod as bm
import microcircuits
from biomod.progress import TextProgress
from biomod.units import ms

OUT = Path(os.environ.get("BIOMOD_EXAMPLE_OUT", "."))

circuit = microcircuits.get("l23", cells=300, seed=1)
print({name: size for name, size in circuit.cells.items()})
result = bm.simulate(circuit, 1000 * ms, progress=TextProgress())

result.save(OUT / "circuit.h5")
again = bm.load(OUT / "circuit.h5")
assert again.spikes.equals(result.spikes)
print({key: again.provenance[key] for key in ("seed", "backend", "synapses", "timings")})

print(analysis.summary(result.spikes, start_ms=200).round(2).T)
analysis.raster(result.spikes, title="l23, 300 cells").savefig(OUT / "circuit.png", dpi=200)
