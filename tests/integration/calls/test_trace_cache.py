"""`trace_cache` over programs and scripts: each call gets its own events, and no one else's."""

import sys
import threading
from pathlib import Path

import jax
import pytest

from jitinspect.calls.call_log import CallLog
from jitinspect.calls.trace_cache import Listeners, Request, trace_cache

HEAD = """
import jax
import jax.numpy as jnp
import numpy as np
x, y = np.ones(3, np.float32), np.ones(4, np.float32)
"""


@pytest.fixture
def run(write):
    """Run a script of that name and text; the result."""

    def run(text, name="prog.py", **fields):
        script = write(name, (HEAD if name.endswith(".py") else "") + text)
        return trace_cache(Request(Path(script), **fields), Listeners())

    return run


def told(result):
    return [(call.function, call.status, call.executable) for call in result.report.calls]


def statuses(result):
    return [call.status for call in result.report.calls]


def test_each_call_is_a_row_and_names_its_executable(run):
    result = run("""
@jax.jit
def f(x):
    return x + 1

f(x); f(y); f(x); f(y)
""")
    assert told(result) == [
        ("f", "COMPILED", 1), ("f", "COMPILED", 2), ("f", "CACHED", 1), ("f", "CACHED", 2),
    ]  # fmt: skip
    first = result.report.calls[0]
    assert first.signature == "f(f32[3])"
    assert first.at.endswith("prog.py:11") and first.definition.endswith("prog.py:7")
    assert first.stages == ("trace", "lower", "compile") and set(first.seconds) == set(first.stages)
    assert result.report.calls[2].signature == "f(f32[3])"


@pytest.mark.parametrize(
    ("text", "function"),
    [
        ("from jax import jit\nf = jit(lambda x: x)\nf(x); f(x)", "<lambda>"),
        ("@jax.jit\ndef f(x): return x\nf(x); f(x)", "f"),
        ("from functools import partial\n@partial(jax.jit, static_argnums=1)\ndef f(x, n): return x\n"
         "f(x, 1); f(x, 1)", "f"),
        ("class A:\n    @jax.jit\n    def step(x): return x\nA.step(x); A.step(x)", "step"),
        ("class A:\n    def step(self, x): return x\nf = jax.jit(A().step)\nf(x); f(x)", "step"),
        ("class A:\n    @jax.tree_util.Partial(jax.jit, static_argnums=0)\n    def step(self, x): return x\n"
         "a = A()\na.step(x); a.step(x)", "step"),
        ("import equinox as eqx\n@eqx.filter_jit\ndef f(x, n): return x\nf(jnp.asarray(x), 1)\n"
         "f(jnp.asarray(x), 1)", "f"),
        ("from flax import nnx\n@nnx.jit\ndef f(x): return x\nf(x); f(x)", "f"),
        ("import optax\nf = jax.jit(optax.l2_loss)\nf(x); f(x)", "l2_loss"),
    ],
)  # fmt: skip
def test_every_spelling_of_a_jit_is_seen(run, text, function):
    assert told(run(text)) == [(function, "COMPILED", 1), (function, "CACHED", 1)]


def test_a_jit_of_an_imported_module_is_seen(run, write):
    write("library.py", "import jax\n@jax.jit\ndef f(x): return x * 2\n")
    result = run("from library import f\nf(x); f(x)")
    assert statuses(result) == ["COMPILED", "CACHED"]
    assert result.report.calls[0].definition.endswith("library.py:2")


def test_what_is_traced_into_another_jit_is_no_call(run):
    result = run("""
@jax.jit
def inner(x): return x + 1
@jax.jit
def outer(x): return inner(inner(x))
outer(x); inner(x); outer(x)
""")
    assert told(result) == [("outer", "COMPILED", 1), ("inner", "COMPILED", 2), ("outer", "CACHED", 1)]


def test_what_is_computed_while_tracing_is_jax_own_and_no_stage_of_the_call(run):
    result = run("""
@jax.jit
def f(x):
    with jax.ensure_compile_time_eval():
        return x + jnp.arange(17).sum()
f(x)
""")
    assert told(result) == [("f", "COMPILED", 1)]
    assert result.report.internal.compilations >= 1


