"""A GLIF under the reset and integration of another program."""

from __future__ import annotations

import math

from biomod.reduction.export._common import split_glif
from biomod.reduction.fit import Fit
from biomod.reduction.kernel import refractory_steps
from biomod.reduction.models import glif

# What a program does, by what is asked of it; levels to which it applies.
_RULES, _CURRENTS, _ALL = (2, 4, 5), (3, 4, 5), (1, 2, 3, 4, 5)
_HABITS: dict[str, dict[str, tuple[str, tuple[int, ...]]]] = {
    "threshold": {
        "teeter2018": ("the raised threshold stands still while the neuron is refractory", _RULES),
        "allensdk": ("the raised threshold decays while the neuron is refractory", _RULES),
        "nest": ("the raised threshold decays while the neuron is refractory", _RULES),
    },
    "voltage": {
        "teeter2018": ("the voltage is reset from that at the spike", _RULES),
        "allensdk": ("the voltage is reset from that at the spike", _RULES),
        "nest": ("the voltage is reset from that one step before the spike", _RULES),
    },
    "membrane": {
        "teeter2018": ("the membrane is integrated exactly", _ALL),
        "allensdk": ("the membrane is integrated by Euler's rule", _ALL),
        "nest": ("the membrane is integrated exactly", _ALL),
    },
    "currents": {
        "teeter2018": ("after-spike currents decay during a step", _CURRENTS),
        "allensdk": ("after-spike currents act with their value at the beginning of a step",
                     _CURRENTS),
        "nest": ("after-spike currents act with their mean over a step", _CURRENTS),
    },
}  # fmt: skip


def with_reset(fitted: Fit, reset: str) -> tuple[Fit, tuple[str, ...]]:
    """The same GLIF as another program runs it, and what that program does otherwise.

    After-spike currents keep the same share over a spike and the refractory time after it:
    ``f exp(-k t_ref)`` there is `f` of a neuron whose currents stand still (equation 7 of Teeter
    et al. 2018).
    """
    level, now = split_glif(fitted, "a reset")
    if reset == now:
        return fitted, ()
    losses = [habits[reset][0] for habits in _HABITS.values()
              if habits[reset][0] != habits[now][0] and level in habits[reset][1]]  # fmt: skip
    p, dt = dict(fitted.parameters), fitted.dt
    before = p["t_ref"]
    p["t_ref"] = refractory_steps(fitted.model, p, dt) * dt
    for j in (1, 2) if level >= 3 else ():
        share = p[f"f_{j}"]
        if now != "teeter2018":
            share *= math.exp(-p[f"k_{j}"] * (before if now == "nest" else p["t_ref"]))
        if reset != "teeter2018":
            share *= math.exp(p[f"k_{j}"] * p["t_ref"])
        if reset == "nest" and share > 1:
            losses.append(_clipped(f"f_{j}", share, 1.0))
            share = 1.0
        p[f"f_{j}"] = share
    if reset == "nest" and not 0 <= p.get("f_v", 0.0) <= 1:
        allowed = min(max(p["f_v"], 0.0), 1.0)
        losses.append(_clipped("f_v", p["f_v"], allowed))
        p["f_v"] = allowed
    return Fit(glif(level, reset), p, fitted.loss, dt, seed=fitted.seed), tuple(losses)


def _clipped(name: str, value: float, allowed: float) -> str:
    return f"{name} becomes {allowed:g} instead of {value:.4g}, the nearest that NEST allows"
