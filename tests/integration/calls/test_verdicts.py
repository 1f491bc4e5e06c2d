"""Verdicts, reasons and hints where a guess would be wrong: of real calls, and of plans."""

import shlex
import sys
from pathlib import Path

import jax
import pytest

from jitinspect.calls.reasons import avoidable
from jitinspect.calls.signature import SignatureReader
from jitinspect.calls.trace_cache import Listeners, Request, trace_cache

FUNCTIONS = """
import functools
import equinox as eqx
import jax

@functools.partial(jax.jit, static_argnames="n")
def power(x, n=2):
    return x * n

@jax.jit
def plain(x):
    return x * 1

@jax.jit
def variadic(*a, **k):
    return a[0][0] * 2

@eqx.filter_jit
def filtered(x, n):
    return x * n

def decorated(fun):
    @functools.wraps(fun)
    def call(*args, extra=None, **kwargs):
        return fun(*args, **kwargs)
    return call

@jax.jit
@decorated
def loose(x):
    return x

gradient = jax.jit(jax.grad(lambda x, y: (x * y).sum()))
"""
HEAD = """
import typing
import equinox as eqx
import jax
import jax.numpy as jnp
from functions import *
x, wide = jnp.ones(3), jnp.ones((4, 4))

class Layer(eqx.Module):
    w: jax.Array
    act: object = jnp.tanh
    size: int = eqx.field(static=True, default=2)
    def __call__(self, x): return self.w * x
    def method(self, x): return self.w * x

class Pair(typing.NamedTuple):
    a: object
    b: object
"""


@pytest.fixture
def run(write):
    """The calls of a script, of that suffix, with the functions above."""

    def run(text, suffix=".py", **fields):
        sys.modules.pop("functions", None)
        write("functions.py", FUNCTIONS)
        head = HEAD if suffix == ".py" else "from functions import *\n"
        if suffix == ".calls":
            head = "from functions import power, plain, variadic, filtered, gradient, loose\n"
        script = write(f"script{suffix}", head + text)
        return trace_cache(Request(Path(script), **fields), Listeners())

    return run


def told(result):
    return [(call.status, call.executable) for call in result.report.calls]


def why(result, index=-1):
    return [(reason.kind, reason.where) for reason in result.report.calls[index].reasons]


def texts(result, index=-1):
    return [reason.text for reason in result.report.calls[index].reasons]


@pytest.mark.parametrize("plan", [False, True])
def test_filter_jit_compares_statics_by_equality_and_binds_its_signature(run, plan):
    script = "filtered(f32[3], 2)\nfiltered(f32[3], 2.0)\nfiltered(n=2, x=f32[3])\nfiltered(f32[3], 3)\n"
    result = run(script, ".calls", plan=plan)
    assert told(result) == [("COMPILED", 1), ("CACHED", 1), ("CACHED", 1), ("COMPILED", 2)]
    assert result.report.calls[1].signature == ("filtered(f32[3], 2.0)" if plan else "filtered(f32[3], 2)")
    assert texts(result) == ["n: 2 → 3"]


def test_a_default_of_a_filter_jit_is_a_value_like_any_other(run):
    result = run("""
@eqx.filter_jit
def f(x, mode='a', *, k=2, bias=None):
    return x * k
f(x, mode='b'); f(x); f(x, mode='c'); f(x, mode='b', k=3); f(x, mode='b', bias=x)
""")
    assert [[reason.text for reason in call.reasons] for call in result.report.calls[1:]] == [
        ["mode: 'b' → 'a'"],
        ["mode: 'b' → 'c'"],
        ["k: 2 → 3"],
        ["bias: None → f32[3]", "bias: default → by keyword"],
    ]
    assert [avoidable(call.reasons) for call in result.report.calls[1:3]] == [False, False]


def test_a_filter_jit_tells_how_its_user_passed_an_argument(run):
    head = "@eqx.filter_jit\ndef f(x, mode='a'):\n    return x\n"
    assert texts(run(head + "f(x, mode='a'); f(x)")) == ["mode: by keyword → default"]
    assert texts(run(head + "f(x, 'a'); f(x)")) == ["mode: by position → default"]
    assert texts(run(head + "f(x); f(mode='a', x=x)")) == ["mode: default → by keyword"]
    assert texts(run(head + "f(x, 'a'); f(x, mode='a'); f(x, mode='b')")) == ["mode: 'a' → 'b'"]


