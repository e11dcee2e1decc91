"""A surrogate as a Brian2 NeuronGroup."""

from __future__ import annotations

import re
from typing import Any

from biomod.errors import ModelError
from biomod.reduction.fit import Fit
from biomod.reduction.models import evaluate

METHODS = {"exact": "exact", "euler": "euler"}


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
    if model.scheme not in METHODS:
        raise ModelError(
            f"{model.name} is integrated with u from the new v, which no method of Brian2 does; "
            "use the model izhikevich"
        )
    lines = []
    for state, rate in model.equations.items():
        flag = " (unless refractory)" if model.refractory and state in model.held else ""
        lines.append(f"d{state}/dt = ({rate}) / ms : 1{flag}")
    wait = round(fitted.parameters[model.refractory] / fitted.dt) if model.refractory else 0
    arguments = {
        "model": "\n".join([*lines, current]),
        "threshold": f"({model.above}) >= 0",
        "reset": "\n".join(f"{s} = {e}" for s, e in _ordered(model.reset).items()),
        "method": METHODS[model.scheme],
        "namespace": dict(fitted.parameters),
    }
    if wait:
        from brian2 import ms

        # Brian2 counts from the beginning of the step of the spike.
        arguments["refractory"] = (wait + 1) * fitted.dt * ms
    start = {s: float(evaluate(e, fitted.parameters)) for s, e in model.rest.items()}
    return arguments, start


def _ordered(reset: Any) -> dict[str, str]:
    """Brian2 assigns one after the other; here every state depends on itself only."""
    for state, expression in reset.items():
        others = set(reset) - {state}
        if others & set(re.findall(r"\w+", expression)):
            raise ModelError(f"the reset of {state} depends on other states that are reset")
    return dict(reset)
