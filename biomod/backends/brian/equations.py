"""From a cell's description to Brian2 equations, by way of Dendrify.

Dendrify writes the membrane, coupling, synaptic and dendritic-spike equations. Three of its
limits are lifted here: every name in its equations becomes a variable of the neuron group (Dendrify
keeps parameters in a shared namespace), reversal potentials belong to one compartment (Dendrify
shares them between compartments, the last one wins), and ionic channels are added.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from biomod.backends.parameters import dendrify_kind, moving_rates
from biomod.errors import BackendError
from biomod.model import Cell, Channel, Compartment, Dendrite, Gate, PointSpike, SomaticSpike

# Constants of the magnesium block of the NMDA receptor: Jahr & Stevens 1990, J Neurosci 10:3178.
MAGNESIUM_BLOCK = {"Alpha_NMDA": 0.062, "Beta_NMDA": 3.57, "Gamma_NMDA": 0.0}


@dataclass(frozen=True)
class CellEquations:
    """What Brian2 needs of one cell structure; no parameter value is in it.

    Attributes
    ----------
    model : str
        Equations without the declarations of parameters.
    parameters : dict of str to str
        Name of every parameter and its unit in Brian2's words.
    states : dict of str to str
        Name of every state variable and what it is, e.g. ``{"V_soma": "soma.v"}``.
    threshold, reset, refractory : str
        For the somatic spike; empty for cells whose spikes are not reset.
    events : dict
        Custom events (dendritic spikes, end of the somatic spike): condition and action.
    initial : dict
        Starting values that differ from 0, as numbers.
    """

    model: str
    parameters: Mapping[str, str]
    states: Mapping[str, str]
    threshold: str
    reset: str
    refractory: str
    events: Mapping[str, tuple[str, str]]
    initial: Mapping[str, float] = field(default_factory=dict)


def structure(cell: Cell) -> tuple[object, ...]:
    """What decides the equations of a cell: two cells with equal structure share a program."""
    compartments = []
    for c in cell.compartments:
        spikes = tuple(s.name for s in c.spikes) if isinstance(c, Dendrite) else ()
        channels = tuple(kinetics(channel) for channel in c.channels)
        receptors = tuple((r.name, r.kind, r.tau_rise is not None) for r in c.receptors)
        compartments.append((c.name, channels, receptors, spikes, c.calcium is not None))
    somatic = cell.soma.spike
    couplings = tuple((c.a, c.b) for c in cell.couplings)
    shape = somatic.peak is not None if isinstance(somatic, SomaticSpike) else None
    return (tuple(compartments), couplings, type(somatic).__name__, shape, moving_rates(cell))


def kinetics(channel: Channel) -> tuple[object, ...]:
    """What of a channel is in its equations, not a value."""
    gates = (
        (g.name, g.steady_state, g.tau, g.power, g.spike_jump > 0, g.q10 != 1)
        for g in channel.gates
    )
    constants = tuple((k.name, k.unit) for k in channel.constants)
    return channel.name, channel.ion == "ca", tuple(gates), constants


def cell_equations(cell: Cell) -> CellEquations:
    """Equations, events and reset of a cell."""
    return _Writer(cell).write()


class _Writer:
    """Builds the equations of one cell compartment by compartment."""

    def __init__(self, cell: Cell) -> None:
        self.cell = cell
        self.parameters: dict[str, str] = {}
        self.states: dict[str, str] = {}
        self.events: dict[str, tuple[str, str]] = {}
        self.initial: dict[str, float] = {}
        self.resets: list[str] = []

    def write(self) -> CellEquations:
        from brian2 import nS

        dendrified = {c.name: self._dendrify(c) for c in self.cell.compartments}
        for coupling in self.cell.couplings:
            dendrified[coupling.a].connect(dendrified[coupling.b], g=nS)  # its value is not used
            self.parameters[f"g_{coupling.a}_{coupling.b}"] = "siemens"
            self.parameters[f"g_{coupling.b}_{coupling.a}"] = "siemens"
        texts = [self._finish(c, dendrified[c.name]) for c in self.cell.compartments]
        if isinstance(self.cell.soma.spike, PointSpike):
            texts[0] = self._point(texts[0], self.cell.soma.name)
        threshold, reset, refractory = self._spike()
        return CellEquations(
            model="\n\n".join(texts),
            parameters=self.parameters,
            states=self.states,
            threshold=threshold,
            reset=reset,
            refractory=refractory,
            events=self.events,
            initial=self.initial,
        )

    def _dendrify(self, compartment: Compartment) -> Any:
        import dendrify
        from brian2 import ms

        # Dendrify must see that a time constant exists; its value is not used.
        kind = dendrify.Dendrite if isinstance(compartment, Dendrite) else dendrify.Soma
        made = kind(compartment.name, "passive")
        for receptor in compartment.receptors:
            rise = {"t_rise": ms} if receptor.tau_rise is not None else {}
            kind_ = dendrify_kind(receptor.kind)
            made.synapse(kind_, tag=receptor.name, t_decay=ms, **rise)
        if isinstance(compartment, Dendrite):
            for spike in compartment.spikes:
                made.dspikes(spike.name)
        return made

    def _finish(self, compartment: Compartment, dendrified: Any) -> str:
        name = compartment.name
        text = str(dendrified.equations)
        self.parameters |= {f"C_{name}": "farad", f"gL_{name}": "siemens", f"EL_{name}": "volt"}
        self.states[f"V_{name}"] = f"{name}.v"
        # assemble.py defines the right-hand side as the injected current, or as zero.
        declared = rf"^I_ext_{name}  :amp$"
        text = re.sub(declared, f"I_ext_{name} = {STIMULUS}_{name} :amp", text, flags=re.M)
        for receptor in compartment.receptors:
            text = self._receptor(
                text, name, dendrify_kind(receptor.kind), receptor.name, receptor.tau_rise
            )
        if isinstance(compartment, Dendrite):
            for spike in compartment.spikes:
                text = self._dendritic_spike(text, name, spike.name, dendrified)
        for channel in compartment.channels:
            text = self._channel(text, name, channel)
        if compartment.calcium is not None:
            text = self._calcium(text, compartment)
        return text

    def _receptor(self, text: str, comp: str, kind: str, tag: str, rise: object) -> str:
        ident = f"{tag}_{comp}"
        lines = []
        for line in text.split("\n"):
            if line.startswith(f"I_{kind}_{ident} ="):
                line = line.replace(f"E_{kind}", f"E_{ident}").replace("Mg_con", f"mg_{ident}")
                if kind == "NMDA":
                    line, block = _hoist_block(line, ident)
                    lines.append(block)
            lines.append(line)
        self.parameters |= {
            f"E_{ident}": "volt",
            f"g_{kind}_{ident}": "siemens",
            f"w_{kind}_{ident}": "1",
            f"t_{kind}_decay_{ident}": "second",
        }
        if kind == "NMDA":
            self.parameters[f"mg_{ident}"] = "1"
        self.states[f"s_{kind}_{ident}"] = f"{comp}.{tag}.s"
        variable = f"s_{kind}_{ident}"
        if rise is not None:
            self.parameters[f"t_{kind}_rise_{ident}"] = "second"
            variable = f"x_{kind}_{ident}"
        self.states[variable] = f"{comp}.{tag}.g"
        # For recordings: x has a height that depends on the time constants.
        lines.append(f"{CONDUCTANCE}{variable} = g_{kind}_{ident} * {variable} :siemens")
        return "\n".join(lines)

    def _dendritic_spike(self, text: str, comp: str, name: str, dendrified: Any) -> str:
        ident = f"{name}_{comp}"
        for phase in ("rise", "fall"):
            text = text.replace(f"(E_{phase}_{name}-V_{comp})", f"(E_{phase}_{ident}-V_{comp})")
            self.parameters[f"E_{phase}_{ident}"] = "volt"
            self.parameters[f"g_{phase}_max_{ident}"] = "siemens"
            self.parameters[f"duration_{phase}_{ident}"] = "1"
        self.parameters |= {
            f"Vth_{ident}": "volt", f"offset_fall_{ident}": "1", f"refractory_{ident}": "1",
        }  # fmt: skip
        event = f"spike_{ident}"
        self.events[event] = (dendrified.events[event], dendrified._event_actions[event])
        # A spike long ago, so that the first one is not refractory.
        self.initial[f"spiketime_{ident}"] = -1e9
        self.initial[f"gate_{ident}"] = 0.0
        return text

    def _channel(self, text: str, comp: str, channel: Channel) -> str:
        ident = f"{channel.name}_{comp}"
        current = f"I_{ident}"
        conductance = f"gmax_{ident}"
        self.parameters |= {conductance: "siemens", f"E_{ident}": "volt"}
        for constant in channel.constants:
            self.parameters[f"{constant.name}_{ident}"] = _brian_unit(constant.unit)
        factors = [conductance]
        lines = []
        for gate in channel.gates:
            variable = f"{gate.name}_{ident}"
            factors.append(variable if gate.power == 1 else f"{variable}**{gate.power}")
            lines.append(self._gate(variable, comp, channel, gate))
            if gate.tau:
                self.states[variable] = f"{comp}.{channel.name}.{gate.name}"
        head = f"= I_ext_{comp}"
        text = text.replace(head, f"{head} + {current}", 1)
        lines.insert(0, f"{current} = {' * '.join(factors)} * (E_{ident} - V_{comp}) :amp")
        return "\n".join([text, *lines])

    def _gate(self, variable: str, comp: str, channel: Channel, gate: Gate) -> str:
        steady, tau = gate_expressions(comp, channel, gate)
        if not gate.tau:
            return f"{variable} = {steady} :1 (constant over dt)"
        if gate.spike_jump > 0:
            jump = f"jump_{variable}"
            self.parameters[jump] = "1"
            self.resets.append(f"{variable} += {jump} * (1 - {variable})")
        if gate.q10 != 1:
            self.parameters[f"speed_{variable}"] = "1"
        return f"d{variable}/dt = (({steady}) - {variable}) / ({tau}) :1"

    def _calcium(self, text: str, compartment: Compartment) -> str:
        comp = compartment.name
        self.parameters |= {
            f"gain_calcium_{comp}": "1/coulomb",
            f"tau_calcium_{comp}": "second",
            f"rest_calcium_{comp}": "1",
        }
        self.states[f"cai_{comp}"] = f"{comp}.calcium.cai"
        carried = [f"I_{c.name}_{comp}" for c in compartment.channels if c.ion == "ca"]
        return "\n".join([
            text,
            f"I_ca_{comp} = {' + '.join(carried) or '0*amp'} :amp",
            f"dcai_{comp}/dt = gain_calcium_{comp} * I_ca_{comp} "
            f"- (cai_{comp} - rest_calcium_{comp}) / tau_calcium_{comp} :1",
        ])  # fmt: skip

    def _point(self, text: str, soma: str) -> str:
        """The soma with after-spike currents and moving threshold, all still after a spike."""
        self.parameters |= {
            "spike_threshold": "volt", "spike_refractory": "second", "spike_f_v": "1",
            "spike_dv": "volt", "spike_dtheta": "volt", "spike_a_v": "hertz",
            "spike_current": "amp",
        }  # fmt: skip
        self.parameters |= {f"spike_{name}": "hertz" for name in ("b_s", "b_v", "k_1", "k_2")}
        lines, means, moving = [], [], moving_rates(self.cell)
        for j in (1, 2):
            self.parameters |= {f"spike_dI_{j}": "amp", f"spike_f_{j}": "1"}
            # The currents decay during a step; the membrane gets their mean over it.
            if f"k_{j}" in moving:
                means.append(f"exprel(-spike_k_{j} * dt) * after_{j}")
            else:
                self.parameters[f"spike_mean_{j}"] = "1"
                means.append(f"spike_mean_{j} * after_{j}")
            lines.append(f"dafter_{j}/dt = -spike_k_{j} * after_{j} :amp (unless refractory)")
        entering = " + ".join([f"= I_ext_{soma}", "spike_current", *means])
        text = text.replace(f"= I_ext_{soma}", entering, 1)
        text = re.sub(rf"^(dV_{soma}/dt.*:volt)\s*$", r"\1 (unless refractory)", text, flags=re.M)
        self.states |= {
            "after_1": f"{soma}.spike.I_1", "after_2": f"{soma}.spike.I_2",
            "theta_s": f"{soma}.spike.theta_s", "theta_v": f"{soma}.spike.theta_v",
        }  # fmt: skip
        return "\n".join([
            text, *lines,
            "dtheta_s/dt = -spike_b_s * theta_s :volt (unless refractory)",
            f"dtheta_v/dt = spike_a_v * (V_{soma} - EL_{soma}) - spike_b_v * theta_v :volt "
            "(unless refractory)",
        ])  # fmt: skip

    def _point_spike(self, soma: str) -> tuple[str, str, str]:
        reset = [
            f"V_{soma} = EL_{soma} + spike_f_v * (V_{soma} - EL_{soma}) - spike_dv",
            "theta_s += spike_dtheta",
            *(f"after_{j} = spike_f_{j} * after_{j} + spike_dI_{j}" for j in (1, 2)),
        ]
        above = f"V_{soma} >= spike_threshold + theta_s + theta_v"
        return above, "\n".join([*reset, *self.resets]), "spike_refractory"

    def _spike(self) -> tuple[str, str, str]:
        spike = self.cell.soma.spike
        soma = self.cell.soma.name
        if isinstance(spike, PointSpike):
            return self._point_spike(soma)
        if spike is None:
            self.parameters["spike_detection"] = "volt"
            above = f"V_{soma} >= spike_detection"
            # What is above the threshold counts as refractory: one spike for each crossing.
            return above, "\n".join(self.resets), above
        self.parameters |= {
            "spike_threshold": "volt", "spike_reset": "volt", "spike_refractory": "second",
        }  # fmt: skip
        if spike.peak is None:
            first = f"V_{soma} = spike_reset"
        else:
            self.parameters |= {"spike_peak": "volt", "spike_width": "1"}
            first = f"V_{soma} = spike_peak\nspiketime = t_in_timesteps"
            # Dendrify does this with a delayed self-synapse, which fails in standalone mode.
            self.events["repolarise"] = (
                "t_in_timesteps == spiketime + spike_width",
                f"V_{soma} = spike_reset",
            )
            self.initial["spiketime"] = -1e9
        return f"V_{soma} >= spike_threshold", "\n".join([first, *self.resets]), "spike_refractory"


def _hoist_block(line: str, ident: str) -> tuple[str, str]:
    """The NMDA current and, on a line of its own, its magnesium block.

    The block is evaluated once at the start of each step, which leaves the membrane equation linear
    in the voltage; exponential Euler needs that.
    """
    match = re.search(r"/ (\(1 \+ .*/ Beta_NMDA\)) \*", line)
    if match is None:
        raise BackendError(f"this version of Dendrify writes its NMDA current as {line!r}")
    block = f"block_{ident}"
    current = line.replace(f"/ {match[1]} *", f"* {block} *")
    return current, f"{block} = 1 / {match[1]} :1 (constant over dt)"


STIMULUS = "I_stim"
CONDUCTANCE = "G_"


def gate_expressions(comp: str, channel: Channel, gate: Gate) -> tuple[str, str]:
    """Steady state and time constant (with its unit) of a gate in the variables of its cell."""
    names = {"v": f"(V_{comp}/mV)", "cai": f"cai_{comp}"}
    for constant in channel.constants:
        unit = _brian_unit(constant.unit)
        name = f"{constant.name}_{channel.name}_{comp}"
        names[constant.name] = name if unit == "1" else f"({name}/({_in_brian(constant.unit)}))"
    steady = substitute(gate.steady_state, names)
    if not gate.tau:
        return steady, ""
    speed = f" / speed_{gate.name}_{channel.name}_{comp}" if gate.q10 != 1 else ""
    return steady, f"({substitute(gate.tau, names)})*ms{speed}"


def _brian_unit(unit: str) -> str:
    return {
        "mV": "volt", "ms": "second", "1": "1", "": "1", "uS/cm2": "siemens/meter**2",
        "mM": "mole/meter**3",
    }.get(unit, "1")  # fmt: skip


def _in_brian(unit: str) -> str:
    return {"mV": "mV", "ms": "ms", "uS/cm2": "usiemens/cmeter**2", "mM": "(mole/meter**3)"}[unit]


def substitute(expression: str, names: Mapping[str, str]) -> str:
    """The expression with its names replaced; ``x**2`` and functions stay as they are."""
    tree = ast.parse(expression, mode="eval")
    found = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}
    for name in sorted(found & set(names), key=len, reverse=True):
        expression = re.sub(rf"\b{name}\b", f"\0{name}\0", expression)
    for name in found & set(names):
        expression = expression.replace(f"\0{name}\0", names[name])
    return expression
