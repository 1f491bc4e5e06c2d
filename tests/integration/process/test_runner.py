"""Unusual programs and scripts, which run as under Python or are refused with the line."""

import json
import os
import sys

import pytest

from jitinspect.calls.trace_cache import Listeners, Request, trace_cache
from jitinspect.errors import UsageError
from jitinspect.jaxapi.calls.explanations import agrees
from jitinspect.jaxapi.keys.context import setting
from jitinspect.model import Reason

HEAD = (
    "import jax\nimport numpy as np\nones = lambda n: np.ones(n, np.float32)\nf = jax.jit(lambda x: x + 1)\n"
)
MODULE = "import jax\nf = jax.jit(lambda x: x + 1)\n"


@pytest.fixture
def run(write):
    def run(text, name="prog.py", notes=None, **fields):
        write("m.py", MODULE)
        script = write(name, (HEAD if name.endswith(".py") else "") + text)
        listeners = Listeners(on_note=notes.append) if notes is not None else Listeners()
        return trace_cache(Request(script, **fields), listeners)

    return run


def statuses(result):
    return [call.status for call in result.report.calls]


def test_a_linked_script_finds_the_neighbours_of_its_file(write):
    write("real/prog.py", HEAD + "import neighbour\nf(ones(3))\n")
    write("real/neighbour.py", "")
    link = write("link/.keep", "").parent / "prog.py"
    link.symlink_to("../real/prog.py")
    assert statuses(trace_cache(Request(link), Listeners())) == ["COMPILED"]


def test_the_current_folder_is_importable_only_if_python_would_have_it_so(write, monkeypatch):
    write("here.py", "")
    script = write("below/prog.py", HEAD + "import here\n")
    monkeypatch.setattr(sys, "path", [os.getcwd(), *(one for one in sys.path if one != os.getcwd())])
    assert "ModuleNotFoundError" in trace_cache(Request(script), Listeners()).report.stopped
    assert sys.path[0] == os.getcwd()


def test_the_arguments_of_a_failed_call_are_released(run):
    result = run("""
import gc, weakref
@jax.jit
def bad(x):
    return x @ ones(4)
given = []
def outer(x):
    bad(x)
for _ in range(5):
    x = jax.numpy.ones(3)
    given.append(weakref.ref(x))
    try:
        outer(x)
    except TypeError:
        pass
del x
gc.collect()
assert not any(one() is not None for one in given)
""")
    assert result.report.stopped is None and len(result.report.calls) == 5
    traceback = result.report.calls[0].traceback
    assert traceback.index("in outer") < traceback.index("in bad") and "jitinspect/" not in traceback


@pytest.mark.parametrize("end", ["sys.exit(3)", "1 / 0", ""])
def test_threads_and_pools_are_joined_however_the_program_ends(run, end):
    result = run(f"""
import sys, threading, time
from concurrent.futures import ThreadPoolExecutor
pool = ThreadPoolExecutor()
pool.submit(f, ones(3))
def later():
    time.sleep(0.5)
    f(ones(5))
threading.Thread(target=later).start()
{end}
""")
    assert sorted(call.signature for call in result.report.calls) == ["<lambda>(f32[3])", "<lambda>(f32[5])"]


def test_a_compiled_call_that_is_refused_shows_its_arguments(run):
    result = run("c = f.lower(ones(4)).compile()\ntry:\n    c(ones(3))\nexcept TypeError:\n    pass\n")
    (call,) = result.report.calls
    assert (call.signature, call.executable) == ("<lambda>(f32[3])", None) and call.error
    assert result.report.totals.cache_hits == 0


BAD = [
    ("with config(jax_platforms='tpu'):\n    f(f32[3])", "jax_platforms cannot be set temporarily"),
    ("with config(jax_enable_x64='maybe'):\n    f(f32[3])", "jax_enable_x64 does not accept 'maybe'"),
]


@pytest.mark.parametrize("plan", [False, True])
@pytest.mark.parametrize(("line", "message"), BAD)
def test_calling_something_uncallable_is_an_error_with_its_line(run, line, message, plan):
    result = run(f"from m import f\nf(f32[3])\n{line}\n", "bad.calls", plan=plan)
    assert message in result.error.message and "bad.calls:" in result.error.message
    assert result.error.exit_code == 2 and statuses(result) == ["COMPILED"]


