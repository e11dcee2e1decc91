"""Numbers that Dendrify's own examples show, from the same models in our description.

Source: https://github.com/Poirazi-Lab/dendrify, folder ``examples_new`` at version 2.2.0 (the
name of the script is given at each model). All at a time step of 0.1 ms with forward Euler. The
reference values have the digits that the scripts give when run with Dendrify itself.
"""

from __future__ import annotations

import numpy as np
import pytest

import biomod as bm
from biomod.model import (
    Cell,
    Circuit,
    Coupling,
    Dendrite,
    DendriticSpike,
    Population,
    Soma,
    SomaticSpike,
    SynapticEvents,
    SynapticReceptor,
)
from biomod.units import ms, nS, pA
from tests.backends.helpers import NO_SPIKE, ball_and_stick, point, spike_times, voltage

CURRENTS_PA = tuple(range(200, 620, 20))
SYNAPSES = (1, 8, 9)
REACHED = ("soma", "trunk", "prox", "dist")


def attenuating_cell() -> Cell:
    """val_dendritic_attenuation.py."""
    passive = {"g_leak": "50 uS/cm2", "E_leak": "-70 mV", "r_axial": "400 ohm cm"}
    return Cell(
        "attenuating",
        (
            Soma("soma", "25 um", "25 um", spike=NO_SPIKE, **passive),
            Dendrite("trunk", "100 um", "1.5 um", **passive),
            Dendrite("prox", "100 um", "1.2 um", **passive),
            Dendrite("dist", "100 um", "1 um", **passive),
        ),
        (Coupling("soma", "trunk"), Coupling("trunk", "prox"), Coupling("prox", "dist")),
    )


def sodium_spike(g_rise: str, g_fall: str) -> DendriticSpike:
    """The Na spike of val_dendritic_io.py and comp_backprop.py with other conductances."""
    return DendriticSpike(
        "Na", "-35 mV", g_rise, g_fall, E_rise="70 mV", E_fall="-89 mV", duration_rise="1.2 ms",
        duration_fall="2.4 ms", offset_fall="0.2 ms", refractory="5 ms",
    )  # fmt: skip


def integrating_cell() -> Cell:
    """val_dendritic_io.py; without its dendritic mechanisms also val_fi_curve.py."""
    return ball_and_stick(
        "integrating",
        spikes=(sodium_spike("30 nS", "15 nS"),),
        receptors=(
            SynapticReceptor("AMPA", "AMPA", "0 mV", "2 ms"),
            SynapticReceptor("NMDA", "NMDA", "0 mV", "50 ms", mg="1 mM"),
        ),
    )


def backpropagating_cell() -> Cell:
    """comp_backprop.py; its scale and spine factors are our area factors (2.8, and 2.8 x 1.5)."""
    passive = {"g_leak": "40 uS/cm2", "E_leak": "-65 mV"}
    action_potential = SomaticSpike("-40 mV", "-55 mV", "4 ms", peak="40 mV", width="0.8 ms")
    dendrite = passive | {"area_factor": 4.2}
    return Cell(
        "backpropagating",
        (
            Soma("soma", "25 um", "25 um", area_factor=2.8, spike=action_potential, **passive),
            Dendrite(
                "trunk", "100 um", "2.5 um", spikes=(sodium_spike("22 nS", "14 nS"),), **dendrite
            ),
            Dendrite(
                "prox", "100 um", "1 um", spikes=(sodium_spike("9 nS", "5.7 nS"),), **dendrite
            ),
            Dendrite(
                "dist", "100 um", "0.5 um", spikes=(sodium_spike("3.7 nS", "2.4 nS"),), **dendrite
            ),
        ),
        (
            Coupling("soma", "trunk", "15 nS"),
            Coupling("trunk", "prox", "6 nS"),
            Coupling("prox", "dist", "2 nS"),
        ),
    )


