"""Same seed, same spikes; and what must not change them: recordings, backends, other runs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import biomod as bm
from biomod.mechanisms import connectivity, variability
from biomod.model import (
    Background,
    Cell,
    Circuit,
    Modulator,
    Population,
    Projection,
    ShortTermPlasticity,
    SynapticReceptor,
    Variation,
)
from biomod.programs import find_compiler
from tests.backends.helpers import (
    AMPA,
    M1,
    M_CURRENT,
    NMDA,
    SODIUM,
    ball_and_stick,
    same_spikes,
    spike_times,
    voltage,
)

BEST = "cpp" if find_compiler() else "numpy"
GABA = SynapticReceptor("GABA", "GABA", "-75 mV", "8 ms")


def pyramidal() -> Cell:
    cell = ball_and_stick("PC", receptors=(AMPA, NMDA, GABA), spikes=(SODIUM,))
    soma = replace(cell.soma, channels=(M_CURRENT,), receptors=(GABA,))
    variations = (
        Variation("soma.spike.threshold", "normal", sd="1 mV"),
        Variation("dend.g_leak", "lognormal", cv=0.2),
    )
    return replace(
        cell, compartments=(soma, *cell.dendrites), variations=variations, expression=(M1,)
    )


def basket() -> Cell:
    return ball_and_stick("PV", receptors=(AMPA,)).with_({"soma.spike.refractory": "2 ms"})


def network(seed: int = 1, background: str = "900 Hz", pyramidal_cells: int = 20) -> Circuit:
    """Pyramidal and basket cells with everything that a circuit can have."""
    noise = (Background("drive", "dend", background, "1.2 nS", (("AMPA", 1.0),)),)
    excitation = (("AMPA", 1.0), ("NMDA", 0.5))
    depressing = ShortTermPlasticity(0.4, "100 ms", "10 ms")
    return Circuit(
        "network",
        (
            Population("PC", pyramidal(), pyramidal_cells, backgrounds=noise),
            Population("PV", basket(), 6, backgrounds=noise),
        ),
        (
            Projection("PC", "PC", 0.3, "0.6 nS", (("dend", 1.0),), excitation, weight_shape=0.5,
                       delay="1.5 ms", stp=depressing, sigma="200 um", velocity="300 um/ms"),
            Projection("PC", "PV", 0.5, "1 nS", (("dend", 1.0),), (("AMPA", 1.0),), delay="0.8 ms"),
            Projection("PV", "PC", 0.6, "2 nS", (("soma", 0.7), ("dend", 0.3)), (("GABA", 1.0),),
                       delay="0.5 ms", in_degree=3),
        ),
        side="300 um",
        seed=seed,
    )  # fmt: skip


DURATION = "100 ms"
SHOWN = ("PC.soma.v", "PC.dend.v", "PC.dend.AMPA.g", "PC.dend.NMDA.g", "PV.dend.v")
DRIVE = tuple(
    bm.step(f"{amplitude} pA", "5 ms", "150 ms", population=population, cells=cells)
    for population, cells, amplitude in (
        ("PC", tuple(range(0, 20, 2)), 700),
        ("PC", tuple(range(1, 20, 2)), 520),
        ("PV", (0, 1, 2), 500),
    )
)


def compiled(circuit: Circuit, backend: str = BEST, **more: Any) -> bm.Program:
    return bm.compile(circuit, DURATION, **{"stimulus": DRIVE, "backend": backend, **more})


@pytest.fixture(scope="module")
def program() -> bm.Program:
    return compiled(network(), record=SHOWN)


@pytest.fixture(scope="module")
def rest(program: bm.Program) -> bm.Result:
    return program.run()


@pytest.fixture(scope="module")
def on_numpy() -> bm.Program:
    return compiled(network(), "numpy", record=SHOWN)


@pytest.fixture(scope="module")
def rest_on_numpy(on_numpy: bm.Program) -> bm.Result:
    return on_numpy.run()


# ------------------------------------------------------------------------------------------------
# seeds


def test_the_same_seed_gives_identical_spikes(rest: bm.Result) -> None:
    assert {"PC", "PV"} == set(rest.spikes["population"])
    assert same_spikes(rest, compiled(network(), record=SHOWN).run())


def test_the_same_seed_gives_identical_spikes_on_numpy(rest_on_numpy: bm.Result) -> None:
    assert same_spikes(rest_on_numpy, compiled(network(), "numpy").run())


def test_another_seed_gives_other_spikes(rest_on_numpy: bm.Result) -> None:
    other = compiled(network(), "numpy", seed=2).run()
    assert other.provenance["seed"] == 2
    assert not same_spikes(rest_on_numpy, other)


def test_background_of_a_new_seed_is_new_even_where_nothing_else_is_random() -> None:
    cell = ball_and_stick("cell", receptors=(AMPA,))
    noise = (Background("drive", "dend", "2000 Hz", "1.5 nS"),)
    population = Population("cell", cell, 3, heterogeneous=False, backgrounds=noise)
    one = bm.compile(Circuit("one", (population,)), "30 ms", record=["dend.v"], backend=BEST)
    first, again, other = (one.run(circuit=one.circuit.with_(seed=s)) for s in (1, 1, 2))
    assert voltage(first, "dend.v").max() > -64
    np.testing.assert_array_equal(first.trace("dend.v"), again.trace("dend.v"))
    assert not np.array_equal(first.trace("dend.v"), other.trace("dend.v"))
    assert not np.array_equal(voltage(first, "dend.v", 0), voltage(first, "dend.v", 1))


# ------------------------------------------------------------------------------------------------
# what must not matter


@pytest.mark.skipif(BEST != "cpp", reason="no C++ compiler")
def test_numpy_and_cpp_agree_on_a_deterministic_circuit(
    program: bm.Program, on_numpy: bm.Program
) -> None:
    quiet = network(background="0 Hz")
    cpp, numpy = (p.run(circuit=quiet) for p in (program, on_numpy))
    assert len(numpy.spikes) > 100
    assert same_spikes(numpy, cpp)
    for label in SHOWN:
        ours, expected = cpp.trace(label).to_numpy(), numpy.trace(label).to_numpy()
        np.testing.assert_allclose(ours, expected, rtol=1e-9, atol=1e-9, err_msg=label)


def test_recordings_do_not_change_the_spikes(rest_on_numpy: bm.Result) -> None:
    recorded = [*SHOWN, "PC[3:5].soma.M.p", bm.record("PV.soma.v", interval="1 ms")]
    assert same_spikes(rest_on_numpy, compiled(network(), "numpy", record=recorded).run())


@pytest.mark.slow
def test_recordings_do_not_change_the_spikes_of_the_best_backend(rest: bm.Result) -> None:
    assert same_spikes(rest, compiled(network()).run())


def test_another_population_changes_no_connection_and_no_cell_of_the_others() -> None:
    small = network()
    newcomer = Population("VIP", ball_and_stick("VIP", receptors=(AMPA,)), 7)
    onto = Projection("VIP", "PC", 0.4, "1 nS", (("soma", 1.0),), (("GABA", 1.0),))
    large = replace(
        small, populations=(newcomer, *small.populations), projections=(onto, *small.projections)
    )
    for projection in small.projections:
        before, after = (connectivity.connect(c, projection) for c in (small, large))
        for what in ("pre", "post", "compartment", "weight", "delay"):
            np.testing.assert_array_equal(getattr(before, what), getattr(after, what))
    for name in ("PC", "PV"):
        before, after = (variability.draw(c.population(name), c.seed) for c in (small, large))
        assert before.keys() == after.keys()
        for path in before:
            np.testing.assert_array_equal(before[path], after[path])


def test_an_unconnected_population_does_not_change_the_spikes_of_the_others() -> None:
    small = network(background="0 Hz")
    bystander = Population("VIP", basket(), 3)
    large = replace(small, populations=(bystander, *small.populations))
    alone, beside = (compiled(c, "numpy").run(duration="60 ms") for c in (small, large))
    for population, cells in small.cells.items():
        for k in range(cells):
            np.testing.assert_array_equal(
                spike_times(alone, population, k), spike_times(beside, population, k)
            )


# ------------------------------------------------------------------------------------------------
# one program, many runs


def test_runs_of_a_program_do_not_depend_on_earlier_runs(
    program: bm.Program, rest: bm.Result
) -> None:
    program.run([Modulator("ACh", "10 uM")])
    assert same_spikes(rest, program.run())


def test_a_concentration_of_zero_is_bit_identical_to_no_modulator(
    program: bm.Program, rest: bm.Result
) -> None:
    zero = program.run([Modulator("ACh", "0 uM")])
    assert same_spikes(rest, zero)
    for label in SHOWN:
        np.testing.assert_array_equal(rest.trace(label), zero.trace(label))


def test_a_concentration_of_zero_is_bit_identical_to_no_modulator_on_numpy(
    on_numpy: bm.Program, rest_on_numpy: bm.Result
) -> None:
    zero = on_numpy.run([Modulator("ACh", "0 uM")])
    assert same_spikes(rest_on_numpy, zero)
    for label in SHOWN:
        np.testing.assert_array_equal(rest_on_numpy.trace(label), zero.trace(label))


def test_modulators_act_without_another_build(program: bm.Program, rest: bm.Result) -> None:
    """Closing M channels makes the pyramidal cells fire more."""
    built = vars(program.compiled).get("binary")
    aroused = program.run([Modulator("ACh", "30 uM")])
    rate = [(r.spikes["population"] == "PC").sum() for r in (rest, aroused)]
    assert rate[1] > 1.1 * rate[0]
    assert vars(program.compiled).get("binary") == built


def test_a_program_runs_modulated_as_if_compiled_so(program: bm.Program) -> None:
    ach = Modulator("ACh", "3 uM")
    modulated = compiled(network(), record=SHOWN, modulators=[ach])
    assert not modulated.compiled.compiled, "the same source is not compiled again"
    assert same_spikes(program.run([ach]), modulated.run())


def test_half_activation_is_half_the_effect(program: bm.Program) -> None:
    """At the EC50 of a receptor that scales g_M by 0.1, g_M is (1 + 0.1) / 2 of its value."""
    half = program.run([Modulator("ACh", "3 uM")])
    weaker = network().with_({"PC.soma.M.g_max": 0.55 * M_CURRENT.g_max})
    scaled = program.run(circuit=weaker)
    # Not bit by bit: the modulated cells begin at the resting potential of unmodulated ones.
    assert len(half.spikes) == pytest.approx(len(scaled.spikes), rel=0.05)


def test_a_concentration_that_rises_late_changes_nothing_before(rest_on_numpy: bm.Result) -> None:
    late = Modulator("ACh", times=("50 ms", "51 ms"), values=("0 uM", "100 uM"))
    course = compiled(network(), "numpy", modulators=[late]).run()
    before, after = ((r.spikes["time_ms"] < 50).to_numpy() for r in (rest_on_numpy, course))
    for column in ("time_ms", "cell", "population"):
        np.testing.assert_array_equal(
            rest_on_numpy.spikes[column][before].to_numpy(), course.spikes[column][after].to_numpy()
        )
    assert not same_spikes(rest_on_numpy, course)


def test_a_shorter_run_is_the_beginning_of_the_longer_one(
    program: bm.Program, rest: bm.Result
) -> None:
    part = program.run(duration="60 ms")
    early = rest.spikes[rest.spikes["time_ms"] < 60 - 1e-9]
    assert len(early) > 0
    for column in ("time_ms", "cell", "population"):
        np.testing.assert_array_equal(early[column].to_numpy(), part.spikes[column].to_numpy())
    assert part.duration_ms == 60


def test_a_program_is_not_run_for_longer_than_it_was_compiled_for(program: bm.Program) -> None:
    with pytest.raises(bm.ModelError, match="at most 100 ms"):
        program.run(duration="101 ms")


def test_other_parameters_need_no_other_program(program: bm.Program, rest: bm.Result) -> None:
    changed = network().with_({"PC.soma.M.g_max": "10 uS/cm2", "PV.soma.spike.threshold": "-42 mV"})
    anew = compiled(changed, record=SHOWN)
    assert not anew.compiled.compiled, "the same source is not compiled again"
    again = program.run(circuit=changed)
    assert same_spikes(again, anew.run())
    assert not same_spikes(again, rest)


def test_a_program_refuses_a_circuit_of_other_wiring(program: bm.Program) -> None:
    for other in (network(seed=2), network(pyramidal_cells=21)):
        with pytest.raises(bm.ModelError, match="compile the new circuit"):
            program.run(circuit=other)
