"""The readers of call scripts: what they read, and how they say what they cannot read."""

import json
import re
from itertools import islice
from keyword import iskeyword
from pathlib import Path
from textwrap import indent

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jitinspect.errors import UsageError
from jitinspect.specs import (
    Argument,
    ArraySpec,
    CallSpec,
    DictSpec,
    ListSpec,
    ScriptCall,
    ValueSpec,
)
from jitinspect.specs.scripts import call_key, read_calls, read_jsonl, read_jsonl_line
from tests.unit.specs.strategies import names, specs

IMPORT = "from samples.mlp import loss_fn, predict as p\n"
F32, CALL, WITH = "f32[128,784]", "loss_fn(f32[128,784])", "with config(jax_enable_x64=True):"
LINE = '{"fn": "samples.mlp:loss_fn", "args": ["f32[128,784]"]}'
REPEATED, IN_PLACE = f"{CALL} * 100", "write the value where it is used"
PROGRAM = "a .py script is run as the program it is"
COMPUTED = f"write its value, or make it a program: {PROGRAM}"
SEED = Path(__file__).parents[3] / "samples" / "seed.calls"


def calls(text):
    return list(read_calls(text.splitlines(keepends=True), "s.calls"))


def refusal(read, *arguments):
    with pytest.raises(UsageError) as raised:
        list(read(*arguments))
    return raised.value


def array(*shape):
    return Argument(None, ArraySpec("f32", shape))


def test_the_sample():
    read = list(read_calls(SEED.read_text().splitlines(), "samples/seed.calls"))
    assert [(call.ref, str(call.call), call.at) for call in read] == [
        ("samples.mlp:loss_fn", "loss_fn(f32[128,784], f32[784,256])", "samples/seed.calls:2"),
        ("samples.mlp:loss_fn", "loss_fn(f32[128,784], f32[784,256])", "samples/seed.calls:3"),
        ("samples.mlp:loss_fn", "loss_fn(f32[64,784], f32[784,256])", "samples/seed.calls:4"),
        ("samples.mlp:loss_fn", "loss_fn(f32[128,784], f32[784,256])", "samples/seed.calls:5"),
        ("samples.mlp:predict", "predict(f32[128,784], f32[784,10], training=True)", "samples/seed.calls:6"),
        ("samples.mlp:predict", "predict(f32[128,784], f32[784,10], training=False)", "samples/seed.calls:7"),
    ]
    assert all(call.config == () and call.repeat == 1 for call in read)


@pytest.mark.parametrize(
    ("imports", "name", "ref"),
    [
        ("from a.b import f, g as h", "f", "a.b:f"),
        ("from a.b import f, g as h  # of c", "h", "a.b:g"),
        ("from a.b import (\n  f,  # it's one\n\n  g as h,\n)", "h", "a.b:g"),
        ("from a.b import Class", "Class.method", "a.b:Class.method"),
        ("import a.b", "a.b.f", "a.b:f"),
        ("import a, a.b", "a.b.f", "a.b:f"),
        ("import a.b, a", "a.f", "a:f"),
        ("import a", "a.obj.f", "a:obj.f"),
        ("import a.b as m", "m.f", "a.b:f"),
        ("import a.b as m", "m.Class.method", "a.b:Class.method"),
        ("from a import f\nfrom b import f", "f", "b:f"),
        ("from ä import ö, ü", "ü", "ä:ü"),
        ("\ufefffrom a import f", "f", "a:f"),
    ],
)
def test_a_name_is_what_was_imported_under_it(imports, name, ref):
    (call,) = calls(f"{imports}\n{name}(f32[3])\n")
    assert (call.ref, call.call.function) == (ref, name)


def test_comments_blank_lines_and_calls_over_several_lines():
    read = calls(
        f"# a 'script\n\n{IMPORT}"
        "loss_fn(  # (not (closed\n\n  f32[\n3],\n# f32[4]\n  'a # b',\n)  # end ) \n   \n"
        "p('''(\n\n# \"''', name='it\\'s (')\t\r\n  # the end"
    )
    assert [call.at for call in read] == ["s.calls:4", "s.calls:12"]
    assert read[0].call == CallSpec("loss_fn", (array(3), Argument(None, ValueSpec("a # b"))))
    text = Argument(None, ValueSpec('(\n\n# "'))
    assert read[1].call == CallSpec("p", (text, Argument("name", ValueSpec("it's ("))))


