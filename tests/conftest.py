"""What every test can rely on: no window, no network, a build cache of our own."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

ROOT = Path(__file__).resolve().parent.parent

# Before any import of what reads them: matplotlib, NEURON, a BLAS, our build cache.
# The cache outlives the session: programs are found again by their content.
os.environ["MPLBACKEND"] = "Agg"
os.environ["BIOMOD_CACHE_DIR"] = str(ROOT / "build" / "test-cache")
os.environ.setdefault("NEURON_MODULE_OPTIONS", "-nogui")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

hypothesis.settings.register_profile(
    "biomod",
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("biomod")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Under ``--dist loadgroup`` a process takes a module, which shares fixtures, or an example."""
    for item in items:
        if item.path.name != "test_examples.py":
            item.add_marker(pytest.mark.xdist_group(item.nodeid.rsplit("::", 1)[0]))


@pytest.fixture(autouse=True, scope="session")
def no_network() -> Iterator[None]:
    """Connections leave this machine for no test; Unix sockets and loopback stay."""
    patch = pytest.MonkeyPatch()
    for name in ("connect", "connect_ex"):
        connect = getattr(socket.socket, name)

        def local_only(self: socket.socket, address: Any, connect: Any = connect) -> Any:
            if self.family in (socket.AF_INET, socket.AF_INET6):
                host = str(address[0])
                if not (host.startswith("127.") or host in ("localhost", "::1")):
                    pytest.fail(f"a test wanted to connect to {host}")
            return connect(self, address)

        patch.setattr(socket.socket, name, local_only)
    yield
    patch.undo()
