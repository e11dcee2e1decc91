"""A pyramidal cell that was made by rule and not reconstructed: for examples and tests.

``python -m biomod.morphology.synthetic`` writes ``data/synthetic_pyramidal.swc`` anew. Sizes are of
the order of those of layer 5 of rodents (soma of 20 µm, trunk of 400 µm, a tuft, five basal
trees; estimates), daughters follow the 3/2 power rule of Rall, directions have a random part.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from biomod.mechanisms.randomness import stream

FILE = Path(__file__).parent / "data" / "synthetic_pyramidal.swc"
STEP = 10.0  # µm between samples
BASAL, APICAL = 3, 4


def example_swc() -> Path:
    """The path of the synthetic pyramidal cell that comes with biomod."""
    return FILE


class _Growth:
    """Collects samples."""

    def __init__(self, seed: int) -> None:
        self.rng = stream(seed, "morphology/synthetic_pyramidal")
        self.rows: list[tuple[int, int, float, float, float, float, int]] = []
        self.soma = self.sample(1, np.zeros(3), 10.0, -1)

    def sample(self, kind: int, at: np.ndarray, radius: float, parent: int) -> int:
        number = len(self.rows) + 1
        x, y, z = (float(round(c, 2)) for c in at)
        self.rows.append((number, kind, x, y, z, radius, parent))
        return number

    def branch(
        self, kind: int, parent: int, at: np.ndarray, towards: np.ndarray, length: float,
        radii: tuple[float, float],
    ) -> tuple[int, np.ndarray, np.ndarray]:  # fmt: skip
        """An unbranched neurite; its last sample, where that is and its direction."""
        count = max(2, round(length / STEP))
        for k in range(1, count + 1):
            towards = towards + 0.12 * self.rng.standard_normal(3)
            towards = towards / np.linalg.norm(towards)
            at = at + towards * length / count
            radius = radii[0] + (radii[1] - radii[0]) * k / count
            parent = self.sample(kind, at, round(radius, 3), parent)
        return parent, at, towards

    def tree(
        self, kind: int, parent: int, at: np.ndarray, towards: np.ndarray, length: float,
        radius: float, orders: int,
    ) -> None:  # fmt: skip
        """A branch that forks `orders` times."""
        end, at, towards = self.branch(kind, parent, at, towards, length, (radius, 0.9 * radius))
        if orders == 0:
            return
        daughter = 0.9 * radius / 2 ** (2 / 3)
        side = np.cross(towards, self.rng.standard_normal(3))
        side = side / np.linalg.norm(side)
        for sign in (1.0, -1.0):
            stretch = length * (1.2 + 0.3 * self.rng.random())
            self.tree(kind, end, at, towards + 0.7 * sign * side, stretch, daughter, orders - 1)


def pyramidal(seed: int = 1) -> str:
    """The text of an SWC file."""
    g = _Growth(seed)
    for k in range(5):
        angle = 2 * np.pi * k / 5
        direction = np.array([np.cos(angle), -0.6, np.sin(angle)])
        direction /= np.linalg.norm(direction)
        g.tree(BASAL, g.soma, 10 * direction, direction, 30.0, 0.9, 2)
    up = np.array([0.0, 1.0, 0.0])
    end, at, radius = g.soma, 10 * up, 2.0
    for k in range(4):
        end, at, up = g.branch(APICAL, end, at, up, 100.0, (radius, radius - 0.2))
        radius -= 0.2
        if k < 3:
            side = np.cross(up, g.rng.standard_normal(3))
            g.tree(APICAL, end, at, side / np.linalg.norm(side) + 0.3 * up, 60.0, 0.5, 1)
    for sign in (1.0, -1.0):
        g.tree(APICAL, end, at, up + np.array([0.6 * sign, 0, 0]), 70.0, radius / 2 ** (2 / 3), 2)
    head = (
        "# Synthetic pyramidal cell, grown by biomod.morphology.synthetic; not a reconstruction.\n"
        "# id type x y z radius parent (um); 1 soma, 3 basal, 4 apical dendrite\n"
    )
    rows = (
        f"{n} {kind} {x:g} {y:g} {z:g} {r:g} {parent}\n" for n, kind, x, y, z, r, parent in g.rows
    )
    return head + "".join(rows)


if __name__ == "__main__":
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(pyramidal(), encoding="utf-8")