@pytest.fixture(scope="module")
def examples() -> bm.Result:
    """All examples as populations of one circuit: one program, one run of 1 s."""
    resistances = {  # val_rinput.py
        name: point(name, f"{250 * factor} pF", f"{20 * factor} nS", "-70 mV", spike=NO_SPIKE)
        for name, factor in (("control", 1.0), ("leakier", 1.2), ("tighter", 0.8))
    }
    circuit = Circuit(
        "examples",
        (
            Population("attenuating", attenuating_cell(), 1),
            *(Population(name, cell, 1) for name, cell in resistances.items()),
            Population("firing", ball_and_stick("firing"), len(CURRENTS_PA)),
            Population("integrating", integrating_cell(), len(SYNAPSES)),
            Population("backpropagating", backpropagating_cell(), 1),
        ),
    )
    pulses = [
        bm.step("-10 pA", "20 ms", "520 ms", population="attenuating"),
        *(bm.step("-20 pA", "50 ms", "550 ms", population=name) for name in resistances),
        *(
            bm.step(amplitude * pA, 0 * ms, 1000 * ms, population="firing", cells=(cell,))
            for cell, amplitude in enumerate(CURRENTS_PA)
        ),
        bm.step("115 pA", "10 ms", "110 ms", population="backpropagating"),
    ]
    return bm.simulate(
        circuit,
        "1000 ms",
        stimulus=[*pulses, *synaptic_volley()],
        record=[
            *(f"attenuating.{c}.v" for c in REACHED),
            *(f"backpropagating.{c}.v" for c in REACHED),
            *(f"{population}.soma.v" for population in resistances),
            "integrating.dend.v",
        ],
        dt="0.1 ms",
        method="euler",
    )  # fmt: skip


def synaptic_volley() -> list[SynapticEvents]:
    """Synapses that are activated one after the other, 0.1 ms apart, from 10 ms on."""
    reached_by: dict[tuple[int, ...], list[int]] = {}
    for k in range(max(SYNAPSES)):
        cells = tuple(cell for cell, number in enumerate(SYNAPSES) if k < number)
        reached_by.setdefault(cells, []).append(k)
    return [
        SynapticEvents(
            population="integrating",
            compartment="dend",
            cells=cells,
            receptor=receptor,
            times=tuple((10 + 0.1 * k) * ms for k in synapses),
            weight=3 * nS,
        )
        for cells, synapses in reached_by.items()
        for receptor in ("AMPA", "NMDA")
    ]


def test_steady_somatic_current_attenuates_along_the_dendrite(examples: bm.Result) -> None:
    deflection = []
    for name in REACHED:
        v = voltage(examples, f"attenuating.{name}.v")
        deflection.append(v.min() - v[0])
    assert deflection[0] == pytest.approx(-6.7028033770, abs=1e-9)
    ratios = np.array(deflection) / deflection[0]
    np.testing.assert_allclose(
        ratios, [1, 0.9422091261, 0.8586374624, 0.8041349804], rtol=0, atol=1e-9
    )


@pytest.mark.parametrize(
    ("name", "megaohm"), [("control", 50.0), ("leakier", 50 / 1.2), ("tighter", 50 / 0.8)]
)
def test_input_resistance_is_the_inverse_of_the_leak(
    examples: bm.Result, name: str, megaohm: float
) -> None:
    v = voltage(examples, f"{name}.soma.v")
    assert (v.min() - v[500]) / -20e-3 == pytest.approx(megaohm, rel=1e-9)


def test_firing_rate_over_injected_current(examples: bm.Result) -> None:
    rates = [len(spike_times(examples, "firing", cell)) for cell in range(len(CURRENTS_PA))]
    published = [0] * 6 + [21, 30, 38, 46, 53, 61, 68, 75, 82, 89, 96, 103, 110, 116, 123]
    assert dict(zip(CURRENTS_PA, rates, strict=True)) == dict(
        zip(CURRENTS_PA, published, strict=True)
    )


@pytest.mark.parametrize(
    ("cell", "peak"), [(0, 3.8649947316523), (1, 27.2777316997476), (2, 58.0737251490056)]
)
def test_ninth_synapse_brings_the_dendritic_spike(
    examples: bm.Result, cell: int, peak: float
) -> None:
    v = voltage(examples, "integrating.dend.v", cell)
    assert v.max() - v[0] == pytest.approx(peak, abs=1e-9)


@pytest.mark.parametrize(
    ("compartment", "peak"),
    [("soma", 40.0), ("trunk", -7.4643714316), ("prox", -10.9977230074), ("dist", -36.2196747832)],
)
def test_action_potential_propagates_back(
    examples: bm.Result, compartment: str, peak: float
) -> None:
    v = voltage(examples, f"backpropagating.{compartment}.v")
    assert v.max() == pytest.approx(peak, abs=1e-9)


def test_spikes_of_the_backpropagating_cell_come_at_dendrify_s_times(examples: bm.Result) -> None:
    assert spike_times(examples, "backpropagating") == pytest.approx(
        [57.0, 68.7, 80.2, 91.7, 103.2]
    )
