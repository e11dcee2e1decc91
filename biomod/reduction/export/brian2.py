"""A surrogate as a Brian2 NeuronGroup."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from biomod.errors import ModelError
from biomod.reduction.fit import Fit
from biomod.reduction.kernel import propagator, refractory_steps
from biomod.reduction.models import PointModel, evaluate


def brian2_arguments(
    fitted: Fit, current: str = "I : 1"
) -> tuple[dict[str, Any], dict[str, float]]:
    """Keyword arguments of a NeuronGroup that fires as the surrogate does, and its initial values.

    Quantities are plain numbers in the units of the model (mV, pA). Spikes have the time at which
    their step begins, one step before that of the surrogate.

    Parameters
    ----------
    fitted : Fit
        The surrogate; the clock must have its `dt`.
    current : str
        Equation of the injected current ``I`` in pA, e.g. ``"I = stimulus(t) : 1"``.

    Raises
    ------
    ModelError
        The model is integrated in a way that Brian2 does not know.

    Examples
    --------
    >>> arguments, start = brian2_arguments(found.fit)
    >>> group = brian2.NeuronGroup(10, **arguments)
    >>> group.set_states(start)
    """
    model = fitted.model
    if model.scheme == "sequential":
        raise ModelError(
            f"{model.name} is integrated with u from the new v, which no method of Brian2 does; "
            "use the model izhikevich"
        )
    rates, values = dict(model.equations), dict(fitted.parameters)
    if model.linear and model.scheme != "exact":
        rates = _as_euler(model)
        values |= _coefficients(fitted)
    lines = []
    for state, rate in rates.items():
        flag = " (unless refractory)" if model.refractory and state in model.held else ""
        lines.append(f"d{state}/dt = ({rate}) / ms : 1{flag}")
    wait = refractory_steps(model, fitted.parameters, fitted.dt)
    if model.scheme == "allensdk":  # its decays go over whole steps
        values[model.refractory] = wait * fitted.dt
    arguments = {
        "model": "\n".join([*lines, current]),
        "threshold": f"({model.above}) >= 0",
        "reset": "\n".join(f"{s} = {e}" for s, e in _ordered(model.reset).items()),
        "method": "exact" if model.scheme == "exact" else "euler",
        "namespace": values,
    }
    if wait:
        from brian2 import ms

        # Brian2 counts from the beginning of the step of the spike.
        arguments["refractory"] = (wait + 1) * fitted.dt * ms
    start = {s: float(evaluate(e, fitted.parameters)) for s, e in model.rest.items()}
    return arguments, start


def _as_euler(model: PointModel) -> dict[str, str]:
    """Rates with which Euler's rule does the step of AllenSDK or NEST: ``(M x - x) / dt``."""
    terms: dict[str, list[str]] = {state: [] for state in model.states}
    for k, (own, other) in enumerate(model.pattern):
        terms[own].append(f"step_{k}" + ("" if other == "1" else f" * {other}"))
    return {state: f"({' + '.join(found)} - {state}) / step" for state, found in terms.items()}


def _coefficients(fitted: Fit) -> dict[str, float]:
    named = {name: np.array([value]) for name, value in fitted.parameters.items()}
    rows = propagator(fitted.model, named, fitted.dt)[:, 0]
    return {"step": fitted.dt} | {f"step_{k}": float(x) for k, x in enumerate(rows)}


def _ordered(reset: Any) -> dict[str, str]:
    """Brian2 assigns one after the other; here every state depends on itself only."""
    for state, expression in reset.items():
        others = set(reset) - {state}
        if others & set(re.findall(r"\w+", expression)):
            raise ModelError(f"the reset of {state} depends on other states that are reset")
    return dict(reset)
