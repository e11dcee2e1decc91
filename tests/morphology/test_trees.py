"""Compartments as indices on Brian2: the numbers of named compartments, and of NEURON."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import biomod as bm
from biomod.backends import available
from biomod.backends.brian.trees import plan as trees
from biomod.mechanisms import channels as ch
from biomod.mechanisms import neuromodulation as nm
from biomod.model import Background, Cell, Circuit, GapJunctions, Population, SynapticEvents
from biomod.morphology import DetailedCell, Membrane, Morphology, read_swc
from biomod.morphology.synthetic import example_swc
from biomod.morphology.tree import cylinder
from tests.backends.helpers import ball_and_stick, same_spikes
from tests.neuron.helpers import RECEPTORS, interneuron, small_circuit
from tests.neuron.test_circuits import stimuli

PASSIVE = Membrane("100 uS/cm2", "-70 mV", r_axial="150 ohm cm")


def cable(segments: int = 40, membrane: Membrane = PASSIVE) -> Cell:
    shape = Morphology("cable", (cylinder("300 um", "1 um"),))
    return DetailedCell("cable", shape, {"*": membrane}).cell(segments=segments)


def both_ways(
    monkeypatch: pytest.MonkeyPatch, model: Any, duration: str, **how: Any
) -> tuple[bm.Result, bm.Result]:
    """With named compartments, and with indices."""
    named = bm.simulate(model, duration, **how)
    monkeypatch.setattr(trees, "MOST_NAMED", 0)
    return named, bm.simulate(model, duration, **how)


def test_indices_and_names_of_compartments_give_the_same_traces(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A spike, and synapses of which two are activated in one step; numpy."""
    drive = [
        bm.step("2 nA", "0.1 ms", "2 ms"),
        SynapticEvents(compartment="dend", receptor="NMDA", times=("0.2 ms",), weight="5 nS"),
        SynapticEvents(compartment="soma", receptor="fast", times=("1 ms", "1 ms"), weight="1 nS"),
    ]
    record = ("soma.v", "dend.v", "dend.NMDA.g", "soma.fast.g", "soma.Kv3.n")
    how = {"stimulus": drive, "record": record, "backend": "numpy"}
    a, b = both_ways(monkeypatch, interneuron(), "2 ms", **how)
    assert len(a.spikes) == 1
    assert same_spikes(a, b)
    for label in record:
        np.testing.assert_allclose(a.trace(label), b.trace(label), atol=1e-9, err_msg=label)


