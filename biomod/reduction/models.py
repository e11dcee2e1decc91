"""Point neurons: what a surrogate of a detailed cell can be.

One definition each. From it come the compiled simulator of the fit
(:mod:`~biomod.reduction.kernel`), Brian2 equations and the exports. Expressions are arithmetic over
the states, the parameters, the injected current ``I`` and exp; units are ms, mV, pA, pF and nS
throughout (pA / pF is mV / ms, nS * mV is pA).
"""

from __future__ import annotations

import ast
import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from types import CodeType
from typing import Any

import numpy as np
import numpy.typing as npt

from biomod.errors import ModelError, unknown_name
from biomod.model.channel import check_expression, names_in

SCHEMES = ("exact", "euler", "sequential", "allensdk", "nest")
LINEAR = ("exact", "allensdk", "nest")  # one matrix product per step
RESETS = ("teeter2018", "allensdk", "nest")


@dataclass(frozen=True)
class Parameter:
    """A parameter of a point neuron: its unit, what it means and where a fit may look for it.

    A fit searches on a logarithmic scale where both bounds are positive and far apart. Where they
    are not, `scale` may say below which magnitude the scale is linear and above which logarithmic.
    """

    name: str
    unit: str
    doc: str
    lower: float
    upper: float
    start: float
    scale: float = 0.0

    def place(self, value: npt.ArrayLike) -> Any:
        """Where a value lies between the bounds (0 and 1) on the scale of the search."""
        low, high, x = (self._scaled(v) for v in (self.lower, self.upper, value))
        return (x - low) / (high - low)

    def value(self, place: npt.ArrayLike) -> Any:
        """The value at a place between 0 and 1."""
        low, high = self._scaled(self.lower), self._scaled(self.upper)
        x = low + np.asarray(place) * (high - low)
        if self._logarithmic:
            return np.exp(x)
        return self.scale * np.sinh(x) if self.scale else x

    @property
    def _logarithmic(self) -> bool:
        return self.lower > 0 and self.upper / self.lower > 5

    def _scaled(self, value: npt.ArrayLike) -> Any:
        if self._logarithmic:
            return np.log(value)
        return np.arcsinh(np.asarray(value) / self.scale) if self.scale else np.asarray(value)


