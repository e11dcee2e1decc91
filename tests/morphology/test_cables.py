"""Cables of many compartments, simulated, against theory: the thresholds of Brian2's own tests.

Those are of ``brian2/tests/test_spatialneuron.py``: an RMS error below 0.1 % of the range of the
voltage (0.25 % for the branching tree) and none above 0.5 %; 1 uV for the finite cable, 2 uV for
the tree of Rall. The tabulated solutions of the Rallpacks (Bhalla, Bilitch & Bower 1992, Trends
Neurosci 15:453) come with Brian2.
"""

from __future__ import annotations

from pathlib import Path

import brian2
import numpy as np
import pytest

import biomod as bm
from biomod.backends import available
from biomod.mechanisms.channels import K_squid, Na_squid
from biomod.model import Cell
from biomod.morphology import DetailedCell, Location, Membrane, Morphology
from biomod.morphology.tree import cylinder
from tests.morphology import reference

TABLES = Path(brian2.__file__).parent / "tests" / "rallpack_data"
RALLPACK = Membrane("25 uS/cm2", "-65 mV", r_axial="100 ohm cm")
NEURON = pytest.param(
    "neuron",
    marks=pytest.mark.skipif(
        "neuron" not in available() or not available()["neuron"].available,
        reason="needs NEURON",
    ),
)
BACKENDS = ["numpy", NEURON]
pytestmark = pytest.mark.validate


def ends(
    cell: Cell, far: str, current: str, duration: str, backend: str, dt: str, interval: str
) -> tuple[np.ndarray, np.ndarray]:
    """Voltages (V) at the root, where a current flows from the beginning, and at a far end."""
    near = cell.soma.name
    result = bm.simulate(
        cell, duration, stimulus=bm.step(current, "0 ms", "10 s", compartment=near), dt=dt,
        record=[bm.record(f"{n}.v", interval=interval) for n in (near, far)], backend=backend,
    )  # fmt: skip
    return tuple(result.trace(f"{n}.v")[0].to_numpy() * 1e-3 for n in (near, far))


def errors(found: np.ndarray, expected: np.ndarray) -> tuple[float, float]:
    """RMS and largest error in percent of the range."""
    difference = found[: len(expected)] - expected
    scale = 100 / np.ptp(expected)
    return float(np.sqrt(np.mean(difference**2))) * scale, float(np.abs(difference).max()) * scale


def table(name: str, every: int = 1) -> np.ndarray:
    return np.loadtxt(TABLES / name)[::every, 1]


@pytest.mark.parametrize("backend", BACKENDS)
def test_rallpack_1(backend: str) -> None:
    """A passive cable of one length constant, in 21 compartments."""
    detailed = DetailedCell(
        "cable", Morphology("cable", (cylinder("1 mm", "1 um"),)), {"*": RALLPACK}
    )
    cell = detailed.cell(segments=20)
    traces = ends(cell, "cablex20", "0.1 nA", "250.05 ms", backend, "0.05 ms", "0.05 ms")
    for found, name in zip(traces, ("ref_cable.0", "ref_cable.x"), strict=True):
        rms, largest = errors(found, table(name))
        assert rms < 0.1
        assert largest < 0.5


