"""Compile a generated CUDA program for the processor, where its kernels run thread by thread.

For machines with a toolkit and no GPU: everything but the GPU's own parallelism is put to the test,
from the generated source to the files of results.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from biomod.backends.brian import nvcc
from biomod.programs import find_compiler

HERE = Path(__file__).parent


def compile_unit(directory: Path, toolkit: nvcc.Toolkit) -> tuple[Path, bool]:
    """What :func:`biomod.backends.brian.nvcc.compile_unit` does, for this processor."""
    nvcc.define_where_declared(directory)
    text = nvcc.join(directory)
    text = re.sub(r"(\w+)<<<(.*?)>>>\(", r"emulated(\1, \2)(", text, flags=re.DOTALL)
    text = text.replace("(defined(__CUDA_ARCH__) && (__CUDA_ARCH__ > 0))", "1")
    text = text.replace(
        "extern __shared__ char shared_mem[];", "char* shared_mem = emulated_shared;"
    )
    (directory / "unit.cpp").write_text(f'#include "cuda_on_cpu.h"\n{text}')
    includes = [HERE, ".", "brianlib", toolkit.folder / "include", toolkit.folder / "include/cccl"]
    compiler = find_compiler()
    assert compiler is not None
    command = [
        compiler, "-std=c++17", "-O1", "-w", *(f"-I{folder}" for folder in includes),
        "-DTHRUST_DEVICE_SYSTEM=THRUST_DEVICE_SYSTEM_CPP", "unit.cpp", "-o", "main",
    ]  # fmt: skip
    subprocess.run(command, cwd=directory, check=True)
    return directory / "main", True
