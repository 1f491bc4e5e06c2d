"""The argument grammar: what it accepts, and what it says about the rest."""

import math
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jitinspect.errors import UsageError
from jitinspect.specs import (
    Argument,
    ArraySpec,
    CallSpec,
    Device,
    DictSpec,
    KeySpec,
    ListSpec,
    Sharding,
    TupleSpec,
    ValueSpec,
    bind,
    format_spec,
    free_dims,
    leaves,
    parse_argument,
    parse_call,
    parse_dims,
    parse_dtype,
    parse_mesh,
    parse_shape,
    parse_spec,
)
from jitinspect.specs.expression_reader import ExpressionReader
from tests.unit.specs.strategies import specs

grammar = st.lists(
    st.sampled_from(
        [*"()[]{},:=@.'-+#<> \n\\ü", "f32", "f32[", "3", "key<", "B", "P(", "weak", "nan", "2j", "f'"]
    ),
    max_size=14,
).map("".join)


@given(specs)
def test_what_is_formatted_is_parsed_back(spec):
    assert parse_spec(str(spec)) == spec


@given(st.text(max_size=60) | grammar)
def test_any_text_is_read_or_refused_with_a_caret(text):
    try:
        spec = parse_spec(text)
    except UsageError as error:
        assert error.detail.endswith("^") and "column" in error.message
    else:
        assert parse_spec(str(spec)) == spec


def read(parse, text):
    try:
        return parse(text)
    except UsageError as error:
        return error.message, error.detail, error.hint


@given(specs.map(str) | st.text(max_size=60) | grammar)
def test_an_array_alone_is_read_as_one_among_others(text):
    assert read(parse_spec, text) == read(lambda text: ExpressionReader(text).expression(), text)


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("f32[128,784]", ArraySpec("f32", (128, 784))),
        ("float32[128, 784]", ArraySpec("f32", (128, 784))),
        ("bf16[8]", ArraySpec("bf16", (8,))),
        ("i32[]", ArraySpec("i32", ())),
        ("f8_e4m3fn[4]", ArraySpec("f8_e4m3fn", (4,))),
        ("f32[]{weak}", ArraySpec("f32", (), weak=True)),
        ("key[]", KeySpec(None, ())),
        ("key<rbg>[4]", KeySpec("rbg", (4,))),
        ("f32[128,784]@cpu:1", ArraySpec("f32", (128, 784), placement=Device("cpu", 1))),
        ("f32[8,784]@P('data',None)", ArraySpec("f32", (8, 784), placement=Sharding(("data", None)))),
        ("f32[8]@P(('a','b'))", ArraySpec("f32", (8,), placement=Sharding((("a", "b"),)))),
        ("3", ValueSpec(3)),
        ("-2.5", ValueSpec(-2.5)),
        ("True", ValueSpec(True)),
        ("'gelu'", ValueSpec("gelu")),
        ("'f32[3]'", ValueSpec("f32[3]")),
        ("None", ValueSpec(None)),
        ("(1, 2)", TupleSpec((ValueSpec(1), ValueSpec(2)))),
        (
            "{'w': f32[2], 'b': [f32[B]]}",
            DictSpec((("w", ArraySpec("f32", (2,))), ("b", ListSpec((ArraySpec("f32", ("B",)),))))),
        ),
        ("  f32[3]\n", ArraySpec("f32", (3,))),
    ],
)
def test_the_grammar_of_the_contract(text, spec):
    assert parse_spec(text) == spec