@pytest.mark.parametrize("backend", BACKENDS)
def test_rallpack_2(backend: str) -> None:
    """A branching tree of 1023 sections."""
    sections = [cylinder("16 um", "32 um", "b0")]
    diameter, length, level = 32.0, 16.0, ["b0"]
    for _ in range(9):
        diameter, length = diameter / 2 ** (1 / 3), length / 2 ** (2 / 3)
        names = [f"b{len(sections) + k}" for k in range(2 * len(level))]
        sections += [
            cylinder(f"{length} um", f"{diameter} um", n, level[k // 2])
            for k, n in enumerate(names)
        ]
        level = names
    detailed = DetailedCell("tree", Morphology("tree", tuple(sections)), {"*": RALLPACK})
    cell = detailed.cell(segments=1)
    traces = ends(cell, f"{level[-1]}x1", "0.1 nA", "250.1 ms", backend, "0.1 ms", "0.1 ms")
    for found, name in zip(traces, ("ref_branch.0", "ref_branch.x"), strict=True):
        rms, largest = errors(found, table(name, 2))
        assert rms < 0.25
        assert largest < 0.5


def squid(segments: int) -> Cell:
    """The axon of Rallpack 3."""
    membrane = RALLPACK.with_(channels=(Na_squid(), K_squid()))
    shape = Morphology("axon", (cylinder("1 mm", "1 um"),))
    return DetailedCell("axon", shape, {"*": membrane}, temperature=6.3).cell(segments=segments)


@pytest.fixture(scope="module")
def axon() -> np.ndarray:
    """From rest; that is where our cells begin, while the table begins at -65 mV."""
    return reference.rallpack3(reference.resting_potential(), 0.25, dt=5e-6)


@pytest.mark.parametrize("backend", ["cpp", NEURON])
def test_rallpack_3(axon: np.ndarray, backend: str) -> None:
    """Seventeen action potentials along a squid axon, against the solver in `reference`."""
    traces = ends(squid(800), "cablex800", "0.1 nA", "250.05 ms", backend, "0.005 ms", "0.05 ms")
    for found, expected in zip(traces, axon.T, strict=True):
        assert errors(found, expected)[0] < 0.1


def test_reference_of_rallpack_3_has_the_spikes_of_the_published_table() -> None:
    """To 0.03 % in time: the table was made with steps of first order of about 1 us."""
    found = reference.rallpack3(-65e-3, 0.25, dt=5e-6)
    for k, name in enumerate(("ref_axon.0.neuron", "ref_axon.x.neuron")):
        expected = upward(table(name))
        np.testing.assert_allclose(upward(found[:, k]), expected, rtol=3e-4, atol=0.005)


def upward(v: np.ndarray) -> np.ndarray:
    """Times (ms) at which 0 mV is crossed, of samples every 0.05 ms."""
    k = np.flatnonzero((v[:-1] < 0) & (v[1:] >= 0))
    return (k - v[k] / (v[k + 1] - v[k])) * 0.05


FINITE = Membrane("100 uS/cm2", "-70 mV", r_axial="150 ohm cm")


def constant(diameter: float) -> float:
    """Length constant in um."""
    return float(np.sqrt(diameter * 1e-6 / 4 / (1.0 * 1.5)) * 1e6)


def settled(cell: Cell, names: list[str], backend: str) -> np.ndarray:
    """Potentials (V) relative to rest after 20 time constants of 20 pA into the root."""
    result = bm.simulate(
        cell, "200.1 ms", dt="0.1 ms", backend=backend,
        stimulus=bm.step("20 pA", "0 ms", "1 s", compartment=cell.soma.name),
        record=[bm.record(f"{n}.v", interval="10 ms") for n in names],
    )  # fmt: skip
    return np.array([result.trace(f"{n}.v")[0].to_numpy()[-1] + 70 for n in names]) * 1e-3


@pytest.mark.parametrize("backend", BACKENDS)
def test_finite_cable(backend: str) -> None:
    """Steady voltage along a short cable, to 1 uV of up to 25 mV."""
    shape = Morphology("cable", (cylinder("300 um", "1 um"),))
    detailed = DetailedCell("cable", shape, {"*": FINITE})
    n = 40
    cell = detailed.cell(segments=n)
    names = [c.name for c in cell.compartments]
    la, x = constant(1.0), np.arange(n + 1) * 300 / n
    infinite = la * 1e-6 * 4 * 1.5 / (np.pi * 1e-12)
    theory = infinite * 20e-12 * np.cosh((300 - x) / la) / np.sinh(300 / la)
    np.testing.assert_allclose(settled(cell, names, backend), theory, atol=1e-6)


@pytest.mark.parametrize("backend", BACKENDS)
def test_tree_of_rall(backend: str) -> None:
    """A cylinder and two branches by the power rule, to 2 uV."""
    d1, length, l1 = 0.5, 300.0, 200.0
    d2 = (1 - d1**1.5) ** (1 / 1.5)
    l2 = l1 / constant(d1) * constant(d2)
    sections = (
        cylinder(f"{length} um", "1 um", "main"),
        cylinder(f"{l1} um", f"{d1} um", "left", "main"),
        cylinder(f"{l2} um", f"{d2} um", "right", "main"),
    )
    detailed = DetailedCell("rall", Morphology("rall", sections), {"*": FINITE})
    n = 24
    cell = detailed.cell(segments=n)
    la = constant(1.0)
    whole = length / la + l1 / constant(d1)
    infinite = la * 1e-6 * 4 * 1.5 / (np.pi * 1e-12)
    names = ["mainx0", "mainx12", "mainx24", "leftx12", "leftx24", "rightx12", "rightx24"]
    x = np.array([0, 0.5, 1]) * length / la
    y = x[-1] + np.array([0.5, 1]) * l1 / constant(d1)
    at = np.concatenate([x, y, y])
    theory = infinite * 20e-12 * np.cosh(whole - at) / np.sinh(whole)
    np.testing.assert_allclose(settled(cell, names, backend), theory, atol=2e-6)
    assert detailed.grid(segments=n).index(Location("left", 0.5)) == [
        c.name for c in cell.compartments
    ].index("leftx12")
