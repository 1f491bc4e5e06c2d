"""The part of the grammar that is not Python: `f32[B,784]{weak}@cpu:1`, `key<rbg>[4]@P('data')`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import takewhile

from jitinspect.specs.caret import problem
from jitinspect.specs.dtypes import KEY_IMPLS, is_dtype, key_impl, nearest, nearest_dtype, short_dtype
from jitinspect.specs.spec_types import ArraySpec, Device, Dimension, KeySpec, Placement, Sharding

HEAD = r"[^\W\d]\w*(?:<[^<>\[\]]*>)?[ \t]*\["
"""How an array begins; text that begins like this is an array or a mistake."""

MAX_SIZE = 2**63 - 1
"""XLA's sizes are signed 64-bit integers."""

_BEGINS = re.compile(HEAD)
_HEAD = re.compile(r"(?P<name>\w+)(?:<(?P<impl>[^<>]*)>)?[ \t]*\[")
_INSIDE = re.compile(r"""[^\[\](){}'"\#]*""")
_MARK = re.compile(r"\s*\{([^{}]*)\}?")
_SIZE = re.compile(r"[0-9]+(?:_[0-9]+)*")
_SEPARATED = re.compile(r"(?:[0-9]+|[^\W\d]\w*)\s*[\sx×*;]\s*(?=\w)", re.IGNORECASE)
_STRING = r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\""""
_FLAT = rf"""{_STRING}|[^()'"]"""
_PARTITIONS = re.compile(rf"@\s*(?:P|PartitionSpec)\s*\(((?:{_FLAT}|\((?:{_FLAT})*\))*)\)")
_DEVICE = re.compile(r"@\s*([^\W\d]\w*):([0-9]{1,9})(?![\w:])")


def read_array(text: str, start: int) -> tuple[ArraySpec | KeySpec, int]:
    """The array or key that begins at `start`, and where it ends.

    Raises `UsageError` with a caret under the part that does not parse.
    """
    head = _HEAD.match(text, start)
    assert head is not None, "the scan found it with the same pattern"
    close = _closing(text, head)
    impl = _impl(text, head, text[head.end() : close + 1])
    shape = read_dims(text, head.end(), close, head[0])
    weak, end = _weak(text, close + 1, head["name"])
    placement, end = _placement(text, end, shape)
    if head["name"] == "key":
        return KeySpec(impl, shape, placement), end
    return ArraySpec(short_dtype(head["name"]), shape, weak, placement), end


def array_alone(text: str) -> ArraySpec | KeySpec | None:
    """The array or key that all of `text` is; None if it is something else, or has something else beside it.

    Raises `UsageError` as `read_array` does.
    """
    if _BEGINS.match(text) is None:
        return None
    found, end = read_array(text, 0)
    return found if end == len(text) else None


def _closing(text: str, head: re.Match[str]) -> int:
    inside = _INSIDE.match(text, head.end())
    assert inside is not None, "the pattern also matches nothing"
    end = inside.end()
    if text.startswith("]", end):
        return end
    if text.startswith(("(", "'", '"'), end):
        raise problem(text, end, "a dimension is a whole number or a name", f"{head[0]}128,784]")
    words = [word.strip() for word in inside[0].split(",")]
    dims = takewhile(lambda word: word and not is_dtype(word), words)
    raise problem(text, head.end() - 1, "this '[' is never closed", f"{head[0]}{','.join(dims)}]")


def _impl(text: str, head: re.Match[str], rest: str) -> str | None:
    """The PRNG implementation that is named, if any. Also checks that the dtype exists."""
    name, impl = head["name"], head["impl"]
    if name != "key" and not is_dtype(name):
        near = nearest_dtype(name)
        raise problem(text, head.start(), f"{name!r} is not a dtype", near and f"did you mean {near}[{rest}?")
    if impl is None:
        return None
    if name != "key":
        raise problem(text, head.start("impl") - 1, f"{name} takes no <{impl}>", f"{name}[{rest}")
    if (known := key_impl(impl)) is not None:
        return known
    near = nearest(impl, [*KEY_IMPLS, *KEY_IMPLS.values()]) or "threefry2x32"
    hint = f"did you mean key<{near}>[{rest}?"
    raise problem(text, head.start("impl"), f"{impl!r} is not a PRNG implementation", hint)


def read_dims(text: str, start: int, end: int, head: str = "") -> tuple[Dimension, ...]:
    """The dimensions in `text[start:end]`, separated by commas; hints put `head` before them."""
    words = text[start:end].split(",")
    if not words[-1].strip():  # a scalar, or a trailing comma
        words.pop()
    return tuple(_dimension(text, start, words, index, head) for index in range(len(words)))


def _dimension(text: str, start: int, words: list[str], index: int, head: str) -> Dimension:
    word = words[index].strip()
    if _SIZE.fullmatch(word) and len(word) < 40 and int(word) <= MAX_SIZE:
        return int(word)
    if word.isidentifier() and word not in ("None", "True", "False"):
        return word
    column = start + sum(len(before) + 1 for before in words[:index])
    column += len(words[index]) - len(words[index].lstrip())
    tail = "]" if head else ""
    if separated := _SEPARATED.match(word):
        fixed = re.sub(r"[\s,;*×xX]+", ",", ",".join(words).strip())
        hint = f"{head}{fixed}{tail}"
        raise problem(text, column + separated.end(), "dimensions are separated by commas", hint)
    named = ",".join([*map(str.strip, words[:index]), "B", *map(str.strip, words[index + 1 :])])
    raise problem(text, column, _complaint(word), f"a size, or a name: {head}{named}{tail} with --dim B=128")


def _complaint(word: str) -> str:
    if not word:
        return "a dimension is missing"
    if _SIZE.fullmatch(word):
        return "this dimension is too large"
    if _SIZE.fullmatch(word[1:]) and word[0] == "-":
        return f"a dimension cannot be negative: {word}"
    return f"a dimension is a whole number or a name, not {word}"


def _weak(text: str, start: int, name: str) -> tuple[bool, int]:
    mark = _MARK.match(text, start)
    if mark is None:
        return False, start
    column = mark.start(1) - 1
    if name == "key":
        raise problem(text, column, "a key takes no {…}", "key[]")
    if mark[1].strip() != "weak" or not mark[0].endswith("}"):
        raise problem(text, column, f"unknown mark {text[column : mark.end()]}", "{weak} is the only one")
    return True, mark.end()


def _placement(text: str, start: int, shape: tuple[Dimension, ...]) -> tuple[Placement | None, int]:
    column = start + len(text[start:]) - len(text[start:].lstrip())
    if not text.startswith("@", column):
        return None, start
    if device := _DEVICE.match(text, column):
        return Device(device[1], int(device[2])), device.end()
    if sharding := _PARTITIONS.match(text, column):
        return Sharding(_partitions(text, sharding, len(shape))), sharding.end()
    word = re.compile(r"@\s*(\w*)").match(text, column)
    platform = word[1] if word and word[1] not in ("", "P") else "cpu"
    hint = f"@{platform}:0 for a device, @P('data',None) for a sharding"
    raise problem(text, column, "this is neither a device nor a sharding", hint)


def _partitions(text: str, match: re.Match[str], rank: int) -> tuple[str | tuple[str, ...] | None, ...]:
    """What `P(…)` holds: None, an axis, or a tuple of axes for each dimension."""
    try:
        partitions = tuple(ast.literal_eval(f"[{match[1]}\n]"))
        axes = list(_axes(partitions))
    except (SyntaxError, ValueError, TypeError):
        raise problem(text, match.start(1), "P(…) takes axis names and None", "@P('data',None)") from None
    if len(partitions) > rank:
        raise problem(text, match.start(), f"P(…) has {len(partitions)} entries, the array {rank} dimensions")
    if len(set(axes)) < len(axes):
        raise problem(text, match.start(1), "P(…) names an axis twice", "each mesh axis shards one dimension")
    return partitions


def _axes(partitions: tuple[object, ...]) -> Iterator[str]:
    """The names of the axes. Raises `TypeError` for anything that is not a name."""
    for entry in partitions:
        for axis in entry if isinstance(entry, tuple) else () if entry is None else (entry,):
            if not isinstance(axis, str):
                raise TypeError(axis)
            yield axis
