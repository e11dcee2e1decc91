"""Synapses: size and time of every response."""

from __future__ import annotations

import math

import numpy as np
import pytest

import biomod as bm
from biomod.model import (
    Cell,
    Circuit,
    CurrentWaveform,
    Population,
    Projection,
    ShortTermPlasticity,
    SomaticSpike,
    SynapticEvents,
    SynapticReceptor,
)
from tests.backends.helpers import point, spike_times, voltage

DT = 0.1
WEIGHT = 2.5
RISING = {
    "AMPA": SynapticReceptor("AMPA", "AMPA", "0 mV", "2 ms", "0.4 ms"),
    "GABA": SynapticReceptor("GABA", "GABA", "-75 mV", "8 ms", "0.5 ms"),
    "NMDA": SynapticReceptor("NMDA", "NMDA", "0 mV", "60 ms", "2 ms", mg="1 mM"),
    "GABA_B": SynapticReceptor("GABA_B", "GABA_B", "-90 mV", "150 ms", "50 ms"),
}


def listener(name: str, *receptors: SynapticReceptor) -> Cell:
    """A cell that has receptors and never spikes."""
    return point(name, "100 pF", "5 nS", "-70 mV", receptors=receptors)


def conductances(dt: float, duration: str, *events: SynapticEvents) -> bm.Result:
    return bm.simulate(
        listener("post", *RISING.values()), duration, stimulus=events, dt=f"{dt} ms",
        record=[f"soma.{name}.g" for name in RISING], backend="numpy",
    )  # fmt: skip


# ------------------------------------------------------------------------------------------------
# conductance of a receptor


@pytest.fixture(scope="module")
def over_dt() -> dict[float, bm.Result]:
    """One event at every receptor, at two time steps."""
    events = [SynapticEvents(receptor=n, times=("1 ms",), weight=f"{WEIGHT} nS") for n in RISING]
    return {dt: conductances(dt, "15 ms", *events) for dt in (0.1, 0.025)}


@pytest.mark.parametrize("name", RISING)
@pytest.mark.parametrize("dt", [0.1, 0.025])
def test_conductance_is_the_difference_of_two_exponentials_with_the_weight_as_its_peak(
    over_dt: dict[float, bm.Result], dt: float, name: str
) -> None:
    g = voltage(over_dt[dt], f"soma.{name}.g")
    # What happens in a step is recorded at the beginning of the next.
    t = np.maximum(np.arange(len(g)) - round(1 / dt) - 1, 0) * dt
    rise, decay = RISING[name].tau_rise.to("ms"), RISING[name].tau_decay.to("ms")
    t_peak = decay * rise / (decay - rise) * np.log(decay / rise)
    peak = np.exp(-t_peak / decay) - np.exp(-t_peak / rise)
    expected = WEIGHT * (np.exp(-t / decay) - np.exp(-t / rise)) / peak
    np.testing.assert_allclose(g, expected, rtol=1e-9, atol=1e-12)


def test_responses_add_up_linearly() -> None:
    early = SynapticEvents(receptor="GABA", times=("1 ms",), weight="2 nS", number=3)
    late = SynapticEvents(receptor="GABA", times=("2.7 ms", "4 ms"), weight="1 nS")
    together, first, second = (
        voltage(conductances(DT, "10 ms", *events), "soma.GABA.g")
        for events in ((early, late), (early,), (late,))
    )
    np.testing.assert_allclose(together, first + second, rtol=1e-12, atol=1e-15)


def test_events_within_one_time_step_add_up():
    twice = SynapticEvents(receptor="GABA", times=("1 ms", "1.01 ms", "3 ms"), weight="2 nS")
    single = SynapticEvents(receptor="GABA", times=("1 ms", "3 ms"), weight="2 nS")
    extra = SynapticEvents(receptor="GABA", times=("1 ms",), weight="2 nS")
    found, expected = (conductances(DT, "8 ms", *e) for e in ((twice,), (single, extra)))
    np.testing.assert_allclose(
        found.trace("soma.GABA.g"), expected.trace("soma.GABA.g"), rtol=1e-12
    )


