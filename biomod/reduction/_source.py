"""C++ of the simulator of a point neuron, written from its description.

Neurons are advanced in groups of a few vectors, whose states stay in registers from one event to
the next. What happens at an event (a spike, or the end of a refractory period) is done one neuron
at a time.
"""

from __future__ import annotations

import ast
from functools import cache

from biomod.errors import ModelError
from biomod.reduction.models import PointModel

# Neurons come in whole groups. A step of a linear neuron waits for one product of the last, so
# that 8 neurons (two vectors with AVX2, one with AVX-512) fill the processor and leave it enough
# registers; the others wait longer.
_LINEAR, _OTHER = 8, 16


def block(model: PointModel) -> int:
    """How many neurons are advanced together."""
    return _LINEAR if model.linear else _OTHER


_TEXT = """
#include <cmath>
#include <cstdint>
#include <cstring>
#if defined(__AVX__)
#include <immintrin.h>
#endif
#if defined(__AVX512F__)
static constexpr int N = 8;
#else
static constexpr int N = 4;
#endif
static constexpr int W = {block}, U = W / N;
typedef double V __attribute__((vector_size(8 * N)));
typedef int64_t M __attribute__((vector_size(8 * N)));

static inline V load(const double* x) {{ V y; std::memcpy(&y, x, sizeof y); return y; }}
static inline bool any(M m) {{
#if defined(__AVX512F__)
    return _mm512_movepi64_mask((__m512i)m) != 0;
#elif defined(__AVX__)
    return _mm256_movemask_pd((__m256d)m) != 0;
#else
    int64_t found = 0;
    for (int l = 0; l < N; l++) found |= m[l];
    return found != 0;
#endif
}}
// exp by reduction to |r| <= ln(2)/2 and a polynomial of degree 11 (relative error < 1e-14);
// arguments beyond +-700 count as +-700.
static inline V exp(V x) {{
    const V big = V{{}} + 700.0;
    x = x > big ? big : x;
    x = x < -big ? -big : x;
    const double magic = 6755399441055744.0;  // 1.5 * 2**52: rounds to a whole number
    const V shifted = x * 1.4426950408889634 + magic;
    const V k = shifted - magic;
    const V r = (x - k * 6.93147180369123816490e-01) - k * 1.90821492927058770002e-10;
    V p = V{{}} + 1.0 / 39916800;
    p = p * r + 1.0 / 3628800; p = p * r + 1.0 / 362880; p = p * r + 1.0 / 40320;
    p = p * r + 1.0 / 5040; p = p * r + 1.0 / 720; p = p * r + 1.0 / 120;
    p = p * r + 1.0 / 24; p = p * r + 1.0 / 6; p = p * r + 0.5; p = p * r + 1.0; p = p * r + 1.0;
    const M bits = ((M)shifted << 52) + (M)p;  // p * 2**k
    return (V)bits;
}}

template <bool COMPARE, bool KEEP, bool FORCE>
static void sweep(
    long blocks, long steps, const double* __restrict current, double dt,
    const double* __restrict parameters, const double* __restrict coefficients,
    const double* __restrict start, const int32_t* __restrict refractory, long room,
    int32_t* counts, int32_t* times, double* voltage, const double* target, double* squared,
    const int32_t* forced, long forces, double* margins)
{{
    const long n = blocks * W;
    for (long b = 0; b < blocks; b++) {{
{load}
        V blocked[U], error[U], highest[U];
        for (int u = 0; u < U; u++) {{
            blocked[u] = V{{}}; error[u] = V{{}}; highest[u] = V{{}} - 1e300;
        }}
        long next = 0, due = steps;  // the forced spike, and the end of a refractory period
        double held[{states}][W];
        long until[W];
        for (int l = 0; l < W; l++) until[l] = -1;
        for (long t = 0; t < steps; t++) {{
            M event;
            bool now;
            long end = due < steps ? due : steps - 1;
            if (FORCE && next < forces && forced[next] <= end) end = forced[next] - 1;
            if (end < t) end = t;
            {{
{enter}
                for (;; t++) {{
                    const double I = current[t];
                    now = FORCE && next < forces && forced[next] <= t + 1;
                    event = M{{}};
                    #pragma GCC unroll 8
                    for (int u = 0; u < U; u++) {{
{update}
                        const V above = {above};
                        if (!FORCE) event |= above >= blocked[u];
                        else if (!now) {{
                            const V free = above - blocked[u];
                            top[u] = free > top[u] ? free : top[u];
                        }}
                    }}
                    if (COMPARE) {{
                        const double goal = target[t];
                        if (goal == goal)  // NaN: not compared
                            #pragma GCC unroll 8
                            for (int u = 0; u < U; u++) {{
                                const V d = x_v[u] - goal;
                                sum[u] += blocked[u] == 0.0 ? d * d : V{{}};
                            }}
                    }}
                    if (KEEP || t == end || (!FORCE && any(event))) break;
                }}
{leave}
            }}
            if (now) next++;
            if (t == due || now || any(event)) {{
                double wall[W];
{spill}
                std::memcpy(wall, blocked, sizeof wall);
                due = steps;
                for (int l = 0; l < W; l++) {{
                    const long k = b * W + l;
                    const bool waited = until[l] >= 0;
                    if (waited && (until[l] == t || now)) {{
{restore}
                        wall[l] = 0.0;
                        until[l] = -1;
                    }}
                    if (FORCE ? now : !waited && ({above_one}) >= 0.0) {{
                        if (FORCE) {{
                            double* m = margins + (k * (forces + 1) + next - 1) * 2;
                            m[0] = ({above_one}); m[1] = highest[l / N][l % N];
                        }}
                        if (counts[k] < room) times[k * room + counts[k]] = (int32_t)(t + 1);
                        counts[k]++;
{reset}
                        if (refractory[k] > 0) {{
{keep}
                            wall[l] = 1e300;
                            until[l] = t + refractory[k];
                        }}
                    }}
                    if (until[l] >= 0 && until[l] < due) due = until[l];
                }}
{fill}
                std::memcpy(blocked, wall, sizeof wall);
                if (now) for (int u = 0; u < U; u++) highest[u] = V{{}} - 1e300;
            }}
            if (KEEP)
                for (int l = 0; l < W; l++) {{
                    const double v = until[l] >= 0 ? held[0][l] : s_v[l / N][l % N];
                    voltage[(b * W + l) * steps + t] = v;
                }}
        }}
        if (COMPARE) for (int l = 0; l < W; l++) squared[b * W + l] = error[l / N][l % N];
        if (FORCE) for (int l = 0; l < W; l++) {{
            double* m = margins + ((b * W + l) * (forces + 1) + forces) * 2;
            m[0] = 0.0; m[1] = highest[l / N][l % N];
        }}
    }}
}}

extern "C" void simulate(
    long blocks, long steps, const double* current, double dt, const double* parameters,
    const double* coefficients, const double* start, const int32_t* refractory, long room,
    int32_t* counts, int32_t* times, double* voltage, const double* target, double* squared,
    const int32_t* forced, long forces, double* margins)
{{
    auto run = target ? sweep<true, false, false> : sweep<false, false, false>;
    if (voltage) run = target ? sweep<true, true, false> : sweep<false, true, false>;
    if (margins) run = sweep<true, false, true>;
    run(blocks, steps, current, dt, parameters, coefficients, start, refractory, room, counts,
        times, voltage, target, squared, forced, forces, margins);
}}
"""


