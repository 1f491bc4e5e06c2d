"""The text of an LLVM module → that of each function in it, without what a reader rarely wants.

Kept: the function, and the helpers, globals, types and external declarations it
uses. Left out: data layout, attribute groups, metadata and references to them,
so the text is for reading, not for `llc`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

_SYMBOL = r'[@%](?:"[^"]*"|[-\w.$]+)'
_REFERENCE = re.compile(_SYMBOL)
_DEFINED = re.compile(rf"define .*?({_SYMBOL})\(|declare .*?({_SYMBOL})\(|({_SYMBOL}) = ")
_LOCAL = re.compile(r"define (?:private|internal|linkonce|linkonce_odr|available_externally) ")
_INTRINSIC = re.compile(r"declare .*@llvm\.")
_ATTACHMENTS = re.compile(r"(?:,? ![\w.]+ !\d+)+(?=$| \{$)")
_ATTRIBUTES = re.compile(r" #\d+(?=$| \{$)")
_DROPPED = re.compile(r"; Function Attrs:|\s+(?:tail )?call void @llvm\.[\w.]+\(metadata !\d+\)")


def functions(module: str) -> Iterator[tuple[str, str]]:
    """Name and text of each function that can be called from outside `module`, in its order."""
    entities = dict(_entities(module))
    for symbol, text in entities.items():
        if text.startswith("define ") and not _LOCAL.match(text):
            used = _used(symbol, entities)
            parts = [entities[other] for other in entities if other in used and other != symbol]
            yield symbol[1:].strip('"'), "\n".join([*_spaced(parts), text])


def _entities(module: str) -> Iterator[tuple[str, str]]:
    """Symbol and cleaned text of each top-level definition and declaration."""
    lines = iter(module.split("\n"))
    for line in lines:
        if (named := _DEFINED.match(line)) and not _INTRINSIC.match(line):
            block = [line]
            if line.startswith("define "):
                for inner in lines:
                    block.append(inner)
                    if inner == "}":
                        break
            yield named[1] or named[2] or named[3], _clean(block)


def _clean(lines: list[str]) -> str:
    kept = (line for line in lines if not _DROPPED.match(line))
    return "\n".join(_ATTRIBUTES.sub("", _ATTACHMENTS.sub("", line)) for line in kept)


def _used(symbol: str, entities: Mapping[str, str]) -> set[str]:
    """`symbol` and all that it refers to, directly or indirectly."""
    used: set[str] = set()
    waiting = [symbol]
    while waiting:
        if (name := waiting.pop()) in entities and name not in used:
            used.add(name)
            waiting += _REFERENCE.findall(entities[name])
    return used


def _spaced(parts: list[str]) -> Iterator[str]:
    """One-line entities together, functions separated by empty lines."""
    short = [part for part in parts if "\n" not in part]
    if short:
        yield "\n".join([*short, ""])
    yield from (f"{part}\n" for part in parts if "\n" in part)
