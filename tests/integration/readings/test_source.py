"""`source`: what each line of a user's function became, counted a second way."""

import jax
import pytest

from jitinspect import specs
from jitinspect.errors import UsageError
from jitinspect.readings import source
from jitinspect.stages import inspection

NET = '''
import jax, jax.numpy as jnp
from helper import squash

def layer(x, w):
    h = x @ w
    return squash(h) + x


@jax.jit
def net(x, ws):
    """Lines without code stand there, too."""
    for w in ws:
        x = layer(x, w)

    def body(carry, _):
        return carry @ carry, None

    return jax.lax.scan(body, x, None, length=7)[0]

def args():
    s = jax.ShapeDtypeStruct((64, 64), "float32")
    return s, [s] * 3
'''
OLDER = jax.__version_info__ < (0, 10)
HELPER = "import jax\ndef squash(x):\n    return jax.nn.softmax(x)\n"


@pytest.fixture
def read(write, folder, monkeypatch):
    write("net.py", NET)
    write("helper.py", HELPER)
    monkeypatch.setattr("jitinspect.process.paths._HERE", f"{folder}/")  # as started in it

    def read(ref="net:net", **asked):
        request = inspection.Request(
            command="source", ref=ref, stages=(), **{"args_from": "net:args", **asked}
        )
        return inspection.read(request, source.read).source

    return read


def test_each_function_is_shown_whole_the_target_first(read):
    lines = read().lines
    assert [line.line for line in lines if line.file == "net.py"] == [*range(5, 8), *range(10, 20)]
    assert [line.line for line in lines if line.file == "helper.py"] == [2, 3]
    files = [line.file for line in lines]
    assert files.index("net.py") == 0 and files[-1] == "helper.py"
    by_line = {(line.file, line.line): line for line in lines}
    assert by_line["net.py", 6].text == "    h = x @ w"
    assert by_line["net.py", 15].text == "" and by_line["net.py", 12].equations == 0


def test_flops_of_a_line_count_its_products_as_often_as_they_run(read):
    lines = {(line.file, line.line): line for line in read().lines}
    product = 2 * 64**3
    # 0.8 and 0.9 split a reduction; its first half, which has no line, goes with the product before it
    assert 3 * product <= lines["net.py", 6].flops <= 3 * product * (1.01 if OLDER else 1)
    assert product * 7 <= lines["net.py", 17].flops < product * 7.01
    assert lines["helper.py", 3].equations >= 3 * 6 and lines["helper.py", 3].flops
    assert sum(line.share for line in lines.values()) == pytest.approx(1, abs=0.01)


def test_a_fusion_names_all_its_lines(read):
    found = read()
    lines = {}
    for line in found.lines:
        for name in line.fusions:
            lines.setdefault(name, set()).add((line.file, line.line))
    assert any({("net.py", 7), ("helper.py", 3)} <= own for own in lines.values())


def test_a_sweep_is_refused(read):
    with pytest.raises(UsageError, match="a single call"):
        read(dims={"B": (1, 2)})


@pytest.mark.skipif(OLDER, reason="there an equation's frames go on to the test that had it traced")
def test_what_has_no_line_is_counted(read):
    """JAX never counts its own files as the user's, whatever the target."""
    arguments = (specs.parse_argument("f32[8]"),)
    found = read(ref="jax.nn:gelu", args_from=None, arguments=arguments)
    assert found.without_line.equations == 8
