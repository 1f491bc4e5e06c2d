"""`source`: what each line of a user's function became, counted a second way."""

from pathlib import Path

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


LIBRARY = """
    import jax
    import jax.numpy as jnp

    class Model:
        def __init__(self, layer):
            self.layer = layer

        def apply(self, w, x):
            return self.layer(w, x)

    def dense(w, x):
        return x @ w

    @jax.jit
    def activation(x):
        return jnp.log1p(jnp.exp(x))
"""
OTHER = """
    import jax.numpy as jnp
    from lib import dense

    def layer(w, x):
        h = dense(w, x)
        return logcosh(h)

    def logcosh(x):
        return jnp.log(jnp.cosh(x))
"""
OF_LIBRARY = """
    import jax
    import lib

    def mine(w, x):
        x = lib.dense(w, x)
        x = x / 3
        return lib.activation(x).sum()

    model = lib.Model(mine)

    def through(w, x):
        return model.apply(w, x)

    def args():
        return jax.ShapeDtypeStruct((16, 8), "float32"), jax.ShapeDtypeStruct((4, 16), "float32")
"""


@pytest.fixture
def libraries(write, folder, monkeypatch):
    """The user's file `user.py`, and the libraries `lib` and `other`, as if installed."""
    write("site-packages/lib/__init__.py", LIBRARY)
    write("site-packages/other/__init__.py", OTHER)
    write("user.py", OF_LIBRARY)
    monkeypatch.syspath_prepend(str(folder / "site-packages"))


def used(found):
    return {(line.file, line.line): line for line in found.lines if line.instructions or line.equations}


def test_a_method_of_a_librarys_object_has_the_lines_of_the_user(read, libraries):
    """As a function of the user's that calls it has: whose code it is does not depend on the target."""
    through, method = (read(f"user:{name}", args_from="user:args") for name in ("through", "model.apply"))
    assert used(method) == used(through)
    assert set(used(method)) == {("user.py", 6), ("user.py", 7), ("user.py", 8)}
    assert method.without_line == through.without_line and not method.without_line.equations


@pytest.mark.skipif(OLDER, reason="there an equation's frames go on to the test that had it traced")
def test_a_library_alone_has_its_own_lines(read, libraries):
    """Not those of the library that it calls."""
    lines = used(read("other:layer", args_from="user:args"))
    assert {(Path(file).parent.name, line) for file, line in lines} == {("other", 6), ("other", 10)}
    product = next(one for (_, line), one in lines.items() if line == 6)
    assert (product.equations, product.operations) == (1, 1) and product.flops >= 2 * 4 * 16 * 8
    assert not any(line.equations and not line.operations for line in lines.values())


@pytest.mark.skipif(OLDER, reason="there an equation's frames go on to the test that had it traced")
def test_a_function_of_jaxs_has_jaxs_lines(read):
    arguments = (specs.parse_argument("f32[8,8]"),)
    found = read(ref="jax.scipy.linalg:expm", args_from=None, arguments=arguments)
    assert found.without_line.equations == found.without_line.operations == 0
    assert {line.file.rpartition("/jax/")[2] for line in found.lines} == {"_src/scipy/linalg.py"}
    assert len(used(found)) > 20


@pytest.mark.skipif(OLDER, reason="there an equation's frames go on to the test that had it traced")
def test_jaxs_lines_are_shown_only_where_jax_is_the_target(read, libraries):
    arguments = (specs.parse_argument("f32[8]"),)
    assert "jax" in read(ref="jax.nn:gelu", args_from=None, arguments=arguments).lines[0].file
    assert {file for file, _ in used(read("user:through", args_from="user:args"))} == {"user.py"}


STEP = """
    import jax
    import jax.numpy as jnp
    import optax

    optimizer = optax.adam(1e-3)

    def loss(params, x):
        for layer in params:
            x = jnp.tanh(x @ layer["w"] + layer["b"])
        for _ in range(9):
            x = x * 2
        return x.sum()

    def step(params, state, x):
        grads = jax.grad(loss)(params, x)
        updates, state = optimizer.update(grads, state)
        params = jax.tree.map(lambda p, u: jnp.where(jnp.isfinite(u), p + u, p), params, updates)
        return [{k: p * 0.99 + 0.01 * jnp.abs(p) for k, p in layer.items()} for layer in params], state

    def args():
        array = lambda *shape: jax.ShapeDtypeStruct(shape, "float32")
        params = [{"w": array(8, 8), "b": array(8)} for _ in range(6)]
        return params, jax.eval_shape(optimizer.init, params), array(4, 8)
"""


def test_only_the_loop_over_layers_is_to_be_scanned(read, write):
    """The same is repeated in the optimizer, in a `tree.map`, and in a comprehension over all leaves."""
    write("training.py", STEP)
    (loop,) = read("training:step", args_from="training:args").unrolled
    assert (loop.at, loop.text, loop.times) == ("training.py:9", "for layer in params:", 6)
    assert 8 <= loop.operations <= 20, "of the forward and the backward pass"


def test_of_a_docstring_only_the_first_line_is_shown(read, write):
    rest = "\n".join(f"        Note {n}." for n in range(30))
    write(
        "noted.py",
        f'''
    def f(x):
        """Twice the sine.

{rest}
        """
        text = """a value
        of two lines"""
        return 2 * jax.numpy.sin(x)

    import jax
    ''',
    )
    found = read("noted:f", args_from=None, arguments=(specs.parse_argument("f32[8]"),))
    shown = [line.text.strip() for line in found.lines]
    assert shown == [
        "def f(x):",
        '"""Twice the sine.',
        'text = """a value',
        'of two lines"""',
        "return 2 * jax.numpy.sin(x)",
    ]
