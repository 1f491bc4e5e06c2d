"""The short forms of the command line: `--shape 128,784`, `--dim B=1,8`, `--dim B=1..64`, `--mesh data=4`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from jitinspect.errors import UsageError
from jitinspect.specs.arrays import MAX_SIZE, read_dims
from jitinspect.specs.caret import problem
from jitinspect.specs.dtypes import is_dtype, nearest_dtype, short_dtype
from jitinspect.specs.parse import parse_spec
from jitinspect.specs.spec_types import ArraySpec, KeySpec

_TYPED = re.compile(r"\s*[^\W\d]\w*\s*(?:<[^>]*>)?\s*\[")
_BARE = re.compile(r"\s*(?:\[(?P<list>[^\[\]()]*)\]|\((?P<tuple>[^\[\]()]*)\)|(?P<plain>.*?))\s*", re.DOTALL)
_RANGE = re.compile(r"(?P<first>[^.]*)\.\.(?P<last>[^:]*)(?P<by>:(?P<step>.*))?", re.DOTALL)
_BY_X = re.compile(r"[0-9]+(?:\s*[xX×]\s*[0-9]+)+")


def parse_shape(text: str, dtype: str = "f32") -> ArraySpec | KeySpec:
    """`128,784`, `128x784`, `(128,784)`, `B,784`, `''` for a scalar; or with a dtype, `bf16[8]`.

    Raises `UsageError`, with a caret, for anything else.
    """
    opener = text.lstrip()[:1]
    if _TYPED.match(text) or opener == "{" or (opener in ("[", "(") and _TYPED.search(text)):
        return _typed(text)
    short = parse_dtype(dtype)
    bare = _BARE.fullmatch(text)
    assert bare is not None and bare.lastgroup is not None, "its last form takes any text"
    start, end = bare.span(bare.lastgroup)
    inner = text[start:end]
    if is_dtype(inner):
        hint = f"{inner}[] for a scalar, or --dtype {inner}"
        raise problem(text, start, f"{inner} is a dtype, not a shape", hint)
    if odd := re.search(r"[][()@{]", inner):
        raise _odd(text, start + odd.start(), (inner[: odd.start()], inner[odd.start() :]), short)
    if _BY_X.fullmatch(inner):
        return ArraySpec(short, tuple(map(int, re.findall("[0-9]+", inner))))
    return ArraySpec(short, read_dims(text, start, end))


def _odd(text: str, column: int, parts: tuple[str, str], short: str) -> UsageError:
    """A bracket without its other half, or a placement or mark without a dtype before it."""
    sizes, rest = parts
    if rest[0] in "@{":
        return problem(text, column, "only a shape with a dtype takes this", f"{short}[{sizes}]{rest}")
    return problem(text, column, f"this {rest[0]!r} has no other half", re.sub(r"[][()]", "", sizes + rest))


def _typed(text: str) -> ArraySpec | KeySpec:
    spec = parse_spec(text)
    if isinstance(spec, ArraySpec | KeySpec):
        return spec
    raise problem(text, 0, "--shape is for one array", f'--arg "{text}", or --shape once for each')


def parse_dtype(text: str) -> str:
    """The short name of `--dtype`. Raises `UsageError` with the nearest name for an unknown one."""
    name = text.strip()
    if is_dtype(name):
        return short_dtype(name)
    near = nearest_dtype(name)
    raise problem(text, 0, f"{name!r} is not a dtype", near and f"did you mean {near}?")


def parse_dims(text: str) -> tuple[str, tuple[int, ...] | range]:
    """`B=1,8,64`: a dimension's name and its sizes, 0 or more each; or `B=1..64`, all sizes from the first to
    the last, and `B=8..64:8`, each eighth of them, as a `range`. Raises `UsageError` with a caret.
    """
    name, equals, _ = text.partition("=")
    if not equals or not name.strip().isidentifier():
        raise problem(text, 0, "--dim takes NAME=SIZE", "B=128, or B=1,8,64 for a sweep")
    if found := _RANGE.fullmatch(text, len(name) + 1):
        return name.strip(), _range(text, name.strip(), found)
    example = f"{name.strip()}=1,8,64"
    sizes = tuple(_size(text, column, word, 0, example) for column, word in _words(text, len(name) + 1))
    return name.strip(), sizes


def _range(text: str, name: str, found: re.Match[str]) -> range:
    """All sizes, the last one included, which is not below the first; with a step, each so many."""

    def size(group: str, least: int) -> int:
        word, example = found[group], f"{name}=1..64, or {name}=8..64:8 for multiples of 8"
        return _size(text, found.start(group) + len(word) - len(word.lstrip()), word.strip(), least, example)

    low, high = size("first", 0), size("last", 0)
    if high < low:
        raise problem(text, found.start("last"), "the last size is below the first", f"{name}={high}..{low}")
    return range(low, high + 1, size("step", 1) if found["by"] else 1)


def parse_mesh(text: str) -> tuple[tuple[str, int], ...]:
    """`data=4,model=2`: the axes of a mesh and their sizes, 1 or more. Raises `UsageError` with a caret."""
    axes: dict[str, int] = {}
    for column, word in _words(text, 0):
        axis, equals, size = word.partition("=")
        name = axis.strip()
        if not equals or not name.isidentifier():
            raise problem(text, column, "--mesh takes AXIS=SIZE,…", "data=4,model=2")
        if name in axes:
            raise problem(text, column, f"axis {name} appears twice", "give each axis once")
        before = len(axis) + 1 + len(size) - len(size.lstrip())
        axes[name] = _size(text, column + before, size.strip(), 1, f"{name}=4")
    return tuple(axes.items())


def _words(text: str, start: int) -> Iterator[tuple[int, str]]:
    """The parts between the commas, each with its column."""
    for match in re.finditer(r"(?:(?<=,)|(?<!.))[^,]*", text[start:], re.DOTALL):
        word = match[0]
        yield start + match.start() + len(word) - len(word.lstrip()), word.strip()


def _size(text: str, column: int, word: str, least: int, example: str) -> int:
    """A size of at least `least`."""
    if re.fullmatch("[0-9]{1,30}", word) and least <= int(word) <= MAX_SIZE:
        return int(word)
    raise problem(text, column, f"a size is a whole number of at least {least}, not {word[:30]!r}", example)
