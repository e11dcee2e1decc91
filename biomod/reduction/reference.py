"""How a detailed cell responds to the protocol: the truth that a surrogate is held against.

All sweeps are one simulation of a population of copies, and what was simulated once is kept by the
hash of cell, neuromodulators and protocol.
"""

from __future__ import annotations

import hashlib
import json
import time
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from biomod.errors import ModelError
from biomod.model import Cell, Circuit, CurrentWaveform, Modulator, Population, Recording
from biomod.programs import cache_directory
from biomod.reduction.protocol import BEFORE, STEP, Protocol
from biomod.reduction.recordings import Behaviour, Sweep, sweep
from biomod.results._atomic import replacing
from biomod.units import ms

if TYPE_CHECKING:
    from biomod.progress import Progress

Array = npt.NDArray[np.float64]
# Currents in pA and their dt in ms; for each the voltage in mV at the beginning of every sample
# and the spike times in ms.
Respond = Callable[[list[Array], float], Sequence[tuple[Any, Any]]]
LOWEST, HIGHEST = 1.0, 5000.0  # pA between which the rheobase is sought
_FORMAT = 1  # of what is kept; to be raised when a response to the same protocol would differ


def observe(
    respond: Respond, protocol: Protocol, name: str = "cell", rheobase: float | None = None
) -> Behaviour:
    """Drive a cell with a protocol.

    Parameters
    ----------
    respond : callable
        ``respond(currents, dt)`` gives, for every current (pA, samples of dt ms), the voltage (mV)
        at the beginning of each sample and the spike times (ms).
    rheobase : float, optional
        Unit of the currents in pA; sought if not given.

    Raises
    ------
    ModelError
        The cell fires without a current, or not at all.
    """
    began = time.perf_counter()
    rheobase = _rheobase(respond, protocol, name) if rheobase is None else rheobase
    planned = protocol.currents(rheobase)
    responses = respond([p.current for p in planned], protocol.dt)
    if len(responses) != len(planned):
        raise ModelError(
            f"{name}: {len(planned)} currents were injected, {len(responses)} responses returned"
        )
    train: list[Sweep] = []
    test: list[Sweep] = []
    for plan, (voltage, spikes) in zip(planned, responses, strict=True):
        made = sweep((plan.current, "pA"), (voltage, "mV"), f"{protocol.dt} ms",
                     spikes=(spikes, "ms"), kind=plan.kind)  # fmt: skip
        (test if plan.test else train).append(made)
    seconds = time.perf_counter() - began
    return Behaviour(tuple(train), tuple(test), name, rheobase, seconds)


def _rheobase(respond: Respond, protocol: Protocol, name: str) -> float:
    """Smallest 1-s step (pA) that evokes a spike, to about 2 %."""
    # As many steps as the protocol has sweeps, and as long: then all runs are of one program.
    sweeps = [len(p.current) for p in protocol.currents(1.0)]
    tried, samples = max(len(sweeps), 12), max(sweeps)
    lower, upper = 0.0, HIGHEST
    amplitudes = np.array([0.0, *np.geomspace(LOWEST, HIGHEST, tried - 1)])
    for _ in range(2):
        responses = respond(_steps(amplitudes, protocol.dt, samples), protocol.dt)
        fires = np.array([len(s) > 0 for _, s in responses])
        if fires[0] and lower == 0.0:
            raise ModelError(
                f"{name} fires without a current. A protocol in multiples of the rheobase is not "
                "defined for it; give currents and responses as recordings"
            )
        if not fires.any():
            raise ModelError(f"{name} is silent at steps of up to {upper:g} pA: nothing to fit")
        first = int(np.argmax(fires))
        lower, upper = amplitudes[max(first - 1, 0)], amplitudes[first]
        amplitudes = np.linspace(lower, upper, tried)
    return float(upper)


def _steps(amplitudes: Array, dt: float, samples: int) -> list[Array]:
    before, on = round(BEFORE / dt), round(STEP / dt)
    silence = np.zeros(max(0, samples - before - on))
    return [np.concatenate([np.zeros(before), np.full(on, a), silence]) for a in amplitudes]