def test_functions_of_one_name_are_kept_apart(run):
    result = run("""
def make(n):
    if n == 1:
        @jax.jit
        def f(x): return x + 1
    else:
        @jax.jit
        def f(x): return x + 2
    return f
one, two = make(1), make(2)
one(x); two(x); one(x); two(x)
a, b = jax.jit(lambda x: x + 3), jax.jit(lambda x: x + 4)
a(x); b(x); a(x)
""")
    assert [call.executable for call in result.report.calls] == [1, 2, 1, 2, 3, 4, 3]
    kinds = [call.reasons[0].kind for call in result.report.calls if call.reasons]
    assert kinds == ["first_call"] * 4


def test_threads_get_their_own_events(run):
    result = run("""
import threading
fs = [jax.jit(eval(f"lambda x: x + {n}")) for n in range(6)]
def work(f):
    for array in (x, y, x):
        f(array)
threads = [threading.Thread(target=work, args=(f,)) for f in fs]
[t.start() for t in threads]
[t.join() for t in threads]
""")
    calls = result.report.calls
    assert sorted(statuses(result)) == ["CACHED"] * 6 + ["COMPILED"] * 12
    assert all(call.stages == ("trace", "lower", "compile") for call in calls if call.status == "COMPILED")
    compiled = [call.executable for call in calls if call.status == "COMPILED"]
    assert sorted(compiled) == list(range(1, 13))


def test_a_call_that_raises_is_told_and_disturbs_no_other(run):
    result = run("""
@jax.jit
def f(x):
    if x.shape == (4,): raise ValueError("no fours")
    return x
f(x)
try: f(y)
except ValueError: pass
f(x)
""")
    assert statuses(result) == ["COMPILED", "TRACED", "CACHED"]
    failed = result.report.calls[1]
    assert failed.error == "ValueError: no fours" and failed.executable is None
    assert "no fours" in failed.traceback and "jitinspect/" not in failed.traceback


def test_donated_arguments_are_read_before_they_are_gone(run):
    result = run("""
from functools import partial
@partial(jax.jit, donate_argnums=0)
def f(state, x): return state + x
s = jnp.zeros(3)
for _ in range(3): s = f(s, x)
s = f(jnp.zeros((2, 3)), x)
s = f(s, x)
""")
    assert statuses(result) == ["COMPILED", "CACHED", "CACHED", "COMPILED", "CACHED"]
    assert result.report.calls[3].reasons[0].now == "f32[2,3]"


def test_an_executable_compiled_ahead_of_time_is_a_call_too(run):
    result = run("""
f = jax.jit(lambda x: x * 2)
compiled = f.lower(x).compile()
compiled(x); f(x); f(y)
other = f.trace(np.ones(5, np.float32)).lower().compile()
other(np.ones(5, np.float32))
""")
    assert [(call.status, call.executable) for call in result.report.calls] == [
        ("CACHED", 1), ("CACHED", 1), ("COMPILED", 2), ("CACHED", 3),
    ]  # fmt: skip
    assert result.report.ahead_of_time.compilations == 2
    assert result.report.calls[2].reasons[0].kind == "shape"


def test_what_was_only_lowered_is_no_earlier_call(run):
    result = run("""
f = jax.jit(lambda x: x * 2)
f.lower(x).cost_analysis()
f(x)
""")
    (call,) = result.report.calls
    assert (call.status, call.reasons[0].kind) == ("COMPILED", "first_call")


def test_an_executable_that_was_loaded_is_a_call_too(run):
    result = run("""
from jax.experimental.serialize_executable import deserialize_and_load, serialize
loaded = deserialize_and_load(*serialize(jax.jit(lambda x: x * 2).lower(x).compile()))
loaded(x); loaded(x)
""")
    assert [(call.status, call.executable) for call in result.report.calls] == [("CACHED", 2)] * 2


def test_a_call_that_jax_refuses_at_once_is_no_hit(run):
    result = run("""
from functools import partial
f = jax.jit(lambda x, n: x * n, static_argnames="n")
try: f(x, n=[1])
except ValueError: pass
""")
    (call,) = result.report.calls
    assert call.error and call.executable is None and result.report.totals.cache_hits == 0


