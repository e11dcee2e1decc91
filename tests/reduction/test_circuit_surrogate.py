"""Circuits of surrogates: what a dendritic synapse is worth at the soma, and what is kept."""

from dataclasses import replace

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
    Variation,
)
from biomod.reduction import (
    Behaviour,
    Protocol,
    level_5,
    point_cell,
    reduce,
    sweep,
    with_surrogates,
)
from biomod.reduction.circuits import steady_release
from biomod.reduction.distances import explained_variance
from biomod.reduction.fit import Fit
from biomod.reduction.kernel import prepare
from biomod.reduction.models import glif
from biomod.reduction.protocol import ornstein_uhlenbeck
from biomod.reduction.reference import simulated
from biomod.reduction.somatic import driven, equivalent, mean_conductance, opening
from biomod.reduction.spread import variations
from biomod.reduction.surrogate import Reduction
from biomod.simulation import simulate
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
    """Peak at the soma by the linear theory of the whole cell, the equivalent on its soma."""
    held, weight = "-66 mV", "0.4 nS"
    found = equivalent(cell, compartment, receptor, held, weight)
    there = passive.psp(cell, compartment, receptor, weight, holding=held)
    scaled = Quantity(0.4e-9 * found.gain, parse_unit("S")[1])
    here = passive.psp(cell, "soma", found.at_soma, scaled, holding=held)
    assert here == pytest.approx(there, rel=0.08)  # what two time constants leave
    assert found.misfit < 0.01


@pytest.mark.parametrize("receptor", ["AMPA", "GABA"])
def test_a_synapse_on_the_soma_is_its_own_equivalent(receptor):
    """Whatever a surrogate makes of it: it is one of the currents that it was fitted to."""
    own = next(r for r in PV.soma.receptors if r.name == receptor)
    found = equivalent(PV, "soma", receptor, "-50 mV", "1.5 nS", 1e-4)
    assert found.gain == pytest.approx(1.0, rel=0.01)
    assert found.at_soma.tau_decay.si == pytest.approx(own.tau_decay.si, rel=0.01)
    assert (found.at_soma.tau_rise is None) == (own.tau_rise is None)


def test_an_opening_in_steps_is_the_sum_over_them():
    step = 1e-4
    t = np.arange(0.0, 0.6, step)
    for r in PV.compartment("proximal").receptors:
        rise = np.exp(-t / r.tau_rise.si) if r.tau_rise is not None else 0.0
        course = (np.exp(-t / r.tau_decay.si) - rise) / r.peak_factor
        assert opening(r, step) == pytest.approx(course.sum() * step, rel=1e-4)
        assert opening(r) == pytest.approx(opening(r, 1e-7), rel=1e-3)


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


# A reset just below the threshold and a large fast current; one above a threshold that spikes
# raise and that follows the voltage (fits of PV_basket and L23_PC, rounded).
STEEP = {
    "C": 47.0, "g": 9.3, "E_L": -74.7, "t_ref": 0.9, "theta": -45.6, "f_v": 0.0, "dv": -28.3,
    "b_s": 0.02, "dtheta": 0.0, "k_1": 0.005, "k_2": 0.59, "f_1": 0.24, "f_2": 0.11, "dI_1": -2.3,
    "dI_2": -502.0, "a_v": 0.0, "b_v": 0.05,
}  # fmt: skip
FOLLOWING = {
    "C": 133.0, "g": 7.6, "E_L": -74.7, "t_ref": 5.3, "theta": -69.4, "f_v": -0.53, "dv": -11.3,
    "b_s": 0.27, "dtheta": 6.3, "k_1": 0.0064, "k_2": 0.23, "f_1": 0.86, "f_2": 0.14,
    "dI_1": -36.0, "dI_2": -220.0, "a_v": 0.5, "b_v": 0.76,
}  # fmt: skip