@pytest.mark.parametrize(
    ("text", "column", "message", "hint"),
    [
        ("f32[128 784]", 9, "dimensions are separated by commas", "f32[128,784]"),
        ("f32[128x784]", 9, "dimensions are separated by commas", "f32[128,784]"),
        ("f32(128,784)", 4, "an array takes square brackets", "f32[128,784]"),
        ("f32[128,784", 4, "this '[' is never closed", "f32[128,784]"),
        ("(f32[128,784, f32[3])", 5, "this '[' is never closed", "f32[128,784]"),
        ("f32[(1,2)]", 5, "a dimension is a whole number or a name", "f32[128,784]"),
        ("f31[3]", 1, "'f31' is not a dtype", "did you mean f32[3]?"),
        ("s32[3]", 1, "'s32' is not a dtype", "did you mean i32[3]?"),
        ("float[3]", 1, "'float' is not a dtype", "did you mean f32[3]?"),
        ("double[3]", 1, "'double' is not a dtype", "did you mean f64[3]?"),
        ("f32x[3]", 1, "'f32x' is not a dtype", "did you mean f32[3]?"),
        ("F32[3]", 1, "'F32' is not a dtype", "did you mean f32[3]?"),
        ("f8[3]", 1, "'f8' is not a dtype", "did you mean f8_e4m3fn[3]?"),
        ("jnp.float32[3]", 4, "names are not looked up", "float32[3]"),
        (
            "(f32[2], f32[-1])",
            14,
            "a dimension cannot be negative: -1",
            "a size, or a name: f32[B] with --dim B=128",
        ),
        ("f32[2.5]", 5, "a whole number or a name, not 2.5", "a size, or a name: f32[B] with --dim B=128"),
        (
            "f32[None,3]",
            5,
            "a whole number or a name, not None",
            "a size, or a name: f32[B,3] with --dim B=128",
        ),
        ("f32[3,,4]", 7, "a dimension is missing", "a size, or a name: f32[3,B,4] with --dim B=128"),
        (f"f32[{2**63}]", 5, "too large", "a size, or a name: f32[B] with --dim B=128"),
        ("f32[3]{week}", 7, "unknown mark {week}", "{weak} is the only one"),
        ("f32[3]{weak", 7, "unknown mark {weak", "{weak} is the only one"),
        ("key[3]{weak}", 7, "a key takes no {…}", "key[]"),
        ("key<rgb>[3]", 5, "'rgb' is not a PRNG implementation", "did you mean key<rbg>[3]?"),
        ("f32<rbg>[3]", 4, "f32 takes no <rbg>", "f32[3]"),
        (
            "f32[3]@gpu",
            7,
            "neither a device nor a sharding",
            "@gpu:0 for a device, @P('data',None) for a sharding",
        ),
        ("f32[3]@P(3)", 10, "P(…) takes axis names and None", "@P('data',None)"),
        ("f32[3]@P('a','b')", 7, "P(…) has 2 entries, the array 1 dimensions", None),
        ("f32[3,3]@P('a','a')", 12, "P(…) names an axis twice", "each mesh axis shards one dimension"),
        ("3@cpu:0", 2, "only an array or a key has a placement", "f32[128,784]@cpu:0"),
        ("f32[3]x", 7, "a comma is missing", "put one before it"),
        ("(f32[3] f32[4])", 9, "a comma is missing", "put one before it"),
        ("{'a' 1}", 6, "a comma or a colon is missing", "put one before it"),
        ("'it's'", 5, "a comma is missing", "inside '…' write \\', or use \"…\" around it"),
        ("('ü', foo)", 7, "unknown name foo", "'foo' if it is a string, f32[128,784] if an array"),
        ("('ü',\n foo)", 8, "unknown name foo", "'foo' if it is a string, f32[128,784] if an array"),
        ("true", 1, "unknown name true", "True"),
        ("[false]", 2, "unknown name false", "False"),
        ("none", 1, "unknown name none", "None"),
        ("f32", 1, "f32 has no shape", "f32[128,784], or f32[] for a scalar"),
        ("{1, 2}", 1, "a set is not a pytree", "a list, tuple or dict"),
        ("[g(3)]", 2, "a call is not evaluated", "--args-from mod:fn takes what a function returns"),
        (
            "(3, np.pi)",
            5,
            "np.pi: names are not looked up",
            "--args-from mod:fn takes what a function returns",
        ),
        ("1 + 1", 1, "arithmetic is not evaluated", "write the result"),
        ("-True", 1, "only a number takes a sign", "True without it"),
        ("{'a': 1, 'a': 2}", 10, "key 'a' appears twice", "a dict has each key once"),
        ("{1: 2, True: 3}", 8, "key True appears twice", "a dict has each key once"),
        ("{f32[3]: 1}", 2, "a dict key must be a plain value", "{'w': f32[3]}"),
        ("(f'{x}',)", 2, "an f-string is not evaluated", "'{x}'"),
        ("", 1, "an argument is missing", "f32[128,784]"),
        ("  # none", 9, "an argument is missing", "f32[128,784]"),
        ("'abc", 1, "this quote is never closed", "add '"),
        ("'\\x'", 1, "this string does not parse", r"write \\ for a backslash"),
        ("f32[3]]", 7, "this ']' closes nothing", "delete it, or open it"),
        ("(1]", 3, "this ']' does not close '('", "write ')'"),
        ("[f32[3]", 1, "this '[' is never closed", "add ']'"),
        ("128x784", 3, "this does not parse", "f32[128,784]"),
        (
            "lambda: 3",
            1,
            "this is not an array, a value or a pytree of them",
            "f32[128,784], 3, 'gelu', {'w': f32[3]}",
        ),
    ],
)
def test_a_mistake_is_reported_with_its_place_and_what_to_type_instead(text, column, message, hint):
    with pytest.raises(UsageError) as raised:
        parse_spec(text)
    error = raised.value
    assert message in error.message and error.message.endswith(f"at column {column}")
    assert error.detail == "  " + text.replace("\n", " ") + f"\n  {' ' * (column - 1)}^"
    assert error.hint == hint


