"""A surrogate in fixed point: whole numbers only, as digital neuromorphic chips compute.

Voltages are relative to rest and after-spike currents are divided by the leak conductance, so that
all states are in mV and of the same size. Coefficients of a step (decays, couplings) have a word of
their own with as many fraction bits as their values leave.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from biomod.errors import ModelError
from biomod.reduction._library import address, library, whole
from biomod.reduction.export._common import Exported
from biomod.reduction.export._integer import SOURCE
from biomod.reduction.export.probe import agreement, probe
from biomod.reduction.fit import Fit
from biomod.reduction.kernel import prepare, propagator
from biomod.reduction.models import PointModel, evaluate

Array = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
ROUNDINGS = ("nearest", "down", "zero", "stochastic")
_CURRENTS = ("I_1", "I_2", "w")  # states in pA


@dataclass(frozen=True)
class Format:
    """Widths of a fixed-point form, in bits.

    Attributes
    ----------
    bits, fraction : int
        Of a state, with its sign, and how many of them are behind the point.
    coefficient : int
        Of a coefficient, with its sign.
    rounding : str
        Of products: ``"nearest"``, ``"down"`` (a plain shift), ``"zero"``, or ``"stochastic"``:
        up as often as what is cut off says, by a generator that begins alike in every run.
    source : str
        Who says so.
    wide_sum : bool
        Whether the products of a sum are added in twice the width and rounded once; else each is
        rounded.
    """

    name: str
    bits: int
    fraction: int
    coefficient: int
    rounding: str
    source: str
    wide_sum: bool = False

    @property
    def edge(self) -> int:
        """Largest whole number that a state can hold."""
        return 2 ** (self.bits - 1) - 1

    @property
    def largest(self) -> float:
        """Largest value of a state."""
        return float(self.edge / 2**self.fraction)


S16_15 = Format(
    "s16.15", 32, 15, 32, "stochastic",
    "ISO/IEC TR 18037 accum; Hopkins & Furber 2015, 10.1162/NECO_a_00772; rounding: Hopkins et al. "
    "2020, 10.1098/rsta.2019.0052. To the nearest, a state that decays with k stands still below "
    "2^-16 / (k dt): 0.02 mV for k 0.0076 / ms at 0.1 ms, which costs spikes",
    wide_sum=True,
)  # fmt: skip
Q8 = Format(
    "8 fraction bits", 24, 8, 16, "stochastic",
    "estimate: 24-bit states, 16-bit coefficients; slow states stand still unless their products "
    "are rounded stochastically (Hopkins et al. 2020, 10.1098/rsta.2019.0052)",
    wide_sum=True,
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class IntegerRun:
    """Response of a neuron in fixed point: steps of its spikes (from 1), mV, saturations."""

    steps: npt.NDArray[np.int32]
    voltage: Array
    saturated: int
    dt: float

    @property
    def spikes(self) -> Array:
        """Spike times in ms, at the end of the step."""
        return np.asarray(self.steps * self.dt)


@dataclass(frozen=True, eq=False)
class FixedNeuron:
    """A point neuron in whole numbers.

    A step is ``x <- sum of products + constant`` with the rows of `step` (a column for each state,
    the input and the square of the first state); a spike occurs where ``above . x >= threshold``,
    then ``x <- sum of products + constant`` with `reset`. Coefficients have `shift` and
    `reset_shift` fraction bits, all else those of the format.

    Attributes
    ----------
    scale, offset : mapping
        A state in its own unit is ``offset + scale * x``.
    input_scale : float
        pA of an input of 1.
    lost : tuple of str
        Couplings that are too weak for the coefficients.
    """

    model: PointModel
    format: Format
    dt: float
    step: Integers
    constant: Integers
    shift: int
    above: Integers
    threshold: int
    reset: Integers
    reset_constant: Integers
    reset_shift: int
    start: Integers
    wait: int
    scale: Mapping[str, float]
    offset: Mapping[str, float]
    input_scale: float
    lost: tuple[str, ...] = ()

    def run(self, current: npt.ArrayLike) -> IntegerRun:
        """Response to a current in pA, a value for each step of `dt`."""
        drive = np.asarray(current, dtype=float)
        if drive.ndim != 1 or not np.isfinite(drive).all():
            raise ModelError("current must be a one-dimensional array of finite numbers (pA)")
        edge, one = self.format.edge, 2**self.format.fraction
        rounded = np.round(drive / self.input_scale * one)
        counted = np.array([np.sum(np.abs(rounded) > edge)], dtype=np.int64)
        given = np.clip(rounded, -edge, edge).astype(np.int64)
        count, first = np.zeros(1, np.int64), np.zeros(len(drive), np.int64)
        times = np.zeros(len(drive), np.int32)
        library(SOURCE).integer_run(
            whole(len(self.start)), whole(len(drive)), address(given), address(self.step),
            address(self.constant), whole(self.shift), address(self.above), whole(self.threshold),
            address(self.reset), address(self.reset_constant), whole(self.reset_shift),
            whole(self.format.fraction), whole(ROUNDINGS.index(self.format.rounding)),
            whole(self.format.wide_sum), whole(self.model.scheme == "sequential"),
            whole(self.wait), whole(edge), address(self.start), address(count), address(times),
            address(first), address(counted),
        )  # fmt: skip
        v = self.offset["v"] + self.scale["v"] * first / one
        return IntegerRun(times[: count[0]], v, int(counted[0]), self.dt)

    def content(self) -> dict[str, Any]:
        """All whole numbers, and what they mean."""
        return {
            "model": self.model.name, "format": vars(self.format), "dt_ms": self.dt,
            "states": list(self.model.states), "step": self.step.tolist(),
            "step_constant": self.constant.tolist(), "step_shift": self.shift,
            "above": self.above.tolist(), "threshold": self.threshold,
            "reset": self.reset.tolist(), "reset_constant": self.reset_constant.tolist(),
            "reset_shift": self.reset_shift, "start": self.start.tolist(),
            "refractory_steps": self.wait, "state_scale": dict(self.scale),
            "state_offset": dict(self.offset), "input_pA": self.input_scale,
        }  # fmt: skip


def fixed_point(
    fitted: Fit,
    format: Format = S16_15,
    dt: float | None = None,
    start: Mapping[str, float] | None = None,
) -> FixedNeuron:
    """The surrogate in whole numbers.

    Parameters
    ----------
    fitted : Fit
        Linear or quadratic: GLIF, LIF, adaptive LIF, Izhikevich, QIF.
    format : Format
        Widths.
    dt : float, optional
        Another time step in ms. Exact for GLIF and LIF up to the grid of spikes and refractory
        time; the Izhikevich neuron becomes another one.
    start : mapping, optional
        Value of states at the beginning that are not at rest.

    Raises
    ------
    ModelError
        The model needs an exponential, or a value lies outside of the format or below its
        resolution.
    """
    step = fitted.dt if dt is None else dt
    ready = prepare(fitted.model, fitted.parameters, step, start)
    named = dict(zip(fitted.model.names, ready.parameters[:, 0].tolist(), strict=True))
    real = _Real(fitted.model, named, step)
    linear, square, constant = real.polynomial(real.advance, with_input=True)
    table = np.column_stack([linear, square])
    reset, _, reset_constant = real.polynomial(real.after_spike, with_input=False)
    above, threshold = real.above()
    first = real.scaled(dict(zip(fitted.model.states, ready.start[:, 0].tolist(), strict=True)))
    coder = _Coder(fitted.model, format)
    shift, reset_shift = coder.shift(table, "of a step"), coder.shift(reset, "of a reset")
    lost = coder.lost(linear, square, shift)
    return FixedNeuron(
        fitted.model, format, step, step=coder.whole(table, shift),
        constant=coder.state(constant, "constant drive"), shift=shift,
        above=above, threshold=int(coder.state(np.array([threshold]), "threshold")[0]),
        reset=coder.whole(reset, reset_shift),
        reset_constant=coder.state(reset_constant, "reset"), reset_shift=reset_shift,
        start=coder.state(first, "start"), wait=int(ready.waits[0]), scale=real.scale,
        offset=real.offset, input_scale=real.input_scale, lost=lost,
    )  # fmt: skip


def to_fixed(fitted: Fit, format: Format = S16_15, dt: float | None = None) -> Exported:
    """The surrogate in fixed point, with what rounding costs.

    Returns
    -------
    Exported
        Its `agreement` compares with floating point at the same time step, and says how often a
        state left its range (`saturated`).
    """
    neuron = fixed_point(fitted, format, dt)
    measured = compared(replace(fitted, dt=neuron.dt), neuron)
    return Exported("fixed", neuron.content(), losses_of(neuron, measured), measured)


def compared(fitted: Fit, neuron: FixedNeuron) -> dict[str, float]:
    """Agreement of a neuron with its surrogate in floating point, and how often it saturated."""
    current = probe(fitted)
    found = neuron.run(current)
    return agreement(fitted, found.spikes, current) | {"saturated": float(found.saturated)}


def losses_of(neuron: FixedNeuron, measured: Mapping[str, float]) -> tuple[str, ...]:
    """What whole numbers lose, in words."""
    f = neuron.format
    losses = [
        f"states are rounded to 2^-{f.fraction} mV in {f.bits} bits, coefficients of a step to "
        f"2^-{neuron.shift}"
    ]
    if neuron.lost:
        losses.append(f"too weak for the coefficients: {', '.join(neuron.lost)}")
    if measured["saturated"]:
        losses.append(f"{measured['saturated']:.0f} values left the range of +-{f.largest:g}")
    return tuple(losses)


class _Real:
    """The step and the reset of a neuron as functions of scaled states, in floating point."""

    def __init__(self, model: PointModel, named: Mapping[str, float], dt: float) -> None:
        self.model, self.named, self.dt = model, named, dt
        g = named.get("g", 1.0)
        self.scale = {s: g if s in _CURRENTS else 1.0 for s in model.states}
        self.input_scale = g
        self.offset = {s: float(evaluate(e, named)) for s, e in model.rest.items()}
        self.rows: Array | None = None
        if model.linear:
            arrays = {name: np.array([value]) for name, value in named.items()}
            self.rows = propagator(model, arrays, dt)[:, 0]

    def names(self, x: Array, current: float = 0.0) -> dict[str, float]:
        states = {s: self.offset[s] + self.scale[s] * value
                  for s, value in zip(self.model.states, x, strict=True)}  # fmt: skip
        return {**self.named, **states, "I": self.input_scale * current, "1": 1.0}

    def scaled(self, values: Mapping[str, float]) -> Array:
        return np.array([(values[s] - self.offset[s]) / self.scale[s] for s in self.model.states])

    def advance(self, x: Array, current: float) -> Array:
        """States after a step; of a sequential scheme, each as if those before it had not moved."""
        names = self.names(x, current)
        found = dict.fromkeys(self.model.states, 0.0)
        if self.rows is not None:
            for (own, other), factor in zip(self.model.pattern, self.rows, strict=True):
                found[own] += factor * names[other]
        else:
            for s, rate in self.model.equations.items():
                found[s] = names[s] + self.dt * float(evaluate(rate, names))
        return self.scaled(found)

    def after_spike(self, x: Array, _: float) -> Array:
        names = self.names(x)
        new = {s: float(evaluate(e, names)) for s, e in self.model.reset.items()}
        return self.scaled({s: new.get(s, names[s]) for s in self.model.states})

    def above(self) -> tuple[Integers, float]:
        """Whole weights of the states in the distance to the threshold, and the threshold."""

        def distance(x: Array) -> float:
            return float(evaluate(self.model.above, self.names(x)))

        n = len(self.model.states)
        at_rest = distance(np.zeros(n))
        weights = np.array([distance(np.eye(n)[k]) - at_rest for k in range(n)])
        return np.round(weights).astype(np.int64), -at_rest

    def polynomial(
        self, function: Callable[[Array, float], Array], *, with_input: bool
    ) -> tuple[Array, Array, Array]:
        """Linear coefficients (states, then input), that of the square of v, and constants.

        Raises
        ------
        ModelError
            The function has other terms.
        """
        n, h = len(self.model.states), 8.0
        constant = function(np.zeros(n), 0.0)
        up, down = function(h * np.eye(n)[0], 0.0), function(-h * np.eye(n)[0], 0.0)
        square = (up + down - 2 * constant) / (2 * h * h)
        columns = [(up - down) / (2 * h)]
        columns += [(function(h * np.eye(n)[k], 0.0) - constant) / h for k in range(1, n)]
        if with_input:
            columns.append((function(np.zeros(n), h) - constant) / h)
        linear = np.stack(columns, axis=1)
        x = np.linspace(90.0, 11.0, n)  # far from rest, where an exponential shows
        expected = constant + linear[:, :n] @ x + square * x[0] ** 2
        if not np.allclose(expected, function(x, 0.0), rtol=1e-6, atol=1e-6):
            raise ModelError(
                f"{self.model.name} needs an exponential, which the fixed-point form does not "
                "have; use a glif, an Izhikevich neuron, lif, alif or qif"
            )
        tiny = 1e-12  # rounding of the differences
        return (np.where(np.abs(linear) < tiny, 0, linear),
                np.where(np.abs(square) < tiny, 0, square),
                np.where(np.abs(constant) < tiny, 0, constant))  # fmt: skip


class _Coder:
    """Numbers as whole numbers of a format; what does not fit is refused."""

    def __init__(self, model: PointModel, format: Format) -> None:
        self.model, self.format = model, format

    def shift(self, table: Array, what: str) -> int:
        """Fraction bits of coefficients: as many as the largest of them leaves."""
        largest, word = float(np.abs(table).max(initial=1e-9)), self.format.coefficient - 1
        bits = int(np.floor(np.log2((2**word - 1) / largest)))
        if bits < 1:
            raise ModelError(
                f"{self.model.name}: a coefficient {what} is {largest:.4g}, too large for the "
                f"{self.format.coefficient} bits of {self.format.name}"
            )
        return min(bits, word)

    def whole(self, table: Array, shift: int) -> Integers:
        return np.ascontiguousarray(np.round(table * 2.0**shift).astype(np.int64))

    def state(self, values: Array, what: str) -> Integers:
        for name, value in zip(self.model.states, values, strict=False):
            if abs(value) > self.format.largest:
                where = what if len(values) == 1 else f"{what} of {name}"
                raise ModelError(
                    f"{self.model.name}: {where}, {value:.5g} mV, is outside of the range of "
                    f"{self.format.name}, +-{self.format.largest:.5g}"
                )
        return np.round(values * 2**self.format.fraction).astype(np.int64)

    def lost(self, linear: Array, square: Array, shift: int) -> tuple[str, ...]:
        """Couplings that round to none; a decay or an input that does is refused."""
        half = 0.5 / 2**shift
        change, others = np.column_stack([linear, square]), (*self.model.states, "input", "v^2")
        found = []
        for i, state in enumerate(self.model.states):
            change[i, i] -= 0.0 if state in self.model.remembered else 1.0
            for j in np.flatnonzero((np.abs(change[i]) < half) & (change[i] != 0)):
                if i == j or (state, others[j]) == ("v", "input"):
                    raise ModelError(
                        f"{self.model.name}: in a step {state} changes by {change[i, j]:.3g} of "
                        f"{others[j]}, which is below the resolution of {self.format.name}, "
                        f"2^-{shift}; a larger dt helps"
                    )
                found.append(f"{state} on {others[j]}")
        return tuple(found)