@pytest.mark.parametrize(
    ("line", "repeat"),
    [("p() * 100", 100), ("100 * p()", 100), ("p()*1_000#", 1000), ("(p()) * (2)", 2), ("(3 *\n p())", 3)],
)
def test_a_call_repeats(line, repeat):
    (call,) = calls(IMPORT + line)
    assert call.repeat == repeat and call.call == CallSpec("p", ())


def test_settings_hold_in_their_block():
    read = calls(
        IMPORT + "p(0)\n"
        "with config(jax_enable_x64=True, jax_default_matmul_precision='float32'):  # all:\n"
        "  p(1)\n"
        "# no dedent\n"
        "  with (config(\n"
        "    jax_debug_nans=None, jax_enable_x64=False\n"
        "  )):\n"
        "\t# no indentation either\n"
        "      from b import g\n"
        "      p(2)\n"
        "  with config():\n"
        "     p(3)\n"
        "p(4)\n"
        "with config(x64=-1):\n"
        "\tg(5)"
    )
    outer = (("jax_enable_x64", True), ("jax_default_matmul_precision", "float32"))
    both = (
        ("jax_enable_x64", False),
        ("jax_default_matmul_precision", "float32"),
        ("jax_debug_nans", None),
    )
    assert [call.config for call in read] == [(), outer, both, outer, (), (("x64", -1),)]
    assert [str(call.call) for call in read] == ["p(0)", "p(1)", "p(2)", "p(3)", "p(4)", "g(5)"]


def test_what_stands_before_a_bad_line_is_read_first():
    def lines():
        yield from [IMPORT, "p(1)\n", "p(2)\n"]
        pytest.fail("read ahead")

    assert [call.at for call in islice(read_calls(lines(), "s"), 2)] == ["s:2", "s:3"]
    bad = read_calls([IMPORT, "p(1)", "p(f32[3 4])"], "s")
    assert next(bad).at == "s:2"
    assert refusal(lambda: bad).message == "s:3: dimensions are separated by commas, at column 9"


