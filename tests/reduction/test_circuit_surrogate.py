"""Circuits of surrogates: what a dendritic synapse is worth at the soma, and what is kept."""

import numpy as np
import pytest

import cell_types
from biomod.errors import ModelError
from biomod.mechanisms import passive
from biomod.model import Background, Circuit, GapJunctions, Population, Projection
from biomod.reduction import Behaviour, sweep, with_surrogates
from biomod.reduction.fit import Fit
from biomod.reduction.models import glif
from biomod.reduction.somatic import equivalent, mean_conductance
from biomod.reduction.surrogate import Reduction
from biomod.units import Quantity, parse_unit

VALUES = {
    "C": 120.0, "g": 8.0, "E_L": -75.0, "t_ref": 2.0, "theta": -60.0, "v_reset": -70.0,
}  # fmt: skip
PC, PV = cell_types.get("L23_PC"), cell_types.get("PV_basket")


def surrogate():
    one = sweep((np.zeros(200), "pA"), (np.full(200, -75.0), "mV"), "0.1 ms")
    fits = {"glif1": Fit(glif(1), VALUES, 0.0, 0.1)}
    return Reduction(Behaviour((one,), (one,)), fits, "glif1", {"glif1": {"explained_variance": 1}})


@pytest.fixture(scope="module")
def reduced():
    drive = Background("drive", "tuft", "100 Hz", "1 nS", receptors=(("AMPA", 1.0), ("NMDA", 0.5)))
    circuit = Circuit(
        "pair",
        (Population("PC", PC, 30, backgrounds=(drive,)), Population("PV", PV, 10)),
        (
            Projection("PC", "PV", 0.4, "0.5 nS", (("proximal", 0.75), ("distal", 0.25)),
                       (("AMPA", 1.0),)),
            Projection("PV", "PC", 0.5, "1 nS", (("soma", 1.0),), (("GABA", 1.0),)),
        ),
        gap_junctions=(GapJunctions("PV", "PV", "proximal", "0.5 nS", 0.5),),
    )  # fmt: skip
    return with_surrogates(circuit, {"PC": surrogate(), "PV": surrogate()})


@pytest.mark.parametrize(
    ("cell", "compartment", "receptor"),
    [(PC, "basal", "AMPA"), (PC, "tuft", "NMDA"), (PC, "trunk", "GABA"), (PV, "distal", "AMPA")],
)
def test_the_equivalent_evokes_the_same_potential(cell, compartment, receptor):
    """Peak at the soma by the linear theory of the whole cell, which the fit does not use."""
    held, weight = "-66 mV", "0.4 nS"
    found = equivalent(cell, compartment, receptor, held, weight)
    there = passive.psp(cell, compartment, receptor, weight, holding=held)
    scaled = Quantity(0.4e-9 * found.gain, parse_unit("S")[1])
    here = passive.psp(cell, cell.soma.name, found.at_soma, scaled, holding=held)
    assert here == pytest.approx(there, rel=0.05)
    assert found.gain < 0.9
    assert found.misfit < 0.1


def test_what_is_open_in_a_dendrite_takes_its_share_of_the_current():
    """Steady state of one dendrite at a held soma: ``g E / (1 + g R)`` instead of ``g E``."""
    names = [c.name for c in PV.compartments]
    rest, _ = passive.hold(PV, "-66 mV")
    at = {name: Quantity(v, parse_unit("V")[1]) for name, v in rest.items()}
    G = passive.conductance_matrix(PV, at)
    free = [k for k, name in enumerate(names) if name != "soma"]
    where = free.index(names.index("proximal"))
    R = np.linalg.inv(G[np.ix_(free, free)])[where, where]
    alone = equivalent(PV, "proximal", "NMDA", "-66 mV", "1 pS")
    crowded = equivalent(PV, "proximal", "NMDA", "-66 mV", "1 pS", "5 nS")
    # NMDA is slow beside the dendrite, so that the current follows the conductance.
    assert crowded.gain / alone.gain == pytest.approx(1 / (1 + 5e-9 * R), rel=0.05)


def test_the_mean_conductance_of_a_background():
    """1 nS that decays with 1.7 ms, 1000 times a second."""
    ampa = next(r for r in PC.compartment("basal").receptors if r.name == "AMPA")
    assert mean_conductance(ampa, 1e-9, 1000.0, -0.07) == pytest.approx(1.7e-9)


def test_a_somatic_synapse_stays_as_it_is():
    found = equivalent(PC, "soma", "GABA", "-66 mV", "1 nS")
    assert found.gain == 1.0
    assert found.at_soma.tau_decay == PC.get("soma.GABA.tau_decay")


def test_a_synapse_at_its_reversal_potential_is_refused():
    with pytest.raises(ModelError, match="drives no current at -75 mV"):
        equivalent(PC, "tuft", "GABA", "-75 mV", "1 nS")


def test_all_connections_are_kept_by_compartment(reduced):
    """Three quarters of the connections to PV go to the receptor that stands for proximal."""
    projections = {p.key: p for p in reduced.circuit.projections}
    assert set(projections) == {"PC->PV:proximal", "PC->PV:distal", "PV->PC"}
    near, far = projections["PC->PV:proximal"], projections["PC->PV:distal"]
    assert (near.p_max, far.p_max) == pytest.approx((0.3, 0.1))
    assert near.receptors[0][0] == "AMPAproximal"
    assert near.receptors[0][1] > far.receptors[0][1] > 0


def test_backgrounds_reach_the_soma(reduced):
    (drive,) = reduced.circuit.population("PC").backgrounds
    assert drive.compartment == "soma"
    names = [name for name, _ in drive.receptors]
    assert names == ["AMPAtuft", "NMDAtuft"]
    (ampa, nmda) = (share for _, share in drive.receptors)
    assert 0 < ampa < 1
    assert 0 < nmda < 0.5


def test_a_junction_of_dendrites_is_a_smaller_one_of_somata(reduced):
    """A voltage of the soma reaches the dendrite in part, and a current back."""
    (junctions,) = reduced.circuit.gap_junctions
    share = passive.transfer_resistance(PV, "soma", "proximal") / passive.input_resistance(PV)
    assert junctions.compartment == "soma"
    assert junctions.g.si == pytest.approx(0.5e-9 * float(share) ** 2)


def test_variations_without_a_counterpart_are_told(reduced):
    kept = [v.path for v in reduced.circuit.population("PC").cell.variations]
    assert "soma.spike.threshold" in kept
    assert any("no variation of" in note and "leak_K" in note for note in reduced.notes)


def test_every_population_needs_a_surrogate(reduced):
    with pytest.raises(ModelError, match="no surrogate for PV"):
        with_surrogates(reduced.detailed, {"PC": surrogate()})


@pytest.mark.validate
def test_both_circuits_run_and_are_compared(reduced):
    from biomod.reduction import circuits

    table = reduced.compare(duration="300 ms", skip="50 ms", backend="numpy")
    assert set(table.index.names) == {"condition", "population", "circuit"}
    assert (table.loc[("control", "PC")].rate_hz >= 0).all()
    assert {*circuits.MEASURES, "spectrum_error"} == set(table.columns)