@pytest.mark.validate
def test_a_circuit_of_trees_has_the_spikes_of_named_compartments(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Connections, plasticity, varied cells and Poisson input, which is drawn anew."""
    how = {"stimulus": stimuli(), "record": ["E.soma.v", "I.dend.v"], "backend": "cpp"}
    a, b = both_ways(monkeypatch, small_circuit(gaps=False), "130 ms", **how)
    assert len(a.spikes) > 10
    assert same_spikes(a, b)
    for label in ("E.soma.v", "I.dend.v"):
        np.testing.assert_allclose(a.trace(label), b.trace(label), atol=1e-6, err_msg=label)


def pyramidal() -> tuple[Cell, dict[str, str]]:
    """The synthetic pyramidal cell with channels all over, and two sites of it."""
    base = PASSIVE.with_(receptors=RECEPTORS[:3])
    active = (ch.NaTa("10000 uS/cm2"), ch.Kv3("20000 uS/cm2"), ch.Ih("300 uS/cm2"))
    soma = (
        ch.NaTa("800000 uS/cm2"), ch.Kv3("500000 uS/cm2"), ch.CaHVA("300 uS/cm2"),
        ch.SK("500 uS/cm2"),
    )  # fmt: skip
    shape = read_swc(example_swc())
    membranes = {
        "soma": replace(base, channels=soma, calcium=ch.calcium_pool("80 ms", 0.05)),
        "apical": replace(base, channels=active, area_factor=1.8),
        "*": replace(base, channels=(ch.Ih("20 uS/cm2"),), area_factor=1.8),
    }
    detailed = DetailedCell("pyramidal", shape, membranes)
    grid, tip = detailed.grid(0.1), shape.tips("apical")[0]
    sites = {
        name: grid.names[grid.index(shape.towards(tip, place))]
        for name, place in (("tuft", "500 um"), ("trunk", "150 um"))
    }
    return detailed.cell(0.1), sites


@pytest.mark.validate
@pytest.mark.skipif(not available()["neuron"].available, reason="needs NEURON")
def test_a_detailed_cell_fires_alike_on_both_simulators() -> None:
    """Step, noise in the tuft and synapses; below 0.05 mV, spikes within 0.1 ms at 0.0125 ms."""
    cell, sites = pyramidal()
    tuft = sites["tuft"]
    noise = np.random.default_rng(1).normal(0, 100, 400)
    drive = [
        bm.step("600 pA", "20 ms", "180 ms"),
        bm.CurrentWaveform(compartment=tuft, samples=tuple(noise), interval="0.5 ms"),
        SynapticEvents(compartment=tuft, receptor="NMDA", times=("60 ms", "62 ms", "62.003 ms"),
                       weight="1 nS"),
    ]  # fmt: skip
    record = ["soma.v", f"{tuft}.v", f"{sites['trunk']}.v", "soma.calcium.cai", f"{tuft}.NMDA.g"]
    ours, theirs = (
        bm.simulate(cell, "200 ms", stimulus=drive, record=record, dt="0.0125 ms", backend=b)
        for b in ("cpp", "neuron")
    )
    assert len(ours.spikes) >= 5
    times = [r.spikes["time_ms"].to_numpy() for r in (ours, theirs)]
    np.testing.assert_allclose(*times, atol=0.1)
    for label in record:  # far below what is asked for: the scheme is the same
        a, b = ours.trace(label), theirs.trace(label)
        np.testing.assert_allclose(a, b, atol=1e-5, err_msg=label)


@pytest.mark.validate
def test_the_program_is_that_of_any_length() -> None:
    """Twice the compartments: the same equations, no more."""
    active = PASSIVE.with_(channels=(ch.NaTa("20000 uS/cm2"), ch.Ih("300 uS/cm2")))
    plans = [bm.compile(cable(n, active), "1 ms", backend="numpy").compiled.plan for n in (30, 600)]
    short, long = (p.trees[0].compartments.equations for p in plans)
    assert short == long


def test_a_cable_of_indices_has_the_steady_voltages_of_theory() -> None:
    """A finite cable, 41 compartments on numpy, to 2 uV of up to 15 mV."""
    cell = cable()
    names = ["cablex0", "cablex20", "cablex40"]
    # Far longer than the time constant of 10 ms; in the steady state the scheme is exact.
    result = bm.simulate(
        cell, "160 ms", dt="0.4 ms", backend="numpy", record=[f"{n}.v" for n in names],
        stimulus=bm.step("10 pA", "0 ms", "1 s", compartment="cablex0"),
    )  # fmt: skip
    found = np.array([result.trace(f"{n}.v")[0].to_numpy()[-1] + 70 for n in names])
    length = np.sqrt(1e-6 / 4 / (1.0 * 1.5)) * 1e6  # um, of g = 1 S/m2 and Ra = 1.5 ohm m
    infinite = length * 1e-6 * 4 * 1.5 / (np.pi * 1e-12)
    x = np.array([0, 150, 300])
    theory = infinite * 10e-9 * np.cosh((300 - x) / length) / np.sinh(300 / length)
    np.testing.assert_allclose(found, theory, atol=2e-3)


@pytest.mark.parametrize(
    ("change", "how", "message"),
    [
        ({}, {"method": "exponential_euler", "dt": "0.0005 ms"}, "above 24 the method"),
        ({"gap_junctions": (GapJunctions("cable", "cable", "cablex0", "1 nS", 1.0),)}, {},
         "gap junctions"),
        ({"populations": "dspike"}, {}, "one circuit with dspike cells"),
        ({"modulators": (nm.phasic("ACh", "20 ms", "60 ms", rate="80 Hz"),)}, {},
         "concentration changes during a run"),
    ],
)  # fmt: skip
def test_what_trees_cannot_do_is_refused_by_name(
    change: dict[str, Any], how: dict[str, Any], message: str
) -> None:
    population = Population("cable", cable(), 2)
    if change.get("populations") == "dspike":
        change = {"populations": (population, Population("few", ball_and_stick(), 1))}
    circuit = replace(Circuit("c", (population,)), **change)
    with pytest.raises(bm.ModelError, match=message):
        bm.simulate(circuit, "1 ms", backend="numpy", **{"method": "crank_nicolson"} | how)


def test_two_kinetics_under_one_name_are_refused() -> None:
    cell = cable()
    first, second, *others = cell.compartments
    slow = ch.NaTa("1 uS/cm2")
    gates = tuple(replace(g, tau=f"2 * ({g.tau})") for g in slow.gates)
    mixed = (
        replace(first, channels=(slow,)), replace(second, channels=(replace(slow, gates=gates),)),
    )  # fmt: skip
    with pytest.raises(bm.ModelError, match="two that are called NaTa"):
        bm.simulate(replace(cell, compartments=(*mixed, *others)), "1 ms", backend="numpy")


def test_unknown_sites_of_recordings_and_stimuli_name_the_nearest() -> None:
    with pytest.raises(bm.ModelError, match="did you mean"):
        bm.simulate(cable(), "1 ms", record=["cablex41.v"], backend="numpy")
    with pytest.raises(bm.ModelError, match="did you mean"):
        bm.simulate(cable(), "1 ms", record=["cablex4.NaTa.m"], backend="numpy")


def test_background_reaches_its_compartment_only() -> None:
    """Without the drive of its own compartment a far one has a conductance of zero."""
    noise = Background("noise", "cablex40", "5000 Hz", "0.1 nS")
    cell = cable(40, PASSIVE.with_(receptors=RECEPTORS[:1]))
    circuit = Circuit("c", (Population("p", cell, 2, backgrounds=(noise,)),))
    record = ["cablex40.AMPA.g", "cablex39.AMPA.g"]
    result = bm.simulate(circuit, "5 ms", dt="0.1 ms", record=record, backend="numpy")
    here, beside = (result.trace(label).to_numpy() for label in record)
    assert here[-1].min() > 0
    assert not np.array_equal(here[:, 0], here[:, 1])
    assert not beside.any()
