"""How the equations of a cell are advanced by one time step."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from typing import Any

from biomod.backends.brian.equations import gate_expressions
from biomod.backends.brian.gaps import total as total_gap
from biomod.backends.parameters import dendrify_kind, from_soma
from biomod.model import Cell, Dendrite, SynapticReceptor
from biomod.model.cell import Compartment

Gaps = Mapping[str, Sequence[str]]
NO_GAPS: Gaps = {}
_SYNAPSE = re.compile(r"x_(?P<kind>[A-Za-z]+)_(?P<ident>\w+)")


def method_for(name: str, cell: Cell, gaps: Gaps = NO_GAPS) -> Any:
    """What Brian2 takes as the `method` of a neuron group of this cell.

    `gaps` are the variables that sum what flows through gap junctions, by compartment.
    """
    if name == "crank_nicolson":
        code = crank_nicolson(cell, gaps)
        return lambda equations, variables=None, method_options=None: code
    return {"exponential_euler": exponential_euler, "euler": "euler"}[name]


def exponential_euler(
    equations: Any, variables: Any = None, method_options: Mapping[str, Any] | None = None
) -> str:
    """Abstract code of one step, a state updater for Brian2.

    Membranes and gates advance as in Brian2's exponential Euler: exactly for conductances and
    time constants that stand still during the step. Conductances of two exponentials,
    ``dx/dt = -x/decay + s/ms; ds/dt = -s/rise``, are solved exactly together; one by one, the
    charge of a synapse with a rise time of 0.5 ms would be 10 % too large at a step of 0.1 ms.
    """
    from brian2.stateupdaters.exponential_euler import exponential_euler as one_by_one

    lines = one_by_one(equations, variables, method_options).split("\n")
    for name in sorted(equations.diff_eq_names):  # a set: its order differs between processes
        match = _SYNAPSE.fullmatch(name)
        if match is None:
            continue
        lines = [line for line in lines if not line.startswith((f"_BA_{name} =", f"_{name} ="))]
        # Before the first line that assigns the new value of s.
        lines.insert(0, f"_{name} = {_two_exponentials(match['kind'], match['ident'])}")
    return "\n".join(lines)


def _two_exponentials(kind: str, ident: str) -> str:
    rise, decay = f"t_{kind}_rise_{ident}", f"t_{kind}_decay_{ident}"
    return (
        f"x_{kind}_{ident}*exp(-dt/{decay}) + s_{kind}_{ident}/ms"
        f"*(exp(-dt/{decay}) - exp(-dt/{rise}))/(1/{rise} - 1/{decay})"
    )


def crank_nicolson(cell: Cell, gaps: Gaps = NO_GAPS) -> str:
    """Abstract code of one step of the staggered scheme of second order, as in NEURON.

    Gates, calcium and synaptic conductances live half a step ahead of the voltages. With them,
    an implicit half step of all voltages of the tree at once, ``(2 C / dt + G) u = 2 C / dt v + J``
    (G: conductances and couplings, J: reversal potentials times conductances, injected current),
    gives the voltages u in the middle of the step, and ``v <- 2 u - v``. Calcium then takes in
    the current at u, and gates relax exponentially towards their steady state at the new v. The
    system of equations is eliminated from the tips of the tree to the soma and solved back.

    Source: Hines 1984, Int J Biomed Comput 15:69, 10.1016/0020-7101(84)90008-4.
    """
    lines: list[str] = []
    for c in cell.compartments:
        own = "".join(f" + g_{k.a}_{k.b}" for k in cell.couplings if c.name in (k.a, k.b))
        lines += balance(c, own, gaps)
    lines += _elimination(cell)
    for c in cell.compartments:
        lines += completion(c)
    return "\n".join(lines)


def balance(c: Compartment, coupled: str, gaps: Gaps = NO_GAPS) -> list[str]:
    """Row of the implicit half step of a compartment: ``_G_ u - (couplings) = _J_``.

    `coupled` are the conductances to its neighbours, as terms of a sum.
    """
    terms = _conductances(c)
    total = " + ".join(g for g, _ in terms)
    driven = " + ".join(f"{g}*{E}" for g, E in terms)
    if c.name in gaps:
        total += f" + {total_gap(c.name)}"
        driven += "".join(f" + {inward}" for inward in gaps[c.name])
    return [
        f"_G_{c.name} = 2*C_{c.name}/dt + {total}{coupled}",
        f"_J_{c.name} = 2*C_{c.name}/dt*V_{c.name} + {driven} + I_ext_{c.name}",
    ]


def completion(c: Compartment) -> list[str]:
    """From the voltage ``_U_`` in the middle of the step to all states at its end."""
    synapses = [line for receptor in c.receptors for line in _synapse(c.name, receptor)]
    voltage = f"V_{c.name} = 2*_U_{c.name} - V_{c.name}"
    return [*_calcium(c), voltage, *_gates(c), *synapses]


def _conductances(c: Compartment) -> list[tuple[str, str]]:
    """Conductance and reversal potential of every current through the membrane."""
    terms = [(f"gL_{c.name}", f"EL_{c.name}")]
    for channel in c.channels:
        ident = f"{channel.name}_{c.name}"
        factors = [f"gmax_{ident}"]
        for gate in channel.gates:
            factors += [f"{gate.name}_{ident}"] * gate.power
        terms.append(("*".join(factors), f"E_{ident}"))
    for receptor in c.receptors:
        kind, ident = dendrify_kind(receptor.kind), f"{receptor.name}_{c.name}"
        state = "s" if receptor.tau_rise is None else "x"
        opened = f"g_{kind}_{ident}*w_{kind}_{ident}*{state}_{kind}_{ident}"
        opened += f"*block_{ident}" if kind == "NMDA" else ""
        terms.append((opened, f"E_{ident}"))
    if isinstance(c, Dendrite):
        for spike in c.spikes:
            ident = f"{spike.name}_{c.name}"
            terms += [(f"g_{phase}_{ident}", f"E_{phase}_{ident}") for phase in ("rise", "fall")]
    return terms


def _elimination(cell: Cell) -> list[str]:
    """Gaussian elimination along the tree: the voltages ``_U_`` in the middle of the step."""
    order = from_soma(cell)
    G = {c.name: f"_G_{c.name}" for c in cell.compartments}
    J = {c.name: f"_J_{c.name}" for c in cell.compartments}
    lines = []
    for number, (child, parent, g) in enumerate(reversed(order)):
        # New names: Brian2 refuses to assign twice to what has one value for all cells.
        before = G[parent], J[parent]
        G[parent], J[parent] = f"_G{number}_{parent}", f"_J{number}_{parent}"
        lines += [
            f"_F_{child} = {g}/{G[child]}",
            f"{G[parent]} = {before[0]} - {g}*_F_{child}",
            f"{J[parent]} = {before[1]} + {J[child]}*_F_{child}",
        ]
    soma = cell.soma.name
    lines.append(f"_U_{soma} = {J[soma]}/{G[soma]}")
    for child, parent, g in order:
        lines.append(f"_U_{child} = ({J[child]} + {g}*_U_{parent})/{G[child]}")
    return lines


def _calcium(c: Compartment) -> list[str]:
    if c.calcium is None:
        return []
    current = [
        f"{g}*({E} - _U_{c.name})"
        for channel, (g, E) in zip(c.channels, _conductances(c)[1:], strict=False)
        if channel.ion == "ca"
    ]
    n = c.name
    inward = " + ".join(current) or "0*amp"
    return [
        f"_ca_{n} = rest_calcium_{n} + gain_calcium_{n}*tau_calcium_{n}*({inward})",
        f"cai_{n} = _ca_{n} + (cai_{n} - _ca_{n})*exp(-dt/tau_calcium_{n})",
    ]


def _gates(c: Compartment) -> list[str]:
    lines = []
    for channel in c.channels:
        moving = [gate for gate in channel.gates if gate.tau]
        shared = _Shared(f"{channel.name}_{c.name}")
        updates = []
        for gate in moving:
            x = f"{gate.name}_{channel.name}_{c.name}"
            steady, tau = (shared.take(e) for e in gate_expressions(c.name, channel, gate))
            updates.append(f"{x} = {x} + (1 - exp(-dt/({tau})))*({steady} - {x})")
        lines += shared.lines + updates
    return lines


class _Shared:
    """Calls of functions that the gates of a channel have in common, each evaluated once."""

    def __init__(self, ident: str) -> None:
        self.ident = ident
        self.names: dict[str, str] = {}
        self.lines: list[str] = []

    def take(self, expression: str) -> str:
        """The expression with its outermost calls replaced by the names of their values."""
        return ast.unparse(_Replace(self).visit(ast.parse(expression, mode="eval")))

    def name(self, call: str) -> str:
        if call not in self.names:
            self.names[call] = f"_f{len(self.names)}_{self.ident}"
            self.lines.append(f"{self.names[call]} = {call}")
        return self.names[call]


class _Replace(ast.NodeTransformer):
    def __init__(self, shared: _Shared) -> None:
        self.shared = shared

    def visit_Call(self, node: ast.Call) -> ast.AST:
        return ast.Name(self.shared.name(ast.unparse(node)))


def _synapse(comp: str, receptor: SynapticReceptor) -> list[str]:
    kind, ident = dendrify_kind(receptor.kind), f"{receptor.name}_{comp}"
    s = f"s_{kind}_{ident}"
    if receptor.tau_rise is None:
        return [f"{s} = {s}*exp(-dt/t_{kind}_decay_{ident})"]
    return [
        f"x_{kind}_{ident} = {_two_exponentials(kind, ident)}",
        f"{s} = {s}*exp(-dt/t_{kind}_rise_{ident})",
    ]