def test_a_static_that_becomes_an_array_is_told(run):
    assert texts(run("filtered(x, 2); filtered(x, jnp.ones(()))")) == ["n: 2 → f32[]"]
    assert texts(run("filtered(x, jnp.ones(())); filtered(x, 2)")) == ["n: f32[] → 2"]


def test_a_module_is_the_first_argument_of_its_filter_jit(run):
    result = run("""
layer = Layer(jnp.ones(3))
f = eqx.filter_jit(layer)
f(x); f(x); f(jnp.ones((1, 3)))
eqx.filter_jit(layer)(x)
eqx.filter_jit(Layer(jnp.ones((1, 3))))(x)
eqx.filter_jit(Layer(jnp.ones(3), jnp.sin))(x)
eqx.filter_jit(Layer(jnp.ones(3), size=5))(x)
eqx.filter_jit(layer.method)(x)
eqx.filter_jit(layer.method)(x)
""")
    assert result.report.stopped is None
    assert told(result) == [
        ("COMPILED", 1), ("CACHED", 1), ("COMPILED", 2), ("CACHED", 1), ("COMPILED", 3), ("COMPILED", 4),
        ("COMPILED", 5), ("COMPILED", 6), ("CACHED", 6),
    ]  # fmt: skip
    assert why(result, 2) == [("shape", "x")]
    assert why(result, 4) == [("shape", "self.w")]
    assert why(result, 5) == [("static_value", "self.act")]
    assert why(result, 6) == [("static_value", "self.size")]


def test_a_wrapper_without_arrays_is_one_function(run):
    result = run("""
f = eqx.filter_jit(eqx.filter_value_and_grad(lambda layer, x: (layer.w * x).sum()))
layer = Layer(jnp.ones(3))
f(layer, x); f(layer, x); f(layer, jnp.ones((2, 3)))
g = eqx.filter_jit(eqx.Partial(power.__wrapped__, n=3))
g(x); g(x)
""")
    statuses = [status for status, _ in told(result)]
    assert statuses == ["COMPILED", "CACHED", "COMPILED", "COMPILED", "CACHED"]
    assert why(result, 2) == [("shape", "x")]
    assert result.report.calls[3].definition.endswith("functions.py:6")


REFUSED = """power(f32[3], 2)
power(f32[3], [1, 2])
power(f32[3], f32[2])
power()
power()
power(f32[3], 1, 2)
power(f32[3], m=2)
gradient(f32[3])
plain('x')
plain(f32[3])
plain(99999999999999999999999)
loose(f32[3], extra=None)
"""


def test_a_plan_refuses_what_jax_refuses(run):
    planned, made = run(REFUSED, ".calls", plan=True).report, run(REFUSED, ".calls").report
    assert planned.exit_code == made.exit_code == 4
    for call, really in zip(planned.calls, made.calls, strict=True):
        assert (call.status, call.stages, call.executable) == (
            really.status, really.stages, really.executable,
        )  # fmt: skip
        assert [r.text for r in call.reasons] == [r.text for r in really.reasons]
        assert (call.error is None) == (really.error is None)
        assert call.error is None or call.error.split(":")[0] == really.error.split(":")[0]
    assert planned.totals.compilations == made.totals.compilations == 3
    assert planned.totals.cache_hits == made.totals.cache_hits == 0


def test_what_is_not_looked_up_is_no_call(run):
    result = run("""
def twice(x): return plain(plain(x))
with jax.disable_jit():
    plain(x); jax.jit(twice)(x); filtered(x, 2)
plain(x)
""")
    assert told(result) == [("COMPILED", 1)]
    script = "with config(jax_disable_jit=True):\n    plain(f32[3]) * 3\nplain(f32[3])\n"
    assert told(run(script, ".calls")) == told(run(script, ".calls", plan=True)) == [("COMPILED", 1)]


@pytest.mark.parametrize(
    ("calls", "text"),
    [
        ("jax.vmap(plain, in_axes=1)(wide); jax.vmap(plain)(wide)", "vmap over 4 on axis 1 → vmap over 4"),
        ("jax.jvp(plain, (x,), (x,)); jax.vjp(plain, x)", "jvp → grad"),
        pytest.param(
            "jax.vjp(plain, x); jax.linearize(plain, x)", "grad → linearize",
            marks=pytest.mark.skipif(jax.__version_info__ < (0, 9), reason="0.8 has one trace for both"),
        ),
        ("jax.jvp(plain, (x,), (x,)); jax.jacfwd(plain)(x)", "jvp → jvp along vmap over 3"),
        ("f = jax.jit(lambda a, b: a * b)\njax.vmap(f, (0, 0))(wide, wide)\n"
         "jax.vmap(f, (0, None))(wide, wide[0])", "vmap over 4 → a: vmap over 4; b: nothing"),
    ],
)  # fmt: skip
def test_transformations_are_told_apart(run, calls, text):
    result = run(calls)
    assert texts(result) == [f"called under: {text}"]