def of_cell(
    cell: Cell,
    protocol: Protocol,
    modulators: Sequence[Modulator] = (),
    *,
    rheobase: float | None = None,
    backend: str | None = None,
    progress: Progress | None = None,
) -> Behaviour:
    """Response of a cell to a protocol, simulated or from the cache.

    With a `rheobase` (pA), that of other conditions, say, the currents are multiples of it.
    """
    kept = _kept(cell, protocol, modulators, backend, rheobase)
    found = _read(kept)
    if found is None:
        respond = simulated(cell, modulators, backend=backend, progress=progress)
        found = observe(respond, protocol, cell.name, rheobase)
        _write(kept, found)
    return found


def simulated(
    cell: Cell,
    modulators: Sequence[Modulator] = (),
    *,
    backend: str | None = None,
    progress: Progress | None = None,
) -> Respond:
    """The function that simulates copies of a cell, one for every current."""
    from biomod.simulation import simulate

    def respond(currents: list[Array], dt: float) -> list[tuple[Array, Array]]:
        soma, n = cell.soma.name, len(currents)
        duration = max(len(c) for c in currents) * dt
        circuit = Circuit("reduction", (Population("cell", cell, n, heterogeneous=False),))
        stimulus = [
            CurrentWaveform("cell", soma, (k,), samples=tuple(c.tolist()), interval=dt * ms)
            for k, c in enumerate(currents)
        ]
        result = simulate(
            circuit, f"{duration} ms", stimulus=stimulus, modulators=modulators, backend=backend,
            record=[Recording(soma, "v", "cell", tuple(range(n)), dt * ms)], progress=progress,
        )  # fmt: skip
        (trace,) = result.traces.values()
        voltages = trace.to_numpy()
        step = float(result.provenance["dt_ms"])
        found = []
        for k, current in enumerate(currents):
            # A spike bears the time at which its step begins, and is seen at the end of it.
            times = result.spikes.time_ms[result.spikes.cell == k].to_numpy() + step
            found.append((voltages[: len(current), k], times[times <= len(current) * dt]))
        return found

    return respond


def _kept(
    cell: Cell, protocol: Protocol, modulators: Sequence[Modulator], backend: str | None,
    rheobase: float | None,
) -> Path:  # fmt: skip
    content = {
        "format": _FORMAT,
        "cell": cell.content_hash(),
        "modulators": sorted(m.content_hash() for m in modulators),
        "protocol": asdict(protocol),
        "backend": backend or "",
    } | ({} if rheobase is None else {"rheobase": rheobase})
    key = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:32]
    return cache_directory() / "responses" / f"{key}.npz"


def _write(path: Path, behaviour: Behaviour) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays: dict[str, Any] = {}
    kinds: list[list[str]] = []
    for use, sweeps in (("train", behaviour.train), ("test", behaviour.test)):
        for s in sweeps:
            k = len(kinds)
            kinds.append([use, s.kind])
            arrays |= {f"current{k}": s.current, f"voltage{k}": s.voltage, f"spikes{k}": s.spikes}
    notes = {"name": behaviour.name, "rheobase": behaviour.rheobase, "seconds": behaviour.seconds,
             "dt": behaviour.train[0].dt, "kinds": kinds}  # fmt: skip
    with replacing(path) as partial, partial.open("wb") as file:
        np.savez(file, notes=np.array(json.dumps(notes)), **arrays)


def _read(path: Path) -> Behaviour | None:
    if not path.exists():
        return None
    try:
        with np.load(path) as file:
            notes = json.loads(str(file["notes"]))
            sweeps: dict[str, list[Sweep]] = {"train": [], "test": []}
            for k, (use, kind) in enumerate(notes["kinds"]):
                sweeps[use].append(
                    Sweep(file[f"current{k}"], notes["dt"], file[f"voltage{k}"],
                          file[f"spikes{k}"], kind)
                )  # fmt: skip
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        return None  # damaged; it is made again
    return Behaviour(tuple(sweeps["train"]), tuple(sweeps["test"]), notes["name"],
                     notes["rheobase"], notes["seconds"])  # fmt: skip
