"""Colours of populations, and the look of figures.

A population has the same colour in every figure, whatever else is in it: the colour follows from
its name alone. Hues follow the usage of the field: excitatory cells blue, darker from layer 2/3
to layer 6; PV red, SST orange, VIP violet (as in the Allen Institute's taxonomies), NDNF/LAMP5
green, CCK brown. They were chosen to stay apart for readers with protanopia, deuteranopia and
tritanopia, which the tests check with the model of Machado et al. 2009.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["CLASS_COLOURS", "EXCITATORY_COLOURS", "RC", "colour", "colours", "context", "tidy"]

#: Colour of each class of cell; of the excitatory ones where no layer is known.
CLASS_COLOURS = {
    "CCK": "#73453F",
    "NDNF": "#74A68E",
    "PV": "#BF0000",
    "SST": "#F28118",
    "VIP": "#6C16D9",
    "inhibitory": "#BF0000",
    "excitatory": "#0072B2",
}

#: Colour of excitatory cells by layer; "5 ET" are the extratelencephalic, thick tufted ones.
EXCITATORY_COLOURS = {
    "2/3": "#6CB8E6",
    "4": "#3A9AD9",
    "5": "#0072B2",
    "5 ET": "#0B4F8A",
    "6": "#1B2A5C",
}

# The words of a population's name that tell its class; of two, the class that is listed first
# wins, so that "CCK_basket" is no PV cell and "PV_basket" is one.
_WORDS = {
    "CCK": {"cck", "sncg"},
    "NDNF": {"ndnf", "lamp", "ngf", "ngfc", "neurogliaform"},
    "SST": {"sst", "som", "martinotti", "olm", "lts"},
    "VIP": {"vip", "bipolar"},
    "PV": {"pv", "pvalb", "basket", "chandelier", "fs", "axoaxonic"},
    "inhibitory": {"i", "inh", "inhibitory", "interneuron", "interneurons", "in"},
    "excitatory": {"e", "exc", "excitatory", "pc", "pcs", "pyr", "pyramidal", "it", "et", "pt"}
    | {"ct", "ss", "stellate", "granule", "tufted"},
}
_EXTRATELENCEPHALIC = {"et", "pt"}

# Lightness tells the layer of interneurons: share of white (above 0) or black (below) mixed in.
_LAYER_TINT = {"2/3": 0.18, "4": 0.09, "5": -0.12, "6": -0.28}

_OTHER_COLOURS = ("#5B5B5B", "#8F8F00", "#2F6F4F", "#9A6A9A", "#A08060")

#: Style of the figures: sizes for print at one or two columns, text that stays text in PDF and SVG.
RC: dict[Any, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["Arial", "Helvetica", "Liberation Sans", "DejaVu Sans"],
    "font.size": 8.0,
    "axes.titlesize": 8.0,
    "axes.labelsize": 8.0,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.unicode_minus": True,
    "xtick.labelsize": 7.0,
    "ytick.labelsize": 7.0,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "xtick.minor.size": 1.5,
    "ytick.minor.size": 1.5,
    "legend.fontsize": 7.0,
    "legend.frameon": False,
    "lines.linewidth": 1.2,
    "figure.dpi": 200.0,
    "savefig.dpi": 300.0,
    "pdf.fonttype": 42,
    "svg.fonttype": "none",
}


def colour(population: str) -> str:
    """Colour of a population, as ``"#RRGGBB"``, from its name alone.

    The class and the layer are read from the words of the name: ``"L5_ET"``, ``"l23.PV"``,
    ``"SST_Martinotti"``, ``"L4E"``. A name that tells no class has one of a few muted colours.

    Parameters
    ----------
    population : str
        Name of the population.
    """
    words = [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", population)]
    layer = _layer(words)
    cell_class = next((name for name, known in _WORDS.items() if known.intersection(words)), None)
    if cell_class is None:
        return _OTHER_COLOURS[zlib.crc32(population.encode()) % len(_OTHER_COLOURS)]
    if cell_class != "excitatory":
        return _tinted(CLASS_COLOURS[cell_class], _LAYER_TINT.get(layer, 0.0))
    if _EXTRATELENCEPHALIC.intersection(words):
        return EXCITATORY_COLOURS["5 ET"]
    return EXCITATORY_COLOURS.get(layer, CLASS_COLOURS["excitatory"])


def colours(populations: Iterable[str]) -> dict[str, str]:
    """`colour` of each population."""
    return {name: colour(name) for name in populations}


@contextmanager
def context() -> Iterator[None]:
    """The style of the figures, for as long as the ``with`` block lasts.

    ``with analysis.style.context(): figure.savefig("raster.pdf")`` also keeps text editable.
    """
    from matplotlib import rc_context

    with rc_context(RC):
        yield


def tidy(ax: Axes) -> None:
    """Give an existing `ax` the style's spines, ticks and size of labels.

    Ticks that are made only when a figure is drawn, after the context has ended, need it said.
    """
    ax.spines[["top", "right"]].set_visible(False)
    ax.spines[["left", "bottom"]].set_linewidth(RC["axes.linewidth"])
    for axis in (ax.xaxis, ax.yaxis):
        axis.label.set_fontsize(RC["axes.labelsize"])
    for which in ("major", "minor"):
        ax.tick_params(
            which=which,
            labelsize=RC["xtick.labelsize"],
            width=RC["xtick.major.width"],
            length=RC[f"xtick.{which}.size"],
        )


def _layer(words: list[str]) -> str:
    """The layer that a name tells, ``"1"``, ``"2/3"``, ``"4"``, ``"5"``, ``"6"``, or ``""``."""
    for word, after in pairwise(words):
        if word in ("l", "layer") and after in ("1", "2", "3", "23", "4", "5", "6"):
            return "2/3" if after in ("2", "3", "23") else after
    return ""


def _tinted(base: str, tint: float) -> str:
    """`base` mixed with white (`tint` above 0) or black (below 0)."""
    target = 255.0 if tint > 0 else 0.0
    channels = (int(base[k : k + 2], 16) for k in (1, 3, 5))
    return "#" + "".join(f"{round(c + abs(tint) * (target - c)):02X}" for c in channels)