def test_the_backward_pass_belongs_to_the_call_under_grad(run):
    result = run("""
f = jax.jit(lambda x: jnp.sum(jnp.sin(x)))
jax.grad(f)(x)
jax.grad(f)(x)
""")
    assert statuses(result) == ["COMPILED", "CACHED"]
    assert result.report.calls[0].at.endswith(":8") and result.report.calls[1].at.endswith(":9")


def test_another_jit_of_the_function_finds_its_executables(run):
    result = run("""
def f(x): return x + 1
one, two = jax.jit(f), jax.jit(f)
one(x); two(y); one(y); two(x)
""")
    assert [(call.status, call.executable) for call in result.report.calls] == [
        ("COMPILED", 1), ("COMPILED", 2), ("CACHED", 2), ("CACHED", 1),
    ]  # fmt: skip


def test_many_executables_are_told_apart_by_shape_static_value_and_structure(run):
    result = run("""
from functools import partial
@partial(jax.jit, static_argnames="n")
def f(p, n): return jax.tree.map(lambda a: a * n, p)
calls = [({"a": x}, 1), ({"a": y}, 1), ({"a": x}, 2), ({"a": x, "b": y}, 2), ([x], 2)]
for p, n in calls + calls[::-1]: f(p, n=n)
""")
    numbers = [call.executable for call in result.report.calls]
    assert numbers == [1, 2, 3, 4, 5, 5, 4, 3, 2, 1]


def test_static_fields_of_modules_are_named(run):
    result = run("""
import equinox as eqx
from flax import nnx

class Layer(eqx.Module):
    w: jax.Array
    act: str = eqx.field(static=True)
    def __call__(self, x): return getattr(jax.nn, self.act)(x * self.w)

@eqx.filter_jit
def apply(layer, x, scale): return layer(x) * scale

w = jnp.ones(3)
apply(Layer(w, "relu"), w, 2); apply(Layer(w, "gelu"), w, 2); apply(Layer(w, "gelu"), w, 3)

class Net(nnx.Module):
    def __init__(self): self.drop = nnx.Dropout(0.5, rngs=nnx.Rngs(0))
    def __call__(self, x): return self.drop(x)

@nnx.jit
def evaluate(net, x): return net(x)

net = Net()
evaluate(net, x); net.eval(); evaluate(net, x); evaluate(net, x)
""")
    told = [(r.kind, r.where, r.before, r.now) for call in result.report.calls for r in call.reasons]
    assert told == [
        ("first_call", None, None, None),
        ("static_value", "layer.act", "'relu'", "'gelu'"),
        ("static_value", "scale", "2", "3"),
        ("first_call", None, None, None),
        ("static_value", "net.drop.deterministic", "False", "True"),
    ]  # fmt: skip
    assert statuses(result)[-1] == "CACHED"


def test_code_of_equal_text_is_told_at_its_own_place(run):
    result = run("""
cell = "g = jax.jit(lambda v: v * 2)\\ng(x)\\ng(x)\\n"
for number in (1, 4):
    exec(compile(cell, f"<cell {number}>", "exec"), globals())
""")
    assert [(call.definition, call.at) for call in result.report.calls] == [
        (f"<cell {number}>:1", f"<cell {number}>:{line}") for number in (1, 4) for line in (2, 3)
    ]
    assert result.report.calls[2].reasons[0].text.endswith("jitted again at <cell 4>:1")


def test_functions_of_equal_text_in_two_files_are_not_compared(run, write):
    for name in ("first", "second"):
        write(f"{name}.py", "import jax\n@jax.jit\ndef f(x): return x * 2\n")
    result = run("import first, second\nfirst.f(x); second.f(x); second.f(y)")
    assert [call.reasons[0].kind for call in result.report.calls] == ["first_call", "first_call", "shape"]


def test_a_compiled_that_is_called_with_other_types_says_which(run):
    result = run("""
f = jax.jit(lambda x, y: x).lower(x, x).compile()
for arguments in ((x, y), (x, x, x)):
    try: f(*arguments)
    except TypeError: pass
""")
    types, trees = [call.error for call in result.report.calls]
    assert types == "TypeError: Argument 'y' compiled with float32[3] and called with float32[4]"
    assert "at args, seen" in trees and "tuple of length 3" in trees and "\n" not in trees


