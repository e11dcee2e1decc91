"""Passive cells against linear theory: the conductance matrix, solved here."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy.linalg import expm

import biomod as bm
from biomod.model import (
    Cell,
    Channel,
    Circuit,
    Coupling,
    Dendrite,
    Gate,
    Population,
    Soma,
    SynapticReceptor,
)
from tests.backends.helpers import point, voltage

NAMES = ("soma", "trunk", "tuft", "basal")
# Index pairs; only the last coupling has a conductance of its own.
EDGES = ((0, 1), (1, 2), (0, 3))
GIVEN_NS = 7.5
INJECTED_PA = -20.0
LEAK_K = ("15 uS/cm2", "-90 mV")


def geometry(scale: float) -> dict[str, np.ndarray]:
    """Parameters of the compartments in SI; another `scale` is another cell."""
    return {
        "length": np.array([25, 300, 150, 90]) * 1e-6 * scale,
        "diameter": np.array([22, 2.5, 0.7, 1.1]) * 1e-6,
        "factor": np.array([1.0, 1.5, 2.0, 1.8]),
        "leak": np.array([0.40, 0.55, 0.70, 0.45]) / scale,  # S/m2
        "E": np.array([-70, -72, -60, -68]) * 1e-3,
        "r_axial": np.array([1.5, 1.7, 2.0, 1.5]) * scale,  # ohm m
    }


def tree(name: str, scale: float) -> Cell:
    """The cell of this geometry. The tuft also has a constant potassium conductance."""
    p = geometry(scale)

    def values(i: int) -> dict[str, object]:
        return {
            "length": f"{p['length'][i]:.15g} m",
            "diameter": f"{p['diameter'][i]:.15g} m",
            "g_leak": f"{p['leak'][i]:.15g} S/m2",
            "E_leak": f"{p['E'][i]:.15g} V",
            "r_axial": f"{p['r_axial'][i]:.15g} ohm m",
            "area_factor": float(p["factor"][i]),
        }

    potassium = {"channels": (Channel("leak_K", *LEAK_K),)}
    return Cell(
        name,
        (
            Soma("soma", **values(0)),
            Dendrite("trunk", **values(1)),
            Dendrite("tuft", **values(2), **potassium),
            Dendrite("basal", **values(3)),
        ),
        (Coupling("soma", "trunk"), Coupling("trunk", "tuft"), Coupling("soma", "basal", "7.5 nS")),
        fidelity="hh",
    )


def matrix_and_drive(scale: float) -> tuple[np.ndarray, np.ndarray]:
    """G (S) and b (A) of ``C dv/dt = b - G v + I``."""
    p = geometry(scale)
    area = np.pi * p["factor"] * p["length"] * p["diameter"]
    resistance = 4 * p["r_axial"] * p["length"] / (np.pi * p["diameter"] ** 2)
    potassium = 0.15 * area[2]
    matrix = np.diag(p["leak"] * area)
    matrix[2, 2] += potassium
    drive = p["leak"] * area * p["E"]
    drive[2] += potassium * -90e-3
    for i, j in EDGES:
        g = GIVEN_NS * 1e-9 if j == 3 else 2 / (resistance[i] + resistance[j])
        matrix[[i, j], [i, j]] += g
        matrix[[i, j], [j, i]] -= g
    return matrix, drive


SCALES = {"small": 0.8, "middle": 1.0, "large": 1.6}


@pytest.fixture(scope="module")
def settled() -> bm.Result:
    """Three cells; copy k of each is injected in compartment k, the last one nowhere."""
    circuit = Circuit(
        "passive", tuple(Population(n, tree(n, s), len(NAMES) + 1) for n, s in SCALES.items())
    )
    return bm.simulate(
        circuit,
        "1001 ms",
        stimulus=[
            bm.step(f"{INJECTED_PA} pA", "0 ms", "2000 ms", compartment=c, population=n, cells=(k,))
            for n in SCALES
            for k, c in enumerate(NAMES)
        ],
        record=[bm.record(f"{n}.{c}.v", interval="1000 ms") for n in SCALES for c in NAMES],
    )


def final(result: bm.Result, population: str, cell: int) -> np.ndarray:
    """Last voltage of every compartment in V."""
    return np.array([voltage(result, f"{population}.{c}.v", cell)[-1] for c in NAMES]) * 1e-3


@pytest.mark.parametrize("name", SCALES)
def test_steady_state_without_input_solves_the_conductance_matrix(
    settled: bm.Result, name: str
) -> None:
    matrix, drive = matrix_and_drive(SCALES[name])
    np.testing.assert_allclose(
        final(settled, name, len(NAMES)), np.linalg.solve(matrix, drive), rtol=1e-9
    )


@pytest.mark.parametrize("injected", range(len(NAMES)), ids=NAMES)
@pytest.mark.parametrize("name", SCALES)
def test_steady_deflection_is_a_column_of_the_inverse_matrix(
    settled: bm.Result, name: str, injected: int
) -> None:
    matrix, _ = matrix_and_drive(SCALES[name])
    deflection = final(settled, name, injected) - final(settled, name, len(NAMES))
    expected = np.linalg.inv(matrix)[:, injected] * INJECTED_PA * 1e-12
    np.testing.assert_allclose(deflection, expected, rtol=1e-6)


def test_transfer_resistance_is_symmetric(settled: bm.Result) -> None:
    rest = final(settled, "middle", len(NAMES))
    transfer = np.array([final(settled, "middle", k) - rest for k in range(len(NAMES))])
    np.testing.assert_allclose(transfer, transfer.T, rtol=1e-6)


def test_a_cell_begins_at_rest_and_stays_there() -> None:
    """Also with gates, which must begin at their steady state, and with a magnesium block."""
    m = Channel("M", "60 uS/cm2", "-90 mV", (Gate("p", "80", "1 / (1 + exp(-(v + 55) / 8))"),))
    h = Channel(
        "Ih",
        "30 uS/cm2",
        "-30 mV",
        (Gate("h", "20 + exp((v + 80) / 20)", "1 / (1 + exp((v + 82) / 8))"),),
    )
    nmda = SynapticReceptor("NMDA", "NMDA", "0 mV", "60 ms", "2 ms", mg="1 mM")
    cell = Cell(
        "gated",
        (
            Soma("soma", "25 um", "25 um", "40 uS/cm2", "-62 mV", channels=(m,)),
            Dendrite(
                "tuft", "300 um", "2 um", "40 uS/cm2", "-70 mV", channels=(h,), receptors=(nmda,)
            ),
        ),
        (Coupling("soma", "tuft", "10 nS"),),
        fidelity="hh",
    )
    result = bm.simulate(
        cell, "200 ms", record=["soma.v", "tuft.v", "soma.M.p", "tuft.Ih.h"], backend="numpy"
    )
    for label, trace in result.traces.items():
        assert np.ptp(trace[0]) < 1e-9, label


@pytest.mark.parametrize(
    ("method", "factor"), [("exponential_euler", np.exp(-0.1 / 20)), ("euler", 1 - 0.1 / 20)]
)
def test_a_point_cell_charges_with_its_membrane_time_constant(method: str, factor: float) -> None:
    """Exact, and with forward Euler by the factor 1 - dt g/C at every step."""
    cell = point("point", "100 pF", "5 nS", "-70 mV")
    pulse = bm.step("50 pA", "0 ms", "100 ms")
    how = {"dt": "0.1 ms", "method": method, "backend": "numpy"}
    result = bm.simulate(cell, "40 ms", stimulus=pulse, record=["soma.v"], **how)
    v = voltage(result, "soma.v")
    np.testing.assert_allclose(v, -70 + 10 * (1 - factor ** np.arange(len(v))), rtol=1e-12)


def test_an_unknown_method_is_refused_with_the_nearest() -> None:
    with pytest.raises(bm.ModelError, match="exponential_euler"):
        bm.simulate(point("point", "100 pF", "5 nS", "-70 mV"), "1 ms", method="exp_euler")


@pytest.mark.parametrize("method", ["exponential_euler", "euler"])
def test_error_of_two_compartments_is_of_first_order_in_dt(method: str) -> None:
    """Against the matrix exponential; what couples the compartments stands still in a step."""
    cell = Cell(
        "two",
        (Soma("soma", "25 um", "25 um", "40 uS/cm2", "-70 mV"),
         Dendrite("dend", "300 um", "2 um", "40 uS/cm2", "-70 mV")),
        (Coupling("soma", "dend", "5 nS"),), fidelity="hh",
    )  # fmt: skip
    area = np.array([np.pi * 25 * 25, np.pi * 300 * 2]) * 1e-12  # m2
    conductance = np.diag(0.4 * area + 5e-9) - 5e-9 * (1 - np.eye(2))
    decay = expm(-conductance / (0.01 * area)[:, None] * 0.02)
    exact = (np.eye(2) - decay) @ np.linalg.solve(conductance, [50e-12, 0.0])
    errors = []
    for dt in (0.2, 0.1, 0.05):
        result = bm.simulate(
            cell, "20.2 ms", stimulus=bm.step("50 pA", "0 ms", "100 ms"), dt=f"{dt} ms",
            record=["dend.v"], method=method, backend="numpy",
        )  # fmt: skip
        errors.append(abs(voltage(result, "dend.v")[round(20 / dt)] - (-70 + 1e3 * exact[1])))
    assert all(a / b == pytest.approx(2, rel=0.05) for a, b in pairwise(errors)), errors
