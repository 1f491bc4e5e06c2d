"""Which words of a line were changed."""

import pytest

from jitinspect.readings.diff.changed_words import changed_words


def told(language, before, after, **names):
    """The changed words of both lines."""
    words = changed_words(language, before, after, names)
    return tuple(
        [line[start:end] for start, end in zip(spans[::2], spans[1::2], strict=True)]
        for line, spans in zip((before, after), words, strict=True)
    )


@pytest.mark.parametrize(
    ("language", "before", "after", "changed"),
    [
        ("hlo", "%a = f32[8,784] add(%b, %c)", "%a = f32[16,784] add(%b, %c)", (["8"], ["16"])),
        ("hlo", "%a = f32[8] add(%b, %c)", "%a = f32[8] multiply(%b, %c)", (["add"], ["multiply"])),
        ("hlo", "%a = f32[8] add(%b, %c)", "%a = f32[8] add(%b, %b)", (["%c"], ["%b"])),
        ("stablehlo", "%1 = tanh %0 : tensor<8x4xf32>", "%1 = tanh %0 : tensor<8x2xbf16>",
         (["4", "f32"], ["2", "bf16"])),
        ("jaxpr", "c:f32[8] = mul a 2.0:f32[]", "c:f32[8] = mul a 3.0:f32[]", (["2.0"], ["3.0"])),
        ("python", "    return f(x)", "    return f(x) * 2", ([], ["* 2"])),
        ("python", "    x = 1  # é → ü", "    x = 2  # é → ü", (["1"], ["2"])),
    ],
)  # fmt: skip
def test_words_are_found(language, before, after, changed):
    assert told(language, before, after) == changed


def test_names_that_stand_for_the_same_are_no_change():
    names = {"%add.7": "%add.3", "%x.2": "%x"}
    assert told("hlo", "%add.3 = f32[8] add(%x, %x)", "%add.7 = f32[8] add(%x.2, %x.2)", **names) == ([], [])
    assert told("hlo", "%add.3 = f32[8] add(%x, %x)", "%add.7 = f32[8] add(%x.2, %y)", **names) == (
        ["%x"],
        ["%y"],
    )


def test_a_line_that_is_too_long_for_that_is_changed_as_a_whole():
    before, after = "constant({" + "1, " * 5000 + "})", "constant({" + "2, " * 5000 + "})"
    assert told("hlo", before, after) == ([before], [after])
    assert told("hlo", before, before) == ([], [])
