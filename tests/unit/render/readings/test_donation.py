"""`donation` and `constants` as text: pure functions of their reports."""

import re
from dataclasses import replace

import pytest

from jitinspect.model import Target
from jitinspect.model.readings import Constant, ConstantsReport, DonatedLeaf, DonationReport, Saved
from jitinspect.render import readings

TARGET = Target("t:f", "t", "f", None, None, (), (), "f()")
LEAF = DonatedLeaf("params['w']", 4096, True, "result['w']", None, 0, "f32[32,32]", signature="f()")
LEAVES = (
    LEAF,
    replace(LEAF, path="x", aliased=None, why="dtype", nearest="result[1] is bf16[32,32]"),
    replace(LEAF, path="y", donated=False, aliased=None, could_save=4096, could_alias="result[2]"),
    replace(LEAF, path="z", donated=False, aliased=None),
)
CONSTANT = Constant(
    (256, 256), "float32", 262144, "t.py:3", "W", "literal, 524,321 chars", "f32[256,256]", 2, "f()"
)
SMALL = replace(CONSTANT, bytes=400, name=None, source=None, type="f32[100]", uses=0)


def donation(*leaves, **more):
    return DonationReport("donation", TARGET, leaves, **{"bytes_aliased": 4096} | more)


def constants(*found):
    return ConstantsReport("constants", TARGET, found)


def text(report, width=160, color=False, verbose=False):
    return "".join(readings.render(report, color, width, verbose))


def plain(coloured):
    return re.sub(r"\x1b\[[\d;]*m", "", coloured)


def test_each_array_is_told_by_what_became_of_it():
    assert text(donation(*LEAVES)).split("\n") == [
        "argument     type          bytes  buffer",
        "params['w']  f32[32,32]  4.10 kB  → result['w']",
        "x            f32[32,32]  4.10 kB"
        "  not aliased: dtype: no output of f32[32,32] is left, result[1] is bf16[32,32]",
        "y            f32[32,32]  4.10 kB  not donated; would save 4.10 kB → result[2]",
        "z            f32[32,32]  4.10 kB  not donated",
        "",
        "8.19 kB donated (2 arrays) · 4.10 kB saved · 4.10 kB lost · 4.10 kB could be saved",
        "",
    ]


@pytest.mark.parametrize(
    ("why", "told"),
    [
        ("unused", "unused: the function does not use it"),
        ("no_output", "no_output: no output of 4.10 kB is left"),
        ("sharding", "sharding: result is f32[8]@P(), sharded differently"),
        ("layout", "layout: result is f32[8]@P(), laid out differently"),
        (None, "unknown cause: result is f32[8]@P()"),
    ],
)
def test_each_reason_has_its_words(why, told):
    leaf = replace(LEAF, aliased=None, why=why, nearest="result is f32[8]@P()")
    assert f"not aliased: {told}\n" in text(donation(leaf))


def test_a_donation_inside_a_jit_is_told_though_it_is_none():
    leaf = replace(LEAF, donated=False, aliased=None, why="nested_jit", could_save=4096, could_alias="result")
    assert "donated in a nested jit, where JAX ignores it; would save 4.10 kB → result\n" in text(
        donation(leaf)
    )


def test_another_sum_of_xlas_is_told():
    assert "XLA counts 12 bytes as aliased, this table 4,096\n" in text(donation(LEAF, bytes_aliased=12))
    for same in 4096, None:
        assert "XLA" not in text(donation(LEAF, bytes_aliased=same))


def test_what_is_not_known_is_told():
    assert "cannot tell what donating would save: why\n" in text(donation(LEAF, unknown="why"))


def test_bytes_of_sharded_arrays_are_those_of_a_device():
    assert "one device" in text(donation(replace(LEAF, type="f32[8]@P('data')")))
    assert "one device" not in text(donation(LEAF))


def test_calls_of_a_sweep_have_a_heading_each():
    told = text(donation(LEAF, replace(LEAF, signature="f(f32[2])")))
    assert told.startswith("f()\n") and "\nf(f32[2])\n" in told
    told = text(constants(CONSTANT, replace(CONSTANT, signature="f(f32[2])")))
    assert told.startswith("f()\n") and "\nf(f32[2])\n" in told


