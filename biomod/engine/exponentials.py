"""Exponentials of one voltage, computed from as few calls as possible.

The rates of a channel are made of exp((V - a)/b) and exprel((V - a)/b) for several a and b. Where
the slopes 1/b are whole multiples k of one of them, e = exp(V/b) is computed once for each cell,
and exp((V - a)/b') = exp(-a/b') e^k, in which the first factor is the same for all cells. The
relative error is of the order of k rounding errors; for exprel near 0, where the difference e^k - 1
would lose more, a series is used (relative error below 1e-12 for all arguments).
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass

# Highest multiple: errors grow with it, and e^k must not leave the range of numbers.
HIGHEST_MULTIPLE = 12
# Largest relative difference between a ratio of two slopes and a whole number.
TOLERANCE = 1e-9


@dataclass(frozen=True)
class Linear:
    """slope * variable + offset; the offset is an expression without variables of cells."""

    slope: float
    offset: ast.expr
    variable: str | None = None


class Sharing:
    """Finds calls that can share an exponential, and rewrites expressions.

    Parameters
    ----------
    cells : set of str
        Names of variables of cells that keep their value in all expressions.
    scalars : mapping
        Expressions of names that are the same for all cells.
    constants : mapping
        Numbers behind names.
    render : callable
        Writes an expression in C++.
    real : str
        C type of a floating-point number.
    """

    def __init__(
        self, cells: set[str], scalars: Mapping[str, str], constants: Mapping[str, float],
        render: Callable[[str], str], real: str,
    ) -> None:  # fmt: skip
        self.cells, self.scalars, self.constants = cells, scalars, constants
        self.render, self.real = render, real
        self.functions = {"exp"} if real == "float" else {"exp", "exprel"}
        self.bases: dict[tuple[str, float], str] = {}
        self.once: list[str] = []  # lines before the loop over cells
        self.shared: list[tuple[str, str]] = []  # names and expressions at its beginning
        self._factors: dict[str, str] = {}

    def rewrite(self, expressions: list[str]) -> list[str]:
        """The expressions with calls replaced by powers of common exponentials."""
        trees = [ast.parse(e, mode="eval") for e in expressions]
        calls: dict[tuple[str, float], set[str]] = {}
        for tree in trees:
            for node in ast.walk(tree):
                if (form := self.argument(node)) and form.variable and form.slope:
                    calls.setdefault((form.variable, form.slope), set()).add(ast.unparse(node))
        self._choose(calls)
        if not self.bases:
            return expressions
        rewriter = _Rewriter(self)
        return [ast.unparse(rewriter.visit(tree)) for tree in trees]

    def _choose(self, calls: dict[tuple[str, float], set[str]]) -> None:
        """Take the smallest slopes as bases where that saves a call."""
        left = sorted(calls, key=lambda key: (key[0], abs(key[1]), key[1]))
        while left:
            variable, base = left[0]
            of_base = [k for k in left if k[0] == variable and _multiple(k[1], base)]
            left = [k for k in left if k not in of_base]
            if sum(len(calls[k]) for k in of_base) < 2:
                continue
            name = f"_exponential_{len(self.bases)}"
            self.bases[variable, abs(base)] = name
            self.shared.append((name, f"exp({abs(base)!r} * {variable})"))
            self.shared.append((f"{name}_inverse", f"1.0 / {name}"))

    def argument(self, node: ast.AST) -> Linear | None:
        """The argument of a call of exp or exprel (or of a power of exp) if it is linear."""
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
            exponent = self.number(node.right)
            if exponent is None or not (_calls(node.left, {"exp"})):
                return None
            assert isinstance(node.left, ast.Call)
            return self.linear(ast.BinOp(node.left.args[0], ast.Mult(), node.right))
        if _calls(node, self.functions):
            assert isinstance(node, ast.Call)
            return self.linear(node.args[0])
        return None

    def power(self, form: Linear) -> ast.expr | None:
        """exp(slope * variable) as a power of a base."""
        for (variable, base), name in self.bases.items():
            if variable == form.variable and (k := _multiple(form.slope, base)):
                power = ast.Name(name if k > 0 else f"{name}_inverse")
                return ast.BinOp(power, ast.Pow(), ast.Constant(abs(k))) if abs(k) > 1 else power
        return None

    def exponential(self, form: Linear) -> ast.expr | None:
        """exp(slope * variable + offset), or None if it has no base."""
        power = self.power(form)
        if power is None or self.number(form.offset) == 0:
            return power
        text = self.render(f"exp({ast.unparse(form.offset)})")
        if text not in self._factors:
            name = f"_factor_{len(self._factors)}"
            self._factors[text] = name
            self.once.append(f"const {self.real} {name} = {text};")
        return ast.BinOp(ast.Name(self._factors[text]), ast.Mult(), power)

    # ------------------------------------------------------------------ analysis of expressions

    def number(self, node: ast.AST) -> float | None:
        """The value of an expression of constants."""
        match node:
            case ast.Constant(value=int() | float() as value):
                return float(value)
            case ast.Name(id=name) if name in self.constants:
                return float(self.constants[name])
            case ast.Name(id=name) if name in self.scalars:
                return self.number(ast.parse(self.scalars[name], mode="eval").body)
            case ast.UnaryOp(op=ast.USub()):
                inner = self.number(node.operand)
                return None if inner is None else -inner
            case ast.BinOp():
                left, right = self.number(node.left), self.number(node.right)
                return None if left is None or right is None else _apply(node.op, left, right)
        return None

    def linear(self, node: ast.expr) -> Linear | None:
        """The expression as a linear function of one variable of cells."""
        match node:
            case ast.Constant(value=int() | float()):
                return Linear(0.0, node)
            case ast.Name(id=name):
                if name in self.cells:
                    return Linear(1.0, ast.Constant(0.0), name)
                known = name in self.scalars or name in self.constants
                return Linear(0.0, node) if known else None
            case ast.UnaryOp(op=ast.USub()):
                return self._scaled(self.linear(node.operand), ast.Constant(-1.0))
            case ast.BinOp(left=left, op=ast.Mult(), right=right):
                if self._same_for_all(left):
                    return self._scaled(self.linear(right), left)
                return self._scaled(self.linear(left), right)
            case ast.BinOp(left=left, op=ast.Div(), right=right):
                inverse = ast.BinOp(ast.Constant(1.0), ast.Div(), right)
                return self._scaled(self.linear(left), inverse)
            case ast.BinOp(left=left, op=ast.Add() | ast.Sub(), right=right):
                return self._sum(self.linear(left), node.op, self.linear(right))
        return None

    def _same_for_all(self, node: ast.expr) -> bool:
        form = self.linear(node)
        return form is not None and form.variable is None

    def _scaled(self, form: Linear | None, factor: ast.expr) -> Linear | None:
        if form is None or not self._same_for_all_but_division(factor):
            return None
        offset = ast.BinOp(form.offset, ast.Mult(), factor)
        if form.variable is None:
            return Linear(0.0, offset)
        value = self.number(factor)
        return None if value is None else Linear(form.slope * value, offset, form.variable)

    def _same_for_all_but_division(self, factor: ast.expr) -> bool:
        if isinstance(factor, ast.BinOp) and isinstance(factor.op, ast.Div):
            return self._same_for_all(factor.right)
        return self._same_for_all(factor)

    def _sum(self, left: Linear | None, op: ast.operator, right: Linear | None) -> Linear | None:
        if left is None or right is None:
            return None
        if left.variable and right.variable and left.variable != right.variable:
            return None
        sign = 1.0 if isinstance(op, ast.Add) else -1.0
        offset = ast.BinOp(left.offset, op, right.offset)
        variable = left.variable or right.variable
        return Linear(left.slope + sign * right.slope, offset, variable)


class _Rewriter(ast.NodeTransformer):
    """Puts shared exponentials in the place of calls, and products in the place of quotients."""

    def __init__(self, sharing: Sharing) -> None:
        self.sharing = sharing

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        if isinstance(node.op, ast.Pow):
            found = self._exponential(node)
            return found or self.generic_visit(node)
        if isinstance(node.op, ast.Div):
            return self._quotient(node)
        return self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        if _calls(node, {"exp"}):
            return self._exponential(node) or self.generic_visit(node)
        return self._relative(node, "_engine_exprel_of") or self.generic_visit(node)

    def _quotient(self, node: ast.BinOp) -> ast.AST:
        """c/exp(x), c/exprel(x) and c/(b exprel(x)), each with one quotient less."""
        bottom = node.right
        form = self.sharing.argument(bottom)
        if form and form.variable and not _calls(bottom, {"exprel"}):
            minus = Linear(-form.slope, ast.UnaryOp(ast.USub(), form.offset), form.variable)
            if inverse := self.sharing.exponential(minus):
                return ast.BinOp(self.visit(node.left), ast.Mult(), inverse)
        if inverse := self._relative(bottom, "_engine_exprel_inverse_of"):
            return ast.BinOp(self.visit(node.left), ast.Mult(), inverse)
        if isinstance(bottom, ast.BinOp) and isinstance(bottom.op, ast.Mult):
            for part, rest in ((bottom.left, bottom.right), (bottom.right, bottom.left)):
                if inverse := self._relative(part, "_engine_exprel_inverse_of"):
                    top = ast.BinOp(self.visit(node.left), ast.Mult(), inverse)
                    return ast.BinOp(top, ast.Div(), self.visit(rest))
        return self.generic_visit(node)

    def _exponential(self, node: ast.AST) -> ast.expr | None:
        form = self.sharing.argument(node)
        return self.sharing.exponential(form) if form and form.variable else None

    def _relative(self, node: ast.AST, function: str) -> ast.expr | None:
        if not _calls(node, {"exprel"}):
            return None
        assert isinstance(node, ast.Call)
        value = self._exponential(node)
        if value is None:
            return None
        return ast.Call(ast.Name(function), [self.visit(node.args[0]), value], [])


def _calls(node: ast.AST, names: set[str]) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names


def _multiple(slope: float, base: float) -> int:
    """The whole number by which the base has to be multiplied; 0 if there is none."""
    ratio = slope / base
    k = round(ratio)
    fits = 0 < abs(k) <= HIGHEST_MULTIPLE and abs(ratio - k) <= TOLERANCE * abs(k)
    return k if fits else 0


def _apply(op: ast.operator, left: float, right: float) -> float | None:
    match op:
        case ast.Add():
            return left + right
        case ast.Sub():
            return left - right
        case ast.Mult():
            return left * right
        case ast.Div():
            return left / right if right else None
        case ast.Pow():
            return float(left**right) if left > 0 else None
    return None
