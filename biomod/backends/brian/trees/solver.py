"""The implicit half step of a tree of compartments, as a function that Brian2 calls.

With the rows ``total_k u_k - link_k u_parent(k) - sum_children(link u) = drive_k``, elimination
goes from the tips to the soma and back, in a time proportional to the number of compartments:
Hines 1984, Int J Biomed Comput 15:69, 10.1016/0020-7101(84)90008-4. Parents have smaller indices
than their children.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import splu

ARRAYS = ("total_here", "drive_here", "link_here", "middle_here", "V_here", "parent_here")

_CPP = """
static double {name}(const int cell)
{{
    double* total = {total_here};
    double* drive = {drive_here};
    const double* link = {link_here};
    double* middle = {middle_here};
    const double* v = {V_here};
    const int32_t* parent = {parent_here};
    const int first = cell * {count};
    for (int k = first + {count} - 1; k > first; --k) {{
        const double share = link[k] / total[k];
        total[parent[k]] -= link[k] * share;
        drive[parent[k]] += drive[k] * share;
    }}
    middle[first] = drive[first] / total[first];
    for (int k = first + 1; k < first + {count}; ++k)
        middle[k] = (drive[k] + link[k] * middle[parent[k]]) / total[k];
    return 2 * middle[first] - v[first];
}}
"""

_CYTHON = """
cdef double {name}(int cell):
    cdef int k, p
    cdef int first = cell * {count}
    cdef double share
    for k in range(first + {count} - 1, first, -1):
        p = {parent_here}[k]
        share = {link_here}[k] / {total_here}[k]
        {total_here}[p] -= {link_here}[k] * share
        {drive_here}[p] += {drive_here}[k] * share
    {middle_here}[first] = {drive_here}[first] / {total_here}[first]
    for k in range(first + 1, first + {count}):
        p = {parent_here}[k]
        {middle_here}[k] = ({drive_here}[k] + {link_here}[k] * {middle_here}[p]) / {total_here}[k]
    return 2 * {middle_here}[first] - {V_here}[first]
"""


def solver(name: str, group: Any, count: int) -> Any:
    """A function of the index of a cell: solves its tree, returns the new voltage (V) of its soma.

    Parameters
    ----------
    name : str
        Of the function.
    group : NeuronGroup
        The compartments of all cells, `count` of each, with the variables :data:`ARRAYS`.
    """
    import brian2 as b2
    from brian2.devices.device import get_device

    variables = {v: group.variables[v] for v in ARRAYS}
    in_numpy = _in_numpy(variables, count)
    made = b2.Function(in_numpy, arg_units=[1], return_unit=1, stateless=False)
    made.implementations.add_numpy_implementation(in_numpy)
    device = get_device()
    in_cpp = {v: f"brian::{device.get_array_name(x)}" for v, x in variables.items()}
    made.implementations.add_implementation(
        "cpp", _CPP.format(name=name, count=count, **in_cpp), name=name
    )
    keys = {v: f"{name}_{v}" for v in ARRAYS}
    in_cython = {v: f"_namespace{key}" for v, key in keys.items()}
    cython = _CYTHON.format(name=name, count=count, **in_cython)
    made.implementations.add_dynamic_implementation(
        "cython", lambda owner: cython, name=name,
        namespace=lambda owner: {keys[v]: x.get_value() for v, x in variables.items()},
    )  # fmt: skip
    return made


def _in_numpy(variables: dict[str, Any], count: int) -> Callable[..., np.ndarray]:
    """All cells at once, by sparse elimination in the same order."""

    def solve(cell: np.ndarray) -> np.ndarray:
        now = {name: x.get_value() for name, x in variables.items()}
        parent, link = now["parent_here"], now["link_here"]
        size = len(parent)
        child = np.flatnonzero(parent >= 0)
        # From the tips: reversed, so that elimination in the given order fills nothing in.
        at, to = size - 1 - child, size - 1 - parent[child]
        diagonal = np.arange(size)
        rows, columns = np.concatenate([diagonal, at, to]), np.concatenate([diagonal, to, at])
        values = np.concatenate([now["total_here"][::-1], -link[child], -link[child]])
        matrix = sparse.csc_matrix((values, (rows, columns)), shape=(size, size))
        factors = splu(
            matrix, permc_spec="NATURAL", diag_pivot_thresh=0.0, options={"SymmetricMode": True}
        )
        variables["middle_here"].set_value(factors.solve(now["drive_here"][::-1])[::-1])
        soma = np.asarray(cell) * count
        return np.asarray(2 * variables["middle_here"].get_value()[soma] - now["V_here"][soma])

    return solve
