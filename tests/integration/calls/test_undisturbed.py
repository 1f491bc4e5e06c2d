"""After a watched run, whatever way it ended, all is as it was."""

import importlib
import logging
import signal
import sys
import threading

import jax
import jax.numpy as jnp
import pytest

from jitinspect.calls.call_log import CallLog
from jitinspect.calls.trace_cache import Listeners, Request, trace_cache

LOGGERS = ("jax", "jax._src.dispatch", "jax._src.interpreters.partial_eval", "jax._src.cache_key")
monitoring = importlib.import_module("jax._src.monitoring")


def state():
    """What an observer could leave behind."""
    stages = jax.stages
    return {
        "patched": [
            *(getattr(jax, name) for name in ("jit", "eval_shape", "clear_caches", "pmap", "make_jaxpr")),
            *(stages.Traced.lower, stages.Lowered.compile, stages.Compiled.__call__),
        ],
        "listeners": [list(value) for name, value in vars(monitoring).items() if _is_listeners(name, value)],
        "loggers": [
            (name, logger.level, list(logger.filters), list(logger.handlers), logger.propagate)
            for name in LOGGERS
            if (logger := logging.getLogger(name))
        ],
        "config": dict(jax.config.values),
        "interpreter": [
            sys.argv, list(sys.path), sys.modules["__main__"], sys.excepthook, sys.getrecursionlimit(),
            sys.stdout, sys.stderr, signal.getsignal(signal.SIGINT), threading.enumerate(),
        ],
    }  # fmt: skip


def _is_listeners(name, value):
    return name.endswith("_listeners") and isinstance(value, list)


ENDINGS = {
    "well": "",
    "by an exception": "raise KeyError('no')",
    "by sys.exit": "sys.exit(3)",
    "by an interrupt": "raise KeyboardInterrupt",
    "in a trace": "jax.jit(lambda x: 1 / 0)(1.0)",
    "with listeners cleared": "jax.monitoring.clear_event_listeners()",
}


@pytest.mark.parametrize("explain", [False, True])
@pytest.mark.parametrize("ending", ENDINGS)
def test_nothing_is_left_behind(write, ending, explain):
    program = (
        f"import sys, jax\nf = jax.jit(lambda x: x + 1)\nf(1.0), f(2.0), f.lower(1)\n{ENDINGS[ending]}\n"
    )
    script = write("program.py", program)
    before = state()
    result = trace_cache(Request(script, explain=explain), Listeners())
    assert result.report.totals.calls >= 2
    if ending == "with listeners cleared":
        before["listeners"] = state()["listeners"]  # the program's own doing
        assert not any(before["listeners"])
    assert state() == before


def test_a_watch_inside_a_watch_takes_away_its_own_alone():
    before = state()
    with CallLog() as outer:
        between = state()
        with pytest.raises(ValueError), CallLog():
            jax.jit(lambda x: x + 1)(1.0)
            raise ValueError
        assert state() == between
        jax.jit(lambda x: x + 2)(1.0)
    assert state() == before and len(outer.log) == 2


def test_what_the_program_kept_goes_on_to_work():
    with CallLog() as call_log:
        kept, jit = jax.jit(lambda x: x * 2), jax.jit
        kept(jnp.ones(2))
    told = len(call_log.log)
    assert kept(2.0) == 4.0 and kept.lower(1.0).compile()(3.0) == 6.0 and jit(lambda x: x)(1.0) == 1.0
    assert jax.grad(kept)(1.0) == 2.0 and told == 1


def test_listeners_that_fail_are_the_programs_own_affair():
    def fails(*args, **kwargs):
        raise RuntimeError("mine")

    jax.monitoring.register_event_duration_secs_listener(fails)
    try:
        with CallLog(), pytest.raises(RuntimeError, match="mine"):
            jax.jit(lambda x: x - 1)(1.0)
    finally:
        jax.monitoring.unregister_event_duration_listener(fails)
