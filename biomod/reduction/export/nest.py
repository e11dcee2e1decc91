"""GLIF neurons as parameters of NEST's ``glif_psc``, and back.

A surrogate ``glif1_nest`` to ``glif5_nest`` is exactly what NEST runs; of the others its reset and
integration are changed first, with what that costs. NEST gives injected currents with a delay (1 ms
by default) and one step more.

Source: NEST 3.10, models/glif_psc.cpp and nest-simulator.readthedocs.io, models/glif_psc;
nest/nest-simulator issue 3009 on the reset of after-spike currents.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from biomod.errors import ModelError
from biomod.reduction.export._common import Exported, number, split_glif
from biomod.reduction.export.probe import agreement_of
from biomod.reduction.export.resets import with_reset
from biomod.reduction.fit import Fit
from biomod.reduction.models import glif

MECHANISMS = {  # spike_dependent_threshold, after_spike_currents, adapting_threshold
    1: (False, False, False),
    2: (True, False, False),
    3: (False, True, False),
    4: (True, True, False),
    5: (True, True, True),
}
_FLAGS = ("spike_dependent_threshold", "after_spike_currents", "adapting_threshold")
_MEMBRANE = {"C": "C_m", "g": "g", "E_L": "E_L", "theta": "V_th", "t_ref": "t_ref"}
_RULES = {"dtheta": "th_spike_add", "b_s": "th_spike_decay", "f_v": "voltage_reset_fraction"}
_MOVING = {"a_v": "th_voltage_index", "b_v": "th_voltage_decay"}


def to_nest(fitted: Fit) -> Exported:
    """Parameters of ``glif_psc``.

    Returns
    -------
    Exported
        Exact for a surrogate with NEST's reset and for level 1; else approximate, with the
        measured loss.

    Raises
    ------
    ModelError
        The surrogate is no GLIF, or NEST would refuse its parameters.
    """
    level, _ = split_glif(fitted, "NEST's glif_psc")
    theirs, losses = with_reset(fitted, "nest")
    p = theirs.parameters
    names = _MEMBRANE | (_RULES if level in (2, 4, 5) else {}) | (_MOVING if level == 5 else {})
    found: dict[str, Any] = {name: p[ours] for ours, name in names.items()}
    found["V_reset"] = p.get("v_reset", p["E_L"])
    found["V_m"] = p["E_L"]  # or it stays at the resting potential of NEST's default neuron
    found |= dict(zip(_FLAGS, MECHANISMS[level], strict=True))
    if "dv" in p:
        found["voltage_reset_add"] = -p["dv"]
    if level >= 3:
        found |= {
            "asc_init": [0.0, 0.0],
            "asc_decay": [p["k_1"], p["k_2"]],
            "asc_amps": [p["dI_1"], p["dI_2"]],
            "asc_r": [p["f_1"], p["f_2"]],
        }
    _check(found)
    measured = agreement_of(fitted, theirs) if losses else {}
    content = {"model": "glif_psc", "resolution_ms": fitted.dt, "params": found}
    return Exported("nest", content, losses, measured)


def from_nest(params: Mapping[str, Any], dt: float = 0.1) -> Fit:
    """A surrogate with parameters of ``glif_psc``, run with a resolution of `dt` ms.

    Raises
    ------
    ModelError
        A parameter is missing or outside of what NEST allows.
    """
    flags = tuple(bool(params.get(flag, False)) for flag in _FLAGS)
    level = next((n for n, f in MECHANISMS.items() if f == flags), None)
    if level is None:
        on = ", ".join(f for f, used in zip(_FLAGS, flags, strict=True) if used)
        raise ModelError(f"glif_psc does not combine only {on}")
    names = _MEMBRANE | (_RULES if level in (2, 4, 5) else {}) | (_MOVING if level == 5 else {})
    p = {ours: number(params, theirs, "glif_psc") for ours, theirs in names.items()}
    if level in (2, 4, 5):
        p["dv"] = -number(params, "voltage_reset_add", "glif_psc")
    else:
        p["v_reset"] = number(params, "V_reset", "glif_psc")
    if level >= 3:
        for ours, theirs in (("k", "asc_decay"), ("dI", "asc_amps"), ("f", "asc_r")):
            p |= {f"{ours}_{j}": x for j, x in zip((1, 2), _pair(params, theirs), strict=True)}
    _check(params)
    model = glif(level, "nest")
    return Fit(model, {name: p[name] for name in model.names}, math.nan, dt)


def _check(params: Mapping[str, Any]) -> None:
    """What NEST itself refuses (``Parameters_::set``), and where its threshold is not a number."""
    for name in ("C_m", "g", "t_ref"):
        if not params[name] > 0:
            raise ModelError(f"glif_psc: {name} must be positive, not {params[name]:g}")
    if not params.get("V_reset", params["E_L"]) < params["V_th"]:
        raise ModelError("glif_psc: V_reset must lie below V_th")
    if params.get(_FLAGS[0]) and not params["th_spike_decay"] > 0:
        raise ModelError("glif_psc: th_spike_decay must be positive")
    if params.get(_FLAGS[0]) and not 0 <= params["voltage_reset_fraction"] <= 1:
        raise ModelError("glif_psc: voltage_reset_fraction must lie between 0 and 1")
    if params.get(_FLAGS[1]):
        if not all(k > 0 for k in params["asc_decay"]):
            raise ModelError("glif_psc: asc_decay must be positive")
        if not all(0 <= r <= 1 for r in params["asc_r"]):
            raise ModelError("glif_psc: asc_r must lie between 0 and 1")
    if params.get(_FLAGS[2]):
        decay = params["th_voltage_decay"]
        if not decay > 0 or decay == params["g"] / params["C_m"]:
            raise ModelError("glif_psc: th_voltage_decay must be positive and not equal g / C_m")


def _pair(params: Mapping[str, Any], name: str) -> Sequence[float]:
    value = params.get(name)
    if not isinstance(value, Sequence) or len(value) != 2:
        raise ModelError(f"glif_psc: {name} must be a list of two numbers, not {value!r}")
    return [number({name: x}, name, "glif_psc") for x in value]
