"""Any NEURON cell as what a surrogate is fitted to."""

import numpy as np
import pytest

from biomod.errors import ModelError
from biomod.reduction import neuron_cell

pytest.importorskip("neuron")


def squid():
    from neuron import h

    section = h.Section(name="soma")
    section.L = section.diam = 20
    section.insert("hh")
    return section


class Cell:
    def __init__(self):
        self.soma = [squid()]


@pytest.fixture(scope="module")
def respond():
    return neuron_cell(squid, celsius=6.3, v_init="-65 mV", settle="50 ms")


def test_it_rests_and_fires(respond):
    quiet = np.zeros(1000)
    step = np.concatenate([np.zeros(300), np.full(1200, 200.0)])
    (still, none), (voltage, spikes) = respond([quiet, step], 0.1)
    assert len(still) == 1000
    assert len(none) == 0
    assert np.ptp(still) < 0.05
    assert still[0] == pytest.approx(-65, abs=0.2)
    assert len(spikes) > 5
    assert 30 < spikes[0] < 35
    np.testing.assert_allclose(voltage[:300], still[:300], atol=0.01)


def test_a_small_current_charges_its_membrane(respond):
    """Over 0.2 ms the current goes into the capacitance: 1 uF/cm2 on 1257 um2 are 12.57 pF."""
    (voltage, _), *_ = respond([np.full(20, 5.0)], 0.1)
    assert voltage[2] - voltage[0] == pytest.approx(5.0 * 0.2 / 12.57, rel=0.1)


def test_an_object_with_a_soma_will_do():
    by_object = neuron_cell(Cell, celsius=6.3, v_init="-65 mV", settle="50 ms")
    ((voltage, _),) = by_object([np.zeros(200)], 0.1)
    assert voltage[0] == pytest.approx(-65, abs=0.2)


def test_what_is_no_cell_is_refused():
    with pytest.raises(ModelError, match="takes a function"):
        neuron_cell("L5PC.hoc")
    with pytest.raises(ModelError, match="must return a NEURON section"):
        neuron_cell(lambda: 3)([np.zeros(200)], 0.1)


def test_a_step_longer_than_a_sample_is_refused():
    with pytest.raises(ModelError, match="longer than"):
        neuron_cell(squid, dt="0.2 ms")([np.zeros(200)], 0.1)
