"""Compiled simulators of point neurons, many parameter sets at once.

The source is written from a :class:`~biomod.reduction.models.PointModel`, compiled once and kept
in the cache of compiled programs. Neurons are advanced in blocks of :data:`LANES`, whose states stay
in registers for the whole sweep, so that the compiler can use vector instructions; what happens at
a spike is done one neuron at a time.
"""

from __future__ import annotations

import ast
import ctypes
import hashlib
import os
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from biomod.backends.brian.compiler import cache_directory, find_compiler
from biomod.errors import BackendError, ModelError
from biomod.reduction.models import PointModel

LANES = 16
FLAGS = ("-std=c++17", "-O3", "-march=native", "-fno-math-errno", "-fno-trapping-math",
         "-ffp-contract=fast", "-fopenmp-simd", "-shared", "-fPIC", "-w")  # fmt: skip
Array = npt.NDArray[np.float64]

_SOURCE = """
#include <cmath>
#include <cstdint>
using std::exp; using std::log; using std::sqrt; using std::tanh; using std::fabs;
static constexpr int W = {lanes};
extern "C" int simulate(
    long blocks, long steps, const double* current, double dt, const double* parameters,
    const double* coefficients, const double* start, const int32_t* refractory, long room,
    int32_t* counts, int32_t* times, double* voltage, const double* target, double* squared)
{{
    const long n = blocks * W;
    for (long b = 0; b < blocks; b++) {{
{load}
        alignas(64) double left[W];
        alignas(64) double wait[W];
        alignas(64) double error[W];
        for (int l = 0; l < W; l++) {{ left[l] = 0; error[l] = 0; wait[l] = refractory[b*W + l]; }}
        for (long t = 0; t < steps; t++) {{
            const double I = current[t];
            alignas(64) double spiking[W];
            double any = 0;
            #pragma omp simd reduction(+:any)
            for (int l = 0; l < W; l++) {{
                const bool free_ = left[l] <= 0;
{update}
                left[l] -= 1;
                const double s = (free_ && ({above}) >= 0) ? 1.0 : 0.0;
                spiking[l] = s;
                any += s;
            }}
            if (target) {{
                const double goal = target[t];
                if (goal == goal)  // NaN: not compared
                    for (int l = 0; l < W; l++) {{
                        const double d = (left[l] < 0) ? m_v[l] - goal : 0.0;
                        error[l] += d * d;
                    }}
            }}
            if (any > 0) {{
                for (int l = 0; l < W; l++) if (spiking[l] > 0) {{
                    const long k = b*W + l;
                    if (counts[k] < room) times[k * room + counts[k]] = (int32_t)(t + 1);
                    counts[k]++;
                    left[l] = wait[l];
{reset}
                }}
            }}
            if (voltage) for (int l = 0; l < W; l++) voltage[(b*W + l) * steps + t] = m_v[l];
        }}
        for (int l = 0; l < W; l++) squared[b*W + l] = error[l];
    }}
    return 0;
}}
"""


@dataclass(frozen=True, eq=False)
class Prepared:
    """Neurons whose coefficients have been computed: any number of currents can be injected."""

    model: PointModel
    dt: float
    neurons: int
    parameters: Array
    coefficients: Array
    start: Array
    waits: npt.NDArray[np.int32]

    def run(
        self,
        current: npt.ArrayLike,
        *,
        voltage: bool = False,
        target: npt.ArrayLike | None = None,
        most_spikes_per_second: float = 500.0,
    ) -> Simulated:
        """Response to one current; see :func:`simulate`."""
        drive = np.ascontiguousarray(current, dtype=float)
        if drive.ndim != 1 or not np.isfinite(drive).all():
            raise ModelError("current must be a one-dimensional array of finite numbers (pA)")
        goal = None if target is None else np.ascontiguousarray(target, dtype=float)
        if goal is not None and goal.shape != drive.shape:
            raise ModelError(f"target has {len(goal)} values, current {len(drive)}; give as many")
        size, steps = self.parameters.shape[1], len(drive)
        room = max(8, int(steps * self.dt * 1e-3 * most_spikes_per_second))
        counts, squared = np.zeros(size, np.int32), np.zeros(size)
        times = np.zeros((size, room), np.int32)
        v = np.empty((size, steps)) if voltage else None
        _library(source(self.model)).simulate(
            size // LANES, steps, _address(drive), ctypes.c_double(self.dt),
            _address(self.parameters), _address(self.coefficients), _address(self.start),
            _address(self.waits), room, _address(counts), _address(times), _address(v),
            _address(goal), _address(squared),
        )  # fmt: skip
        n = self.neurons
        return Simulated(counts[:n], times[:n], self.dt, squared[:n], None if v is None else v[:n])


