"""What Brian2 makes of equations and statements, kept on disk: always what Brian2 makes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from brian2 import (
    DimensionMismatchError,
    Equations,
    Function,
    NeuronGroup,
    SpikeGeneratorGroup,
    StateUpdateMethod,
    Synapses,
    TimedArray,
    ms,
    prefs,
)
from brian2.core.functions import DEFAULT_FUNCTIONS
from brian2.core.variables import (
    ArrayVariable,
    AuxiliaryVariable,
    Constant,
    Subexpression,
    Variable,
)
from brian2.devices import get_device
from brian2.equations.equations import EquationError
from brian2.stateupdaters.base import UnsupportedEquationsException

from biomod import backends, programs
from biomod.engine import codecache, kept
from tests.engine.helpers import results

cache = kept.cache
OWNER = SpikeGeneratorGroup(1, [0], [0] * ms)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty cache."""
    monkeypatch.setenv("BIOMOD_CACHE_DIR", str(tmp_path))
    cache.made.clear()
    yield tmp_path / "descriptions"
    cache.made.clear()


def later() -> None:
    """As if in another process."""
    cache.made.clear()
    kept.brian2_parsed._cache.clear()
    kept.brian2_statements._cache.clear()


def entries(folder: Path) -> list[Path]:
    return sorted(folder.glob("*"))


def outcome(make: Callable[[], Any]) -> Any:
    """A result, or the error that was raised."""
    try:
        return make()
    except Exception as error:
        return type(error), str(error)


# ---------------------------------------------------------------------- statements


def array(name: str, dtype: Any = np.float64, **flags: Any) -> ArrayVariable:
    size = 1 if flags.get("scalar") else 3
    return ArrayVariable(name, OWNER, size, get_device(), dtype=dtype, **flags)


def expression(name: str, text: str, **flags: Any) -> Subexpression:
    return Subexpression(name, OWNER, text, get_device(), **flags)


def function(**flags: Any) -> Function:
    return Function(lambda x: x, arg_units=[1], return_unit=1, **flags)


BASE = {
    "v": array("v"), "w": array("w"), "n": array("n", np.int32), "flag": array("flag", bool),
    "shared": array("shared", scalar=True), "tau": Constant("tau", value=10.0),
    "sub": expression("sub", "v*2 + inner"), "inner": expression("inner", "w + tau"),
    "f": function(), "exp": DEFAULT_FUNCTIONS["exp"], "rand": DEFAULT_FUNCTIONS["rand"],
    "int": DEFAULT_FUNCTIONS["int"],
}  # fmt: skip
# Each of these may change what statements become.
KNOWN: dict[str, dict[str, Any]] = {
    "as they are": {},
    "v is an integer": {"v": array("v", np.int64)},
    "v has few digits": {"v": array("v", np.float32)},
    "v is a flag": {"v": array("v", bool)},
    "v is shared": {"v": array("v", scalar=True)},
    "v is auxiliary": {"v": AuxiliaryVariable("v")},
    "v is a subexpression": {"v": expression("v", "w*3")},
    "v is a constant": {"v": Constant("v", value=2.0)},
    "n is a whole constant": {"n": Constant("n", value=2)},
    "flag is a subexpression": {"flag": expression("flag", "w > 1", dtype=bool)},
    "another subexpression": {"sub": expression("sub", "v*3 + inner")},
    "another one below it": {"inner": expression("inner", "w - tau")},
    "shared subexpression": {"inner": expression("inner", "shared + tau", scalar=True)},
    "random shared subexpression": {"other": expression("other", "rand()", scalar=True)},
    "a function with a state": {"f": function(stateless=False)},
    "a function of numbers": {"f": function(arg_types=["integer"], return_type="integer")},
    "a function that is a flag": {"f": function(return_type="boolean")},
    "a table": {"f": TimedArray(np.arange(3.0), dt=1 * ms, name="f")},
    "something else": {"f": Variable("f")},
    "fewer": {"w": None, "inner": None, "sub": None},
}
CODES = [
    "v = v + sub", "v = v*tau", "v += f(w)*exp(-dt/tau)", "v = x*2; x = 3", "x = n/2; v = x",
    "v = int(flag)*w + int(not flag)*v*exp(-shared/tau)", "v = clip(v, 0, 1)", "shared = tau*2",
    "flag = v > sub", "v = f(n)", "sub = 3", "v = rand() + 0*w # comment", "", "v = (v",
    "v = 0*w + 1*v/tau*2/3", "other = w", "n = n + 1",
]  # fmt: skip


