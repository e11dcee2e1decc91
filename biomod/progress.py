"""How far a simulation has come: an abstract base, a silent and a textual version."""

from __future__ import annotations

import shutil
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TextIO

__all__ = ["NoProgress", "Progress", "TextProgress", "as_progress"]


class Progress(ABC):
    """Told by a running simulation how much biological time has passed."""

    @abstractmethod
    def start(self, total_s: float) -> None:
        """Begin a simulation of `total_s` seconds of biological time."""

    @abstractmethod
    def update(self, simulated_s: float) -> None:
        """`simulated_s` seconds are done; may be called as often as one likes."""

    @abstractmethod
    def close(self) -> None:
        """End, complete or not; may be called twice."""


class NoProgress(Progress):
    """Says nothing."""

    def start(self, total_s: float) -> None:
        """Do nothing."""

    def update(self, simulated_s: float) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


class TextProgress(Progress):
    """A bar with percentage, simulated time and time left.

    On a terminal one line is redrawn, at most ten times a second; elsewhere (a log file) a line
    is written whenever another tenth is done.

    Parameters
    ----------
    stream : text stream, optional
        By default standard error.
    clock : callable, optional
        Seconds of real time, growing.
    """

    INTERVAL_S = 0.1
    BAR = 24

    def __init__(
        self, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._clock = clock
        self._live = self._stream.isatty()
        self._total = 0.0
        self._begun = self._drawn = clock()
        self._tenths = 0
        self._latest = 0.0
        self._open = False

    def start(self, total_s: float) -> None:
        """Begin a simulation of `total_s` seconds of biological time."""
        self._total, self._latest, self._tenths = total_s, 0.0, 0
        self._begun = self._drawn = self._clock()
        self._open = True
        if self._live:
            self._draw()

    def update(self, simulated_s: float) -> None:
        """Show that `simulated_s` seconds are done, if it is time to show something."""
        if not self._open:
            return
        self._latest = min(max(simulated_s, 0.0), self._total)
        tenths = int(10 * self._fraction() + 1e-9)
        if self._live:
            if self._clock() - self._drawn >= self.INTERVAL_S:
                self._draw()
        elif tenths > self._tenths:
            self._tenths = tenths
            self._write(f"{self._text()}\n")

    def close(self) -> None:
        """Show the last state and end the line."""
        if self._open and self._live:
            self._draw()
            self._write("\n")
        self._open = False

    def _fraction(self) -> float:
        return self._latest / self._total if self._total > 0 else 1.0

    def _draw(self) -> None:
        self._drawn = self._clock()
        full = round(self.BAR * self._fraction())
        line = f"[{'#' * full}{'.' * (self.BAR - full)}] {self._text()}"
        # A line longer than the terminal is wide would wrap, and \r not return to its start.
        self._write(f"\r{line[: shutil.get_terminal_size().columns - 1]}\x1b[K")

    def _text(self) -> str:
        percent = int(100 * self._fraction() + 1e-9)
        unit, scale = ("ms", 1e3) if self._total < 1 else ("s", 1.0)
        done = f"{self._latest * scale:.{0 if unit == 'ms' else 2}f}"
        return f"{percent:3d} %  {done} of {self._total * scale:g} {unit}{self._left()}"

    def _left(self) -> str:
        elapsed, fraction = self._clock() - self._begun, self._fraction()
        if fraction >= 1:
            return f", took {_duration(elapsed)}"
        if fraction <= 0:
            return ""
        return f", {_duration(elapsed * (1 - fraction) / fraction)} left"

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


def as_progress(progress: Progress | bool | None) -> Progress:
    """What ``simulate(progress=…)`` accepts, as a :class:`Progress`: True is a text bar."""
    if isinstance(progress, Progress):
        return progress
    return TextProgress() if progress else NoProgress()


def _duration(seconds: float) -> str:
    whole = round(seconds)
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    if hours:
        return f"{hours}:{minutes:02d}:{rest:02d} h"
    return f"{minutes}:{rest:02d} min" if minutes else f"{rest} s"
