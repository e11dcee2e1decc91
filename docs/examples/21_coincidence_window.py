"""When a back-propagating action potential lowers the dendritic threshold.

For each interval between the somatic action potential and the onset of a dendritic current, the
smallest current that evokes a calcium spike, as a fraction of that without action potential
(Ledergerber & Larkum 2012, 10.1371/journal.pone.0033146). All trials run at once.
"""
# writes: coincidence_window.png
# slow

import os
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import analysis
import cell_types
from cell_types import protocols

OUT = Path(os.environ.get("BIOMOD_EXAMPLE_OUT", "."))
cell = cell_types.get("L5_ET", fidelity="hh")

DELAYS = (-55.0, -15.0, -6.0, 0.0, 4.0, 8.0, 13.0, 20.0, 35.0, 60.0)  # ms
AMPLITUDES = np.arange(0.1, 1.6, 0.12)  # nA
trials = protocols.coincidence_stimuli(DELAYS, AMPLITUDES)
(responses,) = protocols.Bench(dt="0.05 ms").each([cell], trials, 180.0)
found = protocols.coincidence(DELAYS, AMPLITUDES, responses)
print(
    f"threshold {found.alone:.2f} nA, at best {found.lowest:.2f} of it; {found.width:.0f} ms wide"
)

with analysis.style.context():
    figure = Figure(figsize=(4.0, 2.6), layout="constrained")
    ax = figure.subplots()
    ax.axhline(1, color="#888888", linewidth=0.6)
    ax.plot(found.interval, found.relative, "o-", color="#C2185B")
    ax.set(
        xlabel="dendritic current after the action potential (ms)",
        ylabel="relative threshold", ylim=(0, 1.2),
    )  # fmt: skip
    figure.savefig(OUT / "coincidence_window.png")