def moved(values, kept, z=1):
    """Parameters of the surrogate of a cell whose one varied parameter is z deviations higher."""
    names = {"soma.g_leak": "g", "soma.E_leak": "E_L"}
    found = dict(values)
    for v in kept:
        ((_, weight),) = v.follows
        name = names.get(v.path, v.path.rpartition(".")[2].replace("threshold", "theta"))
        if v.cv is not None:
            found[name] *= np.exp(np.sign(weight) * z * np.sqrt(np.log1p(v.cv**2)))
        else:
            found[name] += np.sign(weight) * z * v.sd.to("pA" if name == "dI_2" else "mV")
    return found


@pytest.mark.parametrize("values", [STEEP, FOLLOWING], ids=["steep", "following"])
def test_a_cell_with_another_leak_reversal_fires_as_with_a_constant_current(values):
    """``g_leak (E_leak - E)`` through the whole soma of a cell that is one compartment."""
    soma = PV.soma
    plain = PV.with_({f"soma.{c.name}.g_max": "0 uS/cm2" for c in soma.channels})
    one = Variation("soma.E_leak", "normal", sd="2 mV")
    cell = point_like(plain, soma.receptors[0], "-66 mV")
    cell = cell.with_(variations=(one,))
    injected = (cell.soma.g_leak * cell.soma.area * one.sd).to("pA")
    kept, lost = variations(cell, values)
    assert not lost
    other = moved(values, kept)
    assert "g" not in {v.path for v in kept}
    rng = np.random.default_rng(3)
    rheobase = values["g"] * (values["theta"] - values["E_L"]) / (1 - values["a_v"] / values["b_v"])
    noise = rheobase * ornstein_uhlenbeck(1.2, 0.5, 5.0, 2000.0, 0.1, rng)
    shift = injected / values["g"]
    rested = {"v": values["E_L"] + shift, "theta_v": values["a_v"] / values["b_v"] * shift}
    expected = prepare(glif(5), values, 0.1, rested).run(noise + injected).spikes[0]
    found = prepare(glif(5), other, 0.1).run(noise).spikes[0]
    assert len(expected) > 20
    np.testing.assert_allclose(found, expected, atol=0.15)


@pytest.mark.parametrize("values", [STEEP, FOLLOWING], ids=["steep", "following"])
@pytest.mark.parametrize("cell", [PC, PV], ids=["PC", "PV"])
def test_another_threshold_asks_for_another_current(cell, values):
    """The least constant current that makes it fire, by the theory of the detailed cell."""
    one = next(v for v in cell.variations if v.path == "soma.spike.threshold")
    kept, _ = variations(cell.with_(variations=(one,)), values)
    threshold = cell.soma.spike.threshold
    expected = (
        passive.hold(cell, threshold + one.sd / 2)[1]
        - passive.hold(cell, threshold - one.sd / 2)[1]
    ).to("pA")

    def rheobase(p):
        return p["g"] * (p["theta"] - p["E_L"]) / (1 - p["a_v"] / p["b_v"])

    found = rheobase(moved(values, kept)) - rheobase(values)
    assert found == pytest.approx(expected, rel=0.05)


def test_no_threshold_of_a_population_is_below_its_reset():
    """The reset lies 0.9 mV below the mean threshold, which varies by 1.4 mV."""
    fits = {"glif5": Fit(glif(5), STEEP, 0.0, 0.1)}
    one = surrogate()
    steep = Reduction(one.behaviour, fits, "glif5", {"glif5": {"explained_variance": 1}})
    population = Circuit("many", (Population("PV", PV, 200),))
    made = draw(with_surrogates(population, {"PV": steep}).circuit.population("PV"), 1)
    reset = made["soma.E_leak"] - made["soma.spike.dv"]
    gap = (made["soma.spike.threshold"] - reset) * 1e3
    assert np.std(made["soma.spike.threshold"]) * 1e3 > 1
    np.testing.assert_allclose(gap, STEEP["theta"] - STEEP["E_L"] + STEEP["dv"], atol=0.05)


