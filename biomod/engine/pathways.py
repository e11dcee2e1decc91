"""Which synapses cannot change during a run, and which of their arrays can wait on disk.

Where no object of a run writes what the effect of a spike reads of a synapse (its target, its
weight), the pathway copies that into the order of its rows (`lib/engine_synapses.h`), and the
effect reads the copies under the names of the arrays. What of Brian2's own arrays is then needed by
nothing in a run waits on disk (`lib/engine_parking.h`). Effects that change their targets only can
be divided among threads by targets (`lib/engine_effects.h`).
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from brian2.codegen.generators.cpp_generator import c_data_type
from brian2.core.clocks import Clock
from brian2.core.functions import Function
from brian2.core.variables import ArrayVariable, DynamicArrayVariable

from biomod.engine.checkpoint import MONITORS
from biomod.engine.constants import integer
from biomod.engine.functions import does_more_than_told

COLUMNS, DELIVER = "%COLUMNS%", "%DELIVER%"
_MARK = re.compile(r"// effect: (\{.*\})")
_ADD = re.compile(r"(\w+)\.add\(&(\w+), _run_(\w+)\);")
# Arguments of the program change arrays before a run.
_SET = "set_from_command_line(args);"
_ARGUMENTS = {_SET: f"if (!args.empty()) engine::fetch_parked();\n{_SET}"}
_WORD = re.compile(r"\w+")
_INDEX = "const size_t _vectorisation_idx = _idx;"


@dataclass(frozen=True)
class Effect:
    """What the generator knows of the effect of a spike.

    `writes` are the arrays that it writes. If it can be divided by targets, `targets` is the array
    of them, of `cells` cells, and `others` are the arrays of which it reads what is not of the
    target.
    """

    writes: list[str]
    others: list[str]
    targets: str | None = None
    cells: str = ""

    def mark(self) -> str:
        """A line in the source, by which the device finds out."""
        return f"// effect: {json.dumps(asdict(self))}"

    def independent(self, other: Effect) -> bool:
        """Whether only the order of the two for each single target matters."""
        return not (set(self.writes) & set(other.others) or set(other.writes) & set(self.others))


def effect(
    variables: dict[str, Any], indices: dict[str, str], read: set[str], write: set[str],
    names: set[str], array_name: Callable[[Any], str],
) -> Effect:  # fmt: skip
    """Describe an effect.

    Parameters
    ----------
    variables, indices : dict
        Variables of the code and their indices.
    read, write : set of str
        Names of the arrays that are read and written.
    names : set of str
        All names in the statements.
    array_name : callable
        The name of an array in the program.
    """
    by = {indices[name] for name in write}
    writes = sorted({array_name(variables[name]) for name in write})
    others = sorted({array_name(variables[n]) for n in read if indices[n] not in {*by, "_idx"}})
    whole = Effect(writes, others)
    if len(by) != 1 or not by <= {"_postsynaptic_idx", "_presynaptic_idx"}:
        return whole
    functions = [f for f in map(variables.get, names) if isinstance(f, Function)]
    cells = {getattr(variables[name], "size", None) for name in write}
    written = [variables[name] for name in write]
    if (
        not all(f.stateless for f in functions)
        or any(isinstance(v, DynamicArrayVariable) or v.scalar for v in written)
        or len(cells) != 1
        or not all(np.issubdtype(v.dtype, np.number) for v in written)
        or not whole.independent(whole)
    ):
        return whole
    return Effect(writes, others, array_name(variables[by.pop()]), integer(cells.pop()))


@dataclass
class Pathways:
    """What is known of the pathways of a program.

    `columns` are the arrays of which each code object of a static pathway reads copies; `users`
    tells for each call of `run` how many users of an array release it in that run.
    """

    columns: dict[str, list[Any]] = field(default_factory=dict)
    users: list[Counter[Any]] = field(default_factory=list)

    def parkable(self) -> set[Any]:
        """All arrays that can wait on disk in one of the runs."""
        return {variable for users in self.users for variable in users}


def examine(device: Any) -> Pathways:
    """Find the static pathways in the program of a device."""
    result = Pathways()
    runs = [_objects(device, lines) for lines in _run_lines(device)]
    everything = {codeobj.name: codeobj for run in runs for codeobj in run}
    if any(does_more_than_told(codeobj.variables.values()) for codeobj in everything.values()):
        return result
    written = {array for codeobj in everything.values() for array in _writes(device, codeobj)}
    for name, codeobj in everything.items():
        if codeobj.template_name != "synapses":
            continue
        columns = _columns(device, codeobj)
        if columns is not None and not written & {device.dynamic_arrays[v] for v in columns}:
            result.columns[name] = columns
    if _followable(device):
        result.users = [_users(run, result.columns) for run in runs]
    return result


def _run_lines(device: Any) -> Iterator[list[str]]:
    for kind, arguments in device.main_queue:
        if kind == "run_network":
            yield arguments[1]


def _objects(device: Any, lines: list[str]) -> list[Any]:
    return [device.code_objects[name] for _, _, name in _ADD.findall("\n".join(lines))]


def _arrays(codeobj: Any) -> set[Any]:
    return {v for v in codeobj.variables.values() if isinstance(v, ArrayVariable)}


def _writes(device: Any, codeobj: Any) -> set[str]:
    """Arrays that a code object may write; all that it knows of, where that is not told."""
    found = _MARK.search(codeobj.code.cpp_file)
    if found:
        return set(json.loads(found[1])["writes"])
    if codeobj.template_name == "synapses_push_spikes":
        return set()
    arrays = {v for v in _arrays(codeobj) if not isinstance(v.owner, Clock)}
    if codeobj.template_name in MONITORS:
        arrays = {v for v in arrays if v.owner.name == codeobj.owner.name}
    return {device.get_array_name(v, access_data=False) for v in arrays}


def _columns(device: Any, codeobj: Any) -> list[Any] | None:
    """The arrays of which an effect reads what is of the synapse; None if it does otherwise."""
    text = codeobj.code.cpp_file.split(DELIVER)[1].split(_INDEX)[1]
    columns = []
    for variable in sorted(_arrays(codeobj), key=lambda v: str(device.get_array_name(v))):
        access = f"_ptr{device.get_array_name(variable)}[_idx]"
        if isinstance(variable, DynamicArrayVariable) and access in text:
            columns.append(variable)
            text = text.replace(access, "")
    text = re.sub(r"\b_(rand|randn)\(_vectorisation_idx\)", "", text)
    return None if re.search(r"\b(_idx|_vectorisation_idx)\b", text) else columns


def _pathway(codeobj: Any) -> Any:
    """The pathway of an effect."""
    name = re.sub(r"_codeobject(_\d+)?$", "", codeobj.name)
    (found,) = (pathway for pathway in codeobj.owner._pathways if pathway.name == name)
    return found


def _users(run: list[Any], static: dict[str, list[Any]]) -> Counter[Any]:
    """How often each array is released in a run; those that are needed all the time left out."""
    users: Counter[Any] = Counter()
    needed: set[Any] = set()
    for codeobj in run:
        if codeobj.template_name == "synapses":
            pathway = _pathway(codeobj)
            sorted_by = {pathway.synapse_sources, pathway.variables["delay"]}
            if codeobj.name in static:
                users.update([*sorted_by, *static[codeobj.name]])
            else:
                needed |= sorted_by
        if codeobj.name not in static and codeobj.template_name != "synapses_push_spikes":
            needed |= _arrays(codeobj)
    return Counter({variable: n for variable, n in users.items() if variable not in needed})


def _followable(device: Any) -> bool:
    """Whether the order in which the program does things is that of the queue."""
    functions = any(kind == "start_run_func" for kind, _ in device.main_queue)
    around = (device.code_lines[f"{when}_network_run"] for when in ("before", "after"))
    return not functions and not any(around)


def column_lines(device: Any, pathways: Pathways, codeobj: Any) -> tuple[str, str]:
    """What takes the place of the marks in the source of an effect."""
    if codeobj.name not in pathways.columns:
        return "", "deliver"
    lines = []
    for k, variable in enumerate(pathways.columns[codeobj.name]):
        kind, name = c_data_type(variable.dtype), f"_ptr{device.get_array_name(variable)}"
        vector = device.get_array_name(variable, access_data=False)
        column = f"{_pathway(codeobj).name}.column({k}, {vector})"
        lines.append(f"const {kind}* __restrict const {name} = {column};")
    return "\n".join(lines), "deliver_places"


def with_parking(device: Any, pathways: Pathways, queue: list[Any]) -> list[Any]:
    """The queue of the program, with what tells each run which arrays can wait on disk."""
    if not pathways.users:
        return queue
    result: list[Any] = []
    runs = iter(pathways.users)
    numbers = [k for k, (kind, _) in enumerate(queue) if kind == "run_network"]
    filled = _last_use(device, pathways.users[0], queue[: numbers[0]])
    for number, entry in enumerate(queue):
        if entry[0] != "run_network":
            done = sorted(f"engine::park(&{array});" for array, k in filled.items() if k == number)
            result.append(entry)
            result += [("insert_code", "\n".join(done))] if done else []
            continue
        network, run_lines = entry[1]
        entry = "run_network", (network, [_ARGUMENTS.get(line, line) for line in run_lines])
        last = number == numbers[-1] and all(map(_harmless, queue[number + 1 :]))
        lines = [f"engine::begin_run({'true' if last else 'false'});"]
        for variable, users in next(runs).items():
            lines.append(f"engine::expect(&{device.dynamic_arrays[variable]}, {users});")
        result.append(("insert_code", "\n".join([lines[0], *sorted(lines[1:])])))
        result.append(entry)
        if not last:
            result.append(("insert_code", "engine::fetch_parked();"))
    return result


def _last_use(device: Any, arrays: Iterable[Any], queue: list[Any]) -> dict[str, int]:
    """The entries of the queue after which nothing but pathways needs an array, by its name."""
    last: dict[str, int] = {}
    names = {device.dynamic_arrays[variable]: variable for variable in arrays}
    for number, (kind, arguments) in enumerate(queue):
        if kind == "run_code_object":
            (codeobj,) = arguments
            used = _arrays(codeobj)
            if codeobj.template_name.startswith("synapses_create"):  # all get their new size
                used |= set(codeobj.owner._registered_variables)
            last |= {name: number for name, variable in names.items() if variable in used}
        else:
            words = set(_WORD.findall(str(arguments)))
            last |= {name: number for name in names.keys() & words}
    return last


def _harmless(entry: tuple[str, Any]) -> bool:
    kind, arguments = entry
    return kind == "insert_code" and str(arguments).startswith("engine::after_run(")


def object_lines(device: Any, pathways: Pathways) -> list[str]:
    """C++ that lists the arrays that can wait on disk, and the effects that can be divided."""
    names = {v: device.dynamic_arrays[v] for v in pathways.parkable()}
    lines = [
        f'engine::parkable("{device.get_array_filename(v)}", {name});'
        for v, name in sorted(names.items(), key=lambda item: item[1])
    ]
    divided = set()
    for name in pathways.columns:
        codeobj = device.code_objects[name]
        about = _effect(codeobj)
        if about.targets:
            divided.add(f"{_pathway(codeobj).name}.divide({about.targets}, {about.cells});")
    return lines + sorted(divided)


# ---------------------------------------------------------------------- order in a time step


def _effect(codeobj: Any) -> Effect:
    found = _MARK.search(codeobj.code.cpp_file)
    assert found is not None
    return Effect(**json.loads(found[1]))


def arranged(
    device: Any, pathways: Pathways, lines: list[str], prefix: str
) -> tuple[list[str], list[list[str]]]:
    """Lines that add objects to a network, those of pathways that follow each other arranged anew.

    First all take up the spikes of the step, so that memory has time to bring what the effects
    will read; then come the effects. Those that can be divided are joined: the code objects of
    group number k are run by the function ``_run_{prefix}{k}``.
    """
    result: list[str] = []
    joined: list[list[str]] = []
    effects: list[str] = []

    def end() -> None:
        result.extend(_joined(device, pathways, effects, joined, prefix))
        effects.clear()

    for line in lines:
        found = _ADD.search(line)
        codeobj = device.code_objects.get(found[3]) if found else None
        kind = codeobj.template_name if codeobj is not None else ""
        if kind == "synapses" and (not effects or _ADD.search(effects[0])[2] == found[2]):  # type: ignore[index]
            effects.append(line)
            continue
        if kind != "synapses_push_spikes" or _changed_by(device, codeobj, effects):
            end()
        (effects if kind == "synapses" else result).append(line)
    end()
    return result, joined


def _changed_by(device: Any, codeobj: Any, effects: list[str]) -> bool:
    """Whether one of the effects writes, or may write, what the code object touches."""
    touched = {device.get_array_name(v, access_data=False) for v in _arrays(codeobj)}
    objects = _objects(device, effects)
    return any(
        touched & _writes(device, one) or does_more_than_told(one.variables.values())
        for one in objects
    )


def _joined(
    device: Any, pathways: Pathways, effects: list[str], joined: list[list[str]], prefix: str
) -> list[str]:
    """Lines of effects; groups that can be divided among threads are added to `joined`."""
    result: list[str] = []
    group: list[str] | None = None
    for line in effects:
        found = _ADD.search(line)
        assert found is not None
        network, clock, name = found.groups()
        about = _effect(device.code_objects[name])
        if name not in pathways.columns or not about.targets:
            result.append(line)
            group = None
            continue
        if group is None or not all(
            about.independent(_effect(device.code_objects[other])) for other in group
        ):
            group = []
            joined.append(group)
            result.append(f"{network}.add(&{clock}, _run_{prefix}{len(joined) - 1});")
        group.append(name)
    return result


def effects_source(device: Any, joined: dict[str, list[list[str]]]) -> str:
    """The C++ source of all joined effects, by the prefix of their names."""
    names = sorted({name for groups in joined.values() for group in groups for name in group})
    lines = ['#include "objects.h"', '#include "brianlib/engine_effects.h"', ""]
    lines += [f"void _run_{name}();" for name in names]
    for prefix, groups in joined.items():
        for number, group in enumerate(groups):
            members = [
                f"        {{&{_pathway(device.code_objects[name]).name}, _run_{name}}},"
                for name in group
            ]
            lines += [
                "", f"void _run_{prefix}{number}()", "{", "    using namespace brian;",
                "    static engine::Effects effects(std::vector<engine::Effects::Member>{",
                *members, "    });", "    effects.run();", "}",
            ]  # fmt: skip
    return "\n".join(lines) + "\n"
