"""The reference circuit as a Dendrify user writes it: 2,500 cells, 594,000 synapses, 1 s.

usage: engine_circuit.py MODEL DEVICE THREADS PRECISION FOLDER
                         [changed] [flags=best] [cells=N] [runs=N] [seed=N]

MODEL is lif (dendritic spikes, dt 0.1 ms) or hh (channels in the soma, dt 0.05 ms). DEVICE is
biomod_cpp, cpp_standalone (with more than one thread: OpenMP; flags=best: -Ofast) or cython. Prints
a JSON object: seconds of describing and compiling; of three runs, the run alone (`run_s`, Brian2's
own measure, without making synapses and writing results) and the whole program (`program_s`, wall
and processor); the peak of memory (of the whole program, also divided by the number of synapses);
statistics of spikes. With `changed` the weights of the synapses are 1 % larger, a constant that
stock Brian2 writes into the source text. `compiled` tells whether a compiler ran. With more or
fewer cells each has as many synapses as before. The rates are tuned by hand and model nothing.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from brian2 import (
    BrianLogger,
    Hz,
    Network,
    NeuronGroup,
    PoissonInput,
    SpikeMonitor,
    StateMonitor,
    Synapses,
    cm,
    defaultclock,
    device,
    float32,
    mS,
    ms,
    mV,
    nS,
    ohm,
    prefs,
    second,
    seed,
    set_device,
    uF,
    um,
    uS,
)  # fmt: skip
from dendrify import Dendrite, NeuronModel, Soma

MODEL, DEVICE, THREADS, PRECISION, FOLDER = sys.argv[1:6]
CHANGED = 1.01 if "changed" in sys.argv[6:] else 1.0
OPTIONS = dict(option.split("=") for option in sys.argv[6:] if "=" in option)
CELLS, RUNS = int(OPTIONS.get("cells", 2500)), int(OPTIONS.get("runs", 3))
HH = MODEL == "hh"
SIZES = {"E": CELLS * 80 // 100, "PV": CELLS // 10, "SOM": CELLS * 6 // 100, "VIP": CELLS // 25}
P = min(1.0, 0.1 * 2500 / CELLS)  # probability of a connection
# The program is started by a process that is small itself, since a child's peak of memory begins
# with its parent's; it adds seconds (wall, processor) and the peak (kB) of each run to a file.
WATCH = """
import os, sys, time
started = time.perf_counter()
process = os.spawnv(os.P_NOWAIT, "./main", ["./main", *sys.argv[2:]])
status, used = os.wait4(process, 0)[1:]
wall = time.perf_counter() - started
with open(sys.argv[1], "a") as file:
    print(wall, used.ru_utime + used.ru_stime, used.ru_maxrss, file=file)
sys.exit(abs(os.waitstatus_to_exitcode(status)))
"""
ONE = dict(cm=1 * uF / cm**2, r_axial=150 * ohm * cm)
CHANNELS = """
I_ion_soma = gNa*m**3*h*(ENa - V_soma) + gK*n**4*(EK - V_soma) + gM*p*(EK - V_soma) : amp
dm/dt = am*(1 - m) - bm*m : 1
dh/dt = ah*(1 - h) - bh*h : 1
dn/dt = an*(1 - n) - bn*n : 1
dp/dt = (1/(1 + exp(-(V_soma + 35*mV)/(10*mV))) - p)/(400*ms/(3.3*exp((V_soma + 35*mV)/(20*mV))
        + exp(-(V_soma + 35*mV)/(20*mV)))) : 1
am = 0.32*4/exprel(-(V_soma - VT - 13*mV)/(4*mV))/ms : Hz
bm = 0.28*5/exprel((V_soma - VT - 40*mV)/(5*mV))/ms : Hz
ah = 0.128*exp(-(V_soma - VT - 17*mV)/(18*mV))/ms : Hz
bh = 4/(1 + exp(-(V_soma - VT - 40*mV)/(5*mV)))/ms : Hz
an = 0.032*5/exprel(-(V_soma - VT - 15*mV)/(5*mV))/ms : Hz
bn = 0.5*exp(-(V_soma - VT - 10*mV)/(40*mV))/ms : Hz"""


def channels(soma: Soma, sodium: float, potassium: float, m_current: float) -> None:
    """Traub and Miles' sodium and potassium currents and an M current, densities in mS/cm2."""
    soma.add_equations(CHANNELS)
    soma.replace_equations("= I_ext_soma", "= I_ext_soma + I_ion_soma")
    densities = {"gNa": sodium, "gK": potassium, "gM": m_current}
    soma.add_params({k: v * mS / cm**2 * soma.area for k, v in densities.items()})
    soma.add_params({"ENa": 50 * mV, "EK": -90 * mV, "VT": -54 * mV})


