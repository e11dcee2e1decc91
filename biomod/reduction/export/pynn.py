"""Surrogates as standard cells of PyNN.

Parameters have PyNN's names and units (nF, nA, ms, mV). What each backend of PyNN makes of them
differs: integration, delay of currents, and the step in which a refractory time begins; pyNN.brian2
also cuts the spike of ``EIF_cond_exp_isfa_ista`` at ``v_thresh + 5 delta_T`` instead of `v_spike`.

Source: PyNN 0.13, pyNN/standardmodels/cells.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from biomod.errors import ModelError
from biomod.reduction.export._common import Exported
from biomod.reduction.export.probe import agreement, agreement_of, probe
from biomod.reduction.fit import Fit
from biomod.reduction.kernel import prepare, refractory_steps

FINER = 20  # steps of an accurate solution in one of the fit


def to_pynn(fitted: Fit) -> Exported:
    """The class and the parameters of a PyNN cell.

    ``lif`` and ``glif1`` become ``IF_curr_exp`` (exact), ``eif`` and ``adex``
    ``EIF_cond_exp_isfa_ista``, ``izhikevich2003`` ``Izhikevich``.

    Returns
    -------
    Exported
        `content` has the class (``cell``), its ``parameters``, ``initial_values``, and
        ``nA_per_pA``: what to multiply a current of the surrogate with.

    Raises
    ------
    ModelError
        PyNN has no standard cell for the model.
    """
    name = fitted.model.name.partition("_")[0]
    writers = {"lif": _integrator, "glif1": _integrator, "eif": _exponential,
               "adex": _exponential, "izhikevich2003": _izhikevich}  # fmt: skip
    if name not in writers:
        hint = "; fit izhikevich2003" if name == "izhikevich" else ""
        raise ModelError(
            f"PyNN has no standard cell for {fitted.model.name}, only for "
            f"{', '.join(writers)}{hint}"
        )
    return writers[name](fitted)


def pynn_cell(content: Mapping[str, Any], simulator: Any) -> Any:
    """The cell type of an exported surrogate, for ``simulator.Population``.

    Parameters
    ----------
    content : mapping
        Of :func:`to_pynn`, or its file.
    simulator : module
        ``pyNN.nest``, ``pyNN.brian2``, …

    Examples
    --------
    >>> import pyNN.nest as sim
    >>> cells = sim.Population(10, pynn_cell(exported.content, sim))
    >>> cells.initialize(**exported.content["initial_values"])
    """
    parameters = dict(content["parameters"])
    if simulator.__name__ == "pyNN.brian2" and "tau_refrac" in parameters:
        # Brian2 counts from the beginning of the step of the spike.
        parameters["tau_refrac"] += content["timestep_ms"]
    return getattr(simulator, content["cell"])(**parameters)


def _membrane(fitted: Fit) -> dict[str, float]:
    p = fitted.parameters
    wait = refractory_steps(fitted.model, p, fitted.dt) * fitted.dt
    return {
        "cm": p["C"] * 1e-3, "tau_m": p["C"] / p["g"], "v_rest": p["E_L"], "tau_refrac": wait,
        "v_reset": p["v_reset"], "i_offset": 0.0,
    }  # fmt: skip


def _integrator(fitted: Fit) -> Exported:
    parameters = _membrane(fitted) | {"v_thresh": fitted.parameters["theta"]}
    content = _content("IF_curr_exp", fitted, parameters, {"v": fitted.parameters["E_L"]})
    if fitted.model.scheme != "allensdk":
        return Exported("pynn", content)
    losses = ("the membrane is integrated exactly",)
    return Exported("pynn", content, losses, agreement_of(fitted, _exactly(fitted)))


def _exactly(fitted: Fit) -> Fit:
    from biomod.reduction.export.resets import with_reset

    return with_reset(fitted, "teeter2018")[0]


def _exponential(fitted: Fit) -> Exported:
    p = fitted.parameters
    parameters = _membrane(fitted) | {
        "v_thresh": p["v_T"], "delta_T": p["Delta"], "v_spike": p["v_peak"],
        "a": p.get("a", 0.0), "b": p.get("b", 0.0) * 1e-3, "tau_w": p.get("tau_w", 100.0),
    }  # fmt: skip
    losses = (
        f"the surrogate is integrated by Euler's rule with {fitted.dt:g} ms, which is part of it; "
        "the agreement is with an accurate solution",
    )
    current = probe(fitted)
    fine = prepare(fitted.model, p, fitted.dt / FINER).run(np.repeat(current, FINER))
    measured = agreement(fitted, fine.spikes[0], current)
    content = _content("EIF_cond_exp_isfa_ista", fitted, parameters, {"v": p["E_L"], "w": 0.0})
    return Exported("pynn", content, losses, measured)


def _izhikevich(fitted: Fit) -> Exported:
    p = fitted.parameters
    parameters = {name: p[name] for name in "abcd"} | {"i_offset": 0.0}
    start = {"v": -65.0, "u": p["b"] * -65.0}
    content = _content("Izhikevich", fitted, parameters, start)
    content["nA_per_pA"] = p["scale"] * 1e-3  # its capacitance is 1 pF
    losses = ("u follows the voltage before the step instead of after it",)
    euler = replace(fitted, model=replace(fitted.model, scheme="euler"))
    return Exported("pynn", content, losses, agreement_of(fitted, euler))


def _content(
    cell: str, fitted: Fit, parameters: Mapping[str, float], start: Mapping[str, float]
) -> dict[str, Any]:
    return {
        "cell": cell, "timestep_ms": fitted.dt, "parameters": dict(parameters),
        "initial_values": dict(start), "nA_per_pA": 1e-3,
    }  # fmt: skip
