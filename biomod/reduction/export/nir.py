"""Surrogates as graphs of NIR, and a reader of such graphs.

NIR has leaky integrators and leaky integrate-and-fire nodes, but no refractory time, moving
threshold or adaptation. So ``lif`` and ``glif1`` are exact without refractory time and with a reset
to rest; after-spike currents (``glif3``) are leaky integrators that the spikes feed back to, for
one time step. What has no counterpart is refused.

Source: Pedersen et al. 2024, 10.1038/s41467-024-52259-9; nir 1.0.8.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from biomod.errors import ModelError
from biomod.reduction.export._common import Exported, missing
from biomod.reduction.export.probe import agreement, probe
from biomod.reduction.export.resets import with_reset
from biomod.reduction.fit import Fit
from biomod.reduction.kernel import refractory_steps
from biomod.results._atomic import replacing

Array = npt.NDArray[np.float64]
MODELS = ("lif", "glif1", "glif3")


@dataclass(frozen=True)
class NirExported(Exported):
    """A surrogate as a graph of NIR (`graph`); its file is HDF5."""

    graph: Any = field(default=None, repr=False)

    def write(self, path: str | Path) -> None:
        """Write the graph for ``nir.read`` (atomically)."""
        with replacing(path) as partial:
            _package().write(str(partial), self.graph)


def to_nir(fitted: Fit) -> NirExported:
    """The graph of a surrogate: input in pA, voltage from 0 at rest to 1 at the threshold.

    Returns
    -------
    NirExported
        ``exact``, or ``approximate`` with the agreement that :func:`read_graph` measures.

    Raises
    ------
    ModelError
        NIR has no nodes for the model.
    BackendError
        The package nir is missing.
    """
    name = fitted.model.name.partition("_")[0]
    if name not in MODELS:
        raise ModelError(
            f"NIR has no moving threshold, adaptation or other upstroke, which {name} needs; fit "
            f"one of {', '.join(MODELS)}"
        )
    nir = _package()
    given, changed = (fitted, ()) if name == "lif" else with_reset(fitted, "teeter2018")
    p, dt = given.parameters, given.dt
    span = p["theta"] - p["E_L"]
    if span <= 0:
        raise ModelError(f"the threshold must lie above rest, not {span:g} mV from it")
    reset, gain = (p["v_reset"] - p["E_L"]) / span, 1 / (p["g"] * span)
    nodes: dict[str, Any] = {
        "input": nir.Input({"input": np.array([1])}),
        # Not as the resistance of the LIF node, which norse ignores.
        "per_pA": nir.Linear(weight=np.array([[gain]])),
        "lif": nir.LIF(tau=_one(p["C"] / p["g"] * 1e-3), r=_one(1.0), v_leak=_one(0.0),
                       v_threshold=_one(1.0), v_reset=_one(reset)),
        "output": nir.Output({"output": np.array([1])}),
    }  # fmt: skip
    edges = [("input", "per_pA"), ("per_pA", "lif"), ("lif", "output")]
    if name == "glif3":
        for j in (1, 2):
            k = p[f"k_{j}"]
            jump = p[f"dI_{j}"] * gain / -math.expm1(-k * dt)  # of a spike that lasts a step
            nodes[f"after_spike_{j}"] = nir.LI(tau=_one(1e-3 / k), r=_one(jump), v_leak=_one(0.0))
            edges += [("lif", f"after_spike_{j}"), (f"after_spike_{j}", "lif")]
    graph = nir.NIRGraph(nodes=nodes, edges=edges)
    losses = (*changed, *_losses(given, name, reset))
    content = {"nodes": {key: _kind(node) for key, node in nodes.items()}, "edges": edges,
               "dt_ms": dt, "input_unit": "pA"}  # fmt: skip
    measured = _measured(fitted, graph, reset) if losses else {}
    return NirExported("nir", content, losses, measured, graph)


def _losses(fitted: Fit, name: str, reset: float) -> tuple[str, ...]:
    p = fitted.parameters
    losses = []
    wait = refractory_steps(fitted.model, p, fitted.dt) * fitted.dt
    if wait:
        losses.append(f"NIR has no refractory time ({wait:g} ms here)")
    if abs(reset) > 1e-9:
        losses.append(
            "norse and snntorch reset to 0 instead of v_reset, see coincidence_2ms_reset_to_0"
        )
    if name == "glif3":
        losses.append(
            f"after-spike currents need a reader that has feedback, with steps of {fitted.dt:g} ms"
        )
        changed = [f"f_{j} is {p[f'f_{j}']:.3g}" for j in (1, 2) if abs(p[f"f_{j}"] - 1) > 1e-9]
        if changed:
            losses.append(f"a spike leaves all of an after-spike current ({', '.join(changed)})")
    return tuple(losses)


def _measured(fitted: Fit, graph: Any, reset: float) -> dict[str, float]:
    current = probe(fitted)
    found = agreement(fitted, read_graph(graph, current, fitted.dt), current)
    if abs(reset) > 1e-9:
        spikes = read_graph(graph, current, fitted.dt, reset_to_zero=True)
        without = agreement(fitted, spikes, current)
        found |= {f"{name}_reset_to_0": value for name, value in without.items()}
    return found


def read_graph(
    graph: Any, current: npt.ArrayLike, dt: float, *, reset_to_zero: bool = False
) -> Array:
    """Spike times (ms) of the node ``output`` of a graph of one neuron, by the equations of NIR.

    Nodes are solved exactly over a step in which their input is constant; a spike is an input of 1
    for one step, and what is fed back arrives in the step after.

    Parameters
    ----------
    graph : nir.NIRGraph
        Of nodes Input, Linear (of what is given from outside), LIF, LI and Output.
    current : array
        What the node ``input`` gives in each step.
    dt : float
        Time step in ms.
    reset_to_zero : bool
        Do as readers that ignore v_reset.

    Raises
    ------
    ModelError
        The graph has another kind of node.
    """
    drive = np.asarray(current, dtype=float)
    nodes = {n: node for n, node in graph.nodes.items() if _kind(node) not in ("Input", "Output")}
    into = {name: [a for a, b in graph.edges if b == name] for name in (*nodes, "output")}
    weights = {n: _number(node.weight) for n, node in nodes.items() if _kind(node) == "Linear"}
    units = {n: _Unit(n, node, dt * 1e-3, reset_to_zero)
             for n, node in nodes.items() if n not in weights}  # fmt: skip
    value = dict.fromkeys((*nodes, "input"), 0.0)
    spikes = []
    for k, x in enumerate(drive):
        value["input"] = float(x)
        for name, weight in weights.items():
            value[name] = weight * sum(value[a] for a in into[name])
        value |= {n: u.step(sum(value[a] for a in into[n])) for n, u in units.items()}
        if any(value[a] for a in into["output"]):
            spikes.append((k + 1) * dt)
    return np.array(spikes)


def _kind(node: Any) -> str:
    return type(node).__name__


class _Unit:
    """A node with its state."""

    def __init__(self, name: str, node: Any, dt: float, reset_to_zero: bool) -> None:
        kind = _kind(node)
        if kind not in ("LIF", "LI"):
            raise ModelError(f"the node {name} is a {kind}; Linear, LIF and LI are read")
        self.decay = math.exp(-dt / _number(node.tau))
        self.gain, self.leak = _number(node.r), _number(node.v_leak)
        self.threshold = _number(node.v_threshold) if kind == "LIF" else math.inf
        self.reset = 0.0 if kind == "LI" or reset_to_zero else _number(node.v_reset)
        self.v = self.leak
        self.spikes = kind == "LIF"

    def step(self, given: float) -> float:
        goal = self.leak + self.gain * given
        self.v = goal + (self.v - goal) * self.decay
        if not self.spikes:
            return self.v
        fired = self.v > self.threshold
        if fired:
            self.v = self.reset
        return float(fired)


def _one(value: float) -> Array:
    return np.array([value])


def _number(values: npt.ArrayLike) -> float:
    return float(np.asarray(values).reshape(-1)[0])


def _package() -> Any:
    try:
        import nir
    except ImportError:
        raise missing("nir", "export") from None
    return nir
