"""Simulations in one process, and simulators in several."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import biomod as bm
from biomod import model
from biomod.backends.neuron import library, nmodl, session
from biomod.mechanisms.channels import channels
from biomod.model import Background
from tests.backends.helpers import point, same_spikes, voltage
from tests.neuron.helpers import small_circuit, spiking_cell

PULSE = bm.step("500 pA", "5 ms", "40 ms")


def fire(**how: Any) -> bm.Result:
    how = {"dt": "0.025 ms", "record": ["soma.v"]} | how
    return bm.simulate(spiking_cell(), "40 ms", stimulus=PULSE, backend="neuron", **how)


# ------------------------------------------------------------------------------------------------
# one process


def test_simulations_do_not_disturb_each_other() -> None:
    first = fire()
    bm.simulate(small_circuit(), "5 ms", backend="neuron")
    fire(method="cvode", tolerance=1e-3)
    bm.simulate(point("p", "1 pF", "1 nS", "-20 mV"), "5 ms", backend="neuron", dt="0.1 ms")
    again = fire()
    assert same_spikes(first, again)
    np.testing.assert_array_equal(first.trace("soma.v"), again.trace("soma.v"))


def test_a_program_runs_again_with_other_parameters() -> None:
    program = bm.compile(spiking_cell(), "40 ms", stimulus=PULSE, record=["soma.v"],
                         backend="neuron")  # fmt: skip
    first, leaky = (
        program.run(),
        program.run(circuit=program.circuit.with_({"cell.soma.NaTa.g_max": "0 uS/cm2"})),
    )
    again = program.run()
    assert voltage(leaky, "soma.v").max() < 0 < voltage(first, "soma.v").max()
    np.testing.assert_array_equal(first.trace("soma.v"), again.trace("soma.v"))


def test_settings_of_the_simulator_are_put_back() -> None:
    h = session.hoc()
    cvode = h.CVode()
    before = h.dt, h.secondorder, cvode.active(), cvode.atol()
    try:
        h.dt, h.secondorder = 0.033, 0
        cvode.atol(0.007)
        fire(method="cvode")
        fire()
        assert (h.dt, h.secondorder, cvode.active(), cvode.atol()) == (0.033, 0, 0, 0.007)
    finally:
        h.dt, h.secondorder = before[:2]
        cvode.atol(before[3])


def test_nothing_is_left_behind_after_a_run_or_an_error() -> None:
    h = session.hoc()
    fire()
    circuit = small_circuit().with_({"E->I.release_gain": 5.0})
    # The exception is still there, and with it the variables of every function on its way.
    with pytest.raises(bm.ModelError, match="release probability") as raised:
        bm.simulate(circuit, "5 ms", backend="neuron")
    assert raised.value.__traceback__ is not None
    assert list(h.allsec()) == []
    assert int(h.List("NetCon").count()) == 0
    assert len(fire().spikes) >= 1


def test_sections_of_somebody_else_are_not_simulated() -> None:
    section = session.hoc().Section(name="mine")
    try:
        with pytest.raises(bm.BackendError, match="1 sections"):
            fire()
    finally:
        session.hoc().delete_section(sec=section)


def test_threads_take_turns() -> None:
    results: list[bm.Result] = []
    alone = fire()
    threads = [threading.Thread(target=lambda: results.append(fire())) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 3
    assert all(same_spikes(alone, result) for result in results)


# ------------------------------------------------------------------------------------------------
# compiled mechanisms


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BIOMOD_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "cache"


def test_a_mechanism_is_compiled_once_and_outside_the_working_directory(cache: Path) -> None:
    mechanism = nmodl.gap_mechanism()
    found, compiled = library.libraries([mechanism])
    again, compiled_again = library.libraries([mechanism])
    assert compiled
    assert not compiled_again
    assert found == again
    path = found[mechanism.name]
    assert path.parent == cache / "mechanisms"
    assert sorted(p.name for p in Path.cwd().iterdir()) == ["cache"]
    # A damaged one counts as missing.
    path.write_bytes(path.read_bytes()[:5000])
    assert library.libraries([mechanism])[1]
    assert path.stat().st_size > 5000
    info = bm.backends.cache_info()
    assert info["entries"] == 1
    assert bm.backends.cache_clear() == info["bytes"]
    assert library.files() == {}


def test_processes_that_compile_at_once_do_not_spoil_the_cache(cache: Path) -> None:
    code = (
        "from biomod.backends.neuron import library, nmodl; "
        "m = nmodl.gap_mechanism(); library.libraries([m])"
    )
    command = [sys.executable, "-c", code]
    processes = [subprocess.Popen(command) for _ in range(3)]
    processes[2].kill()
    assert [p.wait() for p in processes[:2]] == [0, 0]
    processes[2].wait()
    assert [f.suffix for f in (cache / "mechanisms").iterdir()] == [".so"]
    _, compiled = library.libraries([nmodl.gap_mechanism()])
    assert not compiled


def test_a_text_that_nrnivmodl_refuses_is_an_error_of_one_line(cache: Path) -> None:
    broken = nmodl.Mechanism.of("broken", "NEURON { SUFFIX __mechanism__ } BREAKPOINT { x = }")
    with pytest.raises(bm.BackendError, match="nrnivmodl failed"):
        library.libraries([broken])
    assert library.files() == {}


# ------------------------------------------------------------------------------------------------
# what is refused


@pytest.mark.parametrize(
    ("missing", "message"),
    [("neuron", r"pip install 'biomod\[neuron\]'"), ("compiler", r"apt-get install g\+\+ make")],
)
def test_what_is_missing_is_said_with_its_remedy(
    missing: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if missing == "neuron":
        find = bm.backends.importlib.util.find_spec
        monkeypatch.setattr(bm.backends.importlib.util, "find_spec",
                            lambda name: None if name == "neuron" else find(name))  # fmt: skip
    else:
        monkeypatch.setattr(bm.backends.shutil, "which", lambda name: None)
    with pytest.raises(bm.BackendError, match=message):
        bm.backends.choose("neuron")


def test_integrate_and_fire_cells_are_refused() -> None:
    import cell_types

    with pytest.raises(bm.ModelError, match="fidelity hh only; L23_PC is dspike"):
        bm.simulate(cell_types.get("L23_PC"), "5 ms", backend="neuron")


def test_methods_belong_to_backends() -> None:
    cell = spiking_cell()
    with pytest.raises(bm.ModelError, match="the neuron backend has no method euler"):
        bm.simulate(cell, "5 ms", backend="neuron", method="euler")
    with pytest.raises(bm.ModelError, match="the numpy backend has no method cvode"):
        bm.simulate(cell, "5 ms", backend="numpy", method="cvode")
    with pytest.raises(bm.ModelError, match="tolerance is for the method cvode"):
        bm.simulate(cell, "5 ms", backend="neuron", tolerance=1e-3)
    with pytest.raises(bm.ModelError, match="tolerance must be above 0"):
        bm.simulate(cell, "5 ms", backend="neuron", method="cvode", tolerance=-1)


def test_a_variable_step_is_for_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    session.hoc()
    monkeypatch.setenv("OMPI_COMM_WORLD_RANK", "0")
    monkeypatch.setenv("OMPI_COMM_WORLD_SIZE", "2")
    with pytest.raises(bm.ModelError, match="use crank_nicolson under mpiexec"):
        fire(method="cvode")


def test_what_is_recorded_must_exist() -> None:
    with pytest.raises(bm.ModelError, match=r"soma\.NaTa\.m"):
        fire(record=["soma.NaTa.mm"])


# ------------------------------------------------------------------------------------------------
# several processes


@pytest.fixture(scope="module")
def circuit_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A circuit with Poisson input that makes every population fire."""
    circuit = small_circuit()
    drives = (
        Background("drive", "apical", "1500 Hz", "8 nS"),
        Background("drive", "dend", "800 Hz", "0.5 nS"),
    )
    populations = tuple(
        replace(p, backgrounds=(b,)) for p, b in zip(circuit.populations, drives, strict=True)
    )
    path = tmp_path_factory.mktemp("mpi") / "small.yaml"
    model.save(replace(circuit, populations=populations), path)
    return path


