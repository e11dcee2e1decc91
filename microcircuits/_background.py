"""Drive from outside the circuit: thalamus, other columns and areas.

Every cell receives excitatory Poisson events, volleys of unitary EPSPs, on its dendrites.
Rates are tuned (``tuned``): the target is the mean rate of each class in quiet wakefulness in
superficial layers, about 0.5-1.5 Hz in pyramidal cells, 5-12 Hz in PV, 3-8 Hz in SST and
3-8 Hz in VIP cells (Gentet et al. 2010, 10.1016/j.neuron.2010.01.006; Gentet et al. 2012,
10.1038/nn.3051; Polack et al. 2013, 10.1038/nn.3464; order of magnitude, from memory). Half
of the events of a pyramidal cell reach the tuft, where SST cells inhibit (estimate).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import cell_types
from biomod.mechanisms.passive import weight_for_psp
from biomod.model import Background
from biomod.units import Hz, Quantity, mV

# Somatic amplitude of one event: a volley of about five unitary EPSPs (median L4 -> L2/3: 0.19 mV),
# because inputs are correlated in vivo, where the membrane potential of L2/3 cells fluctuates by
# several mV (Poulet & Petersen 2008, 10.1038/nature07150). Estimate.
EVENT = 1.0 * mV
SOURCE = (
    "rate tuned to rates in quiet wakefulness (Gentet 2010, 2012; Polack 2013); event: volley of "
    "five L4->L2/3 EPSPs (estimate)"
)
_RECEPTORS: Mapping[str, tuple[tuple[str, float], ...]] = {
    "PV_basket": (("AMPA", 1.0), ("NMDA", 0.2)),
    "SST_Martinotti": (("AMPA", 1.0), ("NMDA", 0.7)),
    "VIP": (("AMPA", 1.0), ("NMDA", 0.5)),
}
_PYRAMIDAL = (("AMPA", 1.0), ("NMDA", 0.7))


def drive(cell_type: str, **rates_hz: float) -> tuple[Background, ...]:
    """Background inputs of a cell type: events per second by compartment."""
    return tuple(
        Background(
            name=f"drive_{compartment}",
            compartment=compartment,
            rate=rate * Hz,
            weight=_weight(cell_type, compartment),
            receptors=_RECEPTORS.get(cell_type, _PYRAMIDAL),
            source=SOURCE,
        )
        for compartment, rate in rates_hz.items()
    )


@cache
def _weight(cell_type: str, compartment: str) -> Quantity:
    cell = cell_types.get(cell_type)
    receptors = _RECEPTORS.get(cell_type, _PYRAMIDAL)
    return weight_for_psp(cell, ((compartment, 1.0),), receptors, EVENT)
