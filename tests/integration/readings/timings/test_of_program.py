"""The long compilations of a program, looked at in the process that compiles them."""

import jax
import jax.numpy as jnp

from jitinspect.jaxapi.traces import recording
from jitinspect.readings.timings.of_program import CompileTimeRecorder


def test_a_fault_of_ours_does_not_reach_the_program(monkeypatch):
    def broken(_):
        raise RuntimeError("a fault")

    monkeypatch.setattr(recording, "Session", broken)
    recorder = CompileTimeRecorder()
    recorder.start()
    try:
        assert float(jax.jit(lambda x: x + 1.5)(jnp.float32(1))) == 2.5
    finally:
        recorder.stop()
    assert str(recorder.failure) == "a fault"
