"""The blueprints of the ``hh`` cells, and what data/fitted_hh.yaml adds to them.

Densities here are start values of the calibration and, where it leaves them alone, estimates:
dendritic sodium and Kv3 that let an action potential back-propagate, h current of the tuft.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from importlib import resources
from itertools import pairwise
from typing import Any

import yaml

from biomod.model import Cell, Variation
from biomod.units import parse_quantity
from cell_types import _l5_et
from cell_types._common import COUPLING, GEOMETRY, SPINES
from cell_types._hh import Blueprint, Part, assemble

# Length and diameter in um. Kole & Stuart 2012, Neuron 73:235, 10.1016/j.neuron.2012.01.007
# (from memory): 20 to 60 um long, about 1 um wide.
AIS = (35.0, 1.5)
AIS_INTERNEURON = (25.0, 1.2)
DATABASE = "Gouwens et al. 2019, 10.1038/s41593-019-0417-0"


_EXPRESSION = (
    "estimate; conductances of one type vary two- to threefold between cells: Schulz, Goaillard & "
    "Marder 2006, 10.1038/nn1639; together, as one calcium sensor regulates them: O'Leary et al. "
    "2013, 10.1073/pnas.1309966110"
)
_SPREAD = "half of the interquartile spread of Rin in the targets table (estimate)"

# CV of leak, sodium, Kv3 and h current. Of L5_IT and L6_CT, whose published slopes and rates have
# the narrowest quartiles, half: with 0.2 (and these channels independent) fewer than one in twenty
# L5_IT cells kept all features within 2 s.d. Currents of potassium and calcium spread more. Of
# L5_ET a quarter: its targets are narrow (17.5 +- 0.8 Hz on the strong step), its burst lies near a
# limit, and with 0.1 one cell in forty kept them.
CV, CV_NARROW, CV_RAT, CV_GATED = 0.2, 0.1, 0.05, 0.25
# Of a log conductance with the expression that all have in common: pairs correlate with 0.5.
COMMON = 0.7


def _variations(*own: str, cv: float = CV, gated: float = CV_GATED) -> tuple[Variation, ...]:
    """How cells of a type differ: size, leak, sodium and Kv3, and the channels `own`.

    All have one factor in common, so cells differ along the direction in which currents of both
    signs compensate each other. Sodium and Kv3, which make the spike, follow it most closely.
    """
    found = [
        _varied("*.g_leak", cv, _SPREAD),
        _varied("*.leak_K.g_max", cv, _SPREAD),
        _varied("*.cm", 0.5 * cv, "spread of C_m_lumped (estimate)"),
    ]
    for channel in ("NaTa", "Kv3"):
        found.append(_varied(f"*.{channel}.g_max", cv, _EXPRESSION, 0.85))
    for channel in own:
        spread = cv if channel == "Ih" else gated
        found.append(_varied(f"*.{channel}.g_max", spread, _EXPRESSION))
    return tuple(found)


def _varied(path: str, cv: float, source: str, loading: float = COMMON) -> Variation:
    return Variation(path, "lognormal", cv=cv, source=source, factor="expression", loading=loading)


def _pyramidal(
    name: str, summary: str, can: float = 0.0, cv: float = CV, ih_near: float = 0.0
) -> Blueprint:
    """Soma, initial segment, basal dendrites, apical trunk and tuft.

    `can` is the full density of CAN, which receptors open (of the ``dspike`` cells, estimate),
    `ih_near` the density of Ih of soma, basal dendrites and trunk.
    """
    size, spines = GEOMETRY[name], SPINES[name]
    dendrite = {"leak_K": 20.0, "NaTa": 4000.0, "Kv3": 3000.0}
    soma = {
        "leak_K": 20.0, "NaTa": 300e3, "Kv3": 80e3, "Kdr": 5e3, "M": 200.0, "sAHP": 500.0,
        "SK": 300.0, "CaHVA": 100.0, "CAN": can,
    }  # fmt: skip
    if ih_near:
        soma, dendrite = soma | {"Ih": ih_near}, dendrite | {"Ih": ih_near}
    parts = {
        "soma": Part(*size["soma"], soma, region="soma", synapses=("AMPA", "GABA")),
        "ais": Part(*AIS, {"leak_K": 20.0, "NaTa": 3e6, "Kv3": 200e3}, region="axon", synapses=()),
        "basal": Part(*size["basal"], dendrite, spines, "basal"),
        "trunk": Part(*size["trunk"], dendrite, spines, "apical_trunk"),
        "tuft": Part(
            *size["tuft"], {"leak_K": 20.0, "Ih": 20.0, "CaHVA": 50.0}, spines, "apical_tuft",
            ("AMPA", "NMDA", "GABA_SLOW"),
        ),
    }  # fmt: skip
    couplings = (
        ("soma", "ais", None), ("soma", "basal", COUPLING[name].to("nS")),
        ("soma", "trunk", None), ("trunk", "tuft", None),
    )  # fmt: skip
    return Blueprint(
        summary, "mouse V1", parts, couplings, reference=DATABASE,
        variations=_variations("Kdr", "M", "Ih", "CaHVA", "SK", "sAHP", cv=cv),
    )  # fmt: skip


def _interneuron(
    name: str,
    summary: str,
    soma: Mapping[str, float],
    dendrites: tuple[str, ...] = ("dend",),
    reference: str = DATABASE,
) -> Blueprint:
    """Soma, initial segment and a chain of dendrites without active channels of their own."""
    size, spines = GEOMETRY[name], SPINES[name]
    axon = {"leak_K": 20.0, "NaTa": 2e6, "Kv3fast": 200e3}
    parts = {
        "soma": Part(
            *size["soma"], {"leak_K": 20.0, "NaTa": 300e3, "Kv3fast": 50e3, **soma},
            region="soma", synapses=("AMPA", "GABA"),
        ),
        "ais": Part(*AIS_INTERNEURON, axon, region="axon", synapses=()),
        **{d: Part(*size[d], {"leak_K": 20.0}, spines) for d in dendrites},
    }  # fmt: skip
    near = COUPLING[name].to("nS") if name in COUPLING else None
    chain = tuple(pairwise(dendrites))
    couplings = (
        ("soma", "ais", None), ("soma", dendrites[0], near), *((a, b, None) for a, b in chain),
    )  # fmt: skip
    varied = _variations(*(c for c in soma if c != "CAN"))
    return Blueprint(summary, "mouse V1", parts, couplings, reference=reference, variations=varied)


# Calcium entry and what it opens.
_CALCIUM = {"CaHVA": 100.0, "SK": 100.0, "sAHP": 300.0}

BLUEPRINTS: dict[str, Blueprint] = {
    "L23_PC": _pyramidal("L23_PC", "layer 2/3 pyramidal cell"),
    "L4_PC": _pyramidal("L4_PC", "layer 4 excitatory cell"),
    "L5_IT": _pyramidal(
        "L5_IT", "layer 5 intratelencephalic (thin-tufted, callosal) pyramidal cell", 32.0,
        CV_NARROW,
    ),
    "L5_ET": replace(
        _l5_et.BLUEPRINT,
        variations=_variations("M", "Ih", "CaHVA", "CaT", "SK", cv=CV_RAT, gated=CV_RAT),
    ),
    "L6_CT": _pyramidal(
        "L6_CT", "layer 6 corticothalamic pyramidal cell", cv=CV_NARROW, ih_near=20.0
    ),
    "PV_basket": _interneuron(
        "PV_basket", "parvalbumin-positive fast-spiking basket cell",
        {"D": 300.0, "M": 100.0, "Ih": 20.0},
        ("proximal", "distal"),
    ),
    "SST_Martinotti": _interneuron(
        "SST_Martinotti", "somatostatin-positive Martinotti cell",
        {"Kdr": 2e3, "M": 100.0, "CaT": 100.0, "Ih": 40.0, **_CALCIUM},
    ),
    "VIP": _interneuron(
        "VIP", "vasoactive-intestinal-peptide-positive bipolar cell",
        {"Kdr": 2e3, "D": 300.0, "M": 100.0, "CaT": 300.0, "Ih": 20.0, **_CALCIUM},
    ),
    "NDNF_L1": _interneuron(
        "NDNF_L1", "layer 1 neurogliaform (Ndnf) cell, late-spiking",
        {"Kdr": 2e3, "A": 3e3, "D": 1e3, "Ih": 5.0, **_CALCIUM},
    ),
    "CCK_basket": _interneuron(
        "CCK_basket", "cholecystokinin-positive basket cell, regular-spiking",
        {"Kdr": 2e3, "A": 3e3, "M": 100.0, "Ih": 20.0, **_CALCIUM},
        reference="Sncg types of Gouwens, Sorensen et al. 2020, 10.1016/j.cell.2020.09.057",
    ),
}  # fmt: skip


@cache
def fitted_file() -> dict[str, dict[str, Any]]:
    """What the calibration wrote, by cell type: parameters, features reached, provenance."""
    path = resources.files("cell_types").joinpath("data/fitted_hh.yaml")
    found: dict[str, dict[str, Any]] = yaml.safe_load(path.read_text()) if path.is_file() else {}
    return found or {}


def fitted_values() -> Mapping[str, Mapping[str, str]]:
    """Fitted parameters by cell type and path."""
    return {name: entry["parameters"] for name, entry in fitted_file().items()}


def build(name: str, values: Mapping[str, str] | None = None) -> Cell:
    """The ``hh`` cell of that name with its fitted values, or with other ones."""
    written = fitted_values()[name] if values is None else values
    return assemble(name, BLUEPRINTS[name], {k: parse_quantity(v) for k, v in written.items()})
