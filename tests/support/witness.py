"""What JAX really does in each call of a jitted object: an oracle, which knows nothing of jitinspect.

    python -m tests.support.witness < programs.json > statuses.json

reads a list of program texts, and writes for each the list of its calls' statuses, in the order in
which the calls started, or the traceback of a program that failed. It listens with `jax.monitoring`,
and learns of the calls by a wrapper that stands for `jax.jit` while a program runs.

Each program runs in a fork of one process that has imported jax and done nothing with it: no backend
is up, no cache holds anything.
"""

import contextlib
import functools
import gc
import json
import multiprocessing
import sys
import threading
import traceback
import warnings

import jax
import jax.monitoring

from tests.support.compiling import compile_cheaply
from tests.support.prefork import import_what_compiling_imports

DEPTHS = {
    "/jax/core/compile/jaxpr_trace_duration": "TRACED",
    "/jax/core/compile/jaxpr_to_mlir_module_duration": "LOWERED",
    "/jax/core/compile/backend_compile_duration": "COMPILED",
}
STATUSES = ["CACHED", *DEPTHS.values()]
"""From the shallowest to the deepest."""


class Witness:
    """The calls of jitted objects, outermost ones alone, and the deepest stage that ran in each."""

    def __init__(self):
        self.statuses = []
        self._thread = threading.local()

    def jit(self, *args, **kwargs):
        """`jax.jit`, but what it returns tells of its calls."""
        if not args:  # `@jax.jit(static_argnames=…)`
            return lambda function: self.jit(function, **kwargs)
        return self._watched(REAL_JIT(*args, **kwargs))

    def _watched(self, jitted):
        @functools.wraps(jitted)
        def call(*args, **kwargs):
            if self._open() is not None:  # called while another is traced: no call of the program's
                return jitted(*args, **kwargs)
            self._thread.open = len(self.statuses)
            self.statuses.append("CACHED")
            try:
                return jitted(*args, **kwargs)
            finally:
                self._thread.open = None

        for method in ("lower", "trace", "eval_shape", "clear_cache"):
            setattr(call, method, getattr(jitted, method))
        return call

    def hear(self, event, _seconds, **_about):
        """A listener of durations: it is called on the thread, and inside the call, that compiles."""
        call = self._open()
        if event in DEPTHS and call is not None:
            self.statuses[call] = max(self.statuses[call], DEPTHS[event], key=STATUSES.index)

    def _open(self):
        return getattr(self._thread, "open", None)


REAL_JIT = jax.jit


def statuses(program):
    """What each call in the text of a program did; the traceback where the program fails."""
    compile_cheaply(program)
    witness = Witness()
    jax.jit = witness.jit
    jax.monitoring.register_event_duration_secs_listener(witness.hear)
    try:
        with contextlib.redirect_stdout(sys.stderr):
            exec(compile(program, "program.py", "exec"), {"__name__": "__main__"})
    except BaseException:
        return traceback.format_exc()
    return witness.statuses


def main():
    import_what_compiling_imports()
    gc.freeze()  # what is shared by the forks stays shared
    warnings.filterwarnings("ignore", message="os.fork", category=RuntimeWarning)
    with multiprocessing.get_context("fork").Pool(2, maxtasksperchild=1) as forks:
        json.dump(forks.map(statuses, json.load(sys.stdin), chunksize=1), sys.stdout)


if __name__ == "__main__":
    main()
