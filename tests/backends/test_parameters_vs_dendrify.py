"""Capacitances, leaks, couplings and synaptic scales that Dendrify computes from the same cell.

Dendrify's ``NeuronModel.parameters`` is the namespace of its equations; ours go into variables of
the same names, but for reversal potentials and the magnesium concentration, which Dendrify shares
between compartments and we do not.
"""

from __future__ import annotations

from typing import Any

import brian2 as b2
import dendrify
import pytest

from biomod.backends.brian.equations import MAGNESIUM_BLOCK, cell_equations
from biomod.backends.parameters import brian_values
from biomod.model import (
    Cell,
    Coupling,
    Dendrite,
    DendriticSpike,
    Soma,
    SomaticSpike,
    SynapticReceptor,
)
from tests.backends.helpers import si

DT = 0.1e-3
# Dendrify's name and ours, where they differ.
RENAMED = {
    "E_AMPA": ("E_fast_tuft", "E_slow_trunk"),
    "E_NMDA": ("E_slow_tuft",),
    "E_GABA": ("E_inh_soma", "E_inh_tuft"),
    "Mg_con": ("mg_slow_tuft",),
    "E_rise_Na": ("E_rise_Na_trunk", "E_rise_Na_tuft"),
    "E_fall_Na": ("E_fall_Na_trunk", "E_fall_Na_tuft"),
    "E_rise_Ca": ("E_rise_Ca_tuft",),
    "E_fall_Ca": ("E_fall_Ca_tuft",),
}
# Parameters of the equations that Dendrify leaves to the arguments of make_neurongroup.
OF_THE_SOMATIC_SPIKE = {"spike_threshold", "spike_reset", "spike_refractory"}
UNUSED = {"E_Na", "E_K", "E_Ca"}


def ours() -> Cell:
    """Cylinders of unequal sizes, membranes and spines; one coupling given, two computed."""
    tree = {"E_leak": "-65 mV", "cm": "0.9 uF/cm2", "r_axial": "170 ohm cm"}
    spike = {"duration_rise": "1.2 ms", "duration_fall": "2.4 ms", "refractory": "5 ms"}
    sodium = {"E_rise": "70 mV", "E_fall": "-89 mV", "offset_fall": "0.2 ms", **spike}
    calcium = {"E_rise": "136 mV", "E_fall": "-89 mV", "offset_fall": "0.3 ms", **spike}
    inhibition = SynapticReceptor("inh", "GABA", "-80 mV", "8 ms", "0.5 ms")
    return Cell(
        "every_feature",
        (
            Soma(
                "soma", "25 um", "22 um", g_leak="40 uS/cm2", area_factor=1.3,
                receptors=(inhibition,), spike=SomaticSpike("-40 mV", "-55 mV", "4 ms"), **tree,
            ),
            Dendrite(
                "trunk", "300 um", "2.5 um", g_leak="55 uS/cm2", area_factor=1.3 * 1.6,
                receptors=(SynapticReceptor("slow", "AMPA", "0 mV", "6 ms"),),
                spikes=(DendriticSpike("Na", "-37 mV", "22 nS", "14 nS", **sodium),), **tree,
            ),
            Dendrite(
                "tuft", "150 um", "0.7 um", g_leak="60 uS/cm2", area_factor=1.3 * 1.9,
                receptors=(
                    SynapticReceptor("fast", "AMPA", "0 mV", "2 ms", "0.4 ms"),
                    SynapticReceptor("slow", "NMDA", "0 mV", "60 ms", "2 ms", mg="1 mM"),
                    inhibition,
                ),
                spikes=(
                    DendriticSpike("Na", "-35 mV", "9 nS", "5.7 nS", **sodium),
                    DendriticSpike("Ca", "-30 mV", "4 nS", "3 nS", **calcium),
                ),
                **tree,
            ),
            Dendrite("basal", "90 um", "1.1 um", g_leak="45 uS/cm2", area_factor=1.3, **tree),
        ),
        (Coupling("soma", "trunk"), Coupling("trunk", "tuft"), Coupling("soma", "basal", "9 nS")),
    )  # fmt: skip


