"""A state of one cell grows without limit. OUT."""

import sys

from brian2 import *

import biomod.engine  # noqa: F401

set_device("biomod_cpp", directory=sys.argv[1] + "_build")
G = NeuronGroup(20, "dx/dt = x**2/ms : 1", method="euler", name="cells")
G.x = "int(i == 13)"
run(500 * ms)
