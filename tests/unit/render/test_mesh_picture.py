"""Meshes as grids of text."""

import re

import pytest

from jitinspect.model.communication import MeshShape
from jitinspect.render.mesh_picture import beside, columns, names, of_devices, of_parts, parts
from jitinspect.render.text import Painter

PLAIN = Painter(False)
DATA = MeshShape(("data", "model"), (4, 2), (0, 1, 2, 3, 6, 7, 4, 5))


def devices(mesh, width=80):
    return "".join(of_devices(mesh, PLAIN, width))


def test_the_last_axis_goes_to_the_right():
    assert devices(DATA) == "       model →\ndata ↓ 0 1\n       2 3\n       6 7\n       4 5\n"
    assert devices(MeshShape(("x",), (3,))) == "x →\n0 1 2\n"


def test_of_three_axes_the_first_has_a_grid_for_each_step():
    assert devices(MeshShape(("a", "b", "c"), (2, 2, 2))) == (
        "a=0       a=1\n    c →       c →\nb ↓ 0 1   b ↓ 4 5\n    2 3       6 7\n"
    )
    many = devices(MeshShape(("a", "b", "c"), (9, 1, 2)))
    assert re.findall(r"a=\d|…", many) == ["a=0", "a=1", "…", "a=8"]


@pytest.mark.parametrize("width", [80, 160])
def test_sixteen_by_sixteen_is_whole_and_fits(width):
    told = devices(MeshShape(("data", "model"), (16, 16)), width)
    assert re.findall(r"\d+", told) == [str(number) for number in range(256)]
    assert max(map(len, told.splitlines())) <= 80


def test_a_longer_axis_is_cut_before_its_end():
    told = devices(MeshShape(("data", "model"), (64, 64)))
    lines = told.splitlines()
    assert len(lines) == 17 and max(map(len, lines)) <= 80
    assert lines[1].split()[2:5] == ["0", "1", "2"] and lines[1].split()[-2:] == ["…", "63"]
    assert lines[-1].split()[0] == "4032" and set(lines[-2].split()) == {"…"}
    assert max(map(len, devices(MeshShape(("data", "model"), (64, 64)), 40).splitlines())) <= 40


@pytest.mark.parametrize(
    ("axes", "expected"),
    [
        ((("data",), ()), "AABBCCDD"),
        (((), ("model",)), "ABABABAB"),
        ((("model",), ("data",)), "AEBFCGDH"),
        ((("model", "data"),), "AEBFCGDH"),
        ((("data:(1)2",), ("data:(2)2",)), "AABBCCDD"),
        ((("data:(2)2",),), "AABBAABB"),
        (((), ()), "AAAAAAAA"),
    ],
)
def test_devices_with_one_part_have_one_letter(axes, expected):
    assert "".join(names(parts(DATA, axes))) == expected


def test_many_parts_are_numbered_and_their_picture_is_short():
    mesh = MeshShape(("data", "model"), (16, 16))
    [block] = of_parts(mesh, (("data",), ("model",)), PLAIN, 80, 8)
    assert len(block) == 9 and block[1].split()[2:] == ["0", "1", "2", "3", "4", "5", "…", "15"]


def test_colours_tell_the_parts_apart_and_take_no_columns():
    mesh = MeshShape(("data", "model"), (2, 2))
    [plain] = of_parts(mesh, (("data",), ()), PLAIN, 80, 8)
    [block] = of_parts(mesh, (("data",), ()), Painter(True), 80, 8)
    assert [re.sub(r"\x1b\[[\d;]*m", "", line).rstrip() for line in block] == plain
    colours = [re.findall(r"\x1b\[(7;\d+)m", line) for line in block[1:]]
    assert colours[0][0] == colours[0][1] != colours[1][0] == colours[1][1]
    assert columns("\x1b[7;36mA \x1b[0m b") == 4


def test_blocks_stand_side_by_side_while_there_is_room():
    blocks = [["one", "1"], ["two"], ["three", "3"]]
    assert list(beside(blocks, 11)) == ["one   two\n", "1\n", "three\n", "3\n"]
    assert list(beside(blocks, 20)) == ["one   two   three\n", "1           3\n"]
