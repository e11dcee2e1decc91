"""Reduce the synthetic pyramidal cell with biomod, NEAT and neuron_reduce, and print the errors.

``python benchmarks/compare_reductions.py`` compares with what it finds of NEAT (Wybo et al. 2021,
10.7554/eLife.60936; ``pip install nest-neat``) and neuron_reduce (Amsalem et al. 2020,
10.1038/s41467-019-13932-6; ``pip install neuron_reduce``, with NEURON); biomod depends on neither.
One site lies in the tuft. Errors are those of the magnitudes of input and transfer impedances, of
each tool against the detailed cell as that tool has it (neuron_reduce: NEURON's impedance tool).
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from biomod.morphology import DetailedCell, Membrane, read_swc, reduce_tree
from biomod.morphology.synthetic import example_swc

FREQUENCIES = (0.0, 10.0, 38.0, 100.0)
TUFT = "600 um"
TEMPLATE = """
begintemplate Pyramidal
public soma, dend, apic, axon, all, somatic, basal, apical, axonal
objref all, somatic, basal, apical, axonal
create soma[1], dend[1], apic[1], axon[1]
proc init() {
    all = new SectionList()
    somatic = new SectionList()
    basal = new SectionList()
    apical = new SectionList()
    axonal = new SectionList()
}
endtemplate Pyramidal
"""


def impedances(h: Any, soma: Any, tuft: Any) -> np.ndarray:
    """Input at the soma, transfer from the tuft and input there (MOhm), by frequency."""
    rows = []
    for f in FREQUENCIES:
        row = []
        for at, other in ((soma, tuft), (tuft, None)):
            tool = h.Impedance()
            tool.loc(at)
            h.finitialize(-70)
            tool.compute(f)
            row.append(tool.input(at))
            if other is not None:
                row.append(tool.transfer(other))
        rows.append(row)
    return np.array(rows)


def with_neuron_reduce() -> tuple[np.ndarray, np.ndarray, int]:
    """Impedances of the cell in detail and reduced, and the segments of the latter."""
    import neuron_reduce
    from neuron import h

    h.load_file("stdrun.hoc")
    h.load_file("import3d.hoc")
    h(TEMPLATE)
    reader = h.Import3d_SWC_read()
    reader.input(str(example_swc()))
    cell = h.Pyramidal()
    h.Import3d_GUI(reader, 0).instantiate(cell)
    for section in cell.all:
        section.Ra, section.cm = 100, 1
        section.insert("pas")
        section.nseg = 2 * int(section.L / 8) + 1
        for segment in section:
            segment.pas.g, segment.pas.e = 50e-6, -70
    shape = read_swc(example_swc())
    at = shape.position(shape.towards(shape.tips("apical")[0], TUFT))
    tuft = min(
        (segment for section in cell.apic for segment in section),
        key=lambda s: float(np.linalg.norm(coordinates(s) - at)),
    )
    full = impedances(h, cell.soma[0](0.5), tuft)
    synapse = h.Exp2Syn(tuft)
    connection = h.NetCon(None, synapse)
    reduced, (moved,), _ = neuron_reduce.subtree_reductor(cell, [synapse], [connection], 38)
    soma = reduced.soma[0] if hasattr(reduced.soma, "__getitem__") else reduced.soma
    segments = sum(s.nseg for s in soma.wholetree())
    return full, impedances(h, soma(0.5), moved.get_segment()), segments


def coordinates(segment: Any) -> np.ndarray:
    """Centre of a segment in um."""
    section = segment.sec
    along = [section.arc3d(i) for i in range(section.n3d())]
    return np.array([
        np.interp(segment.x * section.L, along, [axis(i) for i in range(section.n3d())])
        for axis in (section.x3d, section.y3d, section.z3d)
    ])  # fmt: skip


def with_biomod(sites: int) -> tuple[np.ndarray, int]:
    """Relative errors of the same impedances; `sites` along the way to the tuft."""
    shape = read_swc(example_swc())
    tip = shape.tips("apical")[0]
    membrane = Membrane("50 uS/cm2", "-70 mV", r_axial="100 ohm cm")
    detailed = DetailedCell("c", shape, {"*": membrane})
    where = np.linspace(0, 600, sites + 1)[1:]
    places = {f"a{k}": shape.towards(tip, f"{x} um") for k, x in enumerate(where)}
    grid = detailed.grid(0.02)
    reduction = reduce_tree(detailed, places)
    names = list(reduction.report.sites)
    ends = [0, names.index(f"a{sites - 1}")]
    kept = [grid.index(reduction.locations[names[k]]) for k in ends]
    cell = reduction.cell
    order = [c.name for c in cell.compartments]
    g = np.zeros((len(order), len(order)))
    for coupling in cell.couplings:
        i, j, s = order.index(coupling.a), order.index(coupling.b), coupling.g.si
        g[[i, j], [i, j]] += s
        g[[i, j], [j, i]] -= s
    g += np.diag([(c.g_leak * c.area).si for c in cell.compartments])
    capacitance = np.diag([c.capacitance.si for c in cell.compartments])
    errors = []
    for f in FREQUENCIES:
        full = np.abs(grid.impedance(kept, f))
        short = np.abs(np.linalg.inv(g + 2j * np.pi * f * capacitance))[np.ix_(ends, ends)]
        e = short / full - 1
        errors.append([e[0, 0], e[0, 1], e[1, 1]])
    return np.array(errors), len(order)


def with_neat(sites: int) -> tuple[np.ndarray, int]:
    """The same errors of a reduction by NEAT, to the samples nearest to the same sites."""
    from neat import CompartmentFitter, GreensTree, PhysTree

    shape = read_swc(example_swc())
    tip = shape.tips("apical")[0]
    where = np.linspace(0, 600, sites + 1)[1:]
    places = [shape.position(shape.towards(tip, f"{x} um")) for x in where]
    samples = [r.split() for r in example_swc().read_text().splitlines() if r[0] != "#"][1:]
    at = np.array([[float(x) for x in s[2:5]] for s in samples])
    nodes = [int(samples[int(np.linalg.norm(at - p, axis=1).argmin())][0]) + 2 for p in places]
    # NEAT wants the soma in three samples.
    rows = ["1 1 0 0 0 10 -1", "2 1 0 -10 0 10 1", "3 1 0 10 0 10 1"]
    for number, *middle, parent in samples:
        up = int(parent) + 2 if int(parent) > 1 else 1
        rows.append(" ".join([str(int(number) + 2), *middle, str(up)]))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "cell.swc"
        file.write_text("\n".join(rows) + "\n")
        tree = PhysTree(str(file), types=[1, 3, 4])
    tree.set_physiology(1.0, 100e-6)
    tree.set_leak_current(50.0, -70.0)
    tree.set_comp_tree()
    reduced, kept = CompartmentFitter(tree).fit_model([(1, 0.5), *((n, 1.0) for n in nodes)])
    s = 2j * np.pi * np.array(FREQUENCIES)
    full = GreensTree(tree)
    full.set_comp_tree()
    full.set_impedance(s)
    error = np.abs(reduced.calc_impedance_matrix(freqs=s) / full.calc_impedance_matrix(kept))
    last = [k["node"] for k in kept].index(nodes[-1])
    return np.array([[e[0, 0], e[0, last], e[last, last]] for e in error - 1]), len(kept)


def show(title: str, errors: np.ndarray) -> None:
    print(title)
    print("frequency   soma, input   tuft to soma   tuft, input")
    for f, row in zip(FREQUENCIES, errors, strict=True):
        print(f"{f:6g} Hz" + "".join(f"{100 * e:12.2f} %" for e in row))


def main() -> int:
    for sites in (1, 3, 9):
        errors, n = with_biomod(sites)
        show(f"biomod, {n} compartments", errors)
    try:
        for sites in (1, 3):
            errors, n = with_neat(sites)
            show(f"NEAT, {n} compartments", errors)
    except ImportError as error:
        print(f"NEAT: {error}", file=sys.stderr)
    try:
        full, short, n = with_neuron_reduce()
        show(f"neuron_reduce, {n} segments, at 38 Hz", short / full - 1)
    except ImportError as error:
        print(f"neuron_reduce: {error}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