def block_once_a_step(dendrite: Dendrite) -> None:
    """Exponential Euler wants equations that are linear in V: take the magnesium block out."""
    name = dendrite.name
    block = f"1 / (1 + Mg_con * exp(-Alpha_NMDA*(V_{name}/mV+Gamma_NMDA)) / Beta_NMDA)"
    dendrite.replace_equations(f" / {block[4:]}", f" * mg_{name}")
    dendrite.add_equations(f"mg_{name} = {block} : 1 (constant over dt)")


def pyramidal() -> NeuronGroup:
    """Soma, basal, trunk and tuft, with sodium spikes in the dendrites."""
    soma = Soma("soma", "passive" if HH else "adaptiveIF", length=25 * um, diameter=25 * um)
    basal = Dendrite("basal", length=200 * um, diameter=3 * um)
    trunk = Dendrite("trunk", length=300 * um, diameter=3 * um)
    tuft = Dendrite("tuft", length=250 * um, diameter=2 * um)
    slow = dict(t_rise=3 * ms, t_decay=60 * ms, scale_g=True)
    soma.synapse("GABA", tag="pv", g=1 * nS, t_rise=0.5 * ms, t_decay=8 * ms, scale_g=True)
    for dendrite in (basal, trunk):
        dendrite.synapse("AMPA", tag="e", g=0.35 * nS, t_decay=3 * ms)
        dendrite.synapse("NMDA", tag="e", g=0.35 * nS, **slow)
    basal.synapse("AMPA", tag="bg", g=0.8 * nS, t_decay=3 * ms)
    tuft.synapse("AMPA", tag="bg", g=0.6 * nS, t_decay=3 * ms)
    tuft.synapse("NMDA", tag="bg", g=0.6 * nS, **slow)
    tuft.synapse("GABA", tag="som", g=1 * nS, t_rise=1 * ms, t_decay=20 * ms, scale_g=True)
    spikes = {basal: (12, 14), trunk: (22, 26), tuft: (12, 14)}
    for dendrite, (rise, fall) in spikes.items():
        dendrite.dspikes(
            "Na", threshold=-35 * mV, g_rise=rise * nS, g_fall=fall * nS,
            duration_rise=0.6 * ms, duration_fall=2.4 * ms, reversal_rise="E_Na",
            reversal_fall="E_K", offset_fall=0.2 * ms, refractory=5 * ms,
        )  # fmt: skip
        if HH:
            block_once_a_step(dendrite)
    if HH:
        channels(soma, 50, 10, 0.2)
    tree = [(soma, basal, 8 * nS), (soma, trunk, 12 * nS), (trunk, tuft, 6 * nS)]
    model = NeuronModel(tree, v_rest=-68 * mV, gl=50 * uS / cm**2, **ONE)
    model.add_equations("modulation : 1 (shared)")
    for receptor in ("NMDA", "AMPA"):
        model.replace_equations(f"* w_{receptor}_bg_tuft", "* modulation")
    if HH:
        group = model.make_neurongroup(
            SIZES["E"], method="exponential_euler", name="E", threshold="V_soma > -10*mV",
            refractory="V_soma > -10*mV",
        )  # fmt: skip
    else:
        model.add_params({"tauw_soma": 120 * ms, "a_soma": 0.2 * nS, "Vth": -48 * mV})
        group = model.make_neurongroup(
            SIZES["E"], method="euler", name="E", threshold="V_soma > Vth", refractory=3 * ms,
            reset="V_soma = -60*mV; w_soma += 40*pA",
        )  # fmt: skip
    group.run_regularly("modulation = 1 + 0.2*sin(2*pi*1*Hz*t)", dt=10 * ms)
    group.modulation = 1
    return group