def told(statements: Any) -> Any:
    return [[vars(s) for s in block] for block in statements]


@pytest.mark.parametrize("numbers", [np.float64, np.float32])
def test_statements_are_brian2s_whatever_was_translated_before(folder: Path, numbers: Any) -> None:
    def cases() -> Iterator[tuple[Any, ...]]:
        for (what, changed), code, optimise in product(KNOWN.items(), CODES, (False, True)):
            given = {name: v for name, v in (BASE | changed).items() if v is not None}
            yield what, code, given, numbers, optimise, "reset" if optimise else ""

    prefs.core.default_float_dtype = numbers
    try:
        brian2 = kept.brian2_statements.__wrapped__
        expected = [outcome(lambda c=case: told(brian2(*c[1:]))) for case in cases()]
        assert sum(isinstance(e, tuple) for e in expected) > 20, "errors are among them"
        for attempt in ("made", "read"):
            later()
            before = cache.read
            for case, right in zip(cases(), expected, strict=True):
                found = outcome(lambda c=case: told(kept.make_statements(*c[1:])))
                assert found == right, (attempt, *case[:2])
        assert cache.read - before > 200
    finally:
        prefs.core.default_float_dtype = np.float64
    assert len({str(e) for e in expected}) > 100


def test_preferences_of_the_translation_count(folder: Path) -> None:
    def translated() -> Any:
        return told(kept.make_statements("v = w*exp(-shared/tau)", BASE, np.float64))

    taken_out = translated()
    prefs.codegen.loop_invariant_optimisations = False
    try:
        assert translated() != taken_out
        later()
        assert translated() != taken_out
    finally:
        prefs.codegen.loop_invariant_optimisations = True
    later()
    assert translated() == taken_out


def test_a_language_with_more_functions_is_another_one(folder: Path) -> None:
    given = (BASE["v"].name + " = twice(w)", BASE, np.float64)
    DEFAULT_FUNCTIONS["twice"] = function()
    try:
        kept.make_statements(*given)
        assert not entries(folder)
    finally:
        del DEFAULT_FUNCTIONS["twice"]
    kept.make_statements(*given)
    assert len(entries(folder)) == 1


# ---------------------------------------------------------------------- equations

MODELS = {
    "linear": "dv/dt = -v/(10*ms) : 1\ndw/dt = (v - w)/tau : 1\ntau : second (constant)",
    "another number": "dv/dt = -v/(11*ms) : 1\ndw/dt = (v - w)/tau : 1\ntau : second (constant)",
    "another flag": "dv/dt = -v/(10*ms) : 1\ndw/dt = (v - w)/tau : 1\ntau : second (shared)",
    "subexpressions": "dv/dt = (a - v*b)/(10*ms) : 1\na = b + c*w : 1\nb = c**2 : 1\n"
    "dw/dt = a*rate : 1\nrate = c*Hz : Hz\nc : 1",
    "whole": "dv/dt = n*v/second : 1\nn = int(v > 1) : integer\nq = v > 2 : boolean",
    "noise": "dv/dt = -v/(10*ms) + sigma*xi/sqrt(ms) : 1\nsigma : 1",
    "state in noise": "dv/dt = -v/(10*ms) + v*xi_1/sqrt(ms) + xi_2/sqrt(ms) : 1",
    "not linear": "dv/dt = -v**2/(10*ms) + exp(v)/ms : 1",
    "gates": "dv/dt = (g*m**3*(50*mV - v) - v*nS)/(100*pF) : volt\n"
    "dm/dt = 0.1/exprel(-v/(4*mV))/ms*(1 - m) - m*exp(-v/(18*mV))/ms : 1\ng : siemens",
}
NOT_EQUATIONS = ["dv/dt = -v/ms", "dv/dt = -v/(ms : 1", "v : metres", "dv/dt = 1 : 1\nv : 1"]


