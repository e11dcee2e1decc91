"""The Brian2 device ``biomod_cpp``: C++ standalone with the engine's templates."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Any

from brian2.codegen.targets import codegen_targets
from brian2.core.functions import DEFAULT_FUNCTIONS
from brian2.core.preferences import BrianPreference, prefs
from brian2.devices.cpp_standalone.codeobject import CPPStandaloneCodeObject
from brian2.devices.cpp_standalone.device import CPPStandaloneDevice
from brian2.devices.device import all_devices

from biomod.engine.generator import EngineGenerator
from biomod.programs import compile_program

LIBRARY = Path(__file__).parent / "lib"

prefs.register_preferences(
    "devices.biomod_cpp",
    "Preferences of biomod's engine",
    check_interval=BrianPreference(
        default=1000,
        validator=lambda value: isinstance(value, int) and value >= 0,
        docs="""
        Time steps between two checks that all states are finite; 0 for no check.
        """,
    ),
)


class EngineCodeObject(CPPStandaloneCodeObject):
    """Code written by :class:`EngineGenerator` into the engine's templates."""

    templater = CPPStandaloneCodeObject.templater.derive("biomod.engine")
    generator_class = EngineGenerator


codegen_targets.add(EngineCodeObject)

for _name in ("exp", "expm1", "exprel", "tanh", "timestep"):
    DEFAULT_FUNCTIONS[_name].implementations.add_implementation(
        EngineCodeObject, code=None, name=f"_engine_{_name}"
    )


class EngineDevice(CPPStandaloneDevice):
    """C++ standalone with vectorised state updates."""

    def code_object_class(self, codeobj_class: Any = None, fallback_pref: Any = None) -> Any:
        """The engine's code objects unless a class of its own is asked for."""
        return codeobj_class or EngineCodeObject

    def code_object(self, *args: Any, **kwargs: Any) -> Any:
        """A code object that includes the engine's header."""
        keywords = dict(kwargs.pop("compiler_kwds", None) or {})
        keywords["headers"] = ['"brianlib/engine.h"', *keywords.get("headers", [])]
        return super().code_object(*args, compiler_kwds=keywords, **kwargs)

    def build(self, *args: Any, **kwargs: Any) -> None:
        """Generate, compile and run."""
        self.insert_code("before_start", "_engine_flush_denormals();")
        self.headers.append('"brianlib/engine.h"')
        super().build(*args, **kwargs)

    def compile_source(self, directory: str, compiler: str, debug: bool, clean: bool) -> None:
        """Compile in two translation units, or take the program from the cache."""
        started = time.perf_counter()
        compile_program(Path(directory))
        self.timers["compile"]["make"] = time.perf_counter() - started

    def copy_source_files(self, writer: Any, directory: str) -> None:
        """Brian2's library and the engine's."""
        super().copy_source_files(writer, directory)
        for file in sorted(LIBRARY.iterdir()):
            header = file.suffix == ".h"
            name = f"brianlib/{file.name}" if header else file.name
            shutil.copy(file, Path(directory) / name)
            (writer.header_files if header else writer.source_files).add(name)


engine_device = EngineDevice()
all_devices["biomod_cpp"] = engine_device
