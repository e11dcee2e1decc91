"""The thick-tufted layer 5 cell of fidelity ``hh``: a rat cell whose apical dendrite has a length.

Soma, lumped basal dendrites and the diameters of the apical dendrite follow the reduced cell of
Bahl et al. 2012, 10.1016/j.jneumeth.2012.04.006; channels and their gradients the detailed one of
Hay et al. 2011, 10.1371/journal.pcbi.1002107. The apical dendrite is cut so that the centres of
``nexus`` and ``tuft`` lie at 660 and 800 um from the soma, where back-propagating action potentials
were measured; both are the zone of the calcium spike (400 to 700 um in Larkum et al. 1999, 685 to
885 um in Hay et al.). ``ais`` lumps axon hillock and initial segment. ``basal2`` is a single basal
branch, in which clustered synapses evoke NMDA spikes.
"""

from __future__ import annotations

from itertools import pairwise

from cell_types._hh import Blueprint, Part

TRUNK = ("trunk", "trunk2", "trunk3", "trunk4", "trunk5")
TUFT = ("nexus", "tuft", "tuft2")
APICAL = (*TRUNK, *TUFT)
# The calcium zone.
HOT = ("nexus", "tuft")
# Lengths in um; diameters before calibration.
_LENGTH = {**dict.fromkeys(TRUNK, 120.0), "nexus": 120.0, "tuft": 160.0, "tuft2": 270.0}
_DIAMETER = dict(zip(APICAL, (6.0, 5.5, 5.0, 4.6, 4.3, 4.0, 3.8, 3.5), strict=True))


def distances() -> dict[str, float]:
    """Distance in um of the centre of each apical compartment from the soma."""
    found, end = {}, 0.0
    for name in APICAL:
        found[name] = end + _LENGTH[name] / 2
        end += _LENGTH[name]
    return found


_SOMA = {
    "leak_K": 20.0, "NaTa": 1e6, "NaP": 200.0, "Kv3": 500e3, "A": 1e4, "M": 20.0, "SK": 1e4,
    "sAHP": 300.0, "CaHVA": 300.0, "CaT": 1e3, "Ih": 100.0, "CAN": 40.0,
}  # fmt: skip
_AIS = {"leak_K": 20.0, "NaTa": 3e6, "NaP": 1e3, "Kv3": 500e3, "M": 500.0}
_BASAL = {"leak_K": 20.0, "NaTa": 5e4, "Kv3": 1e4, "Ih": 100.0}
_DENDRITE = {"leak_K": 20.0, "NaTa": 1e4, "Kv3": 2e3, "Ih": 1e3}
_HOT = {**_DENDRITE, "M": 200.0, "SK": 2e3, "CaHVA": 1e3, "CaT": 1e4}


def _parts() -> dict[str, Part]:
    found = {
        "soma": Part(23.1, 23.1, _SOMA, region="soma", synapses=("AMPA", "GABA")),
        # Hillock and initial segment of Bahl et al.: 45 um together, 3.5 to 1.5 um wide.
        "ais": Part(45.0, 2.0, _AIS, region="axon", synapses=()),
        "basal": Part(257.0, 8.7, _BASAL, region="basal"),
        "basal2": Part(240.0, 0.8, {"leak_K": 20.0, "Ih": 100.0}, 1.6, "basal"),
    }
    for name in APICAL:
        channels = _HOT if name in HOT else {**_DENDRITE, **({"M": 200.0} if name in TUFT else {})}
        region = "apical_tuft" if name in TUFT else "apical_trunk"
        slow = ("AMPA", "NMDA", "GABA_SLOW")
        synapses = {"trunk": ("AMPA", "NMDA", "GABA"), "nexus": slow, "tuft": slow}.get(name, ())
        found[name] = Part(
            _LENGTH[name], _DIAMETER[name], channels, region=region, synapses=synapses
        )
    return found


_GEOMETRY = (
    "Bahl et al. 2012, 10.1016/j.jneumeth.2012.04.006 (from memory, verify); diameters and area of "
    "the apical dendrite scaled by the calibration"
)

BLUEPRINT = Blueprint(
    summary="layer 5 extratelencephalic (thick-tufted, pyramidal-tract) cell",
    species="rat somatosensory cortex",
    parts=_parts(),
    couplings=(
        ("soma", "ais", None),
        ("soma", "basal", None),
        ("soma", "basal2", None),
        ("soma", "trunk", None),
        *((a, b, None) for a, b in pairwise(APICAL)),
    ),
    reference="Van Geit et al. 2016, 10.3389/fninf.2016.00017; Hay et al. 2011, "
    "10.1371/journal.pcbi.1002107",
    sources=tuple((part, _GEOMETRY) for part in ("soma", "ais", "basal", "basal2", *APICAL)),
)
