"""The example of the exclusive or computes it."""

from __future__ import annotations

from pathlib import Path

from build_gallery import examples


def test_only_the_cell_with_its_dendritic_spike_computes_the_exclusive_or(tmp_path: Path) -> None:
    (example,) = (e for e in examples() if e.name.endswith("xor_cell"))
    done = example.run(tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]
    with_spike, without = done.stdout.splitlines()[-2:]
    assert with_spike.endswith("{'00': '0', '10': '1', '01': '1', '11': '0'}")
    assert without.endswith("{'00': '0', '10': '0', '01': '0', '11': '0'}")
