"""What is said to differ between what XLA has made and what it is given, and what is left unsaid."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jitinspect.ir.hlo_operations import OperationChange, changes, missing
from jitinspect.ir.hlo_proto import Instruction, Module, module
from jitinspect.ir.hlo_proto_values import literal, negative, reciprocal


def f32(*values):
    """A literal of 32-bit floats."""
    packed = struct.pack(f"<{len(values)}f", *values)
    return b"\x0a\x02\x10\x0b" + b"\x42" + bytes([len(packed)]) + packed


def one(opcode, path="", operands=(), number=0, value=None, precision=(), called=()):
    return Instruction(opcode, path, tuple(operands), tuple(called), number, value and f32(value), precision)


def program(*operations):
    """`(path, opcode, constant)` for each, from one to the next; a constant is the second operand."""
    instructions = {0: one("parameter", "x")}
    for at, (path, opcode, constant) in enumerate(operations):
        instructions[2 * at + 1] = one("constant", value=constant)
        instructions[2 * at + 2] = one(opcode, path, (2 * at, 2 * at + 1))
    return Module("jit_f", (), (), frozenset(), {1: instructions})


def constant(what, before, now):
    return [OperationChange(f"constant of {what}", before, now)]


def test_a_constant_of_an_operation_that_is_still_there():
    two, three = (program(("jit(f)/mul", "multiply", value)) for value in (2.0, 3.0))
    assert changes(two, three) == constant("mul", "2.0", "3.0") and not changes(two, two)


def test_operations_that_xla_has_merged_are_not_compared():
    made = program(("jit(f)/mul", "multiply", 6.0))
    given = program(("jit(f)/mul", "multiply", 3.0), ("jit(f)/mul", "multiply", 2.0))
    assert not changes(made, given)


@pytest.mark.parametrize(
    ("made", "given"),
    [(("multiply", 0.25), ("divide", 4.0)), (("add", -2.0), ("subtract", 2.0))],
)
def test_operations_that_do_the_same(made, given):
    assert not changes(program(("jit(f)/op", *made)), program(("jit(f)/op", *given)))


def test_a_division_by_another_number():
    made, given = program(("f/div", "multiply", 0.25)), program(("f/div", "divide", 8.0))
    assert changes(made, given) == constant("div", "0.25", "0.125")


def test_a_constant_that_a_fusion_is_given():
    fused = {
        0: one("parameter", number=0),
        1: one("parameter", number=1),
        2: one("multiply", "f/mul", (0, 1)),
    }
    entry = {
        3: one("parameter", "x"), 4: one("constant", value=5.0), 5: one("broadcast", "", (4,)),
        6: one("fusion", "f/mul", (3, 5), called=(1,)),
    }  # fmt: skip
    made = Module("jit_f", (), (), frozenset(), {1: fused, 2: entry})
    assert changes(made, program(("f/mul", "multiply", 2.0))) == constant("mul", "5.0", "2.0")


def test_a_primitive_that_the_call_does_not_have():
    sine, cosine = (
        program((f"jit(f)/{name}", opcode, None)) for name, opcode in (("sin", "sine"), ("cos", "cosine"))
    )
    assert changes(sine, cosine) == [OperationChange("operations", "sin", "cos")]


def test_what_xla_may_have_left_out_is_only_missing():
    made, given = program(("f/add", "add", 1.0)), program(("f/add", "add", 1.0), ("f/cos", "cosine", None))
    assert not changes(made, given) and missing(made, given) == ("cos",)
    known = {0: one("constant", value=1.0), 1: one("cosine", "f/cos", (0,))}
    folded = Module("jit_f", (), (), frozenset(), {1: known})
    assert missing(made, folded) == ()


def test_precisions_of_as_many_products():
    default, highest = (
        Module("f", (), (), frozenset(), {1: {0: one("dot", "f/dot_general", precision=precision)}})
        for precision in ((0, 0), (2, 1))
    )
    assert changes(default, highest) == [
        OperationChange("precision of dot_general", "default", "highest × high")
    ]


def test_literals():
    assert literal(f32(0.1)) == "0.1" and literal(f32(2.0, 2.0)) == "2.0"
    assert literal(f32(1.0, 2.0)) == literal(f32(2.0, 1.0)) != literal(f32(1.0, 3.0))
    assert literal(b"\x0a\x02\x10\x10" + b"\x6a\x02\x00\x40") == "2.0"  # bf16
    assert literal(b"\x22\x0a" + b"\xff" * 9 + b"\x01") == "-1"  # i32
    assert literal(b"\x0a\x02\x10\x0b") is None
    assert reciprocal("4.0") == "0.25" and reciprocal("3") is None and reciprocal("0.0") is None
    assert negative("0.5") == "-0.5" and negative("sha256:1") is None


@given(st.binary(max_size=60))
def test_what_is_no_module_is_refused(content):
    with pytest.raises(ValueError):
        module(content)
