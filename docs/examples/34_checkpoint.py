"""A run that is killed, and resumed from its last checkpoint.

The first process is killed in the middle of the run, as by a queueing system or a power cut. The
second takes up the newest whole checkpoint, and ends with the spikes of a run that nothing
interrupted.
"""
# writes: checkpoint.csv
# slow

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import biomod as bm
import microcircuits

OUT = Path(os.environ.get("BIOMOD_EXAMPLE_OUT", "."))
circuit = microcircuits.l23(cells=100, seed=1)


def run(**checkpoints):
    """One second of the circuit."""
    return bm.simulate(circuit, "1 s", seed=1, backend="cpp", **checkpoints)


if len(sys.argv) > 1:
    run(checkpoint_every="20 ms", checkpoint_dir=sys.argv[1])
    sys.exit()

whole = run()
with tempfile.TemporaryDirectory() as scratch:
    folder = Path(scratch) / "checkpoints"
    process = subprocess.Popen([sys.executable, __file__, folder])
    while process.poll() is None and not list(folder.glob("checkpoint-2")):
        time.sleep(0.001)
    process.kill()
    process.wait()
    resumed = run(checkpoint_every="20 ms", checkpoint_dir=folder, resume=True)

print(f"resumed at {resumed.provenance.get('resumed_at_ms')} ms")
assert resumed.spikes.equals(whole.spikes)
resumed.spikes.to_csv(OUT / "checkpoint.csv", index=False)
