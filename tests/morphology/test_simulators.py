"""Detailed cells against NEURON's own sections, and reduced cells against detailed ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import biomod as bm
from biomod.backends import available
from biomod.mechanisms.channels import Ih
from biomod.morphology import DetailedCell, Location, Membrane, read_swc, reduce_tree
from biomod.morphology.synthetic import example_swc

pytestmark = pytest.mark.skipif(
    "neuron" not in available() or not available()["neuron"].available, reason="needs NEURON"
)
SHAPE = read_swc(example_swc())
MEMBRANE = Membrane("50 uS/cm2", "-70 mV", r_axial="100 ohm cm")


def native(nseg_of: float) -> tuple[Any, dict[str, Any]]:
    """The example in NEURON's own terms: 3-d points, segments of at most that length in um."""
    from neuron import h

    h.load_file("stdrun.hoc")
    made = {"soma": h.Section(name="soma")}
    made["soma"].L = made["soma"].diam = (SHAPE.soma_area.to("um2") / np.pi) ** 0.5
    for s in SHAPE.sections:
        section = h.Section(name=s.name)
        for (x, y, z), r in zip(s.points, s.radii, strict=True):
            section.pt3dadd(float(x), float(y), float(z), 2 * float(r))
        section.nseg = 2 * int(s.length / nseg_of / 2) + 1
        made[s.name] = section
    for s in SHAPE.sections:
        made[s.name].connect(made[s.parent or "soma"](1 if s.parent else 0.5), 0)
    for section in made.values():
        section.Ra, section.cm = 100, 1
        section.insert("pas")
        for segment in section:
            segment.pas.g, segment.pas.e = 50e-6, -70
    return h, made


@pytest.mark.validate
@pytest.mark.parametrize("frequency", [0.0, 30.0, 300.0])
def test_impedances_are_those_of_neuron(frequency: float) -> None:
    h, made = native(4.0)
    tips = [SHAPE.tips("apical")[0], SHAPE.tips("basal")[0]]
    imp = h.Impedance()
    imp.loc(made["soma"](0.5))
    h.finitialize(-70)
    imp.compute(frequency)
    theirs = [imp.input(made["soma"](0.5))]
    theirs += [imp.transfer(made[t.section](1.0)) for t in tips]
    grid = DetailedCell("c", SHAPE, {"*": MEMBRANE}).grid(0.02)
    indices = [0, *(grid.index(t) for t in tips)]
    z = np.abs(grid.impedance(indices, frequency)[0]) * 1e-6
    # Halving the segments changes those of NEURON by less than 0.1 %.
    np.testing.assert_allclose(theirs, z, rtol=2e-3)


@pytest.mark.validate
def test_a_reduced_cell_polarises_like_the_detailed_one() -> None:
    """Steady current into the tuft; reduced on Brian2, detailed on NEURON: both known exactly."""
    tip = SHAPE.tips("apical")[0]
    detailed = DetailedCell("c", SHAPE, {"*": MEMBRANE})
    sites = {"trunk": SHAPE.towards(tip, "250 um"), "tuft": SHAPE.towards(tip, "550 um")}
    reduction = reduce_tree(detailed, sites, d_lambda=0.05)
    place = reduction.locations["tuft"]
    assert isinstance(place, Location)
    full = detailed.cell(0.05)
    there = detailed.grid(0.05).names[detailed.grid(0.05).index(place)]
    how = {"dt": "0.1 ms"}
    few = bm.simulate(
        reduction.cell, "300 ms", stimulus=bm.step("30 pA", "10 ms", "1 s", compartment="tuft"),
        record=["soma.v", "tuft.v"], backend="numpy", **how,
    )  # fmt: skip
    many = bm.simulate(
        full, "300 ms", stimulus=bm.step("30 pA", "10 ms", "1 s", compartment=there),
        record=["soma.v", f"{there}.v"], backend="neuron", **how,
    )  # fmt: skip
    for a, b in (("soma.v", "soma.v"), ("tuft.v", f"{there}.v")):
        ours, theirs = few.trace(a)[0].to_numpy(), many.trace(b)[0].to_numpy()
        assert ours[-1] + 70 == pytest.approx(theirs[-1] + 70, rel=1e-4)


@pytest.mark.validate
def test_sag_of_a_reduced_cell_with_ih() -> None:
    """Ih grows along the apical dendrite; sag at the soma within 10 % of that in detail."""
    membranes = {
        "apical": MEMBRANE.with_(channels=(Ih("1500 uS/cm2"),)),
        "*": MEMBRANE.with_(channels=(Ih("100 uS/cm2"),)),
    }
    detailed = DetailedCell("c", SHAPE, membranes)
    tip = SHAPE.tips("apical")[0]
    sites = {f"a{k}": SHAPE.towards(tip, f"{x} um") for k, x in enumerate((150, 350, 600))}
    cells = {"numpy": reduce_tree(detailed, sites).cell, "neuron": detailed.cell(0.1)}
    deepest, last = {}, {}
    for backend, cell in cells.items():
        result = bm.simulate(
            cell, "400 ms", stimulus=bm.step("-200 pA", "50 ms", "1 s"), record=["soma.v"],
            dt="0.1 ms", backend=backend,
        )  # fmt: skip
        v = result.trace("soma.v")[0].to_numpy()
        deepest[backend], last[backend] = v.min() - v[0], v[-1] - v[0]
    assert last["numpy"] == pytest.approx(last["neuron"], rel=0.05)
    sag = {b: 1 - last[b] / deepest[b] for b in cells}
    assert sag["neuron"] > 0.05
    assert sag["numpy"] == pytest.approx(sag["neuron"], rel=0.1)
