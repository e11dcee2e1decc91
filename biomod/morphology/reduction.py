"""A detailed cell reduced to a few compartments that behave alike at chosen sites."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg import eigh
from scipy.optimize import nnls
from scipy.sparse import csc_matrix
from scipy.sparse.linalg import splu

from biomod.errors import ModelError
from biomod.mechanisms import passive
from biomod.model import Cell, Channel, Coupling
from biomod.model._base import check_name
from biomod.morphology.detailed import DetailedCell, compartment
from biomod.morphology.grid import Grid, open_probability
from biomod.morphology.tree import Location
from biomod.units import as_quantity, nS

# Potentials (V) at which channels are compared, from rest to the peak of a spike.
HOLDING = (-75e-3, -55e-3, -35e-3, -15e-3)
FREQUENCIES = (0.0, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0)
MODES = 3
# A fit below this share of the largest density of its channel is none.
NEGLIGIBLE = 1e-6


@dataclass(frozen=True, eq=False)
class ReductionReport:
    """How far a reduced cell is from the detailed one.

    Attributes
    ----------
    sites : tuple of str
        Compartments of the reduced cell, the soma first.
    frequencies : array
        In Hz.
    detailed, reduced : complex arrays of shape (frequency, site, site)
        Impedances in ohm of the leak and the capacitances: input impedance on the diagonal.
    time_constants : array of shape (2, 3)
        Slowest time constants in s: of the detailed cell, and of the reduced one.
    at_rest : array of shape (2, site, site)
        The same at 0 Hz with the channels as open as they are at rest.
    rest : array of shape (2, site)
        Resting potentials in V.
    capacitances : str
        How the capacitances were found.
    """

    sites: tuple[str, ...]
    frequencies: np.ndarray
    detailed: np.ndarray
    reduced: np.ndarray
    time_constants: np.ndarray
    at_rest: np.ndarray
    rest: np.ndarray
    capacitances: str

    @property
    def magnitude_error(self) -> np.ndarray:
        """``|Z'| / |Z| - 1``, by frequency and pair of sites."""
        return np.asarray(np.abs(self.reduced) / np.abs(self.detailed) - 1)

    @property
    def attenuation(self) -> np.ndarray:
        """``V_j / V_i`` for steady current at i (row), of the detailed cell."""
        z = self.detailed[0].real
        return np.asarray(z.T / np.diag(z)[:, None])

    def __str__(self) -> str:
        lines = [f"reduced to {len(self.sites)} compartments: {', '.join(self.sites)}"]
        lines.append("frequency   largest error of |Z|   of them input    transfer to the soma")
        for f, error in zip(self.frequencies, np.abs(self.magnitude_error), strict=True):
            worst = (error.max(), np.diag(error).max(), error[0, 1:].max(initial=0.0))
            lines.append(f"{f:6g} Hz   " + "".join(f"{100 * e:12.3g} %     " for e in worst))
        for k, (full, short) in enumerate(self.time_constants.T, 1):
            lines.append(f"time constant {k}: {full * 1e3:.4g} ms, reduced {short * 1e3:.4g} ms")
        error = np.abs(self.at_rest[1] / self.at_rest[0] - 1).max()
        lines.append(f"with the channels open at rest, steady: {100 * error:.3g} %")
        lines.append(f"resting potential: {1e3 * np.abs(np.ptp(self.rest, axis=0)).max():.2g} mV")
        lines.append(f"capacitances: {self.capacitances}")
        return "\n".join(lines)


@dataclass(frozen=True, eq=False)
class Reduction:
    """A reduced cell, where its compartments lie, and what was lost.

    Attributes
    ----------
    cell : Cell
        Runs on every backend.
    locations : dict of str to Location or str
        Places of its compartments on the morphology.
    report : ReductionReport
        Differences from the detailed cell.
    """

    cell: Cell
    locations: Mapping[str, Location | str]
    report: ReductionReport