def run_meanwhile():
    """Run the program's function `meanwhile` to its end in another thread, if the program has one by now."""
    if meanwhile := vars(sys.modules["__main__"]).pop("meanwhile", None):
        thread = threading.Thread(target=meanwhile)
        thread.start()
        thread.join()


class MeanwhileCompiled(CallLog):
    """JAX has compiled a call, and the log has not been told yet."""

    def missed(self, frame, error):
        run_meanwhile()
        super().missed(frame, error)


class MeanwhileTold(CallLog):
    """The log is being told of a call, which has its place in the log."""

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        explain = self.verdicts.explain

        def explained(miss, index):
            run_meanwhile()
            return explain(miss, index)

        self.verdicts.explain = explained


MEANWHILE = """
@jax.jit
def f(x):
    return x * 2

@jax.jit
def g(x):
    return x + 1

f(x); g(x)
"""


@pytest.mark.parametrize(
    ("log", "meanwhile", "rows"),
    [
        (MeanwhileCompiled, "f(y)", ["f(f32[4]) CACHED 3", "f(f32[4]) COMPILED 3"]),
        (MeanwhileCompiled, "f(jnp.asarray(y))", ["f(f32[4]) CACHED 3", "f(f32[4]) COMPILED 3"]),
        (MeanwhileCompiled, "f(x)", ["f(f32[3]) CACHED 1", "f(f32[4]) COMPILED 3"]),
        (MeanwhileTold, "g(x)", ["f(f32[4]) COMPILED 3", "g(f32[3]) CACHED 2"]),
    ],
)
def test_a_cached_call_and_a_compilation_at_once(run, monkeypatch, log, meanwhile, rows):
    monkeypatch.setattr("jitinspect.calls.trace_cache.CallLog", log)
    calls = run(f"{MEANWHILE}def meanwhile(): {meanwhile}\nf(y); f(y)").report.calls
    assert [call.index for call in calls] == list(range(5))
    told = [f"{call.signature} {call.status} {call.executable}" for call in calls]
    assert told == ["f(f32[3]) COMPILED 1", "g(f32[3]) COMPILED 2", *rows, "f(f32[4]) CACHED 3"]


def test_rows_are_numbered_as_called_also_where_not_all_are_kept(run, monkeypatch):
    monkeypatch.setattr("jitinspect.calls.trace_cache.MOST_ROWS", 3)
    result = run("@jax.jit\ndef f(x): return x\nfor n in (3, 3, 3, 4, 4, 4, 5, 5): f(np.ones(n, 'f'))")
    assert [(call.index, call.status) for call in result.report.calls] == [
        (0, "COMPILED"), (1, "CACHED"), (2, "CACHED"), (3, "COMPILED"), (6, "COMPILED"), (7, "CACHED"),
    ]  # fmt: skip
    assert result.report.omitted == 2


def test_calls_script_is_replayed_with_its_lines(run, write):
    write("library.py", "import jax\n@jax.jit\ndef f(x): return x * 2\n")
    result = run("from library import f\nf(f32[3])\nf(f32[3]) * 2\nf(f32[4])\n", "s.calls")
    assert statuses(result) == ["COMPILED", "CACHED", "CACHED", "COMPILED"]
    assert [call.at.rpartition(":")[2] for call in result.report.calls] == ["2", "3", "3", "4"]


@pytest.mark.parametrize("plan", [False, True])
def test_jsonl_is_the_same_script(run, write, plan):
    write("library.py", "import jax\n@jax.jit\ndef f(x): return x * 2\n")
    lines = ['{"fn": "library:f", "args": ["f32[3]"]}', '{"fn": "library:f", "args": ["f32[4]"]}'] * 2
    result = run("\n".join(lines), "s.jsonl", plan=plan)
    assert [(call.status, call.executable) for call in result.report.calls] == [
        ("COMPILED", 1), ("COMPILED", 2), ("CACHED", 1), ("CACHED", 2),
    ]  # fmt: skip


def test_a_plan_runs_nothing(run, write):
    write("library.py", "import jax\n@jax.jit\ndef f(x): raise SystemExit('it ran')\n")
    result = run("from library import f\nf(f32[3])\nf(f32[3])\n", "s.calls", plan=True)
    assert statuses(result) == ["COMPILED", "CACHED"] and result.report.planned