def theirs() -> dict[str, Any]:
    """The namespace that Dendrify makes for the same cell."""
    ms, mV, nS, um = b2.ms, b2.mV, b2.nS, b2.um
    tree = {
        "v_rest": -65 * mV,
        "cm": 0.9 * b2.uF / b2.cm**2,
        "r_axial": 170 * b2.ohm * b2.cm,
        "scale_factor": 1.3,
    }

    def density(g: float) -> Any:
        return g * b2.uS / b2.cm**2

    soma = dendrify.Soma("soma", length=25 * um, diameter=22 * um, gl=density(40), **tree)
    trunk = dendrify.Dendrite(
        "trunk", length=300 * um, diameter=2.5 * um, gl=density(55), spine_factor=1.6, **tree
    )
    tuft = dendrify.Dendrite(
        "tuft", length=150 * um, diameter=0.7 * um, gl=density(60), spine_factor=1.9, **tree
    )
    basal = dendrify.Dendrite("basal", length=90 * um, diameter=1.1 * um, gl=density(45), **tree)
    # 1 nS is what one unit of our synaptic variables stands for.
    scaled = {"g": 1 * nS, "scale_g": True}
    for compartment in (soma, tuft):
        compartment.synapse("GABA", "inh", t_rise=0.5 * ms, t_decay=8 * ms, **scaled)
    trunk.synapse("AMPA", "slow", t_decay=6 * ms, **scaled)
    tuft.synapse("AMPA", "fast", t_rise=0.4 * ms, t_decay=2 * ms, **scaled)
    tuft.synapse("NMDA", "slow", t_rise=2 * ms, t_decay=60 * ms, **scaled)
    shape = {"duration_rise": 1.2 * ms, "duration_fall": 2.4 * ms, "refractory": 5 * ms}
    trunk.dspikes("Na", threshold=-37 * mV, g_rise=22 * nS, g_fall=14 * nS)
    tuft.dspikes("Na", threshold=-35 * mV, g_rise=9 * nS, g_fall=5.7 * nS)
    tuft.dspikes("Ca", threshold=-30 * mV, g_rise=4 * nS, g_fall=3 * nS)
    before = b2.defaultclock.dt
    b2.defaultclock.dt = DT * b2.second  # Dendrify counts in its steps at once
    try:
        # Dendrify resets the area factors of a model that is given any property here.
        model = dendrify.NeuronModel([(soma, trunk), (trunk, tuft), (soma, basal, 9 * nS)])
        for name, offset in (("Na", 0.2 * ms), ("Ca", 0.3 * ms)):
            model.config_dspikes(
                name, offset_fall=offset, reversal_rise=f"E_{name}", reversal_fall="E_K", **shape
            )
        found = model.parameters
    finally:
        b2.defaultclock.dt = before
    # config_dspikes overwrites thresholds with None unless they are restated.
    found |= {"Vth_Na_trunk": -37 * mV, "Vth_Na_tuft": -35 * mV, "Vth_Ca_tuft": -30 * mV}
    return found


@pytest.fixture(scope="module")
def our_values() -> dict[str, float]:
    cell = ours()
    parameters = cell.parameters()
    return {
        name: float(value)
        for name, value in brian_values(cell, lambda path: si(parameters[path]), DT).items()
    }


@pytest.fixture(scope="module")
def their_values() -> dict[str, float]:
    return {name: float(value) for name, value in theirs().items()}


def test_every_parameter_of_dendrify_has_the_same_value_here(
    our_values: dict[str, float], their_values: dict[str, float]
) -> None:
    compared = set()
    for name, value in their_values.items():
        if name in UNUSED or name in MAGNESIUM_BLOCK:
            continue
        for mine in RENAMED.get(name, (name,)):
            assert our_values[mine] == pytest.approx(value, rel=1e-12), mine
            compared.add(mine)
    assert compared == set(our_values) - OF_THE_SOMATIC_SPIKE


def test_constants_of_the_magnesium_block_are_those_of_dendrify(
    their_values: dict[str, float],
) -> None:
    assert {name: their_values[name] for name in MAGNESIUM_BLOCK} == MAGNESIUM_BLOCK


def test_every_parameter_of_the_equations_gets_a_value(our_values: dict[str, float]) -> None:
    assert set(our_values) == set(cell_equations(ours()).parameters)


@pytest.mark.parametrize(
    ("pair", "formula"),
    [
        (("soma", "trunk"), "2 / (R_soma + R_trunk)"),
        (("trunk", "tuft"), "2 / (R_trunk + R_tuft)"),
    ],
)
def test_default_coupling_is_two_half_cylinders_in_series(
    pair: tuple[str, str], formula: str, our_values: dict[str, float]
) -> None:
    cell = ours()
    resistance = {f"R_{n}": cell.compartment(n).axial_resistance.si for n in pair}
    expected = eval(formula, {}, resistance)
    assert our_values["g_{}_{}".format(*pair)] == pytest.approx(expected, rel=1e-12)
    assert our_values["g_{1}_{0}".format(*pair)] == our_values["g_{}_{}".format(*pair)]


def test_description_computes_what_the_backend_computes(our_values: dict[str, float]) -> None:
    cell = ours()
    for compartment in cell.compartments:
        name = compartment.name
        assert compartment.capacitance.si == pytest.approx(our_values[f"C_{name}"], rel=1e-12)
        leak = (compartment.g_leak * compartment.area).si
        assert leak == pytest.approx(our_values[f"gL_{name}"], rel=1e-12)
    for coupling in cell.couplings:
        g = cell.coupling_conductance(coupling).si
        assert g == pytest.approx(our_values[f"g_{coupling.a}_{coupling.b}"], rel=1e-12)