@dataclass(frozen=True)
class PointModel:
    """Equations of a point neuron.

    A spike occurs at the end of a step in which `above` is not negative. Then the assignments of
    `reset` are made, all with the values before, and for `refractory` ms the states in `held`
    stand still and no spike can occur.

    Attributes
    ----------
    equations : mapping
        Time derivative of every state, per ms; the first state is the voltage ``v`` in mV.
    above : str
        Distance to the threshold.
    reset : mapping
        New value of every state that a spike changes.
    rest : mapping
        State at rest.
    scheme : str
        ``"exact"`` for equations that are linear in the states, solved by their propagator;
        ``"euler"``; ``"sequential"``: Euler, each state with the new values of those before it,
        as in the program of Izhikevich 2004, 10.1109/TNN.2004.832719; ``"allensdk"`` and
        ``"nest"``: linear equations over a step as in these programs
        (:func:`~biomod.reduction.kernel.propagator`).
    remembered : mapping
        Further states, and the state whose value before the step each of them holds.
    """

    name: str
    doc: str
    source: str
    parameters: tuple[Parameter, ...]
    equations: Mapping[str, str]
    above: str
    reset: Mapping[str, str]
    rest: Mapping[str, str]
    refractory: str = ""
    held: tuple[str, ...] = ("v",)
    scheme: str = "exact"
    remembered: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        known = {"I", *self.states, *self.names}
        for what, expression in self._expressions():
            check_expression(expression, known, f"{self.name}: {what}")
        if self.refractory and self.refractory not in self.names:
            raise unknown_name(f"parameter of {self.name}", self.refractory, self.names)
        if self.scheme not in SCHEMES:
            raise unknown_name("scheme", self.scheme, SCHEMES)
        if next(iter(self.equations)) != "v" or set(self.rest) != set(self.states):
            raise ModelError(f"{self.name}: the first state is v, and every state has a rest")
        if self.linear and self.refractory and set(self.held) != set(self.states):
            raise ModelError(f"{self.name}: where one matrix advances them, all states stand still")

    def __hash__(self) -> int:
        return hash((self.name, self.above, self.scheme, *self.equations.values()))

    def _expressions(self) -> list[tuple[str, str]]:
        found = [("above", self.above)]
        for what in ("equations", "reset", "rest"):
            found += [(f"{what} of {k}", e) for k, e in getattr(self, what).items()]
        return found

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of the parameters."""
        return tuple(p.name for p in self.parameters)

    @property
    def states(self) -> tuple[str, ...]:
        """Names of the states."""
        return (*self.equations, *self.remembered)

    @property
    def linear(self) -> bool:
        """Whether a step is one product with a matrix."""
        return self.scheme in LINEAR

    def parameter(self, name: str) -> Parameter:
        """The parameter of that name; an error names the nearest."""
        for p in self.parameters:
            if p.name == name:
                return p
        raise unknown_name(f"parameter of {self.name}", name, self.names)

    @cached_property
    def pattern(self) -> tuple[tuple[str, str], ...]:
        """Which quantities a step of which state needs, for linear equations.

        Pairs of a state and what its value after a step depends on: a state, ``"I"`` for the
        injected current, or ``"1"`` for a constant.
        """
        sources = (*self.states, "I", "1")
        reach = {s: set(names_in(e)) & {*sources} | {s} for s, e in self.equations.items()}
        reach |= {"I": {"I"}, "1": {"1"}}
        for s, e in self.equations.items():
            if _has_constant(e, {*self.states, "I"}):
                reach[s].add("1")
        for _ in self.equations:
            reach = {s: set().union(*(reach[k] for k in found)) for s, found in reach.items()}
        reach |= {s: {other} for s, other in self.remembered.items()}
        return tuple((s, k) for s in self.states for k in sources if k in reach[s])


def _has_constant(equation: str, variables: set[str]) -> bool:
    """Whether a linear equation has a constant term, tried at random parameters."""
    draw = random.Random(1)
    values = {n: draw.uniform(0.5, 2.0) for n in names_in(equation)} | dict.fromkeys(variables, 0.0)
    return bool(abs(evaluate(equation, values)) > 1e-12)


EXP_COST = 20  # operations of an exponential: range reduction and a polynomial


def operations(model: PointModel) -> int:
    """Arithmetic operations of one step without a spike, multiplications and additions alike."""
    texts = [model.above]
    count = 2 * len(model.pattern) if model.linear else 2 * len(model.states)
    if not model.linear:
        texts += model.equations.values()
    for node in (n for text in texts for n in ast.walk(ast.parse(text, mode="eval"))):
        count += isinstance(node, ast.BinOp) + EXP_COST * isinstance(node, ast.Call)
    return count


def evaluate(expression: str, names: Mapping[str, Any]) -> Any:
    """Value of an expression of a model, for numbers or arrays."""
    # Only arithmetic and exp on these names is in it: PointModel has checked every expression.
    return eval(_compiled(expression), {"__builtins__": {}, "exp": np.exp, **names})


@cache
def _compiled(expression: str) -> CodeType:
    return compile(expression, expression, "eval")


def _parameters(*rows: tuple[Any, ...]) -> tuple[Parameter, ...]:
    """Rows of name, unit, meaning, lower and upper bound, usual value and perhaps a scale."""
    return tuple(Parameter(*row) for row in rows)


# Bounds: what cortical cells at 34 C show (Gouwens et al. 2019, 10.1038/s41593-019-0417-0), with a
# wide margin (estimate).
_MEMBRANE = _parameters(
    ("C", "pF", "membrane capacitance", 5.0, 1000.0, 100.0),
    ("g", "nS", "leak conductance", 0.3, 200.0, 5.0),
    ("E_L", "mV", "resting potential", -95.0, -40.0, -70.0),
    ("t_ref", "ms", "time after a spike that is cut out", 0.2, 20.0, 2.0),
)
_THRESHOLD = _parameters(("theta", "mV", "threshold", -70.0, 0.0, -45.0))
_FIXED_RESET = _parameters(("v_reset", "mV", "voltage after a spike", -95.0, -20.0, -60.0))
_RULES = _parameters(
    ("f_v", "1", "share of the voltage above rest that a spike leaves", -1.0, 1.2, 0.5),
    ("dv", "mV", "what a spike takes off the voltage besides", -30.0, 40.0, 5.0),
    ("b_s", "1/ms", "decay of the spike-dependent threshold", 0.001, 1.0, 0.02),
    ("dtheta", "mV", "rise of the threshold at a spike", 0.0, 40.0, 2.0, 1.0),
)
_AFTER_SPIKE = _parameters(
    ("k_1", "1/ms", "decay of the slow after-spike current", 0.001, 0.05, 0.01),
    ("k_2", "1/ms", "decay of the fast after-spike current", 0.02, 1.0, 0.1),
    ("f_1", "1", "share of the slow one that a spike leaves", 0.0, 1.0, 1.0),
    ("f_2", "1", "share of the fast one that a spike leaves", 0.0, 1.0, 1.0),
    ("dI_1", "pA", "slow current that a spike adds", -2000.0, 500.0, -5.0, 10.0),
    ("dI_2", "pA", "fast current that a spike adds", -5000.0, 2000.0, -20.0, 30.0),
)
_VOLTAGE_THRESHOLD = _parameters(
    ("a_v", "1/ms", "drive of the threshold by the voltage", 0.0, 0.5, 0.005, 0.003),
    ("b_v", "1/ms", "decay of the voltage-dependent threshold", 0.002, 2.0, 0.05),
)
GLIF_SOURCE = (
    "Mihalas & Niebur 2009, 10.1162/neco.2008.12-07-680; Teeter et al. 2018, "
    "10.1038/s41467-017-02717-4"
)


def glif(level: int, reset: str = "teeter2018") -> PointModel:
    """Generalised leaky integrate-and-fire neuron of a level from 1 to 5.

    ``C dv/dt = I + I_1 + I_2 - g (v - E_L)``, ``dI_j/dt = -k_j I_j``,
    ``dtheta_s/dt = -b_s theta_s``, ``dtheta_v/dt = a_v (v - E_L) - b_v theta_v``; a spike where v
    reaches ``theta + theta_s + theta_v``, then ``v <- E_L + f_v (v - E_L) - dv``,
    ``theta_s <- theta_s + dtheta``, ``I_j <- f_j I_j + dI_j``. Level 1 has v with a fixed reset;
    2 the reset rules and theta_s; 3 is 1 with after-spike currents; 4 has both; 5 also theta_v.

    Parameters
    ----------
    level : int
    reset : str
        What a spike leaves of after-spike currents, threshold and voltage.
        ``"teeter2018"``: as above; currents and threshold stand still while the neuron is
        refractory. ``"allensdk"`` and ``"nest"`` (``glif_psc``): they decay meanwhile,
        ``I_j <- f_j exp(-k_j t_ref) I_j + dI_j``, ``theta_s <- exp(-b_s t_ref) theta_s + dtheta``;
        NEST resets the voltage from that before the step of the spike. Each goes with the
        integration of its program: the exact solution, AllenSDK's (Euler for the voltage, currents
        as at the beginning of a step), NEST's (mean of the currents over a step).

    Source: Mihalas & Niebur 2009, Neural Comput 21:704, 10.1162/neco.2008.12-07-680; Teeter et
    al. 2018, Nat Commun 9:709, 10.1038/s41467-017-02717-4. Programs: AllenSDK 2.16.2,
    allensdk.model.glif; NEST 3.10, models/glif_psc.cpp; nest/nest-simulator issue 3009.
    """
    if level not in range(1, 6):
        raise ModelError(f"GLIF has the levels 1 to 5, not {level!r}")
    if reset not in RESETS:
        raise unknown_name("reset of a GLIF", reset, RESETS)
    paper = _glif_of_teeter(level)
    if reset == "teeter2018":
        return paper
    after = dict(paper.reset)
    if "theta_s" in after:
        after["theta_s"] = "theta_s * exp(-b_s * t_ref) + dtheta"
    for j in (1, 2):
        if f"I_{j}" in after:
            after[f"I_{j}"] = f"f_{j} * exp(-k_{j} * t_ref) * I_{j} + dI_{j}"
    changed = replace(
        paper, name=f"{paper.name}_{reset}", doc=f"GLIF level {level} as {_PROGRAMS[reset]} has it",
        reset=after, scheme=reset,
    )  # fmt: skip
    return _reset_from_before(changed) if reset == "nest" and "f_v" in paper.names else changed


_PROGRAMS = {"allensdk": "AllenSDK", "nest": "NEST's glif_psc"}


def _reset_from_before(model: PointModel) -> PointModel:
    """NEST's spike rule: the voltage before the step counts, and at most all of it is left."""
    states = (*model.states, "v_before")
    share = replace(model.parameter("f_v"), lower=0.0, upper=1.0)
    return replace(
        model, remembered={"v_before": "v"}, held=states, rest={**model.rest, "v_before": "E_L"},
        reset={**model.reset, "v": "E_L + f_v * (v_before - E_L) - dv"},
        parameters=tuple(share if p.name == "f_v" else p for p in model.parameters),
    )  # fmt: skip


