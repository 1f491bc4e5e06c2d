"""Which lines caused a collective."""

from jitinspect.ir.attribution import Line, attribute
from jitinspect.ir.collectives import collectives, part
from jitinspect.ir.dataflow import Dataflow
from jitinspect.ir.program import Frame
from jitinspect.readings.communication.causes import Causes, Laid, OwnCollective
from tests.unit.readings.communication.module_text import FILE, made, module_text

GROUPS = "channel_id=1, replica_groups=[1,8]<=[8]"
WHOLE, PART = 16 * 8 * 4, 4 * 4
DOT = "%dot = f32[16,8] dot(%x, %x)" + made(4, "dot_general")
OTHER = "%other = f32[4] reduce(%x)" + made(5, "reduce_sum")
MERGED = f"%both = (f32[16,8], f32[4]) all-reduce(%dot, %other), {GROUPS}"
TAKEN = [
    "%first = f32[16,8] get-tuple-element(%both), index=0",
    "%second = f32[4] get-tuple-element(%both), index=1",
]


def of(*rows, own=(), laid=()):
    """The only collective, and the causes of its module."""
    text = module_text(*rows)
    program = part(text)
    (one,) = collectives(program)
    return one, Causes(attribute(program), Dataflow(program), lambda: own, lambda: laid)


def lines(rows, primitive=None, axes=("data",), value=None, **known):
    """Line → bytes."""
    one, causes = of(*rows, **known)
    found = causes.of(one, primitive, axes, value)
    assert {cause.line.file for cause in found} <= {FILE}
    return {cause.line.line: cause.bytes for cause in found}


def own(primitive, dims, line):
    return OwnCollective(primitive, dims, Line(FILE, line))


def laid(line, of, *axes):
    return Laid((Frame(FILE, line, "f"),), frozenset(axes), of)


def test_its_own_frames():
    rows = [DOT, f"%sum = f32[16,8] all-reduce(%dot), {GROUPS}{made(6, 'psum')}"]
    assert lines(rows, "psum") == {6: WHOLE}


def test_a_reduction_without_frames_is_for_what_made_its_parts():
    rows = [DOT, "%turned = f32[16,8] copy(%dot)", f"%sum = f32[16,8] all-reduce(%turned), {GROUPS}"]
    assert lines(rows) == {4: WHOLE}


def gathered(frames):
    return [
        DOT,
        f"%whole = f32[128,8] all-gather(%dot), {GROUPS}, dimensions={{0}}{frames}",
        "%copied = f32[128,8] copy(%whole)",
        "%used = f32[128,8] tanh(%copied)" + made(7, "tanh"),
    ]


def test_anything_else_is_for_what_uses_its_result():
    assert lines(gathered("")) == {7: 8 * WHOLE}


def test_frames_of_what_it_moves_do_not_count_unless_the_program_asked_for_it():
    assert lines(gathered(made(4, "dot_general"))) == {7: 8 * WHOLE}
    assert lines(gathered(made(6, "dot_general"))) == {6: 8 * WHOLE}
    assert lines(gathered(made(4, "all_gather")), "all_gather") == {4: 8 * WHOLE}


def test_frames_of_a_loop_say_nothing_of_what_is_in_it():
    rows = gathered("")
    rows[2] += made(8, "while")
    assert lines(rows) == {7: 8 * WHOLE}


def test_without_any_frames_no_line_is_told():
    assert lines([f"%sum = f32[16,8] all-reduce(%x), {GROUPS}"]) == {}


def test_each_part_of_a_merged_one_is_for_what_made_it():
    assert lines([DOT, OTHER, MERGED, *TAKEN]) == {4: WHOLE, 5: PART}


def test_each_part_of_a_merged_one_that_the_program_asked_for_is_for_one_of_its_own():
    """Only the first left its frames."""
    psums = [own("psum", (4,), 3), own("pmax", (4,), 2), own("psum", (16, 8), 6)]
    assert lines([DOT, OTHER, MERGED + made(6, "psum"), *TAKEN], "psum", own=psums) == {6: WHOLE, 3: PART}


def test_what_another_instruction_stands_for_is_none_of_a_merged_ones_parts():
    psums = [own("psum", (4,), 3), own("psum", (4,), 2), own("psum", (16, 8), 6)]
    one, causes = of(DOT, OTHER, MERGED + made(6, "psum"), *TAKEN, own=psums)
    alone, _ = of(f"%alone = f32[4] all-reduce(%x), {GROUPS}{made(3, 'psum')}")
    causes.claim(alone, "psum")
    assert [cause.line.line for cause in causes.of(one, "psum", ("data",), None)] == [6, 2]


def test_a_constraint_that_a_gather_follows_is_its_cause():
    """What gathers along an axis leaves nothing along it."""
    rows = [f"%whole = f32[128,8] all-gather(%x), {GROUPS}, dimensions={{0}}"]
    constraints = [laid(3, "x", "data"), laid(8, "x", "model"), laid(9, "y")]
    assert lines(rows, value="x", laid=constraints) == {8: 8 * WHOLE}
    assert lines(rows, axes=("data:(1)2",), value="x", laid=constraints[:1]) == {}


def test_a_constraint_on_what_a_line_made():
    constraints = [laid(8, (Frame(FILE, 4, "f"),))]
    assert lines(gathered(made(4, "dot_general")), laid=constraints) == {8: 8 * WHOLE}
    assert lines(gathered(made(6, "dot_general")), laid=constraints) == {6: 8 * WHOLE}


def test_a_sum_of_all_may_stand_for_what_the_program_scatters():
    """As XLA for TPUs has it, without a word of who asked."""
    rows = [f"%sum = f32[16,8] all-reduce(%x), {GROUPS}"]
    assert (
        of(*rows, own=[own("reduce_scatter", (2, 8), 3)])[1].own_primitive(of(*rows)[0]) == "reduce_scatter"
    )
    assert of(*rows, own=[own("reduce_scatter", (16, 8), 3)])[1].own_primitive(of(*rows)[0]) is None
    assert of(*rows, own=[own("psum", (16, 8), 3)])[1].own_primitive(of(*rows)[0]) == "psum"