def reduce_tree(
    detailed: DetailedCell, sites: Mapping[str, Location], d_lambda: float = 0.02
) -> Reduction:
    """Reduce a detailed cell to the soma and chosen sites.

    The forks between them are kept too. Then the conductance matrix of the reduced cell is the
    inverse of the matrix of steady input and transfer resistances between the kept places,
    ``G' = Z**-1``, and has the form of a tree: input resistance, transfer and attenuation are
    those of the detailed cell, exactly. The capacitances follow from its slowest mode,
    ``C'_i = tau_0 (G' phi_0)_i / phi_0i``, which the reduced cell then has with the same time
    constant; where one would be negative, they are fitted to the mean delays ``Z C Z``
    between the sites with non-negative least squares. Every channel gets the densities for which
    ``(G' + g p(v)) Z(v) = 1`` holds best, in least squares over steady potentials v from -75 to
    -15 mV with the channel alone. Leak reversals are such that the cell rests as the detailed one.

    Parameters
    ----------
    detailed : DetailedCell
        What is to be reduced.
    sites : mapping of str to Location
        Names of the compartments to keep beside the soma, and where they lie.
    d_lambda : float
        Resolution of the detailed cell, see :meth:`DetailedCell.grid`. Sites move to the
        nearest compartment of it.

    Returns
    -------
    Reduction
        The cell, the locations, the remaining error.

    Raises
    ------
    ModelError
        Two sites fall on one compartment, or a name cannot be one.

    Notes
    -----
    The membrane between the kept places is lumped at them. So what is fast is approximate: local
    input impedance above some 100 Hz, and channels that depend on voltages between the sites.

    Source: Wybo et al. 2021, eLife 10:e60936, 10.7554/eLife.60936.
    """
    grid = detailed.grid(d_lambda)
    if not grid.leak.sum() > 0:
        raise ModelError(f"cell {detailed.name}: without a leak it has no input resistance")
    kept, parent = _kept(grid, sites)
    indices = list(kept.values())
    z = grid.impedance(indices).real
    conductance = np.linalg.inv(z)
    conductance = _as_tree((conductance + conductance.T) / 2, parent)
    capacitance, how = _capacitances(grid, indices, conductance)
    channels = _channels(grid, indices, conductance)
    rest = grid.rest()
    cell = _cell(detailed, grid, kept, parent, conductance, capacitance, channels, rest)
    report = _report(grid, kept, conductance, capacitance, channels, rest, how, cell)
    locations = {name: "soma" if i == 0 else Location(*grid.place[i]) for name, i in kept.items()}
    return Reduction(cell, locations, report)


def _kept(grid: Grid, sites: Mapping[str, Location]) -> tuple[dict[str, int], list[int]]:
    """Compartments to keep by name, the root first, and the reduced parent of each."""
    found = {grid.names[0] if grid.kinds[0] == "soma" else "root": 0}
    for name, location in sites.items():
        check_name(name, "site")
        node = grid.index(location)
        if name in found or node in found.values():
            taken = name if name in found else _name_of(found, node)
            raise ModelError(f"site {name} falls on the same compartment as {taken}")
        found[name] = node
    below: dict[int, set[int]] = {}
    for node in found.values():
        while node != 0:
            below.setdefault(int(grid.parent[node]), set()).add(node)
            node = int(grid.parent[node])
    forks = [i for i, kids in below.items() if len(kids) > 1 and i not in found.values()]
    for number, node in enumerate(sorted(forks), 1):
        name = f"fork{number}"
        if name in found:
            raise ModelError(f"site {name}: that is the name of a kept fork; choose another")
        found[name] = node
    order = list(found.values())
    parent = [-1]
    for node in order[1:]:
        up = int(grid.parent[node])
        while up not in order:
            up = int(grid.parent[up])
        parent.append(order.index(up))
    return found, parent


def _name_of(found: Mapping[str, int], node: int) -> str:
    return next(name for name, i in found.items() if i == node)


def _as_tree(conductance: np.ndarray, parent: Sequence[int]) -> np.ndarray:
    """The matrix without what is rounding error: entries between places that are no neighbours."""
    neighbours = np.eye(len(conductance), dtype=bool)
    for child, up in enumerate(parent):
        if up >= 0:
            neighbours[child, up] = neighbours[up, child] = True
    stray = np.abs(conductance[~neighbours]).max(initial=0.0)
    if stray > 1e-6 * np.abs(conductance).max():
        raise ModelError("the kept places do not form a tree")
    return np.where(neighbours, conductance, 0.0)


def _capacitances(
    grid: Grid, indices: Sequence[int], conductance: np.ndarray
) -> tuple[np.ndarray, str]:
    tau, modes = grid.modes(1)
    slowest = modes[indices, 0]
    found = tau[0] * (conductance @ slowest) / slowest
    if (found > 0).all():
        return found, "from the slowest mode"
    # d/ds of the impedance at s = 0 is -Z C Z, in the reduced cell with its few capacitances.
    columns = np.zeros((len(grid), len(indices)))
    columns[indices, np.arange(len(indices))] = 1.0
    full = splu(csc_matrix(grid.matrix())).solve(columns)
    delays = full.T @ (grid.capacitance[:, None] * full)
    z = np.linalg.inv(conductance)
    design = np.einsum("ik,kj->ijk", z, z).reshape(-1, len(indices))
    scale = delays.ravel()
    found, _ = nnls(design / scale[:, None], np.ones(len(scale)))
    # A compartment without any capacitance cannot be simulated.
    return np.maximum(found, 1e-3 * found.max()), "from mean delays"


