"""Where the states of a population start: every cell at its own resting potential."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from biomod.errors import ModelError
from biomod.mechanisms import passive
from biomod.model import Cell, Channel, Gate
from biomod.model.cell import Compartment
from biomod.model.channel import names_in
from biomod.units import parse_unit

# Largest change of a potential in one step of the search (V), and the last one that counts (V).
LARGEST_STEP, SMALLEST_STEP = 2e-3, 1e-12
ITERATIONS = 300


def resting_states(
    cell: Cell, values: Mapping[str, Any], size: int
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Resting potentials (V) by compartment, and gates in equilibrium there, of every cell.

    Parameters
    ----------
    cell : Cell
        The cell without variation.
    values : mapping
        Value of every variable of its equations, per cell where it varies.
    size : int
        Number of cells.

    Returns
    -------
    tuple of two dicts of str to array of shape (size,)
        By compartment, and by ``"compartment.channel.gate"``.

    Raises
    ------
    ModelError
        A cell has no resting potential near that of the unvaried cell.
    """
    names = [c.name for c in cell.compartments]
    found = passive.rest(cell)
    nominal = np.tile([found[n] for n in names], (size, 1))
    v = nominal
    if any(np.ndim(x) for x in values.values()) or not _balanced(cell, values, v[:1]):
        v = _settle(cell, values, nominal)
    if cell.soma.spike is not None:
        # What has no rest below threshold fires; it begins where the unvaried cell rests.
        fires = v[:, names.index(cell.soma.name)] >= values["spike_threshold"]
        v = np.where(fires[:, None], nominal, v)
    gates = {
        f"{c.name}.{channel.name}.{gate.name}": _steady(channel, gate, c, values, v[:, i])
        for i, c in enumerate(cell.compartments)
        for channel in c.channels
        for gate in channel.gates
    }
    calcium = {
        f"{c.name}.calcium.cai": _calcium(c, values, v[:, i])
        for i, c in enumerate(cell.compartments)
        if c.calcium is not None
    }
    return dict(zip(names, v.T, strict=True)), gates | calcium


def _balanced(cell: Cell, values: Mapping[str, Any], v: np.ndarray) -> bool:
    """Whether less than 0.1 fA flows."""
    return bool(np.abs(_current(cell, values, v)).max() < 1e-16)


def _settle(cell: Cell, values: Mapping[str, Any], v: np.ndarray) -> np.ndarray:
    """Implicit Euler steps that grow until they are Newton steps, all cells at once."""
    index = {c.name: i for i, c in enumerate(cell.compartments)}
    capacitance = _column(values, [f"C_{n}" for n in index], len(v))
    coupling = np.zeros((len(v), len(index), len(index)))
    for c in cell.couplings:
        i, j = index[c.a], index[c.b]
        g = np.broadcast_to(values[f"g_{c.a}_{c.b}"], len(v))
        for a, b in ((i, j), (j, i)):
            coupling[:, a, a] += g
            coupling[:, a, b] -= g
    dt = 1e-2
    h = 1e-6  # V
    for _ in range(ITERATIONS):
        current = _current(cell, values, v)
        slope = -(_membrane(cell, values, v + h) - _membrane(cell, values, v - h)) / (2 * h)
        diagonal = np.maximum(slope, 0.0) + capacitance / dt
        matrix = coupling + diagonal[:, :, None] * np.eye(len(index))
        change = np.linalg.solve(matrix, current[:, :, None])[:, :, 0]
        size = float(np.abs(change).max())
        v = v + np.clip(change, -LARGEST_STEP, LARGEST_STEP)
        if size < SMALLEST_STEP and dt > 1e3:
            return v
        dt *= 3.0
    raise ModelError(
        f"cell {cell.name}: with its variation and modulation, a cell has no stable resting "
        "potential; narrow its variations or lower the concentrations"
    )


def _current(cell: Cell, values: Mapping[str, Any], v: np.ndarray) -> np.ndarray:
    """Net inward current (A) of every compartment of every cell, gates at their steady state."""
    current = _membrane(cell, values, v)
    index = {c.name: i for i, c in enumerate(cell.compartments)}
    for c in cell.couplings:
        i, j = index[c.a], index[c.b]
        flow = values[f"g_{c.a}_{c.b}"] * (v[:, j] - v[:, i])
        current[:, i] += flow
        current[:, j] -= flow
    return current


def _membrane(cell: Cell, values: Mapping[str, Any], v: np.ndarray) -> np.ndarray:
    current = np.empty(v.shape)
    for i, c in enumerate(cell.compartments):
        local = v[:, i]
        current[:, i] = values[f"gL_{c.name}"] * (values[f"EL_{c.name}"] - local)
        for channel in c.channels:
            ident = f"{channel.name}_{c.name}"
            opened = values[f"gmax_{ident}"] * np.ones(len(local))
            for gate in channel.gates:
                opened = opened * _steady(channel, gate, c, values, local) ** gate.power
            current[:, i] += opened * (values[f"E_{ident}"] - local)
    return current


def _steady(
    channel: Channel, gate: Gate, comp: Compartment, values: Mapping[str, Any], v: np.ndarray
) -> np.ndarray:
    names = {
        k.name: values[f"{k.name}_{channel.name}_{comp.name}"] / parse_unit(k.unit)[0]
        for k in channel.constants
    }
    if "cai" in names_in(gate.steady_state):
        names["cai"] = _calcium(comp, values, v)
    return passive.evaluate(gate.steady_state, v * 1e3, names)


def _calcium(comp: Compartment, values: Mapping[str, Any], v: np.ndarray) -> np.ndarray:
    """Free calcium (mM) that the calcium currents of a compartment sustain."""
    inward = np.zeros(len(v))
    for channel in comp.channels:
        if channel.ion == "ca":
            ident = f"{channel.name}_{comp.name}"
            opened = values[f"gmax_{ident}"] * np.ones(len(v))
            for gate in channel.gates:
                opened = opened * _steady(channel, gate, comp, values, v) ** gate.power
            inward += opened * (values[f"E_{ident}"] - v)
    n = comp.name
    gain = values[f"gain_calcium_{n}"] * values[f"tau_calcium_{n}"]
    return np.asarray(values[f"rest_calcium_{n}"] + gain * inward)


def _column(values: Mapping[str, Any], names: list[str], size: int) -> np.ndarray:
    return np.stack([np.broadcast_to(values[n], size) for n in names], axis=1)
