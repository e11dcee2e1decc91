"""From a detailed cell to a point neuron: :func:`reduce`."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from biomod.errors import ModelError, unknown_name
from biomod.model import Cell, Circuit, Modulator
from biomod.progress import Progress, as_progress
from biomod.reduction.evaluation import scores
from biomod.reduction.fit import GENERATIONS, LAST, Fit, fit, fit_ladder, longest
from biomod.reduction.models import MODELS, PointModel
from biomod.reduction.point import quantity
from biomod.reduction.protocol import Protocol
from biomod.reduction.recordings import Behaviour
from biomod.results._json import write_json
from biomod.units import Quantity

if TYPE_CHECKING:
    import pandas as pd

    from biomod.reduction.circuits import CircuitReduction
    from biomod.reduction.conditioned import ConditionedReduction
    from biomod.reduction.export import Exported

    Doses = Mapping[str, Sequence[Any]] | Sequence[str]

FEW_SPIKES, POOR = 30, 0.5


@dataclass(frozen=True, eq=False)
class Reduction:
    """The surrogate of a cell, with the simpler ones that led to it.

    Attributes
    ----------
    behaviour : Behaviour
        What it was fitted to and judged by.
    fits : mapping
        A fit for every model, the simplest first.
    model : str
        The one that was asked for.
    all_scores : mapping
        By model, the scores on held-out data
        (:data:`~biomod.reduction.evaluation.SCORES`).
    """

    behaviour: Behaviour
    fits: Mapping[str, Fit]
    model: str
    all_scores: Mapping[str, Mapping[str, float]]

    @property
    def fit(self) -> Fit:
        """The fit of the model that was asked for."""
        return self.fits[self.model]

    @property
    def point_model(self) -> PointModel:
        """Its equations."""
        return self.fit.model

    @property
    def parameters(self) -> dict[str, Quantity]:
        """Fitted parameters with units."""
        return {
            p.name: quantity(self.fit.parameters[p.name], p.unit)
            for p in self.point_model.parameters
        }

    @property
    def scores(self) -> Mapping[str, float]:
        """Scores on held-out data."""
        return self.all_scores[self.model]

    @property
    def explained_variance(self) -> float:
        """Of held-out spike trains filtered with 10 ms, as in Teeter et al. 2018."""
        return self.scores["explained_variance"]

    @property
    def coincidence_4ms(self) -> float:
        """Coincidence factor of held-out spike trains within 4 ms."""
        return self.scores["coincidence_4ms"]

    @property
    def fit_seconds(self) -> float:
        """How long all fits took."""
        return sum(f.seconds for f in self.fits.values())

    @property
    def reference_seconds(self) -> float:
        """How long the detailed cell took to simulate (when it was)."""
        return self.behaviour.seconds

    @property
    def cautions(self) -> list[str]:
        """Why the surrogate should not be trusted; empty if nothing speaks against it."""
        found = []
        spikes = sum(len(s.spikes) for s in self.behaviour.train)
        if spikes < FEW_SPIKES:
            found.append(f"only {spikes} spikes to train on")
        tested = sum(len(s.spikes) for s in self.behaviour.test if s.kind == "noise")
        if tested < FEW_SPIKES:
            found.append(f"only {tested} spikes to test on")
        if not self.explained_variance >= POOR:
            found.append(f"explains {self.explained_variance:.2f} of the held-out variance")
        if self.fit.at_bounds:
            found.append(f"at the edge of what was tried: {', '.join(self.fit.at_bounds)}")
        return found

    @property
    def trusted(self) -> bool:
        """Whether nothing but parameters at their bounds speaks against the surrogate."""
        return not [c for c in self.cautions if not c.startswith("at the edge")]

    def summary(self) -> pd.DataFrame:
        """Scores on held-out data, one row for each model."""
        import pandas as pd

        rows = {name: {"loss": self.fits[name].loss, **self.all_scores[name]} for name in self.fits}
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("model")

    def report(self, path: str | Path) -> None:
        """Write a page with traces, rasters, f-I curve, ladder and what is not captured (HTML)."""
        from biomod.reduction.report import write_report

        write_report(self, path)

    def export(self, path: str | Path, format: str) -> Exported:
        """Write the surrogate for another simulator or a chip: :meth:`Fit.export`."""
        return self.fit.export(path, format)

    def save(self, path: str | Path) -> None:
        """Write parameters and scores (JSON), for :func:`biomod.reduction.load_surrogate`."""
        write_json(path, self.to_dict())

    def to_dict(self) -> dict[str, Any]:
        """What ``biomod reduce --json`` prints."""
        return {
            "cell": self.behaviour.name,
            "model": self.model,
            "parameters": {
                p.name: {"value": self.fit.parameters[p.name], "unit": p.unit}
                for p in self.point_model.parameters
            },
            "parameter_sd": dict(self.fit.spread or {}),
            "dt_ms": self.fit.dt,
            **self.scores,
            "training_loss": {name: f.loss for name, f in self.fits.items()},
            "ladder": {name: dict(s) for name, s in self.all_scores.items()},
            "fit_seconds": self.fit_seconds,
            "reference_seconds": self.reference_seconds,
            "rheobase_pA": self.behaviour.rheobase,
            "seed": self.fit.seed,
            "evaluations": sum(f.evaluations for f in self.fits.values()),
            "trusted": self.trusted,
            "cautions": self.cautions,
        }

    def __str__(self) -> str:
        lines = [f"{self.model} of {self.behaviour.name}"]
        for p in self.point_model.parameters:
            sd = (self.fit.spread or {}).get(p.name)
            number = f"{self.fit.parameters[p.name]:.5g}" + ("" if sd is None else f" ± {sd:.2g}")
            lines.append(f"  {p.name:8} {number} {p.unit if p.unit != '1' else ''}".rstrip())
        lines.append(
            f"held out: explained variance {self.explained_variance:.3f}, coincidence within "
            f"4 ms {self.coincidence_4ms:.3f}"
        )
        lines += [f"caution: {c}" for c in self.cautions]
        return "\n".join(lines)


@overload
def reduce(
    cell: Cell | Behaviour | Callable[..., Any], model: str = ..., *,
    modulators: Sequence[Modulator] = ..., protocol: Protocol | None = ..., seed: int = ...,
    generations: int = ..., refits: int = ..., backend: str | None = ...,
    progress: Progress | bool | None = ...,
) -> Reduction: ...  # fmt: skip


@overload
def reduce(
    cell: Cell, model: str = ..., *,
    modulators: Doses, protocol: Protocol | None = ..., seed: int = ...,
    generations: int = ..., refits: int = ..., backend: str | None = ...,
    progress: Progress | bool | None = ...,
) -> ConditionedReduction: ...  # fmt: skip


@overload
def reduce(
    cell: Circuit, model: str = ..., *,
    modulators: Doses = ..., protocol: Protocol | None = ..., seed: int = ...,
    generations: int = ..., refits: int = ..., backend: str | None = ...,
    progress: Progress | bool | None = ...,
) -> CircuitReduction: ...  # fmt: skip


def reduce(
    cell: Cell | Circuit | Behaviour | Callable[..., Any],
    model: str = "glif5",
    *,
    modulators: Sequence[Modulator] | Doses = (),
    protocol: Protocol | None = None,
    seed: int = 1,
    generations: int = GENERATIONS,
    refits: int = 0,
    backend: str | None = None,
    progress: Progress | bool | None = None,
) -> Reduction | ConditionedReduction | CircuitReduction:
    """Fit a point neuron to a detailed cell or to recordings, or to every cell of a circuit.

    The cell is driven with noise, steps, ramps and short squares (:class:`Protocol`). For a GLIF
    the levels that it contains are fitted first and begin its search, so that none is worse on the
    training data than those below. All scores are of noise with other seeds and steps of other
    amplitudes.

    Parameters
    ----------
    cell : Cell, Circuit, Behaviour or callable
        A description; recordings (:func:`~biomod.reduction.recordings`); or a function
        ``respond(currents, dt)`` that gives, for every current in pA with samples of dt ms, the
        voltage in mV at the beginning of each sample and the spike times in ms. Of a circuit every
        population gets a surrogate, and every synapse its equivalent at the soma.
    model : str
        ``"glif1"`` to ``"glif5"`` (with the reset of another program ``"glif1_nest"``,
        ``"glif1_allensdk"`` …), ``"izhikevich"`` (2007, with units), ``"izhikevich2003"``,
        ``"lif"``, ``"alif"``, ``"eif"``, ``"adex"`` or ``"qif"``.
    modulators : sequence of Modulator, mapping, or sequence of str
        Modulators under which the cell is driven. Or concentrations by name, ``{"ACh": ["0.3 uM",
        "1 uM", "3 uM"]}``: then the parameters follow the receptors, fitted at these (names alone:
        at a third, one and three times the EC50).
    protocol : Protocol, optional
        How the cell is driven.
    seed : int
        Of the search: equal seeds give equal results.
    generations : int
        Length of the search for each model below; twice as many for the one asked for (quadratic
        neurons: eight times), and for each receptor of the search with modulators.
    refits : int
        Searches with other seeds, for the spread of the parameters.
    backend : str, optional
        That simulates the cell.
    progress : Progress or bool, optional
        Is told how far simulation and fit are; True is a text bar.

    Returns
    -------
    Reduction, ConditionedReduction or CircuitReduction
        The second if the parameters follow modulators, the last for a circuit.

    Raises
    ------
    ModelError
        An unknown model or modulator; a cell that is silent or fires without a current; too little
        data.
    BackendError
        There is no C++ compiler, or cma is missing.

    Examples
    --------
    >>> import biomod as bm, cell_types
    >>> found = bm.reduce(cell_types.get("PV_basket"), model="glif3")
    >>> found.explained_variance > 0.9
    True
    """
    if model not in MODELS:
        raise unknown_name("model", model, MODELS)
    if isinstance(cell, Circuit):
        from biomod.reduction.circuits import reduce_circuit

        return reduce_circuit(
            cell, model, modulators=modulators, protocol=protocol, seed=seed,
            generations=generations, backend=backend, progress=progress,
        )  # fmt: skip
    constant, doses = _told(modulators)
    if doses is not None:
        return _conditioned(cell, model, doses, protocol or Protocol(), progress, seed=seed,
                            generations=generations, refits=refits, backend=backend)  # fmt: skip
    bar = as_progress(progress)
    behaviour = _behaviour(cell, protocol or Protocol(), constant, backend, bar)
    bar.start(1.0)
    try:
        fits = fit_ladder(behaviour, model, seed=seed, generations=generations, tell=bar.update)
    finally:
        bar.close()
    if refits:
        fits[model] = _with_spread(behaviour, fits, model, refits, generations)
    held_out = {name: scores(f, behaviour.test) for name, f in fits.items()}
    return Reduction(behaviour, fits, model, held_out)


def _told(modulators: Any) -> tuple[tuple[Modulator, ...], Any]:
    """Modulators to drive a cell under, or concentrations (or names) that a surrogate follows."""
    if isinstance(modulators, Modulator):
        return (modulators,), None
    if isinstance(modulators, Mapping | str) or any(isinstance(m, str) for m in modulators):
        return (), modulators
    wrong = [m for m in modulators if not isinstance(m, Modulator)]
    if wrong:
        raise ModelError(
            f"modulators: {wrong[0]!r} is neither a Modulator nor the name of one; to fit at some "
            'concentrations give {"ACh": ["0.3 uM", "1 uM"]}'
        )
    return tuple(modulators), None


def _conditioned(
    cell: Any, model: str, doses: Any, protocol: Protocol, progress: Progress | bool | None, *,
    seed: int, generations: int, refits: int, backend: str | None,
) -> ConditionedReduction:  # fmt: skip
    from biomod.reduction.conditioned import check_conditioned, condition

    check_conditioned(cell, model, doses)  # before what takes time
    base = reduce(cell, model, protocol=protocol, seed=seed, generations=generations,
                  refits=refits, backend=backend, progress=progress)  # fmt: skip
    bar = as_progress(progress)
    bar.start(1.0)
    try:
        return condition(cell, base, doses, protocol=protocol, seed=seed, backend=backend,
                         generations=LAST * generations, tell=bar.update)  # fmt: skip
    finally:
        bar.close()


def _behaviour(
    cell: Any, protocol: Protocol, modulators: Sequence[Modulator], backend: str | None,
    bar: Progress,
) -> Behaviour:  # fmt: skip
    from biomod.reduction.reference import observe, of_cell

    if isinstance(cell, Behaviour):
        return cell
    if isinstance(cell, Cell):
        return of_cell(cell, protocol, modulators, backend=backend, progress=bar)
    if callable(cell):
        return observe(cell, protocol, getattr(cell, "__name__", "cell"))
    raise ModelError(
        "reduce takes a Cell, a Circuit, recordings (biomod.reduction.recordings) or a function "
        f"that responds to currents, not {cell!r}"
    )


def _with_spread(
    behaviour: Behaviour, fits: Mapping[str, Fit], model: str, refits: int, generations: int
) -> Fit:
    """The fit with the standard deviation of its parameters over searches with other seeds."""
    chosen, began = fits[model], time.perf_counter()
    others = [
        fit(behaviour, model, seed=chosen.seed + k, generations=longest(model, generations))
        for k in range(1, refits + 1)
    ]
    spread = {
        name: float(np.std([f.parameters[name] for f in (chosen, *others)], ddof=1))
        for name in chosen.model.names
    }
    seconds = chosen.seconds + time.perf_counter() - began
    return replace(chosen, spread=spread, seconds=seconds)