def test_equations_are_those_that_brian2_reads(folder: Path) -> None:
    def read(parse: Callable[[str], Any], text: str) -> Any:
        return {name: {**vars(e), "update_order": 0} for name, e in parse(text).items()}

    for attempt in range(2):
        later()
        for text in [*MODELS.values(), *NOT_EQUATIONS]:
            expected = outcome(lambda t=text: read(kept.brian2_parsed.__wrapped__, t))
            found = outcome(lambda t=text: read(kept.parse_string_equations, t))
            assert found == expected, (attempt, text)
            assert isinstance(found, tuple) is (text in NOT_EQUATIONS)
            if text not in NOT_EQUATIONS:
                for name, equation in found.items():
                    original = expected[name]["expr"]
                    if original is not None:
                        assert vars(equation["expr"]) == vars(original)


SLOW = {"rk2", "rk4", "heun", "milstein", "exact"}


@pytest.mark.parametrize(
    "method", [pytest.param(m, marks=[pytest.mark.validate] * (m in SLOW)) for m in kept.METHODS]
)
def test_steps_of_a_method_are_those_of_brian2(folder: Path, method: str) -> None:
    updater = StateUpdateMethod.stateupdaters[method]
    brian2 = type(updater).__call__.__wrapped__
    stepped = 0
    for attempt in range(2):
        later()
        for name, model in MODELS.items():
            one, other = Equations(model), Equations(model)
            assert outcome(partial(kept.brian2_substituted, one, {}, True)) == outcome(
                partial(kept.get_substituted_expressions, other, {}, True)
            ), (attempt, name)
            expected = outcome(partial(brian2, updater, one, {}))
            found = outcome(partial(updater, other, {}))
            assert found == expected, (attempt, name)
            stepped += isinstance(found, str)
    assert stepped >= 6
    assert any(isinstance(value, str) for value in cache.made.values())


def test_what_a_table_decides_is_not_kept(folder: Path) -> None:
    """A table with steps as long as dt is constant over a step, one with shorter steps is not."""
    cells = NeuronGroup(1, "dv/dt = (f(t) - v)/(10*ms) : 1", method="exact")
    for steps, allowed in ((1, True), (0.01, False)):
        table = TimedArray(np.arange(3.0), dt=steps * ms, name="f*")
        given = {**cells.variables, "f": table, "dt": cells.variables["dt"]}
        made = outcome(lambda g=given: kept.METHODS["exact"](cells.equations, g))
        assert isinstance(made, str) is allowed
        if not allowed:
            assert made[0] is UnsupportedEquationsException


def test_errors_of_a_description_are_raised_every_time(folder: Path) -> None:
    for _ in range(2):
        later()
        with pytest.raises(DimensionMismatchError):
            NeuronGroup(1, "dv/dt = -v : volt").before_run({})
        cells = NeuronGroup(1, "dv/dt = -v/second : volt\nx = rand() : 1 (shared)")
        known = {**cells.variables, "rand": BASE["rand"]}
        with pytest.raises(SyntaxError, match="implicitly vectorised"):
            kept.make_statements("v = 1", known, np.float64)
        with pytest.raises(EquationError):
            Synapses(cells, cells, "dw/dt = -w/second")


# ---------------------------------------------------------------------- files


def test_nothing_is_kept_if_not_wanted(folder: Path) -> None:
    prefs.devices.biomod_cpp.keep_descriptions = False
    try:
        kept.make_statements("v = w", BASE, np.float64)
        assert not entries(folder)
    finally:
        prefs.devices.biomod_cpp.keep_descriptions = True