def test_nothing_is_told_as_that():
    assert text(donation()) == "the arguments have no arrays\n"
    assert text(constants()) == "no constants: the function closes over no arrays\n"


LONG = "encoder.layers[0].attention.query.projection.kernel"


@pytest.mark.parametrize("width", [40, 80, 160])
def test_lines_fit_and_are_cut_in_the_middle(width):
    leaf = replace(LEAF, path=LONG, aliased=f"result['{LONG}']")
    one = replace(CONSTANT, name=LONG, source=f"some/where/{LONG}.py:12")
    for report in donation(leaf, *LEAVES), constants(one, SMALL):
        lines = text(report, width).split("\n")
        assert max(map(len, lines)) <= width + (30 if width == 40 else 0)
        assert plain(text(report, width, color=True)) == text(report, width)
        assert LONG in text(report, width, verbose=True)
    assert (LONG in text(donation(leaf), width)) == (width == 160)


def test_colours_tell_what_became_of_it():
    told = text(donation(*LEAVES), color=True)
    assert "\x1b[32m→ result['w']\x1b[0m" in told
    assert "\x1b[31mnot aliased: dtype" in told
    assert "\x1b[33mnot donated; would save" in told
    assert "\x1b[2mnot donated\x1b[0m" in told


def test_constants_are_a_table_with_a_sum():
    assert text(constants(CONSTANT, SMALL)).split("\n") == [
        "name  type           bytes  uses  used at  enters as",
        "W     f32[256,256]  262 kB     2  t.py:3   literal, 524,321 chars",
        "–     f32[100]       400 B     0  –        literal, 524,321 chars",
        "",
        "263 kB in 2 constants",
        "hint: pass W as an argument; a constant is lowered, compiled and hashed with the program,"
        " and a new value compiles it again",
        "",
    ]


def test_only_large_ones_get_a_hint_and_not_too_many_are_named():
    assert "hint" not in text(constants(SMALL))
    many = [replace(CONSTANT, name=name) for name in "abcde"]
    assert "pass a, b, c and 2 more as an argument" in text(constants(*many))
    assert "pass f32[256,256] as an argument" in text(constants(replace(CONSTANT, name=None)))


SAVED = Saved("f()", 4096, 0, 0)


def notes(saved, *leaves):
    """What stands below the sums."""
    return text(donation(*(leaves or [LEAF]), savings=(saved,))).partition("could be saved\n")[2]


def test_what_is_saved_is_what_was_measured():
    assert notes(SAVED) == ""
    told = text(donation(LEAF, savings=(replace(SAVED, saved=1024, could_save=512),)))
    assert "4.10 kB donated (1 array) · 1.02 kB saved · 0 B lost · 512 B could be saved\n" in told
    assert "of 4.10 kB reused, temporaries take 3.07 kB again\n" in told
    told = text(donation(LEAF, savings=(replace(SAVED, saved=-8),)))
    assert "· 0 B saved ·" in told and "with donation it takes 8 B more memory than without\n" in told
    assert "copies move 8.19 kB more than without donation\n" in notes(replace(SAVED, moved=8192))
    assert "· 4.10 kB saved ·" in text(donation(LEAF, savings=(replace(SAVED, saved=None),)))


def test_a_better_order_is_told_with_what_it_saves():
    ordered = replace(
        SAVED, order=("result[1]", "result[0]"), order_saves=4096, order_donates=("p['a']", "m")
    )
    hint = "return (result[1], result[0]), in the arguments' order: that would save 4.10 kB"
    assert notes(ordered) == f"hint: {hint}\n"
    assert notes(replace(ordered, moved=9, order_moved=1)) == f"hint: {hint} and move 8 B less\n"
    assert notes(ordered, LEAVES[3]).endswith(f"\nhint: donate p, m and {hint}\n")


def test_a_copy_and_a_shared_buffer_are_told():
    assert "→ result['w'], after a copy\n" in text(donation(replace(LEAF, copied=True)))
    told = text(donation(replace(LEAF, shared_with="v")))
    assert "→ result['w'], refused: v is in the same buffer\n" in told and "· 0 B saved ·" in told
    assert "JAX refuses this call: params['w'] is donated, and v is the same buffer\n" in told
    assert "not donated; cannot be, v is in the same buffer\n" in text(
        donation(replace(LEAVES[3], shared_with="v"))
    )
