"""Linear electrotonic theory of a cell: rest, resistances, time constants, synaptic potentials.

A cell of n compartments obeys ``C_i dv_i/dt = sum_k g_ik(v_i) (E_k - v_i) + sum_j G_ij (v_j -
v_i) + I_i``, with the leak and the channels as k and the couplings as G. Here gates are either
frozen at a voltage, which makes the system linear, or follow their steady state at once. Spikes,
somatic or dendritic, are not part of it.

Everything is deterministic and needs no simulator, so that calibrations are fast and tests of
the simulators have something exact to be held against.

Source: Rall 1977, Handbook of Physiology, The Nervous System 1:39; Koch 1999, Biophysics of
Computation, chapter 3.
"""

from biomod.mechanisms.passive._expressions import evaluate, gate_steady_state, gate_time_constant
from biomod.mechanisms.passive._impedance import (
    apparent_time_constant,
    conductance_matrix,
    fastest_time_constant,
    input_resistance,
    steady_state,
    time_constant,
    transfer_resistance,
)
from biomod.mechanisms.passive._membrane import FARADAY as FARADAY
from biomod.mechanisms.passive._membrane import steady_calcium
from biomod.mechanisms.passive._resting import driven, hold, rest
from biomod.mechanisms.passive._synaptic import psp, weight_for_psp

__all__ = [
    "apparent_time_constant",
    "conductance_matrix",
    "driven",
    "evaluate",
    "fastest_time_constant",
    "gate_steady_state",
    "gate_time_constant",
    "hold",
    "input_resistance",
    "psp",
    "rest",
    "steady_calcium",
    "steady_state",
    "time_constant",
    "transfer_resistance",
    "weight_for_psp",
]
