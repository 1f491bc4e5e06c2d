"""`jitinspect.watch()` and `jitinspect.inspect()`: what the command line tells, from Python."""

import json
import signal
import subprocess
import sys
import threading
import time

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax._src import monitoring, util  # noqa: TID251

import jitinspect
from jitinspect.errors import LoadError, UsageError
from jitinspect.process import marks
from jitinspect.programs.listeners import Listeners
from jitinspect.programs.watch import Watch


def made():
    """A jitted function of its own: what others compiled is not its."""
    return jax.jit(lambda x: x * 2)


def test_what_is_compiled_inside_is_told_with_its_reasons():
    f = made()
    f(np.ones(2))
    with jitinspect.watch() as log:
        f(np.ones(2))
        f(np.ones(3))
        f(np.ones(4))
    f(np.ones(5))
    assert [call.signature for call in log.calls] == ["<lambda>(f32[3])", "<lambda>(f32[4])"]
    first, second = log.calls
    assert first.reasons[0].text == "first call of <lambda> since the watch began"
    assert second.reasons[0].text == "x: f32[3] → f32[4]" and second.nearest == first.seq
    assert log.compilations == 2
    assert [event.phase for event in log.events] == ["trace", "lower", "compile"] * 2


def test_it_can_be_read_while_it_lasts():
    f = made()
    with jitinspect.watch() as log:
        assert log.compilations == 0
        f(np.ones(2))
        assert log.compilations == 1 and len(log.summary().functions) == 1


def test_watches_may_stand_one_within_another():
    f = made()
    with jitinspect.watch() as outer:
        f(np.ones(2))
        with jitinspect.watch() as inner:
            f(np.ones(3))
    assert (outer.compilations, inner.compilations) == (2, 1)
    assert outer.calls[1].reasons[0].kind == "shape" and inner.calls[0].reasons[0].kind == "first_call"
    assert all(call.seconds.keys() == {"trace", "lower", "compile"} for call in (*outer.calls, *inner.calls))


