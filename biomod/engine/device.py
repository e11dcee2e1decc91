"""The Brian2 device ``biomod_cpp``: C++ standalone with the engine's templates."""

from __future__ import annotations

import gc
import os
import re
import shlex
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from brian2.codegen.generators.cpp_generator import CPPCodeGenerator
from brian2.codegen.targets import codegen_targets
from brian2.core.preferences import BrianPreference, prefs
from brian2.devices.cpp_standalone.codeobject import CPPStandaloneCodeObject
from brian2.devices.cpp_standalone.device import CPPStandaloneDevice
from brian2.devices.device import all_devices, get_device
from brian2.units import have_same_dimensions, second

from biomod.engine import checkpoint, codecache, constants, kept, pathways, shortcuts
from biomod.engine.calls import STEP, TIME
from biomod.engine.checkpoint import CheckpointError, checkpoint_environment
from biomod.engine.functions import register
from biomod.engine.fusion import Phase, fuse, phases_source
from biomod.engine.generator import EngineGenerator
from biomod.engine.sources import Sources
from biomod.engine.templating import TemplateCache
from biomod.joining import UNITS
from biomod.programs import compile_program

LIBRARY = Path(__file__).parent / "lib"
BRIAN_HEADERS = ("brianlib/spikequeue.h", "brianlib/stdint_compat.h")
HEADER = '"brianlib/engine_random.h"'
HEADERS = [HEADER, '"brianlib/engine_phase.h"', '"brianlib/engine_universal.h"']
MAIN_HEADERS = (HEADER, '"brianlib/engine_checkpoint.h"')

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
    threads=BrianPreference(
        default=1,
        validator=lambda value: isinstance(value, int) and value >= 1,
        docs="""
        Number of threads of a run. Results do not depend on it.
        """,
    ),
    checkpoint_every=BrianPreference(
        default=None,
        validator=lambda value: (
            value is None or (have_same_dimensions(value, second) and float(value) > 0)
        ),
        docs="""
        Simulated time between two checkpoints of a run; None for no checkpoints.
        """,
    ),
    resume=BrianPreference(
        default=os.environ.get("BIOMOD_RESUME") == "1",
        validator=lambda value: isinstance(value, bool),
        docs="""
        Whether runs take up the newest checkpoint in their folder of results. True if the variable
        ``BIOMOD_RESUME`` of the environment is 1.
        """,
    ),
    keep_descriptions=codecache.PREFERENCE,
)


class StateError(RuntimeError):
    """A state is infinite or not a number."""


class EngineCodeObject(CPPStandaloneCodeObject):
    """Code written by :class:`EngineGenerator` into the engine's templates."""

    # Brian2 lists the names of all implementations where a target has none.
    class_name = "biomod_cpp"
    templater = CPPStandaloneCodeObject.templater.derive("biomod.engine")
    generator_class = EngineGenerator

    def run_block(self, block: str) -> None:
        """Run the code when the program does; what is before and after a run, by the engine."""
        queue = get_device().main_queue
        before = len(queue)
        super().run_block(block)
        queue[before:] = map(checkpoint.prepared, queue[before:])


EngineCodeObject.templater.env.bytecode_cache = TemplateCache()


shortcuts.install()
kept.install()

codegen_targets.add(EngineCodeObject)

register(EngineCodeObject)

# Turns that a thread waits awake for its next blocks (some microseconds) before it sleeps. With
# libgomp's own number, threads that outnumber the free cores keep each other waiting.
SPINS = 1000
# Memory in pages of 2 MiB where the system gives them on request (glibc 2.35 and later): with
# 50,000 cells, rows lie on more small pages than the processor can keep addresses of.
HUGE_PAGES = "glibc.malloc.hugetlb"


def run_environment(threads: int) -> dict[str, str]:
    """Variables of the environment in which a program is run on so many threads."""
    spins = os.environ.get("GOMP_SPINCOUNT", str(SPINS))
    tunables = os.environ.get("GLIBC_TUNABLES", "")
    if HUGE_PAGES not in tunables:
        tunables = ":".join(filter(None, [tunables, f"{HUGE_PAGES}=1"]))
    return {
        "BIOMOD_THREADS": str(threads),
        "GOMP_SPINCOUNT": spins,
        "GLIBC_TUNABLES": tunables,
    }


