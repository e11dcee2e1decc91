"""Spike trains in, numbers and figures out.

A spike table is a pandas DataFrame with one row per spike and the columns `time_ms`, `cell` (index
within its population) and `population`. The sizes of the populations (silent cells count) and the
duration come from ``spikes.attrs["cells"]`` and ``spikes.attrs["duration_ms"]``, or from keyword
arguments, which every function takes; see `Selection`. The package knows nothing of models: any
simulator's or experiment's spikes will do, and `from_neo` takes those of Neo.
"""

from analysis import style
from analysis._checks import InputError
from analysis._compare import compare
from analysis._exchange import from_neo, to_neo
from analysis._fano import fano_factor
from analysis._isi import isi_statistics
from analysis._plots import plot_isi, plot_rates, plot_spectrum
from analysis._raster import compare_rasters, raster
from analysis._rates import population_rate, rates
from analysis._spectrum import peak_frequency, power_spectrum
from analysis._sttc import sttc
from analysis._summary import summary, summary_dict
from analysis._synchrony import synchrony
from analysis._table import Selection

__all__ = [
    "InputError",
    "Selection",
    "compare",
    "compare_rasters",
    "fano_factor",
    "from_neo",
    "isi_statistics",
    "peak_frequency",
    "plot_isi",
    "plot_rates",
    "plot_spectrum",
    "population_rate",
    "power_spectrum",
    "raster",
    "rates",
    "sttc",
    "style",
    "summary",
    "summary_dict",
    "synchrony",
    "to_neo",
]