def test_the_nearest_hides_no_difference(run):
    result = run("@jax.jit\ndef g(p): return p[0]\n"
                 "g(Pair(x, x)); g((x, x)); g(Pair(x, None))")  # fmt: skip
    assert result.report.calls[2].nearest == 0
    assert texts(result) == ["p.b: f32[3] → None"]


def test_built_in_functions_are_told_apart(run):
    result = run("import operator\njax.jit(operator.add)(x, x); jax.jit(sum)(x)")
    assert why(result) == [("first_call", None)]


def test_hints_name_what_padding_takes(run):
    script = "variadic([f32[3]], z=f32[4])\nvariadic([f32[5]], z=f32[4])\nvariadic([f32[5]], z=f32[3])\n"
    hints = [call.reasons[0].hint for call in run(script, ".calls").report.calls[1:]]
    assert [shlex.split(hint[hint.index("--pad") :])[1] for hint in hints] == [
        "a[0][0].0=pow2", "k['z'].0=pow2",
    ]  # fmt: skip
    result = run(script, ".calls", plan=True, pads=("a[0][0].0=8", "k['z'].0=pow2"))
    assert result.report.exit_code == 0
    assert result.report.policies[0].compilations == 1
    (reason,) = run("plain(x); plain(jnp.ones(2))").report.calls[1].reasons
    assert "--plan" not in reason.hint


@pytest.mark.parametrize("pad", ["y.0=pow2", "x.1=pow2"])
def test_a_padding_of_nothing_is_told(run, pad):
    result = run("plain(f32[3])\n", ".calls", plan=True, pads=(pad,))
    assert result.error.exit_code == result.report.exit_code == 2
    assert "x.0" in result.error.hint and result.report.totals.calls == 1 and result.report.stopped is None


def test_long_static_values_are_shown_where_they_differ(run):
    result = run("f = jax.jit(lambda n: x, static_argnums=0)\nf((0,) * 99 + (1,)); f((0,) * 99 + (2,))")
    (reason,) = result.report.calls[1].reasons
    assert reason.before.endswith("0, 1)") and reason.now.endswith("0, 2)")


def test_a_static_of_another_type_is_told_by_its_type(run):
    (reason,) = run("power(x, 1); power(x, True)").report.calls[1].reasons
    assert "by type" in reason.hint and "never equal" not in reason.hint


def test_a_call_that_cannot_be_read_is_unknown_with_what_was_seen(run, monkeypatch):
    def read(*args):
        raise RuntimeError("not readable")

    monkeypatch.setattr(SignatureReader, "read", read)
    result = run("plain(x); plain(x); plain(jnp.ones(2))")
    assert [status for status, _ in told(result)] == ["COMPILED", "CACHED", "COMPILED"]
    assert why(result, 0) == [("first_call", None)] and why(result, 2) == [("unknown", None)]
    assert "plain(f32[2]): RuntimeError: not readable" in texts(result)[0]


STALE = """
import dataclasses
@dataclasses.dataclass(unsafe_hash=True)
class Config:
    gain: float
config = Config(1.0)
scaled = functools.partial(jax.jit, static_argnames="c")(lambda x, c: x * c.gain)
results = []
for config.gain in (1.0, 2.0, 1.0): results.append(float(scaled(x, c=config)[0]))
print(results)
"""


def test_a_stale_result_is_warned_of(run, capsys):
    result = run("import functools\n" + STALE)
    if "[1.0, 2.0, 1.0]" in capsys.readouterr().out:  # from jax 0.12 on
        assert result.report.warnings == ()
        assert texts(result, 1) == ["c.gain: 1.0 → 2.0 (changed in place)"]
    elif jax.__version__.startswith("0.10."):  # an older one says nothing of a mere look-up
        (warning,) = result.report.warnings
        assert warning.endswith("c was changed in place; make a new object for each value")
        assert "returned what was compiled for c.gain = 1.0, which is 2.0 now" in warning
