"""What a person asked ``biomod run`` to do: kept as given, checked into what simulate takes."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from biomod.cli._models import is_file, resolve
from biomod.errors import BackendError, ModelError, unknown_name
from biomod.units import Quantity, as_quantity, parse_quantity

if TYPE_CHECKING:
    from biomod.model import Cell, Circuit, Modulator

DEFAULT_DURATION, DEFAULT_SEED = "1 s", 1


@dataclass(frozen=True)
class Request:
    """The options of ``biomod run`` as given; None or empty where not given."""

    name: str
    cells: int | None = None
    duration: str | None = None
    seed: int | None = None
    dt: str | None = None
    backend: str | None = None
    modulators: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    record: tuple[str, ...] = ()
    current: str | None = None
    threads: int = 1
    checkpoint_every: str | None = None
    fidelity: str | None = None

    def completed(self, earlier: Mapping[str, Any]) -> Request:
        """The request with what it leaves open taken from an unfinished run.

        Raises
        ------
        ModelError
            It contradicts the unfinished run, which then would not be the same run any more.
        """
        changes: dict[str, Any] = {}
        for field in dataclasses.fields(self):
            given, before = getattr(self, field.name), earlier.get(field.name)
            before = tuple(before) if isinstance(before, list) else before
            if field.name == "threads" or not before or given == before:
                continue
            if given is not None and field.name == "checkpoint_every":
                continue
            if given not in (None, ()):
                raise ModelError(
                    f"the unfinished run has {field.name} {_shown(before)}, not {_shown(given)}; "
                    "leave that out to resume it, or leave --resume out to start another run"
                )
            changes[field.name] = before
        return dataclasses.replace(self, **changes)


@dataclass(frozen=True)
class Job:
    """A checked request: the model, the keyword arguments of ``simulate``, and what to tell."""

    model: Cell | Circuit
    duration: Quantity
    options: dict[str, Any]
    note: str


def checked(request: Request) -> Job:
    """Build the model and check everything that can be checked before the simulation.

    Raises
    ------
    BiomodError
        Something in the request cannot be right.
    """
    from biomod.model import Circuit

    duration = _quantity("--duration", request.duration or DEFAULT_DURATION, "s", positive=True)
    dt = None if request.dt is None else _quantity("--dt", request.dt, "ms", positive=True)
    if dt is not None and dt >= duration:
        raise ModelError(f"--dt must be shorter than the duration ({duration!r}), not {dt!r}")
    backend, note = _backend(request.backend)
    chosen = modulators(request.modulators)

    # A description in a file has a seed of its own.
    seed = request.seed
    if seed is None and not is_file(request.name):
        seed = DEFAULT_SEED
    fidelity = request.fidelity or ("hh" if backend in ("neuron", "coreneuron") else None)
    must = request.fidelity is not None
    model = resolve(request.name, cells=request.cells, seed=seed, fidelity=fidelity, must=must)
    model = _with_settings(model, request.settings)
    circuit = model if isinstance(model, Circuit) else Circuit.of(model)
    _check_step(circuit, dt)
    options = {
        "stimulus": _stimulus(model, request.current),
        "record": [_recording(circuit, label) for label in request.record],
        "modulators": chosen,
        "dt": dt,
        "backend": backend,
        "seed": seed,
        "threads": request.threads,
        "checkpoint_every": _checkpoint_every(request.checkpoint_every, backend),
    }
    return Job(model, duration, options, note)


def whole(option: str, text: str, least: int) -> int:
    """The whole number that an option was given."""
    try:
        number = int(text)
    except ValueError:
        number = least - 1
    if number < least:
        raise ModelError(f"{option} must be a whole number of at least {least}, not {text}")
    return number


def _quantity(option: str, text: str, unit: str, *, positive: bool = False) -> Quantity:
    """A number in `unit`, or one with its own unit."""
    try:
        value = parse_quantity(text)
    except ModelError:
        raise
    except ValueError as error:
        raise ModelError(f"{option}: {error}") from None
    if value.dim == (0,) * 7:
        value = parse_quantity(f"{text} {unit}")
    value = as_quantity(value, unit, option)
    if not math.isfinite(value.si) or (positive and value.si <= 0):
        allowed = "positive and finite" if positive else "finite"
        raise ModelError(f"{option} must be {allowed}, not {value!r}")
    return value


def _backend(name: str | None) -> tuple[str, str]:
    """The backend to use, and one line about that choice."""
    from biomod.backends import available, choose, mpi

    try:
        chosen, note = choose(name)
    except BackendError as error:
        usable = ", ".join(n for n, info in available().items() if info.available)
        raise ModelError(f"{error}; usable here are {usable}") from None
    processes = mpi.world().size
    if processes > 1 and chosen != "neuron":
        raise ModelError(
            f"mpiexec started {processes} processes, which only --backend neuron can use; "
            f"{chosen} was {'given' if name else 'chosen'}"
        )
    best = "" if name else ", the best one found here"
    return chosen, note or f"backend {chosen}{best}"


def _checkpoint_every(text: str | None, backend: str) -> Quantity | None:
    from biomod.backends import check_checkpoints

    if text is None:
        return None
    interval = _quantity("--checkpoint-every", text, "s", positive=True)
    check_checkpoints(backend)
    return interval


def _check_step(circuit: Circuit, dt: Quantity | None) -> None:
    """Refuse now the time step that ``simulate`` would refuse after some messages."""
    from biomod.simulation import defaults, fastest_population

    method, usual = defaults(circuit)
    if method == "crank_nicolson":  # stable whatever the step
        return
    step = parse_quantity(usual) if dt is None else dt
    name, fastest = fastest_population(circuit)
    if step.si > fastest:
        raise ModelError(
            f"--dt {step!r} is longer than the fastest time constant of {name}, "
            f"{fastest * 1e3:.3g} ms; choose a shorter one"
        )


def modulators(specifications: tuple[str, ...]) -> tuple[Modulator, ...]:
    """The tonic concentrations that options like ``--modulator ACh=0.5uM`` give."""
    from biomod.model import parse_modulator

    found: dict[str, Modulator] = {}
    for specification in specifications:
        modulator = parse_modulator(specification)
        if modulator.name in found:
            raise ModelError(f"--modulator: {modulator.name} is given twice")
        found[modulator.name] = modulator
    return tuple(found.values())


def _with_settings(model: Any, settings: tuple[str, ...]) -> Any:
    for setting in settings:
        path, equals, text = (part.strip() for part in setting.partition("="))
        if not equals or not path or not text:
            raise ModelError(f"--set {setting!r}: write PATH=VALUE, e.g. PV.size=40")
        value: Any = text
        current = model.get(path)
        if isinstance(current, bool):
            if text.lower() not in ("true", "false"):
                raise ModelError(f"--set {path}: {text!r} was given; true or false is needed")
            value = text.lower() == "true"
        elif isinstance(current, tuple) or hasattr(current, "parameters"):
            raise ModelError(
                f"--set {path}: this is not a parameter but a part of the model with several; "
                "`biomod show` lists them"
            )
        model = model.with_({path: value})
    return model


def _stimulus(model: Cell | Circuit, current: str | None) -> tuple[Any, ...]:
    from biomod.model import Cell, CurrentClamp

    if current is None:
        return ()
    amplitude = _quantity("--current", current, "pA")
    if isinstance(model, Cell):
        return (CurrentClamp(compartment=model.soma.name, amplitude=amplitude),)
    if len(model.populations) == 1:
        population = model.populations[0]
        soma = population.cell.soma.name
        return (CurrentClamp(population.name, soma, amplitude=amplitude),)
    raise ModelError("--current is for a single cell type; a circuit is driven by its backgrounds")


def _recording(circuit: Circuit, label: str) -> Any:
    """The recording, if the population, the cells and the compartment exist."""
    from biomod.model import record

    recording = record(label)
    if not recording.population and len(circuit.populations) > 1:
        names = ", ".join(circuit.cells)
        raise ModelError(
            f"--record {label}: say which population, one of {names}, and a dot before"
        )
    population = (
        circuit.population(recording.population) if recording.population else circuit.populations[0]
    )
    compartment = population.cell.compartment(recording.compartment)
    variables = ["v", *(f"{r.name}.g" for r in compartment.receptors)]
    variables += [f"{c.name}.{g.name}" for c in compartment.channels for g in c.gates if g.tau]
    variables += ["calcium.cai"] if compartment.calcium is not None else []
    if recording.variable not in variables:
        where = f"variable of {compartment.name} to record"
        raise unknown_name(where, recording.variable, variables)
    if recording.cells is not None and max(recording.cells) >= population.size:
        raise ModelError(
            f"--record {label}: {population.name} has the cells 0 to {population.size - 1}"
        )
    return recording


def _shown(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, tuple) else str(value)
