"""One description of every class, with as many fields set as it can have."""

from __future__ import annotations

import pytest

from biomod.model import (
    Background,
    CalciumPool,
    Cell,
    Channel,
    Circuit,
    Constant,
    Coupling,
    CurrentClamp,
    CurrentWaveform,
    Dendrite,
    DendriticSpike,
    Effect,
    Expression,
    GapJunctions,
    Gate,
    Modulator,
    Population,
    Projection,
    Pulse,
    Receptor,
    Recording,
    ShortTermPlasticity,
    Soma,
    SomaticSpike,
    SynapticEvents,
    SynapticReceptor,
    Variation,
)
from biomod.model._base import Description
from biomod.model.cell import Compartment, Cylinder, Membrane
from biomod.model.stimulus import Stimulus
from biomod.units import ms, mV, nS, pA, uM


def descriptions() -> dict[str, Description]:
    """By the name of their class."""
    ampa = SynapticReceptor("AMPA", "AMPA", "0 mV", "2 ms", "0.3 ms", gain=1.1, source="x")
    nmda = SynapticReceptor("NMDA", "NMDA", "0 mV", "60 ms", mg="1 mM")
    half = Constant("v_half", "-40 mV", "mV")
    opening = Gate("p", "80", "1 / (1 + exp(-(v - v_half) / 8))", power=2, spike_jump=0.1)
    m = Channel("M", "40 uS/cm2", "-90 mV", (opening,), (half,), source="Brown & Adams 1980")
    action_potential = SomaticSpike("-50 mV", "-60 mV", "3 ms", peak="40 mV", width="0.8 ms")
    soma = Soma("soma", "25 um", "22 um", "40 uS/cm2", "-70 mV", channels=(m,), receptors=(ampa,),
                spike=action_potential)  # fmt: skip
    calcium = DendriticSpike("Ca", "-30 mV", 4 * nS, 3 * nS, "136 mV", "-89 mV", "10 ms", "20 ms",
                             "50 ms", "2 ms", source="y")  # fmt: skip
    tuft = Dendrite("tuft", "300 um", "1.5 um", "30 uS/cm2", "-65 mV", cm="0.8 uF/cm2",
                    r_axial="200 ohm cm", area_factor=2.0, region="apical_tuft",
                    receptors=(ampa, nmda), spikes=(calcium,))  # fmt: skip
    basal = Dendrite("basal", "150 um", "2 um", "30 uS/cm2", "-70 mV", region="basal")
    m1 = Receptor("M1", "ACh", 3 * uM, "100 ms", "500 ms", hill=1.2, tau_desensitisation="20 s",
                  desensitised_fraction=0.3, local_gain=2.0, coupling="Gq", constitutive=0.1,
                  source="z")  # fmt: skip
    closing = Effect("E1", "M1", "g_M", "soma", "scale", 0.1, unit="x", high_dose=True,
                     enabled=False, evidence="estimate", note="n", cell_type="PC",
                     transient_onset="10 ms", transient_decay="100 ms")  # fmt: skip
    expression = Expression(m1, 0.8, (closing,), ("soma",), source="s")
    threshold = Variation("soma.spike.threshold", "normal", sd=2 * mV, source="s")
    coupling = Coupling("soma", "tuft", "12 nS")
    cell = Cell("PC", (soma, tuft, basal), (coupling, Coupling("soma", "basal")), (expression,),
                (threshold, Variation("tuft.g_leak", "lognormal", cv=0.2)), species="mouse V1",
                summary="an example", sources=(("", "here"), ("soma.M", "there")))  # fmt: skip
    background = Background("drive", "tuft", "900 Hz", "0.5 nS", (("AMPA", 1.0), ("NMDA", 0.3)))
    population = Population("PC", cell, 30, "L2/3", heterogeneous=False, backgrounds=(background,))
    stp = ShortTermPlasticity(0.4, "100 ms", "10 ms", source="s")
    projection = Projection("PC", "PC", 0.2, "0.5 nS", (("tuft", 0.6), ("soma", 0.4)),
                            (("AMPA", 1.0),), sigma="150 um", in_degree=12.5, weight_shape=0.4,
                            delay="1.2 ms", velocity="300 um/ms", stp=stp, release_gain=0.9,
                            label="near", source="s")  # fmt: skip
    pulse = Pulse("100 ms", "50 ms", "2 uM", "300 ms")
    modulator = Modulator("ACh", "0.2 uM", (pulse,), (0 * ms, 10 * ms), ("0 nM", "5 nM"), ("M1",))
    gaps = GapJunctions("PC", "PC", "tuft", "0.2 nS", 0.1, sigma="80 um", g_shape=0.3, source="s")
    pool = CalciumPool("60 ms", 0.04, depth="0.2 um", cai_rest="0.00005 mM", source="s")
    circuit = Circuit("net", (population,), (projection,), (modulator,), side="400 um", seed=7,
                      summary="an example", gap_junctions=(gaps,))  # fmt: skip
    where = {"population": "PC", "compartment": "tuft", "cells": (0, 3)}
    items: list[Description] = [
        half, opening, m, action_potential, soma, calcium, tuft, m1, closing, expression, threshold,
        coupling, cell, background, population, stp, projection, pulse, modulator, circuit, ampa,
        Compartment("any", "10 um", "1 um", "30 uS/cm2", "-70 mV", calcium=pool), pool, gaps,
        Stimulus(**where), Cylinder("any", "10 um", "1 um"), Membrane("30 uS/cm2", "-70 mV"),
        CurrentClamp(**where, amplitude=100 * pA, slope="2 pA/ms", start="5 ms", stop="9 ms"),
        CurrentWaveform(**where, samples=(0.0, 1.5, -2.0), interval="0.2 ms"),
        SynapticEvents(**where, receptor="NMDA", times=("1 ms", 2 * ms), weight="2 nS", number=3),
        Recording("tuft", "NMDA.g", "PC", (1, 2), "0.5 ms"),
    ]  # fmt: skip
    return {type(item).__name__: item for item in items}


@pytest.fixture(params=sorted(descriptions()))
def description(request: pytest.FixtureRequest) -> Description:
    return descriptions()[request.param]


@pytest.fixture(scope="session")
def circuit() -> Circuit:
    found = descriptions()["Circuit"]
    assert isinstance(found, Circuit)
    return found


@pytest.fixture(scope="session")
def cell() -> Cell:
    found = descriptions()["Cell"]
    assert isinstance(found, Cell)
    return found
