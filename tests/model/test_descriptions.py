"""What every description does: compare, hash, print, change, and refuse what cannot be."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from dataclasses import FrozenInstanceError, fields, replace
from pathlib import Path

import brian2 as b2
import pytest

from biomod.errors import ModelError, UnitError
from biomod.model import (
    Background,
    Cell,
    Channel,
    Circuit,
    Coupling,
    Dendrite,
    Gate,
    Modulator,
    Population,
    Projection,
    Soma,
    SomaticSpike,
    SynapticReceptor,
    Variation,
    parse_modulator,
    record,
    save,
    step,
)
from biomod.model._base import Description
from biomod.units import cm, ms, mV, nS, parse_quantity, uM, um, uS
from tests.model.conftest import descriptions

SPIKE = SomaticSpike("-50 mV", "-60 mV", "3 ms")
SOMA = Soma("soma", "20 um", "20 um", "50 uS/cm2", "-70 mV", spike=SPIKE)


def dendrite(name: str) -> Dendrite:
    return Dendrite(name, "100 um", "1 um", "50 uS/cm2", "-70 mV")


# ------------------------------------------------------------------------------------------------
# identity


def test_equal_content_is_equal_and_hashes_equal(description: Description) -> None:
    twin = descriptions()[type(description).__name__]
    assert twin is not description
    assert twin == description
    assert hash(twin) == hash(description)
    assert twin.content_hash() == description.content_hash()


def test_a_description_survives_pickling(description: Description) -> None:
    assert pickle.loads(pickle.dumps(description)) == description


def test_a_description_cannot_be_changed(description: Description) -> None:
    name = fields(description)[0].name
    with pytest.raises(FrozenInstanceError):
        setattr(description, name, None)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("PC.soma.M.g_max", "41 uS/cm2"),
        ("PC.soma.M.v_half", "-41 mV"),
        ("PC.tuft.area_factor", 2.1),
        ("PC->PC:near.stp.U", 0.41),
        ("PC.drive.rate", "901 Hz"),
        ("seed", 8),
        ("summary", "another"),
    ],
)
def test_any_change_is_another_content(circuit: Circuit, path: str, value: object) -> None:
    changed = circuit.with_({path: value})
    assert changed != circuit
    assert changed.content_hash() != circuit.content_hash()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Coupling("a", "b", 5 * nS), Coupling("a", "b", "5 nS")),
        (Coupling("a", "b", "5 nS"), Coupling("a", "b", "5e-3 uS")),
        (Coupling("a", "b", 5 * b2.nS), Coupling("a", "b", "5 nS")),
        (
            Channel("M", 50 * uS / cm**2, "-90 mV"),
            Channel("M", 50 * b2.uS / b2.cm**2, -90 * b2.mV),
        ),
        (
            SynapticReceptor("A", "AMPA", 0 * mV, "2 ms"),
            SynapticReceptor("A", "AMPA", "-0 mV", "2 ms"),
        ),
        (Modulator("ACh", 0.5 * uM), Modulator("acetylcholine", "500 nM")),
        (
            Background("b", "soma", "1 Hz", "1 nS", (("AMPA", 1.0),)),
            Background("b", "soma", "1 Hz", "1 nS", [["AMPA", 1]]),
        ),
    ],
)
def test_the_same_value_written_otherwise_is_the_same_description(
    one: Description, other: Description
) -> None:
    assert one == other
    assert hash(one) == hash(other)
    assert one.content_hash() == other.content_hash()


def test_content_hash_is_the_same_in_every_process(circuit: Circuit, tmp_path: Path) -> None:
    file = save(circuit, tmp_path / "circuit.yaml")
    code = f"from biomod.model import load; print(load({str(file)!r}).content_hash())"
    found = {
        subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True, text=True, check=True,
        ).stdout.strip()
        for seed in ("1", "2")
    }  # fmt: skip
    assert found == {circuit.content_hash()}


# ------------------------------------------------------------------------------------------------
# paths and variants


def test_every_parameter_can_be_read_and_written_at_its_path(circuit: Circuit) -> None:
    parameters = circuit.parameters()
    assert len(parameters) > 60
    for path, value in parameters.items():
        assert circuit.get(path) == value, path
        assert circuit.with_({path: value}) == circuit, path


def test_a_variant_differs_in_one_parameter_only(circuit: Circuit) -> None:
    changed = circuit.with_({"PC.soma.M.g_max": 10 * uS / cm**2})
    before, after = circuit.parameters(), changed.parameters()
    assert [p for p in before if before[p] != after[p]] == ["PC.soma.M.g_max"]
    assert after["PC.soma.M.g_max"] == parse_quantity("10 uS/cm2")


def test_several_changes_are_made_together(cell: Cell) -> None:
    changed = cell.with_({"soma.length": 30 * um, "tuft.Ca.g_rise": "9 nS"}, summary="both")
    assert (changed.soma.length, changed.summary) == (parse_quantity("30 um"), "both")
    assert changed.get("tuft.Ca.g_rise") == 9 * nS


def test_a_variant_is_validated(cell: Cell) -> None:
    with pytest.raises(ModelError, match="must be positive"):
        cell.with_({"soma.length": "0 um"})
    with pytest.raises(UnitError, match="wrong unit"):
        cell.with_({"soma.length": "5 mV"})


@pytest.mark.parametrize(
    ("path", "nearest"),
    [
        ("PC.soma.M.gmax", "PC.soma.M.g_max"),
        ("PC.som.length", "PC.soma.length"),
        ("PC.tuft.NMDA.tau_dekay", "PC.tuft.NMDA.tau_decay"),
        ("PC->PC:near.wait", "PC->PC:near.weight"),
    ],
)
def test_a_path_that_does_not_exist_names_the_nearest(
    circuit: Circuit, path: str, nearest: str
) -> None:
    with pytest.raises(ModelError) as caught:
        circuit.with_({path: "1 nS"})
    assert nearest in str(caught.value)


def test_the_source_of_a_value_is_that_of_the_longest_prefix(cell: Cell) -> None:
    assert cell.source("soma.M.g_max") == "there"
    assert cell.source("soma.length") == "here"


# ------------------------------------------------------------------------------------------------
# display


def test_text_shows_every_parameter_with_its_unit(description: Description) -> None:
    lines = str(description).splitlines()
    assert lines[0].startswith(type(description).__name__)
    shown = {line.split()[0]: line for line in lines[1:]}
    assert set(shown) == set(description.parameters())
    for path, value in description.parameters().items():
        assert format(value, ".6g") in shown[path]


def test_text_of_a_cell_names_sources(cell: Cell) -> None:
    (line,) = (x for x in str(cell).splitlines() if " soma.M.g_max " in x)
    assert line.split() == ["soma.M.g_max", "40", "uS/cm2", "there"]


def test_html_is_a_table_with_a_row_per_parameter(description: Description) -> None:
    html = description._repr_html_()
    assert html.count("<tr>") == len(description.parameters()) + 1
    assert html.count("<table>") == html.count("</table>") == 1


def test_html_of_a_summary_is_escaped(cell: Cell) -> None:
    html = replace(cell, summary="<script>alert(1)</script>")._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt;" in html


# ------------------------------------------------------------------------------------------------
# cells are trees with one soma


def test_the_compartments_of_a_cell_form_one_tree() -> None:
    parts = (SOMA, dendrite("a"), dendrite("b"))
    cell = Cell("x", parts, (Coupling("soma", "a"), Coupling("b", "a")))
    assert [c.name for c in cell.dendrites] == ["a", "b"]


@pytest.mark.parametrize(
    ("couplings", "message"),
    [
        ((Coupling("soma", "a"),), "b not coupled to the soma"),
        ((Coupling("a", "b"),), "a, b not coupled to the soma"),
        ((), "a, b not coupled to the soma"),
        (
            (Coupling("soma", "a"), Coupling("a", "b"), Coupling("b", "soma")),
            "coupling b-soma closes a loop",
        ),
        ((Coupling("soma", "a"), Coupling("a", "b"), Coupling("a", "a")), "a-a closes a loop"),
        ((Coupling("soma", "a"), Coupling("a", "b"), Coupling("b", "a")), "b-a closes a loop"),
        (
            (Coupling("soma", "a"), Coupling("a", "bb")),
            "unknown compartment .*'bb'; did you mean b",
        ),
    ],
)
def test_what_is_no_tree_is_refused(couplings: tuple[Coupling, ...], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        Cell("x", (SOMA, dendrite("a"), dendrite("b")), couplings)


def test_a_cell_has_exactly_one_soma() -> None:
    with pytest.raises(ModelError, match="needs exactly one Soma, has 0"):
        Cell("x", (dendrite("a"),))
    with pytest.raises(ModelError, match="needs exactly one Soma, has 2"):
        Cell("x", (SOMA, replace(SOMA, name="other")), (Coupling("soma", "other"),))


def test_parts_of_one_place_have_different_names() -> None:
    m = Channel("M", "1 uS/cm2", "-90 mV")
    with pytest.raises(ModelError, match="two parts are named 'M'"):
        replace(SOMA, channels=(m, m))
    with pytest.raises(ModelError, match="two parts are named 'a'"):
        Cell("x", (SOMA, dendrite("a"), dendrite("a")), (Coupling("soma", "a"),))


# ------------------------------------------------------------------------------------------------
# what cannot be, and what is said about it


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: replace(SOMA, length=-5 * um), "Soma soma: length must be positive; -5 um"),
        (lambda: replace(SOMA, length="nan um"), "length must be finite"),
        (lambda: replace(SOMA, length="inf um"), "length must be finite"),
        (lambda: replace(SOMA, length=5), "length needs a unit: 5 was given, e.g. 5 um"),
        (lambda: replace(SOMA, length="5 mV"), "length has the wrong unit: 5 mV"),
        (lambda: replace(SOMA, name="1st"), "name must be letters"),
        (lambda: replace(SOMA, name="class"), "name must be letters"),
        (lambda: dendrite("apical_tuft"), "must not contain an underscore"),
        (lambda: replace(dendrite("a"), region="apical_tuf"), "did you mean apical_tuft"),
        (lambda: replace(SOMA, spike="AP"), "'AP' is not a SomaticSpike"),
        (lambda: replace(SOMA, channels=("M",)), "'M' is not a Channel"),
        (lambda: SomaticSpike("-50 mV", "-40 mV", "2 ms"), "reset .* must lie below threshold"),
        (lambda: SomaticSpike("-50 mV", "-60 mV", "2 ms", peak="20 mV"), "peak and width"),
        (
            lambda: SomaticSpike("-50 mV", "-60 mV", "1 ms", peak="20 mV", width="1 ms"),
            "width .* must be shorter than refractory",
        ),
        (lambda: Cell("x", (replace(SOMA, spike=None),)), "needs Soma.spike=SomaticSpike"),
        (
            lambda: Cell("x", (SOMA,), variations=(Variation("soma.lenght", "normal", sd="1 um"),)),
            "did you mean soma.length",
        ),
        (lambda: Variation("p", "lognormal", sd="1 mV"), "lognormal one needs cv and no sd"),
        (lambda: Variation("p", "normal", sd="-1 mV"), "must be finite and not negative"),
        (lambda: Variation("p", "normal", sd="nan mV"), "must be finite and not negative"),
        (lambda: Gate("p", "80", power=1.5), "must be a whole number"),
        (lambda: Gate("p", "80", spike_jump=1.5), "must be at most 1"),
        (lambda: Channel("M", "1 uS/cm2", "0 mV", (Gate("p", "80", "vv"),)), "unknown name .*'vv'"),
        (lambda: Channel("M", "1 uS/cm2", "0 mV", (Gate("p", "8 +"),)), "cannot read the express"),
        (
            lambda: Channel("M", "1 uS/cm2", "0 mV", (Gate("p", "__import__('os')"),)),
            "unknown name|not allowed",
        ),
        (
            lambda: Channel("M", "1 uS/cm2", "0 mV", (Gate("p", "v.real"),)),
            "Attribute is not allowed",
        ),
        (lambda: SynapticReceptor("A", "AMPA", "0 mV", "2 ms", "3 ms"), "tau_rise .* shorter"),
        (lambda: SynapticReceptor("N", "NMDA", "0 mV", "60 ms"), "needs a magnesium"),
        (lambda: SynapticReceptor("A", "AMPA", "0 mV", "2 ms", mg="1 mM"), "must not have"),
        (lambda: SynapticReceptor("A", "AMPO", "0 mV", "2 ms"), "did you mean AMPA"),
        (lambda: step("5 pA", "10 ms", "10 ms"), "stop .* must be after start"),
        (lambda: record("soma"), "cannot read the recording 'soma'"),
        (lambda: record("PC[].soma.v"), "cannot read the recording|no cells"),
        (lambda: parse_modulator("ACh"), "write NAME=CONCENTRATION"),
        (lambda: parse_modulator("ACh=0.5"), "concentration of ACh needs a unit"),
        (lambda: parse_modulator("ACh=0.5mV"), "concentration of ACh has the wrong unit"),
        (lambda: parse_modulator("ACh=-1uM"), "tonic must not be negative"),
        (lambda: parse_modulator("ACh=nanuM"), "tonic must be finite"),
        (lambda: parse_modulator("Ach2=1uM"), "unknown modulator 'Ach2'; did you mean ACh"),
    ],
)
def test_what_cannot_be_is_refused_in_one_helpful_line(make: object, message: str) -> None:
    with pytest.raises((ModelError, UnitError), match=message) as caught:
        make()  # type: ignore[operator]
    assert "\n" not in str(caught.value)


def small_circuit(**projection: object) -> Circuit:
    receptor = SynapticReceptor("AMPA", "AMPA", "0 mV", "2 ms")
    cell = Cell("PC", (replace(SOMA, receptors=(receptor,)),))
    defaults: dict[str, object] = {
        "pre": "PC", "post": "PC", "p_max": 0.1, "weight": "1 nS",
        "compartments": (("soma", 1.0),), "receptors": (("AMPA", 1.0),),
    }  # fmt: skip
    return Circuit("c", (Population("PC", cell, 3),), (Projection(**defaults | projection),))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("projection", "message"),
    [
        ({"pre": "PX"}, "unknown population of Circuit c 'PX'; did you mean PC"),
        ({"compartments": (("soms", 1.0),)}, "did you mean soma"),
        ({"receptors": (("AMPO", 1.0),)}, "did you mean AMPA"),
        ({"compartments": (("soma", 0.7),)}, "add up to 0.7, not 1"),
        ({"compartments": ()}, "must be .name, share. pairs"),
        ({"p_max": 1.5}, "p_max must be at most 1"),
        ({"weight": "-1 nS"}, "weight must not be negative"),
        ({"delay": "-1 ms"}, "delay must not be negative"),
        ({"sigma": "100 um"}, "a distance rule needs Circuit.side"),
        ({"stp": 0.5}, "0.5 is not a ShortTermPlasticity"),
    ],
)
def test_a_projection_that_cannot_be_is_refused(
    projection: dict[str, object], message: str
) -> None:
    with pytest.raises(ModelError, match=message):
        small_circuit(**projection)


def test_a_circuit_without_cells_is_refused() -> None:
    with pytest.raises(ModelError, match="at least one population"):
        Circuit("c", ())
    with pytest.raises(ModelError, match="size must be positive"):
        Population("PC", Cell("PC", (SOMA,)), 0)


def test_a_modulator_replaces_the_one_of_its_name(circuit: Circuit) -> None:
    only_m1 = circuit.modulators[0]
    bathed = circuit.modulated(Modulator("DA", "10 nM")).modulated(Modulator("DA", "30 nM"))
    assert bathed.modulators == (only_m1, Modulator("DA", "30 nM"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("soma.v", ("", "soma", "v", None)),
        ("PC.tuft.v", ("PC", "tuft", "v", None)),
        ("PC[3].tuft.NMDA.g", ("PC", "tuft", "NMDA.g", (3,))),
        ("PC[0:3].soma.M.p", ("PC", "soma", "M.p", (0, 1, 2))),
        ("PC[1,4:6].soma.v", ("PC", "soma", "v", (1, 4, 5))),
    ],
)
def test_the_short_form_of_a_recording_is_read(text: str, expected: tuple[object, ...]) -> None:
    found = record(text)
    assert (found.population, found.compartment, found.variable, found.cells) == expected


def test_brian2_quantities_are_taken_in_every_description() -> None:
    soma = Soma("soma", 20 * b2.um, 20 * b2.um, 50 * b2.uS / b2.cm**2, -70 * b2.mV, spike=SPIKE)
    assert soma == SOMA
    assert step(5 * b2.pA, 1 * b2.ms, 2 * b2.ms) == step("5 pA", 1 * ms, "2 ms")


def test_no_simulator_is_loaded_by_a_description() -> None:
    code = (
        "import sys, biomod.model; from biomod.model import *; step('5 pA', '1 ms', '2 ms');"
        "print([m for m in ('brian2', 'dendrify', 'pandas') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
