"""NMODL text of channels, calcium pools, synaptic receptors and gap junctions.

Parameters are RANGE variables, never text, so a mechanism depends only on the structure of what
it describes, and its name on its text: equal structures share a compiled mechanism, and different
ones live side by side in one process, where NEURON refuses two mechanisms of one name.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from biomod.mechanisms.passive import FARADAY
from biomod.model import Channel, Gate, SynapticReceptor

# Weights that arrive during one step are added as whole multiples of this (nS), which is exact
# whatever their order: spikes do not depend on how cells are spread over processes.
GRID = 2.0**-40
# Below this, (exp(x) - 1) / x is taken from its series; the error of either is below 1e-12.
SERIES_BELOW = 1e-3
_NAME = "__mechanism__"


@dataclass(frozen=True)
class Mechanism:
    """An NMODL source text and the name of the mechanism in it."""

    name: str
    text: str

    @classmethod
    def of(cls, label: str, template: str) -> Mechanism:
        """Name a text by its content."""
        digest = hashlib.sha256(template.encode()).hexdigest()[:12]
        name = f"bm_{label}_{digest}"
        return cls(name, template.replace(_NAME, name))


def state(gate: Gate) -> str:
    """Name of a gating variable in the mechanism of its channel."""
    return f"x_{gate.name}"


def channel_mechanism(channel: Channel) -> Mechanism:
    """The density mechanism of a channel.

    ``i = gbar prod(x**power) (v - e)``; gates with a time constant relax exactly for a voltage that
    stands still during the step (``cnexp``), the others follow at once. ``rates(v, cai)`` sets
    ``x_inf`` and ``x_tau`` (in ms, at the temperature of the cell through ``speed``).
    """
    moving = [g for g in channel.gates if g.tau]
    at_once = [g for g in channel.gates if not g.tau]
    calcium = channel.reads_calcium
    arguments, call = ("v (mV), cai (mM)", "v, cai") if calcium else ("v (mV)", "v")
    current = "ica" if channel.ion == "ca" else "i"
    ion = {True: "USEION ca READ cai VALENCE 2", False: ""}[calcium]
    if channel.ion == "ca":
        ion = "USEION ca WRITE ica VALENCE 2"
    else:
        ion += "\n    NONSPECIFIC_CURRENT i"
    constants = [f"k_{k.name}" for k in channel.constants]
    speeds = [f"speed_{g.name}" for g in moving if g.q10 != 1]
    rates = [f"{state(g)}_inf" for g in channel.gates] + [f"{state(g)}_tau" for g in moving]
    names = ["gbar", "e", *constants, *speeds, *rates]
    opened = "*".join(["gbar"] + [state(g) for g in channel.gates for _ in range(g.power)])
    lines = [
        f": {channel.name}: ohmic, one conductance for every compartment and cell that has it.",
        "NEURON {",
        f"    SUFFIX {_NAME}",
        f"    {ion.strip()}",
        f"    RANGE {', '.join(names)}",
        "    THREADSAFE",
        "}",
        "PARAMETER {",
        "    gbar = 0 (S/cm2)",
        "    e = 0 (mV)",
        *(f"    {name} = 1" for name in constants + speeds),
        "}",
        "ASSIGNED {",
        "    v (mV)",
        f"    {current} (mA/cm2)",
        "    g (S/cm2)",
        *(["    cai (mM)"] if calcium else []),
        *(f"    {name}" for name in rates + [state(g) for g in at_once]),
        "}",
    ]
    if moving:
        lines.append(f"STATE {{ {' '.join(state(g) for g in moving)} }}")
    lines += [
        "BREAKPOINT {",
        f"    CONDUCTANCE g{' USEION ca' if channel.ion == 'ca' else ''}",
        *(["    SOLVE gates METHOD cnexp"] if moving else []),
        *([f"    rates({call})"] if at_once else []),
        *(f"    {state(g)} = {state(g)}_inf" for g in at_once),
        f"    g = {opened}",
        f"    {current} = g*(v - e)",
        "}",
        "INITIAL {",
        *([f"    rates({call})"] if channel.gates else []),
        *(f"    {state(g)} = {state(g)}_inf" for g in channel.gates),
        "}",
    ]
    if moving:
        relax = [f"    {state(g)}' = ({state(g)}_inf - {state(g)})/{state(g)}_tau" for g in moving]
        lines += ["DERIVATIVE gates {", f"    rates({call})", *relax, "}"]
    if channel.gates:
        lines += [f"PROCEDURE rates({arguments}) {{", *_rates(channel), "}"]
    if any("exprel" in e for g in channel.gates for e in g.expressions):
        lines += _EXPREL
    return Mechanism.of(channel.name, "\n".join(lines) + "\n")


def _rates(channel: Channel) -> list[str]:
    writer = _Writer({k.name: f"k_{k.name}" for k in channel.constants})
    assigned = []
    for gate in channel.gates:
        assigned.append(f"    {state(gate)}_inf = {writer.write(gate.steady_state)}")
        if gate.tau:
            speed = f"/speed_{gate.name}" if gate.q10 != 1 else ""
            assigned.append(f"    {state(gate)}_tau = ({writer.write(gate.tau)}){speed}")
    declared = [f"    LOCAL {', '.join(writer.shared.values())}"] if writer.shared else []
    return [*declared, *(f"    {n} = {call}" for call, n in writer.shared.items()), *assigned]


class _Writer:
    """Writes expressions as NMODL; each call of a function that they share becomes a variable."""

    FUNCTIONS: Mapping[str, str] = {"abs": "fabs"}
    OPERATORS: Mapping[type[ast.AST], str] = {
        ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "^",
        ast.USub: "-", ast.UAdd: "+",
    }  # fmt: skip

    def __init__(self, names: Mapping[str, str]) -> None:
        self.names = names
        self.shared: dict[str, str] = {}

    def write(self, expression: str) -> str:
        return self._text(ast.parse(expression, mode="eval").body)

    def _text(self, node: ast.AST) -> str:
        match node:
            case ast.Constant(value=int() | float() as value):
                return repr(float(value))
            case ast.Name(id=name):
                return self.names.get(name, name)
            case ast.UnaryOp(op=op, operand=operand):
                return f"({self.OPERATORS[type(op)]}{self._text(operand)})"
            case ast.BinOp(left=left, op=op, right=right):
                return f"({self._text(left)} {self.OPERATORS[type(op)]} {self._text(right)})"
            case ast.Call(func=ast.Name(id=name), args=[argument]):
                call = f"{self.FUNCTIONS.get(name, name)}({self._text(argument)})"
                return self.shared.setdefault(call, f"f{len(self.shared)}")
        raise TypeError(f"not arithmetic: {ast.dump(node)}")


_EXPREL = [
    "FUNCTION exprel(x) {",
    f"    if (fabs(x) < {SERIES_BELOW}) {{",
    "        exprel = 1 + x/2*(1 + x/3*(1 + x/4))",
    "    } else {",
    "        exprel = (exp(x) - 1)/x",
    "    }",
    "}",
]


def pool_mechanism() -> Mechanism:
    """Free calcium under the membrane: the equation of :class:`~biomod.model.CalciumPool`."""
    # Current in mA/cm2 and depth in um: mol/m3 (mM) per ms is 1e4 i / (2 F depth).
    return Mechanism.of(
        "calcium",
        f""": Free calcium in a thin shell that calcium currents fill.