@pytest.mark.parametrize(
    ("script", "line", "caret", "message", "hint"),
    [
        ("loss_fn(f32[128 784])", 2, "                ^", "dimensions are separated by commas", F32),
        ("p(f32[3],\n  f32[4 5])", 3, "        ^", "dimensions are separated by commas", "f32[4,5]"),
        ("p(f32[3],\n\n  foo)", 4, "  ^", "unknown name foo",
         "'foo' if it is a string, f32[128,784] if an array"),
        ("p(\n'ü', 1 + 1)", 3, "     ^", "arithmetic is not evaluated", "write the result"),
        ("with config(a=1):\n  p(f31[3])", 3, "    ^", "'f31' is not a dtype", "did you mean f32[3]?"),
        ("p(np.pi)", 2, "  ^", "np.pi: names are not looked up", COMPUTED),
        ("loss_fm(3)", 2, "^", "loss_fm is not imported",
         "did you mean loss_fn? Else put before it: from … import loss_fm"),
        ("3 * qq(3)", 2, "    ^", "qq is not imported", "put before it: from … import qq"),
        ("a.b.f(3)", 2, "^", "a.b.f is not imported", "put before it: import a.b"),
        ("predict(3)", 2, "^", "predict is not imported", "put before it: from … import predict"),
        ("import a.b as m\nm(3)", 3, "^", "m is a module, not a function", "m.FUNCTION(…)"),
        ("import jax.nn\njax.lax.exp(3)", 3, "^", "jax.lax.exp is not imported", None),
        ("config(jax_enable_x64=True)", 2, "^", "settings hold for a block of calls", WITH),
        ("jax.config.update('a', 1)", 2, "^", "settings hold for a block of calls", WITH),
        ("import jax\njax.config.update('a', 1)", 3, "^", "settings hold for a block of calls", WITH),
        ("y = loss_fn(f32[3])", 2, "  ^", "a script of calls has no variables", "loss_fn(f32[3])"),
        ("n: int = 3", 2, "       ^", "a script of calls has no variables", IN_PLACE),
        ("n += 3", 2, "   ^", "a script of calls has no variables", IN_PLACE),
        ("for i in range(3):\n  p(i)", 2, "^", "'for' is not read here",
         "loss_fn(f32[128,784]) * 100 repeats a call"),
        ("if True:\n  p(3)", 2, "^", "'if' is not read here", PROGRAM),
        ("p", 2, "^", "not a call of a named function", CALL),
        ("p(3) p(4)", 2, None, "does not parse", CALL),
        ("p(3); p(4)", 2, "    ^", "does not parse", CALL),
        ("a.b:C.f(3)", 2, "   ^", "a script imports what it calls", "from a.b import C"),
        ("p(3) * 0", 2, "       ^", "at least once", REPEATED),
        ("p(3) * True", 2, "       ^", "at least once", REPEATED),
        ("-1 * p(3)", 2, "^", "at least once", REPEATED),
        ("p(3) * p(4)", 2, "       ^", "at least once", REPEATED),
        ("p(3) + p(4)", 2, "^", "not a call of a named function", CALL),
        ("p(f32[3]\np(4)\np(5)", 2, " ^", "this '(' is never closed", "add ')'"),
        ("p(f32[3\np(f32[4])", 2, "     ^", "this '[' is never closed", "add ']'"),
        ("p(3]\np(4)", 2, "   ^", "this ']' does not close '('", "write ')'"),
        ("p(3))\np(4)", 2, "    ^", "this ')' closes nothing", "delete it, or open it"),
        ("p('it)\np(4)", 2, "  ^", "this quote is never closed", "add '"),
        ("p('''it)\np(4)", 2, "  ^", "this string is never closed", "add '''"),
        ("  p(3)", 2, "  ^", "this indentation is that of no block",
         "only with config(jax_enable_x64=True): begins one"),
        ("with config(a=1):\n  p(3)\n p(4)", 4, " ^", "this indentation is that of no block", None),
        ("with config(a=1):\n  p(3)\n   p(4)", 4, "   ^", "this indentation is that of no block", None),
        ("with config(a=1):\n    p(3)\n\tp(4)", 4, " ^", "this indentation is that of no block", None),
        ("with config(a=1):\n\np(3)", 4, "^", "the block of the `with` in line 2 is not indented", None),
        ("with config(a=1):\n# p(3)", 2, "^", "this block has no calls",
         "put its calls below it, indented"),
        ("with config(a=1): p(3)", 2, None, "ends in a colon; its calls are below it", None),
        ("with config(a=1)", 2, None, "ends in a colon; its calls are below it", None),
        ("with config(1):", 2, "            ^", "a setting needs a name", WITH),
        ("with config(a=f32[3]):", 2, "              ^", "a setting has a plain value",
         "True, 3, 'float32', None"),
        ("with config(a=1,\n  a=2):", 3, "  ^", "argument a is given twice", "give it once"),
        ("with config(**a):", 2, "              ^", "** is not read here", None),
        ("with config(a=1), config(b=2):", 2, None, "only `with config(…):` makes a block", None),
        ("with config(a=true):", 2, "              ^", "unknown name true", "True"),
        ("with config(a=1) as c:", 2, "                 ^", "does not parse", WITH),
        ("with open('a') as b:", 2, "^", "only settings make a block", WITH),
        ("from . import f", 2, "     ^", "no relative imports", "name the package: from a.b import f"),
        ("from a import *", 2, "              ^", "name what the script calls", "from a import f, g"),
        ("from a import f g", 2, None, "this import does not parse", None),
        ("import", 2, "      ^", "this import does not parse", None),
        ("from a import 'f'", 2, "              ^", "this is not a name to import", None),
        ("import a; import b", 2, "        ^", "write one statement a line", None),
        ("from a import (f,\n  g h)", 3, None, "this import does not parse", None),
    ],
)  # fmt: skip
def test_a_mistake_in_a_script(script, line, caret, message, hint):
    error = refusal(read_calls, f"{IMPORT}{script}".splitlines(), "dir/s.calls")
    assert error.message.startswith(f"dir/s.calls:{line}: ") and message in error.message
    shown, under = error.detail.split("\n")
    assert shown == "  " + f"{IMPORT}{script}".splitlines()[line - 1].replace("\t", " ")
    assert f"at column {len(under) - 2}" in error.message
    assert caret is None or under == f"  {caret}"
    assert hint is None or error.hint == hint


