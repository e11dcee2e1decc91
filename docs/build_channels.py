"""Draw every channel of the library and write the page that describes them.

``python docs/build_channels.py`` writes ``docs/figures/channels/*.svg``: steady state and time
constant at 34 degrees of every gate, from the expressions that the simulators get. The text goes
into ``docs/tables/channels.md``, which the page includes. Sphinx calls both at each build.
"""

from __future__ import annotations

import inspect
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import analysis
from biomod.mechanisms import channels as library
from biomod.mechanisms import passive
from biomod.model import Channel, Gate
from biomod.units import parse_unit

FOLDER = Path(__file__).resolve().parent / "figures" / "channels"
TEMPERATURE = 34.0
V = np.linspace(-120.0, 40.0, 400) + 0.013  # mV
CAI = np.geomspace(1e-5, 1e-1, 400)  # mM
LEVELS = (1e-4, 1e-3, 1e-2)  # mM, for a gate that voltage and calcium open together


def draw(name: str, channel: Channel) -> Figure | None:
    """Steady state and time constant of the gates of a channel; None if it has none."""
    if not channel.gates:
        return None
    with analysis.style.context():
        figure = Figure(figsize=(5.6, 2.2), layout="constrained")
        steady, tau = figure.subplots(1, 2)
        for number, gate in enumerate(channel.gates):
            _gate(steady, tau, channel, gate, f"C{number}")
        by_calcium = all(_only_calcium(g) for g in channel.gates)
        label = "free calcium (mM)" if by_calcium else "membrane potential (mV)"
        steady.set(xlabel=label, ylabel="steady state", ylim=(0, 1.02))
        tau.set(xlabel=label, ylabel="time constant (ms)")
        if not any(gate.tau for gate in channel.gates):
            tau.set_axis_off()
            tau.text(0.5, 0.5, "instantaneous", ha="center", transform=tau.transAxes)
        elif np.ptp(np.concatenate([line.get_ydata() for line in tau.lines])) > 0:
            tau.set(yscale="log")
        else:
            tau.set(ylim=(0, None))
        steady.legend(fontsize=6)
    return figure


def _only_calcium(gate: Gate) -> bool:
    from biomod.model.channel import names_in

    names = set().union(*(names_in(e) for e in gate.expressions))
    return "cai" in names and "v" not in names


def _gate(steady: Axes, tau: Axes, channel: Channel, gate: Gate, colour: str) -> None:
    constants = {c.name: c.value.si / parse_unit(c.unit)[0] for c in channel.constants}
    speed = channel.speed(gate, TEMPERATURE)
    if _only_calcium(gate):
        curves = [(CAI, V[:1] * np.ones(400), {"cai": CAI}, "")]
        for axis in (steady, tau):
            axis.set(xscale="log")
    elif channel.reads_calcium:
        curves = [(V, V, {"cai": np.full(400, c)}, f", {c * 1e3:g} µM Ca") for c in LEVELS]
    else:
        curves = [(V, V, {}, "")]
    for number, (x, v, more, what) in enumerate(curves):
        names = {**constants, **more}
        style = {"color": colour, "linestyle": ("-", "--", ":")[number]}
        y = passive.evaluate(gate.steady_state, v, names) + 0 * v
        steady.plot(x, y, label=f"{gate.name}{what}", **style)
        if gate.tau:
            tau.plot(x, (passive.evaluate(gate.tau, v, names) + 0 * v) / speed, **style)


def text() -> str:
    """One section for every channel, in MyST Markdown."""
    return "\n".join(_section(name, channel) for name, channel in library.channels().items())


def _section(name: str, channel: Channel) -> str:
    lines = [f"## {name}", "", _summary(name), ""]
    if channel.gates:
        lines += [f"![Steady state and time constant of {name}](figures/channels/{name}.svg)", ""]
    gates = " ".join(g.name if g.power == 1 else f"{g.name}^{g.power}" for g in channel.gates)
    lines += [f"$I = g_\\mathrm{{max}}\\, {gates}\\, (E - v)$, $E$ = {channel.E_rev:g}".replace(
        "\\,  \\,", "\\,")]  # fmt: skip
    fixed = [f"{c.name} = {c.value:g}" for c in channel.constants if c.value.si != 0]
    lines[-1] += "".join(f", {one}" for one in fixed) + "; " + _temperature(channel) + "."
    lines.append("")
    for gate in channel.gates:
        lines.append(f"- {gate.name}: steady state `{_plain(gate.steady_state)}`")
        lines[-1] += f", time constant `{_plain(gate.tau)}` ms" if gate.tau else ", instantaneous"
        if gate.spike_jump:
            lines[-1] += f"; a spike opens {gate.spike_jump:g} of what is closed"
    return "\n".join([*lines, "", f"Source: {channel.source}.", ""])


def _summary(name: str) -> str:
    plain = name.removesuffix("_dspike")
    module = library if plain == name else library.integrate_and_fire
    # "…, ``g_max m**3 h``": the equation stands below.
    first = (inspect.getdoc(getattr(module, plain)) or "").split("\n\n")[0].replace("\n", " ")
    return first.replace("``", "`")


def _temperature(channel: Channel) -> str:
    factors = sorted({g.q10 for g in channel.gates if g.tau} - {1.0})
    if not factors:
        return "no temperature dependence"
    return f"kinetics of {channel.celsius:g} °C, Q10 {', '.join(f'{q:g}' for q in factors)}"


def _plain(expression: str) -> str:
    """An expression without the shift, which is 0 unless a cell sets it."""
    return expression.replace("(v - v_shift)", "v")


def write(folder: Path = FOLDER) -> None:
    """Write all figures."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, channel in library.channels().items():
        figure = draw(name, channel)
        if figure is not None:
            figure.savefig(folder / f"{name}.svg", metadata={"Date": None})


if __name__ == "__main__":
    write()
