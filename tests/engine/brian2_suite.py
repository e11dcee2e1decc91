"""Brian2's own standalone tests, run on the device ``biomod_cpp``.

    python -m tests.engine.brian2_suite [--shard K/N] [--optimise -O1] [--json FILE] [-k NAME]

As Brian2's `brian2.test(test_standalone=...)` does it: the tests that are marked as compatible with
standalone, with one call of `run` and with several, and then those written for C++ standalone, in
which the engine takes the place of `cpp_standalone`. Exit status 0 if nothing failed that is not
listed in `EXCLUDED`.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import brian2
import pytest
from brian2.core.preferences import prefs
from brian2.devices.device import all_devices, reset_device
from brian2.tests import PreferencePlugin, clear_caches, make_argv

import biomod.engine

# Test: why it says nothing about the engine, or what the engine refuses.
EXCLUDED: dict[str, str] = {}

# Name, marker of pytest, whether `run` builds.
PARTS = [
    ("several runs", "standalone_compatible and multiple_runs", False),
    ("standalone only", "cpp_standalone and not openmp", True),
    ("one run", "standalone_compatible and not multiple_runs", True),
]


class Outcomes:
    """Plugin of pytest: takes a shard of the tests, and keeps what came out."""

    def __init__(self, part: int, parts: int) -> None:
        self.part, self.parts = part, parts
        self.outcome: dict[str, str] = {}
        self.text: dict[str, str] = {}
        self.seconds: dict[str, float] = {}

    def pytest_collection_modifyitems(self, config: Any, items: list[Any]) -> None:
        """Leave out what is excluded, and the other shards."""
        kept = []
        for number, item in enumerate(items):
            if number % self.parts == self.part:
                if _name(item.nodeid) in EXCLUDED:
                    self.outcome[_name(item.nodeid)] = "excluded"
                else:
                    kept.append(item)
        items[:] = kept

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Remember the worst of set-up, call and tear-down."""
        name = _name(report.nodeid)
        if report.when == "call" or report.outcome != "passed":
            self.outcome[name] = report.outcome
            self.seconds[name] = round(report.duration, 2)
            if report.outcome != "passed":
                self.text[name] = str(report.longrepr)
            print(f"{report.outcome:8} {report.duration:6.1f} s  {name}", flush=True)


def _name(nodeid: str) -> str:
    return nodeid.rsplit("/", 1)[-1].removesuffix(".py")


def run(part: int, parts: int, optimise: str, only: str) -> Outcomes:
    """Run a shard of the tests; returns what came out."""
    prefs.reset_to_defaults()
    prefs["codegen.cpp.extra_compile_args_gcc"].extend(["-w", optimise])
    all_devices["cpp_standalone"] = biomod.engine.engine_device
    outcomes = Outcomes(part, parts)
    directory = str(Path(brian2.__file__).parent)
    for title, marker, build in PARTS:
        print(f"--- {title}", flush=True)
        plugin = PreferencePlugin(prefs, fail_for_not_implemented=True)
        plugin.device = "biomod_cpp"
        plugin.device_options = {"directory": None, "with_output": False}
        if not build:
            plugin.device_options["build_on_run"] = False
        arguments = [*make_argv([directory], marker), "-p", "no:cacheprovider", "--tb=no"]
        pytest.main([*arguments, *(["-k", only] if only else [])], plugins=[plugin, outcomes])
        clear_caches()
        reset_device()
    return outcomes


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shard", default="1/1", help="which part of the tests: 1/2, 2/2")
    parser.add_argument("--optimise", default="-O0", help="for the compiler; -O0 as Brian2 tests")
    parser.add_argument("--json", type=Path, help="write outcomes and messages to this file")
    parser.add_argument("-k", default="", help="only tests whose names match, as in pytest")
    options = parser.parse_args()
    part, parts = map(int, options.shard.split("/"))
    outcomes = run(part - 1, parts, options.optimise, options.k)
    if options.json:
        options.json.write_text(json.dumps(vars(outcomes), indent=1))
    failed = [name for name, what in outcomes.outcome.items() if what == "failed"]
    print(dict(Counter(outcomes.outcome.values())))
    for name in failed:
        print(f"FAILED {name}: {outcomes.text[name].splitlines()[-1]}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
