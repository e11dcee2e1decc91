"""Neuromodulators, their receptors, and what an active receptor does to a cell."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from biomod.errors import ModelError, unknown_name
from biomod.model._base import Description, check_types, name_field, number, parts, quantity, text
from biomod.units import Quantity, as_quantity, parse_quantity

MODULATORS = {
    "DA": "dopamine",
    "ACh": "acetylcholine",
    "5-HT": "serotonin",
    "NA": "noradrenaline",
    "HA": "histamine",
}
OPERATIONS = ("scale", "shift", "add", "set")


def modulator_name(name: object) -> str:
    """Canonical name of a modulator (``"5HT"``, ``"dopamine"`` and such are understood)."""
    text_ = str(name)
    aliases = {"5HT": "5-HT", "NE": "NA", "noradrenalin": "NA", "norepinephrine": "NA"}
    aliases |= {long: short for short, long in MODULATORS.items()}
    canonical = aliases.get(text_, text_)
    if canonical not in MODULATORS:
        raise unknown_name("modulator", text_, [*MODULATORS, *aliases])
    return canonical


@dataclass(frozen=True)
class Receptor(Description):
    """A receptor subtype: concentration-response curve and kinetics.

    Steady-state activation is the Hill curve ``H(C) = C**n / (EC50**n + C**n)``; it is followed
    with time constant `tau_onset` when rising and `tau_decay` when falling:
    ``da/dt = (H - a) / tau``. With `tau_desensitisation` an ionotropic receptor's response to a
    lasting, saturating concentration decays to `desensitised_fraction` of its peak.

    `local_gain` is the ratio of the concentration at this receptor to the bulk concentration,
    above 1 for ionotropic receptors that face release sites. `constitutive` is the activation
    without any ligand (``a = c + (1 - c) H``); 0 unless one asks for it, so that a concentration
    of zero is no modulation.
    """

    name: str = text("subtype, e.g. M1")
    modulator: str = text("neuromodulator that binds", choices=tuple(MODULATORS))
    ec50: Quantity = quantity("nM", "concentration of half activation", positive=True)
    tau_onset: Quantity = quantity("ms", "time constant of activation", positive=True)
    tau_decay: Quantity = quantity("ms", "time constant of deactivation", positive=True)
    hill: float = number("Hill coefficient", default=1.0, positive=True)
    tau_desensitisation: Quantity | None = quantity(
        "ms", "time constant of desensitisation", default=None, positive=True
    )
    desensitised_fraction: float = number(
        "response left after desensitisation", default=1.0, nonnegative=True, maximum=1.0
    )
    local_gain: float = number("local over bulk concentration", default=1.0, positive=True)
    coupling: str = text("G protein or ion channel", default="")
    source: str = text("where the values come from", default="")
    constitutive: float = number(
        "activation without ligand", default=0.0, nonnegative=True, maximum=1.0
    )

    def occupancy(self, concentration: Quantity | str) -> float:
        """Steady-state activation at a bulk concentration (Hill curve), before expression."""
        c = as_quantity(concentration, "nM", f"concentration at {self.name}").si * self.local_gain
        return self.constitutive + (1 - self.constitutive) * hill(c, self.ec50.si, self.hill)


def hill(c: float, ec50: float, n: float) -> float:
    """``c**n / (ec50**n + c**n)``, exactly 0 at 0 and safe for large and small ratios."""
    if c <= 0:
        return 0.0
    return 1.0 / (1.0 + math.exp(n * (math.log(ec50) - math.log(c))))


@dataclass(frozen=True)
class Effect(Description):
    """What a fully active receptor does to one parameter of one mechanism.

    With activation ``a`` in 0…1: ``scale`` gives ``X = X0 (1 + (value - 1) a)``; ``shift`` and
    ``add`` give ``X = X0 + value a``. Several scales of one target multiply, shifts add. ``set``
    is the operation of rows about learning rules; they are listed, not applied.

    An effect with `transient_onset` and `transient_decay` does not follow the lasting activation
    but its onsets only: it rises and decays with these time constants after a step of the
    concentration, and vanishes in any constant one.

    `target` names the mechanism and parameter in the words of the tables (``"g_M"``,
    ``"release_probability"``, ``"NMDA_gain"``); `compartment` says where. Which parameter of
    which cell this is, is decided by :func:`biomod.mechanisms.neuromodulation.resolve`.
    """

    name: str = name_field("identifier of the row, e.g. E001")
    receptor: str = text("receptor that causes it")
    target: str = text("parameter that changes")
    compartment: str = text("where in the cell")
    operation: str = text("how it changes", choices=OPERATIONS)
    value: float = number("size at full activation, in `unit`")
    unit: str = text("unit of the value", default="x")
    high_dose: bool = False
    enabled: bool = True
    evidence: str = text("published number, estimate, …", default="")
    source: str = text("author, year, DOI", default="")
    note: str = text("conditions and caveats", default="")
    cell_type: str = text("cell type, or class of types, that the row is about", default="")
    transient_onset: Quantity | None = quantity(
        "ms", "rise of a transient effect", default=None, positive=True
    )
    transient_decay: Quantity | None = quantity(
        "ms", "decay of a transient effect", default=None, positive=True
    )

    def _check(self) -> None:
        if (self.transient_onset is None) != (self.transient_decay is None):
            raise ModelError(f"{self._label()}: transient_onset and _decay go together")
        onset, decay = self.transient_onset, self.transient_decay
        if onset is not None and decay is not None and not onset < decay:
            raise ModelError(f"{self._label()}: transient_onset must be below transient_decay")


@dataclass(frozen=True)
class Expression(Description):
    """A receptor as one cell type expresses it, with its effects on that type.

    The activation is multiplied by `level` (1 = the cell type that expresses it most).
    `compartments` restricts the receptor to some compartments; None leaves that to the effects.
    """

    receptor: Receptor = parts("the receptor")
    level: float = number("relative expression", nonnegative=True, maximum=1.0)
    effects: tuple[Effect, ...] = parts("what it does to this cell type", default=())
    compartments: tuple[str, ...] | None = parts("only in these compartments", default=None)
    source: str = text("where the level comes from", default="")

    def _check(self) -> None:
        if not isinstance(self.receptor, Receptor):
            raise ModelError(f"Expression: receptor must be a Receptor, not {self.receptor!r}")
        check_types(self.effects, Effect, f"Expression of {self.receptor.name}")
        for effect in self.effects:
            if effect.receptor != self.receptor.name:
                raise ModelError(
                    f"Expression of {self.receptor.name}: effect {effect.name} belongs to "
                    f"{effect.receptor}"
                )

    @property
    def key(self) -> str:
        """Name in a path."""
        return self.receptor.name


@dataclass(frozen=True)
class Pulse(Description):
    """A transient of concentration: jumps by `amplitude` at `start`, decays after `duration`."""

    start: Quantity = quantity("ms", "onset", nonnegative=True)
    duration: Quantity = quantity("ms", "how long it stays", positive=True)
    amplitude: Quantity = quantity("nM", "height above the tonic level", nonnegative=True)
    tau_clearance: Quantity = quantity("ms", "time constant of the decay afterwards", positive=True)


@dataclass(frozen=True)
class Modulator(Description):
    """A neuromodulator and its concentration over time.

    Parameters
    ----------
    name : str
        DA, ACh, 5-HT, NA or HA.
    tonic : quantity
        Constant concentration; receptors are in equilibrium with it when the run begins.
    pulses : tuple of Pulse
        Transients on top of it.
    times, values : sequences, optional
        An arbitrary time course added to the tonic level, linear between the given points and
        constant outside; `times` in ms, `values` in nM as quantities or texts.
    receptors : tuple of str, optional
        Act on these receptors only (an ideal agonist); by default on all.
    """

    name: str = text("which modulator")
    tonic: Quantity = quantity("nM", "constant concentration", default="0 nM", nonnegative=True)
    pulses: tuple[Pulse, ...] = parts("transients", default=())
    times: tuple[Quantity, ...] = parts("times of an arbitrary course", default=())
    values: tuple[Quantity, ...] = parts("concentrations at these times", default=())
    receptors: tuple[str, ...] = parts("only these receptors; all if empty", default=())

    def _check(self) -> None:
        object.__setattr__(self, "name", modulator_name(self.name))
        check_types(self.pulses, Pulse, f"Modulator {self.name}")
        for field, unit in (("times", "ms"), ("values", "nM")):
            given = getattr(self, field)
            items = tuple(as_quantity(v, unit, f"{self.name} {field}") for v in given)
            object.__setattr__(self, field, items)
            if any(not math.isfinite(v.si) or v.si < 0 for v in items):
                raise ModelError(f"modulator {self.name}: {field} must be finite and not negative")
        if len(self.times) != len(self.values):
            raise ModelError(
                f"modulator {self.name}: {len(self.times)} times but {len(self.values)} values"
            )
        if any(b <= a for a, b in zip(self.times, self.times[1:], strict=False)):
            raise ModelError(f"modulator {self.name}: times must increase")
        receptors: object = self.receptors  # a single name too
        if isinstance(receptors, str):
            object.__setattr__(self, "receptors", (receptors,))

    @property
    def is_constant(self) -> bool:
        """Whether the concentration never changes."""
        return not self.pulses and not self.values


def parse_modulator(specification: str) -> Modulator:
    """Read ``"ACh=0.5uM"`` as a tonic concentration."""
    name, equals, amount = specification.partition("=")
    if not equals:
        raise ModelError(f"modulator {specification!r}: write NAME=CONCENTRATION, e.g. ACh=0.5uM")
    name = modulator_name(name.strip())
    value = parse_quantity(amount)
    return Modulator(name, tonic=as_quantity(value, "nM", f"concentration of {name}"))


def ACh(tonic: Any = "0 nM", **kwargs: Any) -> Modulator:
    """Acetylcholine; see :class:`Modulator`."""
    return Modulator("ACh", tonic, **kwargs)


def DA(tonic: Any = "0 nM", **kwargs: Any) -> Modulator:
    """Dopamine; see :class:`Modulator`."""
    return Modulator("DA", tonic, **kwargs)


def NA(tonic: Any = "0 nM", **kwargs: Any) -> Modulator:
    """Noradrenaline; see :class:`Modulator`."""
    return Modulator("NA", tonic, **kwargs)


def HA(tonic: Any = "0 nM", **kwargs: Any) -> Modulator:
    """Histamine; see :class:`Modulator`."""
    return Modulator("HA", tonic, **kwargs)


def serotonin(tonic: Any = "0 nM", **kwargs: Any) -> Modulator:
    """Serotonin (5-HT); see :class:`Modulator`."""
    return Modulator("5-HT", tonic, **kwargs)
