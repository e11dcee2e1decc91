"""PyNN cells run by PyNN, SONATA nodes read by libsonata."""

import csv
import json

import numpy as np
import pytest

from biomod.errors import ModelError
from biomod.reduction import MODELS, simulate
from biomod.reduction.distances import coincidence_factor
from biomod.reduction.export import from_nest, pynn_cell, to_pynn, to_sonata
from biomod.reduction.fit import Fit
from tests.reduction.glif_clients import CELL, DT, current

DRIVE = current()[:8000]


def cell(name, **changes):
    usual = {p.name: p.start for p in MODELS[name].parameters}
    known = CELL if name in ("lif", "glif1", "glif5", "glif5_nest") else {}
    return Fit(MODELS[name], usual | {n: x for n, x in known.items() if n in usual} | changes,
               0.0, DT)  # fmt: skip


def test_pynn_parameters_have_its_names_and_units():
    exported = to_pynn(cell("lif"))
    assert exported.status == "exact"
    assert exported.content["cell"] == "IF_curr_exp"
    assert exported.content["parameters"] == pytest.approx(
        {"cm": 0.12, "tau_m": 15.0, "v_rest": -72.0, "tau_refrac": 2.3, "v_reset": -60.0,
         "v_thresh": -50.0, "i_offset": 0.0}
    )  # fmt: skip


@pytest.mark.parametrize("name", ["adex", pytest.param("eif", marks=pytest.mark.validate)])
def test_what_euler_costs_is_measured(name):
    exported = to_pynn(cell(name))
    assert exported.status == "approximate"
    assert exported.agreement["coincidence_2ms"] > 0.9


def test_models_without_a_standard_cell_are_refused():
    with pytest.raises(ModelError, match=r"cell for izhikevich, .*; fit izhikevich2003"):
        to_pynn(cell("izhikevich"))
    with pytest.raises(ModelError, match="no standard cell for glif5"):
        to_pynn(cell("glif5"))


@pytest.mark.validate
@pytest.mark.parametrize("name", ["lif", "izhikevich2003", "adex", "eif"])
def test_pynn_with_brian2(name):
    pytest.importorskip("pyNN")
    import pyNN.brian2 as sim

    # pyNN.brian2 cuts a spike at v_thresh + 5 delta_T, wherever v_spike is.
    fit = cell(name, v_peak=-38.0) if name in ("adex", "eif") else cell(name)
    drive = DRIVE if name == "lif" else 0.5 * DRIVE
    exported = to_pynn(fit)
    sim.setup(timestep=DT)
    neurons = sim.Population(1, pynn_cell(exported.content, sim))
    neurons.initialize(**exported.content["initial_values"])
    source = sim.StepCurrentSource(
        times=np.arange(len(drive)) * DT, amplitudes=drive * exported.content["nA_per_pA"]
    )
    neurons.inject(source)
    neurons.record("spikes")
    sim.run(len(drive) * DT)
    theirs = np.asarray(neurons.get_data().segments[0].spiketrains[0].magnitude)
    sim.end()
    if exported.status == "exact":  # its spikes have the time at which their step begins
        ours = simulate(fit.model, fit.parameters, drive, DT).spikes[0]
        np.testing.assert_allclose(theirs + DT, ours, atol=1e-6)
    else:
        assert coincidence_factor([theirs], [accurate(fit, drive)], [len(drive) * DT], 4.0) > 0.95


def accurate(fit, drive):
    """Spikes of an exponential neuron at a twentieth of the step, of others at the step."""
    finer = 20 if fit.model.name in ("adex", "eif") else 1
    found = simulate(fit.model, fit.parameters, np.repeat(drive, finer), DT / finer)
    assert found.counts[0] >= 5
    return found.spikes[0]


@pytest.mark.validate
def test_pynn_knows_the_classes_and_parameters():
    cells = pytest.importorskip("pyNN.standardmodels.cells")
    for name in ("lif", "izhikevich2003", "adex"):
        content = to_pynn(cell(name)).content
        known = getattr(cells, content["cell"])
        assert set(content["parameters"]) <= set(known.default_parameters)
        assert set(content["initial_values"]) <= set(known.default_initial_values)


def test_libsonata_reads_the_nodes(tmp_path):
    libsonata = pytest.importorskip("libsonata")
    to_sonata(cell("glif5_nest"), "pv", cells=3).write(tmp_path / "net")
    nodes = libsonata.NodeStorage(str(tmp_path / "net" / "nodes.h5")).open_population("pv")
    assert nodes.size == 3
    chosen = nodes.get_attribute("model_template", libsonata.Selection([0, 2]))
    assert list(chosen) == ["nest:glif_psc"] * 2
    assert set(nodes.get_attribute("model_type", nodes.select_all())) == {"point_neuron"}


def test_node_types_lead_to_the_parameters_of_nest(tmp_path):
    exported = to_sonata(cell("glif5_nest"), "pv")
    assert exported.status == "exact"
    exported.write(tmp_path)
    with (tmp_path / "node_types.csv").open() as file:
        (row,) = csv.DictReader(file, delimiter=" ")
    assert (row["model_type"], row["model_template"]) == ("point_neuron", "nest:glif_psc")
    params = json.loads((tmp_path / "point_neuron_models" / row["dynamics_params"]).read_text())
    back = from_nest(params, DT)
    assert dict(back.parameters) == pytest.approx(dict(cell("glif5_nest").parameters))


def test_bad_names_and_numbers_are_refused():
    with pytest.raises(ModelError, match="letters, digits and underscores"):
        to_sonata(cell("lif"), "a b")
    with pytest.raises(ModelError, match="at least 1"):
        to_sonata(cell("lif"), cells=0)
    with pytest.raises(ModelError, match="GLIF neurons only"):
        to_sonata(cell("adex"))
