"""The reference circuit (hh) on NEURON or CoreNEURON: the same equations, sizes, weights and dt.

usage: neuron_circuit.py neuron|coreneuron THREADS FOLDER

FOLDER keeps the compiled mechanisms. Prints a JSON object: seconds of compiling, of building the
circuit and of each run, and the rates. Background is drawn once a step inside a mechanism, synapses
of one target share a state. What differs from Brian2: voltages are implicit (backward Euler), gates
exponential Euler, and the random numbers are others.
"""

from __future__ import annotations

import json
import math
import os
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from description import BACKGROUND, PROJECTIONS, SIZES, P, peak

SIMULATOR, THREADS, FOLDER = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]).resolve()
MODS = Path(__file__).with_name("mod_neuron")


def compile_mechanisms() -> float:
    """Compile the NMODL files into FOLDER, and say how long it took."""
    started = time.perf_counter()
    if not (FOLDER / "x86_64").exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        for file in MODS.glob("*.mod"):
            shutil.copy(file, FOLDER)
        flag = ["-coreneuron"] if SIMULATOR == "coreneuron" else []
        tool = Path(sys.executable).with_name("nrnivmodl")
        environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
        subprocess.run([tool, *flag], cwd=FOLDER, check=True, env=environment,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
    return time.perf_counter() - started


COMPILE_S = compile_mechanisms()
os.environ["CORENEURONLIB"] = str(FOLDER / "x86_64" / "libcorenrnmech.so")

from neuron import coreneuron, h, load_mechanisms  # noqa: E402 - after the library is there

load_mechanisms(str(FOLDER))


class Cell:
    """Compartments of one segment each; `coupling` is the conductance to the parent in nS."""

    def __init__(
        self,
        number: int,
        tree: list[tuple[str, float, float, str | None, float]],
        rest: float,
        leak: float,
        densities: tuple[float, float, float],
    ) -> None:
        self.number = number
        self.parts: dict[str, Any] = {}
        self.targets: dict[str, Any] = {}
        for name, length, diameter, parent, coupling in tree:
            part = h.Section(name=name, cell=self)
            part.L, part.diam, part.nseg, part.cm = length, diameter, 1, 1
            if parent:
                part.connect(self.parts[parent](0.5), 0)
                # Half the compartment lies between the two nodes (ohm cm from nS and um).
                part.Ra = 1e5 * math.pi * diameter**2 / (2 * length * coupling)
            part.insert("pas")
            part.g_pas, part.e_pas = leak, rest
            self.parts[name] = part
        soma = self.parts["soma"]
        soma.insert("channels")
        soma.gNa_channels, soma.gK_channels, soma.gM_channels = densities

    def add(self, name: str, kind: str, part: str, **values: float) -> Any:
        """A point process, kept under `name`."""
        made = getattr(h, kind)(self.parts[part](0.5))
        for key, value in values.items():
            setattr(made, key, value)
        self.targets[name] = made
        return made


def pyramidal(number: int) -> Cell:
    """Soma, basal, trunk and tuft, with sodium spikes in the dendrites."""
    tree = [
        ("soma", 25, 25, None, 0), ("basal", 200, 3, "soma", 8),
        ("trunk", 300, 3, "soma", 12), ("tuft", 250, 2, "trunk", 6),
    ]  # fmt: skip
    cell = Cell(number, tree, -68, 50e-6, (0.05, 0.01, 0.0002))
    cell.add("pv", "Gaba", "soma", g=1e-3 * peak(0.5, 8), tau_rise=0.5, tau_decay=8)
    cell.add("som", "Gaba", "tuft", g=1e-3 * peak(1, 20), tau_rise=1, tau_decay=20)
    for part, rise, fall in (("basal", 12, 14), ("trunk", 22, 26), ("tuft", 12, 14)):
        values = dict(g_rise=rise * 1e-3, g_fall=fall * 1e-3)
        cell.add(f"spike_{part}", "DendriticSpike", part, **values)
    nmda = peak(3, 60) * 1e-3
    for part in ("basal", "trunk"):
        cell.add(f"e_{part}", "AmpaNmda", part, g_ampa=0.35e-3, g_nmda=0.35 * nmda)
    bg = cell.add("bg", "BackgroundAmpa", "basal", g=0.8e-3, tau=3, rate=5, w=1.3)
    bg.numbers.set_ids(number, 1, 42)
    tuft = cell.add("bg_tuft", "BackgroundTuft", "tuft", g_nmda=0.6 * nmda)
    tuft.numbers.set_ids(number, 2, 42)
    return cell


def interneuron(name: str, number: int) -> Cell:
    """Soma and one dendrite; SOM cells are excited at the dendrite."""
    som = name == "SOM"
    tree = [("soma", 15, 15, None, 0), ("dend", 150 if som else 100, 1.5, "soma", 6 if som else 8)]
    cell = Cell(number, tree, -66, 100e-6, (0.06, 0.02, 0.00002))
    cell.add("e", "Ampa", "soma")
    cell.add("i", "Gaba", "soma", g=0.8e-3 * peak(0.5, 6), tau_rise=0.5, tau_decay=6)
    values = dict(g=0.6e-3, tau=2, rate=4, w=BACKGROUND[name])
    cell.add("bg", "BackgroundAmpa", "soma", **values).numbers.set_ids(number, 1, 42)
    if som:
        nmda = 0.4e-3 * peak(3, 60)
        cell.add("e_dend", "AmpaNmda", "dend", g_ampa=0.6e-3, g_nmda=nmda, tau_ampa=2)
    return cell


def connect(cells: dict[str, list[Cell]], rng: np.random.Generator) -> list[Any]:
    """All connections, drawn as the Brian2 script does (with other random numbers)."""
    made = []
    for source, target, point, share, weight, delay in PROJECTIONS:
        for pre in cells[source]:
            soma = pre.parts["soma"]
            for k in np.flatnonzero(rng.random(SIZES[target]) < share * P):
                link = h.NetCon(soma(0.5)._ref_v, cells[target][k].targets[point], sec=soma)
                link.threshold = -10
                link.weight[0] = weight * math.exp(0.3 * rng.standard_normal())
                link.delay = delay or 0.5 + 2 * rng.random()
                made.append(link)
    return made


def main() -> None:
    """Build, run three times, print."""
    started = time.perf_counter()
    rng = np.random.default_rng(7)
    context = h.ParallelContext()
    cells: dict[str, list[Cell]] = {}
    number = 0
    for name, size in SIZES.items():
        make = pyramidal if name == "E" else lambda n, name=name: interneuron(name, n)
        cells[name] = [make(number + k) for k in range(size)]
        number += size
    everyone = [cell for group in cells.values() for cell in group]
    start = [
        (cell, rest + rng.uniform(-4, 8))
        for group, rest in zip(cells.values(), (-68, -66, -66, -66), strict=True)
        for cell in group
    ]
    if SIMULATOR == "coreneuron":
        for cell in everyone:
            context.set_gid2node(cell.number, 0)
            soma = cell.parts["soma"]
            context.cell(cell.number, h.NetCon(soma(0.5)._ref_v, None, sec=soma))
    links = connect(cells, rng)
    times, numbers = h.Vector(), h.Vector()
    watchers = []
    for cell in everyone:
        soma = cell.parts["soma"]
        if SIMULATOR == "coreneuron":
            context.spike_record(cell.number, times, numbers)
        else:
            watch = h.NetCon(soma(0.5)._ref_v, None, sec=soma)
            watch.threshold = -10
            watch.record(times, numbers, cell.number)
            watchers.append(watch)
    traces = [h.Vector().record(cell.parts[p](0.5)._ref_v)
              for cell in cells["E"][:20] for p in ("soma", "tuft")]  # fmt: skip
    context.nthread(THREADS)
    h.CVode().cache_efficient(1)
    h.dt = 0.05
    built = time.perf_counter()
    runs = []
    for _ in range(3):
        h.finitialize(-68)
        for cell, value in start:
            for part in cell.parts.values():
                part.v = value if part is cell.parts["soma"] else part.e_pas
        h.fcurrent()
        before = time.perf_counter()
        coreneuron.enable = SIMULATOR == "coreneuron"
        context.set_maxstep(10)
        context.psolve(1000)
        runs.append(time.perf_counter() - before)
    who = np.array(numbers)
    rates, first = {}, 0
    for name, size in SIZES.items():
        rates[name] = float(np.sum((who >= first) & (who < first + size))) / size
        first += size
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
    result = {"compile_s": COMPILE_S, "build_s": built - started, "run_s": runs,
              "peak_memory_mb": peak_mb, "rates_hz": rates,
              "synapses": len(links), "traces": len(traces)}  # fmt: skip
    print(json.dumps(result))


if __name__ == "__main__":
    main()
