"""Versions of a module as rows of numbers, and the edits between them."""

from hypothesis import given
from hypothesis import strategies as st

from jitinspect.readings.dumped_modules import DumpReader
from jitinspect.readings.pass_histories.versions import Lines, Texts, Version, applied, edited

ROWS = st.lists(st.integers(0, 30), unique=True)
TABLES = """
FileNames
1 "net.py"

FunctionNames
1 "loss"

FileLocations
1 {file_name_id=1 function_name_id=1 line=4 end_line=4 column=1 end_column=2}

StackFrames
1 {file_location_id=1 parent_frame_id=1}


"""
MODULE = """HloModule jit_f, entry_computation_layout={(f32[8]{0})->f32[8]{0}}
%s
%%fused_computation (param_0: f32[8]) -> f32[8] {
  %%param_0 = f32[8]{0} parameter(0)
  ROOT %%tanh.2 = f32[8]{0} tanh(%%param_0), metadata={op_name="jit(f)/tanh" stack_frame_id=%d}
}

ENTRY %%main (x: f32[8]) -> f32[8] {
  %%x = f32[8]{0} parameter(0), metadata={op_name="x"}
  ROOT %%tanh_fusion = f32[8]{0} fusion(%%x), kind=kLoop, calls=%%fused_computation
}
"""


def module(tables, frame):
    return DumpReader().module((MODULE % (tables, frame)).encode().splitlines(keepends=True))


@given(ROWS, ROWS)
def test_edits_lead_from_one_version_to_the_other(before, after):
    assert list(applied(before, edited(before, after))) == after


@given(ROWS, ROWS, st.data())
def test_as_many_lines_stay_as_can(before, after, data):
    """No common row of both, drawn at random, is longer than what stays."""
    common = [one for one in after if one in before]
    drawn = data.draw(st.lists(st.sampled_from(common), unique=True)) if common else []
    if drawn == sorted(drawn, key=before.index) == sorted(drawn, key=after.index):
        removed = sum(row[1] for row in edited(before, after))
        assert len(before) - removed >= len(drawn)


def test_what_stays_the_same_needs_no_edits():
    assert edited([3, 1, 2], [3, 1, 2]) == ()
    assert edited([1, 2, 3, 5], [1, 4, 6, 3]) == ((1, 1, 4, 6), (1, 1))


def test_lines_are_those_of_computations_without_layouts_and_metadata():
    texts = Texts()
    numbers = texts.numbers(module(TABLES, 1))
    assert [texts.lines[number] for number in numbers] == [
        "%fused_computation (param_0: f32[8]) -> f32[8] {",
        "%param_0 = f32[8] parameter(0)",
        "ROOT %tanh.2 = f32[8] tanh(%param_0)",
        "ENTRY %main (x: f32[8]) -> f32[8] {",
        "%x = f32[8] parameter(0)",
        "ROOT %tanh_fusion = f32[8] fusion(%x), kind=kLoop, calls=%fused_computation",
    ]
    assert texts.origins == (0, 0, 1, 0, 2, 0)
    nothing, tanh, x = texts.metadata
    assert not nothing.op_name and not nothing.frames
    assert (tanh.op_name, [(one.file, one.line) for one in tanh.frames]) == ("jit(f)/tanh", [("net.py", 4)])
    assert (x.op_name, x.frames) == ("x", ())


def test_metadata_is_the_same_where_its_stack_is_and_not_where_its_number_is():
    texts = Texts()
    first = texts.numbers(module(TABLES, 1))
    tables = TABLES.replace(
        "1 {file_location_id=1 parent_frame_id=1}", "2 {file_location_id=1 parent_frame_id=1}"
    )
    assert list(texts.numbers(module(tables, 2))) == list(first)
    other = texts.numbers(module(TABLES.replace("line=4", "line=5"), 1))
    assert [one == two for one, two in zip(first, other, strict=True)] == [
        True,
        True,
        False,
        True,
        True,
        True,
    ]


def test_a_version_knows_where_its_instructions_are():
    texts = Texts()
    numbers = texts.numbers(module(TABLES, 1))
    version = Version(Lines(texts.lines), numbers)
    assert version.computations["tanh.2"] == "fused_computation"
    assert version.callers == {"fused_computation": ["tanh_fusion"]}
    assert version.root("fused_computation") == "tanh.2"
    assert "tanh_fusion" in version and "tanh" not in version
