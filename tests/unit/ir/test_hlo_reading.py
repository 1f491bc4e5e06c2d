"""HLO read in its readable form, computation by computation; and computations that are alike."""

from dataclasses import replace
from pathlib import Path

import pytest

from jitinspect.ir import hlo, readable_hlo
from jitinspect.ir.attribution import attribute
from jitinspect.ir.hlo_stack_frames import StackFrames
from jitinspect.ir.program import Block, Program
from jitinspect.readings.cost_model.by_line import divided_by_line
from jitinspect.readings.cost_model.instruction_costs import program_cost

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


def models(text):
    """For each computation, the name of the one that it is like."""
    return {block.name: block.model.name for block in hlo.readable(text).blocks}


def test_computations_are_alike_but_for_names():
    assert models(TEXT) == {"fused": "fused", "fused.1": "fused", "fused.2": "fused.2", "main": "main"}


@pytest.mark.parametrize(
    "before, now",
    [
        ("tanh(%p.1)", "tanh(%p.1), backend_config={}"),
        ("f32[8,4]{1,0} tanh(%p.1)", "f32[8,4]{0,1} tanh(%p.1)"),
        ('%p.1), metadata={op_name="jit(f)/tanh" stack_frame_id=1}', "%p.1)"),
        ("  ROOT %tanh.2 =", "  %tanh.2 ="),
    ],
)
def test_computations_that_differ_in_a_type_or_an_attribute_are_not_alike(before, now):
    assert before in TEXT and models(TEXT.replace(before, now))["fused.1"] == "fused.1"


def test_what_jax_calls_instructions_does_not_matter():
    text = TEXT.replace(
        'tanh(%p.1), metadata={op_name="jit(f)/tanh"', 'tanh(%p.1), metadata={op_name="f/\\"%x"'
    )
    assert text != TEXT and models(text)["fused.1"] == "fused"
    assert hlo.readable(text).blocks[1].operations[1].rest == ""


BINARY = """%{0} (a.{0}: f32[8], b.{0}: f32[8]) -> f32[8] {{
  %a.{0} = f32[8]{{0}} parameter(0)
  %b.{0} = f32[8]{{0}} parameter(1)
  ROOT %c.{0} = f32[8]{{0}} {1}
}}

"""


@pytest.mark.parametrize(
    "one, other, are_alike",
    [
        ("subtract(%a.x, %b.x)", "subtract(%a.y, %b.y)", True),
        ("subtract(%a.x, %b.x)", "subtract(%b.y, %a.y)", False),
        ("subtract(%a.x, %b.x)", "subtract(%a.y, %a.y)", False),
        ('custom-call(%a.x), custom_call_target="%f"', 'custom-call(%a.y), custom_call_target="%f"', True),
        ('custom-call(%a.x), custom_call_target="%f"', 'custom-call(%a.y), custom_call_target="%g"', False),
        ("map(%a.x), to_apply=%unknown.1", "map(%a.y), to_apply=%unknown.2", False),
    ],
)
def test_computations_are_alike_if_the_same_names_are_in_the_same_places(one, other, are_alike):
    text = "HloModule m\n\n" + BINARY.format("x", one) + BINARY.format("y", other)
    assert (models(text + TEXT.partition("\n\n\n")[2])["y"] == "x") is are_alike


CALLING = """%{0} (q: f32[8,4]) -> f32[8,4] {{
  %q.{0} = f32[8,4]{{1,0}} parameter(0)
  ROOT %r.{0} = f32[8,4]{{1,0}} fusion(%q.{0}), kind=kLoop, calls=%{1}
}}

"""


def test_what_calls_different_computations_is_not_alike():
    pairs = (("one", "fused"), ("same", "fused.1"), ("two", "fused.2"))
    blocks = "".join(CALLING.format(*pair) for pair in pairs)
    program = hlo.readable(TEXT.replace("ENTRY", blocks + "ENTRY"))
    named = program.named()
    assert named["same"].model is named["one"].model is not named["two"].model
    assert [block.name for _, block in named["same"].reached(named)] == ["fused.1"]
    unread = type(named["same"]).__mro__[1].operations
    with pytest.raises(AttributeError):
        unread.__get__(named["same"])


def read_one_by_one(program):
    """The same program, of which no computation is known to be like another."""
    blocks = [
        Block(one.name, one.parameters, one.operations, one.start, one.end, one.is_entry, root=one.root)
        for one in program.blocks
    ]
    return Program(program.stage, program.lines, blocks, program.head)


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_what_is_worked_out_once_for_all_that_are_alike_is_what_it_is_for_each(path):
    program = hlo.readable(path.read_text())
    alone = read_one_by_one(hlo.readable(path.read_text()))
    for found, block in zip(program.blocks, alone.blocks, strict=True):
        assert _reached(found, program) == _reached(block, alone)
        assert found.words() >= block.words()
    lines, lines_alone = attribute(program), attribute(alone)
    assert [lines.of(one) for one in program.blocks] == [lines_alone.of(one) for one in alone.blocks]
    assert lines.counts() == lines_alone.counts()
    costs, costs_alone = program_cost(program), program_cost(alone)
    assert _facts(costs) == _facts(costs_alone)
    assert list(divided_by_line(costs, lines, {})) == list(divided_by_line(costs_alone, lines_alone, {}))


def test_the_lines_of_an_operation_are_found_without_a_look_at_other_blocks():
    program = hlo.readable(TEXT)
    found = attribute(program)
    fusion = program.entry.operations[2]
    assert found.lines(fusion) == found.of(program.entry)[2] == (("/home/me/net.py", 3),)
    unread = type(program.blocks[1]).__mro__[1].operations
    with pytest.raises(AttributeError):
        unread.__get__(program.blocks[1])
    assert found.lines(program.blocks[1].operations[1]) == (("/home/me/net.py", 3),)
    assert found.lines(replace(fusion)) == ()


def _reached(block, program):
    return [(at, called.name) for at, called in block.reached(program.named())]


def _facts(costs):
    rows = [
        (one.operation.names, one.block.name, one.times, one.flops, one.bytes, one.hbm_bytes, one.wire_bytes)
        for one in costs.instructions
    ]
    named = ([one.names for one in costs.unmodelled], [one.operation.names for one in costs.loops])
    sums = (costs.flops, costs.transcendentals, costs.bytes, costs.hbm_bytes, costs.wire_bytes)
    return rows, named, sums, costs.once, costs.least, costs.most, costs.unlike_xla
