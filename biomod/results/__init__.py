"""What a run leaves behind: spikes as a table, traces, provenance; read and write."""

from biomod.results._load import load
from biomod.results._table import spike_table
from biomod.results.result import Result
from biomod.results.rundir import RunDirectory, claim
from biomod.results.sonata import read_spikes, write_spikes

__all__ = [
    "Result",
    "RunDirectory",
    "claim",
    "load",
    "read_spikes",
    "spike_table",
    "write_spikes",
]
