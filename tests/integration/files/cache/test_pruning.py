"""Pruning again and again while processes compile into the folder: none of them minds."""

import subprocess
import sys
import time

from jitinspect.files.cache.listing import Filter, contents
from jitinspect.files.cache.pruning import Choice, prune

PROGRAM = """
import os, sys
import jax

def compile_some(process, folder, most):
    import jax.numpy as jnp
    jax.config.update("jax_compilation_cache_dir", folder)
    jax.config.update("jax_compilation_cache_max_size", most)
    for k in range(4):
        for size in (k + 1, 100 + 20 * process + k):  # one that the others compile, too, and one of its own
            jax.jit(lambda x: jnp.sin(x) * 2).lower(jax.ShapeDtypeStruct((size,), jnp.float32)).compile()

children = []
for process in range(8):
    child = os.fork()
    if not child:
        try:
            compile_some(process, *((sys.argv[1], -1) if process < 4 else (sys.argv[2], 20_000)))
        except BaseException as error:
            sys.stderr.write(repr(error))
            os._exit(1)
        os._exit(0)
    children.append(child)
sys.exit(any([os.waitpid(child, 0)[1] for child in children]))
"""
ENVIRON = {"PATH": "", "JAX_PLATFORMS": "cpu", "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0"}


def test_no_process_fails_and_nothing_is_left_half_written(tmp_path):
    """Four without a size limit, and four with one: then JAX locks the folder, and removes entries itself."""
    folders = {False: tmp_path / "free", True: tmp_path / "limited"}
    for folder in folders.values():
        folder.mkdir()
    command = [sys.executable, "-c", PROGRAM, *map(str, folders.values())]
    program = subprocess.Popen(command, env=ENVIRON, stderr=subprocess.PIPE, text=True)
    outcomes = {is_locked: [] for is_locked in folders}
    while program.poll() is None:
        for is_locked, folder in folders.items():
            report = prune(str(folder), Choice(Filter("*")), remove=True, needs_lock=is_locked)
            outcomes[is_locked] += [row.outcome for row in report.pruned]
        time.sleep(0.02)
    assert program.returncode == 0, program.stderr.read()
    for is_locked, folder in folders.items():
        assert outcomes[is_locked].count("removed") > 10
        assert {*outcomes[is_locked]} <= {"removed", "changed"}
        left = contents(str(folder))
        assert all(entry.state == "sound" and entry.loadable for entry in left.entries)
        notes = {path.name.removesuffix("-atime") for path in folder.glob("*-atime")}
        assert notes == (
            {entry.file.removesuffix("-cache") for entry in left.entries} if is_locked else set()
        )