@cache  # every sweep asks for it, and to write it takes as long as to simulate a second
def source(model: PointModel) -> str:
    """C++ of the simulator of a model."""
    states, used = model.states, _vector_parameters(model)
    arrays = [(f"s_{s}", f"start + {i}*n") for i, s in enumerate(states)]
    arrays += [(f"p_{p}", f"parameters + {model.names.index(p)}*n") for p in used]
    if model.linear:
        update, rows = _exact(model)
        arrays += [(f"c{k}", f"coefficients + {k}*n") for k in range(rows)]
    else:
        update = _stepwise(model)
    declared = [f"V {name}[U];" for name, _ in arrays]
    copies = [f"{name}[u] = load({place} + b*W + u*N);" for name, place in arrays]
    loaded = [*declared, f"for (int u = 0; u < U; u++) {{ {' '.join(copies)} }}"]
    # The compiler keeps in registers what nobody points to.
    inside = [(f"x_{s}", f"s_{s}") for s in states] + [("sum", "error"), ("top", "highest")]
    each = "for (int u = 0; u < U; u++)"
    enter = [f"V {x}[U]; {each} {x}[u] = {s}[u];" for x, s in inside]
    leave = [f"{each} {s}[u] = {x}[u];" for x, s in inside]
    after = [f"const double after_{s} = {_scalar(model, e)};" for s, e in model.reset.items()]
    after += [f"o_{s}[l] = after_{s};" for s in model.reset]
    return _TEXT.format(
        states=len(states),
        block=block(model),
        enter=_indent(enter, 16),
        leave=_indent(leave, 16),
        load=_indent(loaded, 8),
        update=_indent(update, 24),
        above=_vector(model, model.above),
        above_one=_scalar(model, model.above),
        spill=_indent([f"double o_{s}[W]; std::memcpy(o_{s}, s_{s}, sizeof o_{s});"
                       for s in states], 16),
        restore=_indent([f"o_{s}[l] = held[{i}][l];" for i, s in _held(model)], 24),
        reset=_indent(after, 24),
        keep=_indent([f"held[{i}][l] = o_{s}[l];" for i, s in _held(model)], 28),
        fill=_indent([f"std::memcpy(s_{s}, o_{s}, sizeof o_{s});" for s in states], 16),
    )  # fmt: skip


