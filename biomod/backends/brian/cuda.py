"""CUDA standalone: brian2cuda's code with its known faults worked around.

What brian2cuda 1.0b1 would get wrong, and what is done about it:

- a variable whose name ends in ``space`` is taken for a list of events: refused by name;
- text replacement for single precision breaks names such as ``variable28e2``: always double;
- the device's heap, from which spikes on their way are stored, has 128 MB: a quarter of the free
  memory instead, and a run that exhausts it fails instead of going on without them;
- changed delays (or another dt) in a second run lose spikes: each run is a process of its own, and
  other delays are other wiring, which needs a program of its own;
- seed and duration are numbers in the source: read at start;
- paths of input files are put into lower case: ours have none but lower-case letters;
- spikes of one step come in any order: sorted by cell.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from biomod.backends.brian import layout
from biomod.backends.brian.nvcc import capability, compile_unit, find_toolkit
from biomod.backends.brian.standalone import StandaloneProgram, read_duration_at_start
from biomod.backends.brian.trees.plan import MOST_NAMED, TreePlan
from biomod.backends.checkpoints import Checkpoints
from biomod.backends.results import Raw
from biomod.errors import BackendError, ModelError
from biomod.model import Circuit
from biomod.progress import Progress

_NO_DEVICE = re.compile(
    r"no CUDA-capable device is detected|CUDA driver version is insufficient[^\n]*"
)
_HEAP = "size_t limit = 128 * 1024 * 1024;"
_LARGER_HEAP = """size_t limit = 0, _total_memory = 0;
    CUDA_SAFE_CALL(cudaMemGetInfo(&limit, &_total_memory));
    limit = limit / 4 > (size_t(128) << 20) ? limit / 4 : (size_t(128) << 20);"""
# What is written for each clock of a network, in the order of a Python set.
_FOR_EACH_CLOCK = re.compile(
    r"(?:^[ \t]*(?:network\.add\(&\w+, _run_random_number_buffer\)"
    r"|_array_\w+_(?:t|timestep)\[0\] = [\d.]+);\n)+",
    re.MULTILINE,
)


class CudaProgram(StandaloneProgram):
    """A circuit compiled for NVIDIA GPUs; needs brian2cuda (Python 3.12 or later) and nvcc."""

    device = "cuda_standalone"

    def _generate(self) -> None:
        _check(self.plan)
        self._toolkit = find_toolkit()
        import brian2cuda  # noqa: F401 - registers the device

        with _preferences(str(self._toolkit.folder)):
            super()._generate()

    def _seed(self) -> None:
        from brian2.devices.device import get_device

        get_device().insert_code(
            "main", 'random_number_buffer.set_seed(std::stoull(std::getenv("BIOMOD_SEED")));'
        )

    def _finish_source(self) -> None:
        main = self._directory / "main.cu"
        read_duration_at_start(main)
        text = main.read_text()
        if _HEAP not in text:
            raise BackendError("brian2cuda generated a main program that is not understood")
        text = text.replace(_HEAP, _LARGER_HEAP)
        main.write_text(_in_order(text))

    def _compile(self) -> tuple[Path, bool]:
        return compile_unit(self._directory, self._toolkit)

    def run(
        self, circuit: Circuit, duration: float, threads: int = 1, progress: Progress | None = None,
        checkpoints: Checkpoints | None = None,
    ) -> Raw:  # fmt: skip
        """Simulate `duration` seconds of `circuit` on the GPU."""
        if checkpoints is not None:
            raise ModelError("the cuda backend writes no checkpoints; use cpp")
        try:
            raw = super().run(circuit, duration, threads, progress)
        except BackendError as error:
            found = _NO_DEVICE.search(str(error))
            if found is None:
                raise
            raise BackendError(
                f"no CUDA device: the program is compiled, but its run needs an NVIDIA GPU and a "
                f"driver for this toolkit ({found[0]})"
            ) from error
        spikes = {name: _sorted(*events) for name, events in raw.spikes.items()}
        return replace(raw, spikes=spikes)

    def _execute(
        self, run_dir: Path, arguments: list[str], environment: dict[str, str], duration: float,
        progress: Progress,
    ) -> list[str]:  # fmt: skip
        environment = self._toolkit.environment(environment)
        return super()._execute(run_dir, arguments, environment, duration, progress)


def _check(plan: layout.Plan) -> None:
    """Refuse what brian2cuda would fail at, or silently get wrong."""
    if isinstance(plan, TreePlan):
        raise ModelError(
            f"the cuda backend has hh cells of at most {MOST_NAMED} compartments; use cpp"
        )
    for group in plan.groups:
        cell = group.members[0].population.cell
        for compartment in cell.compartments:
            # Variables end in the name of their compartment.
            if compartment.name.endswith("space"):
                raise ModelError(
                    f"the cuda backend cannot have the compartment {compartment.name} of "
                    f"{cell.name}: brian2cuda takes variables whose names end in 'space' for "
                    "lists of events; give it another name, or use cpp"
                )


@contextmanager
def _preferences(toolkit: str) -> Iterator[None]:
    """Brian2's preferences as this backend needs them; afterwards as they were."""
    from brian2 import prefs

    own = "devices.cuda_standalone.cuda_backend."
    wanted: dict[str, Any] = {
        "core.default_float_dtype": np.float64,
        # It would call deviceQuery, which few toolkits have.
        own + "detect_gpus": False,
        own + "gpu_id": 0,
        own + "compute_capability": capability(),
        own + "detect_cuda": False,
        own + "cuda_path": toolkit,
    }
    before = {name: prefs[name] for name in wanted}
    # It tells all its preferences, and warns of integers that single precision would round.
    log = logging.getLogger("brian2.brian2cuda")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        for name, value in wanted.items():
            prefs[name] = value
        yield
    finally:
        log.setLevel(level)
        for name, value in before.items():
            prefs[name] = value


def _in_order(main: str) -> str:
    """The main program with what is written for each clock sorted.

    The same structure would otherwise be another source text in another process.
    """
    return _FOR_EACH_CLOCK.sub(lambda lines: "".join(sorted(lines[0].splitlines(True))), main)


def _sorted(cells: np.ndarray, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    order = np.lexsort((cells, times))
    return cells[order], times[order]
