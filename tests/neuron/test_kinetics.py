"""The kinetics that NEURON computes against those that Brian2 computes, from one description."""

from __future__ import annotations

import brian2 as b2
import numpy as np
import pytest

from biomod.backends.brian.equations import gate_expressions
from biomod.backends.neuron import nmodl, session
from biomod.mechanisms.channels import channels
from biomod.model import Channel
from biomod.units import parse_unit

b2.BrianLogger.suppress_name("unused_brian_object")
TEMPERATURE = 34.0
VOLTAGES = np.concatenate(
    # Some where a formula is 0/0, or nearly.
    [np.linspace(-150, 100, 150), [-38, -38 + 1e-6, 25, -66, -27], np.linspace(-38.01, -37.99, 45)]
)
CALCIUM = (5e-5, 4.3e-4, 1e-2)
UNITS = {"mV": "volt", "ms": "second", "mM": "mole/meter**3", "uS/cm2": "siemens/meter**2"}
QUICK = ("NaTa", "Kv3", "M", "SK", "CaHVA")


def brian2_kinetics(channel: Channel, cai: float) -> dict[str, np.ndarray]:
    """Steady state and time constant (ms) of every gate from the equations of Brian2."""
    lines, values = ["V_c : volt", "cai_c : 1"], {}
    for k in channel.constants:
        name = f"{k.name}_{channel.name}_c"
        lines.append(f"{name} : {UNITS[k.unit]} (shared)")
        values[name] = k.value.si
    for gate in channel.gates:
        if gate.q10 != 1:
            name = f"speed_{gate.name}_{channel.name}_c"
            lines.append(f"{name} : 1 (shared)")
            values[name] = channel.speed(gate, TEMPERATURE)
        steady, tau = gate_expressions("c", channel, gate)
        lines.append(f"steady_{gate.name} = {steady} : 1")
        if tau:
            lines.append(f"tau_{gate.name} = {tau} : second")
    group = b2.NeuronGroup(len(VOLTAGES), "\n".join(lines), method="euler")
    group.V_c = VOLTAGES * b2.mV
    group.cai_c = cai
    for name, value in values.items():
        group.variables[name].set_value(value)
    found = {f"x_{g.name}_inf": np.array(getattr(group, f"steady_{g.name}")[:])
             for g in channel.gates}  # fmt: skip
    moving = [g.name for g in channel.gates if g.tau]
    return found | {f"x_{n}_tau": np.array(getattr(group, f"tau_{n}")[:] / b2.ms) for n in moving}


def neuron_kinetics(channel: Channel, cai: float) -> dict[str, np.ndarray]:
    """The same from the compiled mechanism."""
    mechanism = nmodl.channel_mechanism(channel)
    session.load([mechanism])
    with session.simulator() as h:
        section = h.Section(name="kinetics")
        section.insert(mechanism.name)
        inside = getattr(section(0.5), mechanism.name)
        for k in channel.constants:
            setattr(inside, f"k_{k.name}", k.value.si / parse_unit(k.unit)[0])
        for gate in channel.gates:
            if gate.q10 != 1:
                setattr(inside, f"speed_{gate.name}", channel.speed(gate, TEMPERATURE))
        names = [f"x_{g.name}_inf" for g in channel.gates]
        names += [f"x_{g.name}_tau" for g in channel.gates if g.tau]
        rows = []
        for v in VOLTAGES:
            inside.rates(*((v, cai) if channel.reads_calcium else (v,)))
            rows.append([getattr(inside, name) for name in names])
    return dict(zip(names, np.array(rows).T, strict=True))


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(n, marks=() if n in QUICK else pytest.mark.validate)
        for n, c in channels().items()
        if c.gates
    ],
)
def test_both_simulators_compute_the_same_kinetics(name: str) -> None:
    channel = channels()[name]
    for cai in CALCIUM if channel.reads_calcium else CALCIUM[:1]:
        here, there = neuron_kinetics(channel, cai), brian2_kinetics(channel, cai)
        assert len(VOLTAGES) == 200
        assert set(here) == set(there)
        for variable, values in here.items():
            np.testing.assert_allclose(values, there[variable], rtol=1e-9, err_msg=variable)


def test_parameters_are_not_in_the_text_of_a_mechanism() -> None:
    channel = channels()["M"]
    other = channel.with_(g_max="3 uS/cm2", E_rev="-80 mV", v_shift="5 mV")
    assert nmodl.channel_mechanism(channel) == nmodl.channel_mechanism(other)


def test_other_kinetics_are_another_mechanism() -> None:
    a, b = (nmodl.channel_mechanism(channels()[n]) for n in ("sAHP", "sAHP_dspike"))
    assert a.name != b.name
