"""The tables of stack frames in a module's bytes → the line that it came from."""

import pytest

from jitinspect.ir.hlo_proto_frames import origin
from jitinspect.ir.wire_format import first_places, number_at
from tests.support.cache_entries import message, module, tables


def found(index, name="jit_step"):
    proto = module(name, index)
    return origin(proto, 0, len(proto), name)


def test_the_function_that_the_module_is_named_after_at_its_first_line():
    index = tables(locations=((1, 1, 40), (1, 2, 300), (1, 2, 138), (1, 2, 139)))
    assert found(index) == ("/a/train.py", 138, "step")
    assert found(tables(functions=("main", "Model.step"))) == ("/a/train.py", 8, "Model.step")
    assert found(tables(functions=("main", "<lambda>")), "jit__lambda") == ("/a/train.py", 8, "<lambda>")


def test_a_module_of_jax_itself_has_the_line_that_called_for_it():
    index = tables(functions=("<module>", "train"), locations=((1, 1, 40), (1, 2, 8)), frames=(1, 2))
    assert found(index, "jit_iota") == ("/a/train.py", 8, "train")


def test_numbers_that_look_like_the_key_of_the_tables_do_not_mislead():
    """138 is written as the key is."""
    assert found(tables(locations=((1, 2, 138), (1, 2, 138)), frames=(1, 2, 2))).line == 138
    behind = module("jit_step", tables()) + message((20, b"\x8a\x01\x02\x0a\x00" * 3))
    assert origin(behind, 0, len(behind), "jit_step").line == 8
    assert origin(b"\x8a\x01\x01" * 10_000, 0, 30_000, "jit_step") is None


@pytest.mark.parametrize(
    "index",
    [
        None, b"", tables(files=()), tables(functions=()), tables(locations=(), frames=()),
        tables(locations=((1, 9, 8),), frames=(1,)), tables(locations=((7, 2, 8),)),
    ],
)  # fmt: skip
def test_without_a_row_of_each_table_there_is_no_line(index):
    assert found(index) is None


def test_the_places_of_fields_are_those_of_their_values():
    text = message((1, "name"), (2, 7), (3, b"first"), (3, b"second"), (17, b"x" * 200), (18, b"after"))
    text = b"\x21" + bytes(8) + b"\x2d" + bytes(4) + text
    places = first_places(text, 0, len(text), 17)
    assert {at: text[slice(*place)] for at, place in places.items()} == {
        1: b"name",
        3: b"first",
        17: b"x" * 200,
    }
    assert first_places(text[:-150], 0, len(text), 17)[17][1] == len(text) - 150
    assert first_places(b"\x0f\x01", 0, 2, 1) == {} == first_places(b"\x80" * 100, 0, 100, 1)


def test_a_number_in_a_part_of_a_message_is_found_behind_fields_of_all_kinds():
    before = b"\x0a\x02\x98\x02" + b"\x09" + b"\x98" * 8 + b"\x15" + b"\x02" * 4 + b"\x48\xff\x01"
    message = b"\x98\x02\x07" + before + b"\x98\x02\x85\x80\x80\x80\x10" + b"\x98\x02\x01"
    assert number_at(message, 3, len(message), 35) == 5 + (1 << 32)
    with pytest.raises(ValueError, match="no field 36"):
        number_at(message, 3, len(message), 36)