def test_a_plan_counts_what_padding_would_leave(run, write):
    write("library.py", "import jax\n@jax.jit\ndef f(x, y): return x.sum() + y.sum()\n")
    sizes = [17, 30, 31, 32, 33, 64, 100]
    script = "from library import f\n" + "".join(f"f(f32[{n},4], f32[{n}])\n" for n in sizes)
    pads = ("x.0=pow2", "y.0=pow2")
    result = run(script, "s.calls", plan=True, pads=pads)
    (policy,) = result.report.policies
    assert result.report.totals.compilations == 7 and policy.compilations == 3
    added = sum((32 if n <= 32 else 64 if n <= 64 else 128) - n for n in sizes) * 5
    assert policy.padded == added and policy.share == pytest.approx(added / (sum(sizes) * 5))


def test_config_blocks_hold_for_their_calls(run, write):
    write("library.py", "import jax\n@jax.jit\ndef f(x): return x * 2\n")
    script = """
from library import f
f(f32[3])
with config(jax_default_matmul_precision='float32'):
    f(f32[3])
f(f32[3])
"""
    for plan in (False, True):
        result = run(script, "s.calls", plan=plan)
        assert statuses(result) == ["COMPILED", "COMPILED", "CACHED"]
        reason = result.report.calls[1].reasons[0]
        assert (reason.kind, reason.where) == ("config", "jax_default_matmul_precision")


def test_cached_calls_beyond_the_limit_are_counted(run, monkeypatch):
    monkeypatch.setattr("jitinspect.calls.trace_cache.MOST_ROWS", 10)
    result = run("f = jax.jit(lambda x: x)\nfor _ in range(95): f(x)\nf(y)\nfor _ in range(4): f(x)")
    report = result.report
    assert report.totals.calls == 100 and report.totals.cache_hits == 98
    assert len(report.calls) + report.omitted == 100
    assert [call.status for call in report.calls if call.status != "CACHED"] == ["COMPILED", "COMPILED"]
    assert [call.index for call in report.calls if call.status == "COMPILED"] == [0, 95]


def test_all_that_was_replaced_is_put_back(run):
    before = (
        jax.jit, jax.clear_caches, jax.stages.Compiled.__call__, jax.stages.Lowered.compile,
        jax.stages.Traced.lower, list(sys.argv), list(sys.path), sys.modules["__main__"],
    )  # fmt: skip
    run("raise ValueError")
    assert before == (
        jax.jit, jax.clear_caches, jax.stages.Compiled.__call__, jax.stages.Lowered.compile,
        jax.stages.Traced.lower, list(sys.argv), list(sys.path), sys.modules["__main__"],
    )  # fmt: skip


@pytest.mark.parametrize("plan", [False, True])
def test_keys_of_both_kinds_and_narrow_floats(run, write, plan):
    write("library.py", "import jax\n@jax.jit\ndef f(k, x): return x\n")
    script = "from library import f\nf(key[], bf16[3])\nf(key<rbg>[], bf16[3])\nf(key[], f64[3])\n"
    calls = run(script, "s.calls", plan=plan).report.calls
    assert [call.signature for call in calls] == [
        "f(key<fry>[], bf16[3])", "f(key<rbg>[], bf16[3])", "f(key<fry>[], f32[3])",
    ]  # fmt: skip
    assert [(r.kind, r.before, r.now) for call in calls[1:] for r in call.reasons] == [
        ("dtype", "key<fry>[]", "key<rbg>[]"), ("dtype", "bf16[3]", "f32[3]"),
    ]  # fmt: skip


def test_what_is_jitted_out_of_sight_is_counted_apart(run):
    result = run("""
jnp.ones(19)
from jax._src.api import jit as hidden
hidden(lambda x: x + 1)(x)
""")
    assert result.report.calls == ()
    assert result.report.unwatched.compilations == 1 and result.report.internal.compilations >= 1