def _held(model: PointModel) -> list[tuple[int, str]]:
    return [(i, s) for i, s in enumerate(model.states) if s in model.held]


def _vector_parameters(model: PointModel) -> list[str]:
    """Parameters that every step needs."""
    texts = [model.above]
    if not model.linear:
        texts += model.equations.values()
    names = {n.id for t in texts for n in ast.walk(ast.parse(t)) if isinstance(n, ast.Name)}
    return [p for p in model.names if p in names]


def _exact(model: PointModel) -> tuple[list[str], int]:
    """``x(t + dt) = M x + B I + c``, without what is zero whatever the parameters.

    What a state was comes last in its sum: the next step waits for it, and for nothing else.
    """
    terms: dict[str, list[tuple[int, str]]] = {s: [] for s in model.states}
    for k, (own, other) in enumerate(model.pattern):
        factor = {"I": " * I", "1": ""}.get(other, f" * x_{other}[u]")
        place = {"1": 0, "I": 1, own: 3}.get(other, 2)
        terms[own].append((place, f"c{k}[u]{factor}"))
    lines = [
        f"const V new_{s} = {' + '.join(text for _, text in sorted(found, key=lambda x: x[0]))};"
        for s, found in terms.items()
    ]
    return [*lines, *(f"x_{s}[u] = new_{s};" for s in model.states)], len(model.pattern)


def _stepwise(model: PointModel) -> list[str]:
    rate = {s: _vector(model, e) for s, e in model.equations.items()}
    # A state that stands still does so for the others, too; where all do, none needs to.
    still = {s: f"x_{s}[u]" for s in model.states if s in model.held and model.refractory}
    if model.scheme == "sequential":
        return [f"x_{s}[u] += dt * ({rate[s]});" for s in model.states]
    lines = [f"const V new_{s} = x_{s}[u] + dt * ({rate[s]});" for s in model.states]
    for s in model.states:
        free = f"blocked[u] == 0.0 ? new_{s} : {still[s]}" if s in still else f"new_{s}"
        lines.append(f"x_{s}[u] = {free};")
    return lines


class _Names(ast.NodeTransformer):
    """Names as elements of the arrays of a block; whole powers as products.

    They get a prefix, so that a parameter may be called `b` or `dt`.
    """

    def __init__(self, names: dict[str, str]) -> None:
        self.names = names

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return ast.Name(self.names.get(node.id, node.id))

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        if not isinstance(node.op, ast.Pow):
            return self.generic_visit(node)
        power = node.right.value if isinstance(node.right, ast.Constant) else None
        if power not in (2, 3):
            raise ModelError(f"only squares and cubes are supported: {ast.unparse(node)}")
        base: ast.expr = self.visit(node.left)
        product = base
        for _ in range(1 if power == 2 else 2):
            product = ast.BinOp(product, ast.Mult(), base)
        return product


def _vector(model: PointModel, expression: str) -> str:
    names = {s: f"x_{s}[u]" for s in model.states} | {p: f"p_{p}[u]" for p in model.names}
    return _text(expression, names)


def _scalar(model: PointModel, expression: str) -> str:
    names = {s: f"o_{s}[l]" for s in model.states}
    names |= {p: f"parameters[{i}*n + k]" for i, p in enumerate(model.names)}
    return _text(expression, names)


def _text(expression: str, names: dict[str, str]) -> str:
    return ast.unparse(_Names(names).visit(ast.parse(expression, mode="eval")))


def _indent(lines: list[str], by: int) -> str:
    return "\n".join(" " * by + line for line in lines)
