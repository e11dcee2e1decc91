"""``biomod run``: the files, the one JSON object, and everything it refuses."""

from __future__ import annotations

import json

import libsonata
import pytest

from biomod.model import Circuit, save
from biomod.registry import get_circuit
from biomod.results import load, rundir
from biomod.units import parse_quantity

FILES = {"spikes.h5", "summary.json", "raster.png", "run.json"}


def names(path):
    return {p.name for p in path.iterdir()}


def interrupt():
    raise KeyboardInterrupt


def test_it_writes_the_four_files(cli, simulator, tmp_path):
    out = tmp_path / "A"
    outcome = cli("run", "pair", "--cells", 20, "--duration", 0.5, "--seed", 7, "--out", out)
    assert outcome.exit_code == 0, outcome.output
    assert names(out) == FILES
    assert json.loads((out / "summary.json").read_text())["populations"]["PC"]["cells"] == 16
    run = json.loads((out / "run.json").read_text())
    assert run["seed"] == 7
    assert run["timings"] == {"build_s": 1.0, "run_s": 2.0}
    assert run["parameters"]["PC.soma.length"] == "20 um"
    assert run["request"]["cells"] == 20
    reader = libsonata.SpikeReader(str(out / "spikes.h5"))
    assert set(reader.get_population_names()) == {"PC", "PV"}
    assert "PC" in outcome.stdout
    assert f"wrote {out}" in outcome.stderr


def test_json_is_one_object_and_all_else_goes_to_standard_error(cli, simulator, tmp_path):
    outcome = cli("run", "pair", "--out", tmp_path / "A", "--json")
    printed = json.loads(outcome.stdout)
    assert printed["populations"]["PV"]["cells"] == 2
    assert printed["duration_s"] == 1.0
    assert printed["seed"] == 1
    assert printed["timings"] == {"build_s": 1.0, "run_s": 2.0}
    assert "backend cpp" in outcome.stderr
    assert "50 %" in outcome.stderr


def test_quiet_says_nothing(cli, simulator, tmp_path):
    outcome = cli("run", "pair", "--out", tmp_path / "A", "--json", "--quiet")
    assert outcome.stderr.replace("chatter of a simulator\n", "") == ""


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(cli, simulator, tmp_path):
    for name, seed in (("A", 1), ("B", 1), ("C", 2)):
        assert cli("run", "pair", "--seed", seed, "--out", tmp_path / name).exit_code == 0
    one, two, other = ((tmp_path / n / "spikes.h5").read_bytes() for n in "ABC")
    assert one == two
    assert one != other


def test_options_reach_the_simulator(cli, simulator, tmp_path):
    outcome = cli(
        "run", "pair", "--out", tmp_path / "A", "--duration", "250ms", "--dt", 0.05,
        "--backend", "numpy", "--threads", 2, "--modulator", "ACh=0.5uM", "--modulator", "NA=0 nM",
        "--set", "PV.size=3", "--set", "PC->PV.weight=2 nS", "--record", "PC[0:2].tuft.v",
    )  # fmt: skip
    assert outcome.exit_code == 0, outcome.output
    (call,) = simulator.calls
    assert call["duration"] == parse_quantity("250 ms")
    assert call["dt"] == parse_quantity("0.05 ms")
    assert call["backend"] == "numpy"
    assert call["threads"] == 2
    assert [m.name for m in call["modulators"]] == ["ACh", "NA"]
    assert call["modulators"][0].tonic == parse_quantity("500 nM")
    assert call["model"].cells == {"PC": 8, "PV": 3}
    assert call["model"].get("PC->PV.weight") == parse_quantity("2 nS")
    assert call["record"][0].cells == (0, 1)


