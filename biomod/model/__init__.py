"""What a model is: frozen, backend-neutral descriptions with units.

No simulator is imported here. Everything is validated when it is constructed, compares by
content, prints itself, and survives the round trip to a file.
"""

from biomod.model.cell import (
    CalciumPool,
    Cell,
    Compartment,
    Coupling,
    Dendrite,
    DendriticSpike,
    PointSpike,
    Soma,
    SomaticSpike,
)
from biomod.model.channel import Channel, Constant, Gate
from biomod.model.circuit import Background, Circuit, GapJunctions, Population, Projection
from biomod.model.heterogeneity import Variation
from biomod.model.neuromodulation import (
    DA,
    HA,
    MODULATORS,
    NA,
    ACh,
    Effect,
    Expression,
    Modulator,
    Pulse,
    Receptor,
    parse_modulator,
    serotonin,
)
from biomod.model.recording import Recording, record
from biomod.model.serialise import from_dict, load, save, to_dict
from biomod.model.stimulus import (
    CurrentClamp,
    CurrentWaveform,
    Stimulus,
    SynapticEvents,
    ramp,
    step,
)
from biomod.model.synapse import ShortTermPlasticity, SynapticReceptor

__all__ = [
    "DA",
    "HA",
    "MODULATORS",
    "NA",
    "ACh",
    "Background",
    "CalciumPool",
    "Cell",
    "Channel",
    "Circuit",
    "Compartment",
    "Constant",
    "Coupling",
    "CurrentClamp",
    "CurrentWaveform",
    "Dendrite",
    "DendriticSpike",
    "Effect",
    "Expression",
    "GapJunctions",
    "Gate",
    "Modulator",
    "PointSpike",
    "Population",
    "Projection",
    "Pulse",
    "Receptor",
    "Recording",
    "ShortTermPlasticity",
    "Soma",
    "SomaticSpike",
    "Stimulus",
    "SynapticEvents",
    "SynapticReceptor",
    "Variation",
    "from_dict",
    "load",
    "parse_modulator",
    "ramp",
    "record",
    "save",
    "serotonin",
    "step",
    "to_dict",
]
