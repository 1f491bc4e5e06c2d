"""HLO read in its readable form, computation by computation; and computations that are alike."""

from pathlib import Path

import pytest

from jitinspect.ir import hlo, readable_hlo
from jitinspect.ir.hlo_stack_frames import StackFrames
from jitinspect.ir.structures import Structures

RECORDED = sorted((Path(__file__).parent.parent / "readings/cost_model/hlo").glob("*.hlo"))
TEXT = """HloModule m, entry_computation_layout={(f32[8,4]{1,0})->f32[8,4]{1,0}}

FileNames
1 "/home/me/net.py"

FunctionNames
1 "net"

FileLocations
1 {file_name_id=1 function_name_id=1 line=3 end_line=3 column=4 end_column=9}

StackFrames
1 {file_location_id=1 parent_frame_id=1}


%fused (p.0: f32[8,4]) -> f32[8,4] {
  %p.0 = f32[8,4]{1,0} parameter(0)
  ROOT %tanh.1 = f32[8,4]{1,0} tanh(%p.0), metadata={op_name="jit(f)/tanh" stack_frame_id=1}
}

%fused.1 (p.1: f32[8,4]) -> f32[8,4] {
  %p.1 = f32[8,4]{1,0} parameter(0)
  ROOT %tanh.2 = f32[8,4]{1,0} tanh(%p.1), metadata={op_name="jit(f)/tanh" stack_frame_id=1}
}

%fused.2 (p.2: f32[8,4]) -> f32[8,4] {
  %p.2 = f32[8,4]{1,0} parameter(0)
  ROOT %sine = f32[8,4]{1,0} sine(%p.2), metadata={op_name="jit(f)/sin" stack_frame_id=1}
}

ENTRY %main (x: f32[8,4]) -> f32[8,4] {
  %x = f32[8,4]{1,0} parameter(0), metadata={op_name="x"}
  %a = f32[8,4]{1,0} fusion(%x), kind=kLoop, calls=%fused
  %b = f32[8,4]{0,1} fusion(%a), kind=kLoop, calls=%fused.1, metadata={op_name="jit(f)/tanh" stack_frame_id=1}
  ROOT %c = f32[8,4]{1,0} fusion(%b), kind=kLoop, calls=%fused.2
}
"""


def facts(program):
    return [
        (one.names, one.opcode, one.operands, one.type, one.rest, one.start, one.arguments, one.calls)
        for one in program.operations()
    ]


@pytest.mark.parametrize("text", [TEXT, *(path.read_text() for path in RECORDED)])
def test_a_readable_program_is_that_of_the_readable_text(text):
    made, written = hlo.readable(text), hlo.parse(readable_hlo.readable(text))
    assert facts(made) == facts(written) and made.head == written.head
    assert list(made.lines) == list(written.lines) and len(made.lines) == len(written.lines)
    assert [made.lines[at] for at in range(len(made.lines))] == list(written.lines)
    for one, other in zip(made.blocks, written.blocks, strict=True):
        assert (one.name, one.parameters, one.start, one.end) == (
            other.name,
            other.parameters,
            other.start,
            other.end,
        )
        assert made.root(one).names == written.root(other).names


def test_its_frames_are_those_of_jaxs_own_text():
    frames = {one.names[0]: one.frames for one in hlo.readable(TEXT).operations()}
    assert frames["b"] == frames["tanh.1"] == StackFrames(TEXT)[1] != ()
    assert frames["a"] == frames["x"] == ()


def test_a_computation_is_read_when_it_is_asked_for():
    program = hlo.readable(TEXT)
    assert [one.opcode for one in program.entry.operations] == ["parameter", "fusion", "fusion", "fusion"]
    unread = type(program.blocks[0]).__mro__[1].operations  # the slot itself, which does not read it
    with pytest.raises(AttributeError):
        unread.__get__(program.blocks[0])
    assert len(program.blocks[0].operations) == len(unread.__get__(program.blocks[0])) == 2


def test_computations_are_alike_but_for_names():
    program = hlo.readable(TEXT)
    structures = Structures(program.named(), program.root)
    first, second, other, entry = (structures[block] for block in program.blocks)
    assert first == second and len({first, other, entry}) == 3


@pytest.mark.parametrize(
    "before, now",
    [
        ("tanh(%p.1)", "tanh(%p.1), backend_config={}"),
        ("f32[8,4]{1,0} tanh(%p.1)", "f32[8,4]{0,1} tanh(%p.1)"),
    ],
)
def test_computations_that_differ_in_a_type_or_an_attribute_are_not_alike(before, now):
    program = hlo.readable(TEXT.replace(before, now))
    structures = Structures(program.named(), program.root)
    assert structures[program.blocks[0]] != structures[program.blocks[1]]


CALLING = """%{0} (q: f32[8,4]) -> f32[8,4] {{
  %q.{0} = f32[8,4]{{1,0}} parameter(0)
  ROOT %r.{0} = f32[8,4]{{1,0}} fusion(%q.{0}), kind=kLoop, calls=%{1}
}}

"""


def test_what_calls_different_computations_is_not_alike():
    pairs = (("one", "fused"), ("same", "fused.1"), ("two", "fused.2"))
    blocks = "".join(CALLING.format(*pair) for pair in pairs)
    program = hlo.readable(TEXT.replace("ENTRY", blocks + "ENTRY"))
    structures, named = Structures(program.named(), program.root), program.named()
    assert structures[named["one"]] == structures[named["same"]] != structures[named["two"]]
