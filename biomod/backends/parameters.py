"""Values of the variables in the equations of a cell, from its parameters.

The names are those of the equations that Brian2 gets; every simulator takes the values.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import fields
from typing import Any

import numpy as np

from biomod.errors import ModelError
from biomod.mechanisms.passive import FARADAY
from biomod.model import Cell, Compartment, Dendrite, PointSpike, SynapticReceptor

Array = Any  # float or (cells,) array of float, in SI units
Value = Callable[[str], Array]

NANOSIEMENS = 1e-9
POINT_SPIKE = tuple(f.name for f in fields(PointSpike))


def moving_rates(cell: Cell) -> frozenset[str]:
    """Decays of after-spike currents (``"k_1"``, ``"k_2"``) that receptors of a point cell change.

    The mean of such a current over a step is computed in every step, that of others once.
    """
    found = {e.target.rpartition(".")[2] for x in cell.expression for e in x.effects
             if ".spike." in e.target}  # fmt: skip
    return frozenset(found & {"k_1", "k_2"})


def brian_values(cell: Cell, value: Value, dt: float) -> dict[str, Array]:
    """Value of every parameter of :func:`~biomod.backends.brian.equations.cell_equations`.

    Parameters
    ----------
    cell : Cell
        Says which parameters there are.
    value : callable
        ``value(path)`` is the value of the parameter at a path, one number or one per cell.
    dt : float
        Time step in s: dendritic spikes are timed in steps.
    """
    values: dict[str, Array] = {}
    for c in cell.compartments:
        values |= _membrane(c, value)
        for receptor in c.receptors:
            values |= _receptor(c.name, receptor, value)
        if isinstance(c, Dendrite):
            for spike in c.spikes:
                values |= _dendritic_spike(c.name, spike.name, value, dt)
    for coupling in cell.couplings:
        g = _coupling(cell, coupling.key, coupling.a, coupling.b, coupling.g is not None, value)
        values[f"g_{coupling.a}_{coupling.b}"] = values[f"g_{coupling.b}_{coupling.a}"] = g
    values |= _somatic_spike(cell, value, dt)
    return values


def dendrify_kind(kind: str) -> str:
    """Kind of receptor whose equations Dendrify writes."""
    return "GABA" if kind == "GABA_B" else kind


def from_soma(cell: Cell) -> list[tuple[str, str, str]]:
    """Compartment, the next one towards the soma and their coupling, parents first."""
    neighbours: dict[str, list[tuple[str, str]]] = {c.name: [] for c in cell.compartments}
    for k in cell.couplings:
        g = f"g_{k.a}_{k.b}"
        neighbours[k.a].append((k.b, g))
        neighbours[k.b].append((k.a, g))
    order: list[tuple[str, str, str]] = []
    todo = [(cell.soma.name, "")]
    for parent, before in todo:
        for child, g in neighbours[parent]:
            if child != before:
                todo.append((child, parent))
                order.append((child, parent, g))
    return order


def jumping_gate(cell: Cell) -> str | None:
    """The first gate of a cell that jumps at its spikes, named for a message; None without one."""
    for c in cell.compartments:
        for channel in c.channels:
            for gate in channel.gates:
                if gate.spike_jump > 0:
                    return f"{gate.name} of {c.name}.{channel.name} of {cell.name}"
    return None


def area(name: str, value: Value) -> Array:
    """Membrane area of a compartment in m2."""
    length, diameter = value(f"{name}.length"), value(f"{name}.diameter")
    return np.pi * value(f"{name}.area_factor") * length * diameter


def _membrane(c: Compartment, value: Value) -> dict[str, Array]:
    n = c.name
    surface = area(n, value)
    values = {
        f"C_{n}": value(f"{n}.cm") * surface,
        f"gL_{n}": value(f"{n}.g_leak") * surface,
        f"EL_{n}": value(f"{n}.E_leak"),
    }
    for channel in c.channels:
        ident = f"{channel.name}_{n}"
        values[f"gmax_{ident}"] = value(f"{n}.{channel.name}.g_max") * surface
        values[f"E_{ident}"] = value(f"{n}.{channel.name}.E_rev")
        for constant in channel.constants:
            values[f"{constant.name}_{ident}"] = value(f"{n}.{channel.name}.{constant.name}")
        for gate in channel.gates:
            if gate.spike_jump > 0:
                jump = value(f"{n}.{channel.name}.{gate.name}.spike_jump")
                values[f"jump_{gate.name}_{ident}"] = jump
            if gate.q10 != 1:
                path = f"{n}.{channel.name}"
                warmer = value("temperature") - value(f"{path}.celsius")
                values[f"speed_{gate.name}_{ident}"] = value(f"{path}.{gate.name}.q10") ** (
                    warmer / 10
                )
    if c.calcium is not None:
        path = f"{n}.calcium"
        shell = 2 * FARADAY * value(f"{path}.depth") * surface
        values[f"gain_calcium_{n}"] = value(f"{path}.gamma") / shell  # mM per coulomb
        values[f"tau_calcium_{n}"] = value(f"{path}.tau_decay")
        values[f"rest_calcium_{n}"] = value(f"{path}.cai_rest")  # mol/m3, which is mM
    return values


def _receptor(comp: str, receptor: SynapticReceptor, value: Value) -> dict[str, Array]:
    path, ident = f"{comp}.{receptor.name}", f"{receptor.name}_{comp}"
    kind = dendrify_kind(receptor.kind)
    decay = value(f"{path}.tau_decay")
    values = {
        f"E_{ident}": value(f"{path}.E_rev"),
        f"t_{kind}_decay_{ident}": decay,
        f"w_{kind}_{ident}": value(f"{path}.gain"),
        # Synaptic variables count nS, so that a weight of 1 is a peak conductance of 1 nS.
        f"g_{kind}_{ident}": NANOSIEMENS,
    }
    if receptor.tau_rise is not None:
        rise = value(f"{path}.tau_rise")
        values[f"t_{kind}_rise_{ident}"] = rise
        values[f"g_{kind}_{ident}"] = NANOSIEMENS / _dendrify_peak(rise, decay)
    if kind == "NMDA":
        values[f"mg_{ident}"] = value(f"{path}.mg")  # mol/m3, which is mM
    return values


def _dendrify_peak(rise: Array, decay: Array) -> Array:
    """Peak of Dendrify's x after a unit jump of s: ``dx/dt = -x/decay + s/ms; ds/dt = -s/rise``."""
    t_peak = decay * rise / (decay - rise) * np.log(decay / rise)
    height = decay * rise / (decay - rise) / 1e-3
    return height * (np.exp(-t_peak / decay) - np.exp(-t_peak / rise))


