"""GLIF neurons as the ``neuron_config`` of AllenSDK, and back.

SI units, voltages relative to the resting potential ``El_reference``. A surrogate
``glif1_allensdk`` to ``glif5_allensdk`` is exactly what AllenSDK runs; of the others reset and
integration are changed first, with what that costs. AllenSDK gives the index of the step in which a
spike occurs, biomod the time of its end, and AllenSDK ends a run when a reset leaves the voltage
above the threshold.

Source: alleninstitute.github.io/AllenSDK/glif_models.html; AllenSDK 2.16.2,
allensdk/model/glif/glif_neuron_methods.py.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from biomod.errors import ModelError
from biomod.reduction.export._common import Exported, split_glif
from biomod.reduction.export.probe import agreement_of
from biomod.reduction.export.resets import with_reset
from biomod.reduction.fit import Fit
from biomod.reduction.kernel import refractory_steps
from biomod.reduction.models import glif

_NONE: dict[str, Any] = {"name": "none", "params": {}}
_INF: dict[str, Any] = {"name": "inf", "params": {}}


def to_allensdk(fitted: Fit) -> Exported:
    """The configuration of a ``GlifNeuron``.

    Returns
    -------
    Exported
        Exact for a surrogate with AllenSDK's reset; else approximate, with the measured loss.

    Raises
    ------
    ModelError
        The surrogate is no GLIF.
    """
    level, _ = split_glif(fitted, "AllenSDK")
    theirs, losses = with_reset(fitted, "allensdk")
    p = theirs.parameters
    currents = level >= 3
    threshold = (p["theta"] - p["E_L"]) * 1e-3
    content = {
        "type": "GLIF",
        "El": 0.0,
        "El_reference": p["E_L"] * 1e-3,
        "C": p["C"] * 1e-12,
        "R_input": 1e9 / p["g"],
        "dt": fitted.dt * 1e-3,
        "spike_cut_length": refractory_steps(theirs.model, p, fitted.dt),
        "th_inf": threshold,
        "th_adapt": None,
        "asc_amp_array": [p[f"dI_{j}"] * 1e-12 if currents else 0.0 for j in (1, 2)],
        "asc_tau_array": [1e-3 / p[f"k_{j}"] if currents else 1.0 for j in (1, 2)],
        "init_voltage": 0.0,
        "init_threshold": threshold,
        "init_AScurrents": [0.0, 0.0],
        "coeffs": {"th_inf": 1, "C": 1, "G": 1, "b": 1, "a": 1, "asc_amp_array": [1.0, 1.0]},
        "voltage_dynamics_method": {"name": "linear_forward_euler", "params": {}},
        "AScurrent_dynamics_method": {"name": "exp" if currents else "none", "params": {}},
        "AScurrent_reset_method": (
            {"name": "sum", "params": {"r": [p["f_1"], p["f_2"]]}} if currents else _NONE
        ),
        **_threshold_methods(level, p),
        "voltage_reset_method": {"name": "v_before", "params": _voltage_reset(p)},
    }
    measured = agreement_of(fitted, theirs) if losses else {}
    return Exported("allensdk", content, losses, measured)


def _voltage_reset(p: Mapping[str, float]) -> dict[str, float]:
    if "v_reset" in p:
        return {"a": 0.0, "b": (p["v_reset"] - p["E_L"]) * 1e-3}
    return {"a": p["f_v"], "b": -p["dv"] * 1e-3}


def _threshold_methods(level: int, p: Mapping[str, float]) -> dict[str, Any]:
    if level in (1, 3):
        return {"threshold_dynamics_method": _INF, "threshold_reset_method": _INF}
    spike = {"a_spike": p["dtheta"] * 1e-3, "b_spike": p["b_s"] * 1e3}
    voltage = {"a_voltage": p.get("a_v", 0.0) * 1e3, "b_voltage": p.get("b_v", 0.0) * 1e3}
    if level == 5 and math.isclose(p["b_v"], p["g"] / p["C"], rel_tol=1e-12):
        raise ModelError("AllenSDK divides by b_v - g / C, which is zero here")
    name = "three_components_exact" if level == 5 else "spike_component"
    return {
        "threshold_dynamics_method": {"name": name, "params": spike | voltage},
        "threshold_reset_method": {"name": "three_components", "params": spike},
    }


def from_allensdk(config: Mapping[str, Any]) -> Fit:
    """A surrogate with the configuration of a ``GlifNeuron`` of any level.

    Raises
    ------
    ModelError
        An entry is missing, or a method is not one that AllenSDK runs.
    """
    try:
        return _read(config)
    except (KeyError, TypeError, IndexError) as error:
        raise ModelError(f"this is no neuron_config of AllenSDK: {error!r}") from None


def _read(config: Mapping[str, Any]) -> Fit:
    level = _level(config)
    integration = config.get("voltage_dynamics_method", {"name": "linear_forward_euler"})["name"]
    if integration != "linear_forward_euler":
        raise ModelError(f"AllenSDK has linear_forward_euler for the voltage, not {integration!r}")
    rest, factor, dt = config["El_reference"] * 1e3, config["coeffs"], config["dt"] * 1e3
    p = {
        "C": config["C"] * factor.get("C", 1) * 1e12,
        "g": factor.get("G", 1) / config["R_input"] * 1e9,
        "E_L": rest + config["El"] * 1e3,
        "t_ref": config["spike_cut_length"] * dt,
        "theta": rest + config["th_inf"] * factor.get("th_inf", 1) * 1e3,
        **_read_reset(config, level, rest),
    }
    if level in (2, 4, 5):
        spike = config["threshold_reset_method"]["params"]
        p |= {"dtheta": spike["a_spike"] * 1e3, "b_s": spike["b_spike"] * 1e-3}
    if level >= 3:
        shares = config["AScurrent_reset_method"]["params"]["r"]
        for j in (1, 2):
            amplitude = config["asc_amp_array"][j - 1]
            amplitude *= factor.get("asc_amp_array", (1.0, 1.0))[j - 1]
            p |= {f"k_{j}": 1e-3 / config["asc_tau_array"][j - 1], f"f_{j}": shares[j - 1],
                  f"dI_{j}": amplitude * 1e12}  # fmt: skip
    if level == 5:
        voltage = config["threshold_dynamics_method"]["params"]
        p |= {"a_v": voltage["a_voltage"] * factor.get("a", 1) * 1e-3,
              "b_v": voltage["b_voltage"] * factor.get("b", 1) * 1e-3}  # fmt: skip
    model = glif(level, "allensdk")
    return Fit(model, {name: float(p[name]) for name in model.names}, math.nan, dt)


def _level(config: Mapping[str, Any]) -> int:
    threshold = config["threshold_dynamics_method"]["name"]
    currents = config["AScurrent_dynamics_method"]["name"] == "exp"
    levels = {
        ("inf", False): 1, ("spike_component", False): 2, ("inf", True): 3,
        ("spike_component", True): 4, ("three_components_exact", True): 5,
    }  # fmt: skip
    if (threshold, currents) not in levels:
        raise ModelError(
            f"threshold dynamics {threshold!r} {'with' if currents else 'without'} after-spike "
            "currents are no GLIF of level 1 to 5"
        )
    return levels[threshold, currents]


def _read_reset(config: Mapping[str, Any], level: int, rest: float) -> dict[str, float]:
    """The reset of the voltage, in the words of the level."""
    method = config["voltage_reset_method"]
    linear = method["params"] if method["name"] == "v_before" else {"a": 0.0, "b": 0.0}
    share, shift, above = linear["a"], linear["b"] * 1e3, config["El"] * 1e3
    if level in (2, 4, 5):
        return {"f_v": share, "dv": above - shift - share * above}
    if share:
        raise ModelError("a reset that depends on the voltage belongs to level 2, 4 or 5")
    return {"v_reset": rest + shift}
