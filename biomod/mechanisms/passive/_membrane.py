"""The membrane of a cell as arrays over its compartments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from biomod.errors import ModelError
from biomod.mechanisms.passive._expressions import gate_steady_state
from biomod.model import Cell, Channel, Compartment

FARADAY = 96485.33212  # C/mol
# Five-point stencil for slopes (mV): truncation and rounding are both near 1e-12 for kinetics
# that change over a few mV.
STENCIL = np.array([0.0, -0.02, -0.01, 0.01, 0.02])
SLOPE = np.array([0.0, 1.0, -8.0, 8.0, -1.0]) / 0.12


@dataclass(frozen=True, eq=False)
class _Kinetics:
    """Channels with the same gates, in several compartments: evaluated together."""

    channel: Channel
    where: np.ndarray
    g: np.ndarray
    E: np.ndarray

    def opening(self, v: np.ndarray, cai: np.ndarray | None = None) -> np.ndarray:
        """Steady-state fraction of g that is open, at voltages in V (last axis: `where`)."""
        return _opening(self.channel, v, cai)


def _opening(channel: Channel, v: np.ndarray, cai: np.ndarray | None = None) -> np.ndarray:
    fraction = np.ones(v.shape)
    for gate in channel.gates:
        fraction *= gate_steady_state(channel, gate, v, cai) ** gate.power
    return fraction


def steady_calcium(compartment: Compartment, v: Any) -> np.ndarray:
    """Free calcium (mM) that the calcium currents of a compartment sustain at `v` (V)."""
    pool = compartment.calcium
    v = np.asarray(v, dtype=float)
    if pool is None:
        raise ModelError(f"compartment {compartment.name} has no calcium pool")
    inward = np.zeros(v.shape)  # A/m2
    for channel in compartment.channels:
        if channel.ion == "ca":
            inward += channel.g_max.si * _opening(channel, v) * (channel.E_rev.si - v)
    gain = pool.gamma * pool.tau_decay.si / (2 * FARADAY * pool.depth.si)
    return np.asarray(pool.cai_rest.si + gain * inward)  # mol/m3 is mM


def _lowest_reversal(cell: Cell) -> float:
    """The most negative reversal potential of a current of the cell, in V."""
    found = [c.E_leak.si for c in cell.compartments if c.g_leak.si > 0]
    found += [k.E_rev.si for c in cell.compartments for k in c.channels if k.g_max.si > 0]
    return min(found, default=cell.soma.E_leak.si)


@dataclass(frozen=True, eq=False)
class Membrane:
    """A cell as arrays over its compartments, in SI."""

    cell: Cell
    capacitance: np.ndarray
    g: np.ndarray  # leak and channels without gates
    gE: np.ndarray
    start: np.ndarray
    kinetics: tuple[_Kinetics, ...]
    pairs: np.ndarray  # (couplings, 2)
    coupling: np.ndarray  # (couplings,)

    @classmethod
    def of(cls, cell: Cell) -> Membrane:
        parts = cell.compartments
        index = {c.name: i for i, c in enumerate(parts)}
        area = np.array([c.area.si for c in parts])
        leak = np.array([c.g_leak.si for c in parts]) * area
        reversal = np.array([c.E_leak.si for c in parts])
        start = reversal
        if cell.fidelity == "hh":
            start = np.full(len(parts), _lowest_reversal(cell))
        g, gE = leak.copy(), leak * reversal
        for i, part in enumerate(parts):
            for channel in part.channels:
                if not channel.gates:
                    g[i] += channel.g_max.si * area[i]
                    gE[i] += channel.g_max.si * area[i] * channel.E_rev.si
        pairs = np.array([(index[c.a], index[c.b]) for c in cell.couplings], dtype=int)
        return cls(
            cell=cell,
            capacitance=np.array([c.capacitance.si for c in parts]),
            g=g,
            gE=gE,
            start=start,
            kinetics=_group(parts, area),
            pairs=pairs.reshape(-1, 2),
            coupling=np.array([cell.coupling_conductance(c).si for c in cell.couplings]),
        )

    def index(self, name: str) -> int:
        """Index of a compartment; ``"soma"`` always finds the soma."""
        names = [c.name for c in self.cell.compartments]
        if name == "soma" and name not in names:
            name = self.cell.soma.name
        return names.index(self.cell.compartment(name).name)

    def laplacian(self) -> np.ndarray:
        """Couplings as a matrix: ``(L v)_i`` is the current that leaves i to its neighbours."""
        matrix = np.zeros((len(self.g), len(self.g)))
        for (i, j), g in zip(self.pairs, self.coupling, strict=True):
            matrix[[i, j], [i, j]] += g
            matrix[[i, j], [j, i]] -= g
        return matrix

    def opening(self, k: _Kinetics, v: np.ndarray) -> np.ndarray:
        """Open fraction of a group of channels, calcium where the voltage sustains it."""
        if not k.channel.reads_calcium:
            return k.opening(v)
        parts = [self.cell.compartments[i] for i in k.where]
        cai = [steady_calcium(part, v[..., i]) for i, part in enumerate(parts)]
        return k.opening(v, np.stack(cai, axis=-1))

    def conductances(self, v: np.ndarray) -> np.ndarray:
        """Membrane conductance of each compartment with all gates at their steady state at v."""
        total = self.g.copy()
        for k in self.kinetics:
            np.add.at(total, k.where, k.g * self.opening(k, v[k.where]))
        return total

    def current_and_slope(self, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Inward current of each compartment at v, and minus its derivative by its own v.

        Gates follow. Currents between compartments are in the current, not in the slope.
        """
        current, slope = self.gE - self.g * v, self.g.copy()
        for k in self.kinetics:
            local = v[k.where]
            fraction = self.opening(k, local + STENCIL[:, None] * 1e-3)
            change = SLOPE @ fraction * 1e3
            np.add.at(current, k.where, k.g * fraction[0] * (k.E - local))
            np.add.at(slope, k.where, k.g * (fraction[0] - change * (k.E - local)))
        # As differences, which are exact: with strong couplings L @ v would drown the rest.
        flow = self.coupling * (v[self.pairs[:, 1]] - v[self.pairs[:, 0]])
        np.add.at(current, self.pairs[:, 0], flow)
        np.add.at(current, self.pairs[:, 1], -flow)
        return current, slope


def _group(parts: tuple[Compartment, ...], area: np.ndarray) -> tuple[_Kinetics, ...]:
    found: dict[Any, list[tuple[int, Channel]]] = {}
    for i, part in enumerate(parts):
        for channel in part.channels:
            if channel.gates:
                found.setdefault((channel.gates, channel.constants), []).append((i, channel))
    return tuple(
        _Kinetics(
            channel=members[0][1],
            where=np.array([i for i, _ in members]),
            g=np.array([c.g_max.si * area[i] for i, c in members]),
            E=np.array([c.E_rev.si for _, c in members]),
        )
        for members in found.values()
    )
