"""Small cells and the numbers that tests of the backends take from a result."""

from __future__ import annotations

from typing import Any

import numpy as np

from biomod import Result
from biomod.model import (
    Cell,
    Channel,
    Compartment,
    Coupling,
    Dendrite,
    DendriticSpike,
    Effect,
    Expression,
    Gate,
    Receptor,
    Soma,
    SomaticSpike,
    SynapticReceptor,
)
from biomod.units import Quantity, as_quantity, um

SPIKE = SomaticSpike("-40 mV", "-55 mV", "4 ms")
# Never reached: a cell that is only to be polarised.
NO_SPIKE = SomaticSpike("500 mV", "0 mV", "4 ms")
AMPA = SynapticReceptor("AMPA", "AMPA", "0 mV", "2 ms", "0.3 ms")
NMDA = SynapticReceptor("NMDA", "NMDA", "0 mV", "60 ms", "2 ms", mg="1 mM")
SODIUM = DendriticSpike(
    "Na", "-35 mV", "30 nS", "15 nS", "70 mV", "-89 mV", "1.2 ms", "2.4 ms", "5 ms", "0.2 ms"
)
M_CURRENT = Channel("M", "30 uS/cm2", "-90 mV", (Gate("p", "60", "1 / (1 + exp(-(v + 45) / 6))"),))
# Acetylcholine closes M channels, as M1 receptors do; the numbers are of this test only.
M1 = Expression(
    Receptor("M1", "ACh", "3 uM", "100 ms", "500 ms"),
    1.0,
    (Effect("E1", "M1", "g_M", "soma", "scale", 0.1),),
)


def absolute(
    kind: type[Compartment], name: str, capacitance: Any, leak: Any, E_leak: Any, **more: Any
) -> Any:
    """A compartment given by its absolute capacitance and leak (at 1 uF/cm2)."""
    area = as_quantity(capacitance, "pF") / as_quantity("1 uF/cm2", "uF/cm2")
    g_leak = as_quantity(leak, "nS") / area
    # With a factor of 1 / pi the area is length times diameter.
    return kind(
        name, area / (100 * um), 100 * um, g_leak, E_leak, area_factor=1 / np.pi, **more
    )  # fmt: skip


def point(name: str, capacitance: Any, leak: Any, E_leak: Any, **more: Any) -> Cell:
    """A cell of one compartment."""
    soma = absolute(Soma, "soma", capacitance, leak, E_leak, **more)
    return Cell(name, (soma,), fidelity="dspike" if soma.spike else "hh")


def ball_and_stick(name: str = "cell", *, g: Any = "15 nS", **dendrite: Any) -> Cell:
    """Dendrify's two compartments of 200 and 50 pF; keywords go to the dendrite."""
    soma = absolute(Soma, "soma", "200 pF", "10 nS", "-65 mV", spike=SPIKE)
    dend = absolute(Dendrite, "dend", "50 pF", "2.5 nS", "-65 mV", **dendrite)
    return Cell(name, (soma, dend), (Coupling("soma", "dend", g),))


def voltage(result: Result, label: str, cell: int = 0) -> np.ndarray:
    """A recorded trace of one cell as an array."""
    return result.trace(label)[cell].to_numpy()


def spike_times(result: Result, population: str, cell: int = 0) -> np.ndarray:
    """Spike times of one cell in ms."""
    table = result.spikes
    mine = (table["population"] == population) & (table["cell"] == cell)
    return table.loc[mine, "time_ms"].to_numpy()


def same_spikes(a: Result, b: Result) -> bool:
    """Whether two runs have the same spikes: same cells, bit-identical times."""
    return all(
        np.array_equal(a.spikes[c].to_numpy(), b.spikes[c].to_numpy())
        for c in ("time_ms", "cell", "population")
    )


def si(value: Quantity | float) -> float:
    """Value in SI units."""
    return value.si if isinstance(value, Quantity) else float(value)
