"""Sources of a network of many kinds of objects, with descriptions kept and not. OUT."""

import sys
from pathlib import Path

import numpy as np
from brian2 import *

import biomod.engine  # noqa: F401
from biomod.engine.kept import brian2_parsed, brian2_statements, cache

out = Path(sys.argv[1])
BrianLogger.log_level_error()
USUAL = {
    "growth": "ramp", "flag": "shared", "body": "return x*x;", "reset": "v = 0; w *= 0.9",
    "invariant": True, "method": "euler", "tau": 10, "cells": 20, "weight": 0.1,
}  # fmt: skip
CHANGED = {
    "growth": "(w + ramp)", "flag": "constant", "body": "return x*x*x;", "reset": "v = 0; w += 0.9",
    "invariant": False, "method": "heun",
}  # fmt: skip


def sources(number, keep, growth, flag, body, reset, invariant, method, tau, cells, weight):
    """All files of the program; objects and their names are gone at the end."""
    set_device("biomod_cpp", build_on_run=False)
    prefs.devices.biomod_cpp.keep_descriptions = keep
    prefs.codegen.loop_invariant_optimisations = invariant

    @implementation("cpp", f"double squared(double x) {{ {body} }}")
    @check_units(x=1, result=1)
    def squared(x):
        return x * x

    given = {"tau": tau * ms, "squared": squared, "ramp": 2.5, "weight": weight}
    given["drive"] = TimedArray(np.arange(5.0), dt=1 * ms, name="drive")
    lif = NeuronGroup(
        cells,
        f"""dv/dt = (I - v*{growth} + squared(w))/tau : 1 (unless refractory)
        dw/dt = -w/(30*ms) + 0.1*xi*sqrt(1/tau) : 1
        I = drive(t)*level + offset + twice : 1
        twice = 2*int(quiet)*level : 1
        offset = exp(-w**2) : 1 (constant over dt)
        level : 1 ({flag})
        quiet : boolean
        g : 1""",
        threshold="v > 1 and not quiet", reset=reset, refractory=2 * ms, method=method,
        namespace=given, name="lif",
    )  # fmt: skip
    lif.v = "rand()*weight + 0.01*i"
    lif.run_regularly("g = clip(g + weight*randn(), 0, 1)", dt=1 * ms)
    exact = NeuronGroup(
        9, "dx/dt = -x/tau : 1\ndy/dt = (x - y)/tau : 1\nz = x_of_lif : 1\nx_of_lif : 1 (linked)",
        threshold="y > weight", method="exact", namespace=given, name="exact",
        events={"low": "x < 0"},
    )  # fmt: skip
    exact.x_of_lif = linked_var(lif[:9], "v")
    plastic = Synapses(
        lif, exact,
        """dapre/dt = -apre/tau : 1 (event-driven)
        dapost/dt = -apost/tau : 1 (event-driven)
        du/dt = -u/tau : 1 (clock-driven)
        k : 1""",
        on_pre="x_post += k; apre += 0.1; k = clip(k + apost, 0, 1)",
        on_post="apost -= 0.2; k = clip(k + apre, 0, 1); u += I_pre", method="exact",
        namespace=given, name="plastic",
    )  # fmt: skip
    plastic.connect(condition="abs(i - j) < 3", p="exp(-(i - j)**2*weight)")
    plastic.k, plastic.delay = "weight*rand()", "1*ms + rand()*ms"
    objects = [
        lif, exact, plastic, PoissonInput(lif, "g", 100, 40 * Hz, weight),
        SpikeMonitor(lif, name="s"), StateMonitor(lif, ["v", "I"], record=[0, 3], name="m"),
        PopulationRateMonitor(exact, name="p"),
    ]  # fmt: skip
    Network(objects).run(10 * ms)
    folder = out.with_suffix("") / str(number)
    device.build(directory=str(folder), compile=False, run=False)
    device.reinit()
    files = sorted(file for file in folder.rglob("*") if file.suffix in (".cpp", ".h"))
    return "\n".join(f"{file.relative_to(folder)}\n{file.read_text()}" for file in files)


def described(keep, **changed):
    """The sources, as a process makes them that has described nothing before."""
    for known in (cache.made, brian2_parsed._cache, brian2_statements._cache):
        known.clear()
    described.number += 1
    return sources(described.number, keep, **{**USUAL, **changed})


described.number = 0
found = {"off": described(False), "empty": described(True)}
found["written"] = cache.written
before = cache.written, cache.read
found["full"] = described(True)
found["written_again"], found["read"] = cache.written - before[0], cache.read - before[1]
found["numbers_off"] = described(False, tau=11, cells=25, weight=0.2)
found["numbers"] = described(True, tau=11, cells=25, weight=0.2)
found["missed"] = cache.written - before[0]
for name, value in CHANGED.items():
    found[f"other_{name}"] = described(True, **{name: value})
    found[f"off_{name}"] = described(False, **{name: value})
np.savez(out, **found)
