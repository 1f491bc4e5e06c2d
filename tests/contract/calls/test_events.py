"""What `calls.events`, `devices` and `hidden_frames` lean on, held against the JAX that is here."""

import subprocess
import sys
import threading

import jax
import jax.monitoring
import numpy as np
import pytest

from jitinspect.jaxapi import devices
from jitinspect.jaxapi.calls import events
from jitinspect.jaxapi.source_lines import hidden_frames
from jitinspect.stages.observer import Observer

X = jax.ShapeDtypeStruct((3,), "float32")


def fresh():
    def fun(x, scale=2):
        return x * scale

    return jax.jit(fun, static_argnames="scale")


def test_each_stage_is_an_event_with_name_signature_and_definition():
    line = fresh.__code__.co_firstlineno + 1
    with Observer() as observer:
        fresh().trace(X, scale=3).lower().compile()
    told = [(event.phase, event.function, event.signature, event.internal) for event in observer.events]
    assert told == [(phase, "fun", "fun(f32[3], scale=3)", False) for phase in ("trace", "lower", "compile")]
    here = [event.source for event in observer.events]
    assert all(source.startswith(__file__) for source in here)
    assert observer.events[0].seconds > 0 and line > 0


def test_a_call_tells_the_line_that_called():
    f, x = fresh(), np.ones(3, "float32")
    line = sys._getframe().f_lineno + 2
    with Observer() as observer:
        f(x)
    assert [event.source for event in observer.events] == [f"{__file__}:{line}"] * 3


def test_a_cached_call_is_no_event():
    f, x = fresh(), np.ones(3, "float32")
    f(x)
    with Observer() as observer:
        f(x)
    assert observer.events == []


def test_eager_operations_are_internal():
    jax.clear_caches()
    with Observer() as observer:
        jax.numpy.arange(7.0) * 3
    assert observer.events and all(event.internal for event in observer.events)


def test_inner_jits_are_part_of_the_outer_trace():
    inner = fresh()
    with Observer() as observer:
        jax.jit(lambda x: inner(x) + inner(x)).trace(X)
    assert [event.phase for event in observer.events] == ["trace"]


def test_threads_do_not_mix_their_signatures():
    def work(size):
        fresh().trace(jax.ShapeDtypeStruct((size,), "float32")).lower().compile()

    with Observer() as observer:
        threads = [threading.Thread(target=work, args=(size,)) for size in range(1, 9)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
    told = sorted((event.signature, event.phase) for event in observer.events)
    assert told == sorted(
        (f"fun(f32[{n}])", phase) for n in range(1, 9) for phase in ("trace", "lower", "compile")
    )


def test_only_our_own_listeners_are_removed():
    heard = []

    def theirs(event, duration_secs, **kwargs):
        heard.append(event)

    jax.monitoring.register_event_duration_secs_listener(theirs)
    try:
        with pytest.raises(ZeroDivisionError), Observer() as observer:
            raise ZeroDivisionError
        fresh().trace(X)
        assert observer.events == [] and len(heard) >= 1
    finally:
        jax.monitoring.unregister_event_duration_listener(theirs)


def test_this_jax_is_a_known_one():
    assert events.why_no_stack_facts() is None
    assert events.persistent_cache_enabled() is False


def test_options_that_are_read_exist():
    from jitinspect.stages.doctor import CONFIG

    assert all(hasattr(jax.config, name) for name in CONFIG)
    assert hasattr(jax.config, "jax_compilation_cache_dir") and hasattr(jax.config, "jax_num_cpu_devices")
    assert devices.option("jax_no_such_option") is None


def test_the_environment_is_that_of_this_process():
    environment = devices.environment()
    assert environment.jax == jax.__version__ and environment.platform == jax.default_backend()


@pytest.mark.parametrize(("flags", "count"), [("", 4), ("--xla_force_host_platform_device_count=2", 2)])
def test_cpu_devices_are_made_before_the_backend_starts(flags, count):
    program = (
        "import jax; from jitinspect.jaxapi.devices import ensure_cpu_devices as e;"
        "made = e(4); print(made, len(jax.devices()), e(9))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], env={"XLA_FLAGS": flags}, capture_output=True, text=True, check=True
    )
    assert ran.stdout.split() == [str(not flags), str(count), "False"]


def test_hidden_frames_are_not_in_the_module():
    program = (
        "import jax; from jitinspect.jaxapi.source_lines.hidden_frames import hide_frames;"
        "hide_frames(['<string>']); print(jax.jit(lambda x: x + 1).lower(1.0).as_text(debug_info=True))"
    )
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert "<string>" not in shown and "stablehlo.add" in shown
    assert hidden_frames.hide_frames([]) is None
