"""Synaptic receptors of a compartment, and short-term plasticity of a connection."""

from __future__ import annotations

import math
from dataclasses import dataclass

from biomod.errors import ModelError
from biomod.model._base import Description, name_field, number, quantity, text
from biomod.units import Quantity

RECEPTOR_KINDS = ("AMPA", "NMDA", "GABA", "GABA_B")


@dataclass(frozen=True)
class SynapticReceptor(Description):
    """A conductance opened by presynaptic spikes, shared by all synapses of a compartment.

    ``I = gain * g(t) * B(v) * (E_rev - v)``, where every spike of weight `w` (a conductance)
    adds ``w * (exp(-t/tau_decay) - exp(-t/tau_rise)) / peak`` to ``g``, so that `w` is the peak
    conductance; without `tau_rise` the rise is instantaneous. ``B = 1`` but for NMDA, whose
    magnesium block is ``B(v) = 1 / (1 + mg / 3.57 * exp(-0.062 v))`` with `mg` in mM and v in
    mV (Jahr & Stevens 1990, J Neurosci 10:3178). GABA is GABA-A; the slow potassium current
    of GABA-B is described by its two exponentials.
    """

    name: str = name_field("name used by projections, e.g. AMPA")
    kind: str = text("kind of receptor", choices=RECEPTOR_KINDS)
    E_rev: Quantity = quantity("mV", "reversal potential")
    tau_decay: Quantity = quantity("ms", "decay time constant", positive=True)
    tau_rise: Quantity | None = quantity("ms", "rise time constant", default=None, positive=True)
    mg: Quantity | None = quantity(
        "mM", "extracellular magnesium (NMDA only)", default=None, nonnegative=True
    )
    gain: float = number(
        "factor on the conductance; 1 unless modulated", default=1.0, nonnegative=True
    )
    source: str = text("where the kinetics come from", default="")

    def _check(self) -> None:
        if (self.kind == "NMDA") != (self.mg is not None):
            need = "needs" if self.kind == "NMDA" else "must not have"
            raise ModelError(
                f"{self._label()}: a {self.kind} receptor {need} a magnesium concentration mg"
            )
        if self.tau_rise is not None and not self.tau_rise < self.tau_decay:
            raise ModelError(
                f"{self._label()}: tau_rise ({self.tau_rise!r}) must be shorter than tau_decay "
                f"({self.tau_decay!r})"
            )

    @property
    def peak_factor(self) -> float:
        """Peak of ``exp(-t/tau_decay) - exp(-t/tau_rise)``; 1 for an instantaneous rise."""
        if self.tau_rise is None:
            return 1.0
        return peak_of_difference(self.tau_rise.si, self.tau_decay.si)

    def unblocked(self, v: float) -> float:
        """Share ``B(v)`` of the conductance that magnesium leaves open at v (V)."""
        if self.mg is None:
            return 1.0
        return 1 / (1 + self.mg.to("mM") / 3.57 * math.exp(-0.062 * 1e3 * v))


def peak_of_difference(rise: float, decay: float) -> float:
    """Peak of ``exp(-t/decay) - exp(-t/rise)``."""
    t_peak = decay * rise / (decay - rise) * math.log(decay / rise)
    return math.exp(-t_peak / decay) - math.exp(-t_peak / rise)


@dataclass(frozen=True)
class ShortTermPlasticity(Description):
    """Depression and facilitation of release (Tsodyks, Pawelzik & Markram 1998).

    Between spikes ``dx/dt = (1 - x) / tau_rec`` and ``du/dt = -u / tau_facil``; a spike does
    ``u <- u + U (1 - u)``, releases ``u x`` and leaves ``x <- x (1 - u)``. Weights of a projection
    are those of the first spike after rest (u = U, x = 1), so the efficacy is ``w * u x / U``.

    Source: Tsodyks, Pawelzik & Markram 1998, Neural Comput 10:821, 10.1162/089976698300017502.
    """

    U: float = number("release probability at rest", positive=True, maximum=1.0)
    tau_rec: Quantity = quantity("ms", "recovery from depression", positive=True)
    tau_facil: Quantity = quantity("ms", "decay of facilitation", positive=True)
    source: str = text("where the parameters come from", default="")

    @property
    def key(self) -> str:
        """Name in a path."""
        return "stp"
