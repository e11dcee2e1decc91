"""Every ``hh`` cell on Brian2 and on NEURON: the same answer, and the published one."""

from __future__ import annotations

import numpy as np
import pytest

import biomod as bm
import cell_types
from biomod.model import Circuit, Population, Recording
from cell_types.calibration import table
from cell_types.calibration.targets import targets

pytest.importorskip("neuron")
pytestmark = pytest.mark.validate

BACKENDS = ("cpp", "neuron")
START, STOP, END = 100.0, 1100.0, 1150.0  # ms
RELATIVE = (-0.5, 0.3, 1.0, 1.25, 1.5, 2.0, 2.5)  # of the rheobase that the cell reaches
SPIKES_AT = RELATIVE.index(1.5)


def responses(name, dt, backend, relative=RELATIVE):
    """Somatic voltage (time x step) and spike times of each step."""
    cell = cell_types.get(name, fidelity="hh")
    rheobase = table.written()[name][0]["rheobase_long_square"]
    circuit = Circuit("steps", (Population("c", cell, len(relative), heterogeneous=False),))
    steps = [
        bm.step(f"{x * rheobase:.6g} pA", f"{START} ms", f"{STOP} ms", population="c", cells=(i,))
        for i, x in enumerate(relative)
    ]
    trace = Recording("soma", "v", population="c", cells=tuple(range(len(relative))))
    result = bm.simulate(
        circuit, f"{END} ms", stimulus=steps, record=[trace], dt=f"{dt} ms", backend=backend
    )
    trains = [result.spikes.query("cell == @i")["time_ms"].to_numpy() for i in range(len(relative))]
    return result.traces["c.soma.v"].to_numpy(), trains


@pytest.fixture(scope="module", params=cell_types.HH_NAMES)
def both(request):
    return {b: responses(request.param, 0.0125, b) for b in BACKENDS}


def test_subthreshold_voltages_agree(both):
    (brian, _), (neuron, _) = both["cpp"], both["neuron"]
    rows = min(len(brian), len(neuron))
    for quiet in (0, 1):
        assert np.abs(brian[:rows, quiet] - neuron[:rows, quiet]).mean() < 0.05


def test_spike_times_of_a_step_agree(both):
    brian, neuron = (both[b][1][SPIKES_AT] for b in BACKENDS)
    assert len(brian) == len(neuron) > 0
    assert np.abs(brian - neuron).max() < 0.1


def test_f_i_curves_agree(both):
    brian, neuron = (np.array([len(t) for t in both[b][1]]) for b in BACKENDS)
    assert brian.max() > 10
    assert np.all(np.abs(brian - neuron) <= 0.01 * neuron)


def crossings(v, dt):
    """Times (ms) at which the voltage rises through -20 mV, interpolated between the steps."""
    k = np.flatnonzero((v[:-1] < -20) & (v[1:] >= -20))
    return (k + (-20 - v[k]) / (v[k + 1] - v[k])) * dt


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", ["L23_PC", "PV_basket"])
def test_spike_times_converge_with_the_square_of_the_time_step(name, backend):
    # Errors against the finest step: 7 : 3 : 1 for a method of first order, 63 : 15 : 3 for second.
    steps = (0.05, 0.025, 0.0125, 0.00625)
    tenth = [crossings(responses(name, dt, backend, (1.5,))[0][:, 0], dt)[9] for dt in steps]
    errors = np.abs(np.array(tenth[:-1]) - tenth[-1])
    assert errors[0] > errors[1] > errors[2]
    assert errors[0] / errors[2] > 10
    assert errors[2] < 0.1


def test_features_are_those_of_the_data_file_on_both_simulators():
    """And nine of ten within 2 s.d. of their targets."""
    written = table.written()
    measured = {n: tuple(table.features(n, b) for b in BACKENDS) for n in written}
    distances = []
    for name, (brian, neuron) in measured.items():
        for feature, target in targets(name).items():
            tolerance = 0.05 * target.sd
            assert brian[feature] == pytest.approx(written[name][0][feature], abs=tolerance)
            assert brian[feature] == pytest.approx(neuron[feature], abs=tolerance)
            distances.append(target.z(brian[feature]))
    assert table.within(distances) >= 0.9 * len(distances)