def test_a_cell_with_a_current(cli, simulator, tmp_path):
    out = tmp_path / "A"
    assert cli("run", "Tiny", "--current", 300, "--record", "soma.v", "--out", out).exit_code == 0
    (stimulus,) = simulator.calls[0]["stimulus"]
    assert stimulus.amplitude == parse_quantity("300 pA")
    assert stimulus.compartment == "soma"
    assert load(out).cells == {"Tiny": 1}


def test_several_cells_of_a_type_differ(cli, simulator, tmp_path):
    assert cli("run", "Tiny", "--cells", 5, "--out", tmp_path / "A").exit_code == 0
    model = simulator.calls[0]["model"]
    assert isinstance(model, Circuit)
    assert model.populations[0].heterogeneous
    assert model.cells == {"Tiny": 5}


def test_a_file_in_place_of_a_name_keeps_its_seed(cli, simulator, tmp_path):
    path = save(get_circuit("pair", seed=42), tmp_path / "mine.yaml")
    assert cli("run", path, "--out", tmp_path / "A").exit_code == 0
    assert simulator.calls[0]["seed"] is None
    assert simulator.calls[0]["model"].seed == 42
    assert cli("run", path, "--seed", 3, "--out", tmp_path / "B").exit_code == 0
    assert simulator.calls[1]["seed"] == 3


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("par", "unknown circuit or cell 'par'; did you mean pair"),
        ("tiny", "did you mean Tiny"),
        ("pair --cells 0", "--cells must be a whole number of at least 1, not 0"),
        ("pair --cells -3", "--cells must be a whole number of at least 1, not -3"),
        ("pair --cells many", "--cells must be a whole number of at least 1, not many"),
        ("pair --cells 1.5", "--cells must be a whole number of at least 1, not 1.5"),
        ("pair --dt 0", "--dt must be positive"),
        ("pair --dt -0.1", "--dt must be positive"),
        ("pair --dt nan", "--dt must be positive and finite"),
        ("pair --dt 1s --duration 0.5", "--dt must be shorter than the duration"),
        ("pair --duration -1", "--duration must be positive"),
        ("pair --duration 0", "--duration must be positive"),
        ("pair --duration nan", "--duration must be positive and finite"),
        ("pair --duration inf", "--duration must be positive and finite"),
        ("pair --duration long", "--duration: cannot read 'long' as a number"),
        ("pair --duration 3mV", "--duration has the wrong unit: 3 mV was given"),
        ("pair --seed -1", "--seed must be a whole number of at least 0"),
        ("pair --threads 0", "--threads must be a whole number of at least 1, not 0"),
        ("pair --backend nump", "unknown backend 'nump'; did you mean numpy"),
        ("pair --backend cuda", "needs brian2cuda; usable here are numpy, cpp"),
        ("pair --modulator ACg=1uM", "unknown modulator 'ACg'; did you mean ACh"),
        ("pair --modulator ACh", "write NAME=CONCENTRATION, e.g. ACh=0.5uM"),
        ("pair --modulator ACh=0.5", "needs a unit"),
        ("pair --modulator ACh=0.5mV", "wrong unit"),
        ("pair --modulator ACh=0.5uX", "unknown unit 'uX'"),
        ("pair --modulator ACh=-1uM", "must not be negative"),
        ("pair --modulator ACh=nanuM", "must be finite"),
        ("pair --modulator ACh=1uM --modulator ACh=2uM", "ACh is given twice"),
        ("pair --set PV.siz=3", "did you mean PV.size"),
        ("pair --set PV.size", "write PATH=VALUE"),
        ("pair --set PV.size=", "write PATH=VALUE"),
        ("pair --set =3", "write PATH=VALUE"),
        ("pair --set PV.size=0", "must be positive"),
        ("pair --set PV.size=1.5", "whole number"),
        ("pair --set PV.soma.g_leak=3mV", "wrong unit"),
        ("pair --set PV.soma.g_leak=3", "needs a unit"),
        ("pair --set PV.soma=3", "not a parameter but a part"),
        ("pair --set PV.heterogeneous=maybe", "true or false is needed"),
        ("pair --record PX.soma.v", "did you mean PV or PC"),
        ("pair --record PC.tutf.v", "did you mean tuft"),
        ("pair --record soma.v", "say which population"),
        ("pair --record PC[99].soma.v", "PC has the cells 0 to 7"),
        ("pair --record PC.soma.w", "unknown variable of soma to record 'w'; known are v, AMPA.g"),
        ("pair --record PC.soma.AMPO.g", "did you mean AMPA.g"),
        ("pair --dt 50", "longer than the fastest time constant of PC"),
        ("pair --record nonsense", "cannot read the recording"),
        ("pair --current 100", "--current is for a single cell type"),
        ("Tiny --current 100mV", "--current has the wrong unit"),
        ("Tiny --current nan", "--current must be finite"),
        ("pair --modulater ACh=1uM", "unknown option '--modulater'"),
        ("pair --cels 3", "did you mean --cells"),
        ("pair --resume", "nothing to resume"),
        ("pair --checkpoint-every 0", "--checkpoint-every must be positive and finite"),
        ("pair --checkpoint-every nan", "--checkpoint-every must be positive and finite"),
        ("pair --checkpoint-every 5mV", "--checkpoint-every has the wrong unit"),
        ("pair --checkpoint-every often", "--checkpoint-every"),
        ("pair --checkpoint-every 1 --backend numpy", "the numpy backend writes no checkpoints"),
        ("missing.yaml", "cannot read missing.yaml"),
        ("./pair", "a description is a .yaml or .yml or .toml file"),
        ("pair surplus", "unexpected extra argument"),
    ],
)
def test_bad_input_is_refused_in_one_line_and_leaves_nothing(
    refused, simulator, tmp_path, options, said
):
    line = refused("run", *options.split(), "--out", tmp_path / "a" / "b")
    assert said in line
    assert simulator.calls == []
    assert names(tmp_path) == set()