@pytest.mark.parametrize(
    "call",
    [
        "jax.lax.map(double, x)",
        "jax.lax.cond(True, double, double, x)",
        "jnp.piecewise(x, [x < 1, x >= 1], [double, double])",
        "jax.pmap(double)(x[None])",
        "jax.export.export(jax.jit(double))(jax.ShapeDtypeStruct((3,), x.dtype)).call(x)",
        "jax.grad(lambda v: jax.checkpoint(jax.jit(double))(v).sum())(x)",
    ],
)
def test_what_a_program_compiles_outside_of_its_calls_is_not_jaxs_own(run, call):
    program = f"""
import jax.export
def double(x): return x * 2
{call}
"""
    jax.clear_caches()
    report = run(program).report
    assert report.calls == () and report.unwatched.compilations >= 1


def test_a_call_under_grad_is_read_in_the_context_of_the_call_and_not_amid_its_body(run):
    report = run("""
from jax.sharding import PartitionSpec as P
mesh = jax.make_mesh((1,), ("d",), axis_types=(jax.sharding.AxisType.Auto,))
double = jax.jit(jax.shard_map(lambda x: x * 2, mesh=mesh, in_specs=P("d"), out_specs=P("d")))
double(x)
for _ in range(2):
    jax.grad(lambda x: double(x).sum())(x)
""").report
    assert [call.status for call in report.calls] == ["COMPILED", "COMPILED", "CACHED"]
    assert [reason.text for reason in report.calls[1].reasons] == ["called under: nothing → grad"]
    assert report.calls[2].executable == 2


def test_a_variable_that_appears_in_a_module_is_named_with_the_line_that_makes_it(run):
    program = """
from flax import nnx
import warnings
warnings.simplefilter("ignore")

class Layer(nnx.Module):
    def __init__(self): self.w = nnx.Param(jnp.ones(3))
    def __call__(self, x):
        self.sow(nnx.Intermediate, "h", x)
        return x * self.w[...]

class Net(nnx.Module):
    def __init__(self): self.layer = Layer()
    def __call__(self, x): return self.layer(x)
    def remember(self, x):
        self.last = nnx.Variable(x)
        self.mode = "warm"

@nnx.jit
def evaluate(net, x): return net(x)

net = Net()
evaluate(net, x); evaluate(net, x); evaluate(net, x)
nnx.pop(net, nnx.Intermediate)
evaluate(net, x)
net.remember(jnp.ones(2)); evaluate(net, x)
nnx.pop(net, nnx.Intermediate); del net.last; del net.mode
net.layer.w = nnx.Param(jnp.ones(1)); evaluate(net, x)
"""
    calls = run(program).report.calls
    sown = HEAD.count("\n") + program.splitlines().index('        self.sow(nnx.Intermediate, "h", x)') + 1
    told = [[reason.text for reason in call.reasons] for call in calls]
    assert told[1][0].startswith("net.layer.h: Intermediate appeared, made at ") and len(told[1]) == 1
    assert told[1][0].endswith(f"prog.py:{sown}")
    assert told[2:4] == [["net.layer.h: tuple of 1 → tuple of 2"], []]
    assert [text.partition(", made")[0] for text in told[4]] == [
        "net.last: Variable appeared", "net.mode: 'warm' appeared",
    ]  # fmt: skip
    assert told[5] == ["net.layer.w: f32[3] → f32[1]"]
    assert not any(reason.kind == "unknown" for call in calls for reason in call.reasons)


def test_a_call_stands_where_the_program_led_to_it(run):
    result = run("""
import functools, optax

@functools.singledispatch
def apply(x): return f(x)

f = jax.jit(lambda x: x + 1)
apply(x)
list(map(f, [x]))
jax.tree.map(f, [y])
""")
    lines = [call.at.rpartition(":")[2] for call in result.report.calls]
    assert lines == ["10", "14", "15"]


def test_calls_that_the_fast_path_does_not_serve_are_noted(run):
    result = run("""
@jax.jit
def f(x):
    if failing: raise ValueError
    return x + 1

failing = True
try: f(x)
except ValueError: pass
failing = False
for _ in range(1000): f(x)
""")
    (told,), (note,) = result.report.functions, result.report.notes
    assert (told.calls, told.cache_hits, told.slow_hits) == (1001, 999, 999)
    place = result.report.calls[1].at
    assert note.startswith(f"f: 999 of 999 cached calls, at {place}, did not use jit's fast path")
    assert f"raised at {result.report.calls[0].at}, " in note
