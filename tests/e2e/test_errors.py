"""Every failure: its exit code, what it says, and what it says to type instead."""

import json
import sys

import pytest

BAD = """
import jax, jax.numpy as jnp
number = 3
def add(a, b):
    return a + b
def outer(a, b):
    return inner(a, b)
def inner(a, b):
    return jnp.dot(a, b)
def leave(a):
    raise SystemExit(7)
def count(a):
    yield a
async def later(a):
    return a
class Mute(Exception):
    def __str__(self):
        raise ValueError
def mute(a):
    raise Mute
def upto(n):
    return jnp.arange(n)
@jax.jit
def jitted(a, n=2):
    return a * n
def mode(a, kind):
    return a if kind == "same" else -a
"""
CASES = {
    "no colon": (["jaxpr", "samples.mlp"], 2, "does not name a function", "samples.mlp:normalize"),
    "no such module": (["jaxpr", "sampels.mlp:normalize"], 3, "sampels", "samples"),
    "no such name": (["jaxpr", "samples.mlp:normalise"], 3, "normalise", "samples.mlp:normalize"),
    "not callable": (["jaxpr", "bad:number"], 3, "int", "ls bad"),
    "a module": (["jaxpr", "bad:jnp"], 3, "is a module", "jax.numpy:"),
    "no such option": (["jaxpr", "bad:add", "--shap", "3"], 2, "--shap", ""),
    "spec does not parse": (["jaxpr", "bad:add", "--arg", "f32[3"], 2, "", ""),
    "spec of no dtype": (["jaxpr", "bad:add", "--arg", "f33[3]"], 2, "f33", "f32"),
    "too few arguments": (["jaxpr", "bad:add", "--shape", "3"], 2, "'b'", "--arg 'b=f32[…]'"),
    "too many arguments": (["jaxpr", "bad:add", "-s", "3", "-s", "3", "-s", "3"], 2, "too many", ""),
    "no such keyword": (["jaxpr", "bad:add", "-s", "3", "-a", "c=f32[3]"], 2, "'b'", ""),
    "dimension without a size": (["jaxpr", "bad:add", "-s", "B", "-s", "B"], 2, "B", "--dim B="),
    "unhashable static": (
        ["jaxpr", "bad:mode", "-s", "3", "-a", "kind=['same']", "--static", "kind"],
        2, "hash", "tuple",
    ),
    "static without a value": (
        ["jaxpr", "bad:mode", "-s", "3", "-s", "3", "--static", "kind"], 2, "static", "--arg",
    ),
    "a string, not static": (["jaxpr", "bad:mode", "-s", "3", "-a", "'same'"], 2, "static", "--static kind"),
    "no such static": (["jaxpr", "bad:mode", "-s", "3", "--static", "kin"], 2, "kin", "--static kind"),
    "static of a jitted target": (["jaxpr", "bad:jitted", "-s", "3", "--static", "n"], 2, "already", "leave"),
    "no such transform": (["jaxpr", "bad:add", "-t", "gard"], 2, "gard", "grad"),
    "sharding without a mesh": (["jaxpr", "bad:jitted", "-a", "f32[8]@P('x')"], 2, "mesh", "--mesh"),
    "no such axis": (["jaxpr", "bad:jitted", "-a", "f32[8]@P('y')", "--mesh", "x=1"], 2, "y", "x"),
    "no such device": (["jaxpr", "bad:jitted", "-a", "f32[8]@tpu:0"], 6, "tpu", ""),
    "no such platform": (["stablehlo", "bad:jitted", "-s", "3", "--platform", "gpu"], 6, "gpu", "cuda"),
    "shape error in the function": (["jaxpr", "bad:outer", "-s", "2,3", "-s", "4,5"], 4, "dot", ""),
    "a folder that is not there": (["jaxpr", "bad:jitted", "-s", "3", "-o", "no/where.json"], 2, "no", ""),
    "a report that is not there": (["view", "nothing.json"], 3, "nothing.json", ""),
    "a report that is none": (["view", "bad.py"], 3, "not a jitinspect report", "-o"),
    "an async function": (["jaxpr", "bad:later", "-s", "3"], 3, "async", ""),
    "an error without words": (["jaxpr", "bad:mute", "-s", "3"], 4, "Mute", ""),
    "a value is needed": (["jaxpr", "bad:upto", "-s", ""], 4, "Concretization", "--static n"),
    "a static is missing": (
        ["jaxpr", "bad:mode", "-s", "3", "--static", "kind"], 2, "'kind'", "--arg 'kind=…'",
    ),
    "a dimension twice": (
        ["jaxpr", "bad:jitted", "-s", "B", "--dim", "B=1", "--dim", "B=2"], 2, "twice", "B=1,2",
    ),
    "too many devices": (["jaxpr", "bad:jitted", "-a", "f32[3]@cpu:99999"], 2, "too many", "4096"),
    "sys.exit in the function": (["jaxpr", "bad:leave", "-s", "3"], 4, "sys.exit(7)", ""),
    "a generator": (["jaxpr", "bad:count", "-s", "3"], 3, "generator", ""),
    "raises on import": (["jaxpr", "raises:f"], 3, "ValueError", ""),
    "exits on import": (["jaxpr", "exits:f"], 3, "sys.exit(3)", ""),
    "ls of no module": (["ls", "sampels"], 3, "sampels", ""),
}  # fmt: skip