def prepare(model: PointModel, parameters: Mapping[str, npt.ArrayLike], dt: float) -> Prepared:
    """Neurons with these parameters, ready to run with a time step of `dt` ms."""
    values = _table(model, parameters)
    n = values.shape[1]
    size = -(-n // LANES) * LANES
    padded = np.concatenate([values, np.repeat(values[:, -1:], size - n, axis=1)], axis=1)
    named = dict(zip(model.names, padded, strict=True))
    wait = named[model.refractory] / dt if model.refractory else np.zeros(size)
    start = np.stack([_evaluate(model.rest[s], named, size) for s in model.states])
    exact = model.scheme == "exact"
    coefficients = _propagator(model, named, dt) if exact else np.zeros((1, 1))
    return Prepared(model, dt, n, padded, coefficients, start, np.round(wait).astype(np.int32))


def simulate(
    model: PointModel,
    parameters: Mapping[str, npt.ArrayLike],
    current: npt.ArrayLike,
    dt: float,
    *,
    voltage: bool = False,
    target: npt.ArrayLike | None = None,
) -> Simulated:
    """Response of neurons with these parameters to one injected current.

    Parameters
    ----------
    model : PointModel
        The equations.
    parameters : mapping
        Value of every parameter in its unit, one number or one per neuron.
    current : array of shape (steps,)
        Injected current in pA, constant during a step.
    dt : float
        Time step in ms.
    voltage : bool
        Whether to keep the voltages (8 bytes for each neuron and step).
    target : array of shape (steps,), optional
        Voltage to compare with; NaN where nothing is compared.

    Returns
    -------
    Simulated

    Raises
    ------
    ModelError
        A parameter is missing or unknown, or a value is not finite.
    BackendError
        There is no C++ compiler.
    """
    return prepare(model, parameters, dt).run(current, voltage=voltage, target=target)


class Simulated:
    """Spikes (and voltages) of simulated point neurons.

    Attributes
    ----------
    counts : array of shape (neurons,)
        Number of spikes.
    dt : float
        Time step in ms.
    squared : array of shape (neurons,)
        Sum of the squared differences from the target in mV2.
    voltage : array of shape (neurons, steps), optional
        In mV, at the end of each step.
    """

    def __init__(
        self, counts: npt.NDArray[np.int32], steps: npt.NDArray[np.int32], dt: float,
        squared: Array, voltage: Array | None,
    ) -> None:  # fmt: skip
        self.counts, self.dt, self.squared, self.voltage = counts, dt, squared, voltage
        self._steps = steps

    @property
    def spikes(self) -> list[Array]:
        """Spike times of every neuron in ms, at the end of the step."""
        return [
            row[: min(count, len(row))] * self.dt
            for count, row in zip(self.counts, self._steps, strict=True)
        ]


def _table(model: PointModel, parameters: Mapping[str, npt.ArrayLike]) -> Array:
    unknown = set(parameters) - set(model.names)
    if unknown:
        model.parameter(sorted(unknown)[0])
    missing = [name for name in model.names if name not in parameters]
    if missing:
        raise ModelError(f"{model.name}: no value for {', '.join(missing)}")
    rows = [np.atleast_1d(np.asarray(parameters[name], dtype=float)) for name in model.names]
    try:
        table: Array = np.stack(np.broadcast_arrays(*rows))
    except ValueError:
        sizes = {name: len(row) for name, row in zip(model.names, rows, strict=True)}
        raise ModelError(f"{model.name}: parameters of different lengths: {sizes}") from None
    if table.ndim != 2 or not np.isfinite(table).all():
        raise ModelError(f"{model.name}: parameters must be finite numbers or lists of them")
    return table


def _evaluate(expression: str, names: Mapping[str, Any], size: int) -> Array:
    # Only arithmetic on these names is in it: PointModel has checked every expression.
    value = eval(expression, {"__builtins__": {}, "exp": np.exp, **names})
    return np.array(np.broadcast_to(np.asarray(value, dtype=float), size))


def _address(array: npt.NDArray[Any] | None) -> ctypes.c_void_p:
    return ctypes.c_void_p(None if array is None else array.ctypes.data)


# The exact solution -------------------------------------------------------------------------------
def _pattern(model: PointModel) -> list[tuple[str, str]]:
    """Which states enter the new value of which, beyond their own equation: its closure."""
    reach = {s: model.depends_on(e) | {s} for s, e in model.equations.items()}
    for _ in model.states:
        reach = {s: set().union(*(reach[k] for k in found)) for s, found in reach.items()}
    return [(s, k) for s in model.states for k in model.states if k in reach[s]]


def _propagator(model: PointModel, named: Mapping[str, Array], dt: float) -> Array:
    """Coefficients of ``x(t + dt) = M x + B I + c`` by row: pattern of M, then B and c by state.

    The equations are linear, so that their value at unit vectors gives the matrix.
    """
    from scipy.linalg import expm

    size, states = len(next(iter(named.values()))), model.states
    zero = {**named, **dict.fromkeys(states, 0.0), "I": 0.0}

    def rate(names: Mapping[str, Any]) -> Array:
        return np.stack([_evaluate(model.equations[s], names, size) for s in states])

    constant = rate(zero)
    system = np.zeros((size, len(states) + 2, len(states) + 2))
    for k, name in enumerate((*states, "I")):
        system[:, : len(states), k] = (rate(zero | {name: 1.0}) - constant).T
    system[:, : len(states), -1] = constant.T
    flow = expm(system * dt)
    rows = [flow[:, states.index(s), states.index(k)] for s, k in _pattern(model)]
    rows += [flow[:, i, -2] for i in range(len(states))]
    rows += [flow[:, i, -1] for i in range(len(states))]
    return np.ascontiguousarray(np.stack(rows))


# The generated source -----------------------------------------------------------------------------
class _Lanes(ast.NodeTransformer):
    """States and parameters as elements of the arrays of a block; whole powers as products.

    Their names get a prefix, so that a parameter may be called `b` or `dt`.
    """

    def __init__(self, names: set[str]) -> None:
        self.names = names

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return ast.Name(f"m_{node.id}[l]") if node.id in self.names else node

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        if isinstance(node.op, ast.Pow):
            base, power = self.visit(node.left), node.right
            if not isinstance(power, ast.Constant) or power.value not in (2, 3):
                raise ModelError(f"only squares and cubes are supported: {ast.unparse(node)}")
            product = base
            for _ in range(int(power.value) - 1):
                product = ast.BinOp(product, ast.Mult(), base)
            return product
        return self.generic_visit(node)


def _c(model: PointModel, expression: str) -> str:
    names = set(model.states) | set(model.names)
    tree = _Lanes(names).visit(ast.parse(expression, mode="eval"))
    return ast.unparse(tree)


def source(model: PointModel) -> str:
    """C++ of the simulator of a model."""
    states = model.states
    load = [f"alignas(64) double m_{name}[W];" for name in (*states, *model.names)]
    copies = [f"m_{s}[l] = start[{i}*n + b*W + l];" for i, s in enumerate(states)]
    copies += [f"m_{p}[l] = parameters[{i}*n + b*W + l];" for i, p in enumerate(model.names)]
    if model.scheme == "exact":
        update, rows = _exact(model)
        load += [f"alignas(64) double c{k}[W];" for k in range(rows)]
        copies += [f"c{k}[l] = coefficients[{k}*n + b*W + l];" for k in range(rows)]
    else:
        update = _euler(model)
    load.append(f"for (int l = 0; l < W; l++) {{ {' '.join(copies)} }}")
    for s in states:
        new = f"free_ ? new_{s} : m_{s}[l]" if s in model.held else f"new_{s}"
        update.append(f"m_{s}[l] = {new};")
    changed = [f"const double after_{s} = {_c(model, e)};" for s, e in model.reset.items()]
    changed += [f"m_{s}[l] = after_{s};" for s in model.reset]
    return _SOURCE.format(
        lanes=LANES,
        load=_indent(load, 8),
        update=_indent(update, 16),
        above=_c(model, model.above),
        reset=_indent(changed, 20),
    )


def _exact(model: PointModel) -> tuple[list[str], int]:
    pattern, states = _pattern(model), model.states
    lines = []
    for i, s in enumerate(states):
        terms = [f"c{k}[l]*m_{other}[l]" for k, (own, other) in enumerate(pattern) if own == s]
        terms.append(f"c{len(pattern) + i}[l]*I + c{len(pattern) + len(states) + i}[l]")
        lines.append(f"const double new_{s} = {' + '.join(terms)};")
    return lines, len(pattern) + 2 * len(states)


def _euler(model: PointModel) -> list[str]:
    rate = {s: _c(model, e) for s, e in model.equations.items()}
    if model.scheme == "euler":
        return [f"const double new_{s} = m_{s}[l] + dt * ({rate[s]});" for s in model.states]
    # Izhikevich 2003: two half steps of v with u standing still, then u with the new v.
    half = f"m_v[l] += 0.5 * dt * ({rate['v']});"
    lines = ["const double old_v = m_v[l];", half, half]
    lines += [f"const double new_{s} = m_{s}[l] + dt * ({rate[s]});" for s in model.states[1:]]
    return [*lines, "const double new_v = m_v[l];", "m_v[l] = old_v;"]


def _indent(lines: list[str], by: int) -> str:
    return "\n".join(" " * by + line for line in lines)


# Compiling ----------------------------------------------------------------------------------------
def compiled_library(text: str) -> Any:
    """Shared library of a C++ source, compiled once for this compiler and processor."""
    return ctypes.CDLL(str(_compiled(text)))


@cache
def _library(text: str) -> Any:
    library = compiled_library(text)
    pointer = ctypes.c_void_p
    library.simulate.argtypes = [
        ctypes.c_long, ctypes.c_long, pointer, ctypes.c_double, pointer, pointer, pointer, pointer,
        ctypes.c_long, pointer, pointer, pointer, pointer, pointer,
    ]  # fmt: skip
    return library


def _compiled(text: str) -> Path:
    compiler = find_compiler()
    if compiler is None:
        raise BackendError("fitting needs a C++ compiler (Debian: apt-get install g++)")
    version = subprocess.run([compiler, "--version"], capture_output=True, text=True).stdout
    cpu = Path("/proc/cpuinfo")
    features = cpu.read_text().split("flags")[1].split("\n")[0] if cpu.exists() else ""
    key = hashlib.sha256("\0".join([text, version, features, *FLAGS]).encode()).hexdigest()[:32]
    kept = cache_directory() / "kernels" / f"{key}.so"
    if kept.exists():
        return kept
    kept.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=kept.parent) as folder:
        file = Path(folder) / "kernel.cpp"
        file.write_text(text)
        built = Path(folder) / "kernel.so"
        command = [compiler, *FLAGS, str(file), "-o", str(built)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise BackendError(f"the C++ compiler failed: {done.stderr.strip()[:2000]}")
        os.replace(built, kept)  # in one step: another process may want it at the same time
    return kept
