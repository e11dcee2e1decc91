"""NIR graphs, read by our reader, norse and snntorch."""

import sys

import numpy as np
import pytest

from biomod.errors import BackendError, ModelError
from biomod.reduction import MODELS, simulate
from biomod.reduction.export import read_graph, to_nir
from biomod.reduction.fit import Fit
from tests.reduction.glif_clients import CELL, DT, current

DRIVE = current()[:10000]
SIMPLE = {"t_ref": 0.0, "v_reset": CELL["E_L"]}


def cell(name, **changes):
    model = MODELS[name]
    return Fit(model, {n: CELL[n] for n in model.names} | changes, 0.0, DT)


def spikes(fit):
    return simulate(fit.model, fit.parameters, DRIVE, DT).spikes[0]


@pytest.fixture
def nir():
    return pytest.importorskip("nir", reason="optional: pip install '.[export]'")


def written(exported, tmp_path, nir):
    exported.write(tmp_path / "cell.nir")
    return nir.read(tmp_path / "cell.nir")


@pytest.mark.parametrize("name", ["lif", "glif1"])
def test_without_refractory_time_and_with_a_reset_to_rest_it_is_exact(name, tmp_path, nir):
    fit = cell(name, **SIMPLE)
    exported = to_nir(fit)
    assert exported.status == "exact"
    graph = written(exported, tmp_path, nir)
    np.testing.assert_allclose(read_graph(graph, DRIVE, DT), spikes(fit), atol=1e-9)


def test_the_graph_of_a_reset_above_rest_is_exact_and_that_readers_ignore_it_is_said(nir):
    fit = cell("glif1", t_ref=0.0)
    exported = to_nir(fit)
    np.testing.assert_allclose(read_graph(exported.graph, DRIVE, DT), spikes(fit), atol=1e-9)
    assert exported.status == "approximate"
    assert exported.agreement["coincidence_2ms"] == pytest.approx(1.0)
    assert exported.agreement["coincidence_2ms_reset_to_0"] < 0.8


def test_the_missing_refractory_time_is_measured(nir):
    exported = to_nir(cell("lif"))
    assert "no refractory time (2.3 ms here)" in exported.losses[0]
    assert exported.agreement["coincidence_2ms"] < 0.9


def test_after_spike_currents_are_fed_back(tmp_path, nir):
    fit = cell("glif3", **SIMPLE, f_1=1.0, f_2=1.0)
    exported = to_nir(fit)
    assert exported.agreement["coincidence_2ms"] > 0.97
    graph = written(exported, tmp_path, nir)
    assert len(read_graph(graph, DRIVE, DT)) == pytest.approx(len(spikes(fit)), abs=1)


@pytest.mark.parametrize("name", ["glif2", "glif5", "adex", "izhikevich"])
def test_what_has_no_nodes_is_refused(name):
    fit = Fit(MODELS[name], {p.name: p.start for p in MODELS[name].parameters}, 0.0, DT)
    with pytest.raises(ModelError, match=f"which {name} needs; fit one of lif, glif1, glif3"):
        to_nir(fit)


def test_without_the_package_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "nir", None)
    with pytest.raises(BackendError, match=r"pip install 'biomod\[export\]'"):
        to_nir(cell("lif"))


def torch_spikes(network):
    import torch

    state, found = None, []
    with torch.no_grad():
        for x in torch.tensor(DRIVE, dtype=torch.float32).reshape(-1, 1, 1):
            y, state = network(x, state)
            found.append(float(y.reshape(-1)[0]))
    return (np.flatnonzero(np.array(found) > 0) + 1) * DT


@pytest.mark.validate
@pytest.mark.parametrize("reader", ["snntorch", "norse"])
def test_other_readers_fire_with_the_surrogate(reader, tmp_path, nir):
    """They advance the membrane by Euler's rule, so that a spike may move by a few steps."""
    pytest.importorskip("torch")
    package = pytest.importorskip(reader)
    graph = written(to_nir(cell("glif1", **SIMPLE)), tmp_path, nir)
    if reader == "norse":
        found = torch_spikes(package.torch.from_nir(graph, dt=DT * 1e-3))
    else:
        from snntorch.import_nir import import_from_nir

        found = torch_spikes(import_from_nir(graph))
    expected = spikes(cell("glif1", **SIMPLE))
    from biomod.reduction import distances

    factor = distances.coincidence_factor([found], [expected], [len(DRIVE) * DT], 2.0)
    assert len(expected) > 30
    assert factor > 0.95