def _glif_of_teeter(level: int) -> PointModel:
    rules, currents, moving = level in (2, 4, 5), level >= 3, level == 5
    parameters = _MEMBRANE + _THRESHOLD + (_RULES if rules else _FIXED_RESET)
    drive, above = "I", "v - theta"
    equations, reset, rest = {"v": ""}, {"v": "v_reset"}, {"v": "E_L"}
    if rules:
        reset["v"] = "E_L + f_v * (v - E_L) - dv"
        equations["theta_s"], reset["theta_s"] = "-b_s * theta_s", "theta_s + dtheta"
        rest["theta_s"] = "0"
        above += " - theta_s"
    if currents:
        parameters += _AFTER_SPIKE
        drive += " + I_1 + I_2"
        for j in (1, 2):
            equations[f"I_{j}"] = f"-k_{j} * I_{j}"
            reset[f"I_{j}"] = f"f_{j} * I_{j} + dI_{j}"
            rest[f"I_{j}"] = "0"
    if moving:
        parameters += _VOLTAGE_THRESHOLD
        equations["theta_v"] = "a_v * (v - E_L) - b_v * theta_v"
        rest["theta_v"] = "0"
        above += " - theta_v"
    equations["v"] = f"({drive} - g * (v - E_L)) / C"
    return PointModel(
        f"glif{level}", f"GLIF level {level}", GLIF_SOURCE, parameters, equations, above, reset,
        rest, refractory="t_ref", held=tuple(equations),
    )  # fmt: skip