def test_gain_of_a_receptor_acts_like_a_larger_weight() -> None:
    receptors = [r.with_(gain=1.7) for r in RISING.values()]
    gained, plain = listener("post", *receptors), listener("post", *RISING.values())

    def v(cell: Cell, weight: float) -> np.ndarray:
        events = [
            SynapticEvents(receptor=n, times=("1 ms",), weight=f"{weight} nS") for n in RISING
        ]
        result = bm.simulate(
            cell, "30 ms", stimulus=events, record=["soma.v"], dt="0.1 ms", backend="numpy"
        )
        return voltage(result, "soma.v")

    np.testing.assert_allclose(v(gained, 1.0), v(plain, 1.7), rtol=1e-12)


def test_membrane_potential_follows_the_equations_integrated_by_hand() -> None:
    """Leak, two kinds of synapse and the block of Jahr & Stevens, by exponential Euler."""
    events = [SynapticEvents(receptor=n, times=("1 ms",), weight="4 nS") for n in ("AMPA", "NMDA")]
    result = bm.simulate(
        listener("post", *RISING.values()),
        "40 ms",
        stimulus=events,
        record=["soma.v"],
        dt="0.1 ms",
        method="exponential_euler",
        backend="numpy",
    )
    v, dt = -70.0, 0.1  # mV, ms; conductances in nS, so that currents are in pA
    g = {"AMPA": 0.0, "NMDA": 0.0}
    expected = []
    for step in range(400):
        expected.append(v)
        block = 1 / (1 + 1.0 / 3.57 * math.exp(-0.062 * v))
        total = 5 + g["AMPA"] + g["NMDA"] * block
        v_inf = 5 * -70 / total
        v = v_inf + (v - v_inf) * math.exp(-dt * total / 100)
        since = max(0.0, (step - 10) * dt)  # the event is in step 10
        for name in g:
            rise, decay = RISING[name].tau_rise.to("ms"), RISING[name].tau_decay.to("ms")
            shape = math.exp(-since / decay) - math.exp(-since / rise)
            g[name] = 4 * shape / RISING[name].peak_factor
    np.testing.assert_allclose(voltage(result, "soma.v"), expected, rtol=1e-11)


# ------------------------------------------------------------------------------------------------
# connections: short-term plasticity and delays

# With a decay far within one step a conductance is there at one sample only: the efficacy itself.
MOMENTARY = SynapticReceptor("AMPA", "AMPA", "0 mV", f"{DT / 40} ms")
TRAINS = (
    (5.0, 9.3, 11.0, 30.2, 33.3, 34.8, 60.1, 90.0, 90.0 + 2.1),
    (7.4, 12.7, 13.9, 50.5, 51.8, 80.6, 81.9, 83.2),
)
PLASTICITY = {
    "none": None,
    "depressing": ShortTermPlasticity(0.55, "80 ms", "5 ms"),
    "facilitating": ShortTermPlasticity(0.08, "10 ms", "150 ms"),
    "mixed": ShortTermPlasticity(0.3, "40 ms", "60 ms"),
}
# 0.3 / 0.1 is not 3 in binary.
DELAYS = {"none": 0.0, "depressing": 0.3, "facilitating": 1.1, "mixed": 2.7}


def fire_at(times: tuple[float, ...], cell: int) -> CurrentWaveform:
    """A current that makes the presynaptic cell spike in exactly these steps."""
    samples = np.zeros(round(max(times) / DT) + 1)
    samples[[round(t / DT) for t in times]] = 5e4
    return CurrentWaveform("pre", "soma", (cell,), samples=tuple(samples), interval=f"{DT} ms")