@pytest.mark.parametrize(
    "line",
    ["f" + ".a" * 3000 + "(3)", "p(" * 300 + ")" * 300, "p(3)" + " * 2" * 3000,
     "from a" + ".a" * 9000 + " import b",
     "import " + ", ".join("abc") * 999, "p(3) * " + "9" * 5000,
     "-" * 5000 + "p()", "p('\ud800')", "p(\x00)"],
)  # fmt: skip
def test_what_is_too_much_is_no_crash(line):
    try:
        calls(IMPORT + line)
    except UsageError as error:
        assert error.message.startswith("s.calls:2: ")


def test_a_json_line():
    line = {
        "time": 1.5,
        "fn": "samples.mlp:Class.f",
        "args": ["f32[3]", 2, 2.5, True, None, "'gelu'", [1, "i32[]"], {"w": "f32[2]", "n": {}}],
        "kwargs": {"training": "True"},
        "config": {"jax_enable_x64": True, "jax_default_matmul_precision": "float32"},
        "repeat": 3,
    }
    values = [ValueSpec(value) for value in (2, 2.5, True, None, "gelu")]
    trees = [
        ListSpec((ValueSpec(1), ArraySpec("i32", ()))),
        DictSpec((("w", ArraySpec("f32", (2,))), ("n", DictSpec(())))),
    ]
    positional = [Argument(None, spec) for spec in (ArraySpec("f32", (3,)), *values, *trees)]
    assert read_jsonl_line(json.dumps(line) + "\r\n", "s.jsonl:1") == ScriptCall(
        ref="samples.mlp:Class.f",
        call=CallSpec("Class.f", (*positional, Argument("training", ValueSpec(True)))),
        at="s.jsonl:1",
        config=(("jax_enable_x64", True), ("jax_default_matmul_precision", "float32")),
        repeat=3,
    )


@pytest.mark.parametrize(
    "ref", ["m:f", "a.b:C.f", "path/file.py:f", "file.py:f", "/abs/with space.py:f", "ä:ö"]
)
def test_a_json_line_needs_the_function_alone(ref):
    empty = {"fn": ref, "args": None, "kwargs": None, "config": None, "repeat": None}
    name = ref.rpartition(":")[2]
    expected = ScriptCall(ref, CallSpec(name, ()), "s:1")
    assert (
        read_jsonl_line(json.dumps(empty), "s:1") == read_jsonl_line(f'{{"fn": "{ref}"}}', "s:1") == expected
    )


def test_json_lines_are_counted_blank_ones_too():
    lines = ['\ufeff{"fn": "a:f"}\n', "\n", "  \n", '{"fn": "a:g"}']
    assert [(call.ref, call.at) for call in read_jsonl(lines, "s.jsonl")] == [
        ("a:f", "s.jsonl:1"),
        ("a:g", "s.jsonl:4"),
    ]