IZHIKEVICH_2003 = PointModel(
    "izhikevich2003",
    "Izhikevich neuron of 2003, dimensionless; `scale` turns pA into its input",
    "Izhikevich 2003, 10.1109/TNN.2003.820440",
    _parameters(
        ("a", "1/ms", "rate of the recovery variable", 0.001, 1.0, 0.02),
        ("b", "1", "coupling of recovery to voltage", -1.0, 1.5, 0.2),
        ("c", "mV", "voltage after a spike", -90.0, -40.0, -65.0),
        ("d", "1", "jump of recovery at a spike", -25.0, 100.0, 8.0),
        ("scale", "1/pA", "input per pA", 1e-4, 2.0, 0.05),
    ),
    {"v": "0.04 * v**2 + 5 * v + 140 - u + scale * I", "u": "a * (b * v - u)"},
    "v - 30", {"v": "c", "u": "u + d"}, {"v": "-65", "u": "b * (-65)"},
    held=(), scheme="sequential",
)  # fmt: skip
IZHIKEVICH = PointModel(
    "izhikevich",
    "Izhikevich neuron of 2007, with units",
    "Izhikevich 2007, Dynamical Systems in Neuroscience, MIT Press, chapter 8",
    _parameters(
        ("C", "pF", "membrane capacitance", 5.0, 1000.0, 100.0),
        ("k", "nS/mV", "curvature of the current-voltage relation", 0.02, 20.0, 0.7),
        ("v_r", "mV", "resting potential", -95.0, -40.0, -65.0),
        ("v_t", "mV", "instantaneous threshold", -70.0, 20.0, -45.0),
        ("v_peak", "mV", "where a spike is cut", -65.0, 50.0, 30.0),
        ("a", "1/ms", "rate of the recovery current", 0.0005, 1.0, 0.03),
        ("b", "nS", "coupling of recovery to voltage", -20.0, 60.0, 1.0, 1.0),
        ("c", "mV", "voltage after a spike", -90.0, -30.0, -55.0),
        ("d", "pA", "jump of recovery at a spike", -200.0, 2000.0, 50.0, 10.0),
    ),
    {"v": "(k * (v - v_r) * (v - v_t) - u + I) / C", "u": "a * (b * (v - v_r) - u)"},
    "v - v_peak", {"v": "c", "u": "u + d"}, {"v": "v_r", "u": "0"}, held=(), scheme="euler",
)  # fmt: skip
LIF = PointModel(
    "lif", "Leaky integrate-and-fire", "Lapicque 1907; Gerstner et al. 2014, chapter 1",
    _MEMBRANE + _THRESHOLD + _FIXED_RESET,
    {"v": "(I - g * (v - E_L)) / C"}, "v - theta", {"v": "v_reset"}, {"v": "E_L"},
    refractory="t_ref",
)  # fmt: skip
_ADAPTATION = _parameters(
    ("a", "nS", "subthreshold adaptation", -5.0, 50.0, 1.0, 1.0),
    ("tau_w", "ms", "time constant of adaptation", 5.0, 1000.0, 100.0),
    ("b", "pA", "adaptation current that a spike adds", 0.0, 1000.0, 20.0, 5.0),
)
ALIF = PointModel(
    "alif", "Leaky integrate-and-fire with an adaptation current",
    "Gerstner et al. 2014, Neuronal Dynamics, chapter 6",
    _MEMBRANE + _THRESHOLD + _FIXED_RESET + _ADAPTATION,
    {"v": "(I - w - g * (v - E_L)) / C", "w": "(a * (v - E_L) - w) / tau_w"}, "v - theta",
    {"v": "v_reset", "w": "w + b"}, {"v": "E_L", "w": "0"}, refractory="t_ref",
    held=("v", "w"),
)  # fmt: skip
_EXPONENTIAL = _parameters(
    ("v_T", "mV", "effective threshold", -70.0, -10.0, -48.0),
    ("Delta", "mV", "sharpness of the upstroke", 0.3, 8.0, 2.0),
)
_CUT = _parameters(("v_peak", "mV", "where a spike is cut", -30.0, 40.0, 0.0))
_UPSTROKE = "g * Delta * exp((v - v_T) / Delta)"
EIF = PointModel(
    "eif", "Exponential integrate-and-fire",
    "Fourcaud-Trocme et al. 2003, 10.1523/JNEUROSCI.23-37-11628.2003",
    _MEMBRANE + _EXPONENTIAL + _CUT + _FIXED_RESET,
    {"v": f"(I - g * (v - E_L) + {_UPSTROKE}) / C"}, "v - v_peak", {"v": "v_reset"}, {"v": "E_L"},
    refractory="t_ref", scheme="euler",
)  # fmt: skip
ADEX = PointModel(
    "adex", "Adaptive exponential integrate-and-fire",
    "Brette & Gerstner 2005, 10.1152/jn.00686.2005",
    _MEMBRANE + _EXPONENTIAL + _CUT + _FIXED_RESET + _ADAPTATION,
    {"v": f"(I - w - g * (v - E_L) + {_UPSTROKE}) / C", "w": "(a * (v - E_L) - w) / tau_w"},
    "v - v_peak", {"v": "v_reset", "w": "w + b"}, {"v": "E_L", "w": "0"},
    refractory="t_ref", scheme="euler",
)  # fmt: skip
QIF = PointModel(
    "qif", "Quadratic integrate-and-fire",
    "Ermentrout & Kopell 1986, 10.1137/0146017; Latham et al. 2000, 10.1152/jn.2000.83.2.808",
    _parameters(
        ("C", "pF", "membrane capacitance", 5.0, 1000.0, 100.0),
        ("k", "nS/mV", "curvature of the current-voltage relation", 0.02, 20.0, 0.7),
        ("v_r", "mV", "resting potential", -95.0, -40.0, -65.0),
        ("v_t", "mV", "instantaneous threshold", -70.0, -5.0, -45.0),
        ("v_peak", "mV", "where a spike is cut", 0.0, 50.0, 30.0),
        ("c", "mV", "voltage after a spike", -90.0, -30.0, -55.0),
    ),
    {"v": "(k * (v - v_r) * (v - v_t) + I) / C"}, "v - v_peak", {"v": "c"}, {"v": "v_r"},
    held=(), scheme="euler",
)  # fmt: skip

MODELS: Mapping[str, PointModel] = {
    m.name: m
    for m in (
        *(glif(level, reset) for reset in RESETS for level in range(1, 6)),
        IZHIKEVICH, IZHIKEVICH_2003, LIF, ALIF, ADEX, EIF, QIF,
    )
}  # fmt: skip


def point_model(name: str | PointModel) -> PointModel:
    """The model of that name; an error names the nearest."""
    if isinstance(name, PointModel):
        return name
    if name not in MODELS:
        raise unknown_name("model", name, MODELS)
    return MODELS[name]