def _channels(
    grid: Grid, indices: Sequence[int], conductance: np.ndarray
) -> list[tuple[Channel, np.ndarray]]:
    """Each channel and its maximal conductance (S) at the kept places."""
    unit = np.eye(len(indices))
    fitted = []
    for _, where, densities, channel in grid._channel_groups:
        over, under = np.zeros(len(indices)), np.zeros(len(indices))
        maximal = np.zeros(len(grid))
        maximal[where] = densities * grid.area[where]
        for v in HOLDING:
            p = float(open_probability(channel, np.array([v]), grid.cell)[0])
            z = grid.impedance(indices, membrane=grid.leak + p * maximal).real
            over += np.sum(p * z * (unit - conductance @ z), axis=1)
            under += np.sum((p * z) ** 2, axis=1)
        g = np.maximum(np.divide(over, under, out=np.zeros_like(over), where=under > 0), 0.0)
        fitted.append((channel, np.where(g > NEGLIGIBLE * g.max(initial=0.0), g, 0.0)))
    return fitted


def _cell(
    detailed: DetailedCell, grid: Grid, kept: Mapping[str, int], parent: Sequence[int],
    conductance: np.ndarray, capacitance: np.ndarray,
    channels: Sequence[tuple[Channel, np.ndarray]], rest: np.ndarray,
) -> Cell:  # fmt: skip
    names, indices = list(kept), list(kept.values())
    leak = conductance.sum(axis=1)
    v = rest[indices]
    inward = (leak * v) - conductance @ v  # from the neighbours
    for channel, g in channels:
        inward += g * open_probability(channel, v, detailed) * (channel.E_rev.si - v)
    reversal = v - inward / leak
    made = []
    for k, (name, i) in enumerate(kept.items()):
        kind = grid.kinds[i]
        membrane = detailed.membrane(kind)
        area = capacitance[k] / membrane.cm.si
        here = tuple(
            replace(c, g_max=g[k] / area * as_quantity("1 S/m2", "S/m2"))
            for c, g in channels
            if g[k] > 0
        )
        if any(c.reads_calcium or c.ion == "ca" for c in here) and membrane.calcium is None:
            pool = next(m.calcium for m in detailed.membranes.values() if m.calcium)
            membrane = replace(membrane, calcium=pool)
        made.append(
            compartment(name, "soma" if k == 0 else kind, area, grid.diameter[i], capacitance[k],
                        leak[k], reversal[k], membrane, here)
        )  # fmt: skip
    couplings = tuple(
        Coupling(names[up], names[k], g=-conductance[up, k] * 1e9 * nS)
        for k, up in enumerate(parent)
        if up >= 0
    )
    summary = f"{detailed.morphology.name} reduced to {len(made)} compartments"
    return Cell(detailed.name, tuple(made), couplings, fidelity="hh",
                temperature=detailed.temperature, summary=summary)  # fmt: skip


def _report(
    grid: Grid, kept: Mapping[str, int], conductance: np.ndarray, capacitance: np.ndarray,
    channels: Sequence[tuple[Channel, np.ndarray]], rest: np.ndarray, how: str, cell: Cell,
) -> ReductionReport:  # fmt: skip
    indices = list(kept.values())
    frequencies = np.array(FREQUENCIES)
    full = np.stack([grid.impedance(indices, f) for f in frequencies])
    short = np.stack([
        np.linalg.inv(conductance + 2j * np.pi * f * np.diag(capacitance)) for f in frequencies
    ])  # fmt: skip
    slow = np.full((2, MODES), np.nan)
    for row, tau in enumerate(
        (grid.modes(MODES)[0], 1 / eigh(conductance, np.diag(capacitance), eigvals_only=True))
    ):
        slow[row, : min(MODES, len(tau))] = tau[:MODES]
    opened = sum(grid.open_channels(rest).values(), np.zeros(len(grid)))
    at_rest = np.stack([
        grid.impedance(indices, membrane=grid.leak + opened).real,
        np.linalg.inv(conductance + np.diag(sum(
            (g * open_probability(c, rest[indices], grid.cell) for c, g in channels),
            np.zeros(len(indices)),
        ))),
    ])  # fmt: skip
    rests = np.stack([rest[indices], list(passive.rest(cell).values())])
    return ReductionReport(tuple(kept), frequencies, full, short, slow, at_rest, rests, how)
