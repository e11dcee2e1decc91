"""The table of ``hh`` cells: feature, target, Brian2, NEURON, distance in s.d.

``python -m cell_types.calibration.table [CELL ...]`` measures all features on both simulators and
prints the table. :func:`written` makes it from what the calibration left in ``fitted_hh.yaml``.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping

from biomod.model import Cell
from cell_types import _hh_library
from cell_types.bench import Bench
from cell_types.calibration import features_l5_et
from cell_types.calibration.features_hh import Protocol, compile_protocol, measure
from cell_types.calibration.fit_hh import DT_FINAL
from cell_types.calibration.targets import Target, targets

BACKENDS = ("cpp", "neuron")
LIMIT = 2.0
Features = Mapping[str, float]


def features(name: str, backend: str, cell: Cell | None = None) -> dict[str, float]:
    """Features of a calibrated cell (or of `cell`, with its protocol) on one simulator."""
    cell = _hh_library.build(name) if cell is None else cell
    if name == "L5_ET":
        return features_l5_et.features(cell, Bench(backend))
    protocol = Protocol.for_targets({p: t.value for p, t in targets(name).items()})
    return measure([cell], protocol, compile_protocol([cell], protocol, DT_FINAL, backend))[0]


def written() -> dict[str, tuple[Features, Features]]:
    """Features on Brian2 and NEURON by cell, as the calibration wrote them."""
    return {
        name: (entry["features"], entry["features_neuron"])
        for name, entry in _hh_library.fitted_file().items()
    }


def rows(
    name: str, brian: Features, neuron: Features
) -> list[tuple[str, Target, float, float, float]]:
    """Property, target, Brian2, NEURON and z (of Brian2) of one cell."""
    nan = float("nan")
    return [
        (p, t, brian.get(p, nan), neuron.get(p, nan), t.z(brian.get(p, nan)))
        for p, t in targets(name).items()
    ]


def markdown(measured: Mapping[str, tuple[Features, Features]]) -> str:
    """The table of all cells, with the share of targets within the limit."""
    lines = [
        "| cell | feature | unit | target | s.d. | Brian2 | NEURON | z |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    distances = []
    for name, (brian, neuron) in measured.items():
        for p, t, b, n, z in rows(name, brian, neuron):
            distances.append(z)
            far = "" if abs(z) <= LIMIT else " **"
            lines.append(
                f"| {name} | {p} | {t.unit} | {t.value:.4g} | {t.sd:.3g} | {b:.4g} | {n:.4g} | "
                f"{z:.2f}{far} |"
            )
    lines += ["", f"{within(distances)} of {len(distances)} targets within {LIMIT:g} s.d."]
    return "\n".join(lines) + "\n"


def within(distances: Iterable[float]) -> int:
    """How many are within the limit; what a cell does not show is not."""
    return sum(abs(z) <= LIMIT for z in distances)


def main(names: list[str]) -> None:
    """Measure the named cells (default: all) on both simulators and print the table."""
    measured = {}
    for name in names or list(_hh_library.fitted_values()):
        brian, neuron = (features(name, b) for b in BACKENDS)
        measured[name] = (brian, neuron)
    print(markdown(measured))


if __name__ == "__main__":
    main(sys.argv[1:])