@contextmanager
def flags_of_the_user() -> Iterator[None]:
    """Have Brian2 try out flags that the user has added, and not its own, each in a process."""
    preferences, name = prefs.codegen.cpp, "extra_compile_args"
    before = preferences[name]
    usual = prefs.pref_register["codegen.cpp"][0]["extra_compile_args_gcc"].default
    given = preferences.extra_compile_args_gcc if before is None else before
    preferences[name] = [flag for flag in given if flag not in usual]
    try:
        yield
    finally:
        preferences[name] = before


class EngineDevice(CPPStandaloneDevice):
    """C++ standalone with vectorised state updates, threads and counter-based random numbers."""

    main_queue: list[Any]

    @property
    def writer(self) -> Sources | None:
        """What takes the source files of the program that is built."""
        return self._writer

    @writer.setter
    def writer(self, writer: Any) -> None:
        """Brian2 makes a writer of its own class."""
        self._writer = None if writer is None else Sources(writer.project_dir)

    def activate(self, *args: Any, **kwargs: Any) -> None:
        """Make the device that of the script.

        Objects of an earlier network that are still alive would make Brian2 number the names of the
        new ones, and the same script would be another program.
        """
        kept.brian2_statements._cache.clear()
        while gc.collect():  # some go only when others have gone
            pass
        super().activate(*args, **kwargs)

    def code_object_class(self, codeobj_class: Any = None, fallback_pref: Any = None) -> Any:
        """The engine's code objects unless a class of its own is asked for."""
        return codeobj_class or EngineCodeObject

    def code_object(self, *args: Any, **kwargs: Any) -> Any:
        """A code object that includes the engine's header."""
        keywords = dict(kwargs.pop("compiler_kwds", None) or {})
        keywords["headers"] = [*HEADERS, *keywords.get("headers", [])]
        return super().code_object(*args, compiler_kwds=keywords, **kwargs)

    def seed(self, seed: int | None = None) -> None:
        """Set the seed of all random numbers."""
        super().seed(seed)
        key = "" if seed is None else f"(uint64_t){constants.integer(seed)}"
        self.insert_code("main", f"_engine_seed({key});")

    def build(self, *args: Any, **kwargs: Any) -> None:
        """Generate, compile and run; the arguments are those of Brian2's C++ standalone."""
        if any(type(clock).__name__ == "EventClock" for clock in self.clocks):
            raise NotImplementedError(
                "biomod_cpp does not know clocks of given times (run_at of Brian2 2.10); "
                "use run_regularly, or a TimedArray in the equations"
            )
        self.insert_code("before_start", "_engine_start();\n_engine_open(argc, argv);")
        self.insert_code("after_start", "_engine_list_objects();")
        whole = "Network::_last_run_completed_fraction > 1 - 1e-9"
        self.insert_code("after_end", f"_engine_close({whole});")
        self.headers += [header for header in MAIN_HEADERS if header not in self.headers]
        with flags_of_the_user():
            super().build(*args, **kwargs)

    def run(self, *args: Any, resume: bool | None = None, **kwargs: Any) -> None:
        """Run the program; the other arguments are those of Brian2's C++ standalone.

        Parameters
        ----------
        resume : bool, optional
            Take up the newest whole checkpoint in the folder of results, if there is one; the
            preference ``devices.biomod_cpp.resume`` if not given.

        Raises
        ------
        StateError
            A state is not finite; says where and when.
        CheckpointError
            A checkpoint or recording cannot be written, the checkpoint is of another program or of
            other data, or another process writes to the same folder.
        NotImplementedError
            A function has a memory that a checkpoint would not hold.
        """
        preferences = prefs.devices.biomod_cpp
        resume = preferences.resume if resume is None else resume
        every = preferences.checkpoint_every
        if every is not None or resume:
            checkpoint.check_functions(self)
        self.run_environment_variables |= run_environment(preferences.threads)
        variables = checkpoint_environment(0.0 if every is None else float(every), resume)
        self.run_environment_variables |= variables
        try:
            with checkpoint.restored(variables):  # Brian2 sets them in this process
                super().run(*args, **kwargs)
        except RuntimeError as error:
            for file, kind in (("error.txt", StateError), ("failure.txt", CheckpointError)):
                message = Path(self.results_dir) / file
                if message.exists():
                    text = message.read_text()
                    message.unlink()
                    raise kind(text) from error
            raise

    def generate_makefile(
        self, writer: Any, compiler: str, compiler_flags: str, linker_flags: str, nb_threads: int,
        debug: bool,
    ) -> None:  # fmt: skip
        """Write the numbers into their table, and remember what the compiler is to be told."""
        constants.collect(Path(self.project_dir), writer.texts)
        writer.to_disk()
        if compiler == "msvc":
            raise NotImplementedError("biomod_cpp needs g++ or clang++; it does not know MSVC")
        if nb_threads:
            raise NotImplementedError(
                "devices.cpp_standalone.openmp_threads is for Brian2's own device; with biomod_cpp "
                "use prefs.devices.biomod_cpp.threads"
            )
        self._flags = shlex.split(compiler_flags) + (["-g", "-DDEBUG"] if debug else [])
        self._link_flags = shlex.split(linker_flags)

    def compile_source(self, directory: str, compiler: str, debug: bool, clean: bool) -> None:
        """Compile in two translation units, or take the program from the cache."""
        started = time.perf_counter()
        assert self.writer is not None
        files, texts = sorted(self.writer.source_files), self.writer.texts
        compile_program(Path(directory), files, self._flags, self._link_flags, texts)
        self.timers["compile"]["make"] = time.perf_counter() - started

    def generate_codeobj_source(self, writer: Any) -> None:
        """Write the code objects, each with the clock by which it runs."""
        clocks: dict[str, str] = {}
        for kind, arguments in self.main_queue:
            if kind == "run_network":
                added = re.findall(r"\.add\(&(\w+), _run_(\w+)\);", "\n".join(arguments[1]))
                clocks |= {name: clock for clock, name in added}
        for name, codeobj in self.code_objects.items():
            columns, deliver = pathways.column_lines(self, self._pathways, codeobj)
            clock = clocks.get(name, "defaultclock")
            lines = constants.definitions(codeobj.variables, self.arrays, self.dynamic_arrays)
            for part, text in list(codeobj.code.items()):
                text = text.replace(STEP, f"brian::{clock}.timestep[0]")
                text = text.replace(TIME, f"brian::{clock}.t[0]")
                text = text.replace(pathways.COLUMNS, columns).replace(pathways.DELIVER, deliver)
                setattr(codeobj.code, part, text.replace("%CONSTANTS%", "\n".join(lines)))
        super().generate_codeobj_source(writer)

    def generate_run_source(self, writer: Any) -> None:
        """Write the functions of the program, and the list of what its checkpoints hold."""
        super().generate_run_source(writer)
        others = pathways.object_lines(self, self._pathways)
        writer.write("engine_objects.cpp", checkpoint.objects_source(self, others))

    def generate_objects_source(
        self, writer: Any, arange_arrays: Any, synapses: Any, static_array_specs: Any,
        networks: Any, timed_arrays: Any,
    ) -> None:  # fmt: skip
        """Write the arrays, their sizes being data; the declarations are Brian2's."""
        every = [self.arrays, self.dynamic_arrays, self.dynamic_arrays_2d]
        names = {name for arrays in every for name in arrays.values()}
        text = EngineCodeObject.templater.engine_arrays(
            None, None, array_specs=self.arrays, dynamic_array_specs=self.dynamic_arrays,
            dynamic_array_2d_specs=self.dynamic_arrays_2d, zero_arrays=self.zero_arrays,
            arange_arrays=arange_arrays, synapses=synapses, clocks=self.clocks,
            static_array_specs=static_array_specs, networks=networks, timed_arrays=timed_arrays,
            get_array_filename=self.get_array_filename, get_array_name=self.get_array_name,
            profiled_codeobjects=self.profiled_codeobjects, declared=names.__contains__,
            code_objects=list(self.code_objects.values()),
        )  # fmt: skip
        writer.write("objects.*", text)

    def generate_main_source(self, writer: Any) -> None:
        """Write the program: its numbers as data, what threads can share in phases."""
        queue = self.main_queue
        self._pathways = pathways.examine(self)
        dtypes = {name: v.dtype for v, name in [*self.arrays.items(), *self.dynamic_arrays.items()]}
        self.main_queue = constants.main_queue(queue, dtypes, {c.name for c in self.clocks})
        if not self.enable_profiling:  # which tells the times of the objects apart
            self.main_queue = self._fused(writer)
        self.main_queue = pathways.with_parking(self, self._pathways, self.main_queue)
        try:
            super().generate_main_source(writer)
        finally:
            self.main_queue = queue

    def _fused(self, writer: Any) -> list[Any]:
        array_name = partial(self.get_array_name, access_data=False)
        queue: list[Any] = []
        phases: dict[str, list[Phase]] = {}
        effects: dict[str, list[list[str]]] = {}
        for kind, arguments in self.main_queue:
            if kind == "run_network":
                network, lines = arguments
                prefix = f"phase_{len(phases)}_"
                lines, phases[prefix] = fuse(lines, self.code_objects, array_name, prefix)
                joined = f"effects_{len(effects)}_"
                lines, effects[joined] = pathways.arranged(self, self._pathways, lines, joined)
                declared = [f"void _run_{prefix}{k}();" for k in range(len(phases[prefix]))]
                declared += [f"void _run_{joined}{k}();" for k in range(len(effects[joined]))]
                arguments = network, [*declared, *lines]
            queue.append((kind, arguments))
        writer.write("phases.cpp", phases_source(phases))
        writer.write("effects.cpp", pathways.effects_source(self, effects))
        return queue

    def copy_source_files(self, writer: Any, directory: str) -> None:
        """Brian2's library and the engine's."""
        super().copy_source_files(writer, directory)
        universal = Path(directory) / "brianlib/engine_universal.h"
        universal.write_text(f"#pragma once\n{CPPCodeGenerator.universal_support_code}")
        writer.header_files.add("brianlib/engine_universal.h")
        for file in sorted(LIBRARY.iterdir()):
            header = file.suffix == ".h"
            name = f"brianlib/{file.name}" if header else file.name
            shutil.copy(file, Path(directory) / name)
            (writer.header_files if header else writer.source_files).add(name)
        writer.source_files.discard("brianlib/spikequeue.cpp")  # of Brian2 2.10; nothing calls it

    def delete(self, code: bool = True, *args: Any, **kwargs: Any) -> None:
        """Delete files of the program; the arguments are those of Brian2's C++ standalone."""
        if code and self.project_dir is not None and self.writer is not None:
            directory = Path(self.project_dir)
            files = [*self.writer.source_files, *self.writer.header_files, constants.TABLE]
            files += [f"{unit}.{kind}" for unit in UNITS for kind in ("cpp", "o")]
            for file in files:
                if not os.path.isabs(file):  # a source file of the user's own stays
                    (directory / file).unlink(missing_ok=True)
            self.writer.source_files.clear()
            self.writer.header_files.clear()
            # Brian2 warns if what it would have made is not there.
            for file in ("makefile", "make.deps", *BRIAN_HEADERS):
                if (directory / file).parent.exists():
                    (directory / file).touch()
        super().delete(code, *args, **kwargs)

    def run_function(self, name: str, include_in_parent: bool = True) -> Any:
        """Divert code into a function of the program, as Brian2's device does."""
        return _RunFunction(self, name, include_in_parent)


class _RunFunction:
    """Brian2's class for this always writes to Brian2's own device."""

    def __init__(self, device: EngineDevice, name: str, include_in_parent: bool) -> None:
        self.device, self.arguments = device, (name, include_in_parent)

    def __enter__(self) -> None:
        self.device.main_queue.append(("start_run_func", self.arguments))

    def __exit__(self, *exc: object) -> None:
        self.device.main_queue.append(("end_run_func", self.arguments))


engine_device = EngineDevice()
all_devices["biomod_cpp"] = engine_device
