"""What is the same for all cells is computed again when, and only when, it may have changed."""

from __future__ import annotations

from biomod.engine.scalars import remembered

LINES = [
    "const double dt = _clock_dt[0];",
    "const double gain = _gain[0];",
    "const double t = _clock_t[0];",
    "const double _lio_1 = dt / 5.0;",
    "const double _lio_2 = _lio_1 * gain;",
    "const double _lio_3 = _lio_2 * t;",
    "const float _lio_4 = _lio_3 + 1.0;",
    "const int64_t _lio_5 = 3 + n;",
    "const double _factor = exp(_lio_2);",
]


def test_only_what_does_not_move_is_kept() -> None:
    lines = remembered(LINES, {"dt", "gain", "t"}, {"t"})
    start, end = (
        next(k for k, x in enumerate(lines) if x.startswith(s)) for s in ("if", "_kept =")
    )
    assert lines[start + 1 : end] == [LINES[k] for k in (3, 4, 7, 8)]
    # It depends on these, and on nothing else that can change.
    assert "same(_kept.dt, dt) && engine::same(_kept.gain, gain)" in lines[start]
    assert "_kept.t," not in lines[start]
    # What depends on time is computed at every step, after what it needs.
    assert lines[-2:] == LINES[5:7]
    assert lines.index("const double _lio_2 = _kept._lio_2;") < lines.index(LINES[5])
    assert lines[:3] == LINES[:3]


def test_what_is_not_a_definition_is_left_as_it_is() -> None:
    other = ["double x = 1;", "x += t;", *LINES, "const double y = x + dt;"]
    lines = remembered(other, {"dt", "gain", "t"}, {"t"})
    assert lines[-1] == "const double y = x + dt;"


def test_a_few_values_are_computed_every_time() -> None:
    assert remembered(LINES[:4], {"dt", "gain", "t"}, {"t"}) == LINES[:4]