def test_a_long_text_is_cut_around_the_caret():
    text = ", ".join(["f32[3]"] * 40 + ["oops"] + ["f32[3]"] * 40)
    with pytest.raises(UsageError) as raised:
        parse_spec(text)
    shown, caret = raised.value.detail.split("\n")
    assert len(shown) <= 80 and shown[caret.index("^") :].startswith("oops")


@pytest.mark.parametrize("text", ["(" * 5000 + ")" * 5000, "-" * 5000 + "1", "[" * 150 + "]" * 150])
def test_deep_nesting_is_not_a_crash(text):
    with pytest.raises(UsageError):
        parse_spec(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("-0.0", -0.0), ("-inf", -math.inf), ("1e999", math.inf), ("1-2j", 1 - 2j), ("-2j", complex(0, -2)),
        ("-0.0-2j", complex(-0.0, -2)), ("infj", complex(0, math.inf)), ("r'\\d'", r"\d"), ("'\\d'", r"\d"),
        ("'''a\nb'''", "a\nb"), ("\"it's\"", "it's"), ("b'a'", b"a"),
        ("3  # it's f32[3]", 3),
    ],
)  # fmt: skip
def test_values_are_read_as_python_prints_them_and_without_a_warning(text, value):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        spec = parse_spec(text)
    assert spec == ValueSpec(value) and parse_spec(str(spec)) == spec


@pytest.mark.parametrize(
    ("text", "same"),
    [("f32[1_000]", "f32[1000]"), ("f32[3] {weak}", "f32[3]{weak}"), ("f32[1,\n2]", "f32[1,2]"),
     ("f32[3]\N{NO-BREAK SPACE}", "f32[3]"), ("key<fry>[]", "key<threefry2x32>[]"),
     ("f32[3]@PartitionSpec(None,)", "f32[3]@P(None)"), ("f32[3], f32[4]", "(f32[3], f32[4])")],
)  # fmt: skip
def test_there_is_one_text_for_each_spec(text, same):
    assert format_spec(parse_spec(text)) == same


