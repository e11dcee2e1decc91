"""The cuda backend: compiled once, refusals in one line, and the spikes of the other backends.

Those that compile need nvcc, brian2cuda and so Python 3.12: ``make cuda-test PYTHON=python3.12``.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

import biomod as bm
from biomod.backends import compile_job
from biomod.backends.brian import cuda, nvcc
from biomod.backends.job import Job
from biomod.errors import BackendError, ModelError
from biomod.model import (
    Background,
    Cell,
    Circuit,
    GapJunctions,
    Modulator,
    Population,
    Projection,
    ShortTermPlasticity,
    Soma,
    SynapticEvents,
)
from biomod.programs import find_compiler
from tests.backends import cuda_on_cpu
from tests.backends.helpers import (
    AMPA,
    M1,
    M_CURRENT,
    NMDA,
    SODIUM,
    SPIKE,
    absolute,
    ball_and_stick,
    same_spikes,
    voltage,
)

ROOT = Path(__file__).parents[2]
# Two clocks, since the trace has one of its own.
HASH_OF_SOURCE = """
import hashlib
import biomod as bm
from biomod.backends.brian import cuda, nvcc
from biomod.joining import headers
from tests.backends.test_cuda import pair
from biomod.model import record

def shown(directory, toolkit):
    text = nvcc.join(directory) + headers(directory)
    print(hashlib.sha256(text.encode()).hexdigest())
    return directory / "main", True

