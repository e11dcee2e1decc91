"""The progress bar: redrawn on a terminal, a few lines in a log."""

from __future__ import annotations

import io

from biomod.progress import NoProgress, TextProgress, as_progress


class Clock:
    """Real time under our control."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def drive(stream, steps=1000, seconds=10.0, stop=1000):
    clock = Clock()
    progress = TextProgress(stream, clock)
    progress.start(2.0)
    for step in range(1, stop + 1):
        clock.now += seconds / steps
        progress.update(2.0 * step / steps)
    progress.close()
    progress.close()
    return stream.getvalue()


def test_a_terminal_sees_one_line_redrawn_at_most_ten_times_a_second():
    text = drive(Terminal())
    assert text.count("\r") <= 10 * 10 + 2
    assert text.count("\n") == 1
    assert text.endswith("100 %  2.00 of 2 s, took 10 s\x1b[K\n")


def test_time_left_is_extrapolated():
    middle = [line for line in drive(Terminal()).split("\r") if " 50 %" in line]
    assert ", 5 s left" in middle[0]
    assert "1.00 of 2 s" in middle[0]


def test_a_log_file_gets_a_line_for_each_tenth():
    lines = drive(io.StringIO()).splitlines()
    assert [line.split("%")[0].strip() for line in lines] == [str(10 * k) for k in range(1, 11)]
    assert not any("\r" in line or "\x1b" in line for line in lines)


def test_coarse_updates_skip_lines_but_never_repeat_one():
    lines = drive(io.StringIO(), steps=3, stop=3).splitlines()
    assert [line.split("%")[0].strip() for line in lines] == ["33", "66", "100"]


def test_an_interrupted_bar_stays_where_it_was():
    text = drive(Terminal(), stop=300)
    assert text.endswith("\n")
    assert " 30 %" in text.split("\r")[-1]


def test_short_simulations_are_told_in_milliseconds():
    stream = Terminal()
    progress = TextProgress(stream, Clock())
    progress.start(0.25)
    progress.close()
    assert "0 of 250 ms" in stream.getvalue()


def test_what_simulate_accepts():
    assert isinstance(as_progress(None), NoProgress)
    assert isinstance(as_progress(False), NoProgress)
    assert isinstance(as_progress(True), TextProgress)
    mine = NoProgress()
    assert as_progress(mine) is mine


def test_updates_outside_a_run_are_harmless():
    stream = io.StringIO()
    progress = TextProgress(stream)
    progress.update(1.0)
    progress.close()
    assert stream.getvalue() == ""
