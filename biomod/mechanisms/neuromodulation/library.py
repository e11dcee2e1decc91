"""Receptors, their effects, and which cell type expresses what: the tables as descriptions."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from typing import Literal

from biomod.errors import unknown_name
from biomod.mechanisms.neuromodulation._tables import Row, citation, rows
from biomod.model.cell import Cell
from biomod.model.neuromodulation import Effect, Expression, Receptor

# Release sites see 20-50 times the bulk concentration (modeller_estimate, table README).
_LOCAL_GAIN = {"nAChR_a7": 30.0, "5HT3A": 30.0}
# (time constant in ms, response left at a lasting saturating concentration); fractions are
# estimates. Of the two components of alpha4beta2 (70 and 700 ms) the slow one is taken: the fast
# one is no slower than the 139-ms decay of the EPSP that the gating already follows.
_DESENSITISATION = {"nAChR_a4b2": (700, 0.3), "nAChR_a7": (20, 0.05), "5HT3A": (1000, 0.05)}
# 0.1-0.2 according to the table; an option, see `receptors`.
H3_CONSTITUTIVE = 0.15

EXCITATORY = ("L23_PC", "L4_PC", "L5_IT", "L5_ET", "L6_CT")
INHIBITORY = ("PV_basket", "SST_Martinotti", "VIP", "NDNF_L1", "CCK_basket")
CELL_TYPES = EXCITATORY + INHIBITORY
# Names of the tables that stand for several cell types.
CLASSES = {"all_PC": EXCITATORY, "E->E synapse": EXCITATORY}
# Names of the tables that are no cell of a cortical circuit, and why nothing can be applied.
OUTSIDE = {
    "thalamic_afferent": "thalamic input is a Background, which has no presynaptic receptors",
    "monoamine_terminals": "concentrations are given, not released by terminals of the model",
}

DISABLED = {
    "E015": "conflicting evidence: it opposes the net excitation by M1 (default of the table)",
    "E067": "conflicting evidence: alternative to the persistent-sodium rows E063-E065",
    "E084": "conflicting evidence: opposite sign to the dendritic alpha2A rows (rat versus monkey)",
}
NO_PLASTICITY = "no plasticity in this model: a rule that learns is needed"


@dataclass(frozen=True)
class Analogy:
    """A cell type that the tables lack, and the one that stands for it (an estimate).

    Attributes
    ----------
    like : str
        Cell type of the tables whose expression levels are taken.
    effects : tuple of str
        Rows about `like` that are taken over.
    reason : str
        Why these rows and no others.
    """

    like: str
    effects: tuple[str, ...]
    reason: str


# L4: rows of L23_PC that other pyramidal types share (same receptor and target). Not the M1 rows,
# which excite: nearly all L4 regular-spiking cells are hyperpolarised by ACh (row E028). Not the
# rows about connections of L1 and L2/3 (E091, E092) or about spines of L2/3 (E026, E027).
ANALOGIES = {
    "L4_PC": Analogy(
        "L23_PC",
        ("E029", "E047", "E054", "E070", "E081", "E083", "E093", "E099", "E100"),
        "pyramidal-generic rows; no M1 rows, for ACh hyperpolarises L4 cells (E028)",
    ),
    "CCK_basket": Analogy("VIP", (), "levels only: both belong to the 5-HT3A class"),
}


def receptors(*, constitutive_h3: float = 0.0) -> dict[str, Receptor]:
    """Every neuromodulatory receptor of the tables, by name.

    EC50, Hill coefficient and time constants are those of ``receptors.csv``. What the table does
    not give is an estimate: a `local_gain` of 30 for nAChR_a7 and 5HT3A (release sites see 20-50
    times the bulk concentration) and 1 for all others, and the fraction of the response that
    remains after desensitisation: 0.05 for nAChR_a7 and 5HT3A, 0.3 for nAChR_a4b2.

    Parameters
    ----------
    constitutive_h3 : float, optional
        Activation of H3 without histamine; :data:`H3_CONSTITUTIVE` is the value of the table.
        0 by default, so that a concentration of zero changes nothing.

    Returns
    -------
    dict of str to Receptor
        In the order of the table; a new dictionary at every call.
    """
    table = dict(_receptors())
    if constitutive_h3:
        table["H3"] = replace(table["H3"], constitutive=constitutive_h3)
    return table


@functools.cache
def _receptors() -> tuple[tuple[str, Receptor], ...]:
    return tuple((row["receptor_id"], _receptor(row)) for row in rows("receptors"))


def _receptor(row: Row) -> Receptor:
    name = row["receptor_id"]
    tau, left = _DESENSITISATION.get(name, (None, 1.0))
    estimates = ""
    if name in _LOCAL_GAIN:
        estimates += f"; local_gain {_LOCAL_GAIN[name]:g} is an estimate (20-50)"
    if tau is not None:
        estimates += f"; desensitised_fraction {left:g} is an estimate"
    return Receptor(
        name=name,
        modulator=row["modulator"],
        ec50=f"{row['ec50_nM']} nM",  # type: ignore[arg-type]
        tau_onset=f"{row['tau_onset_ms']} ms",  # type: ignore[arg-type]
        tau_decay=f"{row['tau_decay_ms']} ms",  # type: ignore[arg-type]
        hill=float(row["hill"]),
        tau_desensitisation=None if tau is None else f"{tau} ms",  # type: ignore[arg-type]
        desensitised_fraction=left,
        local_gain=_LOCAL_GAIN.get(name, 1.0),
        coupling=row["coupling"],
        source=f"{citation(row)}; {row['kind']}{estimates}",
    )


@functools.cache
def effects() -> tuple[Effect, ...]:
    """Every row of ``receptor_effects.csv``, in its order.

    Rows with conflicting evidence (:data:`DISABLED`) and rows about learning rules, which no
    parameter of a cell stands for, are kept with ``enabled=False``.
    """
    return tuple(_effect(row) for row in rows("receptor_effects"))


def _effect(row: Row) -> Effect:
    name = row["effect_id"]
    note = "; ".join(filter(None, (row["conditions"], row["time_scale"], row["note"])))
    # "brief (phasic) ACh": store release that fades although ACh stays (rows E016, E017).
    phasic = row["mechanism"] == "g_SK_transient"
    return Effect(
        name=name,
        receptor=row["receptor"],
        target=row["mechanism"],
        compartment=row["compartment"],
        operation=row["operation"],
        value=float(row["value_at_saturation"]),
        unit=row["unit"],
        high_dose="high dose" in row["time_scale"],
        enabled=name not in DISABLED and not is_plasticity(row["compartment"]),
        evidence=f"{row['value_status']}; {row['kind']}",
        source=citation(row),
        note=note,
        cell_type=row["target_cell"],
        transient_onset="200 ms" if phasic else None,  # type: ignore[arg-type]
        transient_decay="1000 ms" if phasic else None,  # type: ignore[arg-type]
    )


def is_plasticity(compartment: str) -> bool:
    """Whether a row with this compartment text is about a learning rule of a synapse."""
    return compartment == "synapse"


@functools.cache
def _levels() -> dict[tuple[str, str], tuple[float, str]]:
    return {
        (row["receptor"], row["cell_type"]): (float(row["expression_rel"]), citation(row))
        for row in rows("expression")
    }


def expression_level(receptor: str, cell_type: str) -> float:
    """Relative expression of a receptor in a cell type (1 = the type that expresses it most).

    Parameters
    ----------
    receptor : str
        One of :func:`receptors`.
    cell_type : str
        One of :data:`CELL_TYPES`; L4_PC and CCK_basket are estimates by :data:`ANALOGIES`.

    Raises
    ------
    ModelError
        The receptor or the cell type is unknown; the nearest names are given.
    """
    return _level(receptor, cell_type)[0]


def _level(receptor: str, cell_type: str) -> tuple[float, str]:
    if receptor not in dict(_receptors()):
        raise unknown_name("receptor", receptor, dict(_receptors()))
    if cell_type not in CELL_TYPES:
        raise unknown_name("cell type", cell_type, CELL_TYPES)
    analogy = ANALOGIES.get(cell_type)
    level, source = _levels()[receptor, analogy.like if analogy else cell_type]
    return level, source + (f"; estimate by analogy with {analogy.like}" if analogy else "")


@functools.cache
def effects_on(cell_type: str) -> tuple[Effect, ...]:
    """Rows about a cell type: those that name it or its class, and those taken by analogy."""
    if cell_type not in CELL_TYPES:
        raise unknown_name("cell type", cell_type, CELL_TYPES)
    analogy = ANALOGIES.get(cell_type)
    chosen = []
    for effect in effects():
        if effect.cell_type == cell_type or cell_type in CLASSES.get(effect.cell_type, ()):
            chosen.append(effect)
        elif analogy and effect.name in analogy.effects:
            by = f"; estimate by analogy with {analogy.like}: {analogy.reason}"
            chosen.append(replace(effect, cell_type=cell_type, source=effect.source + by))
    return tuple(chosen)


@functools.cache
def expressed_by(cell_type: str) -> tuple[Expression, ...]:
    """The receptors of a cell type with their levels and their effects on it.

    Receptors that are expressed but have no row about this type are kept with no effects;
    those that are not expressed (level 0, and no row) are left out.

    Raises
    ------
    ModelError
        The cell type is unknown; the nearest names are given.
    """
    found = []
    for name, receptor in _receptors():
        level, source = _level(name, cell_type)
        mine = tuple(e for e in effects_on(cell_type) if e.receptor == name)
        if level > 0 or mine:
            found.append(Expression(receptor, level, mine, source=source))
    return tuple(found)


def cell_type_of(cell: Cell) -> str:
    """The cell type of the tables that a cell belongs to, or its name if it is of none.

    It is the name of the cell, or else the type that its effects are about.
    """
    if cell.name not in CELL_TYPES:
        for expression in cell.expression:
            for effect in expression.effects:
                if effect.cell_type in CELL_TYPES:
                    return effect.cell_type
    return cell.name


def neuron_class(cell: Cell) -> Literal["E", "I"]:
    """``"E"`` for pyramidal and other excitatory cells, else ``"I"``.

    Excitatory are the types of :data:`EXCITATORY` and every name that ends with ``PC``.
    """
    name = cell_type_of(cell)
    return "E" if name in EXCITATORY or name.endswith("PC") else "I"


def outside_cells() -> tuple[tuple[Effect, str], ...]:
    """Rows about no cell of a circuit (thalamic or monoamine terminals), each with the reason."""
    return tuple((e, OUTSIDE[e.cell_type]) for e in effects() if e.cell_type in OUTSIDE)
