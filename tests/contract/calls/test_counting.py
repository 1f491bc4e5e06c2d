"""Calls are counted where they are made."""

import contextlib

import jax
import numpy as np
import pytest

from jitinspect.jaxapi.calls import events, frames
from jitinspect.jaxapi.calls.counting import COUNTING_CODE, Counts, counting


class Recorder:
    """Notes who is told of what."""

    def __init__(self):
        self.fired, self.told, self.clearings = [0], [], 0

    def ended(self, frame, error):
        self.told.append((frame.f_locals["args"], type(error)))

    def cleared(self, jit, made_after=0):
        self.told.append(("cleared", jit))


def test_calls_from_code_of_equal_text_are_counted_apart():
    counts, x = Counts(), np.ones(3, np.float32)
    with counting(counts, Recorder()):
        f = jax.jit(lambda x: x * 2)
        for number in (1, 4, 4):
            exec(compile("f(x)", f"<cell {number}>", "exec"), {"f": f, "x": x})
    (lines,) = counts.calls(lambda path: path).values()
    assert lines == {"<cell 1>:1": 1, "<cell 4>:1": 2}


def test_calls_that_raise_or_have_events_are_told_of_and_nothing_is_left_behind():
    before, recorder = (jax.jit, jax.eval_shape, jax.clear_caches), Recorder()
    with counting(Counts(), recorder):

        @jax.jit
        def f(x):
            recorder.fired[0] += 1
            return 1 / x

        f(2.0), f(2.0)
        with pytest.raises(TypeError):
            f("text")
        jax.clear_caches()
        f.clear_cache()
    assert recorder.told == [
        ((2.0,), type(None)), (("text",), TypeError), ("cleared", None), ("cleared", f._wrapped_jit),
    ]  # fmt: skip
    assert before == (jax.jit, jax.eval_shape, jax.clear_caches)


def test_the_frame_of_a_counted_call_is_known():
    found = []

    @contextlib.contextmanager
    def listening():
        unsubscribe = events.subscribe(lambda *_: found.append(frames.proxy_frame(COUNTING_CODE)))
        yield
        unsubscribe()

    with counting(Counts(), Recorder()), listening():
        f = jax.jit(lambda x: x * 3)
        f(np.ones(3, np.float32))
    assert len(found) == 3 and {frame.f_locals["jit"] for frame in found} == {f._wrapped_jit}
