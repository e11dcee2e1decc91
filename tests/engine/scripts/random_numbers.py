"""Random numbers of every kind, on one to three threads. OUT SEED."""

import sys
from pathlib import Path

import numpy as np
from brian2 import *
from brian2.input.binomial import BinomialFunction

import biomod.engine  # noqa: F401

out, number = Path(sys.argv[1]), int(sys.argv[2])
set_device("biomod_cpp", directory=str(out.with_suffix("")), build_on_run=False)
seed(number)
few = BinomialFunction(200, 0.0005, name="few")
many = BinomialFunction(200, 0.5, name="many")
exact = BinomialFunction(2000, 0.3, approximate=False, name="exact")
nearly_all = BinomialFunction(50, 0.97, name="nearly_all")
G = NeuronGroup(
    3000,
    """dv/dt = -v/(10*ms) + 0.3*xi*ms**-0.5 : 1
    uniform : 1
    normal : 1
    mean : 1
    poisson_number : 1
    few_number : 1
    many_number : 1
    exact_number : 1
    nearly_all_number : 1
    opened : 1""",
    threshold="v > 1",
    reset="v = 0",
    method="euler",
    namespace={"few": few, "many": many, "exact": exact, "nearly_all": nearly_all},
    name="cells",
)
G.mean = "0.05 + 20*i/3000.0"
G.run_regularly(
    """uniform = rand()
    normal = randn()
    poisson_number = poisson(mean)
    few_number = few()
    many_number = many()
    exact_number = exact()
    nearly_all_number = nearly_all()""",
    dt=defaultclock.dt,
)
background = PoissonInput(G, "opened", 100, 50 * Hz, 1)
recorded = ["uniform", "normal", "poisson_number", "few_number", "many_number", "opened", "v"]
recorded += ["exact_number", "nearly_all_number"]
traces = StateMonitor(G, recorded, record=True, dt=1 * ms)
spikes = SpikeMonitor(G)
run(30 * ms)
device.build(directory=str(out.with_suffix("")), run=False)
arrays = {}
for threads in (1, 2, 3):
    prefs.devices.biomod_cpp.threads = threads
    device.run()
    named = {name: getattr(traces, name)[:] for name in recorded}
    named |= {"mean": G.mean[:], "i": spikes.i[:], "t": np.asarray(spikes.t[:])}
    arrays |= {f"{name}_{threads}": np.array(value) for name, value in named.items()}
np.savez(out, **arrays)
