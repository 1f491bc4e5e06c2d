"""What a recording holds of executables that are gone at its end, or came from the on-disk cache."""

import gc
import subprocess
import sys

import jax
import jax.numpy as jnp

from jitinspect.ir.program_runs import program_runs
from jitinspect.ir.xspace import operation_tracks
from jitinspect.jaxapi.traces.programs import programs
from jitinspect.jaxapi.traces.recording import recorded


def test_executables_that_were_freed_meanwhile_are_there():
    x = jnp.ones((16, 16))
    with recorded() as recording:
        compiled = jax.jit(lambda x: jnp.tanh(x @ x) + 5).lower(x).compile()
        compiled(x).block_until_ready()
        del compiled
        jax.clear_caches()
        gc.collect()
    (run,) = (run for run in program_runs(operation_tracks(recording.xspace)) if "lambda" in run.module)
    assert run.program in programs(recording.xspace)


CACHED = """
import sys
import jax, jax.numpy as jnp
import numpy as np
from jitinspect.ir.program_runs import program_runs
from jitinspect.ir.xspace import operation_tracks
from jitinspect.jaxapi.traces.programs import programs
from jitinspect.jaxapi.traces.recording import recorded

jax.config.update("jax_compilation_cache_dir", sys.argv[1])
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
for n in range(int(sys.argv[2])):
    jax.jit(lambda x: x * n).lower(1.0).compile()
with recorded() as recording:
    jax.jit(lambda x: jnp.sin(x @ x))(np.ones((9, 9), "f4")).block_until_ready()
(run,) = (run for run in program_runs(operation_tracks(recording.xspace)) if "lambda" in run.module)
print(run.program, run.program == max(programs(recording.xspace)))
"""


def test_an_executable_from_disk_runs_under_the_number_of_its_making(tmp_path):
    """Which is why `KnownPrograms` goes by more than the number."""
    first, second = (
        subprocess.run(
            [sys.executable, "-c", CACHED, str(tmp_path), others], capture_output=True, text=True, check=True
        ).stdout.split()
        for others in ("0", "3")
    )
    assert first == [first[0], "True"] and second == [first[0], "False"]
