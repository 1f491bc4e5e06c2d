"""Every value that each of JAX's settings has, in a script: planned, and really made."""

import importlib
import sys
from enum import Enum
from pathlib import Path

import jax
import pytest

from jitinspect.calls.trace_cache import Listeners, Request, trace_cache
from jitinspect.errors import UsageError
from jitinspect.jaxapi.keys.context import setting

TARGETS = """
import jax

def base(x, n=1):
    return jax.lax.optimization_barrier(x)  # no kernel, which would take XLA longer than all else

plain, keeping = jax.jit(base), jax.jit(base, keep_unused=True)

@jax.jit
def drawn(key):
    return jax.random.key_data(key)
"""
SCRIPT = """
from {module} import plain, keeping, drawn
plain(f32[3])
{before}
with config({name}={value!r}):
    plain(f32[3]) * 2
    plain(f32[4]) * 2
    keeping(f32[4])
    {within}
plain(f32[3])
plain(f32[4])
keeping(f32[4])
{before}
"""
OF_ARRAYS = {"jax_enable_x64": "plain(f64[3])", "jax_default_device": "plain(f32[4]@cpu:0)"}
"""Calls for settings that concern some arrays only; those of random numbers have keys."""
NOT_SET_TEMPORARILY = ("topology_timeout", "jax_num_cpu_devices", "jax_platforms")
"""JAX reads them when its backend starts; the first it refuses to set afterwards."""
NOISY = ("jax_log_compiles", "jax_logging_level", "jax_distributed_debug", "jax_explain_cache_misses")
"""They have no values that matter, and write to stderr."""
DEPENDS = ("jax_enable_pgle", "jax_no_collectives")
"""Recompiles whenever it has profiled enough; takes a set of axes, which a script cannot write."""


def values(name):
    """What the setting can be but is not: of numbers and words that are free, one."""
    now = jax.config.values[name]
    kind, _, keywords = jax.config.meta.get(name, (type(now), (), {}))  # a few have no option
    if kind is bool:
        return [not now]
    if kind in ("enum", "enum_class"):
        listed = keywords["enum_values"] if kind == "enum" else keywords["enum_class"]
        words = [one.name.lower() if isinstance(one, Enum) else one for one in listed if one != now]
        found = [word for word in words if word is not None]
        return found[:4] if len(found) > 8 else found  # precisions are many, and all alike
    return [(now or 0) + 1] if kind in (int, float) else ["cpu" if name == "jax_default_device" else "x"]


def can_be_set_for_a_while(name):
    """Some options are flags, which JAX reads once."""
    try:
        setting(name, object())
    except UsageError as error:
        return "has no setting" not in error.message
    except Exception:
        return True
    return True


CASES = [
    (name, value)
    for name in sorted(jax.config.values)
    if can_be_set_for_a_while(name)
    if not any(word in name for word in (*NOT_SET_TEMPORARILY, *NOISY, *DEPENDS))
    for value in values(name)
]


@pytest.fixture
def rows(folder):
    """What the calls of a script did, or would do: status, stages, whether it failed, and executable."""

    def rows(name, value, plan):
        module = f"targets_{name}_{plan}"
        Path(f"{module}.py").write_text(TARGETS)
        script = Path(f"{module}.calls")
        call = OF_ARRAYS.get(name, "drawn(key[])" if "prng" in name or "key" in name else "")
        script.write_text(SCRIPT.format(module=module, name=name, value=value, before=call, within=call))
        importlib.invalidate_caches()
        result = trace_cache(Request(script, plan=plan), Listeners())
        sys.modules.pop(module, None)
        assert result.error is None, result.error
        calls = result.report.calls
        return [(one.status, one.stages, bool(one.error), one.executable) for one in calls]

    return rows


@pytest.mark.parametrize(("name", "value"), CASES, ids=[f"{name}={value}" for name, value in CASES])
def test_a_plan_says_what_jax_does_under_each_setting(rows, name, value):
    planned, made = rows(name, value, plan=True), rows(name, value, plan=False)
    assert len(planned) >= 4
    assert [row[:3] for row in planned] == [row[:3] for row in made]
    if not any(failed for _, _, failed, _ in made):  # jits that failed share no executables
        assert planned == made
