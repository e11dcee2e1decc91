"""Functions of Brian2 as the engine writes them: vectorised, and with their numbers as data."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from brian2.core.functions import DEFAULT_FUNCTIONS, Function
from brian2.input.binomial import BinomialFunction
from brian2.input.timedarray import TimedArray, _find_K

from biomod.engine.constants import integer, real

_BINOMIAL = """
static const engine::Binomial %NAME%_law(%LAW%);
static inline double %NAME%(const int _vectorisation_idx)
{
    const engine::Binomial& law = %NAME%_law;
    return law.normal ? law.mean + law.deviation * _randn(_vectorisation_idx)
                      : law.number(_rand(_vectorisation_idx));
}
"""
_TABLE = """
static const double %NAME%_epsilon = %DT% / (double)%K%, %NAME%_upsampling = %K%;
static const int %NAME%_rows = %ROWS%;
static inline int %NAME%_row(const double t)
{
    const int row = (int)((t / %NAME%_epsilon + 0.5) / %NAME%_upsampling);
    return row < 0 ? 0 : row < %NAME%_rows ? row : %NAME%_rows - 1;
}
"""
_TABLE_1D = """
static inline double %NAME%(const double t) { return _namespace%NAME%_values[%NAME%_row(t)]; }
"""
_TABLE_2D = """
static const int %NAME%_columns = %COLUMNS%;
static inline double %NAME%(const double t, const int i)
{
    if (i < 0 || i >= %NAME%_columns)
        return NAN;
    return _namespace%NAME%_values[%NAME%_row(t) * %NAME%_columns + i];
}
"""


def register(target: type) -> None:
    """Make the functions known to Brian2 for code objects of class `target`."""
    for name in ("exp", "expm1", "exprel", "tanh", "timestep"):
        DEFAULT_FUNCTIONS[name].implementations.add_implementation(
            target, code=None, name=f"_engine_{name}"
        )
    BinomialFunction.implementations[target] = _binomial
    TimedArray.implementations[target] = (_table(_TABLE_1D), _table(_TABLE_2D))


def does_more_than_told(variables: Iterable[Any]) -> bool:
    """Whether code that uses these variables calls a function that may read and write anything.

    That is what ``stateless=False`` says of a function that is not Brian2's own.
    """
    own = set(DEFAULT_FUNCTIONS.values())
    return any(
        isinstance(f, Function)
        and not isinstance(f, BinomialFunction | TimedArray)
        and not f.stateless
        and f not in own
        for f in variables
    )


def _binomial(n: int, p: float, use_normal: bool, name: str) -> tuple[dict[str, Any], Any]:
    """A function for where a number cannot be drawn ahead, and the law for where it can."""
    law = f"{integer(n)}, {real(p)}, {integer(use_normal)}"
    code = _BINOMIAL.replace("%NAME%", name).replace("%LAW%", law)
    dependencies = {f"_{kind}": DEFAULT_FUNCTIONS[kind] for kind in ("rand", "randn")}
    return {"support_code": code, "engine_binomial": law}, dependencies


def _table(access: str) -> Callable[[Any, float, str], Callable[[Any], str]]:
    """Brian2's table over time: the value of the interval in which t is, rounded as there."""

    def for_array(values: Any, dt: float, name: str) -> Callable[[Any], str]:
        def for_owner(owner: Any) -> str:
            text = (_TABLE + access).replace("%NAME%", name)
            text = text.replace("%DT%", real(f"{dt:.18f}"))
            text = text.replace("%K%", integer(_find_K(owner.clock.dt_, dt)))
            text = text.replace("%ROWS%", integer(values.shape[0]))
            return text.replace("%COLUMNS%", integer(values.shape[-1]))

        return for_owner

    return for_array
