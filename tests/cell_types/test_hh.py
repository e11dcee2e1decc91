"""The ``hh`` cells against the published values that they are calibrated to.

The features are those that the calibration left in the data file; ``test_hh_simulators`` measures
them again on both simulators.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

import cell_types
from biomod import registry
from biomod.errors import ModelError
from biomod.mechanisms.neuromodulation import resolve
from biomod.mechanisms.passive import rest
from cell_types import _hh_library
from cell_types.calibration import table
from cell_types.calibration.targets import targets

# The rat cell L5_ET has features and tests of its own (test_l5_et).
NAMES = tuple(n for n in cell_types.HH_NAMES if n != "L5_ET")
every_cell = pytest.mark.parametrize("name", NAMES)
EXPECTED = {
    "L23_PC", "L4_PC", "L5_IT", "L6_CT", "PV_basket", "SST_Martinotti", "VIP", "NDNF_L1",
    "CCK_basket",
}  # fmt: skip


def reached(name):
    return _hh_library.fitted_file()[name]["features"]


# catalogue and structure ------------------------------------------------------------------------


def test_all_types_exist_as_hh_cells():
    assert set(NAMES) >= EXPECTED


@every_cell
def test_catalogue_says_fidelities_species_and_what_it_is(name):
    entry = registry.cells()[name]
    assert "hh" in entry.fidelities
    assert entry.species
    assert entry.summary
    assert entry.reference
    assert registry.get_cell(name, fidelity="hh").fidelity == "hh"


def test_cells_without_dspike_come_as_hh():
    assert cell_types.get("NDNF_L1").fidelity == "hh"
    with pytest.raises(ModelError, match="'hh' only"):
        cell_types.get("NDNF_L1", fidelity="dspike")


@pytest.mark.parametrize("name", [n for n in NAMES if n in cell_types.NAMES])
def test_compartments_and_receptors_are_those_of_the_dspike_cell(name):
    simple, detailed = cell_types.get(name), cell_types.get(name, fidelity="hh")
    for compartment in simple.compartments:
        same = detailed.compartment(compartment.name)
        assert same.receptors == compartment.receptors
        assert same.region == compartment.region


@every_cell
def test_every_effect_is_applied_or_says_why_not(name):
    cell = cell_types.get(name, fidelity="hh")
    found = resolve(cell)
    listed = [a.effect.name for a in found.applied]
    listed += [e.name for e in found.on_projections]
    listed += [e.name for e, _ in found.not_expressed]
    assert sorted(listed) == sorted(e.name for x in cell.expression for e in x.effects)
    assert all(reason.strip() for _, reason in found.not_expressed)


@every_cell
def test_every_parameter_has_a_source(name):
    cell = cell_types.get(name, fidelity="hh")
    assert all(cell.source(path) for path in cell.parameters())


@every_cell
def test_all_compartments_rest_at_the_published_potential(name):
    aim = targets(name)["V_rest"].value
    found = rest(cell_types.get(name, fidelity="hh"))
    assert np.array(list(found.values())) * 1e3 == pytest.approx(aim, abs=0.05)


@every_cell
def test_specific_capacitance_is_that_of_membrane(name):
    # Gentet, Stuart & Clements 2000, Biophys J 79:314: 0.9 uF/cm2; lumped geometry adds its error.
    for compartment in cell_types.get(name, fidelity="hh").compartments:
        assert 0.5 < compartment.cm.to("uF/cm2") < 2.0


# features ---------------------------------------------------------------------------------------


def test_nine_of_ten_targets_are_within_two_standard_deviations():
    z = [t.z(reached(n).get(p, math.nan)) for n in NAMES for p, t in targets(n).items()]
    assert table.within(z) / len(z) >= 0.9


@every_cell
def test_no_depolarisation_block_up_to_three_times_rheobase(name):
    assert reached(name)["blocked"] == 0


def test_fast_spiking_cells_have_brief_spikes_high_rates_and_no_adaptation():
    # McCormick et al. 1985, J Neurophysiol 54:782: spikes of 0.3 ms, hundreds of Hz.
    found = reached("PV_basket")
    assert found["AP_half_width"] < 0.45
    assert found["max_sustained_rate"] > 150
    assert found["isi_ratio_2x"] == pytest.approx(1, abs=0.2)
    widths = {n: reached(n)["AP_half_width"] for n in NAMES}
    assert min(widths, key=lambda n: widths[n]) == "PV_basket"


def test_martinotti_cells_have_a_low_threshold_adapt_and_sag():
    found = reached("SST_Martinotti")
    pyramidal = [reached(n)["AP_threshold_V"] for n in ("L23_PC", "L4_PC", "L6_CT")]
    assert found["AP_threshold_V"] < min(pyramidal)
    assert found["isi_ratio_2x"] > 1.2
    assert found["sag_ratio_at_-100mV"] > 0.03


def test_vip_cells_burst_at_threshold():
    # Porter et al. 1998, Eur J Neurosci 10:3617: bursting and irregular-spiking.
    assert reached("VIP")["burst_rate"] > 80


def test_neurogliaform_cells_spike_late():
    # Kawaguchi 1995, J Neurosci 15:2638: a slow ramp, and the spike near the end of the step.
    assert reached("NDNF_L1")["rheobase_latency"] > 300
    others = [reached(n)["rheobase_latency"] for n in NAMES if n != "NDNF_L1"]
    assert reached("NDNF_L1")["rheobase_latency"] > np.median(others)


def test_neurogliaform_cells_hardly_adapt():
    # Ndnf cells of the Allen database: median adaptation index 0.003, pyramidal cells 0.04.
    assert reached("NDNF_L1")["isi_ratio_2x"] < 1.8


def test_corticothalamic_cells_have_the_largest_sag_of_the_pyramidal_cells():
    sag = {n: reached(n)["sag_ratio_at_-100mV"] for n in ("L23_PC", "L4_PC", "L5_IT", "L6_CT")}
    assert max(sag, key=lambda n: sag[n]) == "L6_CT"


@pytest.mark.parametrize("name", ["L23_PC", "L4_PC", "L5_IT", "L6_CT", "CCK_basket"])
def test_pyramidal_and_cck_cells_adapt(name):
    assert reached(name)["isi_ratio_2x"] > 1.3


# heterogeneity ----------------------------------------------------------------------------------


@every_cell
def test_there_are_twenty_valid_models(name):
    models = cell_types.valid_models(name)
    assert len(models) >= 20
    densities = {tuple(c.g_max.si for c in m.soma.channels) for m in models}
    assert len(densities) == len(models)


@every_cell
def test_a_potassium_or_calcium_conductance_of_valid_models_varies_twofold(name):
    # Schulz, Goaillard & Marder 2006, 10.1038/nn1639: two- to fourfold, of potassium currents.
    models = cell_types.valid_models(name)
    gated = [
        f"soma.{c.name}.g_max"
        for c in models[0].soma.channels
        if c.gates and c.ion in ("k", "ca") and c.g_max.si > 0
    ]
    spread = [max(g) / min(g) for g in ([m.get(p).si for m in models] for p in gated)]
    assert max(spread) > 2


def test_sodium_and_potassium_conductances_covary_in_valid_models():
    logs = []
    for name in NAMES:
        models = cell_types.valid_models(name)
        pairs = [(m.get("soma.NaTa.g_max").si, m.get("soma.Kv3.g_max").si) for m in models]
        values = np.log(np.array(pairs))
        logs.append(values - values.mean(axis=0))
    assert np.corrcoef(np.concatenate(logs).T)[0, 1] > 0.4


def test_unknown_valid_models_name_the_nearest():
    with pytest.raises(ModelError, match="PV_basket"):
        cell_types.valid_models("PV_baskett")
