"""One function that reads whatever a run left behind."""

from __future__ import annotations

from pathlib import Path

from biomod.results.result import Result, read_result
from biomod.results.rundir import load_run

__all__ = ["load"]


def load(path: str | Path) -> Result:
    """Read a result.

    Parameters
    ----------
    path : str or Path
        A file that :meth:`Result.save` wrote, any SONATA ``spikes.h5``, or the directory of a
        run (``biomod run … --out DIR``).

    Raises
    ------
    ModelError
        There is nothing at `path`, it is damaged, of another kind, or of an unfinished run.
    """
    path = Path(path)
    return load_run(path) if path.is_dir() else read_result(path)
