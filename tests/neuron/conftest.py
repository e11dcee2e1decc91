"""Without NEURON, or what compiles its mechanisms, these tests are skipped."""

from __future__ import annotations

import logging

import brian2  # noqa: F401 - sets its log level when it is imported
import pytest

from biomod.backends import available

logging.getLogger("brian2").setLevel(logging.WARNING)


@pytest.fixture(autouse=True)
def needs_neuron() -> None:
    state = available()["neuron"]
    if not state.available:
        pytest.skip(f"the neuron backend {state.reason}")