def test_out_is_required(refused, simulator):
    assert "missing option '--out'" in refused("run", "pair")


def test_a_description_of_something_else_is_refused(refused, simulator, tmp_path):
    soma = get_circuit("pair", seed=1).populations[0].cell.soma
    path = save(soma, tmp_path / "soma.yaml")
    line = refused("run", path, "--out", tmp_path / "A")
    assert "describes a Soma; a Circuit or a Cell is needed" in line


def test_cells_of_a_file_are_set_by_population(refused, simulator, tmp_path):
    path = save(get_circuit("pair", seed=1), tmp_path / "mine.yaml")
    assert "--set PC.size=N" in refused("run", path, "--cells", 5, "--out", tmp_path / "A")


def test_finished_and_unwritable_folders_are_refused(refused, cli, simulator, tmp_path):
    cli("run", "pair", "--out", tmp_path / "A")
    before = {p.name: p.read_bytes() for p in (tmp_path / "A").iterdir()}
    assert "already holds a finished run" in refused("run", "pair", "--out", tmp_path / "A")
    assert "is a file, not a folder" in refused("run", "pair", "--out", tmp_path / "A/run.json")
    assert "cannot write to" in refused("run", "pair", "--out", tmp_path / "A/run.json/B")
    assert "cannot write to" in refused("run", "pair", "--out", "/proc/biomod")
    assert len(simulator.calls) == 1
    assert {p.name: p.read_bytes() for p in (tmp_path / "A").iterdir()} == before
    assert cli("run", "pair", "--seed", 9, "--out", tmp_path / "A", "--force").exit_code == 0
    assert load(tmp_path / "A").provenance["seed"] == 9


