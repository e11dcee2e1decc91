"""The library of cells: sources, files, catalogue, receptors, variability."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import cell_types
from biomod import registry
from biomod.errors import ModelError
from biomod.mechanisms import passive
from biomod.mechanisms.neuromodulation import resolve
from biomod.mechanisms.variability import draw
from biomod.model import Cell, Dendrite, Population, Soma, load, save
from biomod.units import Quantity

PYRAMIDAL = ("L23_PC", "L4_PC", "L5_IT", "L5_ET", "L6_CT")
INTERNEURONS = ("PV_basket", "SST_Martinotti", "VIP")
DRAWN = 200
every_cell = pytest.mark.parametrize("name", cell_types.NAMES)


def test_library_has_the_cells_of_the_reference_tables():
    assert set(cell_types.NAMES) == {*PYRAMIDAL, *INTERNEURONS}


@every_cell
def test_anatomy(name):
    """Soma, basal, trunk and tuft for pyramidal cells; a soma and a chain for the others."""
    cell = cell_types.get(name)
    assert isinstance(cell.soma, Soma)
    assert all(isinstance(d, Dendrite) for d in cell.dendrites)
    if name in PYRAMIDAL:
        assert [c.name for c in cell.compartments] == ["soma", "basal", "trunk", "tuft"]
        spikes = {d.name: [s.name for s in d.spikes] for d in cell.dendrites}
        assert spikes == {"basal": ["Na"], "trunk": ["Na"], "tuft": ["Ca"]}
        assert all(
            {"AMPA", "NMDA", "GABA"} == {r.name for r in d.receptors} for d in cell.dendrites
        )


@every_cell
def test_every_parameter_has_a_source(name):
    cell = cell_types.get(name)
    missing = [path for path in cell.parameters() if not cell.source(path).strip()]
    assert not missing


@every_cell
def test_sources_are_those_of_the_mechanism(name):
    """Not, by a prefix that is too short, that of the geometry around it."""
    cell = cell_types.get(name)
    for compartment in cell.compartments:
        geometry = cell.source(f"{compartment.name}.length")
        for path in cell.parameters():
            head, _, rest = path.partition(".")
            if head == compartment.name and "." in rest:
                assert cell.source(path) != geometry, path
        for spike in getattr(compartment, "spikes", ()):
            assert cell.source(f"{compartment.name}.{spike.name}.threshold") == spike.source


@every_cell
def test_mechanisms_and_variations_name_their_sources(name):
    cell = cell_types.get(name)
    for compartment in cell.compartments:
        parts = [*compartment.channels, *compartment.receptors, *getattr(compartment, "spikes", ())]
        assert all(part.source for part in parts)
    assert cell.variations
    assert all(v.source for v in cell.variations)
    assert cell.summary
    assert cell.species


@every_cell
def test_round_trip_to_a_file(name, tmp_path):
    cell = cell_types.get(name)
    again = load(save(cell, tmp_path / f"{name}.yaml"))
    assert again == cell
    assert again.content_hash() == cell.content_hash()
    assert again.parameters() == cell.parameters()


# catalogue --------------------------------------------------------------------------------------


@every_cell
def test_entry_points_offer_the_cell(name):
    entry = registry.cells()[name]
    assert entry.fidelities[0] == "dspike"
    assert entry.summary
    assert entry.species
    assert entry.reference
    assert registry.get_cell(name) == cell_types.get(name)


@pytest.mark.parametrize(("wrong", "nearest"), [("L5ET", "L5_ET"), ("PV_baskett", "PV_basket")])
def test_unknown_cell_names_the_nearest(wrong, nearest):
    for get in (cell_types.get, registry.get_cell):
        with pytest.raises(ModelError, match=f"did you mean {nearest}"):
            get(wrong)


def test_missing_fidelity_is_explained():
    with pytest.raises(ModelError, match="in the fidelity 'dspike'"):
        cell_types.get("L5_ET", fidelity="passive")


# neuromodulation --------------------------------------------------------------------------------


@every_cell
def test_every_effect_is_applied_or_says_why_not(name):
    cell = cell_types.get(name)
    found = resolve(cell)
    listed = [a.effect.name for a in found.applied]
    listed += [e.name for e in found.on_projections]
    listed += [e.name for e, _ in found.not_expressed]
    assert sorted(listed) == sorted(e.name for x in cell.expression for e in x.effects)
    assert all(reason.strip() for _, reason in found.not_expressed)
    assert all(a.changes for a in found.applied)


@pytest.mark.parametrize(
    ("name", "effects"),
    [
        ("L23_PC", {"E001", "E005", "E009", "E093", "E100"}),  # M1, beta, H2 on adaptation
        ("L5_IT", {"E002", "E006", "E052", "E053", "E056"}),  # M1, 5-HT2A
        ("L5_ET", {"E045", "E051", "E018"}),  # 5-HT1A; M1 on the tuft
        ("L6_CT", {"E004", "E008", "E040", "E048"}),
        ("VIP", {"E036", "E059"}),  # nicotinic, 5-HT3A
    ],
)
def test_effects_behind_the_first_phenomena_are_applied(name, effects):
    applied = {a.effect.name for a in resolve(cell_types.get(name)).applied}
    assert effects <= applied


# variability ------------------------------------------------------------------------------------


@every_cell
def test_cells_are_drawn_on_a_seed(name):
    population = Population(name, cell_types.get(name), 20)
    first, again, other = draw(population, 1), draw(population, 1), draw(population, 2)
    cell = population.cell
    assert set(first) == {p for v in cell.variations for p in cell.paths(v.path)}
    for path, values in first.items():
        assert np.array_equal(values, again[path])
        assert not np.array_equal(values, other[path])
        assert len(set(values)) == 20
    larger = draw(Population(name, population.cell, 30), 1)
    assert all(np.array_equal(larger[p][:20], values) for p, values in first.items())
    independent = [first[population.cell.paths(v.path)[0]] for v in population.cell.variations]
    for a, b in itertools.combinations(independent, 2):
        assert abs(np.corrcoef(a, b)[0, 1]) < 0.8


@every_cell
def test_drawn_parameters_have_the_stated_spread(name):
    """Sampling error of a CV or SD from n values: about 1 / sqrt(2 n)."""
    population = Population(name, cell_types.get(name), DRAWN)
    drawn = draw(population, 1)
    error = 4 / np.sqrt(2 * DRAWN)
    for v in population.cell.variations:
        values = drawn[population.cell.paths(v.path)[0]]
        if v.cv is not None:
            assert values.std() / values.mean() == pytest.approx(v.cv, rel=error), v.path
        else:
            assert values.std() == pytest.approx(v.sd.si, rel=error), v.path


def individual(cell: Cell, drawn: dict[str, np.ndarray], i: int) -> Cell:
    values = {p: Quantity(float(v[i]), cell.get(p).dim) for p, v in drawn.items()}
    return cell.with_(values)


@pytest.mark.parametrize("name", ["L23_PC", "PV_basket"])
def test_input_resistance_has_the_stated_spread(name):
    """Half of the spread of 0.3 in the table: leaks of CV 0.2 with shares of 0.6 and 0.4."""
    cell = cell_types.get(name)
    drawn = draw(Population(name, cell, DRAWN), 1)
    resistances = np.array(
        [passive.input_resistance(individual(cell, drawn, i)).si for i in range(DRAWN)]
    )
    cv = resistances.std() / resistances.mean()
    assert cv == pytest.approx(0.15, rel=4 / np.sqrt(2 * DRAWN))
