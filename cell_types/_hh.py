"""Cells of fidelity ``hh``: spikes from ionic channels, the same compartments as ``dspike`` cells.

A cell is built in two steps. Its blueprint lists compartments, couplings and, per compartment,
channels with start values of their densities. The data file ``fitted_hh.yaml`` then replaces
parameters by path: those that the calibration fitted, and the leak, which follows from them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from biomod.mechanisms import channels as library
from biomod.mechanisms.neuromodulation import express
from biomod.model import Cell, Channel, Compartment, Coupling, Dendrite, Soma, Variation
from biomod.units import Quantity, QuantityLike, nS, um
from cell_types._common import GABA_SLOW, receptors

# Voltages of the targets are not corrected for the liquid junction potential (about -14 mV), nor
# are E_K and the shifts of the kinetics.
CHANNELS: dict[str, Callable[..., Channel]] = {
    name: getattr(library, name)
    for name in (
        "A", "BK", "CAN", "CaHVA", "CaR", "CaT", "D", "Ih", "Kdr", "Kir", "Kv3", "M", "NaP",
        "NaTa", "SK", "leak_K", "sAHP",
    )
}  # fmt: skip


def _fast_Kv3(g_max: QuantityLike) -> Channel:
    """Kv3 of interneurons at body temperature.

    The kinetics of the library are those of oocytes at room temperature, used as they are in
    pyramidal cells. Rates here rise from 22 C with a Q10 of 2.3 (estimate), which gives the
    submillisecond time constants of Kv3 in fast-spiking cells (Rudy & McBain 2001, Trends Neurosci
    24:517, 10.1016/S0166-2236(00)01892-0; from memory, verify).
    """
    slow = library.Kv3(g_max)
    gates = tuple(replace(gate, q10=2.3) for gate in slow.gates)
    return replace(
        slow, gates=gates, celsius=22.0,
        source=f"{slow.source}; Q10 2.3 from 22 C (estimate)",
    )  # fmt: skip


CHANNELS["Kv3fast"] = _fast_Kv3


@dataclass(frozen=True)
class Part:
    """One compartment of a blueprint.

    Attributes
    ----------
    length, diameter : float
        In um.
    channels : mapping of str to float
        Density of each channel in uS/cm2 before calibration.
    area_factor : float
        Factor on the area for spines and lumped branches.
    region : str
        Anatomical region.
    synapses : tuple of str
        Kinds of synaptic receptor; ``"GABA_SLOW"`` is GABA of the tuft.
    gamma, tau_calcium : float
        Free share and decay (ms) of the calcium pool, in parts with calcium channels.
    """

    length: float
    diameter: float
    channels: Mapping[str, float]
    area_factor: float = 1.0
    region: str = "dendrite"
    synapses: tuple[str, ...] = ("AMPA", "NMDA", "GABA")
    gamma: float = 0.02
    tau_calcium: float = 80.0


@dataclass(frozen=True)
class Blueprint:
    """What a cell consists of, before calibration.

    Attributes
    ----------
    summary, species : str
        For the catalogue.
    parts : mapping of str to Part
        Compartments; the first is the soma.
    couplings : tuple of (str, str, float or None)
        Coupled compartments with the conductance in nS, None for that of the half cylinders.
    constants : mapping of str to str
        Values of other parameters by path, e.g. ``"soma.sAHP.tau": "150 ms"``.
    potassium_share : float
        Share of the leak that is potassium's, the rest is the mixed leak. Estimate.
    reference : str
        Main source of the targets.
    variations : tuple of Variation
        How cells of this type differ.
    sources : tuple of (path prefix, source)
        Where values come from, beside those that all cells share.
    """

    summary: str
    species: str
    parts: Mapping[str, Part]
    couplings: tuple[tuple[str, str, float | None], ...]
    constants: Mapping[str, str] = field(default_factory=dict)
    potassium_share: float = 0.6
    reference: str = ""
    variations: tuple[Variation, ...] = ()
    sources: tuple[tuple[str, str], ...] = ()


# Leak before calibration, which solves for it.
_LEAK: dict[str, Any] = {"g_leak": "40 uS/cm2", "E_leak": "-70 mV", "cm": "1 uF/cm2"}


def assemble(name: str, blueprint: Blueprint, values: Mapping[str, Quantity | str]) -> Cell:
    """The cell of a blueprint with `values` of parameters by path.

    A path ``"*.parameter"`` stands for that parameter of every compartment that has it.
    """
    compartments = tuple(_compartment(n, part) for n, part in blueprint.parts.items())
    couplings = tuple(
        Coupling(a, b, None if g is None else g * nS) for a, b, g in blueprint.couplings
    )
    bare = Cell(
        name, compartments, couplings, fidelity="hh", species=blueprint.species,
        summary=blueprint.summary, sources=(*_sources(name, blueprint), *blueprint.sources),
    )  # fmt: skip
    cell = with_values(bare, {**blueprint.constants, **values})
    return express(replace(cell, variations=blueprint.variations))


def _sources(name: str, blueprint: Blueprint) -> tuple[tuple[str, str], ...]:
    """Where the values of a cell come from, by path prefix."""
    fitted = f"fitted to the {name} rows of cell_types/data/targets.csv ({blueprint.reference})"
    found = [("", "estimate")]
    for part, of in blueprint.parts.items():
        found.append((part, "geometry[recommended_reduced] in targets.csv (estimate)"))
        found.extend((f"{part}.{p}", fitted) for p in ("g_leak", "E_leak", "cm"))
        for label in of.channels:
            channel = CHANNELS[label]("0 uS/cm2")
            found.append((f"{part}.{channel.name}", channel.source))
            found.append((f"{part}.{channel.name}.g_max", fitted))
        for receptor in of.synapses:
            base = GABA_SLOW if receptor == "GABA_SLOW" else receptors(receptor)[0]
            found.append((f"{part}.{base.name}", base.source))
        for opened in ("GIRK", "nAChR", "HTR3"):
            found.append((f"{part}.{opened}", "opened by neuromodulators only"))
    return tuple(found)


def with_values(cell: Cell, values: Mapping[str, Quantity | str]) -> Cell:
    """`cell` with parameters by path; later entries replace earlier ones."""
    return cell.with_({path: v for pattern, v in values.items() for path in cell.paths(pattern)})


def lean(cell: Cell) -> Cell:
    """`cell` without receptors, modulation, variation and channels of zero density.

    It answers injected currents as the whole cell does, and compiles and runs several times as
    fast.
    """
    compartments = tuple(
        replace(c, receptors=(), channels=tuple(ch for ch in c.channels if ch.g_max.si > 0))
        for c in cell.compartments
    )
    return replace(cell, compartments=compartments, expression=(), variations=())


def _compartment(name: str, part: Part) -> Compartment:
    kind = Soma if part.region == "soma" else Dendrite
    synapses = tuple(GABA_SLOW if s == "GABA_SLOW" else receptors(s)[0] for s in part.synapses)
    calcium = None
    if any(CHANNELS[c]("0 uS/cm2").ion == "ca" for c in part.channels):
        calcium = library.calcium_pool(f"{part.tau_calcium!r} ms", part.gamma)
    return kind(
        name, length=part.length * um, diameter=part.diameter * um, region=part.region,
        area_factor=part.area_factor, receptors=synapses, calcium=calcium,
        channels=tuple(CHANNELS[c](f"{g!r} uS/cm2") for c, g in part.channels.items()),
        **_LEAK,
    )  # fmt: skip
