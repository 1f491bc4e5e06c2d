"""What is in the modules that XLA dumps, and what differs between two of them."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jitinspect.ir.readable_hlo import without_metadata
from jitinspect.readings.dumped_modules import DumpReader, difference, ops_changed, trivial_change

BEFORE = """HloModule jit_f, entry_computation_layout={(f32[2,3]{1,0})->(f32[], s32[])}

%region_0.1 (a.1: f32[], b.1: f32[]) -> f32[] {
  %a.1 = f32[] parameter(0)
  %b.1 = f32[] parameter(1)
  ROOT %add.1 = f32[] add(%a.1, %b.1)
}

ENTRY %main.2 (x.1: f32[2,3]) -> (f32[], s32[]) {
  %x.1 = f32[2,3]{1,0} parameter(0)
  %constant.1 = s32[] constant(1)
  %while.1 = ((s32[], f32[2,3]{1,0:T(8,128)}), /*index=1*/f32[]) while(%tuple.1), condition=%c, body=%b
  ROOT %tuple.2 = (f32[], s32[]) tuple(%while.1, %constant.1)
}

"""


def module(text):
    return DumpReader().module(text.encode().splitlines(keepends=True))


def test_instructions_of_all_computations_whatever_their_types():
    found = module(BEFORE)
    assert found.instructions == (
        ("a.1", "parameter"), ("b.1", "parameter"), ("add.1", "add"), ("x.1", "parameter"),
        ("constant.1", "constant"), ("while.1", "while"), ("tuple.2", "tuple"),
    )  # fmt: skip
    assert found.ops == Counter(parameter=3, add=1, constant=1, tuple=1) + Counter({"while": 1})
    assert module(BEFORE.replace("%", "")).instructions == found.instructions


def test_a_truncated_text_is_incomplete():
    assert module(BEFORE).is_complete
    assert not module(BEFORE[:-20]).is_complete
    assert not module("").is_complete


def test_opcodes_that_were_added_and_removed_the_most_first():
    after = module(BEFORE.replace("add(", "fusion(").replace("parameter(", "copy("))
    assert list(ops_changed(module(BEFORE), after).items()) == [
        ("copy", 3), ("parameter", -3), ("add", -1), ("fusion", 1),
    ]  # fmt: skip
    assert ops_changed(module(BEFORE), module(BEFORE)) == {}


CONSTANT, PARAMETER = BEFORE.splitlines()[10], BEFORE.splitlines()[9]


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (BEFORE.replace("a.1", "a.7").replace("main.2", "main"), "names"),
        (BEFORE.replace("%constant.1", "%b.1").replace("%x.1", "%a.1"), ""),  # one name for two instructions
        (BEFORE.replace(f"{PARAMETER}\n{CONSTANT}", f"{CONSTANT}\n{PARAMETER}"), "order"),
        (BEFORE.replace("add(%a.1, %b.1)", "add(%b.1, %a.1)"), ""),
        (BEFORE.replace("{1,0}", "{0,1}"), ""),
        (BEFORE.replace("HloModule jit_f,", "HloModule jit_f, is_scheduled=true,"), ""),
        (BEFORE.replace("add(", "subtract("), ""),
    ],
)
def test_a_change_only_of_names_or_only_of_order_is_trivial(after, expected):
    assert after != BEFORE
    assert trivial_change(module(BEFORE), module(after)) == expected


def test_a_difference_by_instruction_names_its_computation():
    after = BEFORE.replace("constant(1)", "constant(2)")
    assert difference(module(BEFORE), module(after), "4 folding (p)").splitlines() == [
        "--- before 4 folding (p)",
        "+++ after 4 folding (p)",
        "@@ -8,7 +8,7 @@ ENTRY %main.2",
        " ",
        " ENTRY %main.2 (x.1: f32[2,3]) -> (f32[], s32[]) {",
        "   %x.1 = f32[2,3] parameter(0)",
        "-  %constant.1 = s32[] constant(1)",
        "+  %constant.1 = s32[] constant(2)",
        "   %while.1 = ((s32[], f32[2,3]{1,0:T(8,128)}), /*index=1*/f32[]) while(%tuple.1), "
        "condition=%c, body=%b",
        "   ROOT %tuple.2 = (f32[], s32[]) tuple(%while.1, %constant.1)",
        " }",
    ]


def test_an_added_default_layout_is_shown_if_nothing_else_changed():
    text = difference(module(BEFORE.replace("{1,0}", "")), module(BEFORE), "5 layouts (p)")
    assert "+  %x.1 = f32[2,3]{1,0} parameter(0)" in text.splitlines()
    assert "{1,0}" not in difference(module(BEFORE), module(BEFORE.replace("add(", "or(")), "6 a (p)")


def test_equal_texts_have_no_difference():
    assert difference(module(BEFORE), module(BEFORE), "1 dce (p)") == ""


METADATA = ', metadata={op_name="jit(f)/a\\"}{" stack_frame_id=%d}, backend_config={"a":["4"]}'
TABLES = 'FileNames\n1 "net.py"\n\nStackFrames\n1 {file_location_id=1 parent_frame_id=1}\n\n\n'


def told(frame, opcode="add"):
    """The module with metadata, as XLA writes it: tables below the first line, and a line that names them."""
    instruction = "ROOT %add.1 = f32[] add(%a.1, %b.1)"
    head, _, rest = BEFORE.replace(instruction, instruction + METADATA % frame).partition("\n\n")
    return f"{head}\n\n{TABLES}{rest}".replace(" add(", f" {opcode}(")


def test_a_module_is_without_metadata_and_tables():
    found = module(told(7))
    (line,) = (line for line in found.lines if line.opcode == "add")
    assert line.text == '  ROOT %add.1 = f32[] add(%a.1, %b.1), backend_config={"a":["4"]}'
    assert line.metadata == 'op_name="jit(f)/a\\"}{" stack_frame_id=7}'
    assert found.text == without_metadata(told(7))
    assert "StackFrames" in found.head and "StackFrames" not in found.text
    assert module(BEFORE).text == BEFORE


def test_only_metadata_differs():
    assert module(told(8)).has_text_of(module(told(7)))
    assert not module(told(7, "subtract")).has_text_of(module(told(7)))
    assert not module(told(7) + "\n").has_text_of(module(told(7)))


def test_a_line_that_was_there_before_is_not_read_again():
    reader = DumpReader()
    first, second, third = (
        reader.module(dump.encode().splitlines(keepends=True))
        for dump in (BEFORE, BEFORE.replace("constant(1)", "constant(2)"), BEFORE)
    )
    pairs = zip(first.code, second.code, strict=True)
    new = [after.text for before, after in pairs if before is not after]
    assert new == ["  %constant.1 = s32[] constant(2)"]
    assert third.text == BEFORE


NAMES = st.lists(st.sampled_from("abc"), min_size=4, max_size=4)


def numbered(names):
    return [names.index(name) for name in names]


@given(NAMES, NAMES)
def test_a_renaming_is_one_to_one(old, new):
    """Which is to say that each name can be replaced by the number of its first place."""
    before, after = (
        module("ENTRY %m {\n" + "".join(f"  %{name} = f32[] sine(%{name})\n" for name in names) + "}\n")
        for names in (old, new)
    )
    same_lines = sorted(old) == sorted(new)
    assert trivial_change(before, after) == (
        "order" if same_lines else "names" if numbered(old) == numbered(new) else ""
    )
