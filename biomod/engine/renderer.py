"""Expressions in C++ that a compiler can vectorise."""

from __future__ import annotations

import ast
from collections.abc import Callable

from brian2.parsing.rendering import CPPNodeRenderer

# Functions with a version out of line, for loops with so many calls that they take long to compile.
WRITTEN_OUT = {"_engine_exp", "_engine_expm1", "_engine_exprel", "_engine_tanh"}
HIGHEST_POWER = 32


class EngineRenderer(CPPNodeRenderer):
    """Expressions without branches: whole powers as products, no short-circuit operators."""

    expression_ops = CPPNodeRenderer.expression_ops | {"And": "&", "Or": "|"}

    def __init__(
        self, auto_vectorise: set[str], out_of_line: bool, number: Callable[[float, str], str],
        name: Callable[[str], str] = str,
    ) -> None:  # fmt: skip
        super().__init__(auto_vectorise=auto_vectorise)
        self.out_of_line, self.number, self.name = out_of_line, number, name

    def render_Name(self, node: ast.Name) -> str:
        """A name, as the generator wants it."""
        return str(super().render_Name(ast.Name(self.name(node.id))))

    def render_Constant(self, node: ast.Constant) -> str:
        """A number, as the generator wants it."""
        text = str(super().render_Constant(node))
        return self.number(node.value, text) if isinstance(node.value, float) else text

    def render_Call(self, node: ast.Call) -> str:
        """A call, of the version out of line in long loops."""
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name == "_engine_timestep":  # time is always of double precision
            double = EngineRenderer(self.auto_vectorise, self.out_of_line, self.number)
            return str(super(EngineRenderer, double).render_Call(node))
        if self.out_of_line and name in WRITTEN_OUT:
            return f"{name}_call({self.render_node(node.args[0])})"
        if name == "int_" and isinstance(node.args[0], ast.Compare | ast.BoolOp):
            # A flag as a factor: numbers of one width need no conversions in a vectorised loop.
            one, zero = self.number(1.0, "1.0"), self.number(0.0, "0.0")
            return f"({self.render_node(node.args[0])} ? {one} : {zero})"
        return str(super().render_Call(node))

    def render_BinOp(self, node: ast.BinOp) -> str:
        """Powers with a constant exponent, then everything else as Brian2 writes it."""
        if isinstance(node.op, ast.Pow):
            exponent = _constant(node.right)
            if _is_exp(node.left) and exponent is not None:
                # exp(x)**c, as sympy likes to write it
                assert isinstance(node.left, ast.Call)
                argument = ast.BinOp(node.left.args[0], ast.Mult(), node.right)
                return str(self.render_node(ast.Call(node.left.func, [argument], [])))
            if exponent == 0.5:
                return f"sqrt({self.render_node(node.left)})"
            if exponent is not None and exponent == int(exponent):
                whole = int(exponent)
                base = self.render_node(node.left)
                if 0 <= whole <= HIGHEST_POWER:
                    return f"_engine_power<{whole}>({base})"
                if -HIGHEST_POWER <= whole < 0:
                    return f"(1.0f/_engine_power<{-whole}>({base}))"
        return str(super().render_BinOp(node))

    def render_BoolOp(self, node: ast.BoolOp) -> str:
        """Operands converted to bool, since & and | work on bits."""
        op = self.expression_ops[type(node.op).__name__]
        return f" {op} ".join(f"bool({self.render_node(v)})" for v in node.values)


def _constant(node: ast.AST) -> float | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return float(node.value)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        value = _constant(node.operand)
        return None if value is None else -value
    return None


def _is_exp(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in ("exp", "_engine_exp")
    )
