"""A surrogate for other simulators and chips.

A published neuron of the Allen Cell Types Database is read and written for NEST and SpiNNaker. Each
export says whether it is exact, or how well its spikes agree. The figure has the 20 firing patterns
of Izhikevich 2004, in floating point and in whole numbers.
"""
# writes: firing_patterns.png, nest.json, spinnaker.json

import os
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from biomod.reduction import Fit, simulate
from biomod.reduction.export import fixed_point, from_allensdk, target
from biomod.reduction.patterns import PATTERNS

OUT = Path(os.environ.get("BIOMOD_EXAMPLE_OUT", "."))

# GLIF3 as quoted in nest/nest-simulator issue 3009; SI units.
neuron_config = {
    "El_reference": -0.0714, "El": 0.0, "C": 8.587e-11, "R_input": 3.4005e8, "th_inf": 0.023089,
    "dt": 5e-05, "spike_cut_length": 134, "coeffs": {},
    "asc_amp_array": [-7.3835e-11, -4.4968e-10], "asc_tau_array": [1 / 30, 1 / 300],
    "voltage_dynamics_method": {"name": "linear_forward_euler", "params": {}},
    "threshold_dynamics_method": {"name": "inf", "params": {}},
    "voltage_reset_method": {"name": "zero", "params": {}},
    "AScurrent_dynamics_method": {"name": "exp", "params": {}},
    "AScurrent_reset_method": {"name": "sum", "params": {"r": [1.0, 1.0]}},
}  # fmt: skip
cell = from_allensdk(neuron_config)  # a biomod.reduction.Fit, as bm.reduce(...).fit is
current = np.random.default_rng(1).normal(90.0, 300.0, 20000)
spikes = simulate(cell.model, cell.parameters, current, cell.dt).spikes[0]
print(f"{cell.model.name}: {len(spikes)} spikes in a second")

for format in ("allensdk", "nest", "spinnaker"):
    exported = target(format, cell.model.name).write(cell)
    print(exported)
    exported.write(OUT / f"{format}.json")

figure, panels = plt.subplots(5, 4, figsize=(11, 9), layout="constrained")
for panel, (name, pattern) in zip(panels.flat, PATTERNS.items(), strict=True):
    _, voltage = pattern.respond()
    t = np.arange(1, len(voltage) + 1) * pattern.dt
    whole = fixed_point(
        Fit(pattern.model, pattern.parameters, 0.0, pattern.dt), start=pattern.start
    )
    panel.plot(t, voltage, color="0.2", lw=1.0, label="floating point")
    panel.plot(t, whole.run(pattern.drive()).voltage, "--", color="tab:red", lw=0.8, label="s16.15")
    panel.plot(t, -90 + 0.5 * (pattern.drive() - pattern.drive().min()), color="tab:blue", lw=0.8)
    panel.set_title(name, fontsize=8)
    panel.axis("off")
panels.flat[0].legend(fontsize=6, loc="upper left")
figure.savefig(OUT / "firing_patterns.png", dpi=120)
