"""The time for which JAX traces, lowers or compiles in each thread, as it tells itself: a clock of our own
would also run while others have the processor.
"""

import threading

import jax.monitoring

EVENTS = {
    "/jax/core/compile/jaxpr_trace_duration",
    "/jax/core/compile/jaxpr_to_mlir_module_duration",
    "/jax/core/compile/backend_compile_duration",
}


class Stopwatch(threading.local):
    """`seconds` of this thread: what runs inside a stage is within the time of that stage."""

    def __init__(self):
        self.seconds = self.depth = 0

    def start(self, event, value, **kwargs):
        if event in EVENTS:
            self.depth += 1

    def stop(self, event, seconds, **kwargs):
        if event in EVENTS:
            self.depth -= 1
            self.seconds += 0 if self.depth else seconds


def started():
    """A stopwatch that is told of all stages from now on."""
    stopwatch = Stopwatch()
    jax.monitoring.register_scalar_listener(stopwatch.start)
    jax.monitoring.register_event_duration_secs_listener(stopwatch.stop)
    return stopwatch