def test_arrays_beyond_the_memory_are_not_tried(run):
    result = run("from m import f\nf(f32[3])\nf(f32[99999999999999])\n", "big.calls")
    assert "big.calls:3: its arrays take 372,529.0 GiB" in result.error.message
    assert statuses(result) == ["COMPILED"]


@pytest.mark.parametrize("plan", [False, True])
@pytest.mark.parametrize("name", ["u.calls", "u.jsonl"])
def test_a_byte_that_is_not_utf8_is_reported_with_its_line(write, name, plan):
    write("m.py", MODULE)
    good = "from m import f\nf(f32[3])\n" if name == "u.calls" else f"{_line('f32[3]')}\n{_line('f32[3]')}\n"
    script = write(name, "")
    bad = "f(f32[3])  # é" if name == "u.calls" else _line("f32[3]", note="é")
    script.write_bytes(good.encode() + bad.encode("latin-1") + b"\n")
    result = trace_cache(Request(script, plan=plan), Listeners())
    assert f"{name}:3: the byte 0xe9 is not UTF-8" in result.error.message
    assert statuses(result)[:1] == ["COMPILED"]


def _line(arg, **more):
    return json.dumps({"fn": "m:f", "args": [arg], **more}, ensure_ascii=False)


@pytest.mark.parametrize("plan", [False, True])
def test_keys_without_meaning_are_reported_once(run, plan):
    notes = []
    lines = [
        _line("f32[3]", step=1),
        _line("f32[3]", step=2),
        _line("f32[3]", conifg={"jax_enable_x64": True}),
    ]
    result = run("\n".join(lines), "log.jsonl", notes, plan=plan)
    (note,) = [one for one in notes if "ignored" in one]
    assert '"step", "conifg"; a call has fn, args' in note and len(result.report.calls) == 3


@pytest.mark.parametrize("plan", [False, True])
def test_the_settings_of_a_line_apply(run, plan):
    result = run(
        f"{_line('f32[3]')}\n{_line('f32[3]', config={'jax_enable_x64': True})}\n", "c.jsonl", plan=plan
    )
    assert [one.where for one in result.report.calls[1].reasons] == ["jax_enable_x64"]


def test_a_repetition_is_counted_at_once(run):
    report = run("from m import f\nf(f32[3]) * 1000000000000\nf(f32[4])\n", "r.calls", plan=True).report
    assert (report.totals.calls, report.totals.cache_hits) == (10**12 + 1, 10**12 - 1)
    assert len(report.calls) == 10_001 and report.calls[-1].index == 10**12
    assert report.omitted == 10**12 - 10_000


@pytest.mark.parametrize(
    ("name", "value", "taken"),
    [
        ("jax_enable_x64", True, True), ("jax_enable_x64", 1, False), ("jax_enable_x64", None, False),
        ("jax_default_matmul_precision", "float32", True), ("jax_default_matmul_precision", None, True),
        ("jax_numpy_rank_promotion", "raise", True), ("jax_numpy_rank_promotion", 3, False),
        ("jax_numpy_dtype_promotion", "strict", True), ("jax_random_seed_offset", "1", False),
    ],
)  # fmt: skip
def test_a_setting_takes_values_of_its_type(name, value, taken):
    if taken:
        with setting(name, value):
            return
    with pytest.raises(UsageError, match=f"{name} does not accept"):
        setting(name, value)


KEYS, STATICS = "with the symmetric difference of key sets: {'b'}", "Static(val=2) and before … Static(val=1)"
TYPES = "now <class 'tuple'> and before <class 'dict'>"


@pytest.mark.parametrize(
    ("kind", "before", "now", "text", "same"),
    [
        ("structure", "{'a'}", "{'a', 'b'}", KEYS, True),
        ("structure", "{'a'}", "{'a', 'c'}", KEYS, False),
        ("structure", "dict {'a'}", "tuple of 1", TYPES, True),
        ("structure", "tuple of 1", "tuple of 2", TYPES, False),
        ("static_value", "1", "2", STATICS, True),
        ("shape", "f32[3]", "f32[4]", STATICS, False),
        ("call_form", "by position", "default", "so the lengths do not match", True),
        ("new_function", "an earlier function", "made again", "never seen function:\n  f id=1", True),
    ],
)  # fmt: skip
def test_jax_agrees_in_its_own_words(kind, before, now, text, same):
    assert agrees(f"different input pytree:\n  * {text}", [Reason(kind, "x", before, now, None, "")]) is same
