"""What figures show: rows, names, units, colours. Not how many pixels of them."""

import itertools

import matplotlib as mpl
import numpy as np
import pytest

import analysis
from analysis import style

mpl.use("Agg")
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure

PLOTS = [analysis.plot_spectrum, analysis.plot_rates, analysis.plot_isi]


def marks(ax):
    """Population -> the line that draws its spikes."""
    prefix = "spikes of "
    lines = {line.get_gid() or "": line for line in ax.lines}
    return {k.removeprefix(prefix): line for k, line in lines.items() if k.startswith(prefix)}


def test_every_spike_of_every_cell_is_drawn_if_there_is_room(column):
    drawn = marks(analysis.raster(column, max_cells=1000).axes[0])
    for name, line in drawn.items():
        expected = np.sort(column.loc[column["population"] == name, "time_ms"])
        np.testing.assert_array_equal(np.sort(line.get_xdata()), expected)
        assert len(set(line.get_ydata())) == column.query("population == @name")["cell"].nunique()


def test_populations_are_rows_in_order_from_the_top_with_their_names_at_the_left(column):
    ax = analysis.raster(column).axes[0]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["PC", "PV", "SST", "VIP"]
    assert ax.yaxis_inverted()
    drawn = marks(ax)
    assert drawn["PC"].get_ydata().max() < drawn["PV"].get_ydata().min()


def test_too_many_cells_are_thinned_evenly_and_it_says_so(column):
    """25 rows for each, and a ninth of the other 900 cells."""
    ax = analysis.raster(column, max_cells=200).axes[0]
    shown = {text.get_text() for text in ax.texts}
    assert shown == {"111 of 800 cells", "33 of 100 cells", "28 of 60 cells", "26 of 40 cells"}
    rows = {name: len(set(line.get_ydata())) for name, line in marks(ax).items()}
    assert 100 < rows["PC"] <= 111  # some cells are silent
    assert rows["VIP"] == 0


def test_the_rates_under_the_raster_are_those_of_all_cells(column):
    figure = analysis.raster(column, max_cells=20, bin_ms=10.0)
    expected = analysis.population_rate(column, bin_ms=10.0)
    for ax, name in zip(figure.axes[1:], expected.columns, strict=True):
        np.testing.assert_allclose(ax.patches[0].get_data().values, expected[name])


def test_axes_have_units(column):
    axes = analysis.raster(column).axes
    assert axes[-1].get_xlabel() == "Time (ms)"
    assert {ax.get_ylabel() for ax in axes[1:]} == {"Hz"}
    assert "5 ms" in axes[1].get_title(loc="left")


def test_long_recordings_are_shown_in_seconds(table, poisson):
    axes = analysis.raster(table({"PC": poisson(5, 5.0, 20_000.0)}, 20_000.0)).axes
    assert axes[-1].get_xlabel() == "Time (s)"
    assert axes[0].get_xlim() == (0.0, 20.0)


def test_compared_rasters_share_their_axes(column, table, modulated):
    sizes = column.attrs["cells"]
    faster = {name: modulated(n, 30.0, 1000.0, 10.0) for name, n in sizes.items()}
    figure = analysis.compare_rasters({"control": column, "ACh": table(faster, 1000.0)})
    grid = np.array(figure.axes).reshape(5, 2).T  # by row of the figure, then by run
    assert [axes[0].get_title() for axes in grid] == ["control", "ACh"]
    for left, right in zip(*grid, strict=True):
        assert left.get_xlim() == right.get_xlim()
        assert left.get_ylim() == right.get_ylim()


def test_runs_of_different_populations_cannot_be_compared(column, table, poisson):
    other = table({"PC": poisson(10, 5.0, 1000.0)}, 1000.0)
    with pytest.raises(analysis.InputError, match="run 'b' has PC; choose common ones"):
        analysis.compare_rasters({"a": column, "b": other})
    analysis.compare_rasters({"a": column, "b": other}, populations=["PC"])


def test_a_population_has_one_colour_in_all_figures(column):
    expected = style.colours(column.attrs["cells"])
    figure = analysis.raster(column)
    for name, line in marks(figure.axes[0]).items():
        assert to_hex(line.get_color()).upper() == expected[name]
    for plot in PLOTS:
        handles, labels = plot(column).get_legend_handles_labels()
        for handle, label in zip(handles, labels, strict=True):
            name = label.split(" (")[0]
            if name in expected:
                colour = (
                    handle.get_edgecolor() if hasattr(handle, "get_hatch") else handle.get_color()
                )
                assert to_hex(colour).upper() == expected[name]