def interneuron(name: str) -> NeuronGroup:
    """Soma and one dendrite; SOM cells are excited at the dendrite."""
    soma = Soma("soma", "passive" if HH else "leakyIF", length=15 * um, diameter=15 * um)
    soma.synapse("AMPA", tag="e", g=0.6 * nS, t_decay=2 * ms)
    soma.synapse("AMPA", tag="bg", g=0.6 * nS, t_decay=2 * ms)
    soma.synapse("GABA", tag="i", g=0.8 * nS, t_rise=0.5 * ms, t_decay=6 * ms, scale_g=True)
    if HH:
        channels(soma, 60, 20, 0.02)
    dend = Dendrite("dend", length=(150 if name == "SOM" else 100) * um, diameter=1.5 * um)
    if name == "SOM":
        dend.synapse("AMPA", tag="e", g=0.6 * nS, t_decay=2 * ms)
        dend.synapse("NMDA", tag="e", g=0.4 * nS, t_rise=3 * ms, t_decay=60 * ms, scale_g=True)
        if HH:
            block_once_a_step(dend)
    tree = [(soma, dend, (6 if name == "SOM" else 8) * nS)]
    model = NeuronModel(tree, v_rest=-66 * mV, gl=100 * uS / cm**2, **ONE)
    if HH:
        spike = dict(threshold="V_soma > -10*mV", refractory="V_soma > -10*mV")
        return model.make_neurongroup(SIZES[name], method="exponential_euler", name=name, **spike)
    model.add_params({"Vth": -50 * mV})
    spike = dict(threshold="V_soma > Vth", reset="V_soma = -58*mV", refractory=1.5 * ms)
    return model.make_neurongroup(SIZES[name], method="euler", name=name, **spike)


def connect(pre: NeuronGroup, post: NeuronGroup, states: str, share: float, w: float,
            delay: object = None) -> Synapses:  # fmt: skip
    """Random connections; without a delay, delays of 0.5 to 2.5 ms."""
    opening = "; ".join(f"{state} += w" for state in states.split())
    name = f"{pre.name}_{post.name}_{states.split()[0]}"
    made = Synapses(pre, post, "w : 1", on_pre=opening, delay=delay, name=name)
    made.connect(p=share * P)
    scale = w * CHANGED  # noqa: F841 - Brian2 finds it by its name
    made.w = "scale*exp(0.3*randn())"
    if delay is None:
        made.delay = "0.5*ms + 2*ms*rand()"
    return made


def circuit() -> tuple[list[object], dict[str, SpikeMonitor]]:
    """All objects, and the spike monitors by population."""
    groups = {"E": pyramidal()} | {name: interneuron(name) for name in ("PV", "SOM", "VIP")}
    E, PV, SOM, VIP = groups.values()
    rng = np.random.default_rng(7)
    for group, rest in zip(groups.values(), (-68, -66, -66, -66), strict=True):
        group.V_soma = (rest + rng.uniform(-4, 8, group.N)) * mV
        if HH:
            group.m, group.h, group.n, group.p = 0.02, 0.95, 0.05, 0.04
    synapses = [
        connect(E, E, "s_AMPA_e_basal s_NMDA_e_basal", 0.7, 0.4),
        connect(E, E, "s_AMPA_e_trunk s_NMDA_e_trunk", 0.3, 0.4),
        connect(E, PV, "s_AMPA_e_soma", 1, 0.4),
        connect(E, SOM, "s_AMPA_e_dend s_NMDA_e_dend", 1, 0.16),
        connect(E, VIP, "s_AMPA_e_soma", 1, 0.16),
        connect(PV, E, "s_GABA_pv_soma", 1, 1, 1 * ms),
        connect(SOM, E, "s_GABA_som_tuft", 1, 1, 1.5 * ms),
        connect(PV, PV, "s_GABA_i_soma", 1, 1, 1 * ms),
        connect(SOM, PV, "s_GABA_i_soma", 1, 0.7, 1 * ms),
        connect(SOM, VIP, "s_GABA_i_soma", 1, 0.7, 1 * ms),
        connect(VIP, SOM, "s_GABA_i_soma", 1, 1, 1 * ms),
    ]
    weights = (1.3, 0.7, 0.7, 0.5, 0.35, 0.33) if HH else (1.1, 0.6, 0.6, 1.0, 0.42, 0.48)
    targets = [
        (E, "s_AMPA_bg_basal", 5), (E, "s_AMPA_bg_tuft", 3), (E, "s_NMDA_bg_tuft", 3),
        (PV, "s_AMPA_bg_soma", 4), (SOM, "s_AMPA_bg_soma", 4), (VIP, "s_AMPA_bg_soma", 4),
    ]  # fmt: skip
    background = [
        PoissonInput(group, state, 200, rate * Hz, weight)
        for (group, state, rate), weight in zip(targets, weights, strict=True)
    ]
    spikes = {name: SpikeMonitor(g, name=f"spikes_{name}") for name, g in groups.items()}
    traces = StateMonitor(E, ["V_soma", "V_tuft"], record=list(range(20)), name="traces")
    return [*groups.values(), *synapses, *background, *spikes.values(), traces], spikes


def irregularity(monitor: SpikeMonitor) -> float:
    """Mean coefficient of variation of the intervals of cells with at least three spikes."""
    trains = [np.diff(np.array(train)) for train in monitor.spike_trains().values()]
    found = [np.std(train) / np.mean(train) for train in trains if len(train) > 1]
    return float(np.mean(found)) if found else float("nan")


