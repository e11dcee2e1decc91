"""Where a cell rests, free or held."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from biomod.errors import ModelError
from biomod.mechanisms.passive._membrane import Membrane
from biomod.model import Cell, SynapticReceptor
from biomod.units import Quantity, as_quantity, parse_unit

# Relative precision of potentials, and the largest change of one in a step towards rest (V).
TOLERANCE = 1e-12
LARGEST_STEP = 5e-3
BLOCKS = 100  # times that the magnesium block follows the potential


def settle(m: Membrane, held: int | None = None, at: float = 0.0) -> np.ndarray:
    """Potentials at which no current flows, compartment `held` being clamped to `at`.

    Pseudo-transient continuation: implicit Euler steps that grow until they are Newton steps.
    Unlike plain Newton it ends in a state that is stable. (Kelley & Keyes 1998, SIAM J Numer
    Anal 35:508.)
    """
    v, dt = m.start.copy(), 1e-2
    free = np.arange(len(v)) != (-1 if held is None else held)
    if held is not None:
        v[held] = at
    if not free.any():
        return v
    coupling = m.laplacian()
    for _ in range(400):
        current, slope = m.current_and_slope(v)
        matrix = (coupling + np.diag(slope + m.capacitance / dt))[np.ix_(free, free)]
        try:
            # The system is the gradient flow of an energy; where that is not convex, an implicit
            # step would go uphill, and a shorter one is needed.
            np.linalg.cholesky(matrix)
        except np.linalg.LinAlgError:
            dt /= 10
            continue
        change = np.linalg.solve(matrix, current[free])
        size = float(np.abs(change).max())
        if size > LARGEST_STEP:
            # Still far, and the slope here tells little about there.
            v[free] += change * (LARGEST_STEP / size)
            dt /= 4
            continue
        v[free] += change
        if size <= TOLERANCE * max(float(np.abs(v).max()), 1e-3) and dt > 1e6:
            if np.linalg.eigvalsh((coupling + np.diag(slope))[np.ix_(free, free)])[0] > 0:
                return v
            break
        dt *= 10
    raise ModelError(
        f"cell {m.cell.name}: no stable resting potential was found; check that it has a leak and "
        "that inward conductances do not exceed it"
    )


def rest(cell: Cell) -> dict[str, float]:
    """Resting potential of every compartment, in V.

    Where all currents of a compartment, gates at their steady state, and the currents from its
    neighbours add up to zero; solved to a relative precision of 1e-12. Of several stable states
    the one that is reached from the reversal potentials of the leak; in a cell of fidelity hh,
    whose channels may hold it at a plateau besides, the most negative one.

    Raises
    ------
    ModelError
        There is no stable one, e.g. because the cell has no leak, or persistent inward current
        exceeds it everywhere.
    """
    return dict(_rest(cell))


@functools.lru_cache(maxsize=256)
def _rest(cell: Cell) -> dict[str, float]:
    """As :func:`rest`: every program of a cell asks for it again."""
    return by_name(cell, settle(Membrane.of(cell)))


def hold(cell: Cell, potential: Quantity | str) -> tuple[dict[str, float], Quantity]:
    """Potentials in V while the soma is held, and the constant somatic current that does it.

    Gates are at their steady state everywhere and the dendrites follow passively.

    Parameters
    ----------
    potential : quantity
        Somatic potential.

    Raises
    ------
    ModelError
        The dendrites have no stable potential.
    """
    m = Membrane.of(cell)
    v = settle_at(m, potential)
    current, _ = m.current_and_slope(v)
    injected = -float(current[m.index(cell.soma.name)])
    return by_name(cell, v), Quantity(injected, parse_unit("A")[1])


def driven(
    cell: Cell,
    opened: Mapping[tuple[str, str], tuple[SynapticReceptor, float]],
    ceiling: float,
) -> dict[str, float]:
    """Potentials in V where synapses keep a constant conductance open.

    Parameters
    ----------
    opened : mapping
        By compartment and a name, a receptor and what of it is open, in S; the magnesium block is
        that of the potential found.
    ceiling : float
        The soma is held at this potential (V) if it would be above.

    Raises
    ------
    ModelError
        There is no stable potential.
    """
    free = Membrane.of(cell)
    soma, v = free.index(cell.soma.name), settle(free)
    for _ in range(BLOCKS):
        g, gE = free.g.copy(), free.gE.copy()
        for (compartment, _name), (receptor, size) in opened.items():
            k = free.index(compartment)
            share = size * receptor.unblocked(float(v[k]))
            g[k] += share
            gE[k] += share * receptor.E_rev.si
        m = replace(free, g=g, gE=gE)
        found = settle(m)
        if found[soma] > ceiling:
            found = settle(m, soma, ceiling)
        change, v = float(np.abs(found - v).max()), found
        if change < 1e-6:
            break
    return by_name(cell, v)


def settle_at(m: Membrane, potential: Quantity | str | None) -> np.ndarray:
    if potential is None:
        return settle(m)
    at = as_quantity(potential, "mV", "holding potential").si
    return settle(m, m.index(m.cell.soma.name), at)


def by_name(cell: Cell, v: np.ndarray) -> dict[str, float]:
    return {c.name: float(x) for c, x in zip(cell.compartments, v, strict=True)}
