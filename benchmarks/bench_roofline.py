"""How far the engine is from what the processor could do: the reference circuit, both versions.

Prints one JSON object. Counted are the operations of the state updates as written (additions and
products 1, quotients 1, exp, exprel and random numbers by the operations of their vectorised code),
and the bytes of the state variables that each reads and writes. The machine's peaks, of fused
multiply-adds and of a copy within the second-level cache, are measured by a program compiled here,
on one thread. The bound is the larger of the two times; `share` is the bound over the measured run.
Synapses, thresholds and recordings are left out of the bound, so it is one that can't be reached.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from parts import finish, measured

HERE = Path(__file__).parent
# Operations of one call in lib/engine.h and engine_random.h: range reduction, polynomial, scaling.
CALLS = {"exp": 21, "exprel": 25, "tanh": 30, "poisson": 60, "binomial": 60, "int": 1, "sin": 30}
PEAKS = r"""
#include <chrono>
#include <cstdio>
#include <cstring>
#include <vector>
#ifdef __AVX512F__
constexpr int width = 8;
#else
constexpr int width = 4;
#endif
typedef double vec __attribute__((vector_size(8 * width)));
static double now()
{
    const auto t = std::chrono::steady_clock::now().time_since_epoch();
    return std::chrono::duration<double>(t).count();
}
int main()
{
    // Ten sums that wait for nothing but themselves, in registers.
    vec x[10];
    for (int i = 0; i < 10; i++)
        x[i] = vec{} + i;
    double best = 1e9, start;
    for (int turn = 0; turn < 9; turn++)
    {
        start = now();
        for (int k = 0; k < 10000000; k++)
            _Pragma("GCC unroll 10") for (int i = 0; i < 10; i++) x[i] = x[i] * 0.999 + 1e-3;
        if (now() - start < best)
            best = now() - start;
    }
    double all = 0;
    for (int i = 0; i < 10; i++)
        all += x[i][0];
    std::printf("%g ", 2.0 * 10 * width * 1e7 / best / 1e9);
    std::vector<double> a(16384, all), b(16384);
    best = 1e9;
    for (int turn = 0; turn < 9; turn++)
    {
        start = now();
        for (int k = 0; k < 20000; k++)
        {
            std::memcpy(b.data(), a.data(), 16384 * sizeof(double));
            asm volatile("" : : "r"(b.data()) : "memory");
        }
        if (now() - start < best)
            best = now() - start;
    }
    std::printf("%g\n", 2.0 * 16384 * 8 * 2e4 / best / 1e9);
}
"""


def peaks(folder: Path) -> tuple[float, float]:
    """Gflop/s of multiply-adds in registers and GB/s of a copy of 128 kB, of one thread."""
    (folder / "peaks.cpp").write_text(PEAKS)
    program = folder / "peaks"
    flags = ["-O3", "-march=native", "-fopenmp-simd", "-ffast-math"]
    subprocess.run(
        [os.environ.get("CXX", "g++"), *flags, "-o", program, folder / "peaks.cpp"], check=True
    )
    said = subprocess.run([program], check=True, stdout=subprocess.PIPE, text=True).stdout
    flops, bandwidth = map(float, said.split())
    return flops, bandwidth


def operations(code: str, constants: set[str]) -> int:
    """Operations of statements `name = expression`; what depends on constants only is free."""
    import sympy
    from brian2.parsing.sympytools import str_to_sympy

    right = [str_to_sympy(line.split("=", 1)[1]) for line in code.splitlines() if "=" in line]
    shared, rest = sympy.cse(right, order="none")
    fixed, total = set(constants), 0
    for name, expression in shared:
        if {str(s) for s in expression.free_symbols} <= fixed:
            fixed.add(str(name))
    for expression in [e for _, e in shared] + rest:
        total += cost(expression, fixed)
    return total


def cost(expression: Any, fixed: set[str]) -> int:
    """Operations of one expression, its arguments included."""
    if not expression.args or {str(s) for s in expression.free_symbols} <= fixed:
        return 0
    inside = sum(cost(part, fixed) for part in expression.args)
    name = type(expression).__name__
    if expression.is_Add or expression.is_Mul:
        return inside + len(expression.args) - 1
    if expression.is_Pow:
        power = expression.exp
        return inside + (int(abs(power)).bit_length() if power.is_Integer else CALLS["exp"])
    return inside + CALLS.get(name, 1)


def work(model: str) -> dict[str, float]:
    """Operations and bytes of a second of one version."""
    sys.argv = ["", model, "runtime", "1", "double", ""]
    sys.path.insert(0, str(HERE))
    import engine_circuit
    from brian2 import BrianLogger, defaultclock, ms, prefs

    BrianLogger.log_level_error()
    prefs.codegen.target = "numpy"  # nothing is run, and Cython would compile for minutes

    defaultclock.dt = (0.05 if model == "hh" else 0.1) * ms
    objects, _ = engine_circuit.circuit()
    steps = 1000 / float(defaultclock.dt / ms)
    total = bytes_ = 0.0
    for group in objects:
        updater = getattr(group, "state_updater", None)
        if updater is None:
            continue
        updater.update_abstract_code(engine_circuit.__dict__)
        constants = {n for n, v in group.variables.items() if v.scalar} | set(group.namespace)
        code = updater.abstract_code
        total += operations(code, constants | {"dt"}) * group.N * steps
        states = group.equations.diff_eq_names
        bytes_ += 16 * len(states) * group.N * steps
    return {"gflop": total / 1e9, "gbyte": bytes_ / 1e9}


def share(model: str, report: Mapping[str, Any], scratch: Path) -> dict[str, Any]:
    """Work, bound and measured time of one version."""
    row = measured(f"{model} counted", [__file__, model], scratch / "cache")
    circuit = [str(HERE / "engine_circuit.py"), model, "biomod_cpp", "1", "double"]
    run = measured(f"{model} run", [*circuit, str(scratch / model)], scratch / "cache")
    if "error" in row or "error" in run:
        return row if "error" in row else run
    flops = row["gflop"] / report["peak_gflop_per_s"]
    moved = row["gbyte"] / report["peak_gbyte_per_s"]
    run_s = statistics.median(run["run_s"])
    row |= {"flops_s": flops, "bytes_s": moved, "run_s": run_s}
    return row | {"share": max(flops, moved) / run_s}


def main() -> int:
    """Measure and print."""
    if len(sys.argv) > 1:
        print(json.dumps(work(sys.argv[1])))
        return 0
    report: dict[str, Any] = {"name": "roofline"}
    with tempfile.TemporaryDirectory() as folder:
        report["peak_gflop_per_s"], report["peak_gbyte_per_s"] = peaks(Path(folder))
        for model in ("lif", "hh"):
            report[model] = share(model, report, Path(folder))
    return finish(report)


if __name__ == "__main__":
    sys.exit(main())
