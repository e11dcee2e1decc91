"""What effects do to cells: paths, sizes, calibrations, stand-ins, and what is missing."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from biomod.errors import ModelError, UnitError
from biomod.mechanisms.neuromodulation import (
    CELL_TYPES,
    Resolution,
    express,
    expressed_by,
    modulatable,
    resolve,
    switch,
)
from biomod.model import Cell, Channel, Effect, Expression, from_dict, to_dict


def find(resolution: Resolution, name: str):
    (found,) = [a for a in resolution.applied if a.effect.name == name]
    return found


def reason(resolution: Resolution, name: str) -> str:
    (found,) = [why for e, why in resolution.not_expressed if e.name == name]
    return found


def matrix(cell: Cell, scale_leak_k: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Conductance matrix and driving currents of a cell whose channels have no gates."""
    names = [c.name for c in cell.compartments]
    g = np.zeros((len(names), len(names)))
    drive = np.zeros(len(names))
    for i, c in enumerate(cell.compartments):
        area = math.pi * c.length.si * c.diameter.si * c.area_factor
        pairs = [(c.g_leak.si, c.E_leak.si)]
        for ch in c.channels:
            factor = scale_leak_k if ch.name == "leak_K" else 1.0
            pairs.append((ch.g_max.si * factor, ch.E_rev.si))
        for density, reversal in pairs:
            g[i, i] += density * area
            drive[i] += density * area * reversal
    for coupling in cell.couplings:
        i, j = names.index(coupling.a), names.index(coupling.b)
        g[i, i] += coupling.g.si
        g[j, j] += coupling.g.si
        g[i, j] -= coupling.g.si
        g[j, i] -= coupling.g.si
    return g, drive


@pytest.mark.parametrize("fidelity", ["dspike", "hh"])
@pytest.mark.parametrize("cell_type", CELL_TYPES)
def test_every_row_is_applied_or_listed_with_a_reason(make, cell_type, fidelity):
    cell = make(cell_type, fidelity)
    r = resolve(cell)
    expected = sorted(e.name for x in expressed_by(cell_type) for e in x.effects)
    found = [a.effect.name for a in r.applied] + [e.name for e in r.on_projections]
    found += [e.name for e, _ in r.not_expressed]
    assert sorted(found) == expected
    assert all(why for _, why in r.not_expressed)
    for applied in r.applied:
        assert applied.changes
        assert set(applied.paths) <= set(cell.parameters())
        assert applied.note or not applied.is_stand_in
        assert str(applied).startswith(applied.effect.name)
    assert modulatable(cell) == {p for a in r.applied for p in a.paths}


@pytest.mark.parametrize("fidelity", ["dspike", "hh"])
@pytest.mark.parametrize("cell_type", CELL_TYPES)
def test_expressing_does_not_change_the_unmodulated_cell(make, cell_type, fidelity):
    before, after = make(cell_type, fidelity, without=True), make(cell_type, fidelity)
    for path, value in before.parameters().items():
        assert after.get(path) == value
    for old, new in zip(before.compartments, after.compartments, strict=True):
        added = set(new.channels) - set(old.channels)
        assert all(c.g_max.si == 0 and not c.gates for c in added)
    assert express(after) == after
    assert from_dict(to_dict(after)) == after


@pytest.mark.parametrize("cell_type", ["SST_Martinotti", "VIP", "PV_basket", "NDNF_L1"])
def test_leak_k_calibration_moves_the_rest_by_the_stated_voltage(make, cell_type):
    cell = make(cell_type)
    r = resolve(cell)
    rows = [a for a in r.applied if a.effect.target == "V_rest_shift_via_leak_K"]
    assert rows
    rest = np.linalg.solve(*matrix(cell))[0]
    for applied in rows:
        (scale,) = {c.value for c in applied.changes}
        assert set(applied.paths) == {"soma.leak_K.g_max", "dend.leak_K.g_max"}
        moved = np.linalg.solve(*matrix(cell, scale))[0] - rest
        assert moved * 1e3 == pytest.approx(applied.effect.value, abs=1e-4)
        assert "calibrated" in applied.note


def test_a_shift_that_leak_k_cannot_give_is_listed(make):
    weak = make("SST_Martinotti").with_(
        {"soma.leak_K.g_max": "1 uS/cm2", "dend.leak_K.g_max": "1 uS/cm2"}
    )
    assert "cannot move the rest by 8 mV" in reason(resolve(weak), "E022")
    soma = replace(weak.soma, channels=tuple(c for c in weak.soma.channels if c.name != "leak_K"))
    dend = replace(weak.dendrites[0], channels=())
    none = replace(weak, compartments=(soma, dend))
    assert "leak_K" in reason(resolve(none), "E022")


def test_fraction_of_resting_conductance_is_of_the_input_conductance(make):
    cell = make("PV_basket")
    g, _ = matrix(cell)
    input_conductance = 1 / np.linalg.inv(g)[0, 0]
    (change,) = find(resolve(cell), "E049").changes
    assert change.path == "soma.GIRK.g_max"
    added = change.value * cell.soma.area.si
    assert added == pytest.approx(0.1 * input_conductance, rel=1e-6)
    assert cell.get("soma.GIRK.E_rev").to("mV") == -90


def test_total_conductance_is_spread_by_area(make):
    cell = make("VIP")
    changes = find(resolve(cell), "E036").changes
    assert {c.path for c in changes} == {"soma.nAChR.g_max", "dend.nAChR.g_max"}
    total = sum(c.value * cell.compartment(c.path.split(".")[0]).area.si for c in changes)
    assert total == pytest.approx(1e-9)
    assert len({c.value for c in changes}) == 1
    assert cell.get("soma.HTR3.E_rev").si == 0
    (htr3,) = find(resolve(cell), "E059").changes
    assert htr3.value * cell.soma.area.si == pytest.approx(2e-9)