def run_on(processes: int, file: Path, out: Path, **environment: str) -> Any:
    if shutil.which("mpiexec") is None:
        pytest.skip("needs mpiexec (apt-get install openmpi-bin)")
    command = ["mpiexec", "--allow-run-as-root", "--oversubscribe", "-n", str(processes)]
    command += [sys.executable, "-m", "biomod", "run", str(file), "--backend", "neuron"]
    command += ["--duration", "0.2", "--out", str(out), "--json"]
    root = str(Path(__file__).parents[2])
    # Waiting processes leave the processor to the others, where there are few.
    environment = {"PYTHONPATH": root, "OMPI_MCA_mpi_yield_when_idle": "1"} | environment
    return subprocess.run(
        command, capture_output=True, text=True, env=os.environ | environment, timeout=900
    )


def spikes_in(folder: Path) -> dict[str, np.ndarray]:
    found = {}
    with h5py.File(folder / "spikes.h5") as file:
        for population, group in file["spikes"].items():
            for name in ("timestamps", "node_ids"):
                found[f"{population}.{name}"] = group[name][()]
    return found


@pytest.mark.validate
def test_spikes_do_not_depend_on_the_number_of_processes(
    circuit_file: Path, tmp_path: Path
) -> None:
    found = []
    for n in (1, 2, 3):
        done = run_on(n, circuit_file, tmp_path / str(n))
        assert done.returncode == 0, done.stderr
        json.loads(done.stdout)  # one process alone writes, and nothing else is there
        assert done.stderr.count("backend neuron") == 1
        found.append(spikes_in(tmp_path / str(n)))
    assert all(len(times) > 10 for times in found[0].values())
    for other in found[1:]:
        for name, values in found[0].items():
            np.testing.assert_array_equal(values, other[name], err_msg=name)


@pytest.mark.validate
def test_processes_that_do_not_find_each_other_say_so(circuit_file: Path, tmp_path: Path) -> None:
    done = run_on(2, circuit_file, tmp_path / "out", MPI_LIB_NRN_PATH="/nowhere/libmpi.so")
    assert done.returncode != 0
    assert done.stderr.count("NEURON finds no MPI library") == 1
    assert not (tmp_path / "out" / "run.json").exists()


def test_every_channel_has_a_mechanism_of_its_own() -> None:
    names = [nmodl.channel_mechanism(c).name for c in channels().values()]
    assert len(set(names)) == len(names)
