"""C++ for loops that a compiler can vectorise.

Brian2 gives the update of a group's state as a sequence of statements on one cell. Its own
generator writes them into one loop, in which integers, flags, calls with a state of their own
(random numbers) and branches keep the compiler from using vector instructions. Here they are
divided:

1. random numbers and calls of functions that cannot be vectorised, into buffers;
2. a vectorised loop for the flags (``not_refractory``), into a buffer of masks;
3. a vectorised loop for all the rest, with a choice between two values in place of each branch.

The loops run over blocks of cells, so that buffers are small and stay in the cache.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from brian2.codegen.generators.cpp_generator import CPPCodeGenerator
from brian2.core.clocks import Clock
from brian2.core.functions import Function
from brian2.core.preferences import prefs
from brian2.core.variables import ArrayVariable, Constant, DynamicArrayVariable
from brian2.input.timedarray import TimedArray
from brian2.utils.stringtools import (
    get_identifiers,
    stripped_deindented_lines,
)

from biomod.engine.calls import PURE_FUNCTIONS, STEP, TIME, VECTOR_FUNCTIONS, Calls, Loop
from biomod.engine.constants import real
from biomod.engine.division import divisible, global_name, stateless
from biomod.engine.draws import INITIAL, INITIAL_STREAM, TIMES, draw_ahead
from biomod.engine.exponentials import Sharing
from biomod.engine.ordering import ordered
from biomod.engine.packing import Pack, pack
from biomod.engine.pathways import Effect, effect
from biomod.engine.renderer import WRITTEN_OUT, EngineRenderer
from biomod.engine.scalars import remembered
from biomod.engine.shortcuts import word_substitute

# Calls above which a loop uses the versions out of line: the time that the compiler needs grows
# with the length of a loop.
MOST_CALLS = 40
# Functions made of the same parts, by their names in C++.
PACKABLE = {f"_engine_{name}": name for name in ("exp", "expm1", "exprel")}
# Absolute values of constants that are read in single precision: products of two stay in range.
LEAST_SINGLE, MOST_SINGLE = 1e-18, 1e18
# Templates of what is done once, and of loops with statements before them: numbers in the text are
# data, read where they stand or before the loop.
BEFORE_RUN = {"synapses_create_generator"}
IN_LOOPS = {
    "stateupdate", "threshold", "reset", "synapses", "summed_variable", "spikemonitor",
    "statemonitor",
}  # fmt: skip


@dataclass
class Passes:
    """The loops of a state update, the buffers between them as (type, name), and constants.

    Loops that are `padded` may run over whole vectors, beyond the last cell; if `parallel`, each
    block may be computed by another thread.
    """

    real: str
    padded: bool = False
    parallel: bool = False
    loops: list[Loop] = field(default_factory=list)
    buffers: list[tuple[str, str]] = field(default_factory=list)
    statics: list[str] = field(default_factory=list)


class EngineGenerator(CPPCodeGenerator):
    """Brian2's C++ generator with state updates divided into vectorised loops."""

    # Whether calls are made out of line, whether numbers in the text are of single precision, and
    # whether the text is that of statements before the loop.
    out_of_line = single = before_loop = False
    universal_support_code = ""  # in a header, once

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.numbers: list[str] = []  # definitions of those in loops
        self.singles: dict[str, str] = {}  # definitions of constants in single precision

    def translate_expression(self, expr: str) -> str:
        """One expression in C++."""
        expr = word_substitute(expr, self.func_name_replacements)
        name = self._in_single if self.single else str
        renderer = EngineRenderer(self.auto_vectorise, self.out_of_line, self.number, name)
        return str(renderer.render_expr(expr)).strip()

    def number(self, value: float, text: str) -> str:
        """A number of the user's text: data wherever that makes no loop slower."""
        if self.before_loop or self.template_name in BEFORE_RUN:
            return real(value)
        equations = "_stateupdater" in self.name
        if self.template_name in INITIAL:
            self.numbers.append(f"const double _number{len(self.numbers)} = {real(value)};")
            return f"_number{len(self.numbers) - 1}"
        if self.template_name in IN_LOOPS and value not in (0, 1) and not equations:
            name = f"_number{len(self.numbers)}"
            kind = "float" if self.single else "double"
            self.numbers.append(f"const {kind} {name} = {real(value)};")
            return name
        # 0.1 instead of 0.1f would make all double.
        return f"{text}f" if self.single else text

    def _in_single(self, name: str) -> str:
        """A constant as a loop in single precision reads it: one double would make all double."""
        variable = self.variables.get(name)
        constant = name == "dt"
        if isinstance(variable, Constant) and isinstance(variable.value, float):
            constant = not variable.value or LEAST_SINGLE <= abs(variable.value) <= MOST_SINGLE
        if not constant:
            return name
        self.singles[name] = f"const float _single_{name} = {name};"
        return f"_single_{name}"

    def translate_to_statements(self, statements: Any, *args: Any) -> Any:
        """The statements of a block, before the loop or in it."""
        self.before_loop = any(statements is block for block in self._before_loop)
        try:
            return super().translate_to_statements(statements, *args)
        finally:
            self.before_loop = False

    def translate_statement_sequence(
        self, sc_statements: dict[Any, Any], ve_statements: dict[Any, Any]
    ) -> tuple[Any, Any, dict[str, Any]]:
        """Code of all blocks; the passes of a state update among the keywords of its template."""
        self._before_loop = list(sc_statements.values())
        drawn = None
        if self.template_name in INITIAL:
            ve_statements, drawn = draw_ahead(self, ve_statements)
        scalar, vector, keywords = super().translate_statement_sequence(
            sc_statements, ve_statements
        )
        if self.template_name == "synapses_create_generator":
            keywords["parallel"] = all(map(self._any_thread, self.variables.items()))
            # Each call of connect has numbers of its own.
            keywords["stream"] = zlib.crc32(self.name.encode())
        if self.template_name in ("stateupdate", "threshold"):
            (before,) = scalar.values()
            keywords |= self._loops(sc_statements, ve_statements, vector, before)
        if self.template_name == "synapses":
            (statements,) = ve_statements.values()
            (scalars,) = sc_statements.values()
            keywords["effect"] = self._effect([*scalars, *statements]).mark()
        if self.template_name in INITIAL:
            keywords["drawn"], keywords["numbers"] = drawn, self.numbers
        elif self.numbers:
            (block,) = scalar
            scalar[block] = [*self.numbers, *scalar[block]]
        return scalar, vector, keywords

    def _loops(
        self, sc_statements: dict[Any, Any], ve_statements: dict[Any, Any],
        vector: dict[Any, Any], before: list[str],
    ) -> dict[str, Any]:  # fmt: skip
        """What the templates of vectorised loops are given; `before` are the lines before them."""
        keywords: dict[str, Any] = {}
        (statements,) = ve_statements.values()
        (scalars,) = sc_statements.values()
        self._scalars = {s.var: s.expr for s in scalars if s.op == ":="}
        if self.template_name == "threshold":
            passes = self.passes(statements, vector, ["_fired[_k] = _cond ? -1 : 0;"])
            passes.buffers.append((self.real, "_fired"))
            checked = []
        else:
            passes = self.passes(statements, vector, [])
            checked = self.checked(statements)
            keywords["checked"] = checked
            keywords["check_interval"] = prefs.devices.biomod_cpp.check_interval
            keywords["engine_time"], keywords["engine_step"] = TIME, STEP
        keywords["passes"] = passes
        keywords["divisible"] = ""
        if stateless(sc_statements, self.variables):
            self._remember(passes, before)
            if passes.parallel:
                keywords["divisible"] = divisible(self, statements, bool(checked)).mark()
        return keywords

    def _remember(self, passes: Passes, before: list[str]) -> None:
        """Have the lines `before` the loop and those of the passes computed only when needed."""
        scalars = {
            n for n, v in self.variables.items() if isinstance(v, ArrayVariable) and v.scalar
        }
        clocks = {n for n in scalars if isinstance(self.variables[n].owner, Clock)} - {"dt"}
        constants = [line for line in passes.statics if line.startswith("const ")]
        passes.statics = [line for line in passes.statics if line not in constants]
        before[:] = remembered([*self.numbers, *before, *constants], scalars, clocks)
        self.numbers = []

    def _effect(self, statements: list[Any]) -> Effect:
        """What decides how the effect of a spike can be computed."""
        read, write, _, _ = self.arrays_helper(statements)
        names = set().union(*(get_identifiers(s.expr) for s in statements))
        return effect(self.variables, self.variable_indices, read, write, names, global_name)

    # ------------------------------------------------------------------ division into passes

    def passes(
        self, statements: list[Any], vector: dict[Any, list[str]], last: list[str]
    ) -> Passes:
        """Divide the statements on one cell; a single plain loop if they cannot be.

        `last` are lines at the end of the last loop.
        """
        (plain,) = vector.values()
        undivided = Passes(self.real, loops=[Loop([*plain, *last])])
        if not self._independent(statements):
            return undivided
        result = Passes(self.real, self._padded())
        calls = Calls(self)
        replaced = [(s, calls.replace(s)) for s in statements]
        if calls.refused:
            return undivided
        sharing = self._sharing(statements)
        # Flags are computed in a loop before the one in which exponentials are shared.
        rest = [k for k, s in enumerate(statements) if not self._is_flag(s)]
        shared = sharing.rewrite([replaced[k][1] for k in rest])
        for k, expression in zip(rest, shared, strict=True):
            replaced[k] = (statements[k], expression)
        names = {n for n in self.variables if self.func_name_replacements.get(n, n) in WRITTEN_OUT}
        number = sum(len(re.findall(rf"\b({'|'.join(names)})\(", e)) for e in shared)
        self.out_of_line = bool(names) and number > MOST_CALLS
        result.loops += calls.loops
        result.buffers += [(self.real, buffer) for buffer in calls.buffers]
        result.statics = calls.statics + sharing.once
        result.parallel = calls.parallel
        masks = self._flags(replaced, result)
        values = [f"const {self.real} {call} = _buffer{call}[_k];" for call in calls.calls]
        self._main(replaced, masks, values, sharing.shared, last, result)
        result.statics = [*self.singles.values(), *result.statics]
        return result

    def _any_thread(self, named: tuple[str, Any]) -> bool:
        """Whether a variable or function can be used by several threads at once."""
        name, function = named
        if not isinstance(function, Function) or isinstance(function, TimedArray):
            return True
        known = VECTOR_FUNCTIONS | PURE_FUNCTIONS | {"_rand", "_randn"}
        return self.func_name_replacements.get(name, name) in known

    def _sharing(self, statements: list[Any]) -> Sharing:
        """What finds exponentials that the statements have in common."""
        cells = {
            name
            for name, variable in self.variables.items()
            if isinstance(variable, ArrayVariable)
            and self.variable_indices[name] == "_idx"
            and np.issubdtype(variable.dtype, np.floating)
        }
        written: set[str] = set()
        for statement in statements:  # a state has one value until it is written
            cells -= written & get_identifiers(statement.expr)
            written.add(statement.var)
        constants = {n: v.value for n, v in self.variables.items() if isinstance(v, Constant)}
        return Sharing(cells, self._scalars, constants, self._in_real, self.real)

    def _in_real(self, expression: str) -> str:
        """An expression in C++, its numbers in the precision of the states."""
        self.single = self.real == "float"
        try:
            return self.translate_expression(expression)
        finally:
            self.single = False

    @property
    def real(self) -> str:
        """The C type of floating-point numbers."""
        return str(self.c_data_type(prefs.core.default_float_dtype))

    def _independent(self, statements: list[Any]) -> bool:
        """Whether no cell's update uses what another one writes in the same loop."""
        read, write, _, _ = self.arrays_helper(statements)
        if any(self.variable_indices[name] != "_idx" for name in write):
            return False
        written = {self.get_array_name(self.variables[name]) for name in write}
        return not any(
            self.get_array_name(self.variables[name]) in written
            for name in read
            if self.variable_indices[name] != "_idx"
        )

    def _padded(self) -> bool:
        """Whether all arrays have room behind their end; Brian2 resizes dynamic ones."""
        arrays = [v for v in self.variables.values() if isinstance(v, ArrayVariable)]
        fixed = not any(isinstance(v, DynamicArrayVariable) for v in arrays)
        return fixed and not isinstance(self.variables["N"], ArrayVariable)

    def _is_flag(self, statement: Any) -> bool:
        variable = self.variables.get(statement.var)
        flag = isinstance(variable, ArrayVariable) and variable.dtype == bool
        return flag and statement.op == "="

    def _flags(self, replaced: list[tuple[Any, str]], result: Passes) -> dict[str, str]:
        """A loop for the flags; returns the buffer of each flag that the rest reads."""
        masks: dict[str, str] = {}
        lines: list[str] = []
        leading = []
        for statement, expression in list(replaced):
            if not self._is_flag(statement):
                break
            leading.append((statement, expression))
            replaced.remove((statement, expression))
        written = {s.var for s, _ in leading}
        names = set().union(*(get_identifiers(e) for _, e in leading))
        lines += self.reads(names - written)
        for name in sorted(written):
            lines.append(f"bool {name} = {self.get_array_name(self.variables[name])}[_idx];")
        for statement, expression in leading:
            lines.append(f"{statement.var} = {self.translate_expression(expression)};")
        for name in sorted(written):
            lines.append(f"{self.get_array_name(self.variables[name])}[_idx] = {name};")
        read, write, _, _ = self.arrays_helper([s for s, _ in replaced])
        for name in sorted(read - write):
            variable = self.variables[name]
            if variable.dtype != bool or self.variable_indices[name] != "_idx":
                continue
            if name not in written | names:
                lines.append(f"const char {name} = {self.get_array_name(variable)}[_idx];")
            masks[name] = f"_mask_{name}"
            lines.append(f"_mask_{name}[_k] = {name} ? 1 : 0;")
        if lines:
            result.loops.append(Loop(lines, simd=True))
            result.buffers += [(self.real, name) for name in masks.values()]
        return masks

    def reads(self, names: Iterable[str]) -> list[str]:
        """Lines that read what there is of each cell under these names."""
        arrays = {
            n
            for n in names
            if isinstance(self.variables.get(n), ArrayVariable) and not self.variables[n].scalar
        }
        indices = {self.variable_indices[n] for n in arrays} - {"_idx", "0"}
        return list(self.translate_to_read_arrays(arrays - indices, set(), indices))

    def _main(
        self, replaced: list[tuple[Any, str]], masks: dict[str, str], values: list[str],
        shared: list[tuple[str, str]], last: list[str], result: Passes,
    ) -> None:  # fmt: skip
        """The loop of all the rest."""
        statements = [s for s, _ in replaced]
        read, write, indices, conditional = self.arrays_helper(statements)
        # Scalars are read before the loop.
        read = {n for n in read if not self.variables[n].scalar or n in write}
        in_place = not indices and self._known_at_once(statements, read, write)
        lines = [f"const bool {name} = {buffer}[_k] != 0;" for name, buffer in masks.items()]
        lines += values
        kept = set() if in_place else write
        lines += self.translate_to_read_arrays(read - set(masks), kept, indices)
        lines += self.translate_to_declarations(read, kept, indices)
        texts = [*shared, *((s.var, e) for s, e in replaced)]
        expressions, packs = [e for _, e in texts], dict[int, list[Pack]]()
        if not self.out_of_line:
            double = {n for n, v in self.variables.items() if self._is_double(v)}
            expressions, packs = pack(texts, self._exponential, double)
        steps = []
        self.single = self.real == "float"
        for k, expression in enumerate(expressions):
            steps += [line for some in packs.get(k, []) for line in self._packed(some)]
            if k < len(shared):
                value = self.translate_expression(expression)
                steps.append(f"const {self.real} {shared[k][0]} = {value};")
            else:
                statement = statements[k - len(shared)]
                steps.append(self._assignment(statement, expression, conditional, in_place))
        self.single = False
        lines = ordered(lines, steps) if in_place else [*lines, *steps]
        lines += self.translate_to_write_arrays(kept) + last
        if statements:
            result.loops.append(Loop(stripped_deindented_lines("\n".join(lines)), simd=True))

    def _known_at_once(self, statements: list[Any], read: set[str], write: set[str]) -> bool:
        """Whether what is written of a cell is known when it is assigned, and not read again."""
        names = [s.var for s in statements]
        later: set[str] = set()
        for statement in reversed(statements):
            if statement.var in write & later:
                return False
            later |= get_identifiers(statement.expr)
        variables = [self.variables[n] for n in sorted(write)]
        arrays = {self.get_array_name(v) for v in variables}
        others = {self.get_array_name(self.variables[n]) for n in read - write}
        real = all(np.issubdtype(v.dtype, np.floating) for v in variables)
        once = len(set(names)) == len(names) and len(arrays) == len(variables)
        return real and once and not arrays & others

    def _exponential(self, name: str) -> str:
        """Which function of those that can be computed together."""
        function = self.func_name_replacements.get(name, name)
        return PACKABLE.get(function, "")

    def _is_double(self, variable: Any) -> bool:
        """Whether a variable has more digits than the loop."""
        array = isinstance(variable, ArrayVariable) and variable.dtype == np.float64
        return array and variable.name != "dt" and self.real == "float"

    def _packed(self, some: Pack) -> list[str]:
        """Exponentials that are computed together."""
        kind, name = self.real, some.name
        lines = [
            f"const {kind} {name}_x{k} = {self.translate_expression(argument)};"
            for k, argument in enumerate(some.arguments)
        ]
        inputs = ", ".join(f"{name}_x{k}" for k in range(len(some.arguments)))
        lines.append(f"const auto {name} = _engine_parts<{kind}>({inputs});")
        for function, k in some.used:
            parts = f"{name}_x{k}, {name}.scale[{k}], {name}.rest[{k}]"
            lines.append(f"const {kind} {name}_{function}_{k} = engine::{function}_of({parts});")
        return lines

    def _assignment(
        self, statement: Any, expression: str, conditional: dict[str, str], in_place: bool
    ) -> str:
        value = self.translate_expression(expression)
        var, op = statement.var, statement.op
        if op == ":=":
            kind = self.c_data_type(statement.dtype)
            return f"{'const ' if statement.constant else ''}{kind} {var} = {value};"
        condition = conditional.get(var)
        if op != "=":
            value = f"{var} {op[:-1]} ({value})"
        if condition is not None:
            value = f"{condition} ? ({value}) : {var}"
        place = f"{self.get_array_name(self.variables[var])}[_idx]" if in_place else var
        return f"{place} = {value};"

    # ------------------------------------------------------------------ check of the state

    def checked(self, statements: list[Any]) -> list[tuple[str, str, str, str]]:
        """Array, group, name and size of the floating-point states that the statements write."""
        found: list[tuple[str, str, str, str]] = []
        if "_stateupdater" not in self.name:
            return found  # what a user's own statement writes may be infinite on purpose
        _, write, _, _ = self.arrays_helper(statements)
        for name in sorted(write):
            variable = self.variables[name]
            if variable.scalar or self.variable_indices[name] != "_idx":
                continue
            if np.issubdtype(variable.dtype, np.floating):
                owner = getattr(variable.owner, "name", self.owner.name)
                array = self.get_array_name(variable)
                found.append((array, owner, name, self._size()))
        return found

    def _size(self) -> str:
        variable = self.variables["N"]
        if isinstance(variable, ArrayVariable):
            return f"{self.get_array_name(variable)}[0]"
        return "N"

    @property
    def stream(self) -> str:
        """What names the random numbers of this code: stays the same from run to run."""
        if self.template_name in INITIAL:
            return INITIAL_STREAM
        return re.sub(r"_codeobject(_\d+)?$", "", self.name)

    @property
    def step(self) -> str:
        """What tells random numbers from those that the same call draws at other times."""
        return TIMES if self.template_name in INITIAL else STEP
