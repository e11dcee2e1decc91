"""Exponentials that are computed side by side.

An exponential is a chain of operations that wait for each other. Where several in the statements on
one cell do not depend on each other, they are computed together, one step of each after the other;
the results are the same.
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
    """Exponentials that are computed together: member k is called ``{name}_{k}``."""

    name: str
    arguments: list[str]


@dataclass(frozen=True)
class _Call:
    text: str  # of the argument
    statement: int  # in which it is needed
    earliest: int  # before which it can be computed


def pack(
    statements: list[tuple[str, str]], is_exp: Callable[[str], bool], double: set[str]
) -> tuple[list[str], dict[int, list[Pack]]]:
    """Take exponentials out of statements.

    Parameters
    ----------
    statements : list of tuple
        The name that is assigned to, and the expression.
    is_exp : callable
        Whether a function of this name is the exponential.
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
        for text in _Finder(is_exp).arguments(tree):
            names = get_identifiers(text)
            assigned = [j for j in range(k) if statements[j][0] in names]
            if not names & double and all(c.text != text or c.statement != k for c in calls):
                calls.append(_Call(text, k, max(assigned, default=-1) + 1))
    packs: dict[int, list[Pack]] = {}
    places: dict[tuple[int, str], str] = {}
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
        packs.setdefault(here, []).append(Pack(name, texts))
        for call in taken:
            places[call.statement, call.text] = f"{name}_{texts.index(call.text)}"
    replaced = [
        ast.unparse(_Replacer(is_exp, {t: n for (j, t), n in places.items() if j == k}).visit(tree))
        for k, tree in enumerate(trees)
    ]
    return replaced, packs


def _argument(node: ast.AST, is_exp: Callable[[str], bool]) -> ast.expr | None:
    """The argument of exp(x), or c x of exp(x)**c."""
    match node:
        case ast.Call(func=ast.Name(id=name), args=[argument]) if is_exp(name):
            return argument
        case ast.BinOp(left=left, op=ast.Pow(), right=ast.Constant() | ast.UnaryOp() as right):
            if isinstance(right, ast.UnaryOp) and not isinstance(right.operand, ast.Constant):
                return None
            inner = _argument(left, is_exp)
            return None if inner is None else ast.BinOp(inner, ast.Mult(), right)
    return None


class _Finder(ast.NodeVisitor):
    """Arguments of the exponentials that contain no other."""

    def __init__(self, is_exp: Callable[[str], bool]) -> None:
        self.is_exp, self.found = is_exp, list[str]()

    def arguments(self, tree: ast.AST) -> list[str]:
        self.visit(tree)
        return self.found

    def visit(self, node: ast.AST) -> None:
        argument = _argument(node, self.is_exp)
        before = len(self.found)
        if argument is None:
            self.generic_visit(node)
            return
        self.visit(argument)
        if len(self.found) == before:
            self.found.append(ast.unparse(argument))


class _Replacer(ast.NodeTransformer):
    """Puts names in the place of exponentials, by the text of the argument."""

    def __init__(self, is_exp: Callable[[str], bool], names: dict[str, str]) -> None:
        self.is_exp, self.names = is_exp, names

    def visit(self, node: ast.AST) -> ast.AST:
        argument = _argument(node, self.is_exp)
        if argument is not None and (name := self.names.get(ast.unparse(argument))):
            return ast.Name(name)
        return self.generic_visit(node)
