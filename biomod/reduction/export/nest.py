"""GLIF neurons as parameters of NEST's ``glif_psc``, and back.

NEST gives injected currents with a delay of at least one step (1 ms by default) and, with the spike
rule of levels 2, 4 and 5, resets from the voltage before the step of the spike.

Source: nest-simulator.readthedocs.io, models/glif_psc; nest/nest-simulator issue 3009 on the reset
of after-spike currents.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from biomod.errors import ModelError
from biomod.reduction.export._common import Exported, glif_level, shares_that_decay
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


def to_nest(fitted: Fit) -> Exported:
    """Parameters of ``glif_psc``: exact for levels 1 and 3 whose currents decay, else approximate.

    Raises
    ------
    ModelError
        The surrogate is no GLIF.
    """
    level, p = glif_level(fitted, "NEST's glif_psc"), fitted.parameters
    losses: list[str] = []
    found: dict[str, Any] = {
        "C_m": p["C"],
        "g": p["g"],
        "E_L": p["E_L"],
        "V_th": p["theta"],
        "t_ref": round(p["t_ref"] / fitted.dt) * fitted.dt,
        "V_reset": p.get("v_reset", p["E_L"]),
        **dict(zip(_FLAGS, MECHANISMS[level], strict=True)),
    }
    if level >= 3:
        found |= {
            "asc_init": [0.0, 0.0],
            "asc_decay": [p["k_1"], p["k_2"]],
            "asc_amps": [p["dI_1"], p["dI_2"]],
            "asc_r": shares_that_decay(p, losses),
        }
    if level in (2, 4, 5):
        found |= {
            "th_spike_add": p["dtheta"],
            "th_spike_decay": p["b_s"],
            "voltage_reset_fraction": p["f_v"],
            "voltage_reset_add": -p["dv"],
        }
        kept = math.exp(-p["b_s"] * p["t_ref"])
        losses.append(f"a spike leaves {kept:.3g} of the raised threshold instead of all")
        losses.append("the voltage is reset from that before the step of the spike")
    if level == 5:
        found |= {"th_voltage_index": p["a_v"], "th_voltage_decay": p["b_v"]}
    content = {"model": "glif_psc", "resolution_ms": fitted.dt, "params": found}
    return Exported("nest", content, tuple(losses))


def from_nest(params: Mapping[str, Any], dt: float = 0.1) -> Fit:
    """A surrogate with parameters of ``glif_psc``: levels 1 and 3.

    Raises
    ------
    ModelError
        A parameter is missing, or the level is another one.
    """
    flags = tuple(bool(params.get(flag, False)) for flag in _FLAGS)
    level = next((n for n, f in MECHANISMS.items() if f == flags), None)
    if level not in (1, 3):
        raise ModelError(
            "glif_psc is read without spike-dependent and adapting threshold only (levels 1 and "
            f"3); {', '.join(f for f, on in zip(_FLAGS, flags, strict=True) if on)} is on"
        )
    names = {"C": "C_m", "g": "g", "E_L": "E_L", "theta": "V_th", "t_ref": "t_ref",
             "v_reset": "V_reset"}  # fmt: skip
    p = {ours: _number(params, theirs) for ours, theirs in names.items()}
    if level == 3:
        decay, amps = _pair(params, "asc_decay"), _pair(params, "asc_amps")
        shares = _pair(params, "asc_r") if "asc_r" in params else (1.0, 1.0)
        for j in (1, 2):
            k = decay[j - 1]
            p |= {f"k_{j}": k, f"dI_{j}": amps[j - 1],
                  f"f_{j}": shares[j - 1] * math.exp(-k * p["t_ref"])}  # fmt: skip
    return Fit(glif(level), p, math.nan, dt)


def _number(params: Mapping[str, Any], name: str) -> float:
    value = params.get(name)
    if not isinstance(value, int | float) or not math.isfinite(value):
        raise ModelError(f"glif_psc: {name} must be a finite number, not {value!r}")
    return float(value)


def _pair(params: Mapping[str, Any], name: str) -> Sequence[float]:
    value = params.get(name)
    if not isinstance(value, Sequence) or len(value) != 2:
        raise ModelError(f"glif_psc: {name} must be a list of two numbers, not {value!r}")
    return [float(x) for x in value]
