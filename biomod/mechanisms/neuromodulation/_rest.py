"""Resting potential and input conductance of a cell without synapses and spikes.

Used to calibrate effects that the tables give as a shift of the resting potential or as a
fraction of the resting conductance. Gates take their steady state at the local voltage, so
spike-triggered conductances are closed.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import CodeType
from typing import Any

import numpy as np
import numpy.typing as npt

from biomod.model.cell import Cell
from biomod.model.channel import Channel

Array = npt.NDArray[np.float64]
Scales = Mapping[tuple[str, str], float]


def _exprel(x: float) -> float:
    return math.expm1(x) / x if x else 1.0


_FUNCTIONS: dict[str, Callable[[float], float]] = {
    "exp": math.exp,
    "log": math.log,
    "sqrt": math.sqrt,
    "tanh": math.tanh,
    "exprel": _exprel,
    "abs": abs,
}


@functools.lru_cache(maxsize=1024)
def _compiled(expression: str) -> CodeType:
    # Channel has checked that it is arithmetic over v, the constants and _FUNCTIONS.
    return compile(expression, "<steady state>", "eval")


@dataclass(frozen=True)
class _Conductance:
    where: int
    key: tuple[str, str]
    g_max: float
    reversal: float
    gates: tuple[tuple[CodeType, int], ...]
    names: Mapping[str, Any]

    def open(self, v: float) -> float:
        """Conductance in S at voltage v in V, all gates at their steady state."""
        g = self.g_max
        for code, power in self.gates:
            names = {**self.names, "v": v * 1e3}
            g *= float(eval(code, {"__builtins__": {}}, names)) ** power
        return g


class NoRest(Exception):
    """The resting potential of a cell could not be found."""


class Membrane:
    """The cell at rest: conductances per compartment and the couplings between them.

    Parameters
    ----------
    cell : Cell
        Any cell; receptors, dendritic spikes and the somatic spike play no part.
    """

    def __init__(self, cell: Cell) -> None:
        self.names = [c.name for c in cell.compartments]
        self.soma = self.names.index(cell.soma.name)
        self._leak = np.array([(c.g_leak * c.area).si for c in cell.compartments])
        self._e_leak = np.array([c.E_leak.si for c in cell.compartments])
        self._coupling = np.zeros((len(self.names), len(self.names)))
        for coupling in cell.couplings:
            i, j = self.names.index(coupling.a), self.names.index(coupling.b)
            g = cell.coupling_conductance(coupling).si
            self._coupling[[i, j], [i, j]] += g
            self._coupling[[i, j], [j, i]] -= g
        self._channels = [
            self._conductance(i, channel, compartment.area.si)
            for i, compartment in enumerate(cell.compartments)
            for channel in compartment.channels
        ]

    def _conductance(self, where: int, channel: Channel, area: float) -> _Conductance:
        constants = {c.name: c.value.to(c.unit) for c in channel.constants}
        return _Conductance(
            where,
            (self.names[where], channel.name),
            channel.g_max.si * area,
            channel.E_rev.si,
            tuple((_compiled(g.steady_state), g.power) for g in channel.gates),
            {**_FUNCTIONS, **constants},
        )

    def _open(self, v: Array, scales: Scales) -> tuple[Array, Array]:
        """Conductance per compartment, and conductance times reversal potential."""
        g, ge = self._leak.copy(), self._leak * self._e_leak
        for channel in self._channels:
            here = channel.open(float(v[channel.where])) * scales.get(channel.key, 1.0)
            g[channel.where] += here
            ge[channel.where] += here * channel.reversal
        return g, ge

    def rest(self, scales: Scales | None = None) -> Array:
        """Resting potential of every compartment in V.

        Solves ``(diag(g(v)) + L) v = g(v) E`` with the Laplacian L of the couplings by Newton's
        method with steps of at most 5 mV.

        Parameters
        ----------
        scales : mapping of (compartment, channel) to float, optional
            Factors on conductances.

        Raises
        ------
        NoRest
            No stationary point was found.
        """
        scales = scales or {}
        if not np.any(self._leak > 0):
            raise NoRest("no compartment has a leak")
        v = np.full(len(self.names), np.average(self._e_leak, weights=self._leak))
        h = 1e-6
        for _ in range(300):
            g, ge = self._open(v, scales)
            g2, ge2 = self._open(v + h, scales)
            current = g * v - ge + self._coupling @ v
            slope = (g2 * (v + h) - ge2 - (g * v - ge)) / h
            step = np.linalg.solve(np.diag(slope) + self._coupling, current)
            v = v - np.clip(step, -5e-3, 5e-3)
            if np.max(np.abs(step)) < 1e-10:
                return v
        raise NoRest("the resting potential does not settle")

    def input_conductance(self) -> float:
        """Conductance in S that the soma sees at rest, ``1 / R_in``.

        It is that of the linear matrix with every gate held at its steady state at rest.
        """
        g, _ = self._open(self.rest(), {})
        inverse = np.linalg.inv(np.diag(g) + self._coupling)
        return 1.0 / float(inverse[self.soma, self.soma])


def leak_scale(membrane: Membrane, keys: list[tuple[str, str]], shift: float) -> float | None:
    """Factor on the named conductances that moves the somatic resting potential by `shift` (V).

    Returns
    -------
    float or None
        None where no factor between 0 and 100 gives the shift.
    """
    start = membrane.rest()[membrane.soma]

    def error(scale: float) -> float:
        return float(membrane.rest(dict.fromkeys(keys, scale))[membrane.soma] - start - shift)

    # Closing potassium channels depolarises: the error falls as the factor grows.
    low, high = (0.0, 1.0) if shift > 0 else (1.0, 100.0)
    if error(low) < 0 or error(high) > 0:
        return None
    while high - low > 1e-9 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if error(middle) > 0 else (low, middle)
    return (low + high) / 2
