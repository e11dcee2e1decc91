"""Courses of parameters in a circuit."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from biomod.errors import ModelError, UnitError
from biomod.mechanisms.neuromodulation import (
    CELL_TYPES,
    applied_to_projections,
    modulatable,
    modulation,
    phasic,
    receptors,
    switch,
)
from biomod.model import (
    DA,
    HA,
    NA,
    ACh,
    Cell,
    Circuit,
    Effect,
    Expression,
    Population,
    Projection,
    serotonin,
)

ALL = (ACh, DA, NA, HA, serotonin)


def circuit_of(cells: list[Cell], connect: bool = True) -> Circuit:
    populations = tuple(Population(c.name, c, 2) for c in cells)
    projections = tuple(
        Projection(a.name, b.name, 0.1, "1 nS", (("soma", 1.0),), (("AMPA", 1.0),))
        for a, b in itertools.product(cells, cells)
        if connect
    )
    return Circuit("test", populations, projections)


@pytest.fixture(scope="module")
def everything(make) -> Circuit:
    return circuit_of([make(t) for t in CELL_TYPES])


@pytest.mark.parametrize("fidelity", ["dspike", "hh"])
def test_zero_concentration_is_exactly_the_identity(make, fidelity):
    circuit = circuit_of([make(t, fidelity) for t in CELL_TYPES])
    zero = [m() for m in ALL]
    course = [m(times=("0 ms", "50 ms"), values=("0 nM", "0 nM")) for m in ALL]
    for modulators in ([], zero, course):
        product = modulation(circuit.modulated(*modulators), "100 ms", "10 ms")
        assert len(product.times) == (11 if modulators is course else 1)
        assert product.cells
        assert product.projections
        for c in product.cells.values():
            assert np.all(c.scale == 1.0)
            assert np.all(c.offset == 0.0)
        assert all(np.all(s == 1.0) for s in product.projections.values())
        assert all(np.all(a == 0.0) for a in product.activations.values())


def test_parameters_are_known_before_concentrations(everything):
    silent = modulation(everything, "1 s")
    loud = modulation(everything.modulated(ACh("10 uM"), DA("1 uM")), "1 s")
    assert set(silent.cells) == set(loud.cells)
    assert set(silent.projections) == set(loud.projections)
    for p in everything.populations:
        assert {path for name, path in silent.cells if name == p.name} == modulatable(p.cell)


def test_scales_multiply_and_shifts_add(make):
    """sAHP of L2/3: M1, 5-HT2A, beta and H2 converge on it; each at half occupancy."""
    table = receptors()
    circuit = circuit_of([make("L23_PC")])
    half = {"M1": ACh, "5HT2A": serotonin, "beta": NA, "H2": HA}
    modulators = [m(table[r].ec50, receptors=(r,)) for r, m in half.items()]
    product = modulation(circuit.modulated(*modulators), "1 s")
    expected = 1.0
    for level, value in ((1.0, 0.1), (0.5, 0.6), (0.8, 0.2), (0.5, 0.2)):
        expected *= 1 + (value - 1) * level * 0.5
    assert product.cells["L23_PC", "soma.sAHP.g_max"].scale == pytest.approx([expected])
    et = circuit_of([make("L5_ET")])
    both = [NA(table["beta"].ec50, receptors=("beta",)), HA(table["H2"].ec50, receptors=("H2",))]
    v_half = modulation(et.modulated(*both), "1 s").cells["L5_ET", "tuft.Ih.v_half"]
    assert v_half.scale == [1.0]
    assert v_half.offset == pytest.approx([0.5 * (0.7 * 4e-3 + 0.6 * 5e-3)])


def test_order_of_modulators_does_not_matter(everything):
    modulators = [m("300 nM") for m in ALL[1:]] + [phasic("ACh", "20 ms", "30 ms")]
    first = modulation(everything.modulated(*modulators), "100 ms", "5 ms")
    second = modulation(everything.modulated(*reversed(modulators)), "100 ms", "5 ms")
    for key, course in first.cells.items():
        assert np.array_equal(course.scale, second.cells[key].scale)
        assert np.array_equal(course.offset, second.cells[key].offset)
    for key, scale in first.projections.items():
        assert np.array_equal(scale, second.projections[key])


def test_effects_grow_with_concentration(make):
    circuit = circuit_of([make("L5_ET")])
    scales = [
        modulation(circuit.modulated(ACh(f"{c} nM")), "1 s").cells["L5_ET", "soma.M.g_max"].scale[0]
        for c in (10, 100, 3000, 1e5, 1e8)
    ]
    assert all(a > b for a, b in itertools.pairwise(scales))
    assert scales[2] == pytest.approx(1 - 0.85 * 0.8 * 0.5)  # at the EC50, level 0.8
    assert scales[-1] == pytest.approx(1 - 0.85 * 0.8, rel=1e-3)


def test_inverted_u_of_d1(make):
    """The low-dose arm saturates where the high-dose arm only begins."""
    circuit = circuit_of([make("L5_ET")])

    def at(c: str) -> tuple[float, float]:
        cells = modulation(circuit.modulated(DA(c, receptors=("D1",))), "1 s").cells
        nmda, ih = cells["L5_ET", "tuft.NMDA.gain"].scale, cells["L5_ET", "tuft.Ih.g_max"].scale
        return (nmda[0] - 1) / (0.2 * 0.15), (ih[0] - 1) / (0.8 * 0.15)

    low, high = at("300 nM"), at("3 uM")
    assert low == pytest.approx((0.5, 1 / 101))
    assert high == pytest.approx((10 / 11, 0.5))


def test_presynaptic_effects_reach_the_projections_of_the_table(everything):
    applied = applied_to_projections(everything).applied
    reach: dict[str, set[str]] = {}
    for one in applied:
        reach.setdefault(one.effect.name, set()).add(one.projection)
    excitatory = {"L23_PC", "L4_PC", "L5_IT", "L5_ET", "L6_CT"}
    assert reach["E031"] == {f"L5_ET->{t}" for t in CELL_TYPES}  # recurrent E->any
    assert reach["E072"] == {f"L5_ET->{t}" for t in excitatory}  # recurrent E->E
    assert reach["E105"] == {f"L5_ET->{t}" for t in CELL_TYPES}  # PC->PC and PC->IN
    assert reach["E034"] == {f"PV_basket->{t}" for t in excitatory}  # PV->PC
    assert reach["E108"] == {f"SST_Martinotti->{t}" for t in excitatory}  # IN->PC
    assert reach["E035"] == {f"SST_Martinotti->{t}" for t in CELL_TYPES}  # nothing: all
    assert reach["E061"] == {f"{t}->CCK_basket" for t in excitatory}
    assert "E084" not in reach


def test_release_is_scaled_by_all_receptors_of_the_terminal(everything):
    table = receptors()
    m = [ACh(table["M2"].ec50, receptors=("M2",)), HA(table["H3"].ec50, receptors=("H3",))]
    scale = modulation(everything.modulated(*m), "1 s").projections["L5_IT->L23_PC"]
    assert scale == pytest.approx([(1 - 0.5 * 0.5 * 0.5) * (1 - 0.3 * 0.7 * 0.5)])


def test_what_has_no_projection_is_listed(make):
    alone = circuit_of([make("L5_ET")], connect=False)
    missing = {e.name: why for _, e, why in modulation(alone, "1 s").not_expressed}
    assert "no projection" in missing["E031"]
    assert "Background" in missing["E033"]
    assert "terminals" in missing["E109"]
    assert "disabled" in missing["E015"]


def test_phasic_course_follows_the_receptor(make):
    circuit = circuit_of([make("VIP")], connect=False).modulated(phasic("ACh", "200 ms"))
    product = modulation(circuit, "2 s", "1 ms")
    assert product.times[-1] == pytest.approx(2.0)
    nicotinic = product.cells["VIP", "soma.nAChR.g_max"].offset
    peak = product.times[nicotinic.argmax()]
    assert 0.2 < peak <= 0.75
    assert nicotinic[-1] < 0.2 * nicotinic.max()
    assert nicotinic.max() > 5 * nicotinic[0]
    assert not nicotinic.flags.writeable
    assert product.activations["VIP", "nAChR_a4b2"].max() <= 0.8


def test_only_the_store_release_row_is_silent_at_a_tonic_level(make):
    product = modulation(circuit_of([make("L5_ET")]).modulated(ACh("3 uM")), "1 s")
    assert product.cells["L5_ET", "soma.SK.g_max"].offset == [0.0]
    assert product.cells["L5_ET", "soma.M.g_max"].scale < 1


def test_switched_off_rows_leave_the_parameter_alone(make):
    cell = switch(make("L5_ET"), E003=False)
    product = modulation(circuit_of([cell]).modulated(ACh("1 mM")), "1 s")
    assert ("L5_ET", "soma.M.g_max") not in product.cells


def test_wrong_modulators_are_explained(make):
    circuit = circuit_of([make("L5_ET")])
    with pytest.raises(ModelError, match="did you mean M"):
        modulation(circuit.modulated(ACh("1 uM", receptors=("M7",))), "1 s")
    with pytest.raises(ModelError, match="does not act on D1"):
        modulation(circuit.modulated(ACh("1 uM", receptors=("D1",))), "1 s")
    with pytest.raises(UnitError):
        modulation(circuit, 1.0)
    bare = circuit_of([make("L5_ET", without=True)])
    assert modulation(bare.modulated(ACh("1 uM")), "1 s").notes == (
        "ACh acts on no receptor of this circuit",
    )


def test_effects_that_together_leave_the_range_are_an_error(make):
    r = receptors()["M1"]
    down = [
        Effect(f"d{i}", "M1", "soma.leak_K.g_max", "soma", "shift", -30.0, "uS/cm2")
        for i in range(2)
    ]
    cell = replace(make("VIP", without=True), expression=(Expression(r, 1.0, tuple(down)),))
    circuit = circuit_of([cell], connect=False)
    assert modulation(circuit.modulated(ACh("100 nM")), "1 s").cells
    with pytest.raises(ModelError, match="together would make it negative"):
        modulation(circuit.modulated(ACh("1 mM")), "1 s")
    lower = Effect("t", "M1", "soma.spike.threshold", "soma", "shift", -15.0, "mV")
    cell = replace(cell, expression=(Expression(r, 1.0, (lower,)),))
    with pytest.raises(ModelError, match="reset"):
        modulation(circuit_of([cell], connect=False).modulated(ACh("1 mM")), "1 s")