def test_ctrl_c_is_one_line_and_the_run_can_be_taken_up(cli, refused, simulator, tmp_path):
    out = tmp_path / "A"
    simulator.before = interrupt
    outcome = cli("run", "pair", "--seed", 5, "--duration", 0.2, "--out", out, "--quiet")
    assert outcome.exit_code == 130
    assert outcome.stdout == ""
    last = outcome.stderr.splitlines()[-1]
    assert last.startswith("biomod: interrupted")
    assert "Traceback" not in outcome.stderr
    assert rundir.state(out) == "unfinished"
    assert names(out) == {"unfinished.json"}
    assert "the run in it is unfinished" in refused("analyze", out)

    simulator.before = lambda: None
    line = refused("run", "pair", "--seed", 6, "--out", out, "--resume")
    assert "the unfinished run has seed 5, not 6" in line
    resumed = cli("run", "pair", "--out", out, "--resume")
    assert resumed.exit_code == 0
    assert "starts again from the beginning" in resumed.stderr
    assert simulator.calls[-1]["seed"] == 5
    assert simulator.calls[-1]["duration"] == parse_quantity("0.2 s")
    assert names(out) == FILES
    assert "is finished" in refused("run", "pair", "--out", out, "--resume")


@pytest.mark.parametrize("writer", ["write_spikes", "write_json", "save_figure"])
def test_ctrl_c_while_writing_leaves_no_half_written_run(
    cli, simulator, tmp_path, monkeypatch, writer
):
    monkeypatch.setattr(rundir, writer, lambda *_args: interrupt())
    outcome = cli("run", "pair", "--out", tmp_path / "A")
    assert outcome.exit_code == 130
    assert names(tmp_path / "A") == {"unfinished.json"}


def test_a_complaint_of_the_simulator_is_bad_input_and_leaves_nothing(cli, simulator, tmp_path):
    from biomod.errors import ModelError

    def complain():
        raise ModelError("dt is longer than\n the membrane time constant")

    simulator.before = complain
    outcome = cli("run", "pair", "--out", tmp_path / "A")
    assert outcome.exit_code == 2
    assert "biomod: dt is longer than the membrane time constant\n" in outcome.stderr
    assert not (tmp_path / "A").exists()


@pytest.mark.parametrize("debug", [True, False])
def test_a_failure_is_one_line_and_a_traceback_only_for_debugging(cli, simulator, tmp_path, debug):
    def fail():
        raise RuntimeError("spurious")

    simulator.before = fail
    words = ["run", "pair", "--out", tmp_path / "A", *(["--debug"] if debug else [])]
    outcome = cli(*words)
    assert outcome.exit_code == 1
    assert outcome.stderr.splitlines()[-1].startswith("biomod: RuntimeError: spurious")
    assert ("Traceback" in outcome.stderr) == debug
    assert not (tmp_path / "A" / "run.json").exists()


def test_a_fidelity_that_a_cell_lacks_names_what_it_has(refused, simulator, tmp_path):
    line = refused("run", "Tiny", "--fidelity", "hh", "--out", tmp_path / "x")
    assert "fidelity" in line
    assert "dspike" in line or "option" in line
    line = refused("run", "pair", "--fidelity", "hh", "--out", tmp_path / "x")
    assert "named cells" in line


def test_several_processes_are_for_neuron(refused, simulator, tmp_path, monkeypatch):
    monkeypatch.setenv("OMPI_COMM_WORLD_RANK", "0")
    monkeypatch.setenv("OMPI_COMM_WORLD_SIZE", "2")
    line = refused("run", "pair", "--backend", "cpp", "--out", tmp_path / "x")
    assert "2 processes" in line
    assert "--backend neuron" in line
    assert not (tmp_path / "x").exists()


def test_one_process_of_several_speaks(cli, simulator, tmp_path, monkeypatch):
    monkeypatch.setenv("OMPI_COMM_WORLD_RANK", "1")
    monkeypatch.setenv("OMPI_COMM_WORLD_SIZE", "2")
    outcome = cli("run", "pair", "--backend", "cpp", "--out", tmp_path / "x")
    assert outcome.exit_code == 2
    assert outcome.output == ""
    assert not (tmp_path / "x").exists()
