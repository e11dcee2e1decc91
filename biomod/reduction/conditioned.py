"""Surrogates whose parameters follow neuromodulators.

With the activation a_r of the receptors that change the cell, a voltage or a constant current is
``p = p0 + sum_r s_r a_r`` and any other parameter ``p = p0 prod_r (1 + s_r a_r / p0)``. p0 is the
fit without modulators; the shifts s_r are one search over all concentrations at once. The detailed
cell's parameters follow the activations in the same way, so that a few concentrations are enough,
and modulators whose receptors differ can be mixed without a fit of their mixture. Channels that
open or close change a conductance and a current; the rest is a ratio, which no sum of shifts
follows.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from biomod.errors import ModelError
from biomod.mechanisms import neuromodulation as nm
from biomod.model import Cell, Effect, Expression, Modulator, SynapticReceptor
from biomod.model.neuromodulation import modulator_name
from biomod.reduction.evaluation import scores
from biomod.reduction.fit import Fit, fit
from biomod.reduction.models import PointModel, glif
from biomod.reduction.point import CURRENT, level_5, path_and_unit, point_cell
from biomod.reduction.protocol import Protocol
from biomod.reduction.recordings import Behaviour
from biomod.reduction.reference import of_cell
from biomod.reduction.shifts import (
    ADDED,
    PASSIVE,
    SHARES,
    Arm,
    Shifts,
    composed,
    unit,
)
from biomod.reduction.spread import shifted
from biomod.reduction.surrogate import Reduction
from biomod.units import Quantity, as_quantity

if TYPE_CHECKING:
    import pandas as pd

USUAL = (1 / 3, 1.0, 3.0)  # concentrations to fit at, in multiples of the EC50


def conditions(cell: Cell, modulators: Any) -> dict[str, tuple[Quantity, ...]]:
    """Concentrations to fit at by modulator, from what a user gave.

    Parameters
    ----------
    modulators : mapping or sequence of str
        ``{"ACh": ["0.3 uM", "1 uM"]}``; names alone stand for a third, one and three times the EC50
        of the receptors that change the cell. A concentration of 0 is the fit without modulators,
        which is always made.

    Raises
    ------
    ModelError
        An unknown modulator; one that changes nothing in this cell; no concentration above 0.
    """
    if isinstance(modulators, str):
        modulators = (modulators,)
    given = modulators if isinstance(modulators, Mapping) else dict.fromkeys(modulators)
    found: dict[str, tuple[Quantity, ...]] = {}
    for raw, values in given.items():
        name = modulator_name(raw)
        if name in found:
            raise ModelError(f"modulators: {name} is given twice")
        receptors = [r for r in _changing(cell) if r.modulator == name]
        if not receptors:
            raise ModelError(
                f"{name} changes no parameter of {cell.name} in a lasting way, so that there is "
                f"nothing to fit; modulators that do: {', '.join(_effective(cell)) or 'none'}"
            )
        if values is None:
            middle = np.exp(np.mean([np.log(r.ec50.si / r.local_gain) for r in receptors]))
            values = [Quantity(x * middle, receptors[0].ec50.dim) for x in USUAL]
        if isinstance(values, str | Quantity):
            values = (values,)
        doses = [as_quantity(v, "nM", f"concentration of {name}") for v in values]
        if any(not 0 <= d.si < np.inf for d in doses):
            raise ModelError(f"{name}: concentrations must be finite and not negative")
        above = sorted({d.si: d for d in doses if d.si > 0}.items())
        if not above:
            raise ModelError(f"{name}: give at least one concentration above 0 to fit at")
        found[name] = tuple(d for _, d in above)
    if not found:
        raise ModelError("modulators: none was given")
    return found


def _lasting(cell: Cell) -> list[tuple[nm.AppliedEffect, tuple[nm.Change, ...]]]:
    """Effects that a constant concentration has on the cell, but for those on its synapses."""
    gains = {f"{c.name}.{r.name}.gain" for c in cell.compartments for r in c.receptors}
    found = []
    for applied in nm.resolve(cell).applied:
        changes = tuple(c for c in applied.changes if c.path not in gains)
        if changes and applied.effect.transient_onset is None:
            found.append((applied, changes))
    return found


def _arms(cell: Cell, modulator: str) -> tuple[Arm, ...]:
    of = {x.receptor.name: x.receptor.modulator for x in cell.expression}
    arms = [(a.receptor, a.effect.high_dose) for a, _ in _lasting(cell)]
    return tuple(dict.fromkeys(arm for arm in arms if of[arm[0]] == modulator))


def _changing(cell: Cell) -> list[Any]:
    names = {a.receptor for a, _ in _lasting(cell)}
    return [x.receptor for x in cell.expression if x.receptor.name in names]


def _effective(cell: Cell) -> list[str]:
    return list(dict.fromkeys(r.modulator for r in _changing(cell)))


def activations(cell: Cell, modulators: Sequence[Modulator]) -> dict[Arm, float]:
    """Activation times expression level of every arm under constant concentrations."""
    found = {}
    effect = {(a.receptor, a.effect.high_dose): a.effect for a, _ in _lasting(cell)}
    for x in cell.expression:
        for high in (False, True):
            if (x.receptor.name, high) in effect:
                a = nm.activation(x.receptor, modulators, [0.0], effect[x.receptor.name, high])
                found[x.receptor.name, high] = x.level * float(a[0])
    return found


@dataclass(frozen=True, eq=False)
class ConditionedReduction:
    """A surrogate whose parameters follow neuromodulators.

    Attributes
    ----------
    detailed : Cell
        What it stands for.
    base : Reduction
        The surrogate without modulators.
    shifts : mapping
        By receptor (and whether its high-dose arm) and parameter of ``glif5``, the change at full
        activation.
    fitted_at : mapping
        Concentrations by modulator.
    protocol, backend
        How the detailed cell is driven.
    seconds : float
        How long the search for the shifts took.
    """

    detailed: Cell
    base: Reduction
    shifts: Mapping[Arm, Mapping[str, float]]
    fitted_at: Mapping[str, tuple[Quantity, ...]]
    protocol: Protocol
    backend: str | None = None
    seconds: float = 0.0

    @property
    def cell(self) -> Cell:
        """The surrogate as a cell: a drop-in replacement under the same modulators."""
        return self.cell_with(())

    def cell_with(self, receptors: Sequence[SynapticReceptor]) -> Cell:
        """The surrogate with synaptic receptors on its soma.

        One that stands for the receptor R of the compartment c is called Rc (``AMPAtuft``); the
        effects of modulators on its gain are those of the detailed cell.
        """
        base, names = level_5(self.base.fit), [r.name for r in receptors]
        return point_cell(
            self.detailed.name, base, receptors=receptors, like=self.detailed,
            expression=expression(self.detailed, base, self.shifts, names),
            summary=f"surrogate ({self.base.model}) of {self.detailed.name}",
        )  # fmt: skip

    def at(self, *modulators: Modulator) -> Fit:
        """The surrogate under constant concentrations, as a ``glif5``.

        Raises
        ------
        ModelError
            A modulator changes the cell but was not fitted, or is not constant.
        """
        self._check(modulators)
        a = activations(self.detailed, modulators)
        changes = [(shifts, a[arm]) for arm, shifts in self.shifts.items()]
        values = composed(level_5(self.base.fit), changes)
        return Fit(glif(5), values, float("nan"), self.base.fit.dt, seed=self.base.fit.seed)

    def _check(self, modulators: Sequence[Modulator]) -> None:
        for m in modulators:
            if not m.is_constant:
                raise ModelError(f"{m.name}: a constant concentration is needed here")
            if m.name not in self.fitted_at and m.name in _effective(self.detailed):
                raise ModelError(
                    f"{m.name} changes {self.detailed.name}, but was not among the modulators that "
                    f"this surrogate was fitted to ({', '.join(self.fitted_at)})"
                )

    def behaviour(self, *modulators: Modulator) -> Behaviour:
        """The detailed cell under these modulators, driven as without them."""
        return of_cell(self.detailed, self.protocol, modulators, backend=self.backend,
                       rheobase=self.base.behaviour.rheobase)  # fmt: skip

    def test(self, *modulators: Modulator, refit: bool = False) -> dict[str, float]:
        """How well it predicts the detailed cell under modulators, on held-out noise.

        Parameters
        ----------
        refit : bool
            Whether to fit a surrogate to this condition alone, for comparison.

        Returns
        -------
        dict
            ``rate_change`` of the cell against no modulators; explained variance of the
            ``conditioned`` and the ``unconditioned`` surrogate and of the ``refit``.
        """
        seen, fitted = self.behaviour(*modulators), self.at(*modulators)
        still = self.base.behaviour
        found = {
            "rate_change": _rate(seen) / _rate(still) - 1 if _rate(still) else float("inf"),
            "conditioned": scores(fitted, seen.test)["explained_variance"],
            "unconditioned": scores(self.base.fit, seen.test)["explained_variance"],
        }
        if refit:
            alone = fit(seen, self.base.model, seed=self.base.fit.seed,
                        warm=[_in_model(self.base.point_model, fitted)])  # fmt: skip
            found["refit"] = scores(alone, seen.test)["explained_variance"]
        return found

    def compare(
        self, *mixtures: Modulator | Sequence[Modulator], refit: bool = False
    ) -> pd.DataFrame:
        """:meth:`test` of several conditions, one row each."""
        import pandas as pd

        sets = [(m,) if isinstance(m, Modulator) else tuple(m) for m in mixtures]
        index = [" + ".join(f"{m.name} {m.tonic!r}" for m in s) for s in sets]
        rows = [self.test(*s, refit=refit) for s in sets]
        return pd.DataFrame(rows, index=index).rename_axis("condition")

    def to_dict(self) -> dict[str, Any]:
        """What ``biomod reduce --json`` prints: the surrogate, and its shifts."""
        shifts = {
            _label(arm): {n: {"value": s, "unit": unit(n)} for n, s in by.items()}
            for arm, by in self.shifts.items()
        }
        return {
            **self.base.to_dict(),
            "shifts_at_full_activation": shifts,
            "fitted_at_nM": {
                name: [c.to("nM") for c in doses] for name, doses in self.fitted_at.items()
            },
            "conditioning_seconds": self.seconds,
        }

    def __str__(self) -> str:
        lines = [str(self.base)]
        for arm, shifts in self.shifts.items():
            lines.append(f"at full activation of {_label(arm)}:")
            for name, shift in shifts.items():
                lines.append(f"  {name:8} {shift:+.4g} {unit(name)}".rstrip())
        return "\n".join(lines)


def _guess(
    cell: Cell, arms: Sequence[Arm], reference: Mapping[str, float]
) -> dict[Arm, dict[str, float]]:
    """What the changes by each receptor do to the current that holds the cell."""
    return {arm: shifted(cell, _changes(cell, arm), reference) for arm in arms}


def _changes(cell: Cell, arm: Arm) -> list[nm.Change]:
    return [c for a, changes in _lasting(cell) for c in changes
            if (a.receptor, a.effect.high_dose) == arm]  # fmt: skip


def _free(cell: Cell, arm: Arm, model: PointModel) -> list[str]:
    """Parameters that an arm shifts, of those that a model has."""
    known = {*model.names, "dv", CURRENT}
    ungated = {f"{c.name}.{channel.name}.g_max" for c in cell.compartments
               for channel in c.channels if not channel.gates}  # fmt: skip
    passive = all(change.path in ungated for change in _changes(cell, arm))
    names = PASSIVE if passive else (*SHARES, *ADDED)
    return [n for n in names if n in known]


def _label(arm: Arm) -> str:
    return arm[0] + (" (high dose)" if arm[1] else "")


def _rate(seen: Behaviour) -> float:
    noise = [s for s in seen.test if s.kind == "noise"]
    return sum(len(s.spikes) for s in noise) / sum(s.duration for s in noise)


def _in_model(model: PointModel, fitted: Fit) -> dict[str, float]:
    """Parameters of level 5 as those of a simpler level, which it was made of."""
    p = dict(fitted.parameters)
    if "v_reset" in model.names:
        p["v_reset"] = p["E_L"] - p["dv"]
    return {name: p[name] for name in model.names}


def expression(
    detailed: Cell, base: Mapping[str, float], shifts: Mapping[Arm, Mapping[str, float]],
    receptors: Sequence[str] = (),
) -> tuple[Expression, ...]:  # fmt: skip
    """Expression of the surrogate: shifts in the place of effects on the membrane.

    Effects on projections stay as they are, those on synaptic gains follow the receptors to the
    soma, and those of modulators that were not fitted remain, to be listed as not expressed.
    """
    lasting = {
        a.effect.name for a, _ in _lasting(detailed) if (a.receptor, a.effect.high_dose) in shifts
    }
    gains: dict[str, list[Effect]] = {}
    moved = set()
    for applied in nm.resolve(detailed).applied:
        for number, change in enumerate(applied.changes):
            where, _, rest = change.path.partition(".")
            name = rest.removesuffix(".gain") + where
            if rest.endswith(".gain"):
                moved.add(applied.effect.name)
                if name in receptors:
                    gains.setdefault(applied.receptor, []).append(replace(
                        applied.effect, name=f"{applied.effect.name}_{number}", compartment="soma",
                        target=f"soma.{name}.gain", operation="scale", value=change.value,
                        unit="x",
                    ))  # fmt: skip
    found = []
    for x in detailed.expression:
        kept = tuple(e for e in x.effects if e.name not in lasting | moved)
        fitted = tuple(
            _effect(arm, name, shift, base)
            for arm, by in shifts.items() if arm[0] == x.receptor.name
            for name, shift in by.items()
        )  # fmt: skip
        effects = (*kept, *fitted, *gains.get(x.receptor.name, ()))
        found.append(replace(x, effects=effects, compartments=None))
    return tuple(found)


def _effect(arm: Arm, name: str, shift: float, base: Mapping[str, float]) -> Effect:
    path, given, factor = path_and_unit(name)
    operation, value = "shift", shift * factor
    if name in SHARES and (name != "g" or shift < 0):
        operation, value, given = "scale", 1 + shift / base[name], "x"
    high = "_high" if arm[1] else ""
    return Effect(
        f"fit_{arm[0]}{high}_{name}", receptor=arm[0], target=path, compartment="soma",
        operation=operation, value=value, unit=given, high_dose=arm[1],
        evidence="fitted", source="biomod.reduce",
    )  # fmt: skip


def check_conditioned(cell: Any, model: str, modulators: Any) -> None:
    """Raise :class:`ModelError` if a surrogate of this kind cannot follow these modulators."""
    if not isinstance(cell, Cell):
        raise ModelError(
            "a surrogate that follows modulators is fitted to a Cell, whose receptors say how; for "
            f"{cell!r} fit one surrogate to each condition"
        )
    if model != "lif" and not model.startswith("glif"):
        raise ModelError(
            f"a surrogate that follows modulators is glif1 to glif5 or lif, not {model}"
        )
    conditions(cell, modulators)


def condition(
    cell: Cell,
    base: Reduction,
    modulators: Any,
    *,
    protocol: Protocol,
    seed: int = 1,
    generations: int = 200,
    backend: str | None = None,
    tell: Callable[[float], None] | None = None,
) -> ConditionedReduction:
    """Make a surrogate follow neuromodulators, beginning from the one without them.

    Raises
    ------
    ModelError
        See :func:`conditions`; or the surrogate is not a GLIF.
    """
    doses = conditions(cell, modulators)
    reference = level_5(base.fit)
    found = ConditionedReduction(cell, base, {}, doses, protocol, backend)
    shifts: dict[Arm, dict[str, float]] = {}
    seconds = 0.0
    for number, (name, concentrations) in enumerate(doses.items()):
        under = [(Modulator(name, c),) for c in concentrations]
        seen = [
            of_cell(cell, protocol, m, backend=backend, rheobase=base.behaviour.rheobase)
            for m in under
        ]  # fmt: skip
        began = time.perf_counter()
        arms = _arms(cell, name)
        table = [[activations(cell, m)[arm] for arm in arms] for m in under]
        free = {arm: _free(cell, arm, base.point_model) for arm in arms}
        search = Shifts(reference, free, np.array(table), seen)

        def share(x: float, number: int = number) -> None:
            if tell is not None:
                tell((number + x) / len(doses))

        shifts |= search.found(_guess(cell, arms, reference), seed, generations, share)
        seconds += time.perf_counter() - began
    return replace(found, shifts=shifts, seconds=seconds)
