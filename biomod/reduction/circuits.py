"""Circuits of surrogates: every cell a point neuron, every synapse at its soma."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from biomod.errors import ModelError
from biomod.mechanisms import passive
from biomod.model import (
    Background,
    Cell,
    Circuit,
    GapJunctions,
    Modulator,
    Population,
    Projection,
)
from biomod.progress import as_progress
from biomod.reduction.conditioned import ConditionedReduction, condition, conditions
from biomod.reduction.fit import GENERATIONS, LAST
from biomod.reduction.point import firing_potential, level_5
from biomod.reduction.protocol import Protocol
from biomod.reduction.somatic import POORLY, Equivalent, driven, equivalent, mean_conductance
from biomod.reduction.spread import variations
from biomod.reduction.surrogate import Reduction, reduce
from biomod.units import Quantity, parse_unit

if TYPE_CHECKING:
    import pandas as pd

    from biomod.progress import Progress

Key = tuple[str, str]  # compartment and receptor
MEASURES = ("rate_hz", "cv_isi", "synchrony", "correlation", "peak_frequency_hz")


@dataclass(frozen=True, eq=False)
class CircuitReduction:
    """A circuit of surrogates.

    Attributes
    ----------
    detailed, circuit : Circuit
        The circuit, and that of its surrogates: same populations, sizes, modulators and seed.
    reductions : mapping
        By population, the surrogate of its cell.
    synapses : mapping
        By population, the somatic equivalents of the synapses that it receives.
    notes : tuple of str
        What the circuit of surrogates lacks.
    """

    detailed: Circuit
    circuit: Circuit
    reductions: Mapping[str, Reduction | ConditionedReduction]
    synapses: Mapping[str, tuple[Equivalent, ...]]
    notes: tuple[str, ...]

    def compare(
        self, *under: Sequence[Modulator], duration: Any = "2 s", skip: Any = "200 ms",
        seed: int | None = None, backend: str | None = None,
    ) -> pd.DataFrame:  # fmt: skip
        """Rates, irregularity, synchrony and peak of the spectrum of both circuits.

        Parameters
        ----------
        under : sequences of Modulator
            Further conditions besides the circuits as they are.
        duration, skip : quantity
            Length of the runs, and what of it is not counted.

        Returns
        -------
        pandas.DataFrame
            By condition, population and circuit (``detailed``, ``surrogate``); the columns are
            those of :func:`analysis.summary`, and ``spectrum_error``: root mean square of the
            difference of the logarithms (base 10) of both spectra up to 100 Hz.
        """
        import pandas as pd

        found = {}
        for modulators in ((), *under):
            label = " + ".join(f"{m.name} {m.tonic!r}" for m in modulators) or "control"
            spikes = [
                _spikes(c.modulated(*modulators), duration, seed, backend)
                for c in (self.detailed, self.circuit)
            ]
            found[label] = _compared(spikes[0], spikes[1], skip)
        return pd.concat(found, names=["condition"])

    def __str__(self) -> str:
        lines = [f"{self.circuit.name}: {len(self.circuit.populations)} populations of surrogates"]
        for name, reduction in self.reductions.items():
            base = reduction if isinstance(reduction, Reduction) else reduction.base
            lines.append(
                f"  {name}: {base.model}, explained variance {base.explained_variance:.3f}"
            )
            for s in self.synapses[name]:
                r = s.at_soma
                lines.append(f"    {r.name}: gain {s.gain:.3g}, decay {r.tau_decay:.3g}")
        return "\n".join([*lines, *(f"note: {n}" for n in self.notes)])


def _spikes(circuit: Circuit, duration: Any, seed: int | None, backend: str | None) -> Any:
    from biomod.simulation import simulate

    return simulate(circuit, duration, seed=seed, backend=backend).spikes


def _compared(detailed: Any, surrogate: Any, skip: Any) -> pd.DataFrame:
    import numpy as np
    import pandas as pd

    import analysis
    from biomod.units import as_quantity

    start = as_quantity(skip, "ms", "skip").to("ms")
    tables = {
        name: analysis.summary(spikes, start_ms=start)[list(MEASURES)]
        for name, spikes in (("detailed", detailed), ("surrogate", surrogate))
    }
    both = pd.concat(tables, names=["circuit"]).swaplevel().sort_index()
    both["spectrum_error"] = np.nan
    for population in tables["detailed"].index:
        powers = []
        for spikes in (detailed, surrogate):
            spectrum = analysis.power_spectrum(spikes, population, start_ms=start)
            low = (spectrum.frequency_hz > 0) & (spectrum.frequency_hz <= 100)
            powers.append(spectrum.power[low].to_numpy())
        if all((p > 0).all() for p in powers):
            error = np.sqrt(np.mean(np.log10(powers[0] / powers[1]) ** 2))
            both.loc[(population, "surrogate"), "spectrum_error"] = error
    return both


def reduce_circuit(
    circuit: Circuit,
    model: str = "glif5",
    *,
    modulators: Any = (),
    protocol: Protocol | None = None,
    seed: int = 1,
    generations: int = GENERATIONS,
    backend: str | None = None,
    progress: Progress | bool | None = None,
) -> CircuitReduction:
    """Replace every population of a circuit by its surrogate, and every synapse by one at the soma.

    Cells of one type are fitted once. A projection to several compartments becomes one to each
    somatic equivalent with its share of the connections. Modulators that change none of a
    population's parameters are left out for it.

    Raises
    ------
    ModelError
        The model is not a GLIF or LIF; constant modulators are given (they belong to the circuit).
    """
    protocol = protocol or Protocol()
    if any(isinstance(m, Modulator) for m in modulators):
        raise ModelError(
            'give concentrations to fit at, {"ACh": ["1 uM"]}; the modulators that a circuit is '
            "in are those of the circuit (circuit.modulated)"
        )
    bar = as_progress(progress)
    made: dict[Cell, Reduction | ConditionedReduction] = {}
    for cell in dict.fromkeys(p.cell for p in circuit.populations):
        base = reduce(cell, model, protocol=protocol, seed=seed, generations=generations,
                      backend=backend, progress=bar)  # fmt: skip
        doses = _acting(cell, modulators)
        made[cell] = base
        if doses:
            made[cell] = condition(cell, base, doses, protocol=protocol, seed=seed,
                                   generations=LAST * generations, backend=backend)  # fmt: skip
    reductions = {p.name: made[p.cell] for p in circuit.populations}
    return with_surrogates(circuit, reductions)


def _acting(cell: Cell, modulators: Any) -> dict[str, Any]:
    given = modulators if isinstance(modulators, Mapping) else dict.fromkeys(modulators)
    found: dict[str, Any] = {}
    for name, doses in given.items():
        try:
            found |= conditions(cell, {name: doses})
        except ModelError as error:
            if "changes no parameter" not in str(error):
                raise
    return found


def with_surrogates(
    circuit: Circuit,
    reductions: Mapping[str, Reduction | ConditionedReduction],
    rates: Mapping[str, float] | None = None,
) -> CircuitReduction:
    """The circuit with surrogates that have been fitted already, by population.

    Parameters
    ----------
    rates : mapping, optional
        Rates in Hz at which the populations of the detailed circuit fire: how far its synapses
        depolarise the dendrites depends on them. Without, only the background does.
    """
    missing = [name for name in circuit.cells if name not in reductions]
    if missing:
        raise ModelError(f"{circuit.name}: no surrogate for {', '.join(missing)}")
    notes: list[str] = []
    synapses = {
        p.name: _received(circuit, p, reductions[p.name], rates or {}, notes)
        for p in circuit.populations
    }
    gains = {
        name: {(s.compartment, s.receptor): s for s in found} for name, found in synapses.items()
    }
    populations = tuple(
        _population(p, reductions[p.name], synapses[p.name], gains[p.name], notes)
        for p in circuit.populations
    )
    projections = tuple(
        one for p in circuit.projections for one in _projections(circuit, p, gains[p.post])
    )
    junctions = tuple(_junctions(circuit, g) for g in circuit.gap_junctions)
    made = replace(circuit, populations=populations, projections=projections,
                   gap_junctions=junctions)  # fmt: skip
    return CircuitReduction(circuit, made, reductions, synapses, tuple(dict.fromkeys(notes)))


def _received(
    circuit: Circuit, population: Population, reduction: Reduction | ConditionedReduction,
    rates: Mapping[str, float], notes: list[str],
) -> tuple[Equivalent, ...]:  # fmt: skip
    """Somatic equivalents of everything that arrives at a population."""
    base = reduction if isinstance(reduction, Reduction) else reduction.base
    step = base.fit.dt * 1e-3
    most = Quantity(firing_potential(level_5(base.fit)) * 1e-3, parse_unit("V")[1])
    opened: dict[Key, float] = {}
    weights: dict[Key, list[float]] = {}
    for one in arriving(circuit, population, rates, step):
        opened[one.key] = opened.get(one.key, 0.0) + one.opened
        weights.setdefault(one.key, []).append(one.weight)
    state = driven(population.cell, opened, most)
    found = []
    for (compartment, receptor), all_weights in weights.items():
        w = Quantity(max(sum(all_weights) / len(all_weights), 1e-12), parse_unit("S")[1])
        found.append(equivalent(population.cell, compartment, receptor, state, w, step))
        if found[-1].misfit > POORLY:
            notes.append(
                f"{population.name}: {receptor} of {compartment} is not described by two "
                f"exponentials at the soma (misfit {found[-1].misfit:.2f})"
            )
    return tuple(found)


@dataclass(frozen=True)
class Arriving:
    """Events of one kind at a cell: where, their mean peak (S), and what they keep open (S)."""

    key: Key
    weight: float
    opened: float


def arriving(
    circuit: Circuit, population: Population, rates: Mapping[str, float], step: float = 0.0
) -> list[Arriving]:
    """Everything that reaches a cell of a population on average, by compartment and receptor.

    Parameters
    ----------
    rates : mapping
        Of the presynaptic populations, in Hz; 0 where not given.
    step : float
        Time step of the simulation in s (:func:`~biomod.reduction.somatic.opening`).
    """
    found = []
    for b in population.backgrounds:
        found += _events(population.cell, b, ((b.compartment, 1.0),), b.weight.si, b.rate.si, step)
    for p in circuit.projections:
        if p.post != population.name:
            continue
        rate, weight, degree = rates.get(p.pre, 0.0), *_mean_wiring(circuit, p)
        released = weight * steady_release(p, rate)
        found += _events(population.cell, p, p.compartments, released, degree * rate, step)
    return found


def _events(
    cell: Cell, one: Background | Projection, shares: Sequence[tuple[str, float]],
    weight: float, rate: float, step: float,
) -> list[Arriving]:  # fmt: skip
    found = []
    for compartment, part in shares:
        receptors = {r.name: r for r in cell.compartment(compartment).receptors}
        for name, share in one.receptors:
            if part > 0:
                g = mean_conductance(receptors[name], weight * share, rate * part, step)
                found.append(Arriving((compartment, name), weight * share, g))
    return found


def _mean_wiring(circuit: Circuit, p: Projection) -> tuple[float, float]:
    """Mean weight (S) of a connection and mean number of them per cell."""
    available = circuit.population(p.pre).size - (p.pre == p.post)
    degree = p.p_max * available if p.in_degree is None else p.in_degree
    weight = p.weight.si * math.exp(p.weight_shape**2 / 2)
    reached = min(degree, float(available))
    return (weight * degree / reached if reached else weight), reached


def steady_release(p: Projection, rate: float) -> float:
    """Mean efficacy of a synapse at a Poisson rate, relative to that of a first spike.

    Tsodyks, Pawelzik & Markram 1998, 10.1162/089976698300017502, with u and x independent.
    """
    stp = p.stp
    if stp is None:
        return 1.0
    U = min(stp.U * p.release_gain, 1.0)
    facilitated = rate * stp.tau_facil.si
    u = U * (1 + facilitated) / (1 + U * facilitated)
    x = 1 / (1 + u * rate * stp.tau_rec.si)
    return u * x / stp.U


def _population(
    population: Population, reduction: Reduction | ConditionedReduction,
    synapses: Sequence[Equivalent], gains: Mapping[Key, Equivalent], notes: list[str],
) -> Population:  # fmt: skip
    receptors = [s.at_soma for s in synapses]
    if isinstance(reduction, Reduction):  # one that follows no modulator
        reduction = ConditionedReduction(population.cell, reduction, {}, {}, Protocol())
    cell = reduction.cell_with(receptors)
    kept, lost = variations(population.cell, level_5(reduction.base.fit))
    if population.heterogeneous and lost:
        notes.append(f"{population.name}: no variation of {', '.join(lost)}")
    backgrounds = tuple(_background(b, population.name, gains) for b in population.backgrounds)
    return replace(population, cell=replace(cell, variations=kept), backgrounds=backgrounds)


def _background(b: Background, population: str, gains: Mapping[Key, Equivalent]) -> Background:
    # Populations of one structure share a group, in which a name stands for one set of shares.
    receptors = _at_soma(b.receptors, b.compartment, gains)
    return replace(b, name=f"{b.name}_{population}", compartment="soma", receptors=receptors)


def _at_soma(
    receptors: Sequence[tuple[str, float]], compartment: str, gains: Mapping[Key, Equivalent]
) -> tuple[tuple[str, float], ...]:
    found = []
    for name, share in receptors:
        one = gains[compartment, name]
        found.append((one.at_soma.name, share * one.gain))
    return tuple(found)


def _projections(
    circuit: Circuit, projection: Projection, gains: Mapping[Key, Equivalent]
) -> list[Projection]:
    """One projection for each compartment, with its share of the connections."""
    several = sum(share > 0 for _, share in projection.compartments) > 1
    found = []
    for compartment, share in projection.compartments:
        if share > 0:
            label = f"{projection.label}{compartment}" if several else projection.label
            found.append(replace(
                _share(circuit, projection, share), label=label,
                compartments=(("soma", 1.0),),
                receptors=_at_soma(projection.receptors, compartment, gains),
            ))  # fmt: skip
    return found


def _share(circuit: Circuit, projection: Projection, share: float) -> Projection:
    """The projection with a share of its connections, each as strong as it was."""
    degree, p = projection.in_degree, projection.p_max * share
    if degree is None or share == 1:
        return replace(projection, p_max=p)
    _, reached = _mean_wiring(circuit, projection)
    if degree <= reached:
        return replace(projection, p_max=p, in_degree=degree * share)
    # All-to-all is too few, so that weights are raised: half of them all would not be.
    stronger = projection.weight * (degree / reached)
    return replace(projection, weight=stronger, in_degree=None, sigma=None, p_max=share)


def _junctions(circuit: Circuit, junctions: GapJunctions) -> GapJunctions:
    """A junction between dendrites as one between somata."""
    g = junctions.g
    for name in (junctions.a, junctions.b):
        cell = circuit.population(name).cell
        soma, where = cell.soma.name, junctions.compartment
        g = g * (
            passive.transfer_resistance(cell, soma, where) / passive.input_resistance(cell, soma)
        )
    return replace(junctions, compartment="soma", g=g)
