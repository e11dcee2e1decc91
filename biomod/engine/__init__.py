"""A Brian2 device that runs C++ standalone programs with vector instructions.

Any Brian2 script selects it with two lines::

    import biomod.engine

    set_device("biomod_cpp")
"""

from biomod.engine.checkpoint import CheckpointError, checkpoint_environment
from biomod.engine.device import EngineDevice, StateError, engine_device, run_environment

__all__ = [
    "CheckpointError",
    "EngineDevice",
    "StateError",
    "checkpoint_environment",
    "engine_device",
    "run_environment",
]
