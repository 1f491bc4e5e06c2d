"""A second way to count what moves: over the text of a compiled program, by patterns of this file's own.

It uses nothing of jitinspect.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

KINDS = "all-gather|all-reduce|reduce-scatter|all-to-all|collective-permute|ragged-all-to-all"
_LINE = re.compile(rf"^\s+(?:ROOT )?%?(\S+) = (.*?) ({KINDS})(-start)?\((.*)$")
_DEFINED = re.compile(r"^\s+(?:ROOT )?%?(\S+) = (\(.*?\)|\S+) ([a-z][\w\-]*)\(")
_HEAD = re.compile(r"^(ENTRY )?%?([\w.\-]+) \(.*\{$|^(ENTRY )?%?([\w.\-]+) \{$")
_ARRAY = re.compile(r"\b(pred|[a-z]+\d+\w*)\[([\d,]*)\]")
_MESH = re.compile(
    r"replica_groups=mesh\[(.*?)\](?:, device_ids=\(\[([\d,]+)\](?:T\(([\d,]+)\))?\))? \{(.*?)\}"
)
_CALL = re.compile(r"(\w+)=(?:\{([^{}]*)\}|%?([\w.\-]+))")
_CALLS = ("calls", "body", "condition", "branch_computations", "true_computation", "false_computation")


class Found(NamedTuple):
    """`runs` is None in a loop of which it is not known how often it runs; a branch counts as taken."""

    kind: str
    name: str
    bytes_in: int
    bytes_out: int
    runs: int | None
    in_branch: bool
    groups: tuple[tuple[int, ...], ...]


def scan(text: str) -> list[Found]:
    """Every collective of the text. One that XLA for TPUs splits into a chain of instructions counts once."""
    return list({key: found for key, found in reversed([*_found(text)])}.values())[::-1]


def _found(text: str) -> Iterator[tuple[object, Found]]:
    bodies = _computations(text)
    runs = _runs(bodies)
    partitions = int((re.search(r"num_partitions=(\d+)", text) or [0, 1])[1])
    for block, lines in bodies.items():
        types = {found[1]: found[2] for line in lines if (found := _DEFINED.match(line))}
        for line in lines:
            if not (found := _LINE.match(line)):
                continue
            name, type, kind, start, rest = found.groups()
            operands = re.findall(r"%([\w.\-#]+)", _closed(rest))
            given = sum(_size(_type(types, one)) for one in operands[: 1 if "ragged" in kind else None])
            got = _got(kind, type, given) if start else _size(type)
            if block.startswith(
                "all-reduce-scatter"
            ):  # XLA for TPUs makes a reduce-scatter of it and a slice
                kind, got = (
                    "reduce-scatter",
                    _size(next(_DEFINED.match(one)[2] for one in lines if "ROOT" in one)),
                )
            chain = re.search(r'chain_id="(\d+)"', line)
            key = (kind, re.search(r"channel_id=(\d+)", line)[1], chain[1]) if chain else name
            yield key, Found(kind, name, given, got, *runs[block], groups_of(line, partitions))


def _type(types: Mapping[str, str], name: str) -> str:
    whole, _, at = name.partition("#")
    if not at:
        return types[whole]
    return _elements(types[whole])[int(at)]


def _elements(type: str) -> list[str]:
    return [found[0] for found in _ARRAY.finditer(type)]


def _got(kind: str, type: str, given: int) -> int:
    """Of `-start`, which gives `(operands, results, …)`, or results alone."""
    sizes = [_size(one) for one in _elements(type)]
    if kind == "all-reduce":
        return sum(sizes)
    at = list(itertools.accumulate(sizes)).index(given) + 1
    return sum(_size(one) for one in _elements(type)[at : 2 * at])


def _closed(text: str) -> str:
    depth = 1
    for at, letter in enumerate(text):
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if not depth:
            return text[:at]
    return text


def _size(type: str) -> int:
    return sum(
        _bytes(kind) * math.prod(map(int, filter(None, dims.split(","))))
        for kind, dims in _ARRAY.findall(type)
    )


def _bytes(kind: str) -> int:
    bits = 8 if kind == "pred" else int(re.search(r"\d+", kind)[0])
    return bits // 8


def _computations(text: str) -> dict[str, list[str]]:
    bodies: dict[str, list[str]] = {}
    for line in text.split("\n"):
        if not line.startswith((" ", "HloModule")) and (head := _HEAD.match(line)):
            name = head[2] or head[4]
            lines = bodies.setdefault("ENTRY" if line.startswith("ENTRY") else name, [])
        elif line.startswith("  ") and bodies:
            lines.append(line)
    return bodies


Runs = tuple[int | None, bool]


def _runs(bodies: Mapping[str, list[str]]) -> dict[str, Runs]:
    """How often each computation runs, and whether in a branch."""
    runs: dict[str, Runs] = {"ENTRY": (1, False)}
    waiting = ["ENTRY"]
    while waiting:
        caller = waiting.pop()
        for line in bodies[caller]:
            for attribute, several, one in _CALL.findall(line):
                if attribute in _CALLS:
                    times = _times(attribute, line, bodies)
                    in_branch = "branch" in attribute or "_computation" in attribute
                    for name in re.findall(r"[\w.\-]+", several or one):
                        before, was_in_branch = runs[caller]
                        now = None if before is None or times is None else before * times
                        runs[name] = (now, was_in_branch or in_branch)
                        waiting.append(name)
    return runs


def _times(attribute: str, line: str, bodies: Mapping[str, list[str]]) -> int | None:
    """How often it is called each time that the line is run. A condition is asked once more than it holds.

    XLA for TPUs does not print the number of iterations: there it is what the counter is less than.
    """
    if attribute not in ("body", "condition"):
        return 1
    if found := re.search(r'"known_trip_count":\{"n":"(\d+)"\}', line):
        trips = int(found[1])
    else:
        asked = bodies[re.search(r"condition=%?([\w.\-]+)", line)[1]]
        root = next(one for one in asked if "ROOT" in one)
        numbers = {
            one: int(n) for one, n in re.findall(r"%(\S+) = s32\S* constant\((\d+)\)", "\n".join(asked))
        }
        counted = re.search(r"compare\(%[\w.\-]+, %([\w.\-]+)\), direction=LT", root)
        if not counted or counted[1] not in numbers:
            return None
        trips = numbers[counted[1]]
    return trips + (attribute == "condition")


def groups_of(line: str, partitions: int) -> tuple[tuple[int, ...], ...]:
    """The devices that exchange, in order; of a permutation those that are reached from each other."""
    if found := re.search(r"source_target_pairs=\{(.*?\})\}", line):
        return _reached([tuple(map(int, pair)) for pair in re.findall(r"(\d+),(\d+)", found[1])])
    if found := re.search(r"replica_groups=\[([\d,]+)\]<=\[([\d,]+)\](?:T\(([\d,]+)\))?", line):
        shape, dims = _numbers(found[1]), _numbers(found[2])
        ids = np.arange(math.prod(dims)).reshape(dims).transpose(_numbers(found[3]) if found[3] else None)
        return _ordered(ids.reshape(shape).tolist())
    if found := _MESH.search(line):
        return _along(found[1], found[2], found[3], found[4])
    if found := re.search(r"replica_groups=\{(\{.*?\})\}", line):
        return _ordered([_numbers(one) for one in re.findall(r"\{([\d,]+)\}", found[1])])
    assert "replica_groups={}" in line, line
    return (tuple(range(partitions)),)


def _along(mesh: str, reshaped: str | None, order: str | None, axes: str) -> tuple[tuple[int, ...], ...]:
    """`'data'=4,'model'=2` and `'data':(2)2`: along that part of the axis whose stride is the rest of it."""
    sizes = {name: int(size) for name, size in re.findall(r"'(\w+)'=(\d+)", mesh)}
    parts = re.findall(r"'(\w+)'(?::\((\d+)\)(\d+))?", axes)
    cuts = {name: {1, size} for name, size in sizes.items()}
    for name, before, size in parts:
        if size:
            cuts[name] |= {int(before), int(before) * int(size)}
    pieces = [(name, a, b // a) for name in sizes for a, b in itertools.pairwise(sorted(cuts[name]))]
    wanted = {(name, int(before or 1), int(size or sizes[name])) for name, before, size in parts}
    chosen = [
        at
        for at, (name, before, size) in enumerate(pieces)
        if any(
            name == one and start <= before and before * size <= start * width for one, start, width in wanted
        )
    ]
    ids = np.arange(math.prod(sizes.values()))
    if reshaped:
        ids = ids.reshape(_numbers(reshaped)).transpose(_numbers(order) if order else None)
    ids = ids.reshape([size for _, _, size in pieces])
    rest = [at for at in range(len(pieces)) if at not in chosen]
    width = math.prod(pieces[at][2] for at in chosen)
    return _ordered(ids.transpose([*rest, *chosen]).reshape(-1, width).tolist())


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(",")))


def _ordered(groups: list) -> tuple[tuple[int, ...], ...]:
    return tuple(sorted(tuple(sorted(group)) for group in groups))


def _reached(pairs: list[tuple[int, ...]]) -> tuple[tuple[int, ...], ...]:
    groups = {one: {one} for pair in pairs for one in pair}
    for a, b in pairs:
        joined = groups[a] | groups[b]
        for one in joined:
            groups[one] = joined
    return _ordered(list({id(one): one for one in groups.values()}.values()))


def axes_of(groups: tuple[tuple[int, ...], ...], mesh: Mapping[str, int]) -> tuple[str, ...]:
    """The axes of the mesh along which the groups lie."""
    places = [np.array(np.unravel_index(group, tuple(mesh.values()))) for group in groups]
    return tuple(
        axis for at, axis in enumerate(mesh) if any(len(set(place[at].tolist())) > 1 for place in places)
    )
