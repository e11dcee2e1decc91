"""NEST and AllenSDK, asked for the spikes of GLIF neurons.

``python -m tests.reduction.glif_clients`` runs both and rewrites ``data/glif_clients.json``, with
which the quick tests compare; neither program can be a test dependency (AllenSDK 2.16.2 pins numpy
below 1.24 and pulls a hundred packages, NEST is 34 MB). What it needs:

    pip install nest-simulator==3.10.0 simplejson
    pip install --no-deps allensdk==2.16.2
"""

from __future__ import annotations

import json
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np

DATA = Path(__file__).parent / "data" / "glif_clients.json"
DT = 0.1
# GLIF neurons with everything at work; t_ref is no multiple of dt, and f_1 and f_2 are below 1.
CELL = {
    "C": 120.0, "g": 8.0, "E_L": -72.0, "t_ref": 2.34, "theta": -50.0, "v_reset": -60.0,
    "f_v": 0.4, "dv": -2.0, "b_s": 0.02, "dtheta": 3.0, "k_1": 0.008, "k_2": 0.1, "f_1": 0.9,
    "f_2": 0.7, "dI_1": -15.0, "dI_2": -60.0, "a_v": 0.006, "b_v": 0.05,
}  # fmt: skip


def current() -> np.ndarray:
    """5 s of noise, constant over 0.5 ms (pA)."""
    return np.repeat(np.random.default_rng(8).normal(260.0, 350.0, 10000), 5)


def nest_steps(params: dict[str, Any], drive: np.ndarray, dt: float) -> list[int]:
    """Steps of the spikes of ``glif_psc`` without its delay (numbers as in `Simulated.steps`)."""
    import nest

    nest.verbosity = nest.VerbosityLevel.ERROR
    nest.ResetKernel()
    nest.resolution = dt
    cell = nest.Create("glif_psc", params=params)
    times = (np.arange(len(drive)) + 1) * dt
    source = nest.Create(
        "step_current_generator",
        params={"amplitude_times": np.round(times, 6), "amplitude_values": drive},
    )
    recorder = nest.Create("spike_recorder")
    nest.Connect(source, cell, syn_spec={"delay": 1.0})
    nest.Connect(cell, recorder)
    nest.Simulate(len(drive) * dt + 10.0)
    # The first amplitude is that of the step which ends at 2 dt, and reaches the cell 1 ms later.
    delay = 1 + round(1.0 / dt)
    steps = np.round(np.asarray(recorder.events["times"]) / dt).astype(int) - delay
    return [int(s) for s in steps if s <= len(drive)]


def allensdk_steps(config: dict[str, Any], drive: np.ndarray) -> list[int]:
    """Steps of the spikes of a ``GlifNeuron`` (numbers as in `Simulated.steps`)."""
    if "allensdk.core" not in sys.modules:
        # The package pulls in image registration; the neuron needs it only to be printed.
        core = types.ModuleType("allensdk.core")
        core.json_utilities = types.ModuleType("allensdk.core.json_utilities")
        sys.modules |= {"allensdk.core": core, "allensdk.core.json_utilities": core.json_utilities}
    from allensdk.model.glif.glif_neuron import GlifNeuron

    neuron = GlifNeuron.from_dict(config)
    return [int(s) + 1 for s in neuron.run(drive * 1e-12)["spike_time_steps"]]


def main() -> None:
    from importlib.metadata import version

    from biomod.reduction import MODELS
    from biomod.reduction.export import to_allensdk, to_nest
    from biomod.reduction.fit import Fit

    found: dict[str, Any] = {
        "about": "Spikes of glif_psc and GlifNeuron, by tests/reduction/glif_clients.py",
        "nest": version("nest-simulator"), "allensdk": version("allensdk"), "cells": {},
    }  # fmt: skip
    for level in range(1, 6):
        for client in ("nest", "allensdk"):
            model = MODELS[f"glif{level}_{client}"]
            fit = Fit(model, {name: CELL[name] for name in model.names}, 0.0, DT)
            if client == "nest":
                content: Any = to_nest(fit).content["params"]
                steps = nest_steps(content, current(), DT)
            else:
                content = dict(to_allensdk(fit).content)
                steps = allensdk_steps(content, current())
            found["cells"][model.name] = {"content": content, "steps": steps}
    DATA.write_text(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
