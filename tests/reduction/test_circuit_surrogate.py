"""Circuits of surrogates: what a dendritic synapse is worth at the soma, and what is kept."""

import numpy as np
import pytest

import cell_types
from biomod.errors import ModelError
from biomod.mechanisms import passive
from biomod.mechanisms.connectivity import connect
from biomod.mechanisms.variability import draw
from biomod.model import (
    Background,
    Circuit,
    GapJunctions,
    Population,
    Projection,
    ShortTermPlasticity,
)
from biomod.reduction import Behaviour, level_5, point_cell, sweep, with_surrogates
from biomod.reduction.circuits import steady_release
from biomod.reduction.fit import Fit
from biomod.reduction.models import glif
from biomod.reduction.somatic import driven, equivalent, mean_conductance
from biomod.reduction.surrogate import Reduction
from biomod.units import Quantity, parse_unit

VALUES = {
    "C": 120.0, "g": 8.0, "E_L": -75.0, "t_ref": 2.0, "theta": -60.0, "v_reset": -70.0,
}  # fmt: skip
VOLT = parse_unit("V")[1]
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


def point_like(cell, receptor, at):
    """A passive point with the resistance of a cell at a potential, and its time constant."""
    R = passive.input_resistance(cell).to("Mohm")
    C = passive.apparent_time_constant(cell).to("ms") / R * 1e3
    potentials = passive.hold(cell, at)[0]
    names = list(potentials)
    G = passive.conductance_matrix(cell, {n: Quantity(v, VOLT) for n, v in potentials.items()})
    soma = names.index(cell.soma.name)
    g = 1e9 / np.linalg.inv(G)[soma, soma]
    values = level_5(Fit(glif(1), VALUES | {"C": C, "g": g}, 0.0, 0.1))
    return point_cell("point", values, receptors=[receptor])


@pytest.mark.parametrize(
    ("cell", "compartment", "receptor"),
    [(PC, "basal", "AMPA"), (PC, "tuft", "NMDA"), (PC, "trunk", "GABA"), (PV, "distal", "AMPA"),
     (PC, "soma", "GABA")],
)  # fmt: skip
def test_the_equivalent_evokes_the_same_potential(cell, compartment, receptor):
    """Peak at the soma by the linear theory of the whole cell and of a point."""
    held, weight = "-66 mV", "0.4 nS"
    found = equivalent(cell, compartment, receptor, held, weight)
    there = passive.psp(cell, compartment, receptor, weight, holding=held)
    scaled = Quantity(0.4e-9 * found.gain, parse_unit("S")[1])
    point = point_like(cell, found.at_soma, held)
    here = passive.psp(point, "soma", found.at_soma, scaled, holding=held)
    assert here == pytest.approx(there, rel=0.1)
    assert found.misfit < 0.1


def test_the_mean_current_is_that_which_dendrites_send_to_the_soma():
    """From the potentials on both sides of the coupling, with the background and without."""
    opened = {("proximal", "AMPA"): 3e-9, ("proximal", "NMDA"): 14e-9, ("distal", "GABA"): 2e-9}
    state = driven(PV, opened, "-56 mV")  # held there: the input alone would bring it further
    assert state["soma"] == pytest.approx(-0.056)
    still, _ = passive.hold(PV, "-56 mV")
    coupling = PV.coupling_conductance(PV.couplings[0]).si
    sent = coupling * (state["proximal"] - still["proximal"])
    total = 0.0
    for (compartment, receptor), g in opened.items():
        found = equivalent(PV, compartment, receptor, state, "1 pS")
        own = next(r for r in PV.compartment(compartment).receptors if r.name == receptor)
        charge = [mean_conductance(r, 1.0, 1.0) for r in (found.at_soma, own)]
        block = 1 if own.mg is None else 1 / (1 + own.mg.to("mM") / 3.57 * np.exp(62 * 0.056))
        drive = block * (own.E_rev.si + 0.056)
        total += g * found.gain * charge[0] / charge[1] * drive
    assert total == pytest.approx(sent, rel=0.04)


def test_the_mean_conductance_of_a_background():
    """1 nS that decays with 1.7 ms, 1000 times a second."""
    ampa = next(r for r in PC.compartment("basal").receptors if r.name == "AMPA")
    assert mean_conductance(ampa, 1e-9, 1000.0) == pytest.approx(1.7e-9)