@pytest.mark.parametrize("plot", PLOTS)
def test_plots_have_units_name_every_population_and_use_the_axes_given(column, plot):
    ax = Figure().add_subplot()
    assert plot(column, ax=ax) is ax
    assert "(" in ax.get_xlabel()
    assert ax.get_ylabel()
    labels = ax.get_legend_handles_labels()[1]
    assert {label.split(" (")[0] for label in labels} >= {"PC", "PV", "SST", "VIP"}


def test_the_peak_of_the_spectrum_is_named(column):
    labels = analysis.plot_spectrum(column).get_legend_handles_labels()[1]
    assert "PC (40 Hz)" in labels


@pytest.mark.parametrize("draw", [analysis.raster, *PLOTS])
def test_a_silent_network_can_be_drawn(column, draw, tmp_path):
    silent = column.iloc[:0]
    drawn = draw(silent, cells={"PC": 10}, duration_ms=100.0)
    (drawn if isinstance(drawn, Figure) else drawn.figure).savefig(tmp_path / "silent.png")


def test_figures_are_drawn_into_the_figure_given(column):
    figure = Figure()
    assert analysis.raster(column, fig=figure) is figure


def test_drawing_leaves_no_trace_in_the_global_style(column):
    before = dict(mpl.rcParams)
    analysis.raster(column)
    analysis.plot_isi(column)
    assert dict(mpl.rcParams) == before


@pytest.mark.parametrize(
    ("names", "cell_class"),
    [
        (("PV", "PV_basket", "l23.PV", "Pvalb", "L5_PVBasket"), "PV"),
        (("SST", "SST_Martinotti", "SOM", "L4 Sst"), "SST"),
        (("VIP", "L23_VIP"), "VIP"),
        (("NDNF_L1", "Lamp5"), "NDNF"),
        (("CCK_basket",), "CCK"),
        (("PC", "E", "exc", "L5_IT", "L23_PC", "L4E", "L6_CT"), "excitatory"),
    ],
)
def test_names_as_they_occur_tell_the_class(names, cell_class):
    def hue(colour):
        return mpl.colors.rgb_to_hsv(to_rgb(colour))[0]

    for name in names:
        difference = abs(hue(style.colour(name)) - hue(style.CLASS_COLOURS[cell_class]))
        assert min(difference, 1.0 - difference) < 0.1


def test_deeper_excitatory_cells_are_darker():
    lightness = [
        sum(to_rgb(style.colour(n))) for n in ("L23_PC", "L4_PC", "L5_IT", "L5_ET", "L6_CT")
    ]
    assert lightness == sorted(lightness, reverse=True)


# Machado, Oliveira & Fernandes 2009, 10.1109/TVCG.2009.113, severity 1, on linear RGB.
VISION = {
    "trichromat": np.eye(3),
    "protanope": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranope": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanope": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


def cielab(linear_rgb):
    to_xyz = np.array(
        [
            [0.4124564, 0.3575761, 0.1804375],
            [0.2126729, 0.7151522, 0.0721750],
            [0.0193339, 0.1191920, 0.9503041],
        ]
    )
    v = to_xyz @ np.clip(linear_rgb, 0.0, 1.0) / to_xyz.sum(axis=1)
    f = np.where(v > (6 / 29) ** 3, np.cbrt(v), v / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("vision", VISION)
def test_classes_stay_apart_for_every_colour_vision(vision):
    """A difference of 2.3 in CIELAB is just noticeable; classes are many times that apart."""
    classes = {k: v for k, v in style.CLASS_COLOURS.items() if k != "inhibitory"}
    excitatory = {f"E {k}": v for k, v in style.EXCITATORY_COLOURS.items()}
    seen = {}
    for name, colour in (classes | excitatory).items():
        c = np.array(to_rgb(colour))
        linear = np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
        seen[name] = cielab(np.array(VISION[vision]) @ linear)
    for a, b in itertools.combinations(seen, 2):
        both_excitatory = a[0] in "eE" and b[0] in "eE"
        if not both_excitatory:
            assert np.linalg.norm(seen[a] - seen[b]) > 12.0, (a, b)