def test_an_integer_that_python_does_not_print_is_written_in_hex():
    spec = parse_spec("0x" + "f" * 5000)
    assert spec == ValueSpec(16**5000 - 1) and parse_spec(str(spec)) == spec


def test_values_of_different_types_are_not_equal():
    one, true, real = map(parse_spec, ("1", "True", "1.0"))
    assert one != true and one != real and parse_spec("nan") == parse_spec("nan")
    assert math.isnan(parse_spec("nan").value)


@pytest.mark.parametrize(
    ("text", "shape"),
    [("128,784", (128, 784)), ("128x784", (128, 784)), ("(8,)", (8,)),
        ("[2, 3]", (2, 3)), ("", ()), ("[]", ()),
     ("B,784", ("B", 784)), ("7", (7,))],
)  # fmt: skip
def test_the_short_form_of_a_shape(text, shape):
    assert parse_shape(text, "bf16") == ArraySpec("bf16", shape)


@pytest.mark.parametrize(
    ("text", "column", "hint"),
    [
        ("128 784", 5, "128,784"),
        ("1,-2", 3, "a size, or a name: 1,B with --dim B=128"),
        ("[128,784", 1, "128,784"),
        ("128,784)", 8, "128,784"),
        ("128,784@cpu:1", 8, "f32[128,784]@cpu:1"),
        ("f32", 1, "f32[] for a scalar, or --dtype f32"),
        ("f31[2]", 1, "did you mean f32[2]?"),
    ],
)
def test_a_mistake_in_a_shape(text, column, hint):
    with pytest.raises(UsageError) as raised:
        parse_shape(text)
    assert raised.value.detail == f"  {text}\n  {' ' * (column - 1)}^" and raised.value.hint == hint


def test_a_dtype_by_either_name():
    assert parse_dtype("float32") == parse_dtype(" f32") == "f32"
    with pytest.raises(UsageError) as raised:
        parse_shape("3", dtype="flaot32")
    assert raised.value.hint == "did you mean float32?"


def test_a_shape_may_have_a_dtype():
    assert parse_shape("i32[3]", "bf16") == ArraySpec("i32", (3,))


@pytest.mark.parametrize(
    "text", ["{'a': f32[3]}", "[f32[8], f32[4]]", "(f32[8], f32[4])", "[8, f32[4]]", " [{'w': f32[3]}]"]
)
def test_a_shape_is_of_one_array_and_a_pytree_is_an_argument(text):
    with pytest.raises(UsageError, match="--shape is for one array") as raised:
        parse_shape(text)
    assert raised.value.hint == f'--arg "{text}", or --shape once for each'


def test_arguments_by_position_and_by_name():
    assert parse_argument("training=True") == Argument("training", ValueSpec(True))
    assert parse_argument("f32[3]") == Argument(None, ArraySpec("f32", (3,)))
    with pytest.raises(UsageError) as raised:
        parse_argument("x = f31[3]")
    assert raised.value.detail == "  x = f31[3]\n      ^"


def test_a_call():
    call = parse_call("pkg.predict(f32[3], {'w': i32[]}, training=True)")
    weights = DictSpec((("w", ArraySpec("i32", ())),))
    assert call == CallSpec(
        "pkg.predict",
        (
            Argument(None, ArraySpec("f32", (3,))),
            Argument(None, weights),
            Argument("training", ValueSpec(True)),
        ),
    )
    assert parse_call(str(call)) == call