@pytest.fixture(scope="module")
def connected() -> bm.Result:
    spike = SomaticSpike("-50 mV", "-70 mV", "0.5 ms")
    pre = point("pre", "100 pF", "5 nS", "-70 mV", spike=spike)
    circuit = Circuit(
        "pairs",
        (
            Population("pre", pre, len(TRAINS)),
            *(Population(n, listener(n, MOMENTARY), 1) for n in PLASTICITY),
        ),
        tuple(
            Projection(
                "pre", n, 1.0, f"{WEIGHT} nS", (("soma", 1.0),), (("AMPA", 1.0),),
                delay=f"{DELAYS[n]} ms", stp=stp,
            )
            for n, stp in PLASTICITY.items()
        ),
    )  # fmt: skip
    return bm.simulate(
        circuit,
        "100 ms",
        stimulus=[fire_at(times, cell) for cell, times in enumerate(TRAINS)],
        record=[f"{n}.soma.AMPA.g" for n in PLASTICITY],
        dt=f"{DT} ms",
        backend="numpy",
    )


def test_presynaptic_cells_spike_when_they_are_told_to(connected: bm.Result) -> None:
    for cell, times in enumerate(TRAINS):
        np.testing.assert_allclose(spike_times(connected, "pre", cell), times, atol=1e-9)


def efficacies(times: tuple[float, ...], stp: ShortTermPlasticity) -> list[float]:
    """Tsodyks, Pawelzik & Markram 1998: relative to the first response."""
    U, recovery, facilitation = stp.U, stp.tau_rec.to("ms"), stp.tau_facil.to("ms")
    u, R, last, found = 0.0, 1.0, -math.inf, []
    for t in times:
        u *= math.exp(-(t - last) / facilitation)
        R = 1 - (1 - R) * math.exp(-(t - last) / recovery)
        u += U * (1 - u)
        found.append(u * R / U)
        R *= 1 - u
        last = t
    return found


@pytest.mark.parametrize("name", [n for n in PLASTICITY if n != "none"])
def test_efficacies_are_those_of_the_tsodyks_markram_recursion(
    connected: bm.Result, name: str
) -> None:
    trace = voltage(connected, f"{name}.soma.AMPA.g")
    arrived = trace[trace > 1e-9]
    expected = [
        (t, WEIGHT * e)
        for times in TRAINS
        for t, e in zip(times, efficacies(times, PLASTICITY[name]), strict=True)
    ]
    np.testing.assert_allclose(arrived, [e for _, e in sorted(expected)], rtol=1e-9)


def test_without_plasticity_every_response_has_the_weight(connected: bm.Result) -> None:
    trace = voltage(connected, "none.soma.AMPA.g")
    np.testing.assert_allclose(trace[trace > 1e-9], WEIGHT, rtol=1e-12)


@pytest.mark.parametrize("name", PLASTICITY)
def test_a_spike_arrives_after_its_delay_to_the_step(connected: bm.Result, name: str) -> None:
    arrived = np.flatnonzero(voltage(connected, f"{name}.soma.AMPA.g") > 1e-9)
    sent = np.array([round(t / DT) for times in TRAINS for t in times])
    np.testing.assert_array_equal(arrived, np.sort(sent) + round(DELAYS[name] / DT) + 1)


def test_a_synaptic_event_arrives_in_the_step_of_its_time() -> None:
    times = (0.3, 0.7, 1.1, 2.9, 5.8)
    events = SynapticEvents(times=tuple(f"{t} ms" for t in times), weight="1 nS")
    result = bm.simulate(
        listener("post", MOMENTARY), "8 ms", stimulus=events, record=["soma.AMPA.g"],
        dt=f"{DT} ms", backend="numpy",
    )  # fmt: skip
    arrived = np.flatnonzero(voltage(result, "soma.AMPA.g") > 1e-9)
    np.testing.assert_array_equal(arrived, [round(t / DT) + 1 for t in times])
