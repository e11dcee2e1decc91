"""Reduced cells against the detailed ones that they stand for."""

from __future__ import annotations

import numpy as np
import pytest

from biomod.errors import ModelError
from biomod.mechanisms import passive
from biomod.mechanisms.channels import Ih, NaTa
from biomod.morphology import DetailedCell, Location, Membrane, Morphology, read_swc, reduce_tree
from biomod.morphology.reduction import Reduction
from biomod.morphology.synthetic import example_swc

PASSIVE = Membrane("50 uS/cm2", "-70 mV", r_axial="100 ohm cm", area_factor=1.8)
SHAPE = read_swc(example_swc())


def sites(m: Morphology) -> dict[str, Location]:
    tip = m.tips("apical")[0]
    return {
        "trunk": m.towards(tip, "200 um"),
        "tuft": m.towards(tip, "600 um"),
        "other": m.towards(m.tips("apical")[-1], "150 um"),
        "basal": m.towards(m.tips("basal")[0], "100 um"),
    }


@pytest.fixture(scope="module")
def uniform() -> Reduction:
    return reduce_tree(DetailedCell("c", SHAPE, {"*": PASSIVE}), sites(SHAPE), d_lambda=0.05)


@pytest.fixture(scope="module")
def active() -> Reduction:
    membranes = {
        "soma": Membrane("30 uS/cm2", "-72 mV", channels=(NaTa("10 mS/cm2"), Ih("100 uS/cm2"))),
        "apical": Membrane("40 uS/cm2", "-68 mV", area_factor=1.8, channels=(Ih("1000 uS/cm2"),)),
        "*": Membrane("40 uS/cm2", "-70 mV", area_factor=1.8),
    }
    return reduce_tree(DetailedCell("c", SHAPE, membranes), sites(SHAPE), d_lambda=0.05)


def test_steady_input_and_transfer_resistances_are_exact(uniform: Reduction) -> None:
    assert np.abs(uniform.report.magnitude_error[0]).max() < 1e-9


def test_the_cell_itself_has_these_resistances(uniform: Reduction) -> None:
    detailed = uniform.report.detailed[0].real
    for i, a in enumerate(uniform.report.sites):
        for j, b in enumerate(uniform.report.sites):
            found = passive.transfer_resistance(uniform.cell, a, b).si
            assert found == pytest.approx(detailed[i, j], rel=1e-9)


def test_attenuation_is_that_of_the_detailed_cell(uniform: Reduction) -> None:
    z = uniform.report.reduced[0].real
    np.testing.assert_allclose(uniform.report.attenuation, z.T / np.diag(z)[:, None], rtol=1e-9)


def test_slowest_time_constant_is_exact(uniform: Reduction, active: Reduction) -> None:
    for reduction in (uniform, active):
        detailed, reduced = reduction.report.time_constants[:, 0]
        assert reduced == pytest.approx(detailed, rel=1e-6)


def test_forks_between_sites_are_kept(uniform: Reduction) -> None:
    """The trunk and an oblique branch part before both sites."""
    assert any(name.startswith("fork") for name in uniform.report.sites)
    assert set(sites(SHAPE)) < set(uniform.report.sites)


def test_slow_signals_pass_as_in_the_detailed_cell(uniform: Reduction) -> None:
    error = np.abs(uniform.report.magnitude_error)
    assert error[uniform.report.frequencies <= 10].max() < 0.02


def test_more_sites_leave_a_smaller_error() -> None:
    detailed = DetailedCell("c", SHAPE, {"*": PASSIVE})
    tip = SHAPE.tips("apical")[0]
    errors = []
    for count in (1, 3, 9):
        where = np.linspace(100, 650, count) if count > 1 else [300]
        # Every branch that leaves the way is lumped at it, so some error of its own stays.
        few = {f"a{k}": SHAPE.towards(tip, f"{x} um") for k, x in enumerate(where)}
        report = reduce_tree(detailed, few, d_lambda=0.05).report
        errors.append(float(np.abs(report.magnitude_error[report.frequencies == 30, 0, 0]).max()))
    assert errors[2] < errors[0]


def test_the_cell_rests_like_the_detailed_one(active: Reduction) -> None:
    detailed, reduced = active.report.rest
    assert np.ptp(detailed) > 1e-4  # it is not one potential everywhere
    np.testing.assert_allclose(reduced, detailed, atol=1e-7)


def test_channels_keep_the_input_resistance_at_rest(active: Reduction) -> None:
    """To 5 %: with channels in between, a few compartments cannot be exact at every potential."""
    detailed, reduced = active.report.at_rest
    passive_only = active.report.detailed[0].real
    assert np.abs(detailed / passive_only - 1).max() > 0.05  # Ih matters here
    np.testing.assert_allclose(reduced, detailed, rtol=0.05)


def test_a_soma_alone_is_reduced_to_itself() -> None:
    m = Morphology("ball", (), SHAPE.soma_area)
    channels = (NaTa("10 mS/cm2"),)
    membrane = Membrane("30 uS/cm2", "-70 mV", channels=channels)
    cell = reduce_tree(DetailedCell("c", m, {"*": membrane}), {}).cell
    assert [c.name for c in cell.compartments] == ["soma"]
    assert cell.get("soma.NaTa.g_max").to("mS/cm2") == pytest.approx(10)
    assert cell.soma.area.si == pytest.approx(SHAPE.soma_area.si)
    assert cell.get("soma.E_leak").to("mV") == pytest.approx(-70)


def test_two_sites_at_one_place_are_refused() -> None:
    tip = SHAPE.tips("apical")[0]
    twice = {"a": SHAPE.towards(tip, "200 um"), "b": SHAPE.towards(tip, "200.1 um")}
    with pytest.raises(ModelError, match="b falls on the same compartment as a"):
        reduce_tree(DetailedCell("c", SHAPE, {"*": PASSIVE}), twice)


def test_a_cell_without_leak_is_refused() -> None:
    membrane = Membrane("0 uS/cm2", "-70 mV")
    with pytest.raises(ModelError, match="leak"):
        reduce_tree(DetailedCell("c", SHAPE, {"*": membrane}), {})


def test_the_report_reads_as_a_table(uniform: Reduction) -> None:
    text = str(uniform.report)
    for part in ("100 Hz", "time constant 1", "from the slowest mode", "fork1"):
        assert part in text
