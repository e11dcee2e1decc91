"""Independent streams of random numbers, derived by name from one seed.

Every use of randomness has a name: ``"connectivity/PC->PV"``, ``"weights/PC->PV"``,
``"positions/PC"``, ``"heterogeneity/PC/soma.g_leak"``, ``"background"``. A stream depends on the
seed and its name alone, so adding a population, a projection or a recording changes no other.
"""

from __future__ import annotations

import hashlib
import operator

import numpy as np

from biomod.errors import ModelError

__all__ = ["integer_seed", "stream"]


def stream(seed: int, name: str) -> np.random.Generator:
    """The generator of random numbers called `name`.

    It is the counter-based Philox-4x64 with a 128-bit key hashed (SHA-256) from the seed and the
    name: the streams of two different (seed, name) are independent, and each has a period of
    2**256 numbers of its own.

    Parameters
    ----------
    seed : int
        Seed of the model, not negative; of any size.
    name : str
        Name of the stream, not empty.

    Returns
    -------
    numpy.random.Generator
        At its beginning; two calls with the same arguments give the same numbers.

    Raises
    ------
    ModelError
        The seed is not a whole number of at least 0, or the name is empty.

    Notes
    -----
    The bits are fixed by the algorithm. numpy may change how its *distributions* use them
    between versions (NEP 19), so provenance should hold the version of numpy.

    Source: Salmon et al. 2011, Parallel random numbers: as easy as 1, 2, 3, SC '11,
    10.1145/2063384.2063405.
    """
    key = int.from_bytes(_digest(seed, name)[:16], "little")
    return np.random.Generator(np.random.Philox(key=key))


def integer_seed(seed: int, name: str) -> int:
    """A seed for simulators that take an integer: between 1 and 2**31 - 1.

    Parameters and errors are those of :func:`stream`. With 31 bits, two names collide with a
    probability of 5e-10: good for a handful of simulators, not for one seed per cell.
    """
    # Taken from other bytes than the key of `stream`, so that the two have nothing in common.
    return 1 + int.from_bytes(_digest(seed, name)[16:24], "little") % (2**31 - 1)


def _digest(seed: int, name: str) -> bytes:
    try:
        number = operator.index(seed)
    except TypeError:
        raise ModelError(f"seed must be a whole number; {seed!r} was given") from None
    if number < 0 or isinstance(seed, bool):
        raise ModelError(f"seed must be a whole number of at least 0; {seed!r} was given")
    if not isinstance(name, str) or not name:
        raise ModelError(f"a random stream needs a name; {name!r} was given")
    # The name is hashed first, so that the text that is hashed can be read in one way only.
    inner = hashlib.sha256(name.encode()).hexdigest()
    return hashlib.sha256(f"{number}/{inner}".encode()).digest()
