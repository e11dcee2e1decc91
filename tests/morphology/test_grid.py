"""The linear cable solver against the cable equation."""

from __future__ import annotations

import numpy as np
import pytest

from biomod.errors import ModelError
from biomod.mechanisms import passive
from biomod.mechanisms.channels import Ih, NaTa
from biomod.morphology import DetailedCell, Location, Membrane, Morphology, read_swc
from biomod.morphology.synthetic import example_swc
from biomod.morphology.tree import cylinder

MEMBRANE = Membrane("25 uS/cm2", "-65 mV", r_axial="100 ohm cm")  # lambda 1 mm at 1 um, tau 40 ms
TAU = 40e-3


def cable(length: str = "1 mm", diameter: str = "1 um") -> DetailedCell:
    m = Morphology("cable", (cylinder(length, diameter),))
    return DetailedCell("cable", m, {"*": MEMBRANE})


def sealed(electrotonic: float, diameter: float, frequency: float) -> tuple[complex, complex]:
    """Input and transfer impedance of a sealed cable at one end, by the cable equation."""
    q = np.sqrt(1 + 2j * np.pi * frequency * TAU)
    constant = np.sqrt(diameter / 4 * 4.0 / 1.0)  # m, from 1 / g_leak = 4 ohm m2, 1 ohm m
    infinite = 4 * 1.0 * constant / (np.pi * diameter**2) / q
    return infinite / np.tanh(q * electrotonic), infinite / np.sinh(q * electrotonic)


@pytest.mark.parametrize("frequency", [0.0, 10.0, 100.0])
def test_impedances_of_a_sealed_cable(frequency: float) -> None:
    grid = cable().grid(segments=200)
    z = grid.impedance([0, len(grid) - 1], frequency)
    near, far = sealed(1.0, 1e-6, frequency)
    np.testing.assert_allclose(z[0], [near, far], rtol=1e-4)
    np.testing.assert_allclose(z, z.T, rtol=1e-9)


def test_error_is_of_second_order_in_the_spacing() -> None:
    errors = []
    for n in (10, 20, 40):
        near, _ = sealed(1.0, 1e-6, 0.0)
        errors.append(cable().grid(segments=n).impedance([0])[0, 0].real / near.real - 1)
    assert errors[0] / errors[1] == pytest.approx(4, rel=0.05)
    assert errors[1] / errors[2] == pytest.approx(4, rel=0.05)


def test_time_constants_of_a_sealed_cable() -> None:
    """``tau / (1 + (n pi / L)**2)``: Rall 1969, Biophys J 9:1483."""
    found, _ = cable().grid(segments=200).modes(4)
    np.testing.assert_allclose(found, TAU / (1 + (np.arange(4) * np.pi) ** 2), rtol=1e-3)


def test_a_tree_that_obeys_the_power_rule_is_its_equivalent_cable() -> None:
    """Daughters with ``d**1.5`` in sum that of the parent: Rall 1962, Ann N Y Acad Sci 96:1071."""
    d1 = 0.5
    d2 = (1 - d1**1.5) ** (2 / 3)
    sections = (
        cylinder("500 um", "1 um", "trunk"),
        cylinder(f"{500 * d1**0.5} um", f"{d1} um", "left", "trunk"),
        cylinder(f"{500 * d2**0.5} um", f"{d2} um", "right", "trunk"),
    )
    grid = DetailedCell("rall", Morphology("rall", sections), {"*": MEMBRANE}).grid(segments=100)
    for frequency in (0.0, 50.0):
        near, _ = sealed(1.0, 1e-6, frequency)
        assert grid.impedance([0], frequency)[0, 0] == pytest.approx(near, rel=1e-4)
    ends = [grid.index(Location(n, 1.0)) for n in ("left", "right")]
    z = grid.impedance([0, *ends]).real
    assert z[0, 1] == pytest.approx(z[0, 2], rel=1e-4)


def test_a_frustum_has_the_area_and_the_resistance_of_a_cone() -> None:
    section = cylinder("30 um", "4 um")
    cone = type(section)("cone", "dendrite", "", section.points, np.array([2.0, 1.0]))
    assert cone.area == pytest.approx(np.pi * 3 * np.hypot(30, 1))
    assert cone.axial(0, 1) == pytest.approx(30 / (np.pi * 2 * 1))
    assert cone.axial(0, 0.3) + cone.axial(0.3, 1) == pytest.approx(cone.axial(0, 1))


@pytest.mark.parametrize("d_lambda", [0.5, 0.1, 0.02])
def test_no_membrane_is_lost_in_a_grid(d_lambda: float) -> None:
    m = read_swc(example_swc())
    grid = DetailedCell("c", m, {"*": MEMBRANE}).grid(d_lambda)
    expected = m.soma_area.si + sum(s.area for s in m.sections) * 1e-12
    assert grid.area.sum() == pytest.approx(expected, rel=1e-9)


def test_compartments_are_short_against_the_length_constant() -> None:
    """``lambda_100`` of 1 um, 100 ohm cm, 1 uF/cm2: 282 um; a tenth of it cuts 1 mm in 36."""
    assert len(cable().grid(0.1, "100 Hz")) == 1 + 36


def test_a_cell_of_many_compartments_has_the_input_resistance_of_its_grid() -> None:
    detailed = DetailedCell("c", read_swc(example_swc()), {"*": MEMBRANE})
    cell, grid = detailed.cell(0.3), detailed.grid(0.3)
    found = passive.input_resistance(cell, "soma").si
    assert found == pytest.approx(grid.impedance([0])[0, 0].real, rel=1e-9)
    assert passive.time_constant(cell).si == pytest.approx(grid.modes(1)[0][0], rel=1e-6)


def test_rest_of_a_cell_with_channels_is_that_of_its_compartments() -> None:
    membranes = {
        "soma": Membrane("30 uS/cm2", "-70 mV", channels=(NaTa("20 mS/cm2"),)),
        "*": Membrane("30 uS/cm2", "-70 mV", channels=(Ih("300 uS/cm2"),)),
    }
    detailed = DetailedCell("c", read_swc(example_swc()), membranes)
    grid, cell = detailed.grid(0.5), detailed.cell(0.5)
    np.testing.assert_allclose(grid.rest(), list(passive.rest(cell).values()), atol=1e-9)


def test_a_kind_without_a_membrane_is_refused() -> None:
    with pytest.raises(ModelError, match="sections of kind apical"):
        DetailedCell("c", read_swc(example_swc()), {"soma": MEMBRANE, "basal": MEMBRANE})


def test_an_unknown_kind_is_refused_with_the_nearest() -> None:
    with pytest.raises(ModelError, match="did you mean apical"):
        DetailedCell("c", read_swc(example_swc()), {"apicl": MEMBRANE, "*": MEMBRANE})
