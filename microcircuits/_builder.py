"""Build a circuit of any size from the tables of counts and connectivity.

Size. ``cells=N`` keeps the density of cells, so the side of the sheet follows from N. Every
projection keeps the in-degree that it has in an unlimited sheet, ``2 pi sigma**2 density p_max``:
in a sheet that is smaller than the reach of the axons the connection probabilities are raised by a
common factor, and where even all-to-all is too few the weights are raised instead. Mean input
is thus the same at every size; correlations grow as the circuit shrinks.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cell_types
from biomod.errors import ModelError
from biomod.mechanisms.connectivity import reference_in_degree
from biomod.mechanisms.passive import weight_for_psp
from biomod.model import Background, Cell, Circuit, Population, Projection, ShortTermPlasticity
from biomod.units import mm, ms, mV, nS, um
from microcircuits._tables import SOURCE, Connection, connections, densities

# Weight of NMDA relative to AMPA in the peak conductance, by postsynaptic cell. Pyramidal cells
# 0.7: Markram et al. 2015 (0.8, from memory); PV cells have little NMDA; others estimates.
NMDA_SHARE = {"PV_basket": 0.2, "SST_Martinotti": 0.7, "VIP": 0.5}
NMDA_SHARE_PYRAMIDAL = 0.7
# Inhibitory responses were recorded near -55 mV (Campagnola et al. 2022, from memory).
INHIBITORY_HOLDING = -55 * mV
# Conduction velocity of unmyelinated intracortical axons, estimate.
VELOCITY = 300 * um / ms
# The table's amplitude of VIP -> pyramidal synapses is that of all interneurons pooled (its note),
# which PV and SST cells dominate. VIP cells hardly inhibit pyramidal cells: Pfeffer et
# al. 2013, 10.1038/nn.3446; Pi et al. 2013, 10.1038/nature12676. The factor is an estimate.
VIP_ONTO_PYRAMIDAL = 0.2
# Rows with p_max of 2e-5 stand for "none found".
NO_CONNECTION = 1e-4

_PYRAMIDAL_TARGETS = {
    "basal": (("basal", 1.0),),
    "basal+apical_oblique": (("basal", 0.7), ("trunk", 0.3)),
    "soma_perisomatic": (("soma", 1.0),),
    "apical_tuft": (("tuft", 1.0),),
    "dendrite": (("basal", 0.5), ("trunk", 0.5)),
}
_TARGETS: Mapping[str, Mapping[str, tuple[tuple[str, float], ...]]] = {
    "PV_basket": {"dendrite": (("proximal", 0.5), ("distal", 0.5)), "soma": (("soma", 1.0),)},
    "SST_Martinotti": {"dendrite": (("dend", 1.0),), "soma": (("soma", 1.0),)},
    "VIP": {"dendrite": (("dend", 1.0),), "soma": (("soma", 1.0),)},
}


@dataclass(frozen=True)
class Part:
    """One population: its name, class in the tables, cell type, layer and background input."""

    name: str
    table: str
    cell_type: str
    layer: str
    backgrounds: tuple[Background, ...] = ()


def build(
    name: str,
    parts: Sequence[Part],
    cells: int,
    seed: int,
    summary: str,
    heterogeneous: bool = True,
) -> Circuit:
    """A circuit of `cells` cells from its parts.

    Raises
    ------
    ModelError
        `cells` is too small to have one cell of every population.
    """
    density = densities()
    sizes = split(cells, {p.name: density[p.table] for p in parts})
    total = sum(density[p.table] for p in parts)
    types = {p.cell_type: cell_types.get(p.cell_type) for p in parts}
    populations = tuple(
        Population(p.name, types[p.cell_type], sizes[p.name], p.layer, heterogeneous, p.backgrounds)
        for p in parts
    )
    unit = _UnitWeights()
    projections = []
    for pre in parts:
        for post in parts:
            row = connections().get((pre.table, post.table))
            if row is not None and row.p_max > NO_CONNECTION:
                post_cell = types[post.cell_type]
                projections.append(_projection(pre, post, row, post_cell, density[pre.table], unit))
    side = math.sqrt(cells / total) * 1e3 * um
    return Circuit(name, populations, tuple(projections), side=side, seed=seed, summary=summary)


def split(cells: int, weights: Mapping[str, float]) -> dict[str, int]:
    """Divide `cells` in proportion to the weights, at least one each (largest remainders)."""
    if isinstance(cells, bool) or int(cells) != cells or cells < len(weights):
        raise ModelError(
            f"cells must be a whole number of at least {len(weights)} (one per population); "
            f"{cells!r} was given"
        )
    total = sum(weights.values())
    exact = {n: cells * w / total for n, w in weights.items()}
    sizes = {n: max(1, int(x)) for n, x in exact.items()}
    over = sum(sizes.values()) - cells
    # What the smallest populations were given too much is taken where it is missed least.
    for _ in range(over):
        spare = max((n for n in sizes if sizes[n] > 1), key=lambda n: sizes[n] - exact[n])
        sizes[spare] -= 1
    # Largest first: what the rounding left over.
    order = sorted(exact, key=lambda n: exact[n] - sizes[n], reverse=True)
    for n in order[: max(0, -over)]:
        sizes[n] += 1
    return sizes


def _projection(
    pre: Part, post: Part, row: Connection, cell: Cell, density: float, unit: _UnitWeights
) -> Projection:
    excitatory = pre.cell_type not in _TARGETS
    targets = _TARGETS.get(post.cell_type, _PYRAMIDAL_TARGETS)[row.target]
    share = NMDA_SHARE.get(post.cell_type, NMDA_SHARE_PYRAMIDAL)
    receptors = (("AMPA", 1.0), ("NMDA", share)) if excitatory else (("GABA", 1.0),)
    pooled = pre.cell_type == "VIP" and post.cell_type not in _TARGETS
    amplitude = row.psp_mV * (VIP_ONTO_PYRAMIDAL if pooled else 1.0)
    in_degree = reference_in_degree(row.p_max, row.sigma_um * um, density / mm**2)
    return Projection(
        pre=pre.name,
        post=post.name,
        p_max=row.p_max,
        sigma=row.sigma_um * um,
        in_degree=in_degree,
        weight=unit.per_millivolt(cell, targets, receptors, excitatory) * amplitude * nS,
        weight_shape=row.shape,
        compartments=targets,
        receptors=receptors,
        delay=row.latency_ms * ms,
        velocity=VELOCITY,
        stp=ShortTermPlasticity(
            U=row.U, tau_rec=row.tau_rec_ms * ms, tau_facil=row.tau_facil_ms * ms
        ),
        source=SOURCE,
    )


class _UnitWeights:
    """Peak conductance per millivolt of somatic PSP, computed once per kind of synapse.

    PSPs of a fraction of a millivolt are proportional to the conductance within about 2 %.
    """

    REFERENCE = 0.2  # mV

    def __init__(self) -> None:
        self._known: dict[tuple[object, ...], float] = {}

    def per_millivolt(
        self,
        cell: Cell,
        targets: tuple[tuple[str, float], ...],
        receptors: tuple[tuple[str, float], ...],
        excitatory: bool,
    ) -> float:
        key = (cell.name, targets, receptors)
        if key not in self._known:
            holding = None if excitatory else INHIBITORY_HOLDING
            amplitude = self.REFERENCE * mV
            weight = weight_for_psp(cell, targets, receptors, amplitude, holding=holding)
            self._known[key] = weight.to("nS") / self.REFERENCE
        return self._known[key]
