"""Which of several processes this is, as the program that started them says."""

from __future__ import annotations

import ctypes.util
import os
from dataclasses import dataclass

# Open MPI, MVAPICH, and what speaks PMI (MPICH, Intel MPI): variables of rank and size.
_VARIABLES = (
    ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"),
    ("MV2_COMM_WORLD_RANK", "MV2_COMM_WORLD_SIZE"),
    ("PMI_RANK", "PMI_SIZE"),
)
_LIBRARY = "MPI_LIB_NRN_PATH"


@dataclass(frozen=True)
class World:
    """Rank of this process and number of processes."""

    rank: int = 0
    size: int = 1


def world() -> World:
    """What ``mpiexec`` started; a single process without it."""
    for rank, size in _VARIABLES:
        try:
            return World(int(os.environ[rank]), int(os.environ[size]))
        except (KeyError, ValueError):
            continue
    return World()


def name_library() -> None:
    """Tell NEURON which MPI library to open.

    It asks for ``libmpi.so``, which only development packages have; the one that programs use
    carries a version, e.g. ``libmpi.so.40``.
    """
    found = ctypes.util.find_library("mpi")
    if found and _LIBRARY not in os.environ:
        os.environ[_LIBRARY] = found
