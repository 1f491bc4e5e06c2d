"""What `executables.memory` leans on: XLA's buffer assignment, as a message and as the text that it dumps."""

import re

import jax
import jax.numpy as jnp
import pytest
from jax import lax

from jitinspect.errors import UnavailableError
from jitinspect.jaxapi.executables import memory

S = jax.ShapeDtypeStruct
X = S((64, 64), "float32")
FUNCTIONS = {
    "matmul": (lambda x, y: jnp.tanh(x @ y) @ y, (X, X)),
    "grad": (jax.grad(lambda x, y: jnp.sum(jnp.tanh(x @ y) ** 2)), (X, X)),
    "scan": (
        lambda x, ys: lax.scan(lambda c, y: (jnp.tanh(c @ y), c.sum()), x, ys),
        (X, S((5, 64, 64), "f")),
    ),
    "cond": (lambda p, x: lax.cond(p, lambda x: jnp.sin(x) @ x, lambda x: x * 2, x), (S((), "bool"), X)),
    "svd": (jnp.linalg.svd, (X,)),
    "sort": (lambda x: jnp.argsort(x, axis=1), (X,)),
    "nothing": (lambda: jnp.float32(3), ()),
}


def compiled(name, tmp_path=None, **options):
    fn, args = FUNCTIONS[name]
    dump = {"xla_dump_to": str(tmp_path)} if tmp_path else None
    return jax.jit(fn, **options).lower(*args).compile(compiler_options=dump)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_buffers_add_up_to_what_xla_says(name):
    executable = compiled(name)
    sums = memory.sums(executable)
    found = memory.allocations(executable)
    for kind in ("argument", "output", "temp"):
        assert sum(one.bytes for one in found if one.kind == kind) == sums[kind], kind
    assert sums["peak"] >= 0 and sums["generated_code"] >= 0


def test_a_donated_argument_is_where_its_output_is():
    executable = compiled("matmul", donate_argnums=0)
    sums = memory.sums(executable)
    kinds = {one.kind: one.bytes for one in memory.allocations(executable)}
    assert sums["alias"] == sums["output"] == X.size * 4 and "output" not in kinds


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_message_says_what_the_dumped_text_says(name, tmp_path):
    executable = compiled(name, tmp_path)
    [text] = [path.read_text() for path in tmp_path.glob("*buffer-assignment.txt")]
    found = {one.index: one for one in memory.allocations(executable)}
    seen = 0
    for part in re.split(r"^allocation ", text, flags=re.MULTILINE)[1:]:
        head, *_ = part.split("\n")
        if "thread-local" in head:
            continue
        index, size = map(int, re.match(r"(\d+): size (\d+)", head).groups())
        values = re.findall(r"value: <\d+ (\S+?)(?:\{[\d,]*\})? @\d+> \(size=(\d+),offset=(\d+)\)", part)
        told = {(name, int(size), int(offset)) for name, size, offset in values}
        read = {(one.instruction, one.bytes, one.offset) for one in found[index].values}
        assert told <= read  # the message names also loops and calls that pass a value on
        assert {value[1:] for value in told} == {value[1:] for value in read}
        assert found[index].bytes == size
        assert (found[index].kind == "argument") == (", parameter " in head)
        assert (found[index].kind == "constant") == (head.endswith("constant:"))
        seen += 1
    assert seen == len(found) > 0


def test_what_lives_at_the_peak_fits_into_the_allocation_and_fills_most_of_it():
    """Values begin at multiples of 64 bytes. XLA tells the peak from 0.10 on."""
    if jax.__version_info__ < (0, 10):
        told = [value.at_peak for one in memory.allocations(compiled("scan")) for value in one.values]
        assert told and set(told) == {None}
        return
    for name in FUNCTIONS:
        for one in memory.allocations(compiled(name)):
            living = [value.bytes for value in one.values if value.at_peak]
            assert one.bytes >= sum(living)
            if one.bytes > 10_000:
                assert one.bytes - sum(living) < 64 * len(one.values), name


class Without:
    """An executable of a backend that tells less."""

    def __init__(self, message=None, error=None):
        self.message, self.error = message, error

    def memory_analysis(self):
        if self.error:
            raise self.error
        return type(
            "Stats", (), {"serialized_buffer_assignment_proto": self.message, "temp_size_in_bytes": 8}
        )()


def test_what_a_backend_does_not_tell_is_said():
    with pytest.raises(UnavailableError, match="does not report"):
        memory.allocations(Without(b""))
    with pytest.raises(UnavailableError, match="does not report"):
        memory.allocations(Without(error=NotImplementedError()))
    assert memory.sums(Without(error=NotImplementedError())) == {}
    assert memory.sums(Without()) == {"temp": 8}


@pytest.mark.parametrize("message", [b"\xff", b"\x0b", b"\x1a\x02\x4a\x00"])
def test_a_message_of_another_form_is_refused(message):
    with pytest.raises(UnavailableError, match="form"):
        memory.allocations(Without(message))


def test_names_are_left_out_where_the_module_is_not_to_be_had():
    executable = compiled("matmul")
    message = executable.memory_analysis().serialized_buffer_assignment_proto
    assert {value.instruction for one in memory.allocations(Without(message)) for value in one.values} == {
        None
    }
