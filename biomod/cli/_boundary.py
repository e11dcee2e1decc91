"""Where errors become one line and an exit status, and standard output is kept clean.

Status 0: done; 2: bad input; 1: anything else; 130: interrupted.
"""

from __future__ import annotations

import logging
import os
import sys
import traceback
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from typing import Any, NoReturn

import typer
from typer.core import TyperGroup

from biomod.backends import mpi
from biomod.errors import BackendError, BiomodError, nearest, unknown_name

BAD_INPUT, FAILED, INTERRUPTED = 2, 1, 130

# Typer brings its own copy of click in some versions and imports click in others; the classes
# that BadParameter derives from are the same two in all of them.
_USAGE_ERROR, _CLICK_ERROR = typer.BadParameter.__mro__[1:3]


class Commands(TyperGroup):
    """The commands, with our errors and exit statuses in place of Typer's."""

    def main(  # type: ignore[override]  # Typer's options beyond these pass through `extra`
        self, args: Sequence[str] | None = None, prog_name: str | None = None, **extra: Any
    ) -> NoReturn:
        """Run the command that `args` name, and exit."""
        words = list(sys.argv[1:] if args is None else args)
        # Accepted anywhere on the line: nobody wants to retype a failed command to move it.
        debug = "--debug" in words
        words = [word for word in words if word != "--debug"]
        extra["standalone_mode"] = False
        with _one_line_each():
            try:
                status = super().main(words, prog_name or "biomod", **extra)
                sys.stdout.flush()
            except Exception as error:
                status = _report(error, debug)
        sys.exit(status if isinstance(status, int) else 0)

    def invoke(self, ctx: Any) -> Any:
        """Run a command; an interrupt becomes an exception of ours before Typer sees it."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise InterruptedRun("interrupted") from None

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command to run; an unknown one names the nearest."""
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            raise unknown_name("command", args[0], self.commands)
        return super().resolve_command(ctx, args)


class InterruptedRun(Exception):
    """Ctrl-C, with what to say about it."""


def say(message: str, quiet: bool = False) -> None:
    """Tell the person at the terminal something (on standard error); one process of many does."""
    if not quiet and mpi.world().rank == 0:
        typer.echo(f"biomod: {message}", err=True)


@contextmanager
def chatter_to_stderr() -> Iterator[None]:
    """Whatever simulators and compilers print goes to standard error.

    Also what they print from C or from other processes, so the file descriptor is redirected.
    """
    sys.stdout.flush()
    try:
        kept = os.dup(1)
        os.dup2(2, 1)
    except OSError:  # started without standard output or error
        kept = -1
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        sys.stderr.flush()
        if kept >= 0:
            os.dup2(kept, 1)
            os.close(kept)


@contextmanager
def _one_line_each() -> Iterator[None]:
    """Warnings, and what biomod logs, appear like our other messages."""
    handler = _Lines(logging.WARNING)
    logger = logging.getLogger("biomod")
    logger.addHandler(handler)
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _show_warning
            yield
    finally:
        logger.removeHandler(handler)


class _Lines(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        say(_one_line(record.getMessage()))


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    say(f"warning: {_one_line(str(message))}")


def _report(error: Exception, debug: bool) -> int:
    """Write the one line that says what is wrong; return the exit status."""
    if isinstance(error, BrokenPipeError):  # the reader, say `head`, has seen enough
        # Or Python would complain again when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return FAILED
    if debug:
        traceback.print_exception(error)
    message, status = _message_and_status(error)
    say(_one_line(message))
    return status


def _message_and_status(error: Exception) -> tuple[str, int]:
    if isinstance(error, InterruptedRun):
        return str(error), INTERRUPTED
    if isinstance(error, BiomodError):
        return str(error), BAD_INPUT
    if isinstance(error, _USAGE_ERROR):
        return _usage_message(error), BAD_INPUT
    if isinstance(error, _CLICK_ERROR):
        return str(error), FAILED
    if isinstance(error, BackendError):
        return str(error), FAILED
    if isinstance(error, typer.Abort):
        return "interrupted", INTERRUPTED
    if isinstance(error, MemoryError):
        return "out of memory; use fewer cells or record less", FAILED
    if isinstance(error, OSError):
        return f"{error.strerror or error}" + (
            f": {error.filename}" if error.filename else ""
        ), FAILED
    return f"{type(error).__name__}: {error} (--debug shows where)", FAILED


def _usage_message(error: Any) -> str:
    """Typer's complaint about an option, with the nearest option if there is none such."""
    context = error.ctx
    option = getattr(error, "option_name", None)
    if option is not None and "No such option" in error.message and context is not None:
        known = [o for p in context.command.params for o in p.opts if o.startswith("--")]
        known = [*known, "--help"]
        close = nearest(option, known)
        hint = f"did you mean {' or '.join(close)}?" if close else f"allowed are {', '.join(known)}"
        return f"unknown option {option!r} of '{context.command_path}'; {hint}"
    message = error.format_message().rstrip(".")
    message = message[:1].lower() + message[1:]
    return f"{message} (see '{context.command_path} --help')" if context else message


def _one_line(text: str) -> str:
    return " ".join(text.split())
