"""CoreNEURON against NEURON: the same circuit gives the same spikes and traces."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import biomod as bm
from biomod.backends import available
from biomod.mechanisms import neuromodulation as nm
from biomod.model import Background, Circuit
from tests.neuron.helpers import small_circuit, spiking_cell
from tests.neuron.test_circuits import RECORD, stimuli

needs_core = pytest.mark.skipif(
    not available()["coreneuron"].available, reason="needs NEURON with CoreNEURON"
)


def driven(seed: int = 1) -> Circuit:
    """The small circuit of every kind of synapse, with Poisson input."""
    circuit = small_circuit(seed)
    noise = Background("noise", "apical", "400 Hz", "0.5 nS", (("AMPA", 1.0), ("NMDA", 0.3)))
    first, *others = circuit.populations
    return replace(circuit, populations=(replace(first, backgrounds=(noise,)), *others))


@needs_core
@pytest.mark.validate
def test_a_circuit_has_the_spikes_and_traces_of_neuron() -> None:
    """Steps, ramps, noise, events, gap junctions, plasticity, background, a slower recording."""
    noise = np.random.default_rng(3).normal(0, 60, 240)
    drive = [
        *stimuli(),
        bm.CurrentWaveform("I", "dend", (1, 2), samples=tuple(noise), interval="0.5 ms"),
    ]
    record = [*RECORD, bm.record("E.apical.v", interval="0.5 ms")]
    how = {"stimulus": drive, "record": record}
    here, there = (
        bm.simulate(driven(), "130 ms", backend=b, **how) for b in ("neuron", "coreneuron")
    )
    assert len(here.spikes) > 20
    assert here.spikes.equals(there.spikes)
    assert set(here.traces) == set(there.traces)
    for label in here.traces:
        a, b = here.traces[label], there.traces[label]
        np.testing.assert_array_equal(a.index, b.index, err_msg=label)
        np.testing.assert_allclose(a, b, atol=1e-7, err_msg=label)


@needs_core
@pytest.mark.validate
def test_one_program_runs_other_seeds_and_shorter_durations() -> None:
    """Runs do not disturb each other: the second is that of a program of its own."""
    how = {"stimulus": stimuli(), "record": ["E.soma.v"], "backend": "coreneuron"}
    program = bm.compile(driven(), "60 ms", **how)
    program.run()
    again = program.run(circuit=driven(seed=2), duration="40.0125 ms")
    alone = bm.simulate(driven(seed=2), "40.0125 ms", **how)
    assert again.spikes.equals(alone.spikes)
    np.testing.assert_array_equal(again.trace("E.soma.v"), alone.trace("E.soma.v"))


def test_what_coreneuron_cannot_do_is_refused_by_name() -> None:
    if not available()["coreneuron"].available:
        pytest.skip("needs NEURON with CoreNEURON")
    cell = spiking_cell()
    with pytest.raises(bm.ModelError, match="coreneuron backend has no method cvode"):
        bm.simulate(cell, "1 ms", backend="coreneuron", method="cvode")
    phasic = nm.phasic("ACh", "20 ms", "60 ms", rate="80 Hz")
    with pytest.raises(bm.ModelError, match="concentration changes during a run"):
        bm.simulate(cell, "1 ms", modulators=[phasic], backend="coreneuron")


def test_a_neuron_without_coreneuron_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    from biomod.backends.neuron import library

    if not available()["neuron"].available:
        pytest.skip("needs NEURON")
    find = library.find_nrnivmodl
    monkeypatch.setattr(
        library, "find_nrnivmodl", lambda tool="nrnivmodl": None if "core" in tool else find(tool)
    )
    with pytest.raises(bm.BackendError, match="without CoreNEURON; pip install"):
        bm.simulate(spiking_cell(), "1 ms", backend="coreneuron")
