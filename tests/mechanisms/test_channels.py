"""Kinetics of the channel library against the published formulas, written here as in their sources.

The sources are the mod files of the models on ModelDB: Hay et al. 2011 (139653), Shu et al. 2007
(135898), Poirazi et al. 2003 (20212), Migliore et al. 1995 (3263), Mainen & Sejnowski 1996 (2488)
and Wolf et al. 2005 (112834).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy import exp

from biomod.mechanisms import passive
from biomod.mechanisms.channels import calcium_pool, channels, leak_K
from biomod.model import Channel, Gate
from biomod.units import parse_unit

# Off the voltages at which a rate is 0/0.
V = np.linspace(-120, 60, 200) + 0.0137
CAI = np.geomspace(1e-5, 1e-1, 200)  # mM
Pair = tuple[np.ndarray, np.ndarray]
Q_34 = 2.3 ** ((34 - 21) / 10)  # what the files of Hay et al. have in them


def from_rates(alpha: np.ndarray, beta: np.ndarray, q: float = 1.0) -> Pair:
    return alpha / (alpha + beta), 1 / (alpha + beta) / q


def nata_m(v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    a = 0.182 * (v - -38) / (1 - exp(-(v - -38) / 6))
    return a, 0.124 * (-v - 38) / (1 - exp(-(-v - 38) / 6))


def hay_nata_m(v: np.ndarray) -> Pair:
    return from_rates(*nata_m(v), Q_34)


def hay_nata_h(v: np.ndarray) -> Pair:
    a = -0.015 * (v - -66) / (1 - exp((v - -66) / 6))
    return from_rates(a, -0.015 * (-v - 66) / (1 - exp((-v - 66) / 6)), Q_34)


def hay_nap_m(v: np.ndarray) -> Pair:
    return 1 / (1 + exp((v - -52.6) / -4.6)), 6 / sum(nata_m(v)) / Q_34


def hay_nap_h(v: np.ndarray) -> Pair:
    a = -2.88e-6 * (v + 17) / (1 - exp((v + 17) / 4.63))
    b = 6.94e-6 * (v + 64.4) / (1 - exp(-(v + 64.4) / 2.63))
    return 1 / (1 + exp((v - -48.8) / 10)), 1 / (a + b) / Q_34


def mainen_kv(v: np.ndarray) -> Pair:
    a = 0.02 * (v - 25) / (1 - exp(-(v - 25) / 9))
    return from_rates(a, -0.002 * (v - 25) / (1 - exp((v - 25) / 9)), 2.3 ** ((34 - 23) / 10))


def hay_skv3(v: np.ndarray) -> Pair:
    return 1 / (1 + exp((v - 18.7) / -9.7)), 0.2 * 20 / (1 + exp((v - -46.56) / -44.14))


def hay_k_tst_m(v: np.ndarray) -> Pair:
    v = v + 10
    return 1 / (1 + exp(-v / 19)), (0.34 + 0.92 * exp(-(((v + 71) / 59) ** 2))) / Q_34


def hay_k_tst_h(v: np.ndarray) -> Pair:
    v = v + 10
    return 1 / (1 + exp(-(v + 66) / -10)), (8 + 49 * exp(-(((v + 73) / 23) ** 2))) / Q_34


def shu_kd_m(v: np.ndarray) -> Pair:
    return 1 - 1 / (1 + exp((v + 43) / 8)), np.full_like(v, 0.6)


def shu_kd_h(v: np.ndarray) -> Pair:
    return 1 / (1 + exp((v + 67) / 7.3)), np.full_like(v, 1500.0)


def hay_im(v: np.ndarray) -> Pair:
    a, b = (3.3e-3 * exp(s * 2.5 * 0.04 * (v - -35)) for s in (1, -1))
    return from_rates(a, b, Q_34)


def hay_ca_hva_m(v: np.ndarray) -> Pair:
    a = 0.055 * (-27 - v) / (exp((-27 - v) / 3.8) - 1)
    return from_rates(a, 0.94 * exp((-75 - v) / 17))


def hay_ca_hva_h(v: np.ndarray) -> Pair:
    return from_rates(0.000457 * exp((-13 - v) / 50), 0.0065 / (exp((-v - 15) / 28) + 1))


def hay_ca_lva_m(v: np.ndarray) -> Pair:
    v = v + 10
    return 1 / (1 + exp((v - -30) / -6)), (5 + 20 / (1 + exp((v - -25) / 5))) / Q_34


def hay_ca_lva_h(v: np.ndarray) -> Pair:
    v = v + 10
    return 1 / (1 + exp((v - -80) / 6.4)), (20 + 50 / (1 + exp((v - -40) / 7))) / Q_34


def magee_car_m(v: np.ndarray) -> Pair:
    return 1 / (1 + exp((v + 48.5) / -3)), np.full_like(v, 50.0)


def magee_car_h(v: np.ndarray) -> Pair:
    return 1 / (1 + exp(v + 53)), np.full_like(v, 5.0)


def kole_ih(v: np.ndarray) -> Pair:
    a = 0.001 * 6.43 * (v + 154.9) / (exp((v + 154.9) / 11.9) - 1)
    return from_rates(a, 0.001 * 193 * exp(v / 33.1))


def hodgkin_huxley(name: str) -> Callable[[np.ndarray], Pair]:
    def gate(v: np.ndarray) -> Pair:
        u = v + 65  # the depolarisation of 1952
        rates = {
            "m": (0.1 * (25 - u) / (exp((25 - u) / 10) - 1), 4 * exp(-u / 18)),
            "h": (0.07 * exp(-u / 20), 1 / (exp((30 - u) / 10) + 1)),
            "n": (0.01 * (10 - u) / (exp((10 - u) / 10) - 1), 0.125 * exp(-u / 80)),
        }
        return from_rates(*rates[name])

    return gate


PUBLISHED: dict[tuple[str, str], tuple[int, Callable[[np.ndarray], Pair]]] = {
    ("NaTa", "m"): (3, hay_nata_m),
    ("NaTa", "h"): (1, hay_nata_h),
    ("NaP", "m"): (3, hay_nap_m),
    ("NaP", "h"): (1, hay_nap_h),
    ("Kdr", "n"): (1, mainen_kv),
    ("Kv3", "n"): (1, hay_skv3),
    ("A", "m"): (4, hay_k_tst_m),
    ("A", "h"): (1, hay_k_tst_h),
    ("D", "m"): (1, shu_kd_m),
    ("D", "h"): (1, shu_kd_h),
    ("M", "p"): (1, hay_im),
    ("CaHVA", "m"): (2, hay_ca_hva_m),
    ("CaHVA", "h"): (1, hay_ca_hva_h),
    ("CaT", "m"): (2, hay_ca_lva_m),
    ("CaT", "h"): (1, hay_ca_lva_h),
    ("CaR", "m"): (3, magee_car_m),
    ("CaR", "h"): (1, magee_car_h),
    ("Ih", "m"): (1, kole_ih),
    ("Na_squid", "m"): (3, hodgkin_huxley("m")),
    ("Na_squid", "h"): (1, hodgkin_huxley("h")),
    ("K_squid", "n"): (4, hodgkin_huxley("n")),
}


def ours(
    channel: Channel, gate: Gate, v: np.ndarray, temperature: float, cai: np.ndarray | None = None
) -> Pair:
    """Steady state and time constant (ms) of a gate at a temperature."""
    names = {c.name: c.value.si / parse_unit(c.unit)[0] for c in channel.constants}
    if cai is not None:
        names["cai"] = cai
    steady = passive.evaluate(gate.steady_state, v, names)
    if not gate.tau:
        return steady, np.zeros_like(v)
    tau = passive.evaluate(gate.tau, v, names) + 0 * v
    return steady, tau / channel.speed(gate, temperature)


@pytest.mark.parametrize("name", PUBLISHED, ids=".".join)
def test_gate_is_that_of_the_published_model(name: tuple[str, str]) -> None:
    power, published = PUBLISHED[name]
    channel = channels()[name[0]]
    gate = next(g for g in channel.gates if g.name == name[1])
    found = ours(channel, gate, V, 6.3 if "squid" in name[0] else 34.0)
    for mine, theirs in zip(found, published(V), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-9)
    assert gate.power == power


def test_inward_rectifier_has_the_steady_state_of_wolf_et_al() -> None:
    """Half activation -52 mV moved by -30 mV, slope 13 mV."""
    (gate,) = channels()["Kir"].gates
    steady, _ = ours(channels()["Kir"], gate, V, 34.0)
    np.testing.assert_allclose(steady, 1 / (1 + exp((V - -52 + 30) / 13)), rtol=1e-12)


def test_sk_opens_with_calcium_as_in_hay_et_al() -> None:
    (gate,) = channels()["SK"].gates
    steady, tau = ours(channels()["SK"], gate, np.full(200, -60.0), 34.0, CAI)
    np.testing.assert_allclose(steady, 1 / (1 + (0.00043 / CAI) ** 4.8), rtol=1e-12)
    np.testing.assert_allclose(tau, 1.0)


@pytest.mark.parametrize("cai", [1e-4, 1e-3, 1e-2])
def test_bk_has_the_rates_of_migliore_et_al(cai: float) -> None:
    (gate,) = channels()["BK"].gates
    faraday, gas = 96.4853321, 8.31446  # kC/mol, J/(mol K)

    def shifted(k: float, d: float) -> np.ndarray:
        return k * exp(-2 * d * faraday * V / gas / (273.15 + 34))

    alpha = 0.28 * cai / (cai + shifted(0.48e-3, 0.84))
    beta = 0.48 / (1 + cai / shifted(0.13e-6, 1.0))
    steady, tau = ours(channels()["BK"], gate, V, 34.0, np.full_like(V, cai))
    expected = from_rates(alpha, beta)
    # The description has the exponents to five digits, 6e-7 per mV.
    np.testing.assert_allclose(steady, expected[0], rtol=2e-4)
    np.testing.assert_allclose(tau, expected[1], rtol=2e-4)


@pytest.mark.parametrize(("name", "half_uM"), [("sAHP", 0.5), ("CAN", 0.5)])
def test_slow_calcium_gates_bind_two_ions(name: str, half_uM: float) -> None:
    (gate,) = channels()[name].gates
    steady, tau = ours(channels()[name], gate, np.zeros(200), 34.0, CAI)
    np.testing.assert_allclose(steady, 1 / (1 + (half_uM * 1e-3 / CAI) ** 2), rtol=1e-9)
    np.testing.assert_allclose(tau, {"sAHP": 200.0, "CAN": 300.0}[name])


def test_calcium_pool_has_the_values_of_hay_et_al() -> None:
    pool = calcium_pool()
    assert (pool.tau_decay.to("ms"), pool.gamma) == (80.0, 0.05)
    assert pool.depth.to("um") == pytest.approx(0.1)
    assert pool.cai_rest.to("mM") == pytest.approx(1e-4)


def test_leak_has_no_gate() -> None:
    assert leak_K("20 uS/cm2").gates == ()


def test_every_gate_of_the_library_is_held_against_something() -> None:
    elsewhere = {("Kir", "r"), ("SK", "z"), ("BK", "o"), ("sAHP", "z"), ("CAN", "c")}
    mine = {
        (c.name, g.name)
        for name, c in channels().items()
        if not name.endswith("_dspike")
        for g in c.gates
    }
    assert mine == set(PUBLISHED) | elsewhere


@pytest.mark.parametrize("name", channels())
def test_gates_are_probabilities_with_positive_time_constants_at_every_voltage(name: str) -> None:
    """Also where a rate is 0/0; those voltages are whole or half numbers of mV."""
    channel = channels()[name]
    v = np.arange(-160.0, 100.0, 0.1).round(1)
    cai = np.full_like(v, 1e-3) if channel.reads_calcium else None
    for gate in channel.gates:
        steady, tau = ours(channel, gate, v, 34.0, cai)
        assert np.isfinite(steady).all()
        assert ((steady >= 0) & (steady <= 1)).all()
        assert (tau > 0).all() if gate.tau else True


def test_rates_follow_the_temperature_by_their_q10() -> None:
    channel = channels()["NaTa"]
    warm, cold = (ours(channel, channel.gates[0], V, t)[1] for t in (34.0, 24.0))
    np.testing.assert_allclose(cold / warm, 2.3)
