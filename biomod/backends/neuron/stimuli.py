"""Injected currents and synaptic events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from biomod.backends.parameters import NANOSIEMENS
from biomod.backends.targets import Current, stimulated
from biomod.errors import ModelError
from biomod.model import CurrentClamp, CurrentWaveform, SynapticEvents

if TYPE_CHECKING:
    from biomod.backends.neuron.network import Network


def add(network: Network) -> None:
    """Injected currents and synaptic events of the cells of this process."""
    plan = network.plan
    for stimulus in plan.job.stimuli:
        for population, cells in stimulated(plan.job.circuit, stimulus):
            start = plan.member(population).start
            mine = [start + c for c in cells if start + c in network.cells]
            if isinstance(stimulus, SynapticEvents):
                _events(network, stimulus, mine)
            elif isinstance(stimulus, CurrentClamp | CurrentWaveform):
                for gid in mine:
                    _current(network, stimulus, network.cells[gid].sections[stimulus.compartment])
            else:
                raise ModelError(f"the neuron backend has no {type(stimulus).__name__}")


def _events(network: Network, stimulus: SynapticEvents, gids: list[int]) -> None:
    """Spikes at given times; with a fixed step they count from the end of the step they are in."""
    h, dt = network.h, network.plan.job.dt
    times = np.sort([t.si for t in stimulus.times])
    if not network.variable_step:
        times = (np.floor(times / dt + 1e-3) + 1) * dt
    for gid in gids:
        process = network.cells[gid].parts[stimulus.compartment, stimulus.receptor]
        connection = h.NetCon(None, process)
        # Not waited for, as the event is put into the queue for its arrival; CoreNEURON refuses
        # to start below two time steps.
        connection.delay = 10.0
        network.events += [(connection, float(t) * 1e3) for t in times]
        connection.weight[0] = stimulus.weight.si / NANOSIEMENS * stimulus.number
        network.kept.append(connection)


def _current(network: Network, stimulus: Current, section: Any) -> None:
    """An injected current, as a course of its amplitude."""
    h, job = network.h, network.plan.job
    clamp = h.IClamp(section(0.5))
    clamp.delay, clamp.dur = 0, 1e12
    network.kept.append(clamp)
    if network.variable_step:
        times, current, continuous = _knots(stimulus, job.duration)
    else:
        times, current, continuous = *_midpoints(stimulus, job.duration, job.dt), True
    if len(times) == 1:
        clamp.amp = current[0] * 1e9
        return
    values, at = h.Vector(current * 1e9), h.Vector(times * 1e3)
    values.play(clamp._ref_amp, at, continuous)
    network.kept += [values, at]


def _midpoints(stimulus: Current, duration: float, dt: float) -> tuple[np.ndarray, np.ndarray]:
    """Middles of time steps, where a played current is read, and the values of their beginnings.

    Between them it is interpolated, so of steps of one value the first and the last suffice. Beyond
    the last time NEURON would extrapolate: the last value is held there.
    """
    steps = np.arange(round(duration / dt) + 1)
    current = stimulus.current(steps * dt)
    changes = np.diff(current) != 0
    kept = np.append(True, changes) | np.append(changes, False)
    times, values = (steps[kept] + 0.5) * dt, current[kept]
    if len(times) == 1:
        return times, values
    return np.append(times, 1e6), np.append(values, values[-1])


def _knots(stimulus: Current, duration: float) -> tuple[np.ndarray, np.ndarray, bool]:
    """Times and values between which an injected current is held, or is linear."""
    if isinstance(stimulus, CurrentWaveform):
        number = min(len(stimulus.samples), int(np.ceil(duration / stimulus.interval.si)))
        times = np.arange(number + 1) * stimulus.interval.si
        return times, stimulus.current(times), False
    first, last = stimulus.start.si, min(stimulus.stop.si, duration + 1.0)
    begin = stimulus.amplitude.si
    end = begin + stimulus.slope.si * (last - first)
    if stimulus.slope.si == 0:
        knots = {0.0: 0.0, first: begin, last: 0.0}  # a start at 0 replaces the first
        return np.array(list(knots)), np.array(list(knots.values())), False
    times = np.array([0.0, first, first, last, last, last + 1.0])
    return times, np.array([0.0, 0.0, begin, end, 0.0, 0.0]), True