NEURON {{
    SUFFIX {_NAME}
    USEION ca READ ica WRITE cai VALENCE 2
    RANGE gamma, depth, tau, rest, start
    THREADSAFE
}}
PARAMETER {{
    gamma = 0.05
    depth = 0.1 (um)
    tau = 80 (ms)
    rest = 1e-4 (mM)
    start = 1e-4 (mM)
}}
ASSIGNED {{ ica (mA/cm2) }}
STATE {{ cai (mM) <1e-4> }}
BREAKPOINT {{ SOLVE shell METHOD cnexp }}
INITIAL {{ cai = start }}
DERIVATIVE shell {{
    cai' = -1e4*gamma*ica/(2*{FARADAY!r}*depth) - (cai - rest)/tau
}}
""",
    )


def receptor_mechanism(receptor: SynapticReceptor) -> Mechanism:
    """The point process that all synapses of a receptor in a compartment share.

    A spike of weight w (nS) opens ``w (exp(-t/tau_decay) - exp(-t/tau_rise)) / peak``. What
    arrives during a step is collected first and added to the states once, see :data:`GRID`; with
    a variable time step (``at_once = 1``) it is added when it arrives. A connection with
    ``tau_rec > 0`` has the short-term plasticity of
    :class:`~biomod.model.ShortTermPlasticity`, with its u and x in the weight vector.
    """
    rise, nmda = receptor.tau_rise is not None, receptor.kind == "NMDA"
    states = ["A", "B"] if rise else ["B"]
    names = ["e", "tau_decay", *(["tau_rise"] if rise else []), *(["mg"] if nmda else [])]
    peak = ["factor = 1"]
    if rise:
        peak = [
            "p = tau_rise*tau_decay/(tau_decay - tau_rise)*log(tau_decay/tau_rise)",
            "factor = 1/(exp(-p/tau_decay) - exp(-p/tau_rise))",
        ]
    opened = "(B - A)" if rise else "(B + arrived)"
    # Jahr & Stevens 1990, as in biomod.model.SynapticReceptor.
    block = "/(1 + mg/3.57*exp(-0.062*v))" if nmda else ""
    label = ("NMDA" if nmda else "synapse") + ("" if rise else "_at_once")
    return Mechanism.of(
        label,
        f""": One kind of synaptic receptor in one compartment.
