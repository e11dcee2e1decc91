"""Keys of Brian2's caches: equal where Brian2's own are."""

from __future__ import annotations

import gc
from itertools import combinations

import numpy as np
from brian2 import Hz, NeuronGroup, Synapses, volt
from brian2.core.variables import Constant

from biomod.engine.cachekeys import KeyMaker, _taken_apart


def variables() -> dict[str, object]:
    groups = [NeuronGroup(n, "dv/dt = -v*rate : volt\nrate : Hz") for n in (3, 3, 4)]
    synapses = [
        Synapses(a, b, "w : 1") for a, b in ((groups[0], groups[1]), (groups[1], groups[2]))
    ]
    owners = [*groups, *synapses]
    return {f"{o.name}.{name}": v for o in owners for name, v in o.variables.items()}


def test_two_variables_have_one_key_where_brian2_has_one() -> None:
    keys = KeyMaker()
    found = {name: (keys(v), _taken_apart(v)) for name, v in variables().items()}
    same = 0
    for (one, (ours, theirs)), (other, (ours2, theirs2)) in combinations(found.items(), 2):
        assert (ours == ours2) == (theirs == theirs2), (one, other)
        same += ours == ours2
    assert same > 10


def test_mappings_of_variables_have_one_key_where_brian2_has_one() -> None:
    keys = KeyMaker()
    group, twin, larger = (NeuronGroup(n, "v : volt") for n in (3, 3, 4))
    for other in (twin, larger):
        given = [dict(g.variables) for g in (group, other)]
        ours, theirs = [[make(d) for d in given] for make in (keys, _taken_apart)]
        assert (ours[0] == ours[1]) == (theirs[0] == theirs[1])
    assert keys(["a", {"x": 1 * volt}]) == _taken_apart(["a", {"x": 1 * volt}])


def test_a_variable_that_changes_has_another_key_and_its_first_when_it_changes_back() -> None:
    keys = KeyMaker()
    variable = NeuronGroup(3, "v : volt").variables["v"]
    first = keys(variable)
    variable.read_only = True
    assert keys(variable) != first
    variable.read_only = False
    assert keys(variable) == first


def test_a_new_variable_at_the_address_of_an_old_one_has_its_own_key() -> None:
    keys = KeyMaker()
    for value in np.linspace(0, 1, 200):
        variable = Constant("tau", dimensions=Hz.dim, value=value)
        assert keys(variable) == keys(Constant("tau", dimensions=Hz.dim, value=value))
        assert keys(variable) != keys(Constant("tau", dimensions=Hz.dim, value=value + 2))
        del variable
    gc.collect()
    assert not keys._known, "nothing is kept of variables that are gone"
