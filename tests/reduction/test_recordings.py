"""Recordings given by hand: units, forms, and what is refused."""

import numpy as np
import pytest

from biomod.errors import ModelError, UnitError
from biomod.reduction import Protocol, recordings, sweep
from biomod.reduction.protocol import ornstein_uhlenbeck

N = 30_000
CURRENT = np.zeros(N)
VOLTAGE = np.full(N, -70.0)
SPIKING = VOLTAGE.copy()
SPIKING[1000::3000] = 20.0


def test_units_are_converted():
    found = sweep((CURRENT + 0.1, "nA"), (VOLTAGE * 1e-3, "V"), "100 us")
    assert found.current[0] == pytest.approx(100)
    assert found.voltage[0] == pytest.approx(-70)
    assert found.dt == pytest.approx(0.1)


def test_spikes_are_upward_crossings():
    found = sweep((CURRENT, "pA"), (SPIKING, "mV"), "0.1 ms")
    np.testing.assert_allclose(found.spikes, np.arange(1000, N, 3000) * 0.1)


def test_brian2_and_neo_bring_their_units():
    brian2 = pytest.importorskip("brian2")
    neo, pq = pytest.importorskip("neo"), pytest.importorskip("quantities")
    a = sweep(CURRENT * brian2.pA, VOLTAGE * brian2.mV, 0.1 * brian2.ms)
    signal = [
        neo.AnalogSignal(x[:, None], units=unit, sampling_period=0.1 * pq.ms)
        for x, unit in ((CURRENT, "pA"), (VOLTAGE, "mV"))
    ]
    train = neo.SpikeTrain([1.2, 1.5], units="s", t_start=1.0 * pq.s, t_stop=4.0 * pq.s)
    b = sweep(*signal, spikes=train)
    np.testing.assert_allclose(a.voltage, b.voltage)
    np.testing.assert_allclose(b.spikes, [200, 500])  # since the beginning of the recording
    assert b.dt == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((CURRENT, (VOLTAGE, "mV"), "0.1 ms"), UnitError, "current"),
        (((CURRENT, "pA"), VOLTAGE, "0.1 ms"), UnitError, "voltage"),
        (((CURRENT, "mV"), (VOLTAGE, "mV"), "0.1 ms"), UnitError, "current"),
        (((CURRENT, "pA"), (VOLTAGE, "mV"), 0.1), UnitError, "dt needs a unit"),
        (((CURRENT, "pA"), (VOLTAGE, "mV")), ModelError, "dt is missing"),
        (((CURRENT, "pA"), (VOLTAGE[:-1], "mV"), "0.1 ms"), ModelError, "must agree"),
        (((CURRENT[:5], "pA"), (VOLTAGE[:5], "mV"), "0.1 ms"), ModelError, "too short"),
        (((CURRENT, "pA"), (VOLTAGE * np.nan, "mV"), "0.1 ms"), ModelError, "sample 0"),
    ],
)
def test_wrong_recordings_are_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        sweep(*arguments)


def test_spikes_outside_of_the_recording_are_refused():
    with pytest.raises(ModelError, match="outside"):
        sweep((CURRENT, "pA"), (VOLTAGE, "mV"), "0.1 ms", spikes=([1.0, 5000.0], "ms"))


def test_too_little_data_is_refused():
    silent = sweep((CURRENT, "pA"), (VOLTAGE, "mV"), "0.1 ms")
    spiking = sweep((CURRENT, "pA"), (SPIKING, "mV"), "0.1 ms")
    short = sweep((CURRENT[:5000], "pA"), (SPIKING[:5000], "mV"), "0.1 ms")
    with pytest.raises(ModelError, match="at least 5"):
        recordings([silent], [spiking])
    with pytest.raises(ModelError, match="too little"):
        recordings([short], [spiking])
    with pytest.raises(ModelError, match="to test on"):
        recordings([spiking], [])
    coarse = sweep((CURRENT, "pA"), (SPIKING, "mV"), "0.2 ms")
    with pytest.raises(ModelError, match="different sampling intervals"):
        recordings([spiking], [coarse])


def test_noise_has_the_moments_it_is_asked_for():
    x = ornstein_uhlenbeck(50, 20, 5.0, 400_000, 0.5, np.random.default_rng(1))
    assert np.mean(x) == pytest.approx(50, abs=1)
    assert np.std(x) == pytest.approx(20, abs=0.5)
    lag = np.mean((x[10:] - 50) * (x[:-10] - 50)) / np.var(x)  # 5 ms
    assert lag == pytest.approx(np.exp(-1), abs=0.02)


def test_protocol_trains_and_tests_on_different_currents():
    planned = Protocol().currents(100.0)
    noise = {
        test: [p.current for p in planned if p.kind == "noise" and p.test is test]
        for test in (False, True)
    }
    assert sum(len(c) for c in noise[False]) * 0.1e-3 >= 20  # s
    assert sum(len(c) for c in noise[True]) * 0.1e-3 >= 10
    correlation = np.corrcoef(noise[False][0], noise[True][0])[0, 1]
    assert abs(correlation) < 0.15
    kinds = {p.kind for p in planned if not p.test}
    assert kinds == {"noise", "step", "ramp", "pulse"}


def test_every_noise_sweep_has_a_seed_of_its_own():
    planned = Protocol(means=(1.0,), deviations=(0.5,), sweeps=3).currents(100.0)
    first, second, third = (p.current for p in planned if p.kind == "noise" and not p.test)
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.15
    assert abs(np.corrcoef(first, third)[0, 1]) < 0.15


def test_short_protocols_are_refused():
    with pytest.raises(ModelError, match="at least 2 s"):
        Protocol(noise_s=0.05)
