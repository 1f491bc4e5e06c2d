"""Types → elements and bytes, in the syntax of all three texts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jitinspect.ir import shapes

TYPES = {
    "f32[]": (1, 4),
    "f32[8,8]{1,0}": (64, 256),
    "f32[8,8]{0,1:T(8,128)S(1)}": (64, 256),
    "pred[10]": (10, 10),
    "bool[10]": (10, 10),
    "bf16[3]": (3, 6),
    "s4[3]": (3, 2),
    "u4[8]": (8, 4),
    "f8e4m3fn[5]": (5, 5),
    "f8_e4m3fn[5]": (5, 5),
    "c64[2]": (2, 16),
    "c128[2]": (2, 32),
    "f32[0,8]": (0, 0),
    "f32[<=8,4]": (32, 128),
    "token[]": (1, 0),
    "(f32[8], s32[], /*index=2*/pred[4])": (13, 40),
    "((f32[2], f32[3]), u8[1])": (6, 21),
    "f32[8@data,4]": (32, 128),
    "f32[8@(x,y),4]": (32, 128),
    "key<fry>[4]": (4, 32),
    "key<rbg>[4]": (4, 64),
    "Ref{float32[8]}": (8, 32),
    "float0[3]": (3, 0),
    "tensor<f32>": (1, 4),
    "tensor<8x8xf32>": (64, 256),
    "tensor<8xi1>": (8, 8),
    "tensor<3xui4>": (3, 2),
    "tensor<2xcomplex<f32>>": (2, 16),
    "tensor<5xf8E4M3FN>": (5, 5),
    "tensor<?x4xf32>": (4, 16),
    "!stablehlo.token": (0, 0),
    "": (0, 0),
}


@pytest.mark.parametrize(("text", "expected"), TYPES.items())
def test_elements_and_bytes_of_a_type(text, expected):
    assert (shapes.elements(text), shapes.size(text)) == expected


@given(st.lists(st.integers(0, 99), max_size=4))
def test_the_three_texts_say_the_same(dims):
    commas = ",".join(map(str, dims))
    tensor = f"tensor<{''.join(f'{dim}x' for dim in dims)}f32>"
    assert shapes.arrays(f"f32[{commas}]") == shapes.arrays(tensor) == (shapes.Array("f32", tuple(dims)),)


def test_a_layout_names_the_memory():
    text = "(f32[8,4]{1,0:T(8,128)S(1)}, f32[8]{0:T(8)}, u32[]{:S(2)}, s8[3]{0:S(5)}, f32[2])"
    assert [array.space for array in shapes.arrays(text)] == [1, 0, 2, 5, 0]
    assert shapes.main_memory(text) == 4 * 8 + 4 * 2
    assert shapes.size(text) == 4 * 32 + 4 * 8 + 4 + 3 + 8


@pytest.mark.parametrize(
    ("text", "elements"),
    [
        ("f32[8,4]{1,0:T(8,128)}", ("f32[8,4]{1,0:T(8,128)}",)),
        ("()", ()),
        ("(f32[8,4]{1,0:T(8,128)})", ("f32[8,4]{1,0:T(8,128)}",)),
        ("((f32[8], s32[]), /*index=1*/f32[2]{0}, (f32[1]))", ("(f32[8], s32[])", "f32[2]{0}", "(f32[1])")),
    ],
)
def test_the_elements_of_a_tuple(text, elements):
    assert shapes.parts(text) == elements