def test_fraction_of_the_full_can_conductance(make):
    (et,) = find(resolve(make("L5_ET")), "E012").changes
    (it,) = find(resolve(make("L5_IT")), "E014").changes
    assert et.path == "soma.CAN.g_max"
    assert et.value == pytest.approx(0.25)  # 25 uS/cm2 in S/m2
    assert it.value == pytest.approx(0.3 * 0.25)


def test_named_mechanisms_take_the_value_of_the_table(make):
    r = resolve(make("L5_ET"))
    expected = {
        "E003": ("soma.M.g_max", "scale", 0.15),
        "E007": ("soma.sAHP.g_max", "scale", 0.1),
        "E013": ("soma.ADP.tau", "scale", 1.8),
        "E078": ("soma.GABA.gain", "scale", 0.85),
        "E080": ("tuft.NMDA.gain", "scale", 0.7),
        "E082": ("tuft.Ih.g_max", "scale", 0.55),
        "E096": ("tuft.Ih.v_half", "shift", 0.004),
    }
    for name, (path, operation, value) in expected.items():
        (change,) = find(r, name).changes
        assert (change.path, change.operation) == (path, operation)
        assert change.value == pytest.approx(value)
        assert not find(r, name).is_stand_in


def test_stand_ins_are_declared_with_their_size(make):
    et, pv = resolve(make("L5_ET")), resolve(make("PV_basket"))
    cases = [
        (find(et, "E018"), "tuft.Ca.g_rise", 1.8),
        (find(et, "E074"), "tuft.Ca.g_rise", 0.75),
        (find(et, "E051"), "soma.spike.threshold", -6e-3 * math.log(0.85)),
        (find(pv, "E075"), "soma.spike.threshold", -3e-3),
        (find(pv, "E104"), "soma.spike.refractory", 1 / 0.8),
    ]
    for applied, path, value in cases:
        (change,) = applied.changes
        assert change.path == path
        assert change.value == pytest.approx(value)
        assert "stand-in" in applied.note


def test_reasons_for_what_is_missing(make):
    r = resolve(make("L5_IT"))
    assert "no plasticity" in reason(r, "E110")
    assert "no such channel in a dspike cell" in reason(r, "E064")
    assert "disabled by default: conflicting evidence" in reason(r, "E067")
    assert "outcome" in reason(r, "E068")
    assert "no change" in reason(resolve(make("PV_basket")), "E039")
    assert "express() adds it" in reason(
        resolve(replace(make("VIP", without=True), expression=expressed_by("VIP"))), "E036"
    )


def test_disputed_rows_can_be_switched(make):
    cell = make("L5_ET", "hh")
    assert "conflicting" in reason(resolve(cell), "E015")
    on = switch(cell, E015=True, E003=False)
    (change,) = find(resolve(on), "E015").changes
    assert (change.path, change.value) == ("soma.NaP.g_max", 0.62)
    assert reason(resolve(on), "E003") == "off"
    with pytest.raises(ModelError, match="E015"):
        switch(cell, E0155=True)


def test_gated_sk_is_left_alone_by_the_store_release_row(make):
    cell = make("L5_ET", "hh")
    assert find(resolve(cell), "E016").paths == ("soma.SK_M1.g_max",)
    assert cell.get("soma.SK.g_max").to("uS/cm2") == 20


def test_receptor_restricted_to_compartments(make):
    cell = make("L5_ET")
    tuft_only = tuple(
        replace(x, compartments=("tuft",)) if x.receptor.name == "M1" else x
        for x in cell.expression
    )
    r = resolve(replace(cell, expression=tuft_only))
    m1 = {p for a in r.applied if a.receptor == "M1" for p in a.paths}
    assert m1 == {"tuft.Ca.g_rise", "tuft.leak_K.g_max"}
    assert reason(r, "E003")


def test_own_effect_on_a_path(make):
    plain = make("PV_basket", without=True)
    receptor = expressed_by("VIP")[0].receptor

    def with_effect(*args) -> Cell:
        effect = Effect("mine", receptor.name, *args)
        return replace(plain, expression=(Expression(receptor, 1.0, (effect,)),))

    cell = with_effect("soma.leak_K.g_max", "soma", "scale", 0.5)
    assert find(resolve(cell), "mine").paths == ("soma.leak_K.g_max",)
    shifted = with_effect("soma.spike.threshold", "soma", "shift", -2.0, "mV")
    assert find(resolve(shifted), "mine").changes[0].value == pytest.approx(-2e-3)
    with pytest.raises(UnitError, match="mine"):
        resolve(with_effect("soma.spike.threshold", "soma", "shift", -2.0, "nS"))
    with pytest.raises(ModelError, match="negative"):
        resolve(with_effect("soma.leak_K.g_max", "soma", "shift", -1000.0, "uS/cm2"))
    assert "unknown target" in reason(resolve(with_effect("g_X", "soma", "scale", 2.0)), "mine")


def test_express_wants_a_known_type(make):
    with pytest.raises(ModelError, match="PV_basket"):
        express(make("PV_basket", without=True), "PV_baskets")
    renamed = replace(make("VIP", without=True), name="mine")
    with pytest.raises(ModelError, match="unknown cell type 'mine'"):
        express(renamed)
    assert express(renamed, "VIP").expression == expressed_by("VIP")
    potassium = Channel("M", "0 uS/cm2", "-95 mV")
    soma = replace(renamed.soma, channels=(potassium,))
    other = replace(renamed, compartments=(soma, *renamed.dendrites))
    # The dendrite still has leak_K, which says what E_K is before M does.
    assert express(other, "SST_Martinotti").get("soma.GIRK.E_rev").to("mV") == -90
