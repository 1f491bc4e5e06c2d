"""HLO text without its noise."""

import pytest

from jitinspect.ir.readable_hlo import readable

RAW = """HloModule jit_f, is_scheduled=true, entry_computation_layout={(f32[2,3]{1,0})->f32[3,2]{0,1}}

FileNames
1 "/a/b.py"

FunctionNames
1 "f"

FileLocations
1 {file_name_id=1 function_name_id=1 line=2 end_line=2 column=4 end_column=9}

StackFrames
1 {file_location_id=1 parent_frame_id=1}


ENTRY %main.1 (x.1: f32[2,3]) -> f32[3,2] {
  %x.1 = f32[2,3]{1,0} parameter(0), metadata={op_name="x"}
  ROOT %t.0 = f32[3,2]{0,1} transpose(%x.1), dimensions={1,0}, metadata={op_name="jit(f)/a, \\"}\\" b" stack_frame_id=1}
}

"""  # noqa: E501


def test_tables_metadata_and_default_layouts_go_and_nothing_else():
    assert readable(RAW) == (
        "HloModule jit_f, is_scheduled=true, entry_computation_layout={(f32[2,3])->f32[3,2]{0,1}}\n\n"
        "ENTRY %main.1 (x.1: f32[2,3]) -> f32[3,2] {\n"
        "  %x.1 = f32[2,3] parameter(0)\n"
        "  ROOT %t.0 = f32[3,2]{0,1} transpose(%x.1), dimensions={1,0}\n"
        "}\n"
    )


@pytest.mark.parametrize(
    ("layout", "kept"),
    [
        ("f32[8]{0}", "f32[8]"),
        ("f32[8,8]{1,0}", "f32[8,8]"),
        ("f32[8,8]{0,1}", "f32[8,8]{0,1}"),
        ("f32[8,8]{1,0:T(8,128)}", "f32[8,8]{1,0:T(8,128)}"),
        ("f32[]", "f32[]"),
        ("f32[<=8,4]{1,0}", "f32[<=8,4]"),
        ("s32[2,3,4]{2,1,0}", "s32[2,3,4]"),
    ],
)
def test_a_layout_stays_if_it_is_not_the_default(layout, kept):
    assert readable(f"%a = {layout} add(%b)\n") == f"%a = {kept} add(%b)\n"


def test_text_without_noise_stays_as_it_is():
    text = readable(RAW)
    assert readable(text) == text
