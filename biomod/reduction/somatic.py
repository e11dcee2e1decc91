"""What a dendritic synapse is worth in a point neuron.

When a synapse opens, the soma of the detailed cell takes a course. There is a current that makes it
take the same course when it is injected at the soma, and a surrogate is fitted to what injected
currents do. So the equivalent is the conductance that lets in this current, as near as two time
constants allow, with the same integral: whatever membrane the surrogate has, and the conductance
itself for a synapse at the soma. Dendritic spikes are not in it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from biomod.errors import ModelError
from biomod.mechanisms import passive
from biomod.model import Cell, SynapticReceptor
from biomod.model.circuit import check_receptor
from biomod.model.synapse import peak_of_difference
from biomod.units import Quantity, as_quantity, parse_unit

Array = npt.NDArray[np.float64]
SAMPLES, LONG = 800, 8.0  # of the potential in time; its length in time constants
POORLY = 0.1  # share of its variance beyond which two exponentials do not describe it
NEAR = 0.005  # V from the reversal potential within which a drive is too small to measure by


@dataclass(frozen=True)
class Equivalent:
    """A somatic receptor that stands for a dendritic one.

    Attributes
    ----------
    compartment, receptor : str
        Where the original is, and its name.
    at_soma : SynapticReceptor
        Its name is that of receptor and compartment together, ``AMPAtuft``.
    gain : float
        Peak conductance at the soma, as a share of that in the dendrite.
    misfit : float
        Share of the variance of the potential that is not described.
    """

    compartment: str
    receptor: str
    at_soma: SynapticReceptor
    gain: float
    misfit: float


def driven(
    cell: Cell, opened: Mapping[tuple[str, str], float], most: Quantity | str
) -> dict[str, float]:
    """Mean potentials by compartment (V) under a steady input, gates following and without spikes.

    Parameters
    ----------
    opened : mapping
        Mean conductance in S by compartment and receptor, magnesium block not counted.
    most : quantity
        The soma is held here if the input would bring it further: spikes would not let it.
    """
    ceiling = as_quantity(most, "mV", "most").si
    receptors = {(c.name, r.name): r for c in cell.compartments for r in c.receptors}
    return passive.driven(
        cell, {key: (receptors[key], g) for key, g in opened.items()}, ceiling
    )  # fmt: skip


def equivalent(
    cell: Cell, compartment: str, receptor: str, state: Mapping[str, float] | Quantity | str,
    weight: Quantity | str, step: float = 0.0,
) -> Equivalent:  # fmt: skip
    """The somatic equivalent of a synapse.

    Parameters
    ----------
    state : mapping or quantity
        Potentials (V) at which the synapse opens (:func:`driven`), or the one at which the soma is
        held while no other synapse is open.
    weight : quantity
        Peak conductance of the synapse: a large one depolarises its dendrite and gives less.
    step : float
        Time step in s of the simulations in which one is to stand for the other, see
        :func:`opening`.

    Notes
    -----
    The event is the mean one of all that keep the dendrite at its potential: its drive is what
    they leave, and its current is not diminished a second time by what they keep open. So the mean
    current of all is right.

    Raises
    ------
    ModelError
        No such compartment or receptor; a weight of 0.
    """
    where = cell.compartment(compartment)
    check_receptor(where, receptor, "somatic equivalent")
    own = next(r for r in where.receptors if r.name == receptor)
    name = f"{receptor}{compartment}"
    at = state if isinstance(state, Mapping) else passive.hold(cell, state)[0]
    v = at[cell.soma.name]
    w = as_quantity(weight, "nS", "weight").si
    if not w > 0:
        raise ModelError(f"{cell.name}: {receptor} of {compartment} needs a positive weight")
    sent = own
    if abs(own.E_rev.si - v) < NEAR:
        # Near the reversal a current says nothing of the conductance: an equal drive on both sides.
        v = at[compartment]
        sent = replace(own, E_rev=Quantity(v + 4 * NEAR, parse_unit("V")[1]))
    arriving = _event(cell, compartment, sent, at, v, w)
    charge, rise, decay, misfit = _two_exponentials(arriving, own)
    at_soma = replace(own, name=name, tau_rise=_ms(rise) if rise > step else None,
                      tau_decay=_ms(decay),
                      source=f"somatic equivalent of {compartment}.{receptor}")  # fmt: skip
    charge *= opening(own, step) / opening(own)
    return Equivalent(compartment, receptor, at_soma, charge / opening(at_soma, step), misfit)


def _ms(seconds: float) -> Quantity:
    return Quantity(seconds, parse_unit("ms")[1])


def mean_conductance(
    receptor: SynapticReceptor, weight: float, rate: float, step: float = 0.0
) -> float:
    """Conductance in S that events of a peak (S) and rate (Hz) keep open on average.

    The magnesium block is not counted. For `step` see :func:`opening`.
    """
    return weight * rate * opening(receptor, step) * receptor.gain


def opening(receptor: SynapticReceptor, step: float = 0.0) -> float:
    """Integral (s) of the course of a conductance with a peak of 1.

    In a simulation with a time `step` (s), which takes a conductance as constant from one step to
    the next, that is a sum. It is larger by half a step for a conductance that opens at once: 3 %
    of AMPA at 0.1 ms, which is 1 mV in a depolarised cell and a tenth of the rate of a basket cell.
    """

    def summed(tau: float) -> float:
        return -step / math.expm1(-step / tau) if step else tau

    rise = 0.0 if receptor.tau_rise is None else summed(receptor.tau_rise.si)
    return (summed(receptor.tau_decay.si) - rise) / receptor.peak_factor


def _course(t: Array, rise: float, decay: float) -> Array:
    """Difference of exponentials with a peak of 1; one exponential without a rise."""
    if rise <= 0:
        return np.exp(-t / decay)
    return (np.exp(-t / decay) - np.exp(-t / rise)) / peak_of_difference(rise, decay)


@dataclass(frozen=True, eq=False)
class _Arriving:
    """What arrives at the soma, as a conductance there that is filtered by the membrane.

    Relative to the peak conductance of the synapse, at times `t` (s); `tau` (s) is of the membrane.
    """

    t: Array
    filtered: Array
    tau: float


def _event(
    cell: Cell, compartment: str, receptor: SynapticReceptor, at: Mapping[str, float], v: float,
    w: float,
) -> _Arriving:  # fmt: skip
    """The current that takes the soma from v the way an event does, over its drive there.

    With the potentials y that the event evokes and z those of a cell whose soma is made to go the
    same way without it, the current is what ``y - z`` sends to the soma. All of the difference is
    in the dendrites, the soma being held. Gates are frozen.
    """
    from scipy.integrate import solve_ivp

    volt = parse_unit("V")[1]
    names = [c.name for c in cell.compartments]
    G = passive.conductance_matrix(cell, {n: Quantity(x, volt) for n, x in at.items()})
    soma, target = names.index(cell.soma.name), names.index(compartment)
    C = np.array([c.capacitance.si for c in cell.compartments])
    n, rise = len(C), 0.0 if receptor.tau_rise is None else receptor.tau_rise.si
    decay, E = receptor.tau_decay.si, receptor.E_rev.si
    tau = passive.apparent_time_constant(cell).si

    def synaptic(t: float, local: float) -> float:
        opened = w * float(_course(np.array(t), rise, decay)) * receptor.unblocked(local)
        return opened * (E - local)

    def rate(t: float, x: Array) -> Array:
        y, apart = x[:n], x[n:-1].copy()
        inward, sent = -G @ y, -G @ apart
        current = synaptic(t, float(at[names[target]] + y[target]))
        inward[target] += current
        sent[target] += current
        arrives, sent[soma] = sent[soma], 0.0
        now = v + float(y[soma])
        opened = arrives / (w * receptor.unblocked(now) * (E - now))
        return np.concatenate([inward / C, sent / C, [(opened - x[-1]) / tau]])

    t = np.linspace(0.0, LONG * (decay + tau), SAMPLES)
    found = solve_ivp(rate, (0.0, t[-1]), np.zeros(2 * n + 1), method="LSODA", t_eval=t,
                      rtol=1e-7, atol=1e-10, max_step=(rise or decay) / 2)  # fmt: skip
    return _Arriving(t, found.y[-1], tau)


def _filtered(t: Array, decay: float, tau: float) -> Array:
    """``exp(-t / decay)`` through a membrane of time constant tau and leak 1."""
    if abs(decay - tau) < 1e-6 * tau:
        return t / tau * np.exp(-t / tau)
    return decay / (decay - tau) * (np.exp(-t / decay) - np.exp(-t / tau))


def _two_exponentials(
    arriving: _Arriving, own: SynapticReceptor
) -> tuple[float, float, float, float]:
    """Integral, rise and decay (s) of the conductance that is as near to what arrives as can be.

    The integral is that of what arrives: the mean current of many events has to be right.
    """
    from scipy.optimize import least_squares

    t, tau, target = arriving.t, arriving.tau, arriving.filtered
    charge, peak = float(np.trapezoid(target, t)), float(np.abs(target).max())

    def named(x: Array) -> tuple[float, float]:
        decay = float(np.exp(x[0]))
        return decay * float(1 / (1 + np.exp(-x[1]))), decay

    def error(x: Array) -> Array:
        rise, decay = named(x)
        course = _filtered(t, decay, tau) - _filtered(t, rise, tau)
        return np.asarray(charge / (decay - rise) * course - target) / peak

    x0 = [math.log(own.tau_decay.si), -1.5]
    best = least_squares(error, x0, bounds=([-14, -6], [1, 3]))
    rise, decay = named(best.x)
    misfit = float(np.sum(best.fun**2) * peak**2 / np.sum((target - target.mean()) ** 2))
    return charge, rise, decay, misfit
