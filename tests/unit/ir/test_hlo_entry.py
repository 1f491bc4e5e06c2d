"""What the text of an HLO module says of what the program takes and gives."""

import pytest

from jitinspect.ir.hlo_entry import EntryArray, entry, meshes, origin

TEXT = """\
HloModule jit_step, is_scheduled=true, entry_computation_layout={(f32[16]{0})->f32[]}, num_partitions=8

FileNames
1 "/home/me/train.py"
2 "/home/me/other.py"

FunctionNames
1 "make.<locals>.step"
2 "helper"

FileLocations
1 {file_name_id=1 function_name_id=1 line=16 end_line=16 column=11 end_column=11}
2 {file_name_id=2 function_name_id=2 line=3 end_line=3 column=11 end_column=11}
3 {file_name_id=1 function_name_id=1 line=14 end_line=14 column=11 end_column=11}

StackFrames
1 {file_location_id=1 parent_frame_id=1}
2 {file_location_id=2 parent_frame_id=2}
3 {file_location_id=3 parent_frame_id=1}

%inner (p: f32[]) -> f32[] {
  ROOT %p = f32[] parameter(0)
}

ENTRY %main.1_spmd (param.1: s32[32,64], param: f32[16]) -> (f32[16], f32[]) {
  %param.1 = s32[32,64]{1,0} parameter(1), sharding={devices=[4,1,2]<=[8] last_tile_dim_replicate}
  %param = f32[16]{0} parameter(0), metadata={op_name="params[\\'w\\']"}
  %c = f32[] constant(0), metadata={op_name="x" stack_frame_id=2}
  ROOT %tuple = (f32[16]{0}, f32[]) tuple(%param, %c)
}
"""


def test_parameters_are_in_the_order_of_their_numbers_with_names_and_shardings():
    found = entry(TEXT)
    assert (found.module, found.devices) == ("jit_step", 8)
    sharding = "{devices=[4,1,2]<=[8] last_tile_dim_replicate}"
    assert found.parameters == (
        EntryArray("f32", (16,), "params['w']"),
        EntryArray("s32", (32, 64), None, sharding),
    )
    assert found.results == (EntryArray("f32", (16,)), EntryArray("f32", ()))


def test_the_function_is_that_of_the_modules_name_at_its_first_line():
    assert origin(TEXT, "jit_step") == ("/home/me/train.py", 14, "make.<locals>.step")
    assert origin(TEXT, "jit_other") is None


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (TEXT[: TEXT.index("ROOT %tuple")], "no end"),
        (TEXT.replace("ENTRY ", ""), "not there"),
        (TEXT.replace("ROOT %tuple", "%tuple"), "no result"),
        (TEXT.replace("parameter(1)", "parameter(2)"), "lacks a parameter"),
        ("", "not there"),
    ],
)
def test_what_is_not_whole_is_told(text, why):
    with pytest.raises(ValueError, match=why):
        entry(text)


def test_meshes_are_those_that_the_text_names():
    text = "replica_groups=mesh['data'=4,'model'=2] {'data'}\nsharding={mesh['data'=4,'model'=2], [{'data'}]}"
    assert meshes(text) == [{"data": 4, "model": 2}]
    assert meshes("replica_groups=[2,4]<=[8]") == []
