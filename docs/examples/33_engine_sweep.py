"""A parameter sweep of a plain Brian2 script, compiled once.

On biomod's engine the numbers of a script (constants, sizes, weights, rates, seed, duration) are
read by the program when it starts. So the network below, driven by Poisson input and held down by
inhibition that depends on distance, is compiled for its first run only.
"""
# writes: sweep.png
# slow

import os
import time
from pathlib import Path

from brian2 import *

import biomod.engine

OUT = Path(os.environ.get("BIOMOD_EXAMPLE_OUT", ".")).resolve()


def rate(weight, width, size=400):
    """Spikes per cell and second, with inhibition of this strength and reach."""
    # In a function, the objects of a run are gone before the next one: Brian2 would give the new
    # ones other names, and the program with other names in it would be another program.
    set_device("biomod_cpp", directory=str(OUT / "program"))
    seed(1)
    cells = NeuronGroup(
        size,
        """dv/dt = (drive - v)/(20*ms) : 1 (unless refractory)
        ddrive/dt = -drive/(5*ms) : 1
        x : 1""",
        threshold="v > 1",
        reset="v = 0",
        refractory=2 * ms,
        method="exact",
    )
    cells.x = "i/N"
    inhibition = Synapses(cells, cells, on_pre="drive_post -= weight", delay=1 * ms)
    inhibition.connect(condition="i != j", p="0.3*exp(-((x_pre - x_post)/width)**2)")
    background = PoissonInput(cells, "drive", 100, 40 * Hz, 0.1)
    spikes = SpikeMonitor(cells)
    run(300 * ms)
    found = spikes.num_spikes / size / 0.3
    device.reinit()
    return found


weights = np.linspace(0, 0.4, 5)
figure, axes = subplots(figsize=(5, 3.5), layout="constrained")
for width in (0.05, 0.2):
    rates = []
    for weight in weights:
        started = time.perf_counter()
        rates.append(rate(weight, width))
        seconds = time.perf_counter() - started
        print(f"width {width}, weight {weight:.1f}: {rates[-1]:5.1f} Hz, {seconds:.1f} s")
    axes.plot(weights, rates, "o-", label=f"reach {width} of the sheet")
axes.set(xlabel="inhibitory weight", ylabel="rate (Hz)", title="Ten runs, one compilation")
axes.legend(frameon=False)
figure.savefig(OUT / "sweep.png")