@pytest.mark.parametrize(
    ("line", "place", "message", "hint"),
    [
        ('{"fn": "a:f", "args": ["f32[3]", "f32[128 784]"]}', "784]",
         "dimensions are separated by commas", F32),
        ('{"fn": "a:f", "args": [[1, {"w": "f31[3]"}]]}', "f31",
         "'f31' is not a dtype", "did you mean f32[3]?"),
        ('{ "fn":"a:f" , "kwargs" :{"ü":  "(1, foo)" } }', "foo", "unknown name foo", None),
        ('{"fn": "a:f", "args": ["[\\"a\\", foo]"]}', '"[', "unknown name foo", None),
        ('{"fn": "a:f", "args": ["3"], "args": ["f()"]}', "f()", "a call is not evaluated",
         COMPUTED),
        ('{"fn": "a:f", "kwargs": {"a b": 1}}', "1}", "'a b' cannot be the name of an argument", None),
        ('{"fn": "a:f", "kwargs": {"if": 1}}', "1}", "'if' cannot be the name of an argument", None),
        ('{"fn": "a:f", "args": {"x": 1}}', '{"x"', '"args" is an array', '"args": ["f32[128,784]", true]'),
        ('{"fn": "a:f", "kwargs": []}', "[]", '"kwargs" is an object', '"kwargs": {"training": true}'),
        ('{"fn": "a:f", "config": true}', "true", '"config" is an object',
         '"config": {"jax_enable_x64": true}'),
        ('{"fn": "a:f", "config": {"x": [1]}}', "[1]", "a setting has a plain value",
         'true, 3, "float32", null'),
        ('{"fn": "a:f", "repeat": 0}', "0", '"repeat" is a whole number', '"repeat": 100'),
        ('{"fn": "a:f", "repeat": true}', "true", '"repeat" is a whole number', '"repeat": 100'),
        ('{"fn": "a:f", "repeat": 2.5}', "2.5", '"repeat" is a whole number', '"repeat": 100'),
        (' {"args": []}', "{", '"fn" is missing', LINE),
        ('{"fn": 3}', "3", '"fn" is a string', '"samples.mlp:loss_fn"'),
        ('{"fn": "a.b.f"}', '"a.b', "'a.b.f' is not of the form MODULE:FUNCTION", "a.b:f"),
        ('{"fn": "f"}', '"f"}', "'f' is not of the form MODULE:FUNCTION", "samples.mlp:loss_fn"),
        ('{"fn": "a:"}', '"a:', "'a:' is not of the form MODULE:FUNCTION", "samples.mlp:loss_fn"),
        ('{"fn": ":f"}', '":f', "':f' is not of the form MODULE:FUNCTION", "samples.mlp:loss_fn"),
        ('{"fn": "a b:f"}', '"a b', "'a b:f' is not of the form MODULE:FUNCTION", "samples.mlp:loss_fn"),
        ("[1]", "[1]", "a call is an object", LINE),
        ('{"fn": "a:f" "args": []}', '"args', "this line is not JSON (Expecting ',' delimiter)", None),
        ("{'fn': 'a:f'}", "'fn", "this line is not JSON", 'strings are in "…"'),
        ('{"fn": "a:f", "args": [True]}', "True", "this line is not JSON (Expecting value)", "true"),
        ('{"fn": "a:f"} x', "x", "this line is not JSON (Extra data)", None),
        ('{"fn": "a:f", "args": [' + "[" * 120 + "]" * 120 + "]}", "{", "nested more than 100 deep", None),
        ('{"fn": "a:f", "args": [' + "9" * 5000 + "]}", "{", "a number in this line is too long", None),
        ("[" * 200_000, "[", None, None),
    ],
)  # fmt: skip
def test_a_mistake_in_a_json_line(line, place, message, hint):
    error = refusal(read_jsonl, ["", line], "dir/s.jsonl")
    column = line.index(place)
    assert error.message.startswith("dir/s.jsonl:2: ") and error.message.endswith(f"at column {column + 1}")
    assert message is None or message in error.message
    shown, under = error.detail.split("\n")
    assert shown[len(under) - 1 :].startswith(place[:1]) and under.endswith("^")
    assert hint is None or error.hint == hint


argument_names = names.filter(lambda name: not iskeyword(name))
dotted = st.lists(argument_names, min_size=1, max_size=3).map(".".join)
arguments = st.tuples(st.lists(specs, max_size=3), st.dictionaries(argument_names, specs, max_size=2)).map(
    lambda both: (*(Argument(None, s) for s in both[0]), *(Argument(n, s) for n, s in both[1].items()))
)
configs = st.dictionaries(argument_names, st.none() | st.booleans() | st.integers() | st.text(), max_size=2)


@st.composite
def scripts(draw, depth=0):
    """Text of a script, and its calls but for their lines."""
    lines, expected = [], []
    for _ in range(draw(st.integers(1, 3))):
        if depth < 2 and draw(st.booleans()):
            config = draw(configs)
            text, inner = draw(scripts(depth + 1))
            written = ", ".join(f"{name}={ValueSpec(value)}" for name, value in config.items())
            block = indent(text, draw(st.sampled_from(["  ", "\t", "    "])))
            lines.append(f"with config({written}):\n{block}")
            expected += [(ref, call, {**config, **own}, repeat) for ref, call, own, repeat in inner]
        else:
            line, call = draw(lines_of_a_call())
            lines.append(line)
            expected.append(call)
    return "\n".join(lines), expected


@st.composite
def lines_of_a_call(draw):
    module, name, alias = draw(dotted), draw(argument_names), draw(argument_names)
    method = draw(st.sampled_from(["", ".method"]))
    line, called, ref = draw(
        st.sampled_from(
            [
                (f"from {module} import {name} as {alias}", f"{alias}{method}", f"{module}:{name}{method}"),
                (f"import {module} as {alias}", f"{alias}.{name}{method}", f"{module}:{name}{method}"),
            ]
        )
    )
    call, repeat = CallSpec(called, draw(arguments)), draw(st.integers(1, 10**6))
    text = draw(st.sampled_from([f"{call} * {repeat}", f"{repeat} * {call}  # it's"]))
    spaced = text.replace("(", "(\n\n#'\n", 1) if draw(st.booleans()) else text
    return f"{line}\n{spaced}", (ref, call, {}, repeat)


