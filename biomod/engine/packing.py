"""Exponentials that are computed side by side.

An exponential is a chain of operations that wait for each other. Where several in the statements on
one cell do not depend on each other, they are computed together, one step of each after the other;
the results are the same. `expm1` and `exprel` are made of the same parts as `exp`.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass

from brian2.utils.stringtools import get_identifiers

# Computed together: more would not fit into 16 registers.
MOST = 4


@dataclass(frozen=True)
class Pack:
    """Exponentials that are computed together.

    Function f of argument number k is called ``{name}_{f}_{k}``; `used` are all such (f, k).
    """

    name: str
    arguments: list[str]
    used: list[tuple[str, int]]


@dataclass(frozen=True)
class _Call:
    kind: str  # function
    text: str  # of the argument
    statement: int  # in which it is needed
    earliest: int  # before which it can be computed


def pack(
    statements: list[tuple[str, str]], kind: Callable[[str], str], double: set[str]
) -> tuple[list[str], dict[int, list[Pack]]]:
    """Take exponentials out of statements.

    Parameters
    ----------
    statements : list of tuple
        The name that is assigned to, and the expression.
    kind : callable
        Which of exp, expm1 and exprel a function of this name is; empty for others.
    double : set of str
        Names of higher precision than the rest: what depends on them stays as it is.

    Returns
    -------
    expressions : list of str
        The expressions, with names in the place of exponentials that are computed together.
    packs : dict
        By the number of the statement before which they are to be computed.
    """
    trees = [ast.parse(expression, mode="eval") for _, expression in statements]
    calls: list[_Call] = []
    for k, tree in enumerate(trees):
        for function, text in dict.fromkeys(_Finder(kind).calls(tree)):
            names = get_identifiers(text)
            assigned = [j for j in range(k) if statements[j][0] in names]
            if not names & double:
                calls.append(_Call(function, text, k, max(assigned, default=-1) + 1))
    packs: dict[int, list[Pack]] = {}
    places: dict[tuple[int, str, str], str] = {}
    while calls:
        here = calls[0].statement
        texts: list[str] = []
        for call in calls:
            if call.earliest <= here and call.text not in texts and len(texts) < MOST:
                texts.append(call.text)
        taken = [c for c in calls if c.earliest <= here and c.text in texts]
        calls = [c for c in calls if c not in taken]
        if len(texts) < 2:
            continue
        name = f"_pack_{sum(map(len, packs.values()))}"
        used = dict.fromkeys((call.kind, texts.index(call.text)) for call in taken)
        packs.setdefault(here, []).append(Pack(name, texts, list(used)))
        for call in taken:
            place = f"{name}_{call.kind}_{texts.index(call.text)}"
            places[call.statement, call.kind, call.text] = place
    replaced = [
        ast.unparse(
            _Replacer(kind, {(f, t): n for (j, f, t), n in places.items() if j == k}).visit(tree)
        )
        for k, tree in enumerate(trees)
    ]
    return replaced, packs


def _call(node: ast.AST, kind: Callable[[str], str]) -> tuple[str, ast.expr] | None:
    """Which function of what: c x in the case of exp(x)**c."""
    match node:
        case ast.Call(func=ast.Name(id=name), args=[argument]) if kind(name):
            return kind(name), argument
        case ast.BinOp(left=left, op=ast.Pow(), right=ast.Constant() | ast.UnaryOp() as right):
            if isinstance(right, ast.UnaryOp) and not isinstance(right.operand, ast.Constant):
                return None
            inner = _call(left, kind)
            if inner is not None and inner[0] == "exp":
                return "exp", ast.BinOp(inner[1], ast.Mult(), right)
    return None


class _Finder(ast.NodeVisitor):
    """Functions and arguments of the exponentials that contain no other."""

    def __init__(self, kind: Callable[[str], str]) -> None:
        self.kind, self.found = kind, list[tuple[str, str]]()

    def calls(self, tree: ast.AST) -> list[tuple[str, str]]:
        self.visit(tree)
        return self.found

    def visit(self, node: ast.AST) -> None:
        call = _call(node, self.kind)
        if call is None:
            self.generic_visit(node)
            return
        before = len(self.found)
        self.visit(call[1])
        if len(self.found) == before:
            self.found.append((call[0], ast.unparse(call[1])))


class _Replacer(ast.NodeTransformer):
    """Puts names in the place of exponentials, by function and text of the argument."""

    def __init__(self, kind: Callable[[str], str], names: dict[tuple[str, str], str]) -> None:
        self.kind, self.names = kind, names

    def visit(self, node: ast.AST) -> ast.AST:
        call = _call(node, self.kind)
        if call and (name := self.names.get((call[0], ast.unparse(call[1])))):
            return ast.Name(name)
        return self.generic_visit(node)