@pytest.mark.parametrize("damage", ["cut", "empty", "changed", "grown"])
def test_a_damaged_entry_is_made_anew(folder: Path, damage: str) -> None:
    right = told(kept.make_statements("v = v + sub", BASE, np.float64))
    (file,) = entries(folder)
    whole = file.read_bytes()
    half = len(whole) // 2
    file.write_bytes(
        {
            "cut": whole[:half], "empty": b"", "changed": whole.replace(b"sub", b"bus"),
            "grown": whole + b" ",
        }[damage]
    )  # fmt: skip
    later()
    assert told(kept.make_statements("v = v + sub", BASE, np.float64)) == right
    assert file.read_bytes() == whole


def test_a_folder_of_somebody_else_is_no_error(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refused(*_: Any) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(codecache, "write_entry", refused)
    monkeypatch.setattr(cache, "_writable", True)
    expected = told(kept.brian2_statements("v = w", BASE, np.float64))
    assert told(kept.make_statements("v = w", BASE, np.float64)) == expected
    kept.make_statements("v = w*2", BASE, np.float64)
    assert [record.levelname for record in caplog.records if record.name == "biomod"] == ["WARNING"]


def test_they_are_part_of_the_cache_and_of_its_limit(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for k in range(4):
        kept.make_statements(f"v = w*{k + 2}.5", BASE, np.float64)
    files = entries(folder)
    assert len(files) == 4
    info = backends.cache_info()
    assert (info["entries"], info["bytes"]) == (0, sum(f.stat().st_size for f in files))
    for age, file in enumerate(files):
        os.utime(file, (1e9 - age, 1e9 - age))
    monkeypatch.setattr(programs, "MOST_DESCRIPTIONS", 3)
    (tmp_path / "program").write_bytes(b"1")
    programs._keep(tmp_path / "program", folder.parent / "programs" / "a.bin")
    assert entries(folder) == files[:3], "the oldest goes"
    assert backends.cache_clear() > 0
    assert not entries(folder)


# ---------------------------------------------------------------------- whole programs


@pytest.mark.validate
def test_sources_are_the_same_with_the_cache_empty_full_and_off(tmp_path: Path) -> None:
    found = results("described.py", tmp_path / "r.npz", BIOMOD_CACHE_DIR=tmp_path / "cache")
    for name in ("empty", "full"):
        assert found[name] == found["off"], name
    assert found["read"] > 50
    assert (found["written"] > 50, found["written_again"]) == (True, 0)
    assert found["numbers"] == found["numbers_off"] == found["off"]
    assert found["missed"] == 2, "Brian2 writes the weight of a PoissonInput into its statements"
    others = [name for name in found if name.startswith("other")]
    assert len(others) == 6
    assert len({str(found[name]) for name in ["off", *others]}) == 7
    for name in others:
        assert found[name] == found[name.replace("other", "off")], name


@pytest.mark.validate
@pytest.mark.parametrize("model", ["lif", "hh"])
def test_the_circuit_is_the_same_from_processes_that_fill_the_cache_at_once(
    tmp_path: Path, model: str
) -> None:
    def described(name: str, keep: bool, *changed: str, hashes: int = 0) -> Any:
        return results(
            "described_circuit.py", tmp_path / f"{name}.npz", model, keep, *changed,
            BIOMOD_CACHE_DIR=tmp_path / "cache", PYTHONHASHSEED=hashes,
        )  # fmt: skip

    with ThreadPoolExecutor(3) as pool:
        started = [pool.submit(described, f"first_{k}", True, hashes=k) for k in range(2)]
        off = pool.submit(described, "off", False).result()
        first = [one.result() for one in started]
    full = described("full", True, hashes=2)
    changed = described("changed", True, "changed", hashes=3)
    assert not list((tmp_path / "cache").rglob("*.partial"))
    for found in (*first, full, changed):
        assert found["sources"] == off["sources"]
    assert off["read"] == off["written"] == full["written"] == changed["written"] == 0
    assert min(full["read"], changed["read"], sum(f["written"] for f in first)) > 80
    assert min(f["written"] for f in first) > 0
