"""What neuromorphic chips can hold, and surrogates written for them.

Loihi and SpiNNaker compute in whole numbers: :func:`to_chip` gives those numbers, measured by the
integer simulator with the rounding of the chip. BrainScaleS-2 is an analogue AdEx neuron whose
parameters are set through converters of few bits: it gives the codes, measured with the rounded
parameters. How much the neurons of that chip differ from each other is not in it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from biomod.errors import ModelError, unknown_name
from biomod.reduction.export._common import Exported
from biomod.reduction.export.fixed import (
    FixedNeuron,
    Format,
    compared,
    fixed_point,
    losses_of,
)
from biomod.reduction.export.probe import agreement_of
from biomod.reduction.fit import Fit
from biomod.reduction.kernel import refractory_steps

_DECAY, _MANTISSA, _ALIGN = 12, 17, 6  # bits of Loihi's decay and threshold
LOIHI = Format(
    "loihi", 24, 12, 25, "zero",
    "Davies et al. 2018, 10.1109/MM.2018.112130359; Lava, lava/proc/lif/models.py "
    "(PyLifModelBitAcc): 24-bit states cut towards zero, 12-bit decays, 17-bit threshold times 64",
)  # fmt: skip
SPINNAKER = Format(
    "spinnaker", 32, 15, 32, "down",
    "Furber et al. 2014, 10.1109/JPROC.2014.2304638; Hopkins & Furber 2015, 10.1162/NECO_a_00772: "
    "s16.15 states, 32-bit fractions, products shifted down",
)  # fmt: skip


@dataclass(frozen=True)
class Chip:
    """A chip, which of our models it runs, and who says what it can hold."""

    name: str
    models: tuple[str, ...]
    source: str
    write: Callable[[Fit, float | None], Exported]


def to_chip(fitted: Fit, chip: str, dt: float | None = None) -> Exported:
    """The surrogate in the numbers of a chip: ``"loihi"``, ``"spinnaker"`` or ``"brainscales2"``.

    Parameters
    ----------
    dt : float, optional
        Time step of the chip in ms; that of the fit if none is given. BrainScaleS-2 has none.

    Raises
    ------
    ModelError
        The chip is unknown, does not have the model, or a parameter is outside of its range.
    """
    if chip not in CHIPS:
        raise unknown_name("chip", chip, CHIPS)
    profile = CHIPS[chip]
    if fitted.model.name not in profile.models:
        raise ModelError(
            f"{chip} does not run the model {fitted.model.name}, only {', '.join(profile.models)}"
        )
    return profile.write(fitted, dt)


def _spinnaker(fitted: Fit, dt: float | None) -> Exported:
    neuron = fixed_point(fitted, SPINNAKER, dt)
    return _exported("spinnaker", fitted, neuron, neuron.content())


def loihi_neuron(fitted: Fit, dt: float | None = None) -> FixedNeuron:
    """A compartment of Loihi: ``v <- v (4096 - dv) / 4096 + bias``, a spike above 64 vth, then 0.

    Its input is the bias, a current times what it does to the voltage in a step.

    Raises
    ------
    ModelError
        The reset is not to rest, or decay or threshold do not fit.
    """
    p, one = fitted.parameters, 2**LOIHI.fraction
    if abs(p["v_reset"] - p["E_L"]) > 0.5 / one:
        raise ModelError(
            f"loihi resets to rest; v_reset is {p['v_reset']:g} mV and E_L {p['E_L']:g} mV"
        )
    exact = fixed_point(fitted, LOIHI, dt)
    decay = round((1 - exact.step[0, 0] / 2**exact.shift) * 2**_DECAY)
    mantissa = round(exact.threshold / 2**_ALIGN)
    if not 1 <= decay < 2**_DECAY:
        raise ModelError(
            f"loihi: the membrane decays by {decay} / 4096 in a step of {exact.dt:g} ms; 1 to 4095 "
            "are possible. Choose another dt"
        )
    if not 1 <= mantissa < 2**_MANTISSA:
        raise ModelError(f"loihi: threshold {mantissa} * 64; 1 to 131071 are possible")
    gain = decay / 2**_DECAY  # of the rounded decay, so that a constant current has its effect
    step = np.array([[2**_DECAY - decay, 2**_DECAY, 0]], dtype=np.int64)
    return replace(
        exact, step=step, shift=_DECAY, threshold=(mantissa << _ALIGN) + 1,
        input_scale=exact.input_scale / gain,
    )  # fmt: skip


def _loihi(fitted: Fit, dt: float | None) -> Exported:
    neuron, one = loihi_neuron(fitted, dt), 2**LOIHI.fraction
    content = {
        "model": fitted.model.name, "dt_ms": neuron.dt,
        "dv": 2**_DECAY - int(neuron.step[0, 0]), "vth": (neuron.threshold - 1) >> _ALIGN,
        "refractory_steps": neuron.wait, "mV_per_unit": 1 / one,
        "bias_per_pA": one / neuron.input_scale,
    }  # fmt: skip
    return _exported("loihi", fitted, neuron, content)


def _exported(chip: str, fitted: Fit, neuron: FixedNeuron, content: Mapping[str, Any]) -> Exported:
    measured = compared(replace(fitted, dt=neuron.dt), neuron)
    content = {**content, "source": neuron.format.source}
    return Exported(chip, content, losses_of(neuron, measured), measured)


# BrainScaleS-2 runs 1000 times faster than biology; ranges are in biological ms.
_BSS2_TAU_M, _BSS2_T_REF = (0.5, 60.0), (0.04, 32.0)
_BSS2_CODES, _BSS2_CAPACITANCES = 1022, 63
_BSS2_VOLTAGES = ("E_L", "v_T", "v_peak", "v_reset")
# Potentials that its calibration can be asked for, in reads of an 8-bit converter (CADC).
_BSS2_READS = {"E_L": (50, 160), "v_reset": (50, 160), "v_peak": (50, 220)}


def _brainscales2(fitted: Fit, _: float | None) -> Exported:
    p, name = fitted.parameters, fitted.model.name
    tau = p["C"] / p["g"]
    _within("membrane time constant C / g", tau, _BSS2_TAU_M)
    _within("t_ref", p["t_ref"], _BSS2_T_REF)
    if p.get("a", 0.0) < 0:
        raise ModelError(f"brainscales2: a must not be negative, not {p['a']:g} nS (estimate)")
    low, high = _window([p[v] for v in _BSS2_VOLTAGES])
    codes = {v: _code((p[v] - low) / (high - low), v) for v in _BSS2_VOLTAGES}
    values = {v: low + (high - low) * code / _BSS2_CODES for v, code in codes.items()}
    strongest = p["C"] / _BSS2_TAU_M[0]  # conductance at the shortest time constant
    for conductance in ("g", *(("a",) if "a" in p else ())):
        code = _code(p[conductance] / strongest, conductance)
        codes[conductance] = code
        values[conductance] = strongest * code / _BSS2_CODES
    if not codes["g"]:
        raise ModelError("brainscales2: the leak is below one step of its converter")
    rounded = replace(fitted, parameters={**p, **values})
    losses = (
        f"voltages have {_BSS2_CODES + 1} codes from {low:.1f} to {high:.1f} mV, conductances as "
        f"many up to {strongest:.0f} nS (linear: estimate)",
        "Delta and the adaptation's tau_w and b are taken as exact: calix calibrates neither the "
        "exponential term nor adaptation, and gives no ranges for them",
    )
    content = {
        "model": name, "codes": codes, "membrane_capacitance": _BSS2_CAPACITANCES,
        "tau_mem_us": p["C"] / values["g"], "refractory_us": p["t_ref"],
        "calibrate": {n: p[n] for n in ("Delta", "tau_w", "b") if n in p},
        "calix": _calix_target(p),
        "rounded_parameters": dict(rounded.parameters), "voltage_window_mV": [low, high],
        "steps_of_t_ref": refractory_steps(fitted.model, p, fitted.dt), "source": _BSS2_SOURCE,
    }  # fmt: skip
    return Exported("brainscales2", content, losses, agreement_of(fitted, rounded))


def _calix_target(p: Mapping[str, float]) -> dict[str, float]:
    """What to ask calix for: potentials as reads, spread as far as the ranges of all three let.

    Times are those of the chip, 1000 times faster than biology. A read is (mV - mV_at_0) /
    mV_per_read.
    """
    lowest = min(p["E_L"], p["v_reset"])
    mV_per_read = max(
        (p[name] - lowest) / (high - low) for name, (low, high) in _BSS2_READS.items()
    )
    start = lowest - _BSS2_READS["E_L"][0] * mV_per_read
    reads = {name: round((p[name] - start) / mV_per_read) for name in _BSS2_READS}
    return {
        "leak": reads["E_L"], "reset": reads["v_reset"], "threshold": reads["v_peak"],
        "tau_mem_us": p["C"] / p["g"], "refractory_time_us": p["t_ref"],
        "membrane_capacitance": _BSS2_CAPACITANCES, "mV_per_read": mV_per_read, "mV_at_0": start,
    }  # fmt: skip


_BSS2_SOURCE = (
    "Pehle et al. 2022, 10.3389/fnins.2022.795876 (AdEx, 1000 times faster than biology); "
    "electronicvisions/haldls, CapMemCell::Value (10 bits, 1023 is off); electronicvisions/calix, "
    "src/py/calix/spiking/neuron.py, check_target, commit e5730819 (tau_mem 0.5 to 60 us, "
    "refractory time 0.04 to 32 us, membrane capacitance 0 to 63; reads of leak and reset 50 to "
    "160, of the threshold 50 to 220)"
)


def _window(voltages: list[float]) -> tuple[float, float]:
    """The range of voltages, with a tenth of it on either side."""
    margin = 0.1 * (max(voltages) - min(voltages))
    return min(voltages) - margin, max(voltages) + margin


def _code(share: float, name: str) -> int:
    code = round(share * _BSS2_CODES)
    if not 0 <= code <= _BSS2_CODES:
        raise ModelError(f"brainscales2: {name} needs the code {code}; 0 to 1022 are possible")
    return code


def _within(what: str, value: float, allowed: tuple[float, float]) -> None:
    if not allowed[0] <= value <= allowed[1] or not math.isfinite(value):
        raise ModelError(
            f"brainscales2: {what} is {value:.4g} ms; {allowed[0]:g} to {allowed[1]:g} ms of "
            "biological time are possible"
        )


_GLIFS = tuple(f"glif{n}{reset}" for reset in ("", "_allensdk", "_nest") for n in range(1, 6))
CHIPS: Mapping[str, Chip] = {
    c.name: c
    for c in (
        Chip("loihi", ("glif1", "lif"), LOIHI.source, _loihi),
        Chip("spinnaker", (*_GLIFS, "lif", "alif", "izhikevich", "izhikevich2003", "qif"),
             SPINNAKER.source, _spinnaker),
        Chip("brainscales2", ("adex", "eif"), _BSS2_SOURCE, _brainscales2),
    )
}  # fmt: skip
