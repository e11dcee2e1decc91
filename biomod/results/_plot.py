"""Traces as a figure: one panel per label, one line per cell."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from biomod.errors import ModelError


def plot_traces(traces: Mapping[str, pd.DataFrame]) -> Figure:
    """One panel per recorded variable, all on the same time axis."""
    if not traces:
        raise ModelError("nothing was recorded; pass record=['soma.v'] or the like to simulate")
    figure = Figure(figsize=(7.0, 1.2 + 1.3 * len(traces)), layout="constrained")
    axes = figure.subplots(len(traces), 1, sharex=True, squeeze=False)[:, 0]
    for ax, (label, frame) in zip(axes, traces.items(), strict=True):
        time = frame.index.to_numpy()
        for cell in frame.columns:
            ax.plot(time, frame[cell].to_numpy(), linewidth=0.8, label=str(cell))
        unit = frame.attrs.get("unit", "")
        ax.set_ylabel(f"{label}\n({unit})" if unit else label)
        ax.spines[["top", "right"]].set_visible(False)
        if 1 < len(frame.columns) <= 10:
            ax.legend(title="cell", frameon=False, fontsize="x-small", ncols=2, loc="upper right")
    axes[-1].set_xlabel("time (ms)")
    figure.align_ylabels(list(axes))
    return figure