def test_slow_currents_vary_as_the_channels_that_they_stand_for():
    """``sAHP`` decays within 264 ms, ``fAHP`` within 1.5 ms."""
    one = next(v for v in PV.variations if v.path == "soma.sAHP.g_max")
    kept, lost = variations(PV.with_(variations=(one,)), STEEP)
    assert not lost
    assert [v.path for v in kept] == ["soma.spike.dI_1"]
    assert kept[0].cv == pytest.approx(one.cv, rel=0.02)


def test_variations_without_a_counterpart_are_told(reduced):
    """A LIF has no current that could stand for the channels which spikes open."""
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


@pytest.mark.validate
def test_a_surrogate_fires_as_its_cell_under_synaptic_conductances():
    """Basket cells that inhibit each other, with the short fit of the example (32)."""
    drive = Background("drive", "proximal", rate="3000 Hz", weight="1.5 nS")
    circuit = Circuit(
        "baskets",
        (Population("PV", PV, 40, backgrounds=(drive,)),),
        (Projection("PV", "PV", 0.3, "1 nS", (("soma", 1.0),), (("GABA", 1.0),)),),
    )
    short = Protocol(noise_s=2.0, sweeps=1, steps=(-0.5, 1.5), ramps=())
    fitted = reduce(PV, model="glif3", protocol=short, generations=15)
    for made in (circuit, replace(circuit, projections=())):
        found = with_surrogates(made, {"PV": fitted}, {"PV": 27.0})
        rates = [_rates(c) for c in (found.detailed, found.circuit)]
        assert np.mean(rates[1]) == pytest.approx(np.mean(rates[0]), rel=0.2)
        # Cell i among its like, though its input has another noise.
        assert np.std(rates[1]) == pytest.approx(np.std(rates[0]), rel=0.2)
        assert np.corrcoef(rates)[0, 1] > 0.95


def _rates(circuit):
    """Of every cell in Hz, after 200 ms."""
    spikes = simulate(circuit, "1200 ms").spikes
    late = spikes.cell[spikes.time_ms > 200].to_numpy()
    return np.bincount(late, minlength=circuit.populations[0].size)


@pytest.mark.validate
def test_the_surrogate_of_the_mean_follows_a_cell_that_differs():
    """Pyramidal cells with one varied parameter a deviation up or down, on the same noise."""
    short = Protocol(sweeps=1, steps=(-0.5, 1.5), ramps=())
    fitted = reduce(PC, model="glif5", protocol=short, generations=20)
    values = level_5(fitted.fit)
    varied = [v for v in PC.variations if v.path != "*.cm"]
    cells = [(v, z, _differing(v, z)) for v in varied for z in (-1, 1)]
    noise = [s for s in fitted.behaviour.test if s.kind == "noise"]
    currents, durations = [s.current for s in noise], [s.duration for s in noise]
    for v, z, cell in cells:
        true = [spikes for _, spikes in simulated(cell)(currents, 0.1)]
        kept, _ = variations(PC.with_(variations=(v,)), values)
        own = moved(values, kept, z)
        found, mean = (
            [prepare(glif(5), p, 0.1).run(c).spikes[0] for c in currents] for p in (own, values)
        )
        number = sum(map(len, found)) / sum(map(len, true))
        assert number == pytest.approx(1, abs=0.1), (v.path, z)
        ours, without = (explained_variance(x, true, durations) for x in (found, mean))
        assert ours > min(0.7, without + 0.05), (v.path, z)


def _differing(variation, z):
    one = PC.with_(variations=(variation,))
    factor = np.exp(z * np.sqrt(np.log1p((variation.cv or 0.0) ** 2)))
    return one.with_({
        path: PC.get(path) * factor if variation.cv else PC.get(path) + z * variation.sd
        for path in PC.paths(variation.path)
    }).with_(variations=())  # fmt: skip
