"""The reference circuit (hh) on Arbor: the nearest equivalent that Arbor can express.

usage: arbor_circuit.py THREADS FOLDER

FOLDER keeps the compiled catalogue. Prints a JSON object as neuron_circuit.py does. What differs:
Poisson background is a diffusion approximation (Arbor's mechanisms draw normal numbers only);
dendritic spikes start one step late; voltages are implicit, as in NEURON.
"""

from __future__ import annotations

import json
import math
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import arbor as A
import numpy as np
from arbor import units as U
from description import BACKGROUND, PROJECTIONS, SIZES, P, peak

THREADS, FOLDER = int(sys.argv[1]), Path(sys.argv[2]).resolve()
MODS = Path(__file__).with_name("mod_arbor")
NAMES = list(SIZES)
FIRST = dict(zip(NAMES, np.cumsum([0, *SIZES.values()])[:-1].tolist(), strict=True))
TOTAL = sum(SIZES.values())
REST = {"E": -68, "PV": -66, "SOM": -66, "VIP": -66}


def compile_mechanisms() -> float:
    """Compile the catalogue into FOLDER, and say how long it took."""
    started = time.perf_counter()
    FOLDER.mkdir(parents=True, exist_ok=True)
    if not (FOLDER / "reference-catalogue.so").exists():
        tool = Path(sys.executable).with_name("arbor-build-catalogue")
        # The tool calls whichever python3 comes first.
        environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
        subprocess.run([tool, "reference", MODS], cwd=FOLDER, check=True, env=environment,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
    return time.perf_counter() - started


def half_resistance(length: float, diameter: float, conductance: float) -> float:
    """Resistivity (ohm cm) with which half a cylinder (um) has this conductance (nS)."""
    return 1e5 * math.pi * diameter**2 / (2 * length * conductance)


def tree_of(parts: list[tuple[str, float, float, str | None]]) -> tuple[Any, Any]:
    """A segment per compartment, and a label for each."""
    tree, made, labels = A.segment_tree(), {}, {}
    ends = {}
    for tag, (name, length, diameter, parent) in enumerate(parts, 1):
        start = ends[parent] if parent else 0.0
        before = made[parent] if parent else A.mnpos
        radius = diameter / 2
        made[name] = tree.append(
            before, A.mpoint(start, 0, 0, radius), A.mpoint(start + length, 0, 0, radius), tag=tag
        )
        ends[name] = start + length
        labels[name] = f"(tag {tag})"
        labels[f"mid_{name}"] = f'(on-components 0.5 (region "{name}"))'
    return A.morphology(tree), A.label_dict(labels)


def pyramidal(start: float) -> A.cable_cell:
    """Soma, basal, trunk and tuft, with sodium spikes in the dendrites."""
    parts = [("soma", 25, 25, None), ("basal", 200, 3, "soma"), ("trunk", 300, 3, "soma"),
             ("tuft", 250, 2, "trunk")]  # fmt: skip
    morphology, labels = tree_of(parts)
    decor = passive("E", start, 50e-6)
    resistances = {
        "soma": 1e-3,
        "basal": half_resistance(200, 3, 8),
        "trunk": half_resistance(300, 3, 12),
        # In series with the other half of the trunk: 6 nS.
        "tuft": half_resistance(250, 2, 12),
    }
    for name, value in resistances.items():
        decor.paint(f'"{name}"', rL=value * U.Ohm * U.cm)
    density = {"gNa": 0.05, "gK": 0.01, "gM": 0.0002}
    decor.paint('"soma"', A.density("channels", density))
    place(decor, "soma", "gaba", "pv", g=1e-3 * peak(0.5, 8), tau_rise=0.5, tau_decay=8)
    place(decor, "tuft", "gaba", "som", g=1e-3 * peak(1, 20), tau_rise=1, tau_decay=20)
    for part, rise, fall in (("basal", 12, 14), ("trunk", 22, 26), ("tuft", 12, 14)):
        place(decor, part, "dendritic_spike", f"spike_{part}", g_rise=rise / 1e3, g_fall=fall / 1e3)
    nmda = peak(3, 60) * 1e-3
    for part in ("basal", "trunk"):
        place(decor, part, "ampa_nmda", f"e_{part}", g_ampa=0.35e-3, g_nmda=0.35 * nmda)
    place(decor, "basal", "background_ampa", "bg", g=0.8e-3, tau=3, rate=1.0, w=1.3)
    place(decor, "tuft", "background_tuft", "bg_tuft", g_nmda=0.6 * nmda)
    return finish(morphology, decor, labels)


def interneuron(name: str, start: float) -> A.cable_cell:
    """Soma and one dendrite; SOM cells are excited at the dendrite."""
    som = name == "SOM"
    length = 150 if som else 100
    morphology, labels = tree_of([("soma", 15, 15, None), ("dend", length, 1.5, "soma")])
    decor = passive(name, start, 100e-6)
    decor.paint('"soma"', rL=1e-3 * U.Ohm * U.cm)
    decor.paint('"dend"', rL=half_resistance(length, 1.5, 6 if som else 8) * U.Ohm * U.cm)
    density = {"gNa": 0.06, "gK": 0.02, "gM": 0.00002}
    decor.paint('"soma"', A.density("channels", density))
    place(decor, "soma", "ampa", "e")
    place(decor, "soma", "gaba", "i", g=0.8e-3 * peak(0.5, 6), tau_rise=0.5, tau_decay=6)
    place(decor, "soma", "background_ampa", "bg", g=0.6e-3, tau=2, rate=0.8, w=BACKGROUND[name])
    if som:
        nmda = 0.4e-3 * peak(3, 60)
        place(decor, "dend", "ampa_nmda", "e_dend", g_ampa=0.6e-3, g_nmda=nmda, tau_ampa=2)
    return finish(morphology, decor, labels)


def passive(name: str, start: float, leak: float) -> A.decor:
    """Leak and capacitance everywhere; the soma starts at `start`."""
    decor = A.decor()
    decor.set_property(Vm=REST[name] * U.mV, cm=0.01 * U.F / U.m2)
    decor.paint('"soma"', Vm=start * U.mV)
    decor.paint("(all)", A.density(f"pas/e={REST[name]}", {"g": leak}))
    return decor


def place(decor: A.decor, part: str, kind: str, label: str, **values: float) -> None:
    """A point mechanism in the middle of a compartment."""
    decor.place(f'"mid_{part}"', A.synapse(kind, values), label)


def finish(morphology: Any, decor: A.decor, labels: Any) -> A.cable_cell:
    """The cell, one control volume per compartment."""
    decor.place('"mid_soma"', A.threshold_detector(-10 * U.mV), "spike")
    return A.cable_cell(morphology, decor, labels, A.cv_policy_every_segment())


class Reference(A.recipe):
    """Cells and connections, drawn when the recipe is made."""

    def __init__(self) -> None:
        A.recipe.__init__(self)
        rng = np.random.default_rng(7)
        self.starts = [
            REST[n] + v for n in NAMES for v in rng.uniform(-4, 8, SIZES[n])
        ]  # fmt: skip
        self.incoming: list[list[tuple[int, str, float, float]]] = [[] for _ in range(TOTAL)]
        for source, target, point, share, weight, delay in PROJECTIONS:
            for pre in range(SIZES[source]):
                for k in np.flatnonzero(rng.random(SIZES[target]) < share * P):
                    w = weight * math.exp(0.3 * rng.standard_normal())
                    wait = delay or 0.5 + 2 * rng.random()
                    self.incoming[FIRST[target] + k].append((FIRST[source] + pre, point, w, wait))
        self.properties = A.neuron_cable_properties()
        self.properties.catalogue = A.default_catalogue()
        self.properties.catalogue.extend(
            A.load_catalogue(FOLDER / "reference-catalogue.so"), "")  # fmt: skip

    def num_cells(self) -> int:
        return TOTAL

    def cell_kind(self, gid: int) -> Any:
        return A.cell_kind.cable

    def global_properties(self, kind: Any) -> Any:
        return self.properties

    def cell_description(self, gid: int) -> Any:
        name = NAMES[int(np.searchsorted(list(FIRST.values()), gid, "right")) - 1]
        start = self.starts[gid]
        return pyramidal(start) if name == "E" else interneuron(name, start)

    def connections_on(self, gid: int) -> list[Any]:
        return [
            A.connection((pre, "spike"), point, w, wait * U.ms)
            for pre, point, w, wait in self.incoming[gid]
        ]

    def probes(self, gid: int) -> list[Any]:
        if gid >= 20:
            return []
        return [A.cable_probe_membrane_voltage(f'"mid_{p}"', tag=p) for p in ("soma", "tuft")]


def main() -> None:
    """Build and run, three times, print."""
    compile_s = compile_mechanisms()
    started = time.perf_counter()
    recipe = Reference()
    context = A.context(threads=THREADS)
    # Alone, cells do not fill the vector instructions: one group for each thread.
    hint = A.partition_hint(cpu_group_size=-(-TOTAL // THREADS))
    groups = A.partition_load_balance(recipe, context, {A.cell_kind.cable: hint})
    simulation = A.simulation(recipe, context, groups, seed=42)
    simulation.record(A.spike_recording.all)
    for gid in range(20):
        for part in ("soma", "tuft"):
            simulation.sample((gid, part), A.regular_schedule(0.05 * U.ms))
    built = time.perf_counter()
    runs = []
    for _ in range(3):
        simulation.reset()
        before = time.perf_counter()
        simulation.run(1000 * U.ms, 0.05 * U.ms)
        runs.append(time.perf_counter() - before)
    who = simulation.spikes()["source"]["gid"]
    rates = {n: float(np.sum((who >= FIRST[n]) & (who < FIRST[n] + SIZES[n]))) / SIZES[n]
             for n in NAMES}  # fmt: skip
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
    result = {"compile_s": compile_s, "build_s": built - started, "run_s": runs,
              "peak_memory_mb": peak_mb, "rates_hz": rates,
              "synapses": sum(map(len, recipe.incoming))}  # fmt: skip
    print(json.dumps(result))


if __name__ == "__main__":
    main()
