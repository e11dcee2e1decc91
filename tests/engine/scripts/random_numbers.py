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
# Values that are set once.
own = Function(lambda x: x, arg_units=[1], return_unit=1, stateless=False)
own.implementations.add_implementation("cpp", "double own(double x) { return x; }")
few_more = BinomialFunction(200, 0.0005, name="few_more")
M = 20000
H = NeuronGroup(
    M,
    """uniform : 1
    normal : 1
    again : 1
    several : 1
    mean : 1
    poisson_number : 1
    few_number : 1
    whole : integer
    flag : boolean
    even : 1
    chance : 1
    sliced : 1
    listed : 1
    part : 1
    sum : 1
    guarded : 1
    between : 1
    before : 1
    before_too : 1
    after : 1
    after_too : 1
    guarded_before : 1
    guarded_after : 1
    other_seed : 1""",
    threshold="mean > 1000",
    namespace={"own": own, "few_more": few_more},
    name="initial",
)
H.uniform, H.normal, H.again = "rand()", "randn()", "rand()"
H.several = "100*floor(10*rand()) + randn()"
H.mean = "0.05 + 20*i/20000.0"
H.poisson_number, H.few_number = "poisson(mean)", "few_more()"
H.whole, H.flag = "int(10*rand())", "rand() < 0.3"
H.even["i % 2 == 0"] = "1 + rand()"
H.chance["rand() < 0.25"] = 1
H.sliced[100:9001] = "1 + rand()"
H.listed[[5, 7, 5]] = "listed + 1 + rand()"
H[1000:9000].part = "1 + rand()"
H.sum = 1
H.sum = "sum + rand()"
H.guarded = "own(i) + rand()"
S = Synapses(H, H, "w : 1\nx : 1\ny : 1", on_pre="w += 0", name="made")
S.connect(p=0.0002)
S.w, S.delay = "exp(0.3*randn())", "0.5*ms + 2*ms*rand()"
S.x = "mean_pre + rand()"
S.y["i > j"] = "1 + rand()"
once = ["uniform", "normal", "again", "several", "poisson_number", "few_number", "whole", "flag"]
once += ["even", "chance", "sliced", "listed", "part", "sum", "guarded", "between", "mean"]
once += ["before", "before_too", "after", "after_too", "guarded_before", "guarded_after"]
once += ["other_seed"]
run(29 * ms)
H.between = "rand()"
run(1 * ms)
# The same seed again, and a run between.
seed(number + 100)
H.before, H.before_too, H.guarded_before = "rand()", "rand()", "own(i) + rand()"
run(0 * ms)
seed(number + 100)
H.after, H.after_too, H.guarded_after = "rand()", "rand()", "own(i) + rand()"
seed(number + 101)
H.other_seed = "rand()"
device.build(directory=str(out.with_suffix("")), run=False)
arrays = {}
for threads in (1, 2, 3):
    prefs.devices.biomod_cpp.threads = threads
    device.run()
    named = {name: getattr(traces, name)[:] for name in recorded}
    named |= {"mean": G.mean[:], "i": spikes.i[:], "t": np.asarray(spikes.t[:])}
    named |= {f"once_{name}": getattr(H, name)[:] for name in once}
    named |= {f"made_{name}": np.asarray(getattr(S, name)[:]) for name in "ijwxy"}
    named["made_delay"] = S.delay[:] / ms
    arrays |= {f"{name}_{threads}": np.array(value) for name, value in named.items()}
np.savez(out, **arrays)