@settings(max_examples=40, deadline=None)
@given(scripts())
def test_what_is_written_is_read_back(script):
    text, expected = script
    read = list(read_calls(text.split("\n"), "s"))
    assert [(c.ref, c.call, c.repeat) for c in read] == [(ref, call, n) for ref, call, _, n in expected]
    assert [c.config for c in read] == [tuple(config.items()) for _, _, config, _ in expected]


@given(dotted, argument_names, arguments, st.integers(1, 10**6), configs)
def test_a_logged_call_is_read_back(module, name, args, repeat, config):
    line = {
        "fn": f"{module}:{name}",
        "args": [str(a.spec) for a in args if a.name is None],
        "kwargs": {a.name: str(a.spec) for a in args if a.name is not None},
        "config": config,
        "repeat": repeat,
    }
    expected = ScriptCall(line["fn"], CallSpec(name, args), "s:1", tuple(config.items()), repeat)
    assert read_jsonl_line(json.dumps(line), "s:1") == expected


GOOD_CALLS = (
    "from a.b import f, g as h\nimport c.d as m\n\n# it's\nf(f32[3,B]{weak}@cpu:1, {'w': [i32[], 'a#']})\n"
    "with config(x=True, y='z'):\n    m.C.g(key<rbg>[4],\n      n=-2.5) * 100\n    with config(x=None):\n"
    "        3 * h('''a\n(''', f32[8]@P('d'))\nf()\n"
)
GOOD_JSON = (
    '{"fn": "a.b:f", "args": ["f32[3]", [1, {"w": "(i32[], \\"a\\")"}]], "kwargs": {"n": "-2.5"}, '
    '"config": {"x": true}, "repeat": 3}'
)
pieces = st.sampled_from(
    [*"()[]{},:=@.'\"#*\\\n \t+-;_0ü\x00\ud800", "'''", "with", "config", "import", "as", "f32["]
)


@st.composite
def mutated(draw, good):
    text = good
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = start + draw(st.integers(0, 4))
        text = text[:start] + draw(st.just("") | pieces | st.text(max_size=2)) + text[end:]
    return text


@given(mutated(GOOD_CALLS))
def test_a_damaged_script_is_read_or_refused_by_file_and_line(text):
    lines = text.split("\n")
    try:
        list(read_calls(lines, "dir/s.calls"))
    except UsageError as error:
        place = re.match(r"dir/s\.calls:(\d+): .+, at column (\d+)\Z", error.message, re.DOTALL)
        line = lines[int(place[1]) - 1].rstrip("\r\n").removeprefix("\ufeff")
        assert int(place[2]) - 1 <= len(line) and error.detail.endswith("^")


@given(mutated(GOOD_JSON))
def test_a_damaged_json_line_is_read_or_refused_by_file_and_line(line):
    try:
        read_jsonl_line(line, "dir/s.jsonl:7")
    except UsageError as error:
        place = re.match(r"dir/s\.jsonl:7: .+, at column (\d+)\Z", error.message, re.DOTALL)
        assert int(place[1]) - 1 <= len(line) and error.detail.endswith("^")


def test_a_key_tells_calls_apart_and_nothing_else():
    line = '{"fn": "m:f", "args": ["f32[3]", 1], "kwargs": {"n": true}}'
    same = [
        line + "\n",
        '{"kwargs": {"n": true}, "fn":"m:f", "args":["f32[3]",1]}  ',
    ]
    others = [
        line.replace("true", "1"),
        line.replace(", 1]", ", 1.0]"),
        line.replace("m:f", "m:g"),
        line[:-1] + ', "repeat": 2}',
        line[:-1] + ', "config": {"jax_enable_x64": true}}',
        line[:-1] + ', "step": 7}',
    ]
    logged = [line[:-1] + f', "step": {step}, "at": "x"}}' for step in range(2)]
    assert len({call_key(one) for one in logged}) == 1
    assert {call_key(one) for one in same} == {call_key(line)}
    assert len({call_key(one) for one in [line, *others]}) == 1 + len(others)
    assert {call_key(one) for one in ["", "  \n", "[1]", "3", '{"fn": ', line + " x", "[" * 100_000]} == {
        None
    }