cuda.compile_unit = shown
bm.compile(pair(), "10 ms", record=[record("B.soma.v", interval="1 ms")], backend="cuda")
"""
missing = [
    what
    for what, there in (
        ("brian2cuda", importlib.util.find_spec("brian2cuda")),
        ("nvcc", shutil.which("nvcc")),
    )
    if not there
]
compiles = [
    pytest.mark.validate,
    pytest.mark.skipif(bool(missing), reason=f"compiling for a GPU needs {' and '.join(missing)}"),
]
without_gpu = pytest.mark.skipif(nvcc.gpu_capability() is not None, reason="there is a GPU")


def dendritic_cell() -> Cell:
    """Dendritic spikes, a channel, two receptors, and a modulator that follows a time course."""
    cell = ball_and_stick("cell", receptors=(AMPA, NMDA), spikes=(SODIUM,))
    soma = replace(cell.soma, channels=(M_CURRENT,))
    return replace(cell, compartments=(soma, *cell.dendrites), expression=(M1,))


def pair(seed: int = 1) -> Circuit:
    """Two populations that drive each other, of the same wiring for every seed."""
    cell = ball_and_stick("cell", receptors=(AMPA,))
    drive = (Background("drive", "dend", "3 kHz", "1.65 nS"),)
    populations = (
        Population("A", cell, 40, backgrounds=drive),
        Population("B", cell, 10, backgrounds=drive),
    )
    onto_dend = ((("dend", 1.0),), (("AMPA", 1.0),))
    facilitates = ShortTermPlasticity(0.2, "50 ms", "500 ms")
    projections = (
        Projection("A", "B", 1.0, "0.4 nS", *onto_dend, delay="1.5 ms", velocity="0.3 m/s"),
        Projection("B", "A", 1.0, "0.2 nS", *onto_dend, delay="1 ms", stp=facilitates),
    )
    return Circuit("pair", populations, projections, seed=seed)


def job(model: Circuit, **more: object) -> Job:
    values = {
        "duration": 0.02, "dt": 1e-4, "stimuli": (), "recordings": (), "timed": False,
        "method": "exponential_euler",
    }  # fmt: skip
    return Job(circuit=model, **(values | more))  # type: ignore[arg-type]


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BIOMOD_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache" / "programs"


def test_a_name_that_brian2cuda_misreads_is_refused_by_name() -> None:
    soma = absolute(Soma, "myspace", "200 pF", "10 nS", "-65 mV", spike=SPIKE)
    circuit = Circuit.of(Cell("cell", (soma,)))
    with pytest.raises(ModelError, match=r"compartment myspace of cell.*another name, or use cpp"):
        compile_job(job(circuit), "cuda")


def test_the_architecture_is_told_by_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(nvcc.CAPABILITY_VARIABLE, "8.6")
    assert nvcc.capability() == 8.6
    monkeypatch.setenv(nvcc.CAPABILITY_VARIABLE, "Ampere")
    with pytest.raises(BackendError, match=r"BIOMOD_CUDA_CAPABILITY must be a number.*'Ampere'"):
        nvcc.capability()


def test_without_a_compiler_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(BackendError, match="nvcc on the PATH"):
        nvcc.find_toolkit()


class TestCompiled:
    pytestmark = compiles

    def test_a_circuit_is_compiled_once_for_every_seed_and_shorter_duration(
        self, empty_cache: Path
    ) -> None:
        first = bm.compile(pair(), "100 ms", record=["B[0:3].soma.v"], backend="cuda")
        assert first.compiled.compiled
        for circuit in (pair(), pair(seed=2)):
            again = bm.compile(circuit, "50 ms", record=["B[0:3].soma.v"], backend="cuda")
            assert not again.compiled.compiled
        assert len(list(empty_cache.glob("*.bin"))) == 1
        (entry,) = empty_cache.glob("*.bin")
        entry.write_bytes(entry.read_bytes()[:-100])
        torn = bm.compile(pair(), "100 ms", record=["B[0:3].soma.v"], backend="cuda")
        assert torn.compiled.compiled, "a torn program is not used"

    def test_the_source_is_the_same_in_every_process(self) -> None:
        hashes = []
        for seed in ("1", "2", "5"):
            done = subprocess.run(
                [sys.executable, "-W", "ignore", "-c", HASH_OF_SOURCE],
                env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
                stdout=subprocess.PIPE, text=True, check=True,
            )  # fmt: skip
            hashes.append(done.stdout.split()[-1])
        assert len(set(hashes)) == 1

    def test_other_delays_are_refused(self) -> None:
        program = bm.compile(pair(), "100 ms", backend="cuda")
        other = pair().with_({"A->B.delay": "3 ms"})
        with pytest.raises(ModelError, match="another structure, size or wiring"):
            program.run(circuit=other)

    @without_gpu
    def test_without_a_gpu_a_run_ends_in_one_line(self) -> None:
        stimulus = bm.step("500 pA", "10 ms", "80 ms")
        course = Modulator("ACh", "1 uM")
        program = bm.compile(
            dendritic_cell(), "100 ms", stimulus=stimulus, record=["soma.v"],
            modulators=[course], timed=True, backend="cuda",
        )  # fmt: skip
        with pytest.raises(BackendError, match=r"no CUDA device.*NVIDIA GPU") as error:
            program.run()
        assert "\n" not in str(error.value)

    @without_gpu
    def test_without_a_gpu_nothing_is_compiled_for_a_simulation(self) -> None:
        with pytest.raises(BackendError, match="no NVIDIA GPU: programs can be compiled, not run"):
            bm.simulate(pair(), "10 ms", backend="cuda")


@pytest.fixture(params=["on a GPU", "on the processor"])
def compiled(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., bm.Program]:
    """Compile for cuda; where there is no GPU, kernels run on the processor, thread by thread."""
    if request.param == "on the processor":
        monkeypatch.setattr(cuda, "compile_unit", cuda_on_cpu.compile_unit)
    elif nvcc.gpu_capability() is None:
        pytest.skip("no NVIDIA GPU")
    return partial(bm.compile, backend="cuda")


@pytest.mark.skipif(find_compiler() is None, reason="no C++ compiler")
class TestRun:
    pytestmark = compiles
    SEEDS = range(1, 9)

    def test_rates_and_intervals_are_those_of_cpp(
        self, compiled: Callable[..., bm.Program]
    ) -> None:
        programs = compiled(pair(), "2 s"), bm.compile(pair(), "2 s", backend="cpp")
        ours, theirs = ([p.run(circuit=pair(seed)) for seed in self.SEEDS] for p in programs)
        for name in ("A", "B"):
            for statistic in (_rate, _cv):
                a = np.array([statistic(result, name) for result in ours])
                b = np.array([statistic(result, name) for result in theirs])
                # Two-sided p of about 0.001 for Student's t with 14 degrees of freedom.
                error = np.sqrt((a.var(ddof=1) + b.var(ddof=1)) / len(a))
                assert abs(a.mean() - b.mean()) < 4.14 * error, (name, statistic.__name__)
                assert a.std() > 0, "each seed is another run"

    def test_a_driven_cell_spikes_when_it_does_on_numpy(
        self, compiled: Callable[..., bm.Program]
    ) -> None:
        case = {
            "stimulus": bm.step("500 pA", "10 ms", "80 ms"), "record": ["soma.v"],
            "modulators": [Modulator("ACh", "1 uM")], "timed": True,
        }  # fmt: skip
        model = dendritic_cell()
        ours = compiled(model, "100 ms", **case).run()
        theirs = bm.compile(model, "100 ms", backend="numpy", **case).run()
        assert len(theirs.spikes) > 2
        assert same_spikes(ours, theirs)
        # No sums of several threads here: equal but for rounding.
        np.testing.assert_allclose(
            voltage(ours, "soma.v"), voltage(theirs, "soma.v"), rtol=0, atol=1e-6
        )

    def test_events_and_gap_junctions_do_what_they_do_on_numpy(
        self, compiled: Callable[..., bm.Program]
    ) -> None:
        cell = ball_and_stick("cell", receptors=(AMPA, NMDA))
        gaps = (GapJunctions("cell", "cell", "soma", "1 nS", 1.0),)
        circuit = Circuit("joined", (Population("cell", cell, 3),), gap_junctions=gaps)
        times = ("5 ms", "5.02 ms", "30 ms")
        stimuli = [
            bm.step("500 pA", "10 ms", "40 ms", population="cell", cells=(0,)),
            SynapticEvents("cell", "dend", (1,), times=times, weight="20 nS"),
            SynapticEvents("cell", "dend", (2,), "NMDA", ("50 ms",), "10 nS"),
        ]
        programs = [
            make(circuit, "80 ms", stimulus=stimuli, record=["cell.dend.v"])
            for make in (compiled, partial(bm.compile, backend="numpy"))
        ]
        ours, theirs = (program.run().trace("cell.dend.v").to_numpy() for program in programs)
        assert (np.ptp(theirs, axis=0) > 1).all(), "every cell is moved, by 1 mV or more"
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-6)


def _rate(result: bm.Result, name: str) -> float:
    cells = {"A": 40, "B": 10}[name]
    return float((result.spikes["population"] == name).sum()) / cells / 2.0


def _cv(result: bm.Result, name: str) -> float:
    table = result.spikes[result.spikes["population"] == name]
    intervals = np.concatenate(
        [np.diff(times.to_numpy()) for _, times in table.groupby("cell")["time_ms"]]
    )
    return float(intervals.std() / intervals.mean())
