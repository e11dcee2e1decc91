"""Calls that stand in the way of a vectorised loop, in loops of their own before it."""

from __future__ import annotations

import ast
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from brian2.core.functions import DEFAULT_FUNCTIONS, Function
from brian2.input.timedarray import TimedArray
from brian2.utils.stringtools import get_identifiers

if TYPE_CHECKING:
    from biomod.engine.generator import EngineGenerator

# Functions that may be called in a vectorised loop, by their names in C++.
VECTOR_FUNCTIONS = {
    "_engine_exp", "_engine_expm1", "_engine_exprel", "_engine_tanh", "_engine_timestep",
    "log", "sin", "cos", "sqrt", "ceil", "floor", "int_", "_brian_abs", "_clip", "_sign",
}  # fmt: skip
# Functions of their arguments alone, but one by one.
PURE_FUNCTIONS = {"tan", "sinh", "cosh", "log10", "log1p", "asin", "acos", "atan"}
MOST_DRAWS = 255  # calls of random functions in one piece of code: they have 8 bits of the counter
# Stand for the number and time of the current step, until the clock of a code object is known.
STEP, TIME = "%STEP%", "%TIME%"


@dataclass
class Loop:
    """A loop over the cells of a block, or (`once`) statements on the block as a whole."""

    lines: list[str]
    simd: bool = False
    once: bool = False


class Calls(ast.NodeTransformer):
    """Takes calls that cannot be vectorised out of expressions, into loops of their own.

    A call that depends on what the statements before it compute cannot be taken out; `refused` then
    says so.
    """

    def __init__(self, generator: EngineGenerator) -> None:
        self.generator = generator
        self.loops: list[Loop] = []
        self.calls: list[str] = []
        self.buffers: list[str] = []
        self.assigned: set[str] = set()
        self.statics: list[str] = []
        self.refused = False
        self.parallel = True

    def replace(self, statement: Any) -> str:
        """The statement's expression with such calls replaced by the names of their values."""
        tree = ast.parse(statement.expr, mode="eval")
        expression = ast.unparse(self.visit(tree))
        self.assigned.add(statement.var)
        return expression

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """The call, or the name of its value in the loop."""
        assert isinstance(node.func, ast.Name)
        generator = self.generator
        function = generator.variables.get(node.func.id)
        name = generator.func_name_replacements.get(node.func.id, node.func.id)
        if not isinstance(function, Function) or name in VECTOR_FUNCTIONS:
            return self.generic_visit(node)
        if get_identifiers(ast.unparse(node)) & self.assigned:
            if name in PURE_FUNCTIONS:
                return self.generic_visit(node)  # as it is: right, but not vectorised
            self.refused = True
            return node
        call = f"_call{len(self.calls)}"
        self.calls.append(call)
        self.buffers.append(f"_buffer{call}")
        fill = self._fill(function, node, len(self.calls))
        if fill:
            self.loops.append(Loop([fill], once=True))
        else:
            self._evaluate(node, f"_buffer{call}")
            self.parallel &= isinstance(function, TimedArray) or name in PURE_FUNCTIONS
        return ast.Name(call)

    def _evaluate(self, node: ast.AST, buffer: str) -> None:
        """A loop that writes the value of an expression into a buffer."""
        text = ast.unparse(node)
        lines = self.generator.reads(get_identifiers(text))
        lines.append(f"{buffer}[_k] = {self.generator.translate_expression(text)};")
        self.loops.append(Loop(lines))

    def _fill(self, function: Function, node: ast.Call, number: int) -> str:
        """The statement that fills a buffer with random numbers; empty for other functions."""
        generator = self.generator
        if number > MOST_DRAWS:
            raise NotImplementedError(
                f"biomod_cpp: {generator.name} has more than {MOST_DRAWS} such calls in one "
                "update; divide it into several run_regularly operations"
            )
        object_ = zlib.crc32(generator.stream.encode())
        stream = f"{{{object_}u, {number}u, (uint32_t){generator.step}}}"
        buffer = self.buffers[-1]
        where = f"_first, _size, {stream}"
        if function is DEFAULT_FUNCTIONS["rand"]:
            return f"engine::fill_uniform({buffer}, {where});"
        if function is DEFAULT_FUNCTIONS["randn"]:
            return f"engine::fill_normal({buffer}, {where});"
        if function is DEFAULT_FUNCTIONS["poisson"]:
            mean = f"_mean{number}"
            self.buffers.append(mean)
            self._evaluate(node.args[0], mean)
            return f"engine::fill_poisson({buffer}, {mean}, {where});"
        code = function.implementations[generator.codeobj_class].get_code(generator.owner)
        if not isinstance(code, dict) or "engine_binomial" not in code:
            return ""
        distribution = f"_distribution{number}"
        self.statics.append(
            f"static const engine::Binomial {distribution}({code['engine_binomial']});"
        )
        return f"engine::fill_binomial({buffer}, {distribution}, {where});"
