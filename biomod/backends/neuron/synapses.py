"""Connections between cells, and Poisson input from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from biomod.backends.parameters import NANOSIEMENS
from biomod.errors import BackendError, ModelError
from biomod.mechanisms import neuromodulation as nm
from biomod.mechanisms.randomness import integer_seed
from biomod.model import Background, Projection

if TYPE_CHECKING:
    from biomod.backends.neuron.network import Network

# Places in the weight vector of a connection, see nmodl.receptor_mechanism.
WEIGHT, U, U_REST, TAU_REC, TAU_FACIL = range(5)


def connect(network: Network, modulation: nm.Modulation) -> None:
    """Every connection onto a cell of this process.

    The gain of a modulator acts on the release probability where there is short-term plasticity,
    and on the weight where there is none.
    """
    from biomod.backends.neuron.network import MovingParameters

    for projection in network.plan.job.circuit.projections:
        gain = modulation.projections.get(projection.key, np.ones(1)) * projection.release_gain
        _check_release(projection, gain)
        moving = MovingParameters(gain, np.zeros(len(gain)))
        keep = moving if len(gain) > 1 and np.ptp(gain) > 0 else None
        _connect(network, projection, float(gain[0]), keep)
        if moving.pointers:
            network.moving.append(moving)


def _check_release(projection: Projection, gain: np.ndarray) -> None:
    largest = 0.0 if projection.stp is None else float((projection.stp.U * gain).max())
    if largest > 1:
        raise ModelError(
            f"projection {projection.key}: modulation raises the release probability above 1 "
            f"({largest:.3g})"
        )


def _connect(network: Network, projection: Projection, gain: float, moving: Any) -> None:
    plan = network.plan
    drawn, stp = plan.connections[projection.key], projection.stp
    sources = plan.member(projection.pre).start + drawn.pre
    targets = plan.member(projection.post).start + drawn.post
    delays = _delays(network, drawn.delay)
    constants = (0.0, 0.0) if stp is None else (stp.tau_rec.to("ms"), stp.tau_facil.to("ms"))
    for k in np.flatnonzero(np.isin(targets, list(network.cells))):
        source, delay = int(sources[k]), float(delays[k])
        if delay <= 0 and not network.is_mine(source):
            raise BackendError(
                f"projection {projection.key}: with several processes every delay must be at "
                f"least one time step ({plan.job.dt * 1e3:g} ms); run it on one process"
            )
        compartment = projection.compartments[int(drawn.compartment[k])][0]
        for receptor, share in projection.receptors:
            process = network.cells[int(targets[k])].parts[compartment, receptor]
            connection = network.pc.gid_connect(source, process)
            connection.delay = delay * 1e3
            weight = share * float(drawn.weight[k]) / NANOSIEMENS
            place, base = WEIGHT, weight
            if stp is not None:
                place, base = U, stp.U
                connection.weight[WEIGHT], connection.weight[U_REST] = weight, stp.U
                connection.weight[TAU_REC], connection.weight[TAU_FACIL] = constants
            connection.weight[place] = base * gain
            if moving is not None:
                moving.pointers.append(connection._ref_weight[place])
                moving.base.append(base)
            network.kept.append(connection)


def _delays(network: Network, delays: np.ndarray) -> np.ndarray:
    """In s; whole time steps where there are steps."""
    dt = network.plan.job.dt
    return delays if network.variable_step else np.round(delays / dt) * dt


def add_backgrounds(network: Network) -> None:
    """Poisson input: a source per cell and background, each with a stream of its own."""
    plan = network.plan
    circuit = plan.job.circuit
    for population in circuit.populations:
        member = plan.member(population.name)
        for background in population.backgrounds:
            if background.rate.si == 0:
                continue
            # Random123 is counted by three integers: cell, kind of background, and seed.
            name = f"background/{population.name}/{background.name}"
            kind = integer_seed(circuit.seed, name)
            for gid in range(member.start, member.stop):
                if gid in network.cells:
                    _background(network, gid, background, kind)


def _background(network: Network, gid: int, background: Background, kind: int) -> None:
    h = network.h
    source = h.NetStim()
    source.start, source.number = 0, 1e12
    source.noise, source.interval = 1, 1e3 / background.rate.si
    source.noiseFromRandom123(gid, kind % 2**31, 1)
    network.kept.append(source)
    for receptor, share in background.receptors:
        process = network.cells[gid].parts[background.compartment, receptor]
        connection = h.NetCon(source, process)
        connection.delay = 0
        connection.weight[0] = share * background.weight.si / NANOSIEMENS
        network.kept.append(connection)
