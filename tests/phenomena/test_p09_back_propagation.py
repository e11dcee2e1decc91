"""P09: action potentials back-propagate along the apical dendrite, with decrement.

Amplitudes: Van Geit et al. 2016, 10.3389/fninf.2016.00017 (rat, used with Hay et al. 2011).
Acceptance numbers: reference table of phenomena.
"""

from __future__ import annotations

import math

import pytest

import cell_types
from cell_types import protocols as p
from cell_types._l5_et import TRUNK, distances
from cell_types.calibration.features_l5_et import back_propagation

pytestmark = pytest.mark.validate

PUBLISHED = {"660um": (45.0, 10.0), "800um": (36.0, 9.33)}  # mV, mean and s.d.


@pytest.fixture(scope="module")
def found(l5_et, simulator) -> dict[str, float]:
    return back_propagation([l5_et], p.Bench(simulator))[0]


@pytest.mark.parametrize("distance", PUBLISHED)
def test_amplitude_is_the_published_one(found, distance):
    mean, sd = PUBLISHED[distance]
    assert found["spikes_of_pulse"] == 1
    assert found[f"bAP_amplitude_at_{distance}"] == pytest.approx(mean, abs=2 * sd)


@pytest.mark.parametrize("distance", PUBLISHED)
def test_dendritic_sodium_channels_carry_it(found, distance):
    assert found[f"share_without_sodium_at_{distance}"] <= 0.6


def test_dendrites_of_basket_cells_attenuate_more_per_length(l5_et, simulator):
    """Hu, Martina & Jonas 2010, 10.1126/science.1177876: strong attenuation in PV dendrites."""
    (pyramidal,) = p.respond(
        [p.Trial(l5_et, (p.pulse(20.0),))], 60.0, ("soma", *TRUNK), backend=simulator
    )
    basket = cell_types.get("PV_basket", fidelity="hh")
    strong = p.pulse(20.0, amplitude=2.0, length=1.0)
    parts = ("soma", "proximal", "distal")
    (other,) = p.respond([p.Trial(basket, (strong,))], 60.0, parts, backend=simulator)
    trunk = math.log(pyramidal.height("soma") / pyramidal.height(TRUNK[-1]))
    proximal, distal = (basket.compartment(c).length.to("um") for c in parts[1:])
    length = proximal + distal / 2
    dendrite = math.log(other.height("soma") / other.height("distal"))
    assert dendrite / length > trunk / distances()[TRUNK[-1]]
