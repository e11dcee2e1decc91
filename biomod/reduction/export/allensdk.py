"""GLIF neurons as the ``neuron_config`` of AllenSDK, and back: levels 1 and 3.

SI units, voltages relative to the resting potential ``El_reference``.

Source: alleninstitute.github.io/AllenSDK/glif_models.html.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from biomod.errors import ModelError
from biomod.reduction.export._common import Exported, glif_level, shares_that_decay
from biomod.reduction.fit import Fit
from biomod.reduction.models import glif

LEVELS = (1, 3)


def to_allensdk(fitted: Fit) -> Exported:
    """The configuration of a ``GlifNeuron``, with exact voltage steps.

    Raises
    ------
    ModelError
        The surrogate is no GLIF of level 1 or 3.
    """
    level, p = glif_level(fitted, "AllenSDK"), fitted.parameters
    if level not in LEVELS:
        raise ModelError(f"AllenSDK configurations are written for levels 1 and 3, not {level}")
    losses: list[str] = []
    currents = level == 3
    none = {"name": "none", "params": {}}
    reset = {"name": "sum", "params": {"r": shares_that_decay(p, losses)}} if currents else none
    content = {
        "type": "GLIF",
        "El": 0.0,
        "El_reference": p["E_L"] * 1e-3,
        "C": p["C"] * 1e-12,
        "R_input": 1e9 / p["g"],
        "dt": fitted.dt * 1e-3,
        "spike_cut_length": round(p["t_ref"] / fitted.dt),
        "th_inf": (p["theta"] - p["E_L"]) * 1e-3,
        "th_adapt": None,
        "asc_amp_array": [p[f"dI_{j}"] * 1e-12 if currents else 0.0 for j in (1, 2)],
        "asc_tau_array": [1e-3 / p[f"k_{j}"] if currents else 1.0 for j in (1, 2)],
        "init_voltage": 0.0,
        "init_threshold": (p["theta"] - p["E_L"]) * 1e-3,
        "init_AScurrents": [0.0, 0.0],
        "coeffs": {"th_inf": 1, "C": 1, "G": 1, "b": 1, "a": 1, "asc_amp_array": [1.0, 1.0]},
        "voltage_dynamics_method": {"name": "linear_exact", "params": {}},
        "threshold_dynamics_method": {"name": "inf", "params": {}},
        "threshold_reset_method": {"name": "inf", "params": {}},
        "voltage_reset_method": {
            "name": "v_before",
            "params": {"a": 0.0, "b": (p["v_reset"] - p["E_L"]) * 1e-3},
        },
        "AScurrent_dynamics_method": {"name": "exp" if currents else "none", "params": {}},
        "AScurrent_reset_method": reset,
    }
    return Exported("allensdk", content, tuple(losses))


def from_allensdk(config: Mapping[str, Any]) -> Fit:
    """A surrogate with the configuration of a ``GlifNeuron`` of level 1 or 3.

    Raises
    ------
    ModelError
        An entry is missing, or the neuron is of another level.
    """
    try:
        return _read(config)
    except (KeyError, TypeError, IndexError) as error:
        raise ModelError(f"this is no neuron_config of AllenSDK: {error!r}") from None


def _read(config: Mapping[str, Any]) -> Fit:
    threshold = config["threshold_dynamics_method"]["name"]
    if threshold != "inf":
        raise ModelError(
            f"AllenSDK configurations are read for levels 1 and 3; the threshold dynamics "
            f"{threshold!r} are those of another"
        )
    rest, factor, dt = config["El_reference"] * 1e3, config["coeffs"], config["dt"] * 1e3
    t_ref = config["spike_cut_length"] * dt
    reset = config["voltage_reset_method"]
    shift = reset["params"]["b"] if reset["name"] == "v_before" else 0.0
    if reset["name"] == "v_before" and reset["params"]["a"]:
        raise ModelError("a reset that depends on the voltage belongs to level 2, 4 or 5")
    p = {
        "C": config["C"] * factor["C"] * 1e12,
        "g": factor["G"] / config["R_input"] * 1e9,
        "E_L": rest + config["El"] * 1e3,
        "t_ref": t_ref,
        "theta": rest + config["th_inf"] * factor["th_inf"] * 1e3,
        "v_reset": rest + shift * 1e3,
    }
    level = 3 if config["AScurrent_dynamics_method"]["name"] == "exp" else 1
    if level == 3:
        shares = config["AScurrent_reset_method"]["params"]["r"]
        for j in (1, 2):
            k = 1e-3 / config["asc_tau_array"][j - 1]
            amplitude = config["asc_amp_array"][j - 1] * factor["asc_amp_array"][j - 1]
            p |= {f"k_{j}": k, f"dI_{j}": amplitude * 1e12,
                  f"f_{j}": shares[j - 1] * math.exp(-k * t_ref)}  # fmt: skip
    return Fit(glif(level), p, math.nan, dt)