def correlation(monitor: SpikeMonitor) -> float:
    """Mean correlation of two cells' spike counts in bins of 20 ms, of cells that fire."""
    bins = np.arange(0, 1.0001, 0.02)
    trains = monitor.spike_trains().values()
    counts = np.array([np.histogram(np.array(t), bins)[0] for t in trains if len(t)])
    if len(counts) < 2:
        return float("nan")
    pairs = np.corrcoef(counts)[np.triu_indices(len(counts), 1)]
    return float(np.nanmean(pairs))


def prepare() -> None:
    """Choose the device with its options, time step, precision and seed."""
    if DEVICE == "biomod_cpp":
        import biomod.engine  # noqa: F401 - registers the device

        prefs.devices.biomod_cpp.threads = int(THREADS)
    elif DEVICE == "cpp_standalone":
        prefs.devices.cpp_standalone.extra_make_args_unix = [f"-j{os.cpu_count()}"]
        prefs.devices.cpp_standalone.openmp_threads = int(THREADS) if int(THREADS) > 1 else 0
    if OPTIONS.get("flags") == "best":
        prefs.codegen.cpp.extra_compile_args_gcc = ["-w", "-Ofast", "-march=native", "-std=c++11"]
    if DEVICE == "cython":
        prefs.codegen.target = "cython"
        prefs.codegen.runtime.cython.cache_dir = FOLDER  # nothing is in it yet
    else:
        set_device(DEVICE, build_on_run=False, directory=FOLDER)
    if PRECISION == "single":
        prefs.core.default_float_dtype = float32
    defaultclock.dt = (0.05 if HH else 0.1) * ms
    seed(int(OPTIONS.get("seed", 42)))


def compiled() -> set[tuple[Path, float]]:
    """What a compiler has written, and when."""
    return {(file, file.stat().st_mtime) for file in Path(FOLDER).rglob("*.o")}


def run_standalone(network: Network) -> dict[str, Any]:
    """Build the program and run it; times, and its peak of memory."""
    before = compiled()
    started = time.perf_counter()
    network.run(1 * second)
    written = time.perf_counter()
    device.build(directory=FOLDER, run=False)
    built = time.perf_counter()
    now, log = compiled(), Path(FOLDER).absolute() / "watched.txt"
    log.unlink(missing_ok=True)
    watch = [sys.executable, "-I", "-S", "-c", WATCH, str(log)]
    prefs.devices.cpp_standalone.run_cmd_unix = watch
    runs, programs = [], []
    for _ in range(RUNS):
        called = time.perf_counter()
        device.run(directory=FOLDER, with_output=False)
        programs.append(time.perf_counter() - called - device.timers["run_binary"])
        runs.append(device._last_run_time)
    wall, processor, peak = np.loadtxt(log, ndmin=2).T
    return {
        "compiled": now != before,
        "describe_s": written - started,
        "build_s": built - written,
        "run_s": runs,
        "program_s": (np.array(programs) + wall).tolist(),
        "program_cpu_s": processor.tolist(),
        "peak_memory_mb": peak.max() / 2**10,
    }


def run_cython(network: Network) -> dict[str, Any]:
    """Run in this process. Building is a first run of one step; memory is that of all Python."""
    started = time.perf_counter()
    network.run(defaultclock.dt)
    built = time.perf_counter()
    runs = []
    for _ in range(RUNS):
        before = time.perf_counter()
        network.run(1 * second)
        runs.append(time.perf_counter() - before)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
    return {"describe_s": 0.0, "build_s": built - started, "run_s": runs, "peak_memory_mb": peak}


def main() -> None:
    """Build, run three times, print."""
    BrianLogger.log_level_error()
    prepare()
    started = time.perf_counter()
    objects, spikes = circuit()
    network = Network(objects)
    described = time.perf_counter() - started
    result = run_cython(network) if DEVICE == "cython" else run_standalone(network)
    result["describe_s"] = described + result["describe_s"]
    synapses = sum(len(o) for o in objects if isinstance(o, Synapses))
    seconds = float(network.t / second) if DEVICE == "cython" else 1.0
    result |= {
        "cells": sum(SIZES.values()),
        "synapses": synapses,
        "peak_bytes_per_synapse": result["peak_memory_mb"] * 2**20 / synapses,
        "rates_hz": {n: float(m.num_spikes) / SIZES[n] / seconds for n, m in spikes.items()},
        "cv_of_intervals": {name: irregularity(m) for name, m in spikes.items()},
        "correlation": {name: correlation(m) for name, m in spikes.items()},
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