@pytest.mark.parametrize(
    ("read", "text", "column", "message"),
    [
        (parse_call, "predict", 1, "not a single call of a named function"),
        (parse_call, " f(), g()", 2, "not a single call of a named function"),
        (parse_call, "f() * 100", 1, "not a single call of a named function"),
        (parse_call, "f[0]()", 1, "'f' is not a dtype"),
        (parse_call, "g(1).h(2)", 1, "not a single call of a named function"),
        (parse_call, "f(x=1, x=2)", 8, "argument x is given twice"),
        (parse_call, "f(x=1, 2)", 9, "positional argument follows keyword argument"),
        (parse_call, "f(**{})", 5, "** is not supported here"),
        (parse_call, "f(*a)", 3, "* is not supported here"),
        (parse_call, "f(f32(3))", 6, "an array takes square brackets"),
        (parse_argument, "x=", 3, "an argument is missing"),
        (parse_argument, "x==3", 1, "not an array, a value or a pytree"),
        (parse_argument, "lambda=3", 1, "lambda cannot be the name of an argument"),
        (parse_dims, "B", 1, "--dim takes NAME=SIZE"),
        (parse_dims, "=3", 1, "--dim takes NAME=SIZE"),
        (parse_dims, "B=x", 3, "a whole number of at least 0, not 'x'"),
        (parse_dims, "B=-1", 3, "a whole number of at least 0, not '-1'"),
        (parse_dims, "B=1, 2.5", 6, "a whole number of at least 0, not '2.5'"),
        (parse_dims, "B=1,", 5, "a whole number of at least 0, not ''"),
        (parse_dims, "B=" + "9" * 40, 3, "a whole number of at least 0"),
        (parse_dims, "B=1..", 6, "a whole number of at least 0, not ''"),
        (parse_dims, "B=..8", 3, "a whole number of at least 0, not ''"),
        (parse_dims, "B=1...8", 6, "a whole number of at least 0, not '.8'"),
        (parse_dims, "B= 1.. x", 8, "a whole number of at least 0, not 'x'"),
        (parse_dims, "B=1,2..4", 3, "a whole number of at least 0, not '1,2'"),
        (parse_dims, "B=1..4,8", 6, "a whole number of at least 0, not '4,8'"),
        (parse_dims, "B=1..4..8", 6, "a whole number of at least 0, not '4..8'"),
        (parse_dims, "B=64..1", 7, "the last size is below the first"),
        (parse_dims, "B=8..64:", 9, "a whole number of at least 1, not ''"),
        (parse_dims, "B=8..64:0", 9, "a whole number of at least 1, not '0'"),
        (parse_dims, "B=8..64:8:8", 9, "a whole number of at least 1, not '8:8'"),
        (parse_mesh, "data", 1, "--mesh takes AXIS=SIZE"),
        (parse_mesh, "data=0", 6, "a whole number of at least 1, not '0'"),
        (parse_mesh, "data=2,data=2", 8, "axis data appears twice"),
        (parse_mesh, "", 1, "--mesh takes AXIS=SIZE"),
    ],
)
def test_mistakes_in_calls_and_options(read, text, column, message):
    with pytest.raises(UsageError) as raised:
        read(text)
    assert message in raised.value.message
    assert raised.value.detail == f"  {text}\n  {' ' * (column - 1)}^"


def test_dimensions_sweep_and_meshes_have_axes():
    assert parse_dims("B=1,8, 64") == ("B", (1, 8, 64)) and parse_dims("B=0") == ("B", (0,))
    assert parse_dims("B=1..4096") == ("B", range(1, 4097)) and parse_dims(" B = 3 .. 3 ") == (
        "B",
        range(3, 4),
    )
    assert parse_mesh("data=4, model=2") == (("data", 4), ("model", 2))


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_a_range_has_both_its_ends(first, last):
    low, high = sorted((first, last))
    assert parse_dims(f"N={low}..{high}") == ("N", range(low, high + 1))
    assert parse_dims(f"N={low}..{high} : 8") == ("N", range(low, high + 1, 8))


@given(specs)
def test_binding_every_name_leaves_none_free(spec):
    bound = bind(spec, dict.fromkeys(free_dims(spec), 7))
    assert free_dims(bound) == ()
    assert len(list(leaves(bound))) == len(list(leaves(spec)))
