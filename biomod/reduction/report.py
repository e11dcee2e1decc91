"""A page about a surrogate that needs nothing but a browser."""

from __future__ import annotations

import base64
import html
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from biomod.reduction.evaluation import SCORES, responses
from biomod.reduction.models import operations
from biomod.results._atomic import replacing

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from biomod.reduction.surrogate import Reduction

CELL, SURROGATE = "#555555", "#c1440e"
SHOWN_MS = 500.0

_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>
body {{ font: 15px/1.45 system-ui, sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em; }}
table {{ border-collapse: collapse; margin: 1em 0; }}
td, th {{ padding: .2em .8em; text-align: right; border-bottom: 1px solid #ddd; }}
td:first-child, th:first-child, td.text {{ text-align: left; }}
img {{ max-width: 100%; }} .caution {{ color: #a00; }}
</style></head><body>
<h1>{title}</h1>
<p>{lead}</p>
{cautions}
<h2>Parameters</h2>{parameters}
<h2>Scores on held-out data</h2>{scores}
<h2>Traces</h2><p>{shown:g} ms of the held-out noise of middle rate, where the cell fires most.
Grey: the cell; orange: the surrogate.</p>{traces}
<h2>Spikes of all noise sweeps</h2>{raster}
<h2>Rate against current</h2><p>Held-out 1-s steps.</p>{rates}
<h2>The ladder</h2><p>Accuracy on held-out data against arithmetic operations per simulated ms at
dt {dt:g} ms.</p>{ladder}{ladder_table}
<h2>What it does not capture</h2>{missing}
</body></html>
"""


def write_report(reduction: Reduction, path: str | Path) -> None:
    """Write the page (atomically)."""
    text = page(reduction)
    with replacing(path) as partial:
        partial.write_text(text, encoding="utf-8")


def page(reduction: Reduction) -> str:
    """The page as HTML."""
    fitted = reduction.fit
    name = html.escape(reduction.behaviour.name)
    cautions = "".join(
        f'<p class="caution">Caution: {html.escape(c)}.</p>' for c in reduction.cautions
    )
    lead = (
        f"{html.escape(fitted.model.doc)} ({html.escape(fitted.model.source)}), fitted to {name} "
        f"in {reduction.fit_seconds:.0f} s. It explains {reduction.explained_variance:.3f} of the "
        f"variance of held-out spike trains; {reduction.coincidence_4ms:.3f} of the spikes "
        "coincide within 4 ms beyond chance."
    )
    return _PAGE.format(
        title=f"{html.escape(reduction.model)} of {name}",
        lead=lead,
        cautions=cautions,
        parameters=_parameters(reduction),
        scores=_table(
            ("score", "value", "unit", "meaning"),
            [(k, f"{reduction.scores[k]:.3f}", unit, what) for k, (unit, what) in SCORES.items()],
        ),
        shown=SHOWN_MS,
        traces=_image(traces_figure(reduction)),
        raster=_image(raster_figure(reduction)),
        rates=_image(rates_figure(reduction)),
        dt=fitted.dt,
        ladder=_image(ladder_figure(reduction)),
        ladder_table=_ladder(reduction),
        missing=_missing(reduction),
    )


def _parameters(reduction: Reduction) -> str:
    fitted = reduction.fit
    rows = []
    for p in fitted.model.parameters:
        sd = (fitted.spread or {}).get(p.name)
        rows.append((p.name, f"{fitted.parameters[p.name]:.5g}", "" if sd is None else f"{sd:.2g}",
                     p.unit, p.doc))  # fmt: skip
    return _table(("parameter", "value", "s.d. of refits", "unit", "meaning"), rows)


def _ladder(reduction: Reduction) -> str:
    rows = []
    for name, found in reduction.fits.items():
        s = reduction.all_scores[name]
        cost = operations(found.model) / found.dt
        accuracy = f"{s['explained_variance']:.3f}", f"{s['coincidence_4ms']:.3f}"
        rows.append((name, f"{found.loss:.3f}", *accuracy, f"{cost:.0f}", f"{found.seconds:.1f}"))
    heads = ("model", "training loss", "explained variance", "coincidence 4 ms",
             "operations per ms", "fit (s)")  # fmt: skip
    return _table(heads, rows)


def _missing(reduction: Reduction) -> str:
    """What the numbers and the form of the model say."""
    s = reduction.scores
    found = [
        f"{1 - s['explained_variance']:.0%} of the variance of the spike trains.",
        f"Rates at constant current are off by {s['fi_error']:.2g} Hz (root mean square), in noise "
        f"by {s['rate_error']:.2g} Hz.",
        f"Intervals in noise vary with a coefficient of {s['isi_cv']:.2f}; those of the cell with "
        f"{s['isi_cv_cell']:.2f}.",
        f"{1 - s['subthreshold_r2']:.0%} of the variance of the voltage between spikes.",
        "Dendrites: all input arrives at the soma. What a synapse far out or a dendritic spike "
        "does is not in the data that were fitted.",
        "Neuromodulators other than those under which the cell was driven.",
    ]
    return "<ul>" + "".join(f"<li>{html.escape(x)}</li>" for x in found) + "</ul>"


def _table(heads: tuple[str, ...], rows: list[tuple[Any, ...]]) -> str:
    top = "".join(f"<th>{html.escape(h)}</th>" for h in heads)
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(str(x))}</td>" for x in row) + "</tr>" for row in rows
    )
    return f"<table><tr>{top}</tr>{body}</table>"


def _image(figure: Figure) -> str:
    data = io.BytesIO()
    figure.savefig(data, format="png", dpi=130)
    return f'<img alt="" src="data:image/png;base64,{base64.b64encode(data.getvalue()).decode()}">'


# Figures ------------------------------------------------------------------------------------------
def _figure(height: float) -> tuple[Figure, Any]:
    from matplotlib.figure import Figure

    import analysis

    with analysis.style.context():
        figure = Figure(figsize=(7.0, height), layout="constrained")
        return figure, figure.subplots()


def traces_figure(reduction: Reduction) -> Figure:
    """Voltage of cell and surrogate in a piece of held-out noise."""
    noise = [s for s in reduction.behaviour.test if s.kind == "noise"]
    sweep = sorted(noise, key=lambda s: len(s.spikes))[len(noise) // 2]
    ((spikes, voltage),) = responses(reduction.fit, [sweep])
    samples = min(len(voltage), round(SHOWN_MS / sweep.dt))
    starts = sweep.spikes[:, None] <= sweep.spikes[None, :]
    inside = starts & (sweep.spikes[None, :] < sweep.spikes[:, None] + SHOWN_MS)
    begin = float(sweep.spikes[int(np.argmax(inside.sum(axis=1)))]) if len(sweep.spikes) else 0.0
    first = min(round(begin / sweep.dt), len(voltage) - samples)
    t = (first + np.arange(samples)) * sweep.dt
    figure, ax = _figure(2.6)
    top = float(np.max(sweep.voltage))
    ax.plot(t, sweep.voltage[first : first + samples], color=CELL, linewidth=0.7)
    ax.plot(t, voltage[first : first + samples], color=SURROGATE, linewidth=0.7)
    near = spikes[(spikes >= t[0]) & (spikes <= t[-1])]
    ax.vlines(near, top + 3, top + 13, color=SURROGATE, linewidth=0.9)
    ax.set(xlabel="time (ms)", ylabel="voltage (mV)", xlim=(t[0], t[-1]))
    return figure


def raster_figure(reduction: Reduction) -> Figure:
    """Spikes of cell and surrogate in every held-out noise sweep."""
    noise = [s for s in reduction.behaviour.test if s.kind == "noise"]
    figure, ax = _figure(0.8 + 0.35 * len(noise))
    for k, (s, (spikes, _)) in enumerate(zip(noise, responses(reduction.fit, noise), strict=True)):
        ax.vlines(s.spikes * 1e-3, k + 0.05, k + 0.4, color=CELL, linewidth=0.6)
        ax.vlines(spikes * 1e-3, k + 0.45, k + 0.8, color=SURROGATE, linewidth=0.6)
    ax.set(xlabel="time (s)", ylabel="sweep", yticks=[], ylim=(len(noise), 0))
    return figure


def rates_figure(reduction: Reduction) -> Figure:
    """Rate against current of the held-out steps."""
    steps = [s for s in reduction.behaviour.test if s.kind == "step"]
    figure, ax = _figure(2.6)
    amplitude = [float(s.current[np.argmax(np.abs(s.current))]) for s in steps]
    order = np.argsort(amplitude)
    found = responses(reduction.fit, steps)
    length = [np.count_nonzero(s.current) * s.dt * 1e-3 for s in steps]
    cell = [len(s.spikes) / x for s, x in zip(steps, length, strict=True)]
    model = [len(spikes) / x for (spikes, _), x in zip(found, length, strict=True)]
    ax.plot(np.array(amplitude)[order], np.array(cell)[order], "o-", color=CELL, label="cell")
    ax.plot(np.array(amplitude)[order], np.array(model)[order], "s--", color=SURROGATE,
            label=reduction.model)  # fmt: skip
    ax.set(xlabel="current (pA)", ylabel="rate (Hz)")
    ax.legend(frameon=False)
    return figure


def ladder_figure(reduction: Reduction) -> Figure:
    """Accuracy against cost of every model that was fitted."""
    figure, ax = _figure(2.6)
    for name, found in reduction.fits.items():
        cost = operations(found.model) / found.dt
        accuracy = reduction.all_scores[name]["explained_variance"]
        ax.plot(cost, accuracy, "o", color=SURROGATE if name == reduction.model else CELL)
        ax.annotate(name, (cost, accuracy), xytext=(4, 4), textcoords="offset points", size=8)
    ax.set(xlabel="operations per simulated ms", ylabel="explained variance", ylim=(None, 1))
    return figure
