"""A fitted surrogate from its file, so that it need not be fitted again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from biomod.errors import ModelError
from biomod.reduction.fit import Fit
from biomod.reduction.models import point_model
from biomod.results._json import read_json


def load_surrogate(path: str | Path) -> Fit:
    """The surrogate that :meth:`Reduction.save` or ``biomod reduce`` has written.

    It can be simulated (:meth:`Fit.respond`) and exported (:meth:`Fit.export`); what it was fitted
    to is not in the file.

    Parameters
    ----------
    path : str or Path
        ``surrogate.json``.

    Raises
    ------
    ModelError
        The file cannot be read, is no surrogate, or has a parameter of another unit than the model;
        or the surrogate follows modulators, so that it has no constant parameters.
    """
    content = read_json(Path(path))
    if "shifts_at_full_activation" in content:
        raise ModelError(
            f"{path}: a surrogate that follows modulators cannot be loaded; fit it under constant "
            "ones, or without"
        )
    missing = [k for k in ("model", "parameters", "dt_ms", "training_loss") if k not in content]
    if missing:
        raise ModelError(f"{path} is no surrogate: it has no {', '.join(missing)}")
    model = point_model(content["model"])
    values = {
        name: _value(path, name, given, model.parameter(name).unit)
        for name, given in content["parameters"].items()
    }
    absent = [name for name in model.names if name not in values]
    if absent:
        raise ModelError(f"{path}: {model.name} has no value for {', '.join(absent)}")
    return Fit(
        model, values, content["training_loss"][model.name], content["dt_ms"],
        seed=content.get("seed", 1), spread=content.get("parameter_sd") or None,
    )  # fmt: skip


def _value(path: str | Path, name: str, given: Any, unit: str) -> float:
    if not isinstance(given, Mapping) or not isinstance(given.get("value"), int | float):
        raise ModelError(f"{path}: {name} has no number")
    if given.get("unit") != unit:
        raise ModelError(f"{path}: {name} is in {given.get('unit')!r}; {unit!r} is expected")
    return float(given["value"])
