"""A package that offers a tiny cell and circuit, and a simulator that only pretends."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from biomod import registry
from biomod.backends import BackendInfo
from biomod.cli import app
from biomod.errors import BackendError, unknown_name
from biomod.results import Result, spike_table

LIBRARY = """
from biomod.model import *
from biomod.registry import Entry

SPIKE = SomaticSpike(threshold="-45 mV", reset="-60 mV", refractory="2 ms")
AMPA = SynapticReceptor("AMPA", kind="AMPA", E_rev="0 mV", tau_decay="2 ms")

def tiny():
    soma = Soma("soma", length="20 um", diameter="20 um", g_leak="50 uS/cm2", E_leak="-70 mV",
                spike=SPIKE, receptors=(AMPA,))
    tuft = Dendrite("tuft", length="200 um", diameter="1 um", g_leak="50 uS/cm2", E_leak="-70 mV",
                    receptors=(AMPA,))
    return Cell("Tiny", (soma, tuft), (Coupling("soma", "tuft"),), species="mouse",
                summary="two compartments", sources=(("soma", "Author 2020"),))

def pair(cells=None, seed=1):
    cells = 10 if cells is None else cells
    drive = Background("drive", compartment="soma", rate="500 Hz", weight="3 nS")
    populations = (Population("PC", tiny(), max(1, cells * 8 // 10), backgrounds=(drive,)),
                   Population("PV", tiny(), max(1, cells * 2 // 10)))
    projection = Projection("PC", "PV", p_max=0.1, weight="1 nS", compartments=(("soma", 1.0),),
                            receptors=(("AMPA", 1.0),), source="Author 2021")
    return Circuit("pair", populations, (projection,), seed=seed, summary="for tests")

def cell_catalogue():
    return {"Tiny": Entry("Tiny", tiny, ("dspike",), "mouse", "two compartments", "Author 2020")}

def circuit_catalogue():
    return {"pair": Entry("pair", pair, species="mouse", summary="for tests")}

def broken():
    raise RuntimeError("no table")
"""


def install(folder: Path, name: str, cells: str = "", circuits: str = "", code: str = "") -> None:
    """Lay out a package as pip would, with its entry points."""
    (folder / f"{name}.py").write_text(code or LIBRARY)
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    points = ""
    for group, function in (("biomod.cells", cells), ("biomod.circuits", circuits)):
        points += f"[{group}]\n{name} = {name}:{function}\n" if function else ""
    (info / "entry_points.txt").write_text(points)


@pytest.fixture
def library(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on the path with the package ``tinylib``; no other package is known."""
    folder = tmp_path_factory.mktemp("site")
    find = registry.entry_points

    def here(group: str) -> list[Any]:
        return [p for p in find(group=group) if p.dist is not None and "lib" in p.dist.name]

    monkeypatch.setattr(registry, "entry_points", here)
    install(folder, "tinylib", "cell_catalogue", "circuit_catalogue")
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.delitem(sys.modules, "tinylib", raising=False)
    return folder


@dataclass
class Simulator:
    """Notes how it was called; spikes depend on the model's sizes and on the seed alone."""

    calls: list[dict[str, Any]] = field(default_factory=list)
    before: Callable[[], None] = lambda: None

    def __call__(self, model: Any, duration: Any, **options: Any) -> Result:
        self.calls.append({"model": model, "duration": duration, **options})
        options["progress"].start(duration.si)
        options["progress"].update(duration.si / 2)
        print("chatter of a simulator")
        self.before()
        cells = model.cells if hasattr(model, "cells") else {model.name: 1}
        rng = np.random.default_rng(options["seed"])
        trains = {
            n: (rng.random(20) * duration.si, rng.integers(0, k, 20)) for n, k in cells.items()
        }
        provenance = {
            "seed": options["seed"],
            "backend": options["backend"],
            "versions": {"biomod": "0"},
            "timings": {"build_s": 1.0, "run_s": 2.0},
            "modulators": options["modulators"],
            "parameters": model.parameters(),
        }
        return Result(spike_table(trains, cells, duration.si), provenance=provenance)


@pytest.fixture
def simulator(monkeypatch: pytest.MonkeyPatch, library: Path) -> Simulator:
    """The pretended simulator, and backends of which one is missing."""
    fake = Simulator()
    known = {
        "numpy": BackendInfo("numpy", True, "slow"),
        "cpp": BackendInfo("cpp", True, "fast", default=True),
        "cuda": BackendInfo("cuda", False, "needs brian2cuda"),
    }

    def choose(name: str | None) -> tuple[str, str]:
        if name is not None and name not in known:
            raise unknown_name("backend", name, known)
        if name == "cuda":
            raise BackendError("the cuda backend is not available: needs brian2cuda")
        return name or "cpp", ""

    backends = importlib.import_module("biomod.backends")
    monkeypatch.setattr(importlib.import_module("biomod.simulation"), "simulate", fake)
    monkeypatch.setattr(backends, "available", lambda: known)
    monkeypatch.setattr(backends, "choose", choose)
    return fake


@pytest.fixture
def cli() -> Callable[..., Any]:
    """Run a command line in this process."""

    def call(*words: object) -> Any:
        return CliRunner().invoke(app, [str(word) for word in words])

    return call


@pytest.fixture
def refused(cli: Callable[..., Any]) -> Callable[..., str]:
    """Run a command line that must be refused: status 2 and one line, which is returned."""

    def call(*words: object) -> str:
        outcome = cli(*words)
        assert outcome.exit_code == 2, outcome.output
        assert outcome.stdout == ""
        assert len(outcome.stderr.splitlines()) == 1, outcome.stderr
        assert outcome.stderr.startswith("biomod: ")
        return str(outcome.stderr)

    return call