@pytest.fixture
def bad(shell):
    shell.write("bad.py", BAD)
    shell.write("raises.py", "def helper():\n    raise ValueError('on purpose')\nhelper()\n")
    shell.write("exits.py", "import sys\nsys.exit(3)\n")
    return shell


@pytest.mark.parametrize("case", CASES)
def test_failure_has_its_exit_code_and_says_what_to_type(bad, case):
    arguments, code, message, hint = CASES[case]
    finished = bad(*arguments)
    assert finished.returncode == code, finished.stderr
    assert finished.stdout == ""
    text = finished.stderr
    assert "error: " in text and "jitinspect/" not in text.replace(str(bad.folder), "")
    told, _, hinted = text.partition("error: ")[2].partition("hint:")
    assert message in told
    assert hint in hinted


@pytest.mark.parametrize(
    "case", ["no such name", "spec of no dtype", "shape error in the function", "no such option"]
)
def test_under_json_the_error_is_a_document(bad, case):
    arguments, code, message, _ = CASES[case]
    finished = bad(*arguments, "--json")
    document = json.loads(finished.stdout)
    assert set(document) == {"schema", "command", "error"} and document["command"] == "jaxpr"
    assert {"kind", "message", "hint", "exit_code"} <= set(document["error"])
    assert document["error"]["exit_code"] == code == finished.returncode
    assert message in document["error"]["message"]


def test_a_spec_error_has_a_caret_and_does_not_wait_for_jax(bad):
    bad.write("sitecustomize.py", "import sys\nsys.modules['jax'] = sys.modules['jaxlib'] = None\n")
    finished = bad("jaxpr", "bad:add", "--arg", "f32[3,x y]", PYTHONPATH=str(bad.folder))
    assert finished.returncode == 2 and "\n" + " " * 8 in finished.stderr and "^" in finished.stderr


def test_the_traceback_is_the_user_s_own(bad):
    text = bad("jaxpr", "bad:outer", "-s", "2,3", "-s", "4,5").stderr
    assert 'bad.py", line 7, in outer' in text and 'bad.py", line 9, in inner' in text
    assert "site-packages/jax/" not in text and "jitinspect" not in text.replace(str(bad.folder), "")


def test_a_closed_over_failure_of_lowering_is_a_compile_error(bad):
    bad.write(
        "lowers.py",
        "import jax\nfrom jax.experimental import pallas as pl\n"
        "def kernel(x, y):\n    y[...] = x[...]\n"
        "def f(x):\n    return pl.pallas_call(kernel, out_shape=jax.ShapeDtypeStruct(x.shape, x.dtype))(x)\n",
    )
    finished = bad("stablehlo", "lowers:f", "--shape", "8,128")
    assert finished.returncode == 5 and "error: lowering failed" in finished.stderr


@pytest.mark.parametrize(
    "arguments", [["hlo", "bad:jitted", "-s", "3"], ["doctor"], ["jaxpr", "bad:jitted", "--json", "-s", "3"]]
)
def test_no_backend_is_told_as_such(bad, arguments):
    finished = bad(*arguments, JAX_PLATFORMS="bogus")
    assert finished.returncode == 6
    assert "'bogus'" in finished.stderr + finished.stdout and "Traceback" not in finished.stderr


@pytest.mark.parametrize(
    ("redirection", "code"), [(">&-", 0), ("2>&-", 0), (">&- 2>&-", 0), ("<&-", 0), (">/dev/full", 2)]
)
def test_streams_that_are_closed_or_full(bad, redirection, code):
    finished = bad.sh(f"jitinspect jaxpr bad:jitted -s 3 -q {redirection}")
    assert finished.returncode == code
    assert ("cannot write" in finished.stderr) == (code != 0)


FAULT = """
import sys
from jitinspect.cli import main
def broken(*args, **kwargs):
    raise RuntimeError("on purpose")
main.app = broken
sys.exit(main.run(sys.argv[1:]))
"""


@pytest.mark.parametrize("arguments", [["jaxpr"], ["jaxpr", "--json"]])
def test_a_fault_of_its_own_is_70_and_asks_for_a_report(bad, arguments):
    bad.write("fault.py", FAULT)
    finished = bad.run([sys.executable, "fault.py", *arguments])
    assert finished.returncode == 70
    told = json.loads(finished.stdout)["error"] if "--json" in arguments else {"detail": finished.stderr}
    assert "Traceback" in told["detail"] and "on purpose" in told["detail"]
    assert "please report it" in (told.get("hint") or finished.stderr)


@pytest.mark.parametrize(
    ("environ", "code"), [({"JAX_PLATFORMS": "cuda"}, 6), ({"JAX_ENABLE_X64": "banana"}, 2)]
)
def test_settings_that_cannot_be_are_told_by_name(bad, environ, code):
    for command in (["hlo", "bad:jitted", "-s", "3"], ["doctor"]):
        finished = bad(*command, **environ)
        assert finished.returncode == code and next(iter(environ)).lower() in finished.stderr.lower()
        assert "Traceback" not in finished.stderr


def test_a_module_that_clears_all_listeners(bad):
    bad.write("clears.py", "import jax\njax.monitoring.clear_event_listeners()\ndef f(x):\n    return x\n")
    finished = bad("jaxpr", "clears:f", "-s", "3")
    assert finished.returncode == 0 and "lambda" in finished.stdout
