"""Give a cell the receptors of its type, and the channels that they open."""

from __future__ import annotations

from dataclasses import replace

from biomod.errors import unknown_name
from biomod.mechanisms.neuromodulation._targets import (
    E_K_DEFAULT_MV,
    LIGAND_GATED,
    ligand_channel,
    meant,
    mechanism,
)
from biomod.mechanisms.neuromodulation.library import CELL_TYPES, expressed_by
from biomod.model.cell import Cell, Compartment
from biomod.model.channel import Channel
from biomod.model.neuromodulation import Effect
from biomod.units import Quantity, mV

_SOURCE = "ligand-gated, opened by neuromodulatory receptors only (receptor_effects.csv)"


def express(cell: Cell, cell_type: str | None = None) -> Cell:
    """The cell with the neuromodulatory receptors of a cell type.

    Effects that open a conductance need a channel: GIRK and SK (reversal E_K), nAChR and HTR3
    (0 mV) are added with zero conductance where the cell lacks them, in the compartments that
    the tables name. Receptors that open the same conductance share one channel. A name that a
    gated channel has already (a calcium-dependent SK) is completed with that of the receptor.

    E_K is the reversal potential of the cell's leak_K or M, else -90 mV.

    Parameters
    ----------
    cell : Cell
        A cell; any expression that it has is replaced.
    cell_type : str, optional
        One of :data:`CELL_TYPES`; by default the name of the cell.

    Raises
    ------
    ModelError
        The cell type is unknown; the nearest names are given.
    """
    cell_type = cell.name if cell_type is None else cell_type
    if cell_type not in CELL_TYPES:
        raise unknown_name("cell type", cell_type, CELL_TYPES)
    expression = expressed_by(cell_type)
    compartments = {c.name: c for c in cell.compartments}
    e_k = potassium_reversal(cell)
    for one in expression:
        for effect in one.effects if one.level > 0 else ():
            if needs_channel(effect):
                for c in meant(cell, effect.compartment, one.compartments):
                    compartments[c.name] = _with_channel(compartments[c.name], effect, e_k)
    return replace(cell, compartments=tuple(compartments.values()), expression=expression)


def needs_channel(effect: Effect) -> bool:
    """Whether an effect opens a ligand-gated channel (and not by zero)."""
    opens = mechanism(effect.target) in LIGAND_GATED and effect.operation == "add"
    return opens and effect.value != 0


def potassium_reversal(cell: Cell) -> Quantity:
    """E_K of a cell: that of leak_K or M, of the soma first, else -90 mV."""
    for name in ("leak_K", "M", "Im"):
        for compartment in (cell.soma, *cell.dendrites):
            for channel in compartment.channels:
                if channel.name == name:
                    return channel.E_rev
    return E_K_DEFAULT_MV * mV


def _with_channel(compartment: Compartment, effect: Effect, e_k: Quantity) -> Compartment:
    base, reversal = LIGAND_GATED[mechanism(effect.target)]
    name = ligand_channel(compartment, base, effect.receptor)
    if any(c.name == name for c in compartment.channels):
        return compartment
    channel = Channel(
        name=name,
        g_max="0 uS/cm2",  # type: ignore[arg-type]
        E_rev=e_k if reversal is None else reversal * mV,
        source=_SOURCE,
    )
    return replace(compartment, channels=(*compartment.channels, channel))
