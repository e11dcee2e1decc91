"""A surrogate as the point-neuron nodes of a SONATA network.

A folder with ``nodes.h5``, ``node_types.csv`` and ``point_neuron_models/<name>.json``, as bmtk's
PointNet reads them for NEST.

Source: SONATA developer guide, github.com/AllenInstitute/sonata (nodes, node types, point neurons);
Dai et al. 2020, 10.1371/journal.pcbi.1007696.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from biomod.errors import ModelError
from biomod.reduction.export._common import Exported
from biomod.reduction.export.nest import to_nest
from biomod.reduction.fit import Fit
from biomod.reduction.models import MODELS
from biomod.results._atomic import reason, replacing
from biomod.results._json import write_json
from biomod.results.sonata import MAGIC, VERSION

NODES, TYPES, MODEL_FOLDER = "nodes.h5", "node_types.csv", "point_neuron_models"


@dataclass(frozen=True)
class SonataExported(Exported):
    """Nodes of one type (`content` says which); `write` makes a folder."""

    def write(self, path: str | Path) -> None:
        """Write the folder; ``nodes.h5`` last, so that where it is, all is there."""
        folder, population = Path(path), self.content["population"]
        try:
            (folder / MODEL_FOLDER).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ModelError(f"cannot write to {folder}: {reason(error)}") from None
        (folder / NODES).unlink(missing_ok=True)
        write_json(folder / MODEL_FOLDER / self.content["dynamics_params"],
                   self.content["dynamics"])  # fmt: skip
        row = {key: self.content[key] for key in _COLUMNS}
        with replacing(folder / TYPES) as partial:
            partial.write_text(" ".join(row) + "\n" + " ".join(str(x) for x in row.values()) + "\n")
        _write_nodes(folder / NODES, population, self.content)


_COLUMNS = ("node_type_id", "model_type", "model_template", "dynamics_params", "pop_name")


def to_sonata(fitted: Fit, population: str = "surrogate", cells: int = 1) -> SonataExported:
    """Nodes that NEST's ``glif_psc`` runs: a GLIF or ``lif``.

    Parameters
    ----------
    population : str
        Name of the nodes: letters, digits and underscores.
    cells : int
        How many.

    Returns
    -------
    SonataExported
        Exact or approximate as :func:`~biomod.reduction.export.to_nest` is.

    Raises
    ------
    ModelError
        Another model, or a name that files cannot have.
    """
    if not re.fullmatch(r"\w+", population, re.ASCII):
        raise ModelError(f"population {population!r}: letters, digits and underscores only")
    if cells < 1:
        raise ModelError(f"cells must be at least 1, not {cells}")
    if fitted.model.name == "lif":
        fitted = Fit(MODELS["glif1"], fitted.parameters, fitted.loss, fitted.dt)
    nest = to_nest(fitted)
    content = {
        "population": population, "cells": cells, "node_type_id": 100,
        "model_type": "point_neuron", "model_template": "nest:glif_psc",
        "dynamics_params": f"{population}.json", "pop_name": population,
        "dt_ms": fitted.dt, "dynamics": nest.content["params"],
    }  # fmt: skip
    return SonataExported("sonata", content, nest.losses, nest.agreement)


def _write_nodes(path: Path, population: str, content: Mapping[str, Any]) -> None:
    import h5py

    count = content["cells"]
    with replacing(path) as partial, h5py.File(partial, "w") as file:
        file.attrs["magic"] = np.uint32(MAGIC)
        file.attrs["version"] = np.array(VERSION, dtype=np.uint32)
        group = file.create_group(f"nodes/{population}")
        group["node_id"] = np.arange(count, dtype=np.uint64)
        group["node_type_id"] = np.full(count, content["node_type_id"], dtype=np.int64)
        group["node_group_id"] = np.zeros(count, dtype=np.int64)
        group["node_group_index"] = np.arange(count, dtype=np.uint64)
        # In node_types.csv, too, which bmtk reads; libsonata reads no CSV.
        attributes, text = group.create_group("0"), h5py.string_dtype()
        for name in ("model_type", "model_template", "pop_name"):
            attributes.create_dataset(name, data=[content[name]] * count, dtype=text)
