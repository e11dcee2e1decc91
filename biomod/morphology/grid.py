"""A detailed cell cut into compartments, and the linear theory of its passive membrane.

Compartments lie around nodes. The first is the soma. A section that begins at the soma has its
nodes at 1/2, 3/2, … of their spacing and one at its end; one that begins at a fork shares the node
of the fork, whose membrane is half a compartment of each section that meets there. So every pair of
neighbours is joined by the true resistance between them, forks and ends included, and the error is
of second order in the spacing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import eigsh, splu

from biomod.errors import ModelError, unknown_name
from biomod.mechanisms import passive
from biomod.model import Channel
from biomod.morphology.tree import Location, Section
from biomod.units import as_quantity

if TYPE_CHECKING:
    from biomod.morphology.detailed import DetailedCell

# Search of the resting potential: largest step and last one that counts, in V.
LARGEST_STEP, SMALLEST_STEP = 5e-3, 1e-11


@dataclass(frozen=True, eq=False)
class Grid:
    """Compartments of a detailed cell; SI units.

    Attributes
    ----------
    names, kinds : tuple of str
        Of each compartment; the first is the root.
    parent : int array
        Next compartment towards the root, -1 of the root.
    axial : float array
        Conductance to the parent in S.
    area, capacitance, leak, E_leak, diameter : float arrays
        Membrane area (m²), capacitance (F), leak conductance (S) and its reversal potential (V),
        local diameter (m).
    shares : tuple of dict
        Membrane area (m²) by kind of section; of most compartments one kind.
    place : tuple
        Section and relative distance; the soma is ``("soma", 0)``.
    """

    names: tuple[str, ...]
    kinds: tuple[str, ...]
    parent: np.ndarray
    axial: np.ndarray
    area: np.ndarray
    capacitance: np.ndarray
    leak: np.ndarray
    E_leak: np.ndarray
    diameter: np.ndarray
    shares: tuple[Mapping[str, float], ...]
    place: tuple[tuple[str, float], ...]
    cell: DetailedCell

    def __len__(self) -> int:
        return len(self.parent)

    @classmethod
    def of(cls, cell: DetailedCell, counts: Mapping[str, int]) -> Grid:
        """Cut each section into that many equal pieces."""
        nodes = _Nodes(cell)
        for section in _from_root(cell.morphology.sections):
            nodes.section(section, counts[section.name])
        return nodes.grid()

    # geometry -------------------------------------------------------------------------------
    def index(self, location: Location | str) -> int:
        """Compartment nearest to a location; ``"soma"`` is the root."""
        if isinstance(location, str):
            if location != "soma":
                raise unknown_name("location", location, ["soma", "Location(section, x)"])
            return 0
        section = self.cell.morphology.section(location.section)
        near = [
            (abs(x - location.x), i)
            for i, (name, x) in enumerate(self.place)
            if name == section.name
        ]
        if section.parent:
            near.append((location.x, self.index(Location(section.parent, 1.0))))
        elif self.place[0][0] == section.name:
            near.append((location.x, 0))
        return min(near)[1]

    def channels_at(self, i: int) -> tuple[Channel, ...]:
        """Channels of a compartment, their densities averaged over the kinds of membrane in it."""
        found: dict[str, tuple[Channel, float]] = {}
        for kind, area in self.shares[i].items():
            for channel in self.cell.membrane(kind).channels:
                known, total = found.get(channel.name, (channel, 0.0))
                if replace(known, g_max=channel.g_max) != channel:
                    raise ModelError(
                        f"cell {self.cell.name}: compartment {self.names[i]} has membrane of two "
                        f"kinds, whose channels {channel.name} differ in more than density"
                    )
                found[channel.name] = (known, total + area * channel.g_max.si)
        density = {n: g / self.area[i] for n, (_, g) in found.items()}
        unit = as_quantity("1 S/m2", "S/m2")
        return tuple(replace(c, g_max=density[n] * unit) for n, (c, _) in found.items())

    # linear theory --------------------------------------------------------------------------
    @cached_property
    def laplacian(self) -> sparse.csc_array:
        """Axial conductances as a matrix: ``(L v)_i = sum_j g_ij (v_i - v_j)``."""
        i = np.arange(1, len(self))
        j, g = self.parent[1:], self.axial[1:]
        rows = np.concatenate([i, j, i, j])
        columns = np.concatenate([i, j, j, i])
        values = np.concatenate([g, g, -g, -g])
        return sparse.csc_array((values, (rows, columns)), shape=(len(self), len(self)))

    def matrix(self, membrane: np.ndarray | None = None) -> sparse.csc_array:
        """Conductance matrix; of the leak unless other membrane conductances (S) are given."""
        diagonal = self.leak if membrane is None else membrane
        return sparse.csc_array(self.laplacian + sparse.diags_array(diagonal))

    def impedance(
        self, sites: Sequence[int], frequency: float = 0.0, membrane: np.ndarray | None = None
    ) -> np.ndarray:
        """Input and transfer impedances in ohm between compartments at a frequency (Hz).

        ``Z_ij`` is the voltage at site i for a current of 1 A at site j.
        """
        system = self.matrix(membrane).astype(complex)
        system = system + 2j * np.pi * frequency * sparse.diags_array(self.capacitance)
        current = np.zeros((len(self), len(sites)), dtype=complex)
        current[list(sites), np.arange(len(sites))] = 1.0
        voltage = splu(sparse.csc_matrix(system)).solve(current)
        return np.asarray(voltage[list(sites)])

    def modes(self, number: int = 1) -> tuple[np.ndarray, np.ndarray]:
        """Slowest time constants (s), falling, and their voltages (compartments x number).

        Solutions of ``G phi = C phi / tau`` with ``phi^T C phi = 1``.
        """
        number = min(number, len(self))
        root = 1 / np.sqrt(self.capacitance)
        scaled = sparse.csc_array(self.matrix().multiply(root[:, None]).multiply(root[None, :]))
        if len(self) <= max(50, number + 2):
            rates, vectors = np.linalg.eigh(scaled.toarray())
        else:
            rates, vectors = eigsh(sparse.csc_matrix(scaled), k=number, sigma=0.0, which="LM")
        order = np.argsort(rates)[:number]
        return 1 / rates[order], vectors[:, order] * root[:, None]

    def open_channels(self, v: np.ndarray) -> dict[str, np.ndarray]:
        """Conductance (S) of every channel at voltages v (V), gates in their steady state.

        Gates that read calcium have that of the pool at rest.
        """
        found: dict[str, np.ndarray] = {}
        for name, indices, densities, channel in self._channel_groups:
            opened = densities * self.area[indices]
            opened = opened * open_probability(channel, v[indices], self.cell)
            found.setdefault(name, np.zeros(len(self)))[indices] += opened
        return found

    @cached_property
    def _channel_groups(self) -> list[tuple[str, np.ndarray, np.ndarray, Channel]]:
        """Channels of equal kinetics: name, compartments, densities (S/m²), one of them."""
        groups: dict[Any, tuple[Channel, list[int], list[float]]] = {}
        for i in range(len(self)):
            for c in self.channels_at(i):
                key = c.with_(g_max="1 uS/cm2")
                _, indices, densities = groups.setdefault(key, (c, [], []))
                indices.append(i)
                densities.append(c.g_max.si)
        return [(c.name, np.array(i), np.array(g), c) for c, i, g in groups.values()]

    def rest(self) -> np.ndarray:
        """Resting potential of every compartment in V, gates in their steady state.

        Raises
        ------
        ModelError
            There is none near the reversal potential of the leak.
        """
        v = self.E_leak.copy()
        dt = 1e-2
        for _ in range(200):
            current = self._current(v)
            slope = (self._membrane_current(v - 1e-6) - self._membrane_current(v + 1e-6)) / 2e-6
            diagonal = np.maximum(slope, 0.0) + self.capacitance / dt
            step = splu(sparse.csc_matrix(self.matrix(diagonal))).solve(current)
            v = v + np.clip(step, -LARGEST_STEP, LARGEST_STEP)
            if np.abs(step).max() < SMALLEST_STEP and dt > 1e3:
                return v
            dt *= 3.0
        raise ModelError(f"cell {self.cell.name}: no resting potential found")

    def _membrane_current(self, v: np.ndarray) -> np.ndarray:
        total = self.leak * (self.E_leak - v)
        for _, indices, densities, channel in self._channel_groups:
            p = open_probability(channel, v[indices], self.cell)
            total[indices] += densities * self.area[indices] * p * (channel.E_rev.si - v[indices])
        return total

    def _current(self, v: np.ndarray) -> np.ndarray:
        return np.asarray(self._membrane_current(v) - self.laplacian @ v)


def open_probability(channel: Channel, v: np.ndarray, cell: DetailedCell) -> np.ndarray:
    """Share of open channels at voltages v (V), with calcium at the resting level of the pools."""
    cai = None
    if channel.reads_calcium:
        pools = [m.calcium.cai_rest.to("mM") for m in cell.membranes.values() if m.calcium]
        cai = np.full_like(v, np.mean(pools))
    opened = np.ones_like(v)
    for gate in channel.gates:
        opened = opened * passive.gate_steady_state(channel, gate, v, cai) ** gate.power
    return opened


def _from_root(sections: Sequence[Section]) -> Iterator[Section]:
    """Parents before their children, otherwise in the order given."""
    by_parent: dict[str, list[Section]] = {}
    for s in sections:
        by_parent.setdefault(s.parent, []).append(s)
    todo = [""]
    while todo:
        for s in by_parent.get(todo.pop(0), []):
            yield s
            todo.append(s.name)


class _Nodes:
    """Collects the compartments of a grid."""

    def __init__(self, cell: DetailedCell) -> None:
        self.cell = cell
        self.names: list[str] = []
        self.kinds: list[str] = []
        self.parent: list[int] = []
        self.axial: list[float] = []
        self.diameter: list[float] = []
        self.shares: list[dict[str, float]] = []
        self.place: list[tuple[str, float]] = []
        self.end: dict[str, int] = {}
        soma = cell.morphology.soma_area
        if soma is not None:
            self.add("soma", "soma", -1, 0.0, float(np.sqrt(soma.si / np.pi)), ("soma", 0.0))
            self.shares[0]["soma"] = soma.si * cell.membrane("soma").area_factor

    def add(
        self, name: str, kind: str, parent: int, axial: float, diameter: float,
        place: tuple[str, float],
    ) -> int:  # fmt: skip
        self.names.append(name)
        self.kinds.append(kind)
        self.parent.append(parent)
        self.axial.append(axial)
        self.diameter.append(diameter)
        self.shares.append({})
        self.place.append(place)
        return len(self.names) - 1

    def section(self, section: Section, count: int) -> None:
        """Nodes of a section, and the membrane around them."""
        at_soma = not section.parent and self.cell.morphology.soma_area is not None
        if at_soma:  # spacing h with (count - 1) h + h / 2 = 1
            h = 1 / (count + 0.5)
            places = [h * (k + 0.5) for k in range(count + 1)]
            edges = [0.0, *(h * (k + 1) for k in range(count)), 1.0]
            previous, before = 0, 0.0
        else:
            h = 1 / count
            places = [h * k for k in range(1, count + 1)]
            edges = [h / 2, *(h * (k + 0.5) for k in range(1, count)), 1.0]
            if section.parent:
                previous = self.end[section.parent]
            else:
                diameter = 2e-6 * float(section.radii[0])
                previous = self.add(
                    f"{section.name}x0", section.kind, -1, 0.0, diameter, (section.name, 0.0)
                )
            before = 0.0
            self._membrane(previous, section, 0.0, h / 2)
        resistivity = self.cell.membrane(section.kind).r_axial.si
        along = np.concatenate([[0.0], np.cumsum(section.steps)]) / section.length
        for k, x in enumerate(places):
            g = 1 / (resistivity * section.axial(before, x) * 1e6)
            diameter = 2e-6 * float(np.interp(x, along, section.radii))
            node = self.add(
                f"{section.name}x{k + 1}", section.kind, previous, g, diameter, (section.name, x)
            )
            self._membrane(node, section, edges[k], edges[k + 1])
            previous, before = node, x
        self.end[section.name] = previous

    def _membrane(self, node: int, section: Section, start: float, stop: float) -> None:
        area = section.areas(start, stop) * 1e-12
        area *= self.cell.membrane(section.kind).area_factor
        shares = self.shares[node]
        shares[section.kind] = shares.get(section.kind, 0.0) + area

    def grid(self) -> Grid:
        """Sum what the kinds of membrane contribute to each compartment."""

        def total(what: str) -> np.ndarray:
            return np.array([
                sum(a * getattr(self.cell.membrane(k), what).si for k, a in s.items())
                for s in self.shares
            ])  # fmt: skip

        leak = total("g_leak")
        driven = np.array([
            sum(
                a * self.cell.membrane(k).g_leak.si * self.cell.membrane(k).E_leak.si
                for k, a in s.items()
            )
            for s in self.shares
        ])  # fmt: skip
        first = np.array([self.cell.membrane(k).E_leak.si for k in self.kinds])
        return Grid(
            tuple(self.names), tuple(self.kinds), np.array(self.parent), np.array(self.axial),
            np.array([sum(s.values()) for s in self.shares]), total("cm"), leak,
            np.where(leak > 0, driven / np.where(leak > 0, leak, 1.0), first),
            np.array(self.diameter), tuple(self.shares), tuple(self.place), self.cell,
        )  # fmt: skip