def test_a_synapse_of_a_point_stays_as_it_is():
    gaba = next(r for r in PC.compartment("soma").receptors if r.name == "GABA")
    found = equivalent(point_like(PC, gaba, "-66 mV"), "soma", "GABA", "-66 mV", "1 pS")
    assert found.gain == pytest.approx(1.0, rel=0.02)
    assert found.at_soma.tau_decay.si == pytest.approx(gaba.tau_decay.si, rel=0.02)


def test_mean_release_is_that_of_simulated_poisson_spikes():
    stp = ShortTermPlasticity(0.4, "500 ms", "300 ms")
    one = Projection("a", "b", 0.1, "1 nS", (("soma", 1.0),), (("GABA", 1.0),), stp=stp)
    rng, u, x, released = np.random.default_rng(2), 0.0, 1.0, []
    for gap in rng.exponential(1 / 8.0, 20_000):
        u, x = u * np.exp(-gap / 0.3), 1 - (1 - x) * np.exp(-gap / 0.5)
        u += stp.U * (1 - u)
        released.append(u * x)
        x *= 1 - u
    # The mean-field formula takes u and x as independent.
    assert steady_release(one, 8.0) == pytest.approx(np.mean(released) / stp.U, rel=0.1)
    assert steady_release(one, 0.0) == pytest.approx(1.0)


def test_at_its_reversal_potential_a_synapse_has_the_conductance_that_it_has_elsewhere():
    """A cell without gates, everywhere at one potential."""
    states = [dict.fromkeys((c.name for c in PV.compartments), v) for v in (-0.075, -0.045)]
    there, elsewhere = (equivalent(PV, "proximal", "GABA", state, "1 pS") for state in states)
    assert there.gain == pytest.approx(elsewhere.gain, rel=1e-3)


def test_a_synapse_without_a_weight_is_refused():
    with pytest.raises(ModelError, match="positive weight"):
        equivalent(PC, "tuft", "GABA", "-75 mV", "0 nS")


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


def test_a_share_of_too_few_connections_keeps_their_strength():
    """600 of 30 cells: all-to-all and 20 times as strong, on one compartment or the other."""
    wide = Projection("PC", "PV", 0.2, "0.1 nS", (("proximal", 0.75), ("distal", 0.25)),
                      (("AMPA", 1.0),), in_degree=600.0)  # fmt: skip
    circuit = Circuit("pair", (Population("PC", PC, 30), Population("PV", PV, 10)), (wide,))
    made = with_surrogates(circuit, {"PC": surrogate(), "PV": surrogate()}).circuit
    near = connect(made, "PC->PV:proximal")
    assert len(near) / 300 == pytest.approx(0.75, abs=0.1)
    np.testing.assert_allclose(near.weight, 2e-9)
    assert len(near) + len(connect(made, "PC->PV:distal")) == pytest.approx(300, abs=40)


def test_cells_differ_as_the_detailed_ones_do(reduced):
    """Current that holds each cell at its threshold, of the detailed cells by their own theory."""
    detailed = reduced.detailed.population("PC")
    point = reduced.circuit.population("PC")
    theirs, ours = draw(detailed, 3), draw(point, 3)
    expected, found = [], []
    base = VALUES["g"] * (VALUES["theta"] - VALUES["E_L"])
    rheobase = passive.hold(PC, PC.soma.spike.threshold)[1].to("pA")
    area = point.cell.soma.area.si
    for k in range(20):
        cell = PC.with_({
            path: Quantity(float(x[k]), PC.get(path).dim) for path, x in theirs.items()
        })  # fmt: skip
        expected.append(passive.hold(cell, cell.soma.spike.threshold)[1].to("pA") - rheobase)
        g = ours["soma.g_leak"][k] * area
        reach = ours["soma.spike.threshold"][k] - ours["soma.E_leak"][k]
        found.append(g * reach * 1e12 - base)
    assert np.std(expected) > 5
    assert np.corrcoef(expected, found)[0, 1] > 0.97
    assert np.polyfit(expected, found, 1)[0] == pytest.approx(1, abs=0.15)


def test_variations_without_a_counterpart_are_told(reduced):
    assert any("no variation of" in note and "sAHP" in note for note in reduced.notes)


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
