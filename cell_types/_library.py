"""The named cells: what is chosen by hand, with sources, and what data/fitted.yaml holds."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources

import yaml

from biomod.model import Cell
from biomod.units import parse_quantity
from cell_types._interneurons import interneuron
from cell_types._pyramidal import pyramidal

# Somatic peak: AP_peak_V of the targets; width: about half of AP_half_width, since the voltage
# already falls freely after the peak. tau_fAHP: estimate. Dendritic spike conductances: Dendrify's
# bAP example (22/9/3.7 nS) scaled by the size of the compartment; g_Ca: brings the tuft to about
# 0 mV for the duration (Larkum & Zhu 2002). Ih: sag of the targets. g_CAN: estimate; in L5_IT small
# enough that M1 and 5-HT2A together do not make a step accelerate by more than 5 % (P02).
ACTIVE: dict[str, dict[str, str]] = {
    "L23_PC": {
        "AP_peak": "39 mV", "AP_width": "0.5 ms", "tau_fAHP": "4 ms",
        "g_CAN": "0 uS/cm2", "g_Ih": "20 uS/cm2",
        "g_Na_basal": "12 nS", "g_K_basal": "14 nS", "g_Na_trunk": "12 nS", "g_K_trunk": "14 nS",
        "g_Ca": "6 nS", "g_K_Ca": "6 nS", "Ca_duration": "15 ms",
    },
    "L4_PC": {
        "AP_peak": "38 mV", "AP_width": "0.5 ms", "tau_fAHP": "4 ms",
        "g_CAN": "0 uS/cm2", "g_Ih": "20 uS/cm2",
        "g_Na_basal": "12 nS", "g_K_basal": "14 nS", "g_Na_trunk": "10 nS", "g_K_trunk": "12 nS",
        "g_Ca": "4 nS", "g_K_Ca": "4 nS", "Ca_duration": "10 ms",
    },
    "L5_IT": {
        "AP_peak": "35 mV", "AP_width": "0.5 ms", "tau_fAHP": "4 ms",
        "g_CAN": "32 uS/cm2", "g_Ih": "30 uS/cm2",
        "g_Na_basal": "14 nS", "g_K_basal": "16 nS", "g_Na_trunk": "14 nS", "g_K_trunk": "16 nS",
        "g_Ca": "5 nS", "g_K_Ca": "5 nS", "Ca_duration": "15 ms",
    },
    "L5_ET": {
        "AP_peak": "35 mV", "AP_width": "0.5 ms", "tau_fAHP": "4 ms",
        "g_CAN": "40 uS/cm2", "g_Ih": "80 uS/cm2",
        "g_Na_basal": "40 nS", "g_K_basal": "46 nS", "g_Na_trunk": "50 nS", "g_K_trunk": "58 nS",
        "g_Ca": "25 nS", "g_K_Ca": "25 nS", "Ca_duration": "30 ms",
    },
    "L6_CT": {
        "AP_peak": "34 mV", "AP_width": "0.5 ms", "tau_fAHP": "4 ms",
        "g_CAN": "0 uS/cm2", "g_Ih": "60 uS/cm2",
        "g_Na_basal": "12 nS", "g_K_basal": "14 nS", "g_Na_trunk": "8 nS", "g_K_trunk": "10 nS",
        "g_Ca": "3 nS", "g_K_Ca": "3 nS", "Ca_duration": "10 ms",
    },
    "PV_basket": {
        "AP_peak": "13 mV", "AP_width": "0.2 ms", "tau_fAHP": "1.5 ms", "refractory": "1 ms",
    },
    "SST_Martinotti": {
        "AP_peak": "24 mV", "AP_width": "0.4 ms", "tau_fAHP": "3 ms", "refractory": "2 ms",
        "g_Ih": "40 uS/cm2",
    },
    "VIP": {"AP_peak": "30 mV", "AP_width": "0.4 ms", "tau_fAHP": "3 ms", "refractory": "2 ms"},
}  # fmt: skip

SUMMARY = {
    "L23_PC": "layer 2/3 pyramidal cell",
    "L4_PC": "layer 4 excitatory cell",
    "L5_IT": "layer 5 intratelencephalic (thin-tufted, callosal) pyramidal cell",
    "L5_ET": "layer 5 extratelencephalic (thick-tufted, pyramidal-tract) cell",
    "L6_CT": "layer 6 corticothalamic pyramidal cell",
    "PV_basket": "parvalbumin-positive fast-spiking basket cell",
    "SST_Martinotti": "somatostatin-positive Martinotti cell",
    "VIP": "vasoactive-intestinal-peptide-positive bipolar cell",
}
DENDRITES = {"PV_basket": ("proximal", "distal"), "SST_Martinotti": ("dend",), "VIP": ("dend",)}


@cache
def fitted_values() -> Mapping[str, Mapping[str, str]]:
    """Fitted parameters by cell type, as the calibration script wrote them."""
    text = resources.files("cell_types").joinpath("data/fitted.yaml").read_text()
    return {name: entry["parameters"] for name, entry in yaml.safe_load(text).items()}


def build(name: str, fitted: Mapping[str, str] | None = None) -> Cell:
    """The cell of that name with its fitted parameters, or with other ones."""
    written = fitted_values()[name] if fitted is None else fitted
    values = {k: parse_quantity(v) for k, v in written.items()}
    active = {k: parse_quantity(v) for k, v in ACTIVE[name].items()}
    if name in DENDRITES:
        return interneuron(name, SUMMARY[name], DENDRITES[name], active, values)
    return pyramidal(name, SUMMARY[name], active, values)
