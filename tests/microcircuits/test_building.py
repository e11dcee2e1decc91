"""Sizes, wiring and weights of the circuits against the tables that they are built from."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import microcircuits
from biomod import registry
from biomod.errors import ModelError
from biomod.mechanisms import passive
from biomod.mechanisms.connectivity import Connections, connect
from biomod.mechanisms.neuromodulation import resolve
from biomod.model import Circuit, load, save
from microcircuits._builder import split
from microcircuits._tables import densities

L23 = ("PC", "PV", "SST", "VIP")
PYRAMIDAL = ("L23_PC", "L4_PC", "L5_IT", "L5_ET", "L6_CT")
LAYERS = ("L23", "L4", "L5", "L6")


def projection(circuit: Circuit, key: str):
    return next(p for p in circuit.projections if p.key == key)


def same(a: Connections, b: Connections) -> bool:
    names = ("pre", "post", "compartment", "weight", "delay")
    return all(np.array_equal(getattr(a, n), getattr(b, n)) for n in names)


# sizes ------------------------------------------------------------------------------------------


@given(cells=st.integers(20, 200_000))
def test_sizes_add_up_and_are_in_proportion(cells):
    weights = densities()
    sizes = split(cells, weights)
    assert sum(sizes.values()) == cells
    assert min(sizes.values()) >= 1
    total = sum(weights.values())
    if cells * min(weights.values()) / total >= 1:
        assert all(abs(n - cells * weights[k] / total) < 1 for k, n in sizes.items())


@pytest.mark.parametrize(("name", "smallest"), [("l23", 4), ("cortical_column", 17)])
def test_smallest_circuit_has_one_cell_of_every_population(name, smallest):
    circuit = microcircuits.get(name, cells=smallest)
    assert set(circuit.cells.values()) == {1}
    for cells in (smallest - 1, 0, -5, 2.5, True):
        with pytest.raises(ModelError, match=rf"at least {smallest}"):
            microcircuits.get(name, cells=cells)


@pytest.mark.parametrize("cells", [400, 2500])
def test_l23_has_the_measured_numbers_and_density(circuit, density, cells):
    found = circuit(cells=cells)
    total = sum(density.values())
    assert sum(found.cells.values()) == cells
    for name, n in found.cells.items():
        assert abs(n - cells * density[name] / total) < 1
    assert cells / (found.side.to("mm") ** 2) == pytest.approx(total)


def test_column_has_every_layer(circuit):
    found = circuit("cortical_column", 1000)
    interneurons = {f"{layer}_{kind}" for layer in LAYERS for kind in ("PV", "SST", "VIP")}
    assert set(found.cells) == {*PYRAMIDAL, *interneurons}
    assert sum(found.cells.values()) == 1000
    inhibitory = sum(found.cells[n] for n in interneurons)
    assert 0.05 < inhibitory / 1000 < 0.25


# in-degrees -------------------------------------------------------------------------------------


@pytest.mark.parametrize("cells", [400, 2500])
def test_in_degrees_are_those_of_an_unlimited_sheet(circuit, table, density, cells):
    """2 pi sigma**2 density p_max on average, or all-to-all with stronger weights."""
    found = circuit(cells=cells)
    checked = 0
    for p in found.projections:
        row = table[p.key]
        per_um2 = density[p.pre] * 1e-6
        wanted = 2 * math.pi * row.sigma_um**2 * per_um2 * row.p_max
        connections = connect(found, p)
        size, post = found.cells[p.pre], found.cells[p.post]
        available = size - (p.pre == p.post)
        mean = connections.in_degree(post).mean()
        if wanted >= available:
            assert mean == available, p.key
            assert connections.weight_factor == pytest.approx(wanted / available), p.key
        else:
            # A sum of independent choices has at most the variance of a Poisson number.
            assert connections.weight_factor == 1
            assert mean == pytest.approx(wanted, abs=4 * math.sqrt(wanted / post)), p.key
        checked += 1
    assert checked == len(table)


# wiring -----------------------------------------------------------------------------------------


def test_interneurons_target_their_compartments(circuit):
    """PV the soma, SST the tuft, pyramidal cells the dendrites."""
    for found, pairs in (
        (circuit(), [("PC", ("PV", "SST"))]),
        (circuit("cortical_column", 1000), [("L23_PC", ("L23_PV", "L23_SST"))]),
    ):
        for pyramid, (pv, sst) in pairs:
            assert projection(found, f"{pv}->{pyramid}").compartments == (("soma", 1.0),)
            assert projection(found, f"{sst}->{pyramid}").compartments == (("tuft", 1.0),)
            onto = dict(projection(found, f"{pyramid}->{pyramid}").compartments)
            assert onto
            assert not {"soma", "tuft"} & set(onto)


def test_receptors_are_those_of_the_presynaptic_class(circuit):
    for p in circuit("cortical_column", 1000).projections:
        names = [name for name, _ in p.receptors]
        assert names == (["AMPA", "NMDA"] if p.pre in PYRAMIDAL else ["GABA"]), p.key


def test_vip_cells_prefer_sst_cells(circuit):
    """Pfeffer et al. 2013: the only strong output of VIP cells; SST cells avoid each other."""
    found = circuit(cells=2500)
    mean = {}
    for post in L23:
        key = f"VIP->{post}"
        mean[post] = connect(found, key).in_degree(found.cells[post]).mean()
    assert max(mean, key=mean.get) == "SST"
    assert mean["PC"] < 0.25 * mean["SST"]


def test_latencies_are_those_of_the_table(circuit, table):
    for p in circuit().projections:
        assert p.delay.to("ms") == pytest.approx(table[p.key].latency_ms)


@pytest.mark.parametrize("key", ["PV->PC", "SST->PC", "PV->PV", "SST->PV", "SST->VIP", "VIP->SST"])
def test_inhibitory_weights_give_the_potentials_of_the_table(circuit, table, key):
    """The median IPSP at -55 mV by the linear theory; by simulation in test_potentials."""
    found = circuit()
    p = projection(found, key)
    cell = found.population(p.post).cell
    mean = sum(
        share * abs(passive.psp(cell, where, "GABA", p.weight, holding="-55 mV"))
        for where, share in p.compartments
    )
    assert mean * 1e3 == pytest.approx(table[key].psp_mV, rel=0.1)


# randomness -------------------------------------------------------------------------------------


def test_same_seed_same_connections(circuit):
    again = microcircuits.get("l23", cells=400, seed=1)
    assert again == circuit()
    other = circuit(seed=2)
    for p in again.projections:
        first = connect(circuit(), p.key)
        assert same(first, connect(again, p.key))
        assert not same(first, connect(other, p.key)), p.key


def renamed(circuit: Circuit, old: str, new: str) -> Circuit:
    populations = tuple(replace(p, name=new) if p.name == old else p for p in circuit.populations)
    projections = tuple(
        replace(p, pre=new if p.pre == old else p.pre, post=new if p.post == old else p.post)
        for p in circuit.projections
    )
    return replace(circuit, populations=populations, projections=projections)


def test_other_populations_do_not_disturb_a_projection(circuit):
    found = circuit()
    louder = found.with_({"PC.drive_basal.rate": "1 Hz"})
    without = replace(found, projections=found.projections[::-1][:8][::-1])
    other = renamed(found, "VIP", "Vip2")
    for p in found.projections:
        drawn = connect(found, p.key)
        assert same(drawn, connect(louder, p.key))
        if "VIP" not in (p.pre, p.post):
            assert same(drawn, connect(other, p.key)), p.key
        if p in without.projections:
            assert same(drawn, connect(without, p.key)), p.key


# catalogue --------------------------------------------------------------------------------------


def test_entry_points_offer_the_circuits():
    found = registry.circuits()
    assert {"l23", "cortical_column"} <= set(found)
    for name in ("l23", "cortical_column"):
        assert found[name].summary
        assert found[name].species == "mouse V1"
        assert found[name].reference
    assert registry.get_circuit("l23", cells=400, seed=1) == microcircuits.get("l23", 400, 1)


def test_unknown_circuit_names_the_nearest():
    for get in (microcircuits.get, registry.get_circuit):
        with pytest.raises(ModelError, match="did you mean l23"):
            get("l32")


def test_every_projection_and_background_has_a_source(circuit):
    for name in ("l23", "cortical_column"):
        found = circuit(name, 1000)
        assert all(p.source for p in found.projections)
        backgrounds = [b for p in found.populations for b in p.backgrounds]
        assert all(b.source for b in backgrounds)
        assert all(p.backgrounds for p in found.populations)


def test_round_trip_to_a_file(circuit, tmp_path):
    found = circuit()
    again = load(save(found, tmp_path / "l23.yaml"))
    assert again == found
    assert again.content_hash() == found.content_hash()


def test_no_effect_is_dropped_in_silence(circuit):
    for population in circuit("cortical_column", 1000).populations:
        cell = population.cell
        found = resolve(cell)
        listed = [a.effect.name for a in found.applied]
        listed += [e.name for e in found.on_projections]
        listed += [e.name for e, _ in found.not_expressed]
        assert sorted(listed) == sorted(e.name for x in cell.expression for e in x.effects)
        assert all(reason for _, reason in found.not_expressed)
