"""Cells: compartments, what is in their membrane, and how they are coupled."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

from biomod.errors import ModelError, unknown_name
from biomod.model._base import (
    Description,
    check_name,
    check_types,
    check_unique,
    name_field,
    number,
    parts,
    quantity,
    text,
)
from biomod.model.channel import Channel
from biomod.model.heterogeneity import Variation
from biomod.model.neuromodulation import Expression
from biomod.model.synapse import SynapticReceptor
from biomod.units import Quantity

REGIONS = ("soma", "axon", "basal", "apical_trunk", "apical_tuft", "dendrite")
FIDELITIES = ("dspike", "hh", "point")


@dataclass(frozen=True)
class SomaticSpike(Description):
    """Threshold, stereotyped action potential and reset of an integrate-and-fire soma.

    When the somatic voltage reaches `threshold` a spike is emitted. With a `width`, the voltage
    is set to `peak`, evolves freely for `width` (which is what drives back-propagation into the
    dendrites), and is then set to `reset`; without one it is set to `reset` at once. No spike can
    follow within `refractory`.
    """

    threshold: Quantity = quantity("mV", "voltage at which a spike starts")
    reset: Quantity = quantity("mV", "voltage after the spike")
    refractory: Quantity = quantity("ms", "absolute refractory period", positive=True)
    peak: Quantity | None = quantity("mV", "peak of the action potential", default=None)
    width: Quantity | None = quantity(
        "ms", "time between peak and reset", default=None, positive=True
    )

    def _check(self) -> None:
        if not self.reset < self.threshold:
            raise ModelError(
                f"spike: reset ({self.reset!r}) must lie below threshold ({self.threshold!r})"
            )
        if (self.peak is None) != (self.width is None):
            raise ModelError("spike: peak and width are given together or not at all")
        if self.width is not None and not self.width < self.refractory:
            raise ModelError(
                f"spike: width ({self.width!r}) must be shorter than refractory "
                f"({self.refractory!r}), or the spike would be counted twice"
            )

    @property
    def key(self) -> str:
        """Name in a path."""
        return "spike"


@dataclass(frozen=True)
class PointSpike(Description):
    """Threshold, after-spike currents and reset of a generalised integrate-and-fire neuron.

    A spike where v reaches ``threshold + theta_s + theta_v``; then all stands still for
    `refractory`, with ``v = E_L + f_v (v - E_L) - dv``, ``theta_s += dtheta`` and ``I_j = f_j I_j +
    dI_j``. Between spikes ``dI_j/dt = -k_j I_j`` (the currents enter the soma), ``dtheta_s/dt =
    -b_s theta_s`` and ``dtheta_v/dt = a_v (v - E_L) - b_v theta_v``; E_L is the soma's `E_leak`.
    That is level 5; with zeros in the right places it is any level. A constant `current` enters
    the soma besides: what channels that receptors open or close carry.

    Source: Mihalas & Niebur 2009, 10.1162/neco.2008.12-07-680; Teeter et al. 2018,
    10.1038/s41467-017-02717-4.
    """

    threshold: Quantity = quantity("mV", "threshold without the moving parts")
    refractory: Quantity = quantity("ms", "time after a spike that is cut out", nonnegative=True)
    f_v: float = number("share of the voltage above rest that a spike leaves", default=0.0)
    dv: Quantity = quantity("mV", "what a spike takes off the voltage besides", default="0 mV")
    dtheta: Quantity = quantity("mV", "rise of the threshold at a spike", default="0 mV")
    b_s: Quantity = quantity("1/ms", "decay of theta_s", default="0.02 1/ms", positive=True)
    dI_1: Quantity = quantity("pA", "slow current that a spike adds", default="0 pA")
    dI_2: Quantity = quantity("pA", "fast current that a spike adds", default="0 pA")
    f_1: float = number("share of the slow current that a spike leaves", default=1.0)
    f_2: float = number("share of the fast current that a spike leaves", default=1.0)
    k_1: Quantity = quantity("1/ms", "decay of I_1", default="0.01 1/ms", positive=True)
    k_2: Quantity = quantity("1/ms", "decay of I_2", default="0.1 1/ms", positive=True)
    a_v: Quantity = quantity("1/ms", "drive of theta_v by the voltage", default="0 1/ms")
    b_v: Quantity = quantity("1/ms", "decay of theta_v", default="0.05 1/ms", positive=True)
    current: Quantity = quantity("pA", "constant current into the soma", default="0 pA")

    @property
    def key(self) -> str:
        """Name in a path."""
        return "spike"


@dataclass(frozen=True)
class DendriticSpike(Description):
    """An event-driven dendritic spike, as in Dendrify.

    When the local voltage reaches `threshold` and `refractory` has passed since the last one, a
    conductance `g_rise` towards `E_rise` opens for `duration_rise`; after `offset_fall` a
    conductance `g_fall` towards `E_fall` opens for `duration_fall`.

    Source: Pagkalos, Chavlis & Poirazi 2023, Nat Commun 14:131, 10.1038/s41467-022-35747-8.
    """

    name: str = name_field("e.g. Na, Ca, NMDA")
    threshold: Quantity = quantity("mV", "local threshold")
    g_rise: Quantity = quantity("nS", "depolarising conductance", nonnegative=True)
    g_fall: Quantity = quantity("nS", "repolarising conductance", nonnegative=True)
    E_rise: Quantity = quantity("mV", "reversal of the depolarising conductance")
    E_fall: Quantity = quantity("mV", "reversal of the repolarising conductance")
    duration_rise: Quantity = quantity("ms", "time for which g_rise is open", positive=True)
    duration_fall: Quantity = quantity("ms", "time for which g_fall is open", positive=True)
    refractory: Quantity = quantity("ms", "time before the next one", positive=True)
    offset_fall: Quantity = quantity(
        "ms", "delay from threshold to the opening of g_fall", default="0 ms", nonnegative=True
    )
    source: str = text("where the values come from", default="")


@dataclass(frozen=True)
class CalciumPool(Description):
    """Free calcium in a thin shell under the membrane, which calcium currents fill.

    ``d cai/dt = gamma * i_Ca / (2 F depth) - (cai - cai_rest) / tau_decay``, with the inward
    calcium current per membrane area i_Ca. `gamma` is the share that buffers leave free.

    Source: Destexhe et al. 1994, J Neurophysiol 72:803, 10.1152/jn.1994.72.2.803; with `gamma`
    as in Hay et al. 2011, 10.1371/journal.pcbi.1002107.
    """

    tau_decay: Quantity = quantity("ms", "time constant of removal", positive=True)
    gamma: float = number("share of free calcium", positive=True, maximum=1.0)
    depth: Quantity = quantity("um", "depth of the shell", default="0.1 um", positive=True)
    cai_rest: Quantity = quantity(
        "mM", "free calcium without current", default="0.0001 mM", positive=True
    )
    source: str = text("where the values come from", default="")

    @property
    def key(self) -> str:
        """Name in a path."""
        return "calcium"


@dataclass(frozen=True)
class Membrane(Description):
    """Membrane and the cytoplasm under it: what each has per area or length, wherever it lies."""

    g_leak: Quantity = quantity("uS/cm2", "leak conductance per area", nonnegative=True)
    E_leak: Quantity = quantity("mV", "reversal potential of the leak")
    cm: Quantity = quantity(
        "uF/cm2", "specific membrane capacitance", default="1 uF/cm2", positive=True
    )
    r_axial: Quantity = quantity("ohm*cm", "axial resistivity", default="150 ohm cm", positive=True)
    area_factor: float = number(
        "factor on the membrane area for spines and lumped branches", default=1.0, positive=True
    )
    channels: tuple[Channel, ...] = parts("channels in the membrane", default=())
    receptors: tuple[SynapticReceptor, ...] = parts("synaptic receptors", default=())
    calcium: CalciumPool | None = parts("pool of free calcium", default=None)

    _transparent: ClassVar[tuple[str, ...]] = ("channels", "receptors")

    def _check(self) -> None:
        label = self._label()
        check_types(self.channels, Channel, label)
        check_types(self.receptors, SynapticReceptor, label)
        check_unique(self.channels + self.receptors + self._more_parts(), label)
        if not isinstance(self.calcium, CalciumPool | None):
            raise ModelError(f"{label}: {self.calcium!r} is not a CalciumPool")
        for channel in self.channels:
            if channel.ion == "ca" and channel.reads_calcium:
                raise ModelError(
                    f"{label}: {channel.name} carries calcium, so its gates must not depend on "
                    "calcium"
                )
        readers = [c.name for c in self.channels if c.reads_calcium]
        if readers and self.calcium is None:
            raise ModelError(
                f"{label}: {readers[0]} depends on calcium; give it a calcium=CalciumPool(...)"
            )

    def _more_parts(self) -> tuple[Any, ...]:
        return ()


@dataclass(frozen=True)
class Cylinder(Description):
    """A piece of a neurite."""

    name: str = name_field()
    length: Quantity = quantity("um", "length of the cylinder", positive=True)
    diameter: Quantity = quantity("um", "diameter of the cylinder", positive=True)


@dataclass(frozen=True)
class Compartment(Membrane, Cylinder):
    """A cylinder of membrane with a leak, channels, synaptic receptors and dendritic spikes.

    Membrane equation: ``C dv/dt = g_leak (E_leak - v) + sum(I_channel) + sum(I_synapse) +
    sum(I_coupling) + I_injected`` with ``C = cm * area`` and
    ``area = pi * length * diameter * area_factor``.
    """

    region: str = text("anatomical region", default="dendrite", choices=REGIONS)

    def _check(self) -> None:
        super()._check()
        if "_" in self.name:
            raise ModelError(
                f"{self._label()}: compartment names must not contain an underscore (Dendrify "
                "builds its variable names with it)"
            )

    @property
    def area(self) -> Quantity:
        """Membrane area, lateral surface of the cylinder times `area_factor`."""
        return math.pi * self.area_factor * self.length * self.diameter

    @property
    def capacitance(self) -> Quantity:
        """Absolute capacitance ``cm * area``."""
        return self.cm * self.area

    @property
    def axial_resistance(self) -> Quantity:
        """End-to-end resistance of the cylinder, ``4 r_axial length / (pi diameter**2)``."""
        return 4 / math.pi * self.r_axial * self.length / self.diameter**2


@dataclass(frozen=True)
class Soma(Compartment):
    """The compartment that emits the spikes of the cell."""

    spike: SomaticSpike | PointSpike | None = parts(
        "integrate-and-fire spike, or None for HH cells", default=None
    )
    region: str = text("anatomical region", default="soma", choices=("soma",))

    def _check(self) -> None:
        if not isinstance(self.spike, SomaticSpike | PointSpike | None):
            raise ModelError(f"{self._label()}: {self.spike!r} is not a SomaticSpike or PointSpike")
        super()._check()


@dataclass(frozen=True)
class Dendrite(Compartment):
    """A dendritic compartment; `spikes` are its event-driven dendritic spikes."""

    spikes: tuple[DendriticSpike, ...] = parts("dendritic spikes", default=())

    _transparent: ClassVar[tuple[str, ...]] = ("channels", "receptors", "spikes")

    def _check(self) -> None:
        check_types(self.spikes, DendriticSpike, self._label())
        super()._check()

    def _more_parts(self) -> tuple[Any, ...]:
        return self.spikes


@dataclass(frozen=True)
class Coupling(Description):
    """Ohmic coupling between two compartments; by default that of their half cylinders."""

    a: str = text("name of one compartment")
    b: str = text("name of the other")
    g: Quantity | None = quantity("nS", "coupling conductance", default=None, positive=True)

    @property
    def key(self) -> str:
        """Name in a path, e.g. ``soma-trunk``."""
        return f"{self.a}-{self.b}"


@dataclass(frozen=True)
class Cell(Description):
    """A neuron: a soma, its dendrites, their couplings, receptors and variability.

    Parameters
    ----------
    compartments : tuple of Soma and Dendrite
        Exactly one soma; couplings must join all of them into one tree.
    expression : tuple of Expression
        Neuromodulatory receptors with their effects on parameters of this cell.
    variations : tuple of Variation
        How parameters differ between cells of this type.
    sources : tuple of (path prefix, source)
        Where values come from; the longest prefix of a path counts.
    """

    name: str = name_field("cell type, e.g. L23_PC")
    compartments: tuple[Compartment, ...] = parts("soma and dendrites")
    couplings: tuple[Coupling, ...] = parts("which compartments are joined", default=())
    expression: tuple[Expression, ...] = parts("neuromodulatory receptors", default=())
    variations: tuple[Variation, ...] = parts("cell-to-cell variability", default=())
    fidelity: str = text("level of detail", default="dspike", choices=FIDELITIES)
    species: str = text("species and area the values are for", default="")
    temperature: float = number("temperature in degrees Celsius", default=34.0)
    spike_detection: Quantity = quantity(
        "mV", "somatic voltage whose upward crossing is a spike of an hh cell", default="-20 mV"
    )
    summary: str = text("one line about the cell", default="")
    sources: tuple[tuple[str, str], ...] = parts("path prefix and source", default=())

    _transparent: ClassVar[tuple[str, ...]] = ("compartments", "couplings")

    def _check(self) -> None:
        label = self._label()
        check_types(self.compartments, Compartment, label)
        check_types(self.couplings, Coupling, label)
        check_types(self.expression, Expression, label)
        check_types(self.variations, Variation, label)
        check_unique(self.compartments, label)
        check_unique(self.couplings, label)
        somata = [c for c in self.compartments if isinstance(c, Soma)]
        if len(somata) != 1:
            raise ModelError(f"{label}: needs exactly one Soma, has {len(somata)}")
        if self.fidelity == "dspike" and not isinstance(somata[0].spike, SomaticSpike):
            raise ModelError(f"{label}: a dspike cell needs Soma(spike=SomaticSpike(...))")
        point = isinstance(somata[0].spike, PointSpike)
        if point != (self.fidelity == "point") or (point and len(self.compartments) > 1):
            raise ModelError(
                f"{label}: a cell of the fidelity point is one Soma(spike=PointSpike(...))"
            )
        events = [d.name for d in self.dendrites if isinstance(d, Dendrite) and d.spikes]
        if self.fidelity == "hh" and (somata[0].spike is not None or events):
            raise ModelError(
                f"{label}: the spikes of an hh cell come from its channels; leave "
                "Soma(spike=...) and Dendrite(spikes=...) out"
            )
        self._check_tree()
        for variation in self.variations:
            self.paths(variation.path)
        object.__setattr__(self, "sources", tuple((str(p), str(s)) for p, s in self.sources))

    def _check_tree(self) -> None:
        names = [c.name for c in self.compartments]
        parent = {n: n for n in names}

        def root(n: str) -> str:
            while parent[n] != n:
                n = parent[n]
            return n

        for coupling in self.couplings:
            for end in (coupling.a, coupling.b):
                if end not in parent:
                    raise unknown_name(f"compartment of {self._label()}", end, names)
            a, b = root(coupling.a), root(coupling.b)
            if a == b:
                raise ModelError(f"{self._label()}: coupling {coupling.key} closes a loop")
            parent[a] = b
        if len({root(n) for n in names}) > 1:
            apart = [n for n in names if root(n) != root(self.soma.name)]
            raise ModelError(f"{self._label()}: {', '.join(apart)} not coupled to the soma")

    @property
    def soma(self) -> Soma:
        """The soma."""
        return next(c for c in self.compartments if isinstance(c, Soma))

    @property
    def dendrites(self) -> tuple[Compartment, ...]:
        """All compartments but the soma."""
        return tuple(c for c in self.compartments if not isinstance(c, Soma))

    def paths(self, pattern: str) -> tuple[str, ...]:
        """The paths that a pattern stands for: ``"*.g_leak"`` is that of every compartment.

        Compartments without the parameter are left out; a :class:`ModelError` if all lack it, or
        if a path without ``*`` does not exist.
        """
        head, _, rest = pattern.partition(".")
        if head != "*":
            self.get(pattern)
            return (pattern,)
        known = self.parameters()
        found = [f"{c.name}.{rest}" for c in self.compartments if f"{c.name}.{rest}" in known]
        if not found:
            raise unknown_name(f"path in {self._label()}", pattern, known)
        return tuple(found)

    def compartment(self, name: str) -> Compartment:
        """The compartment called `name`; a :class:`ModelError` names the nearest."""
        for c in self.compartments:
            if c.name == name:
                return c
        names = [c.name for c in self.compartments]
        check_name(name, "compartment")
        raise unknown_name(f"compartment of {self._label()}", name, names)

    def coupling_conductance(self, coupling: Coupling) -> Quantity:
        """``g`` of a coupling; by default 2 / (R_a + R_b), the half cylinders in series."""
        if coupling.g is not None:
            return coupling.g
        a, b = self.compartment(coupling.a), self.compartment(coupling.b)
        conductance: Quantity = 2 / (a.axial_resistance + b.axial_resistance)
        return conductance

    def source(self, path: str) -> str:
        """Where the value at `path` comes from: the source of the longest matching prefix."""
        best = max(
            (p for p, _ in self.sources if path == p or path.startswith(p + ".") or p == ""),
            key=len,
            default=None,
        )
        return dict(self.sources)[best] if best is not None else ""
