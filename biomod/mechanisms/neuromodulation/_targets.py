"""Which parameter of which cell a row of the effects table means.

The table of routes is the whole of this translation. Every target of the tables has, per fidelity,
the routes that are tried in order: the mechanism itself, then its stand-ins. A route without
match falls through; a target without any is not expressed, for the reason given here or because
the cell has no such mechanism.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from biomod.model.cell import Cell, Compartment, Dendrite, Soma
from biomod.model.channel import Channel

Part = Literal["channel", "dendritic spike", "synapse", "somatic spike"]
# How the value of the table becomes the change of the parameter.
Conversion = Literal["as given", "inverse", "negative", "half", "sodium threshold", "rest shift"]

# Slope factor of sodium activation at the spike initiation site, for the threshold equation
# theta = V_half + k ln(g_leak / g_Na) + ... (Platkiewicz & Brette 2010 PLoS Comput Biol 6:e1000850,
# 10.1371/journal.pcbi.1000850); 6 mV is an estimate.
SODIUM_SLOPE_MV = 6.0


@dataclass(frozen=True)
class Route:
    """One way to express a target: which parts of a cell, and which of their parameters.

    Attributes
    ----------
    part : str
        What is looked for.
    names : tuple of str
        Names of channels or dendritic spikes, the first that a compartment has; for synapses
        the kinds of receptor.
    parameter : str
        The parameter that changes.
    conversion : str
        How the value of the table is used.
    everywhere : bool
        In all compartments, whatever the table says.
    gated : bool
        Channels with gates only (not those that `express` adds).
    stand_in : str
        Empty for the mechanism itself, else what stands in for what and its calibration.
    """

    part: Part
    names: tuple[str, ...] = ()
    parameter: str = "g_max"
    conversion: Conversion = "as given"
    everywhere: bool = False
    gated: bool = False
    stand_in: str = ""


def _channel(
    *names: str, parameter: str = "g_max", everywhere: bool = False, gated: bool = False
) -> Route:
    return Route("channel", names, parameter, everywhere=everywhere, gated=gated)


def _threshold(conversion: Conversion, why: str) -> Route:
    return Route("somatic spike", (), "threshold", conversion, stand_in=f"stand-in: {why}")


def _calcium_spike(what: str) -> Route:
    return Route(
        "dendritic spike",
        ("Ca",),
        "g_rise",
        stand_in=f"stand-in: the conductance of the dendritic Ca spike takes the factor of {what}",
    )


_LEAK_K = _channel("leak_K", everywhere=True)
_REST = Route("channel", ("leak_K",), "g_max", "rest shift", everywhere=True)
_NMDA = (Route("synapse", ("NMDA",), "gain"),)
_AMPA = (Route("synapse", ("AMPA",), "gain"),)
_GABA = (Route("synapse", ("GABA",), "gain"),)
_M = (_channel("M", "Im"),)
_IH = _channel("Ih")
_SAHP = _channel("sAHP", "IsAHP", gated=True)
_ADP = (
    Route(
        "channel",
        ("ADP_CaL", "ADP"),
        stand_in="stand-in: a spike-triggered current, not gated by recent NMDA conductance",
    ),
)
_AIS = "sodium of the axon initial segment: threshold shifts by -6 mV * ln(factor)"
_KV3 = "max_rate(Kv3): the absolute refractory period is divided by the factor"
_RHEOBASE = "rheobase/excitability: threshold is lowered by the depolarisation equivalent"
_NAP = (
    "activation of persistent sodium: threshold moves by half its shift (its share of the inward "
    "current near threshold, estimate)"
)
_HCN_OR_K = "stand-in: the leak_K density of the dendrites takes the factor of HCN or K"
_REST_STAND_IN = Route(
    "channel",
    ("leak_K",),
    "g_max",
    "rest shift",
    everywhere=True,
    stand_in="stand-in: a depolarisation by leak_K of the size of the equivalent",
)
_SK_AS_SAHP = Route(
    "channel",
    ("SK", "KCa"),
    gated=True,
    stand_in="stand-in: the Ca-dependent SK takes the factor of the slow AHP",
)

# Same in both fidelities.
_COMMON: dict[str, tuple[Route, ...]] = {
    "g_M": _M,
    "g_leak_K": (_LEAK_K,),
    "V_rest_shift_via_leak_K": (_REST,),
    "g_Ih": (_IH,),
    "g_Ih_halfV": (_channel("Ih", parameter="v_half"), _channel("Ih", parameter="v_shift")),
    "g_HCN_or_K_cAMP": (_IH, Route("channel", ("leak_K",), stand_in=_HCN_OR_K)),
    "g_ERG": (_channel("ERG"),),
    "g_SK_spine": (_channel("SK", gated=True),),
    "g_SK_transient": (_channel("SK"),),
    "g_GIRK": (_channel("GIRK"),),
    "I_nAChR": (_channel("nAChR"),),
    "I_5HT3": (_channel("HTR3"),),
    "I_CAN_sADP": (_channel("CAN"),),
    "I_ADP_CaL_dependent": _ADP,
    "I_fADP_decay_tau": (_channel("ADP", parameter="tau"), _channel("ADP", parameter="tau_decay")),
    "NMDA_gain": _NMDA,
    "AMPA_gain": _AMPA,
    "GABA_gain": _GABA,
    "GABAA_gain": _GABA,
}

ROUTES: dict[str, dict[str, tuple[Route, ...]]] = {
    "point": _COMMON,
    "dspike": _COMMON
    | {
        "g_sAHP": (_SAHP,),
        "g_CaR": (_calcium_spike("g_CaR"),),
        "g_CaHVA": (_calcium_spike("g_CaHVA"),),
        "g_NaT_AIS": (_threshold("sodium threshold", _AIS),),
        "g_NaT": (_threshold("sodium threshold", _AIS.replace("of the axon initial segment", "")),),
        "g_NaP_activation_V": (_threshold("half", _NAP),),
        "rheobase/excitability": (_threshold("negative", _RHEOBASE),),
        "max_rate": (
            Route("somatic spike", (), "refractory", "inverse", stand_in=f"stand-in: {_KV3}"),
        ),
    },
    "hh": _COMMON
    | {
        "g_sAHP": (_SAHP, _SK_AS_SAHP),
        "g_CaR": (
            _channel("CaR"),
            Route("channel", ("CaHVA",), stand_in="stand-in: CaHVA takes the factor of g_CaR"),
        ),
        "g_CaHVA": (_channel("CaHVA"),),
        "g_NaT": (_channel("NaTa", "NaT"),),
        "g_NaT_AIS": (
            Route(
                "channel",
                ("NaTa", "NaT"),
                stand_in="where the cell has no initial segment: stand-in: the somatic sodium "
                "channel includes it",
            ),
        ),
        "g_NaP": (_channel("NaP"),),
        "g_NaP_activation_V": (_channel("NaP", parameter="v_half"),),
        "g_NaP_inactivation_rate_alpha": (_channel("NaP", parameter="alpha_h"),),
        "g_NaP_inactivation_rate_beta": (_channel("NaP", parameter="beta_h"),),
        "g_Kslow": (_channel("Kslow", "KPst"),),
        "rheobase/excitability": (_REST_STAND_IN,),
        "max_rate": (_channel("Kv3"),),
    },
}

# Targets that no parameter of a cell can stand for.
NO_TARGET = {
    "firing_gain": "a firing gain is an outcome, not a parameter: it checks the channel rows",
    "spontaneous_EPSC_rate": "spontaneous input belongs to the circuit (Background), not the cell",
}

# Channels that a receptor opens and `express` adds: reversal potential in mV, None for E_K.
LIGAND_GATED: dict[str, tuple[str, float | None]] = {
    "g_GIRK": ("GIRK", None),
    "g_SK_transient": ("SK", None),
    "I_nAChR": ("nAChR", 0.0),
    "I_5HT3": ("HTR3", 0.0),
}
E_K_DEFAULT_MV = -90.0

_DENDRITE = ("basal", "apical_trunk", "apical_tuft", "dendrite")
REGIONS_MEANT = {
    "soma": ("soma",),
    "dendrite": _DENDRITE,
    "spine/dendrite": _DENDRITE,
    "soma+dendrite": ("soma", *_DENDRITE),
    "soma+apical": ("soma", "apical_trunk", "apical_tuft"),
    "apical_tuft": ("apical_tuft",),
    "axon_initial_segment": ("axon",),
}


def mechanism(target: str) -> str:
    """The target without the remark in parentheses, e.g. ``"g_Kslow(IKs)"`` -> ``"g_Kslow"``."""
    return re.sub(r"\s*\(.*\)\s*$", "", target)


def meant(cell: Cell, text: str, only: tuple[str, ...] | None) -> list[Compartment]:
    """Compartments that the text of the table means, restricted to those named in `only`.

    Text that is not in :data:`REGIONS_MEANT` is taken as the name of a compartment. In a cell
    without an axon the soma stands for the initial segment.
    """
    regions = REGIONS_MEANT.get(text)
    if regions == ("axon",) and not any(c.region == "axon" for c in cell.compartments):
        regions = ("soma",)
    return [
        c
        for c in cell.compartments
        if (c.region in regions if regions else c.name == text) and (only is None or c.name in only)
    ]


def ligand_channel(compartment: Compartment, name: str, receptor: str) -> str:
    """Name of the ligand-gated channel: `name`, or with the receptor where a gated one has it."""
    taken = any(c.name == name and c.gates for c in compartment.channels)
    return f"{name}_{receptor}" if taken else name


def matches(compartment: Compartment, route: Route, target: str, receptor: str) -> list[str]:
    """Keys of the parts of one compartment that a route reaches."""
    if route.part == "somatic spike":
        return ["spike"] if isinstance(compartment, Soma) and compartment.spike else []
    if route.part == "synapse":
        return [r.name for r in compartment.receptors if r.kind in route.names]
    if route.part == "dendritic spike":
        spikes = compartment.spikes if isinstance(compartment, Dendrite) else ()
        return [s.name for s in spikes if s.name in route.names]
    names = route.names
    if target in LIGAND_GATED:
        names = (ligand_channel(compartment, names[0], receptor),)
    found = {c.name: c for c in compartment.channels}
    return next(([n] for n in names if n in found and _fits(found[n], route)), [])


def _fits(channel: Channel, route: Route) -> bool:
    if route.gated and not channel.gates:
        return False
    return route.parameter == "g_max" or any(c.name == route.parameter for c in channel.constants)