def _dendritic_spike(comp: str, name: str, value: Value, dt: float) -> dict[str, Array]:
    path, ident = f"{comp}.{name}", f"{name}_{comp}"
    return {
        f"Vth_{ident}": value(f"{path}.threshold"),
        f"g_rise_max_{ident}": value(f"{path}.g_rise"),
        f"g_fall_max_{ident}": value(f"{path}.g_fall"),
        f"E_rise_{ident}": value(f"{path}.E_rise"),
        f"E_fall_{ident}": value(f"{path}.E_fall"),
        f"duration_rise_{ident}": steps(value(f"{path}.duration_rise"), dt),
        f"duration_fall_{ident}": steps(value(f"{path}.duration_fall"), dt),
        f"offset_fall_{ident}": steps(value(f"{path}.offset_fall"), dt),
        f"refractory_{ident}": steps(value(f"{path}.refractory"), dt),
    }


def _somatic_spike(cell: Cell, value: Value, dt: float) -> dict[str, Array]:
    spike, soma = cell.soma.spike, cell.soma.name
    if spike is None:
        return {"spike_detection": value("spike_detection")}
    if isinstance(spike, PointSpike):
        return _point_spike(cell, f"{soma}.spike", value, dt)
    names = ["threshold", "reset", "refractory"]
    values = {f"spike_{name}": value(f"{soma}.spike.{name}") for name in names}
    if spike.peak is not None:
        values["spike_peak"] = value(f"{soma}.spike.peak")
        values["spike_width"] = steps(value(f"{soma}.spike.width"), dt)
    return values


def _point_spike(cell: Cell, path: str, value: Value, dt: float) -> dict[str, Array]:
    values = {f"spike_{name}": value(f"{path}.{name}") for name in POINT_SPIKE}
    for name in sorted({"k_1", "k_2"} - moving_rates(cell)):
        decay = values[f"spike_{name}"] * dt
        values[f"spike_mean_{name[-1]}"] = -np.expm1(-decay) / decay
    # Brian2 counts from the beginning of the step of the spike.
    values["spike_refractory"] = (steps(values["spike_refractory"], dt) + 1) * dt
    return values


def _coupling(cell: Cell, key: str, a: str, b: str, given: bool, value: Value) -> Array:
    if given:
        return value(f"{key}.g")

    def resistance(n: str) -> Array:
        length, diameter = value(f"{n}.length"), value(f"{n}.diameter")
        return 4 * value(f"{n}.r_axial") * length / (np.pi * diameter**2)

    return 2 / (resistance(a) + resistance(b))


def steps(duration: Array, dt: float) -> Array:
    """A duration in whole time steps, as Brian2 rounds it."""
    whole = np.floor(np.asarray(duration) / dt + 0.5 + 1e-3)
    return whole if whole.ndim else float(whole)


def linear_variable(cell: Cell, path: str) -> tuple[str, str | None]:
    """Variable that a modulated parameter is, and the compartment whose area multiplies it.

    Modulators act on parameters that enter the equations linearly; others are refused.
    """
    head, _, rest = path.partition(".")
    part, _, field = rest.partition(".")
    point = isinstance(cell.soma.spike, PointSpike)
    may_change: Collection[str] = ("threshold", "reset", "refractory")
    if point:
        may_change = {*POINT_SPIKE} - {"k_1", "k_2"} | moving_rates(cell)
    if head == cell.soma.name and part == "spike" and field in may_change:
        return f"spike_{field}", None
    compartment = cell.compartment(head)
    if rest in ("g_leak", "E_leak"):
        return (f"gL_{head}", head) if rest == "g_leak" else (f"EL_{head}", None)
    ident = f"{part}_{head}"
    if any(ch.name == part for ch in compartment.channels):
        return (f"gmax_{ident}", head) if field == "g_max" else (f"{field}_{ident}", None)
    for receptor in compartment.receptors:
        if receptor.name == part and field == "gain":
            return f"w_{dendrify_kind(receptor.kind)}_{ident}", None
    renamed: Mapping[str, str] = {
        "g_rise": f"g_rise_max_{ident}",
        "g_fall": f"g_fall_max_{ident}",
        "threshold": f"Vth_{ident}",
    }
    if isinstance(compartment, Dendrite) and field in renamed:
        return renamed[field], None
    raise ModelError(f"{path} of {cell.name} cannot be changed while a simulation runs")