NEURON {{
    POINT_PROCESS {_NAME}
    NONSPECIFIC_CURRENT i
    RANGE {", ".join(names)}, gain, at_once, factor
    THREADSAFE
}}
PARAMETER {{
    {" ".join(f"{n} = 1" for n in names)}
    gain = 1
    at_once = 0
}}
ASSIGNED {{ v (mV) i (nA) g (uS) factor arrived }}
STATE {{ {" ".join(states)} }}
INITIAL {{
    {"LOCAL p" if rise else ""}
    {" ".join(f"{s} = 0" for s in states)}
    arrived = 0
    {chr(10).join(peak)}
}}
BREAKPOINT {{
    CONDUCTANCE g
    SOLVE decay METHOD cnexp
    g = 0.001*gain*factor*{opened}{block}
    i = g*(v - e)
}}
DERIVATIVE decay {{
    {" ".join(f"{s} = {s} + arrived" for s in states)}
    arrived = 0
    {"A' = -A/tau_rise" if rise else ""}
    B' = -B/tau_decay
}}
NET_RECEIVE (w, U, U_rest, tau_rec (ms), tau_facil (ms), u, x, last (ms)) {{
    LOCAL size
    INITIAL {{ u = 0 x = 1 last = 0 }}
    size = w
    if (tau_rec > 0) {{
        u = u*exp(-(t - last)/tau_facil)
        x = 1 + (x - 1)*exp(-(t - last)/tau_rec)
        u = u + U*(1 - u)
        size = w*u*x/U_rest
        x = x - u*x
        last = t
    }}
    size = {GRID!r}*floor(size/{GRID!r} + 0.5)
    if (at_once > 0) {{
        {" ".join(f"{s} = {s} + size" for s in states)}
    }} else {{
        arrived = arrived + size
    }}
}}
""",
    )


def gap_mechanism() -> Mechanism:
    """One side of an electrical synapse: a current ``g (v_other - v)`` into its compartment."""
    return Mechanism.of(
        "gap",
        f""": One side of an electrical synapse.
NEURON {{
    POINT_PROCESS {_NAME}
    NONSPECIFIC_CURRENT i
    RANGE g, v_other
    THREADSAFE
}}
PARAMETER {{ g = 0 (uS) }}
ASSIGNED {{ v (mV) v_other (mV) i (nA) }}
BREAKPOINT {{
    CONDUCTANCE g
    i = g*(v - v_other)
}}
""",
    )