def test_threads_are_seen():
    f = made()
    all_there = threading.Barrier(6)  # a thread's number is used again when it is over

    def work(n):
        f(np.ones(n))
        all_there.wait()

    with jitinspect.watch() as log:
        threads = [threading.Thread(target=work, args=(n,)) for n in range(2, 8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert log.compilations == 6 and len({call.thread for call in log.calls}) == 6
    assert all(call.seconds.keys() == {"trace", "lower", "compile"} for call in log.calls)
    assert sum(call.reasons[0].kind == "first_call" for call in log.calls) == 1


def test_calls_are_counted_where_that_is_asked_for():
    with jitinspect.watch(hits=True) as log:
        f = jax.jit(lambda x: x + 1)
        for n in (2, 2, 2, 3):
            f(np.ones(n))
    (function,) = log.summary().functions
    assert (function.calls, function.hits, function.compilations) == (4, 2, 2)


def test_a_warm_up_ends_at_its_mark():
    f = made()
    with jitinspect.watch(warmup="warm") as log:
        f(np.ones(2))
        jitinspect.mark("warm")
        f(np.ones(2))
        f(np.ones(3))
    assert [call.signature for call in log.late] == ["<lambda>(f32[3])"]


def test_a_summary_prints_and_is_a_page_and_a_document():
    f = made()
    with jitinspect.watch() as log:
        f(np.ones(2))
        f(np.ones(3))
    told = log.summary()
    assert "1 of 2 avoidable" in str(told) and "x: f32[2] → f32[3]" in repr(log)
    assert (
        told._repr_html_().startswith('<div class="jitinspect">') and "1 of 2 avoidable" in log._repr_html_()
    )
    assert json.loads(told.to_json())["totals"]["compilations"] == 2


def test_nothing_is_left_behind():
    before = state()
    with pytest.raises(ZeroDivisionError), jitinspect.watch(hits=True):
        assert state() != before
        1 / 0  # noqa: B018
    assert state() == before


def state():
    listeners = [monitoring.get_event_duration_listeners(), monitoring.get_event_listeners()]
    return [list(each) for each in listeners], util.test_event_listener, jax.jit, list(marks.listeners)


def test_a_call_that_raises_is_told_with_what_it_raised():
    def bad(x):
        raise ValueError("no")

    with jitinspect.watch() as log, pytest.raises(ValueError):
        jax.jit(bad)(1.0)
    (call,) = log.calls
    assert (call.raised, call.error, call.compilations) == ("trace", "ValueError: no", 0)


def double(x, *, times=2):
    return x * times


def test_inspect_tells_what_the_command_tells():
    report = jitinspect.inspect(double, jax.ShapeDtypeStruct((3,), "float32"), static=["times"], times=3)
    assert [artifact.stage for artifact in report.artifacts] == ["jaxpr", "stablehlo", "hlo"]
    assert report.target.signature == "double(f32[3], times=3)" and "mul" in repr(report)
    assert report._repr_html_().startswith('<div class="jitinspect">')
    assert json.loads(report.to_json())["command"] == "show"


def test_inspect_takes_jits_and_gives_the_key():
    report = jitinspect.inspect(made(), jnp.ones(3), stages=["jaxpr"], key=True)
    assert len(report.artifacts) == 1 and len(report.keys) == 1
    assert jitinspect.inspect(jax.vmap(jnp.sin), np.ones((2, 3)), stages=["jaxpr"], transforms=["vmap"])


def test_inspect_refuses_what_is_no_function():
    with pytest.raises(LoadError):
        jitinspect.inspect(3)


def test_importing_jitinspect_imports_no_jax():
    program = (
        "import sys, jitinspect; jitinspect.mark('x'); print('jax' in sys.modules, 'rich' in sys.modules)"
    )
    finished = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert finished.stdout.split() == ["False", "False"]


class Jaxy:
    """A static argument that asks JAX when it is compared, hashed or printed."""

    def __init__(self, value):
        self.value = value

    def __eq__(self, other):
        return bool(jax.jit(lambda a, b: a == b)(self.value, other.value))

    def __hash__(self):
        return hash(float(jax.jit(lambda a: a * 1.0)(self.value)))

    def __repr__(self):
        return f"Jaxy({jax.jit(lambda a: a + 0)(self.value)})"


def test_arguments_that_ask_jax_when_they_are_read_are_read():
    f = jax.jit(lambda how, x: x * how.value, static_argnums=0)
    with jitinspect.watch() as log:
        for value in (1, 2):
            f(Jaxy(value), np.ones(3))
    told = [call for call in log.calls if call.signature.startswith("<lambda>(<Jaxy>")]
    assert [call.reasons[0].kind for call in told] == ["first_call", "static_value"]


def test_it_can_be_read_while_another_thread_compiles():
    f, ready, go_on = made(), threading.Event(), threading.Event()

    def slow(x):
        ready.set()
        go_on.wait()
        return f(x) + 1

    with jitinspect.watch() as log:
        thread = threading.Thread(target=lambda: jax.jit(slow)(np.ones(3)))
        thread.start()
        ready.wait()
        assert log.compilations == 0 and log.calls == ()
        go_on.set()
        thread.join()
        assert log.compilations == 1


class TimeUp(Exception):
    """What a program raises in the handler of its timer."""


@pytest.mark.parametrize("told", ["on_compiling", "on_compilation"])
def test_what_a_signals_handler_raises_is_the_programs_wherever_it_comes(told):
    def up(*_):
        raise TimeUp

    came = []

    def sent_once(_):
        if not came:
            came.append(True)
            signal.raise_signal(signal.SIGUSR1)

    before = signal.signal(signal.SIGUSR1, up)
    watch = Watch(Listeners(**{told: sent_once}))
    try:
        with pytest.raises(TimeUp), watch:
            jax.jit(lambda x: x + 1)(np.ones(3))
            time.sleep(5)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert came and watch.watcher.fault is None


def test_a_reading_is_data_that_prints_as_its_command():
    reading = jitinspect.read("cost", lambda x, w: jax.numpy.tanh(x @ w), np.ones((8, 4)), np.ones((4, 2)))
    assert reading.report.cost.flops == 2 * 8 * 4 * 2
    assert "FLOPs" in repr(reading) and "by line" in repr(reading)
    assert json.loads(reading.to_json())["command"] == "cost"
    assert "peak memory" in reading._repr_html_()


def test_donated_arguments_of_a_reading_are_told():
    reading = jitinspect.read("donation", lambda x: x + 1, np.ones(8), donate=["x"])
    (leaf,) = reading.report.donation
    assert leaf.donated and leaf.aliased == "result"


@pytest.mark.parametrize(
    ("reading", "told"), [("costs", "no reading 'costs'"), ("fit", "fit needs a device")]
)
def test_a_reading_that_cannot_be_is_told(reading, told):
    with pytest.raises(UsageError, match=told):
        jitinspect.read(reading, lambda x: x, np.ones(8))
